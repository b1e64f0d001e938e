"""What lies around messages: their conversation, who reacted, and how answers that rested on them were taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select
from sqlmodel import col

from bot.core.things import Ref
from storage import notes
from storage.messages import within
from storage.rows import columns, portions
from storage.tables import AnswerRow, AnswerSourceRow, MemberRow, MessageRow, OpinionRow, ReactionRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from bot.core.ports import Scope
    from storage.connection import Connection
    from storage.notes import Note

NEAR = timedelta(days=30)
"""How far around a message its thread is read: what came back after a month is another conversation."""
REFUSALS = frozenset({"👎", "-1", "thumbsdown", "thumbs_down", "❌", "x", "🚫", "no_entry"})
"""Reactions that do not speak for a message."""

PLACED = columns(MessageRow, "id", "ref", "channel_id", "author_id", "thread_id", "conversation", "reply_to", "sent_at")
SAID = columns(MessageRow, "point", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a message stands: what it belongs to and whom it answers. `text` is empty where nobody asked for it.

    A `note` stands by itself. Its number is below zero, so that it is no message's, and its text is what is encoded.
    """

    number: int
    ref: Ref
    channel: int
    author: int
    thread: int | None
    conversation: int | None
    reply_to: Ref | None
    at: datetime
    text: str = ""
    note: Note | None = None


async def without_bots(connection: Connection, scope: Scope) -> Scope:
    """Return a scope without what bots said: an answer that quotes a closed channel must not be quoted in its turn."""
    bots = (col(MemberRow.community_id) == scope.community) & col(MemberRow.bot).is_(True)
    numbers = await connection.scalars(select(col(MemberRow.id)).where(bots))
    return replace(scope, not_authors=scope.not_authors | frozenset(numbers))


async def by_point(connection: Connection, scope: Scope, points: Sequence[UUID]) -> dict[UUID, Placed]:
    """Return the messages behind points with their texts, and the notes where the scope asks for them."""
    found: dict[UUID, Placed] = {}
    for some in portions(list(points)):
        rows = await connection.execute(
            select(*PLACED, *SAID).where(*within(scope, found=True), col(MessageRow.point).in_(some))
        )
        found.update((point, _placed(stands, text)) for *stands, point, text in rows)
    if scope.notes:
        noted = await notes.by_point(connection, scope, [one for one in points if one not in found])
        found.update((point, _noted(one)) for point, one in noted.items())
    return found


async def texts(connection: Connection, scope: Scope, numbers: Iterable[int]) -> dict[int, str]:
    """Return the texts of messages by their numbers, as far as the scope allows."""
    found: dict[int, str] = {}
    for some in portions(sorted(numbers)):
        rows = await connection.execute(
            select(*columns(MessageRow, "id", "text")).where(*within(scope, found=True), col(MessageRow.id).in_(some))
        )
        found.update((number, text) for number, text in rows)
    return found


async def around(connection: Connection, scope: Scope, hits: Sequence[Placed]) -> dict[int, list[Placed]]:
    """Return for each message, by its number, what is said with it, oldest first and itself among it, without texts.

    That is its conversation where one is known, else its thread, else what it replies to and what replies to it; as
    far as the scope allows.
    """
    near: dict[object, dict[int, Placed]] = {}
    for one in await _near(connection, scope, hits):
        for key in keys(one):
            near.setdefault(key, {})[one.number] = one
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


def keys(one: Placed) -> tuple[object, ...]:
    """Return what messages that belong together have at least one of in common."""
    if one.conversation is not None:
        return (one.conversation,)
    if one.thread is not None:
        return (("thread", one.thread),)
    return (one.ref,) if one.reply_to is None else (one.ref, one.reply_to)


def _same(one: Ref | None, other: Ref | None) -> bool:
    return one is not None and one == other


def _with(one: Placed, near: Mapping[object, Mapping[int, Placed]]) -> list[Placed]:
    some = {number: other for key in keys(one) for number, other in near[key].items()}
    return [other for other in some.values() if together(one, other)]


async def _near(connection: Connection, scope: Scope, hits: Sequence[Placed]) -> list[Placed]:
    """Read what belongs to any of these messages."""
    found = {one.number: one for one in hits}
    for name, wanted in _belonging(hits).items():
        [which] = columns(MessageRow, name)
        # References have no index but that of their community.
        held = within(scope, found=name != "ref")
        for some in portions(sorted(wanted, key=str)):
            rows = await connection.execute(select(*PLACED).where(*held, which.in_(some)))
            found.update((row[0], _placed(row)) for row in rows if row[0] not in found)
    return list(found.values())


def _belonging(hits: Sequence[Placed]) -> dict[str, set[int] | set[str]]:
    """Return the values of each column by which other messages belong to these."""
    loose = [one for one in hits if one.conversation is None and one.thread is None]
    parents = {str(one.reply_to) for one in loose if one.reply_to}
    return {
        "conversation": {one.conversation for one in hits if one.conversation is not None},
        "thread_id": {one.thread for one in hits if one.conversation is None and one.thread is not None},
        "ref": parents,
        "reply_to": parents | {str(one.ref) for one in loose},
    }


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


def _noted(one: Note) -> Placed:
    return Placed(
        number=-one.number,
        ref=one.source,
        channel=one.channel,
        author=0,
        thread=None,
        conversation=None,
        reply_to=None,
        at=one.at,
        text=notes.encoded(one.heading, one.text),
        note=one,
    )


def _placed(row: Sequence[Any], text: str = "") -> Placed:
    """Read the columns of `PLACED`, by their places: by their names it takes thrice as long."""
    number, ref, channel, author, thread, conversation, reply_to, at = row
    return Placed(
        number=number,
        ref=Ref.parse(ref),
        channel=channel,
        author=author,
        thread=thread,
        conversation=conversation,
        reply_to=Ref.parse(reply_to) if reply_to else None,
        at=at,
        text=text,
    )
