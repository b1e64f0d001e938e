"""What lies around messages: their conversation, who reacted, and how answers that rested on them were taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, case, func, or_, select
from sqlmodel import col

from bot.core.things import Ref
from storage.messages import within
from storage.rows import columns, portions
from storage.tables import AnswerRow, AnswerSourceRow, MessageRow, OpinionRow, ReactionRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Row

    from bot.core.ports import Scope
    from storage.connection import Connection

NEAR = timedelta(days=30)
"""How far around a message its thread is read: what came back after a month is another conversation."""
SOON = timedelta(days=2)
"""How long a reply outside threads is looked for."""
REFUSALS = frozenset({"👎", "-1", "thumbsdown", "thumbs_down", "❌", "x", "🚫", "no_entry"})
"""Reactions that do not speak for a message."""

PLACED = columns(MessageRow, "id", "ref", "channel_id", "author_id", "thread_id", "conversation", "reply_to", "sent_at")
SAID = columns(MessageRow, "point", "text")
WIDE = 200
"""Conditions in one statement: SQLite nests what is joined by OR, and no deeper than 1,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a message stands: what it belongs to and whom it answers. `text` is empty where nobody asked for it."""

    number: int
    ref: Ref
    channel: int
    author: int
    thread: int | None
    conversation: int | None
    reply_to: Ref | None
    at: datetime
    text: str = ""


async def by_point(connection: Connection, scope: Scope, points: Sequence[UUID]) -> dict[UUID, Placed]:
    """Return the messages behind points with their texts, as far as the scope allows."""
    found: dict[UUID, Placed] = {}
    for some in portions(list(points)):
        rows = await connection.execute(select(*PLACED, *SAID).where(*within(scope), col(MessageRow.point).in_(some)))
        found.update((row.point, _placed(row, row.text)) for row in rows)
    return found


async def texts(connection: Connection, scope: Scope, numbers: Iterable[int]) -> dict[int, str]:
    """Return the texts of messages by their numbers, as far as the scope allows."""
    found: dict[int, str] = {}
    for some in portions(sorted(numbers)):
        rows = await connection.execute(
            select(*columns(MessageRow, "id", "text")).where(*within(scope), col(MessageRow.id).in_(some))
        )
        found.update((row.id, row.text) for row in rows)
    return found


async def around(connection: Connection, scope: Scope, hits: Sequence[Placed]) -> dict[int, list[Placed]]:
    """Return for each message, by its number, what is said with it, oldest first and itself among it, without texts.

    That is its conversation where one is known, else its thread, else what it replies to and what replies to it; as
    far as the scope allows.
    """
    near = await _near(connection, scope, hits)
    return {one.number: sorted(_with(one, near), key=lambda other: (other.at, other.number)) for one in hits}


def together(one: Placed, other: Placed) -> bool:
    """Say whether two messages belong to one conversation."""
    if one.number == other.number:
        return True
    if one.conversation is not None or other.conversation is not None:
        return one.conversation == other.conversation
    if one.thread is not None or other.thread is not None:
        return one.thread == other.thread and abs(one.at - other.at) <= NEAR
    return other.ref == one.reply_to or other.reply_to == one.ref or _same(one.reply_to, other.reply_to)


def _same(one: Ref | None, other: Ref | None) -> bool:
    return one is not None and one == other


def _with(one: Placed, near: Sequence[Placed]) -> list[Placed]:
    return [other for other in near if together(one, other)]


async def _near(connection: Connection, scope: Scope, hits: Sequence[Placed]) -> list[Placed]:
    conditions = [_belonging(one) for one in hits]
    found: dict[int, Placed] = {}
    for some in portions(conditions, WIDE):
        rows = await connection.execute(select(*PLACED).where(*within(scope), or_(*some)))
        found.update((row.id, _placed(row)) for row in rows)
    return list(found.values())


def _belonging(one: Placed) -> ColumnElement[bool]:
    if one.conversation is not None:
        return col(MessageRow.conversation) == one.conversation
    here = col(MessageRow.channel_id) == one.channel
    if one.thread is not None:
        near = col(MessageRow.sent_at).between(one.at - NEAR, one.at + NEAR)
        return and_(here, col(MessageRow.thread_id) == one.thread, near)
    soon = and_(here, col(MessageRow.sent_at).between(one.at, one.at + SOON))
    replies = and_(soon, col(MessageRow.reply_to) == str(one.ref))
    if one.reply_to is None:
        return or_(col(MessageRow.id) == one.number, replies)
    siblings = and_(soon, col(MessageRow.reply_to) == str(one.reply_to))
    return or_(col(MessageRow.id) == one.number, replies, siblings, col(MessageRow.ref) == str(one.reply_to))


async def reactions(connection: Connection, numbers: Sequence[int]) -> dict[int, int]:
    """Count those who put anything but a refusal under messages, by the message's number."""
    found: dict[int, int] = {}
    for some in portions(list(numbers)):
        rows = await connection.execute(
            select(*columns(ReactionRow, "message_id"), func.count(func.distinct(col(ReactionRow.member_id))))
            .where(col(ReactionRow.message_id).in_(some), col(ReactionRow.emoji).not_in(sorted(REFUSALS)))
            .group_by(col(ReactionRow.message_id))
        )
        found.update((row[0], row[1]) for row in rows)
    return found


async def opinions(connection: Connection, community: int, sources: Sequence[Ref]) -> dict[Ref, int]:
    """Return how many more members found answers from a source helpful than not, by the source."""
    found: dict[Ref, int] = {}
    vote = case((col(OpinionRow.helpful), 1), else_=-1)
    for some in portions([str(one) for one in sources]):
        rows = await connection.execute(
            select(*columns(AnswerSourceRow, "source"), func.sum(vote))
            .join(OpinionRow, col(OpinionRow.answer_id) == col(AnswerSourceRow.answer_id))
            .join(AnswerRow, col(AnswerRow.id) == col(AnswerSourceRow.answer_id))
            .where(col(AnswerRow.community_id) == community, col(AnswerSourceRow.source).in_(some))
            .group_by(col(AnswerSourceRow.source))
        )
        found.update((Ref.parse(row[0]), int(row[1])) for row in rows)
    return found


def _placed(row: Row[*tuple[object, ...]], text: str = "") -> Placed:
    return Placed(
        number=row.id,
        ref=Ref.parse(row.ref),
        channel=row.channel_id,
        author=row.author_id,
        thread=row.thread_id,
        conversation=row.conversation,
        reply_to=Ref.parse(row.reply_to) if row.reply_to else None,
        at=row.sent_at,
        text=text,
    )
