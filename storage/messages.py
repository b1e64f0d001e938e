"""Messages, read within a scope: nobody is shown what they may not read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import bindparam, delete, func, select, update
from sqlmodel import col

from bot.core.sentences import parts
from bot.core.things import Message, Ref
from storage import adopted, members
from storage.encodings import key
from storage.rows import columns, insert_new, portions
from storage.tables import AnswerRow, CollectionRow, EncodingRow, MemberRow, MessageRow, OutboxRow, ReactionRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Row

    from bot.core.ports import Scope
    from bot.core.things import Community
    from storage.connection import Connection

COLUMNS = columns(MessageRow, "id", "point", "ref", "channel_id", "author_id", "thread_id", "text", "sent_at", "to_bot")

BY_POINTS = select(*COLUMNS, *columns(MessageRow, "community_id")).where(
    col(MessageRow.point).in_(bindparam("points", expanding=True))
)
"""Asked with every suggestion, so built once: that costs more than executing it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Names the state of a community's messages: any new one changes it."""

    count: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A message as a conversation shows it."""

    message: Message
    reply_to: Ref | None
    edited: bool


async def recent(connection: Connection, channel: int, limit: int) -> list[Shown]:
    """Return the newest messages of a channel, oldest first."""
    rows = await connection.execute(
        select(*COLUMNS, *columns(MessageRow, "reply_to", "edited_at"))
        .where(col(MessageRow.channel_id) == channel)
        .order_by(col(MessageRow.sent_at).desc(), col(MessageRow.id).desc())
        .limit(limit)
    )
    return [_shown(row) for row in rows][::-1]


async def since(connection: Connection, community: Community, moment: datetime) -> list[Shown]:
    """Return what humans said since a moment, oldest first."""
    rows = await connection.execute(
        select(*COLUMNS, *columns(MessageRow, "reply_to", "edited_at"))
        .join(MemberRow, col(MemberRow.id) == col(MessageRow.author_id))
        .where(col(MessageRow.community_id) == community.id, col(MemberRow.bot).is_(False))
        .where(col(MessageRow.sent_at) >= moment)
        .order_by(col(MessageRow.sent_at), col(MessageRow.id))
    )
    return [_shown(row) for row in rows]


def _shown(row: Row[*tuple[object, ...]]) -> Shown:
    return Shown(
        message=read(row),
        reply_to=Ref.parse(row.reply_to) if row.reply_to else None,
        edited=row.edited_at is not None,
    )


async def latest_words(connection: Connection, community: Community, author: int, limit: int) -> list[str]:
    """Return the texts that a member wrote last; none of one whose words must not be used."""
    if await members.withheld(connection, community, among=[author]):
        return []
    rows = await connection.scalars(
        select(col(MessageRow.text))
        .where(col(MessageRow.author_id) == author)
        .order_by(col(MessageRow.sent_at).desc())
        .limit(limit)
    )
    return list(rows)


async def by_point(connection: Connection, scope: Scope, points: Sequence[UUID]) -> dict[UUID, Message]:
    """Return the messages behind points, as far as the scope allows."""
    found: dict[UUID, Message] = {}
    for some in portions(list(points)):
        rows = await connection.execute(BY_POINTS, {"points": some})
        found.update((row.point, read(row)) for row in rows if _admits(scope, row))
    return found


def _admits(scope: Scope, row: Row[*tuple[object, ...]]) -> bool:
    """Say whether a row is inside a scope, as `within` asks the database."""
    return (
        row.community_id == scope.community
        and (scope.channels is None or row.channel_id in scope.channels)
        and (scope.authors is None or row.author_id in scope.authors)
        and row.author_id not in scope.not_authors
        and (scope.since is None or row.sent_at >= scope.since)
        and (scope.until is None or row.sent_at < scope.until)
    )


async def by_number(connection: Connection, scope: Scope, numbers: Sequence[int]) -> dict[int, Message]:
    """Return messages by their numbers, as far as the scope allows."""
    found: dict[int, Message] = {}
    for some in portions(list(numbers)):
        rows = await connection.execute(
            select(*COLUMNS).where(*within(scope, found=True), col(MessageRow.id).in_(some))
        )
        found.update((message.id, message) for message in map(read, rows))
    return found


async def by_ref(connection: Connection, scope: Scope, ref: Ref) -> Message | None:
    """Return the message of a reference, as far as the scope allows."""
    found = await connection.execute(select(*COLUMNS).where(*within(scope), col(MessageRow.ref) == str(ref)))
    row = found.first()
    return read(row) if row else None


async def by_refs(connection: Connection, scope: Scope, refs: Sequence[Ref]) -> dict[Ref, Message]:
    """Return messages by their references, as far as the scope allows."""
    found: dict[Ref, Message] = {}
    for some in portions([str(one) for one in refs]):
        rows = await connection.execute(
            select(*COLUMNS).where(
                col(MessageRow.community_id) == scope.community,
                *within(scope, found=True),
                col(MessageRow.ref).in_(some),
            )
        )
        found.update((message.ref, message) for message in map(read, rows))
    return found


async def newest(connection: Connection, scope: Scope, limit: int) -> list[Message]:
    """Return the newest messages in scope, newest first."""
    newest_first = (col(MessageRow.sent_at).desc(), col(MessageRow.id).desc())
    rows = await connection.execute(select(*COLUMNS).where(*within(scope)).order_by(*newest_first).limit(limit))
    return [read(row) for row in rows]


async def all_of(connection: Connection, scope: Scope) -> dict[UUID, Message]:
    """Return every message in scope by its point."""
    rows = await connection.execute(select(*COLUMNS).where(*within(scope)))
    return {row.point: read(row) for row in rows}


async def asides(connection: Connection, scope: Scope) -> int:
    """Return how many messages in scope were said to the bot."""
    said = select(func.count()).select_from(MessageRow).where(*within(scope), col(MessageRow.to_bot).is_(True))
    return await connection.scalar(said) or 0


async def turn_to_bot(connection: Connection, community: Community, message: Ref) -> None:
    """Know a message to have been said to the bot: there was a command in its words."""
    ours = (col(MessageRow.community_id) == community.id) & (col(MessageRow.ref) == str(message))
    await connection.execute(update(MessageRow).where(ours).values(to_bot=True))


async def state(connection: Connection, community: int) -> State:
    """Return how many messages there are and the number of the last."""
    row = (
        await connection.execute(
            select(func.count(), func.max(col(MessageRow.id))).where(col(MessageRow.community_id) == community)
        )
    ).one()
    return State(count=row[0], last=row[1] or 0)


async def last(connection: Connection) -> int:
    """Return the number of the last message that was stored, whatever its community; 0 without any."""
    number: int | None = await connection.scalar(select(func.max(col(MessageRow.id))))
    return number or 0


def within(
    scope: Scope, *, found: bool = False, by: Literal["channel", "author", ""] = ""
) -> list[ColumnElement[bool]]:
    """Return the conditions that hold a query inside its scope.

    `found` says that rows are looked for by many numbers or points: SQLite, which keeps no statistics here, would
    begin with an index of the scope's columns otherwise, and read every message of the community. `by` names the one
    column whose index, which holds the time too, is to be used.
    """
    columns_ = {
        "community": col(MessageRow.community_id),
        "channel": col(MessageRow.channel_id),
        "author": col(MessageRow.author_id),
    }
    community, channel, author = (one + 0 if found or (by and name != by) else one for name, one in columns_.items())
    conditions: list[ColumnElement[bool]] = [community == scope.community]
    if scope.channels is not None:
        conditions.append(channel.in_(sorted(scope.channels)))
    if scope.authors is not None:
        conditions.append(author.in_(sorted(scope.authors)))
    if scope.not_authors:
        conditions.append(author.not_in(sorted(scope.not_authors)))
    if scope.since:
        conditions.append(col(MessageRow.sent_at) >= scope.since)
    if scope.until:
        conditions.append(col(MessageRow.sent_at) < scope.until)
    return conditions


def read(row: Row[*tuple[object, ...]]) -> Message:
    """Return a row of `COLUMNS` as the message that it is."""
    return Message(
        id=row.id,
        ref=Ref.parse(row.ref),
        channel=row.channel_id,
        author=row.author_id,
        thread=row.thread_id,
        text=row.text,
        sent_at=row.sent_at,
        to_bot=row.to_bot,
    )


async def erase(connection: Connection, which: ColumnElement[bool], *, limit: int | None = None) -> int:
    """Erase messages with their reactions and kept vectors, and let their points be deleted; return how many."""
    found = (
        await connection.execute(
            select(*columns(MessageRow, "id", "ref", "point", "text", "sent_at")).where(which).limit(limit)
        )
    ).all()
    for mine in portions(found):
        some = [row.id for row in mine]
        waiting = [{"point": row.point, "message_id": None, "sent_at": row.sent_at} for row in mine]
        await connection.execute(delete(ReactionRow).where(col(ReactionRow.message_id).in_(some)))
        await connection.execute(delete(OutboxRow).where(col(OutboxRow.message_id).in_(some)))
        await insert_new(connection, OutboxRow, waiting)
        await connection.execute(delete(MessageRow).where(col(MessageRow.id).in_(some)))
        await forget_texts(connection, [row.text for row in mine])
        await forget_questions(connection, [row.ref for row in mine])
    return len(found)


async def forget_questions(connection: Connection, asked: Iterable[str]) -> None:
    """Hold the questions no more that messages asked the bot, by their references, whoever waits for the answer."""
    for some in portions(sorted(asked)):
        await connection.execute(update(AnswerRow).where(col(AnswerRow.asked).in_(some)).values(question=""))


async def forget_texts(connection: Connection, texts: Sequence[str]) -> None:
    """Drop the kept vectors of texts and of their sentences.

    Where somebody else said the same, that of a text is made again when it is asked for; without those of its sentences
    a text is known as a whole.
    """
    serving = await connection.scalar(select(col(CollectionRow.fingerprint)))
    for fingerprint in (serving or "", *await adopted.fingerprints(connection)):
        await _forget_vectors(connection, texts, fingerprint)


async def forget_vectors(
    connection: Connection, *, community: int, fingerprint: str, after: int, limit: int
) -> int | None:
    """Drop the vectors of a fingerprint that are kept of some messages of a community, those `after` a number.

    Returns the number to go on from, None at the end.
    """
    rows = (
        await connection.execute(
            select(*columns(MessageRow, "id", "text"))
            .where(col(MessageRow.community_id) == community, col(MessageRow.id) > after)
            .order_by(col(MessageRow.id))
            .limit(limit)
        )
    ).all()
    await _forget_vectors(connection, [row.text for row in rows], fingerprint)
    return rows[-1].id if rows else None


async def _forget_vectors(connection: Connection, texts: Sequence[str], fingerprint: str) -> None:
    for some in portions(list(dict.fromkeys(one for text in texts for one in (text, *parts(text))))):
        keys = [key(fingerprint, text) for text in some]
        await connection.execute(delete(EncodingRow).where(col(EncodingRow.key).in_(keys)))
