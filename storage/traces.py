"""Traces: the story of each event that somebody decided something about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select
from sqlmodel import col

from bot.core.actions import AskStaff, OpenDirect, Say
from bot.core.codec import dump, load
from bot.core.decisions import Trace
from storage.rows import insert_new, insert_rows
from storage.tables import ActRow, ButtonRow, TraceMemberRow, TraceRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.core.actions import Action
    from bot.core.things import Community, Ref
    from storage.connection import Connection


async def record(connection: Connection, community: Community, trace: Trace, *, message: Ref | None) -> None:
    """Store a trace; `message` is the message that it is about. What comes of it is kept with its acts."""
    row = {
        "id": trace.id,
        "community_id": community.id,
        "event": trace.event,
        "channel": str(trace.channel or ""),
        "message": str(message or ""),
        "at": trace.at,
        "story": dump(Trace, bare(trace)),
    }
    await insert_rows(connection, TraceRow, [row], "id")
    about = [{"trace_id": trace.id, "member": str(member)} for member in concerned(trace)]
    await insert_new(connection, TraceMemberRow, about)


def concerned(trace: Trace) -> set[Ref]:
    """Return whom a trace is about: who did it, whose words it rests on, whom it acts on."""
    found = {trace.member} | {member for decision in trace.verdict.decisions for member in decision.about}
    for ruling in trace.verdict.rulings:
        found |= {getattr(ruling.action, "only", None), getattr(ruling.action, "member", None)}
    return {member for member in found if member is not None}


def bare(trace: Trace) -> Trace:
    """Return a trace as it is kept: each action once, and files that were sent left out."""
    decisions = tuple(replace(decision, actions=()) for decision in trace.verdict.decisions)
    rulings = tuple(replace(ruling, action=without_files(ruling.action)) for ruling in trace.verdict.rulings)
    return replace(trace, verdict=replace(trace.verdict, decisions=decisions, rulings=rulings))


def without_files(action: Action) -> Action:
    """Return an action as it is kept: the files that it sent, or proposed to send, belong to whoever got them."""
    match action:
        case Say() | OpenDirect():
            return replace(action, attachments=())
        case AskStaff(proposed=proposed):
            return replace(action, proposed=tuple(without_files(one) for one in proposed))
        case _:
            return action


async def of_event(connection: Connection, community: Community, event: str) -> Trace | None:
    """Return the trace of an event, by its key."""
    story = await connection.scalar(
        select(col(TraceRow.story)).where(col(TraceRow.community_id) == community.id, col(TraceRow.event) == event)
    )
    return load(Trace, story) if story else None


async def about(connection: Connection, community: Community, message: Ref) -> list[Trace]:
    """Return the traces of a message, newest first: those that it set off, and those whose acts made it."""
    made = select(col(ActRow.trace_id)).where(col(ActRow.made) == str(message))
    stories = await connection.scalars(
        select(col(TraceRow.story))
        .where(col(TraceRow.community_id) == community.id)
        .where(or_(col(TraceRow.message) == str(message), col(TraceRow.id).in_(made)))
        .order_by(col(TraceRow.at).desc())
    )
    return [load(Trace, story) for story in stories]


async def latest(
    connection: Connection, community: Community, *, channel: Ref | None = None, limit: int = 1
) -> list[Trace]:
    """Return the latest traces of the whole community, or of a channel and of what happened in none, newest first."""
    statement = select(col(TraceRow.story)).where(col(TraceRow.community_id) == community.id)
    if channel is not None:
        statement = statement.where(col(TraceRow.channel).in_([str(channel), ""]))
    stories = await connection.scalars(statement.order_by(col(TraceRow.at).desc()).limit(limit))
    return [load(Trace, story) for story in stories]


async def by_id(connection: Connection, community: Community, number: str) -> Trace | None:
    """Return a trace by its id."""
    story = await connection.scalar(
        select(col(TraceRow.story)).where(col(TraceRow.community_id) == community.id, col(TraceRow.id) == number)
    )
    return load(Trace, story) if story else None


async def purge(connection: Connection, community: int, before: datetime, *, limit: int) -> int:
    """Erase up to `limit` traces from before a moment, with their acts and buttons; return how many."""
    old = select(col(TraceRow.id)).where(col(TraceRow.community_id) == community, col(TraceRow.at) < before)
    return await erase(connection, list(await connection.scalars(old.limit(limit))))


async def erase(connection: Connection, traces: Sequence[str]) -> int:
    """Erase traces with their acts and buttons; return how many."""
    for number in traces:
        acts = select(col(ActRow.id)).where(col(ActRow.trace_id) == number)
        await connection.execute(delete(ButtonRow).where(col(ButtonRow.act_id).in_(acts)))
        await connection.execute(delete(ActRow).where(col(ActRow.trace_id) == number))
        await connection.execute(delete(TraceMemberRow).where(col(TraceMemberRow.trace_id) == number))
        await connection.execute(delete(TraceRow).where(col(TraceRow.id) == number))
    return len(traces)
