"""Taking the words of an answer out of all that is kept of it, once what it rested on was changed or taken away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, or_, select, update
from sqlmodel import col

from bot.core.actions import AskStaff, Edit, OpenDirect, Say
from bot.core.codec import dump, dump_action, load, load_action
from bot.core.decisions import Trace
from storage import answers
from storage.rows import columns, portions
from storage.tables import ActRow, AnswerRow, AnswerSourceRow, ButtonRow, MessageRow, TraceRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Row

    from bot.core.actions import Action, TakeBack
    from bot.core.things import Community
    from storage.connection import Connection

OWED = ("abstained", "asked_staff")
"""How answers stand that still wait for the staff: they lose what they cite, and go on waiting."""
MENDS = '"mends":true'
"""What is written of an edit that mends."""
TRIES = 10
"""Edits of one message that may fail before nothing more is tried: with the pauses between them, some three hours."""


async def take_back(connection: Connection, *, community: Community, action: TakeBack, trace: str) -> None:
    """Let nothing that is kept hold words of an answer, and let it stand no longer once its messages say otherwise.

    `trace` is that of the taking back itself, whose acts are new words.
    """
    mine = (col(AnswerRow.id) == action.answer) & (col(AnswerRow.community_id) == community.id)
    said_by = await connection.scalar(select(col(AnswerRow.trace_id)).where(mine))
    if said_by is None:
        return
    found = await _telling(connection, community, action, said_by=said_by, trace=trace)
    for row in found:
        words = dump_action(bare(load_action(row.action), action.text))
        await connection.execute(update(ActRow).where(col(ActRow.id) == row.id).values(action=words))
    for some in portions([row.id for row in found]):
        await connection.execute(delete(ButtonRow).where(col(ButtonRow.act_id).in_(some)))
    await _stories(connection, {said_by, *(row.trace_id for row in found)}, action.answer, action.text)
    made = (col(MessageRow.community_id) == community.id) & (col(MessageRow.ref) == str(action.message))
    await connection.execute(update(MessageRow).where(made).values(text=action.text))
    if not await _waits(connection, action, trace):
        await connection.execute(delete(AnswerSourceRow).where(col(AnswerSourceRow.answer_id) == action.answer))
        await answers.cite(connection, action.answer, action.sources)
        if not action.sources:
            given = col(AnswerRow.standing).not_in(OWED)
            await connection.execute(update(AnswerRow).where(mine, given).values(standing="withdrawn"))


async def _telling(
    connection: Connection, community: Community, action: TakeBack, *, said_by: str, trace: str
) -> list[Row[*tuple[object, ...]]]:
    """Return the acts that said an answer, changed it, or told somebody of how it came about."""
    first = select(func.min(col(ActRow.id))).where(col(ActRow.trace_id) == said_by)
    since = await connection.scalar(first) if said_by else None
    names = ([f'"{action.message}"'] if action.message else []) + ([said_by] if said_by else [])
    tell: list[ColumnElement[bool]] = [col(ActRow.action).contains(one, autoescape=True) for one in names]
    tell += [col(ActRow.made) == str(action.message)] if action.message else []
    tell += [col(ActRow.trace_id) == said_by] if said_by else []
    if not tell:
        return []
    rows = await connection.execute(
        select(*columns(ActRow, "id", "trace_id", "action"))
        .where(col(ActRow.community_id) == community.id, col(ActRow.id) >= (since or 0))
        .where(col(ActRow.trace_id) != trace, or_(*tell))
    )
    return [row for row in rows if not _is_of_another(load_action(row.action), action.answer)]


def _is_of_another(action: Action, answer: str) -> bool:
    """Say whether an act belongs to another answer: several may be given at once."""
    return getattr(action, "answer", "") not in {"", answer}


async def _stories(connection: Connection, traces: Collection[str], answer: str, text: str) -> None:
    """Take the words of an answer out of traces; what was seen, ruled and why stays."""
    for some in portions(sorted(traces)):
        rows = await connection.execute(select(*columns(TraceRow, "id", "story")).where(col(TraceRow.id).in_(some)))
        for row in rows.all():
            trace = load(Trace, row.story)
            rulings = tuple(
                one if _is_of_another(one.action, answer) else replace(one, action=bare(one.action, text))
                for one in trace.verdict.rulings
            )
            story = dump(Trace, replace(trace, verdict=replace(trace.verdict, rulings=rulings)))
            await connection.execute(update(TraceRow).where(col(TraceRow.id) == row.id).values(story=story))


def bare(action: Action, text: str) -> Action:
    """Return an action with another text in place of what it said; its buttons and what it proposed go too."""
    match action:
        case Say() | OpenDirect():
            return replace(action, text=text, buttons=(), attachments=())
        case Edit():
            return replace(action, text=text, before="", buttons=(), offered=())
        case AskStaff():
            return replace(action, text=text, buttons=(), proposed=())
        case _:
            return action


async def _waits(connection: Connection, action: TakeBack, trace: str) -> bool:
    """Say whether a message could not be changed yet, and is to be tried again.

    What one member alone was shown, for a time only, is not: there it went as it came.
    """
    edits = col(ActRow.action).contains(MENDS, autoescape=True)
    rows = await connection.execute(
        select(*columns(ActRow, "state", "action")).where(col(ActRow.trace_id) == trace, edits)
    )
    tried = [(row.state, load_action(row.action)) for row in rows]
    failed = [
        state
        for state, one in tried
        if isinstance(one, Edit) and one.message == action.message and one.only is None and state != "done"
    ]
    if not failed:
        return False
    naming = col(ActRow.action).contains(f'"{action.message}"', autoescape=True)
    tries = select(func.count()).where(edits, naming, col(ActRow.state).in_(("failed", "unknown")))
    failures: int = (await connection.execute(tries)).scalar_one()
    return failures < TRIES
