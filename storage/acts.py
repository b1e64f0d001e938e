"""Acts: every action from intent to receipt, and the buttons that came with them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Literal

from sqlalchemy import or_, select, update
from sqlmodel import col

from bot.core.actions import Action, AskStaff, Edit, OpenDirect, Say, target
from bot.core.codec import dump_action, load_action
from bot.core.decisions import Receipt
from bot.core.things import Ref
from storage import answers
from storage.rows import columns, insert_new, insert_rows
from storage.tables import ActRow, ButtonRow
from storage.traces import without_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from bot.core.decisions import Trace
    from bot.core.things import Community
    from storage.connection import Connection

State = Literal["intended", "done", "failed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One action and what came of it; `undone_by` is the number of the act that took it back."""

    id: int
    trace: str
    skill: str
    action: Action
    state: State
    receipt: Receipt
    intended_at: datetime
    undone_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressable:
    """A button as it is kept."""

    token: str
    act: int
    press: str
    data: dict[str, str]
    only: str
    choice: str
    expires_at: datetime
    pressed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An action about to be tried, at its place in its trace."""

    position: int
    skill: str
    action: Action


async def intend(
    connection: Connection,
    community: Community,
    trace: str,
    intents: Sequence[Intent],
    *,
    now: datetime,
    expires_at: datetime,
) -> list[int]:
    """Store what is about to be tried, with its buttons, and return the numbers of the acts."""
    if not intents:
        return []
    rows = [
        {
            "community_id": community.id,
            "trace_id": trace,
            "position": intent.position,
            "skill": intent.skill,
            "channel": str(target(intent.action) or ""),
            "made": "",
            "action": dump_action(without_files(intent.action)),
            "state": "intended",
            "error": "",
            "intended_at": now,
        }
        for intent in intents
    ]
    numbers = [int(row.id) for row in await insert_rows(connection, ActRow, rows, "id")]
    buttons = [
        {
            "token": button.token,
            "act_id": number,
            "press": button.press,
            "data": button.data,
            "only": str(button.only or ""),
            "choice": button.choice,
            "expires_at": expires_at,
        }
        for number, intent in zip(numbers, intents, strict=True)
        if isinstance(intent.action, Say | Edit | AskStaff | OpenDirect)
        for button in intent.action.buttons
    ]
    await insert_new(connection, ButtonRow, buttons)
    return numbers


async def record_outcome(
    connection: Connection, number: int, action: Action, receipt: Receipt, *, now: datetime
) -> None:
    """Store what came of an act, and the action as it was carried out in the end."""
    values = {
        "state": receipt.state,
        "made": str(receipt.made or ""),
        "error": receipt.error,
        "waited": receipt.waited,
        "waited_for": receipt.waited_for,
        "dropped": receipt.dropped,
        "action": dump_action(without_files(action)),
        "ended_at": now,
    }
    await connection.execute(update(ActRow).where(col(ActRow.id) == number).values(values))
    if receipt.made and isinstance(action, Say | OpenDirect | AskStaff) and action.answer:
        await answers.made(connection, action, receipt.made)


async def record_undo(connection: Connection, number: int, *, by: int) -> None:
    """Note which act took another one back."""
    await connection.execute(update(ActRow).where(col(ActRow.id) == number).values(undone_by=by))


async def of_trace(connection: Connection, trace: str) -> list[Act]:
    """Return the acts of a trace, in order."""
    rows = await connection.execute(
        select(*COLUMNS).where(col(ActRow.trace_id) == trace).order_by(col(ActRow.position))
    )
    return [_act(row) for row in rows]


async def told(connection: Connection, stories: Sequence[Trace]) -> list[Trace]:
    """Return traces with what came of them, as far as that is known yet."""
    found = [(trace, await of_trace(connection, trace.id)) for trace in stories]
    return [
        trace.ended([(act.action, act.receipt) for act in takewhile(lambda act: act.state != "intended", every)])
        for trace, every in found
    ]


async def by_id(connection: Connection, number: int) -> Act | None:
    """Return an act by its number."""
    row = (await connection.execute(select(*COLUMNS).where(col(ActRow.id) == number))).first()
    return _act(row) if row else None


async def that_made(connection: Connection, community: Community, message: Ref) -> Act | None:
    """Return the act that made a message."""
    found = await connection.execute(
        select(*COLUMNS).where(col(ActRow.community_id) == community.id, col(ActRow.made) == str(message))
    )
    row = found.first()
    return _act(row) if row else None


async def naming(connection: Connection, community: Community, ref: Ref | str) -> list[Act]:
    """Return the acts that were done and name a reference or a case, in what they do or in what their buttons carry."""
    rows = await connection.execute(
        select(*COLUMNS)
        .where(col(ActRow.community_id) == community.id, col(ActRow.state) == "done")
        .where(col(ActRow.action).contains(f'"{ref}"', autoescape=True))
        .order_by(col(ActRow.id))
    )
    return [_act(row) for row in rows]


async def spoke_to(connection: Connection, community: Community, member: Ref) -> bool:
    """Say whether anything was said to somebody in private, where that conversation bears their reference."""
    spoken = or_(*(col(ActRow.action).contains(f'"kind":"{kind.__name__}"') for kind in (Say, OpenDirect)))
    theirs = (col(ActRow.channel) == str(member), col(ActRow.community_id) == community.id)
    # Asked for by their state, SQLite would look through nearly all acts there are.
    return "done" in set(await connection.scalars(select(col(ActRow.state)).where(*theirs, spoken).distinct()))


async def of_skill(connection: Connection, community: Community, skill: str, since: datetime) -> list[Act]:
    """Return what a skill did since a moment and nobody took back, oldest first."""
    rows = await connection.execute(
        select(*COLUMNS)
        .where(col(ActRow.community_id) == community.id, col(ActRow.skill) == skill, col(ActRow.state) == "done")
        .where(col(ActRow.intended_at) >= since, col(ActRow.undone_by).is_(None))
        .order_by(col(ActRow.id))
    )
    return [_act(row) for row in rows]


async def in_state(connection: Connection, community: Community, state: State) -> list[Act]:
    """Return the acts that are in a state, oldest first."""
    rows = await connection.execute(
        select(*COLUMNS)
        .where(col(ActRow.community_id) == community.id, col(ActRow.state) == state)
        .order_by(col(ActRow.id))
    )
    return [_act(row) for row in rows]


async def button(connection: Connection, community: Community, token: str) -> Pressable | None:
    """Return a button of a community by its token."""
    names = ("token", "act_id", "press", "data", "only", "choice", "expires_at", "pressed_at")
    found = await connection.execute(
        select(*columns(ButtonRow, *names))
        .join(ActRow, col(ActRow.id) == col(ButtonRow.act_id))
        .where(col(ActRow.community_id) == community.id, col(ButtonRow.token) == token)
    )
    row = found.first()
    if row is None:
        return None
    return Pressable(
        token=row.token,
        act=row.act_id,
        press=row.press,
        data=row.data,
        only=row.only,
        choice=row.choice,
        expires_at=row.expires_at,
        pressed_at=row.pressed_at,
    )


async def press(connection: Connection, pressed: Pressable, *, now: datetime) -> None:
    """Settle a button, and with it the others of its choice."""
    same = (
        (col(ButtonRow.act_id) == pressed.act) & (col(ButtonRow.choice) == pressed.choice)
        if pressed.choice
        else col(ButtonRow.token) == pressed.token
    )
    await connection.execute(
        update(ButtonRow).where(or_(same, col(ButtonRow.token) == pressed.token)).values(pressed_at=now)
    )


COLUMNS = columns(
    ActRow,
    *("id", "trace_id", "skill", "action", "intended_at", "undone_by"),
    *("state", "made", "error", "waited", "waited_for", "dropped"),
)


def _act(row: Row[*tuple[object, ...]]) -> Act:
    state: State = row.state
    receipt = Receipt(
        state="unknown" if state == "intended" else state,
        made=Ref.parse(row.made) if row.made else None,
        error=row.error,
        waited=row.waited,
        waited_for=row.waited_for,
        dropped=row.dropped,
    )
    return Act(
        id=row.id,
        trace=row.trace_id,
        skill=row.skill,
        action=load_action(row.action),
        state=state,
        receipt=receipt,
        intended_at=row.intended_at,
        undone_by=row.undone_by,
    )
