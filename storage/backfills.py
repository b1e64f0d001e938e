"""Back-fills: how far back each channel and thread of a server was read, moved with the messages themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update
from sqlmodel import col

from bot.core.things import Ref
from storage.intake import Stored
from storage.rows import columns, insert_new, portions
from storage.tables import BackfillRow, InboxRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.core.events import MessagePosted
    from bot.core.things import Community
    from storage.connection import Connection
    from storage.intake import Intake


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far back a room was read: everything from `before` on, the platform's own mark; `done`, its beginning."""

    before: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One page of a room: its messages, how far the room is read with them, and what had arrived before it was read."""

    space: Ref
    room: Ref
    messages: Sequence[MessagePosted]
    reached: Reached
    arrived: int


async def reached(connection: Connection, community: Community) -> dict[Ref, Reached]:
    """Return how far each room was read."""
    rows = await connection.execute(
        select(*columns(BackfillRow, "room", "before", "done")).where(col(BackfillRow.community_id) == community.id)
    )
    return {Ref.parse(row.room): Reached(before=row.before, done=row.done) for row in rows}


async def arrived(connection: Connection) -> int:
    """Return the number of what arrived last, to be asked before a page is read."""
    return (await connection.scalar(select(func.max(col(InboxRow.id))))) or 0


async def store(connection: Connection, intake: Intake, step: Step) -> Stored | None:
    """Store a page's messages and how far the room is read, together.

    None, and nothing is stored, when one of them was changed or deleted since it was read: it is to be read again, or a
    text that is gone would come back. Nor is anything stored where the staff have just chosen that nothing is read.
    """
    if await _changed_since(connection, step) & {one.message for one in step.messages}:
        return None
    stored = await intake.store(connection, step.messages) if step.messages else Stored()
    if stored.unread:
        return None
    await _move(connection, intake.community, step, stored.messages, intake.now)
    return stored


async def _changed_since(connection: Connection, step: Step) -> set[Ref]:
    keys = await connection.scalars(
        select(col(InboxRow.key)).where(
            col(InboxRow.id) > step.arrived,
            col(InboxRow.space) == str(step.space),
            col(InboxRow.key).startswith("edited ") | col(InboxRow.key).startswith("deleted "),
        )
    )
    return {Ref.parse(key.split(" ")[1]) for key in keys}


async def deleted(connection: Connection, space: Ref, messages: Iterable[Ref]) -> set[Ref]:
    """Return those of some messages of which the platform told that they were deleted."""
    found: set[Ref] = set()
    for some in portions([f"deleted {message}" for message in messages]):
        keys = await connection.scalars(
            select(col(InboxRow.key)).where(col(InboxRow.space) == str(space), col(InboxRow.key).in_(some))
        )
        found |= {Ref.parse(key.split(" ")[1]) for key in keys}
    return found


async def _move(connection: Connection, community: Community, step: Step, messages: int, now: datetime) -> None:
    row = {"community_id": community.id, "room": str(step.room), "updated_at": now}
    await insert_new(connection, BackfillRow, [row])
    await connection.execute(
        update(BackfillRow)
        .where(col(BackfillRow.community_id) == community.id, col(BackfillRow.room) == str(step.room))
        .values(
            before=step.reached.before, done=step.reached.done, messages=BackfillRow.messages + messages, updated_at=now
        )
    )


async def start_over(connection: Connection, community: Community, rooms: Iterable[Ref]) -> None:
    """Forget how far rooms were read; messages that are there already are passed over when they are read again."""
    for some in portions([str(room) for room in rooms]):
        await connection.execute(
            update(BackfillRow)
            .where(col(BackfillRow.community_id) == community.id, col(BackfillRow.room).in_(some))
            .values(before="", done=False)
        )


async def notice(connection: Connection, community: Community, space: Ref) -> Ref | None:
    """Return the message that tells the staff how far a back-fill is."""
    found = await connection.scalar(
        select(col(BackfillRow.notice)).where(
            col(BackfillRow.community_id) == community.id, col(BackfillRow.room) == str(space)
        )
    )
    return Ref.parse(found) if found else None


async def keep_notice(
    connection: Connection, community: Community, space: Ref, message: Ref | None, now: datetime
) -> None:
    """Keep that message's reference, so that whoever goes on changes it and sends no other; None when all is told."""
    row = {"community_id": community.id, "room": str(space), "updated_at": now}
    await insert_new(connection, BackfillRow, [row])
    await connection.execute(
        update(BackfillRow)
        .where(col(BackfillRow.community_id) == community.id, col(BackfillRow.room) == str(space))
        .values(notice=str(message) if message else "", updated_at=now)
    )
