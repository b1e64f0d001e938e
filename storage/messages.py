"""Messages, read within a scope: nobody is shown what they may not read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlmodel import col

from bot.core.things import Message, Ref
from storage.rows import columns, portions
from storage.tables import MessageRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.ports import Scope

COLUMNS = columns(MessageRow, "id", "point", "ref", "channel_id", "author_id", "thread_id", "text", "sent_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Names the state of a community's messages: any new one changes it."""

    count: int
    last: int


async def by_point(connection: AsyncConnection, scope: Scope, points: Sequence[UUID]) -> dict[UUID, Message]:
    """Return the messages behind points, as far as the scope allows."""
    found: dict[UUID, Message] = {}
    for some in portions(list(points)):
        rows = await connection.execute(select(*COLUMNS).where(*within(scope), col(MessageRow.point).in_(some)))
        found.update((row.point, _message(row)) for row in rows)
    return found


async def by_number(connection: AsyncConnection, scope: Scope, numbers: Sequence[int]) -> dict[int, Message]:
    """Return messages by their numbers, as far as the scope allows."""
    found: dict[int, Message] = {}
    for some in portions(list(numbers)):
        rows = await connection.execute(select(*COLUMNS).where(*within(scope), col(MessageRow.id).in_(some)))
        found.update((message.id, message) for message in map(_message, rows))
    return found


async def all_of(connection: AsyncConnection, scope: Scope) -> dict[UUID, Message]:
    """Return every message in scope by its point."""
    rows = await connection.execute(select(*COLUMNS).where(*within(scope)))
    return {row.point: _message(row) for row in rows}


async def state(connection: AsyncConnection, community: int) -> State:
    """Return how many messages there are and the number of the last."""
    row = (
        await connection.execute(
            select(func.count(), func.max(col(MessageRow.id))).where(col(MessageRow.community_id) == community)
        )
    ).one()
    return State(count=row[0], last=row[1] or 0)


def within(scope: Scope) -> list[ColumnElement[bool]]:
    """Return the conditions that hold a query inside its scope."""
    conditions: list[ColumnElement[bool]] = [col(MessageRow.community_id) == scope.community]
    if scope.channels is not None:
        conditions.append(col(MessageRow.channel_id).in_(sorted(scope.channels)))
    if scope.authors is not None:
        conditions.append(col(MessageRow.author_id).in_(sorted(scope.authors)))
    if scope.not_authors:
        conditions.append(col(MessageRow.author_id).not_in(sorted(scope.not_authors)))
    if scope.since:
        conditions.append(col(MessageRow.sent_at) >= scope.since)
    if scope.until:
        conditions.append(col(MessageRow.sent_at) < scope.until)
    return conditions


def _message(row: object) -> Message:
    return Message(
        id=row.id,  # type: ignore[attr-defined]
        ref=Ref.parse(row.ref),  # type: ignore[attr-defined]
        channel=row.channel_id,  # type: ignore[attr-defined]
        author=row.author_id,  # type: ignore[attr-defined]
        thread=row.thread_id,  # type: ignore[attr-defined]
        text=row.text,  # type: ignore[attr-defined]
        sent_at=row.sent_at,  # type: ignore[attr-defined]
    )
