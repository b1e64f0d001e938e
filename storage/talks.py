"""What was said, with the conversation it belongs to: for who would get on with whom, and what somebody missed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy import func, select
from sqlmodel import col

from bot.core.things import Ref
from storage.messages import within
from storage.rows import columns, portions
from storage.tables import MessageRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row

    from bot.core.ports import Scope
    from storage.connection import Connection

SHOWN = columns(
    MessageRow, "id", "point", "ref", "channel_id", "author_id", "conversation", "reply_to", "text", "sent_at"
)
NEWEST = (col(MessageRow.sent_at).desc(), col(MessageRow.id).desc())
FURTHER = (timedelta(0), timedelta(days=90), timedelta(days=720))
"""How much further back is looked, step by step, where too little was said since a moment; then at all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message, and the label of its conversation; None where that is not known yet."""

    id: int
    point: UUID
    ref: Ref
    channel: int
    author: int
    conversation: int | None
    reply_to: str
    text: str
    at: datetime


def _said(row: Row[*tuple[object, ...]]) -> Said:
    return Said(
        id=row.id,
        point=row.point,
        ref=Ref.parse(row.ref),
        channel=row.channel_id,
        author=row.author_id,
        conversation=row.conversation,
        reply_to=row.reply_to or "",
        text=row.text,
        at=row.sent_at,
    )


async def by_points(connection: Connection, scope: Scope, points: Sequence[UUID]) -> dict[UUID, Said]:
    """Return what lies behind points, as far as the scope allows."""
    found: dict[UUID, Said] = {}
    for some in portions(list(points)):
        rows = await connection.execute(
            select(*SHOWN).where(*within(scope, found=True), col(MessageRow.point).in_(some))
        )
        found.update((row.point, _said(row)) for row in rows)
    return found


async def newest(
    connection: Connection,
    scope: Scope,
    limit: int,
    *,
    since: datetime | None = None,
    by: Literal["channel", "author", ""] = "",
) -> list[Said]:
    """Return the newest messages in scope, newest first; `by` names the column by which they are few.

    `since` is a moment since which so many are likely to have been said: what is older is read, and sorted, only where
    they were fewer. What is returned is the same.
    """
    for begin in [since - further for further in FURTHER] if since else []:
        near = replace(scope, since=max(begin, scope.since) if scope.since else begin)
        found = await _newest(connection, near, limit, by="channel" if scope.channels is not None else "")
        if len(found) == limit:
            return found
    return await _newest(connection, scope, limit, by=by)


async def _newest(
    connection: Connection, scope: Scope, limit: int, *, by: Literal["channel", "author", ""]
) -> list[Said]:
    rows = await connection.execute(select(*SHOWN).where(*within(scope, by=by)).order_by(*NEWEST).limit(limit))
    return [_said(row) for row in rows]


async def first_in(connection: Connection, scope: Scope, threads: Collection[int]) -> dict[int, Said]:
    """Return the messages with which threads begin, by the threads' numbers, as far as the scope allows."""
    found: dict[int, Said] = {}
    for some in portions(sorted(threads)):
        inside = col(MessageRow.thread_id).in_(some)
        first = select(col(MessageRow.thread_id), func.min(col(MessageRow.sent_at)).label("first")).where(inside)
        begun = first.group_by(col(MessageRow.thread_id)).subquery()
        here = (col(MessageRow.thread_id) == begun.c.thread_id) & (col(MessageRow.sent_at) == begun.c.first)
        rows = await connection.execute(
            select(*SHOWN, *columns(MessageRow, "thread_id"))
            .join(begun, here)
            .where(*within(scope, found=True))
            .order_by(col(MessageRow.id).desc())
        )
        found.update((row.thread_id, _said(row)) for row in rows)
    return found


async def last_words(connection: Connection, scope: Scope, accounts: Collection[int]) -> dict[int, datetime]:
    """Return when one of these accounts last said something, by channel."""
    mine = select(*columns(MessageRow, "channel_id"), func.max(col(MessageRow.sent_at)).label("last")).where(
        col(MessageRow.community_id) == scope.community, col(MessageRow.author_id).in_(accounts)
    )
    rows = await connection.execute(mine.group_by(col(MessageRow.channel_id)))
    return {row.channel_id: row.last for row in rows}


async def took_part(
    connection: Connection, community: int, accounts: Collection[int], labels: Collection[int]
) -> frozenset[int]:
    """Return in which of these conversations one of these accounts said something, whenever that was."""
    found: set[int] = set()
    for some in portions(sorted(labels)):
        rows = await connection.scalars(
            select(col(MessageRow.conversation))
            .where(col(MessageRow.conversation).in_(some), col(MessageRow.author_id).in_(accounts))
            .where(col(MessageRow.community_id) + 0 == community)
            .distinct()
        )
        found.update(label for label in rows if label is not None)
    return frozenset(found)


async def in_conversations(
    connection: Connection, scope: Scope, labels: Collection[int], limit: int
) -> dict[int, list[str]]:
    """Return the first texts of conversations, as far as the scope allows, by label."""
    found: dict[int, list[str]] = {}
    for some in portions(sorted(labels)):
        rows = await connection.execute(
            select(*columns(MessageRow, "conversation", "text"))
            .where(*within(scope, found=True), col(MessageRow.conversation).in_(some))
            .order_by(col(MessageRow.sent_at), col(MessageRow.id))
        )
        for row in rows:
            if len(texts := found.setdefault(row.conversation, [])) < limit:
                texts.append(row.text)
    return found


async def present(connection: Connection, community: int, labels: Collection[int]) -> dict[int, int]:
    """Count who took part in conversations."""
    found: dict[int, int] = {}
    for some in portions(sorted(labels)):
        rows = await connection.execute(
            select(*columns(MessageRow, "conversation"), func.count(col(MessageRow.author_id).distinct()).label("many"))
            .where(col(MessageRow.conversation).in_(some))
            .where(col(MessageRow.community_id) + 0 == community)
            .group_by(col(MessageRow.conversation))
        )
        found.update((row.conversation, row.many) for row in rows)
    return found
