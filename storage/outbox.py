"""Vector writes still to be done. A row goes when the vector store has acknowledged its point, never before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import case, delete, func, literal, select, update
from sqlmodel import col

from bot.core.sentences import parts
from storage import adopted
from storage.encodings import keep
from storage.rows import columns, insert_new, portions, table
from storage.tables import CollectionRow, MemberRow, MessageRow, NoteRow, OutboxRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Row, SQLColumnExpression

    from bot.core.ports import Vector
    from storage.connection import Connection


HUMAN = col(MemberRow.bot).is_(False)
WORDS = func.trim(MessageRow.text) != literal("")
SPOKEN = (WORDS, HUMAN)
"""Which messages are encoded: those that have words of a human."""
NOTED = case((col(NoteRow.heading) == literal(""), col(NoteRow.text)), else_=NoteRow.heading + "\n" + NoteRow.text)
"""What is encoded of a note, as `storage.notes.encoded` says."""
WHERE = ("community_id", "channel_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One point to write; without a text, to delete. That of a `note` has no author."""

    id: int
    point: UUID
    text: str | None
    community: int
    channel: int
    author: int
    at: datetime
    note: bool = False


async def newest(connection: Connection, limit: int, *, before: Waiting | None = None) -> list[Waiting]:
    """Return what waits, the newest message first, from `before` on backwards."""
    place = (col(OutboxRow.sent_at), col(OutboxRow.id))
    statement = (
        select(
            *columns(OutboxRow, "id", "point", "sent_at", "note_id"),
            *(func.coalesce(col(MessageRow.text), NOTED).label("text"), col(MessageRow.author_id)),
            *(func.coalesce(table(MessageRow).c[one], table(NoteRow).c[one]).label(one) for one in WHERE),
        )
        .join(MessageRow, col(MessageRow.id) == col(OutboxRow.message_id), isouter=True)
        .join(NoteRow, col(NoteRow.id) == col(OutboxRow.note_id), isouter=True)
        .order_by(*(column.desc() for column in place))
        .limit(limit)
    )
    if before:
        statement = statement.where((place[0] < before.at) | ((place[0] == before.at) & (place[1] < before.id)))
    return [
        Waiting(
            id=row.id,
            point=row.point,
            text=row.text,
            community=row.community_id or 0,
            channel=row.channel_id or 0,
            author=row.author_id or 0,
            at=row.sent_at,
            note=row.note_id is not None,
        )
        for row in await connection.execute(statement)
    ]


async def still(connection: Connection, rows: Sequence[Waiting]) -> list[Waiting]:
    """Return those rows that still wait: a message may have been erased since they were read."""
    there: set[int | None] = set()
    for some in portions([row.id for row in rows]):
        there.update(await connection.scalars(select(col(OutboxRow.id)).where(col(OutboxRow.id).in_(some))))
    return [row for row in rows if row.id in there]


async def done(
    connection: Connection,
    rows: Sequence[Waiting],
    *,
    fingerprint: str = "",
    vectors: Mapping[str, Vector] = MappingProxyType({}),
    beside: Mapping[tuple[int, str], Mapping[str, Vector]] = MappingProxyType({}),
) -> None:
    """Take rows out whose points were acknowledged, and keep the vectors of their texts.

    Those of the sentences of a long text lie in `vectors` too. `beside` are, by community and fingerprint, the vectors
    that were written for matching; a row stays where one is wanted that is not among them, and of one that is wanted no
    more nothing is kept. Nor is of a row that is gone: its message was erased or edited since it was read.
    """
    wanted = await adopted.written(connection)
    lacking = {community for community, _ in wanted - beside.keys()}
    if lacking:
        rows = [row for row in rows if row.text is not None and row.community not in lacking]
    there: set[int | None] = set()
    for some in portions([row.id for row in rows]):
        gone = delete(OutboxRow).where(col(OutboxRow.id).in_(some)).returning(col(OutboxRow.id))
        there.update(await connection.scalars(gone))
    texts = [row.text for row in rows if row.id in there and row.text is not None]
    said = [one for text in texts for one in (text, *parts(text))]
    kept = {one: vectors[one] for one in said if one in vectors}
    await keep(connection, fingerprint=fingerprint, vectors=kept)
    for place in beside.keys() & wanted:
        made = beside[place]
        await keep(connection, fingerprint=place[1], vectors={text: made[text] for text in texts if text in made})


async def count(connection: Connection) -> int:
    """Count what waits."""
    total: int = await connection.scalar(select(func.count()).select_from(OutboxRow))
    return total


async def last(connection: Connection) -> int:
    """Return the number of the latest that came to wait, 0 where nothing does."""
    number: int | None = await connection.scalar(select(func.max(col(OutboxRow.id))))
    return number or 0


async def waiting_until(connection: Connection, number: int) -> bool:
    """Say whether anything waits that came up to a number."""
    first: int | None = await connection.scalar(select(func.min(col(OutboxRow.id))))
    return first is not None and first <= number


async def serving(connection: Connection) -> str | None:
    """Return the fingerprint whose collection serves; None before anything was encoded."""
    fingerprint: str | None = await connection.scalar(select(col(CollectionRow.fingerprint)))
    return fingerprint


async def serve(connection: Connection, fingerprint: str) -> bool:
    """Let this fingerprint's collection serve; a new one gets all messages and notes. Returns whether it is new."""
    current = await serving(connection)
    if current == fingerprint:
        return False
    if current is None:
        await insert_new(connection, CollectionRow, [{"id": 1, "fingerprint": fingerprint}])
    else:
        await connection.execute(update(CollectionRow).values(fingerprint=fingerprint))
        await put_all(connection)
    return True


async def put_all(connection: Connection) -> None:
    """Put every message that has words of a human, and every note, into the outbox, in place of what waits."""
    waits = col(OutboxRow.message_id).is_not(None) | col(OutboxRow.note_id).is_not(None)
    await connection.execute(delete(OutboxRow).where(waits))
    await _put(connection, col(MessageRow.id), *SPOKEN)
    noted = select(col(NoteRow.point), col(NoteRow.id), col(NoteRow.made_at))
    await connection.execute(table(OutboxRow).insert().from_select(["point", "note_id", "sent_at"], noted))


async def put(connection: Connection, said: Iterable[Row[*tuple[object, ...]]], *, bots: Collection[int]) -> None:
    """Put those of these new messages (id, point, sent_at, author_id, text) into the outbox that a human has words in.

    `bots` are the authors that are none; what `SPOKEN` says of stored rows, said of those just made.
    """
    waiting = [
        {"point": row.point, "message_id": row.id, "sent_at": row.sent_at}
        for row in said
        if row.text.strip(" ") and row.author_id not in bots
    ]
    await insert_new(connection, OutboxRow, waiting)


async def put_those(connection: Connection, which: ColumnElement[bool]) -> None:
    """Let the points of messages be written anew, since their channel or their author has another number."""
    numbers = select(col(MessageRow.id)).where(which)
    await connection.execute(delete(OutboxRow).where(col(OutboxRow.message_id).in_(numbers)))
    await _put(connection, col(MessageRow.id), *SPOKEN, which)


async def put_community(connection: Connection, number: int) -> None:
    """Let the points of a community's messages be written anew, since they go into another collection too."""
    await put_those(connection, col(MessageRow.community_id) == number)


async def put_again(connection: Connection, number: int) -> None:
    """Let a human's message be written as it reads now; without words, let its point be deleted."""
    await connection.execute(delete(OutboxRow).where(col(OutboxRow.message_id) == number))
    await _put(connection, case((WORDS, col(MessageRow.id))), HUMAN, col(MessageRow.id) == number)


async def _put(connection: Connection, message: SQLColumnExpression[int | None], *which: ColumnElement[bool]) -> None:
    said = (
        select(col(MessageRow.point), message, col(MessageRow.sent_at))
        .join(MemberRow, col(MemberRow.id) == col(MessageRow.author_id))
        .where(*which)
    )
    await connection.execute(table(OutboxRow).insert().from_select(["point", "message_id", "sent_at"], said))


async def acknowledged(connection: Connection) -> dict[int, int]:
    """Return how many points each community must have in the vector store, notes too: those that do not wait."""
    coming = select(col(OutboxRow.note_id)).where(col(OutboxRow.note_id).is_not(None))
    noted = (
        select(col(NoteRow.community_id), func.count())
        .where(col(NoteRow.id).not_in(coming))
        .group_by(col(NoteRow.community_id))
    )
    counted = Counter(await acknowledged_messages(connection))
    counted.update({row[0]: row[1] for row in await connection.execute(noted)})
    return dict(counted)


async def acknowledged_messages(connection: Connection) -> dict[int, int]:
    """Return how many messages of each community must have a point: those that do not wait."""
    waiting = select(col(OutboxRow.message_id)).where(col(OutboxRow.message_id).is_not(None))
    said = (
        select(col(MessageRow.community_id), func.count())
        .join(MemberRow, col(MemberRow.id) == col(MessageRow.author_id))
        .where(*SPOKEN, col(MessageRow.id).not_in(waiting))
        .group_by(col(MessageRow.community_id))
    )
    return {row[0]: row[1] for row in await connection.execute(said)}
