"""Notes: pieces of files and entries of the FAQ. They lie with channels, and are read within a scope like messages.

An entry is there for those who may read all its sources as they read when it was made: one of which a source was
changed, deleted, or is its author's no more to be used, is shown to nobody until the staff keep it anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

from sqlalchemy import delete, select, update
from sqlmodel import col

from bot.core.ports import Scope
from bot.core.things import Ref
from storage import members, messages
from storage.digests import digest
from storage.rows import columns, insert_new, insert_rows, portions
from storage.tables import DocumentRow, MessageRow, NoteRow, NoteSourceRow, OutboxRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Row

    from bot.core.things import Community
    from storage.connection import Connection

NOTE = "note"
"""What stands where a platform does in the reference of a note."""
COLUMNS = columns(
    NoteRow, "id", "community_id", "point", "channel_id", "document_id", "kind", "heading", "text", "owner", "made_at"
)
Kind = Literal["file", "faq"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A piece of a file, or an entry of the FAQ.

    `heading` is the headings above a piece, outermost first, or the question of an entry; `owner` who answers for it.
    `document` is the name of a piece's file, and `url` where members find that, if anywhere.
    """

    number: int
    point: UUID
    channel: int
    kind: Kind
    heading: str
    text: str
    at: datetime
    owner: Ref | None = None
    document: str = ""
    url: str = ""

    @property
    def source(self) -> Ref:
        """Return the reference by which answers cite it."""
        return Ref(NOTE, str(self.number))


def encoded(heading: str, text: str) -> str:
    """Return what is encoded of a note."""
    return f"{heading}\n{text}" if heading else text


async def by_point(connection: Connection, scope: Scope, points: Sequence[UUID]) -> dict[UUID, Note]:
    """Return the notes behind points, as far as the scope allows."""
    found: list[Note] = []
    for some in portions(list(points)):
        found += await _readable(connection, scope, col(NoteRow.point).in_(some), found=True)
    return {one.point: one for one in found}


async def by_number(connection: Connection, scope: Scope, numbers: Sequence[int]) -> dict[int, Note]:
    """Return notes by their numbers, as far as the scope allows."""
    found: list[Note] = []
    for some in portions(list(numbers)):
        found += await _readable(connection, scope, col(NoteRow.id).in_(some), found=True)
    return {one.number: one for one in found}


async def entries(connection: Connection, scope: Scope) -> list[Note]:
    """Return the entries of the FAQ in scope, oldest first."""
    return await _readable(connection, scope, col(NoteRow.kind) == "faq")


async def waiting(connection: Connection, community: Community) -> list[Note]:
    """Return the entries that are used for nobody until the staff keep them anew, since a source does not hold."""
    ours = (col(NoteRow.community_id) == community.id, col(NoteRow.kind) == "faq")
    found = await _notes(connection, *ours)
    withheld = await members.withheld(connection, community)
    holding = await _holding(connection, Scope(community=community.id, not_authors=withheld), found)
    return [one for one in found if one.number not in holding]


async def resting_on(connection: Connection, community: Community, sources: Iterable[str]) -> list[Note]:
    """Return the entries that rest on any of these messages, by their references, whoever may read them."""
    found: dict[int, Note] = {}
    for some in portions(sorted(sources)):
        resting = select(col(NoteSourceRow.note_id)).where(col(NoteSourceRow.message).in_(some))
        ours = (col(NoteRow.community_id) == community.id, col(NoteRow.id).in_(resting))
        found |= {one.number: one for one in await _notes(connection, *ours)}
    return list(found.values())


async def keep(
    connection: Connection,
    community: Community,
    *,
    point: UUID,
    channel: int,
    question: str,
    text: str,
    owner: Ref | None,
    sources: Sequence[Ref],
    digests: Sequence[str] = (),
    now: datetime,
) -> str:
    """Keep an entry of the FAQ, in place of what it said before; return what is wrong, if anything is.

    Its sources are taken as they read now. One that is not there is refused: nobody could say who may read it. So is
    one that reads otherwise than its digest says (SHA-256 in hex digits), where these are given.
    """
    read = await _as_they_read(connection, community.id, sources)
    if missing := sorted(str(ref) for ref in sources if str(ref) not in read):
        return f"{missing[0]} is not there any more, on which the entry would rest"
    told = zip(map(str, sources), digests, strict=False)
    if changed := sorted(ref for ref, then in told if digest(read[ref].text).hex() != then):
        return f"{changed[0]} reads otherwise since, on which the entry would rest"
    await erase(connection, (col(NoteRow.community_id) == community.id) & (col(NoteRow.point) == point), now=now)
    made = {
        "community_id": community.id,
        "channel_id": channel,
        "document_id": None,
        "point": point,
        "kind": "faq",
        "position": 0,
        "heading": question,
        "text": text,
        "owner": str(owner or ""),
        "made_at": now,
    }
    [row] = await insert_rows(connection, NoteRow, [made], "id", "point", "made_at")
    resting = [
        {"note_id": row.id, "message": ref, "channel_id": one.channel_id, "digest": digest(one.text)}
        for ref, one in read.items()
    ]
    await insert_new(connection, NoteSourceRow, resting)
    await put_on(connection, [row])
    return ""


async def sources(connection: Connection, number: int) -> dict[Ref, str]:
    """Return the messages that an entry rests on, and how each read then: its SHA-256 in hex digits."""
    return {Ref.parse(row.message): row.digest.hex() for row in await _sources(connection, [number])}


async def drop(connection: Connection, community: Community, point: UUID, *, now: datetime) -> None:
    """Take an entry of the FAQ away."""
    ours = (col(NoteRow.community_id) == community.id) & (col(NoteRow.kind) == "faq")
    await erase(connection, ours & (col(NoteRow.point) == point), now=now)


async def put_on(connection: Connection, rows: Iterable[Row[*tuple[object, ...]]]) -> None:
    """Let the points of new notes (id, point, made_at) be written."""
    waiting = [{"point": row.point, "note_id": row.id, "sent_at": row.made_at} for row in rows]
    await insert_new(connection, OutboxRow, waiting)


async def erase(connection: Connection, which: ColumnElement[bool], *, now: datetime) -> int:
    """Erase notes with their sources and kept vectors, and let their points be deleted; return how many."""
    found = (await connection.execute(select(*columns(NoteRow, "id", "point", "heading", "text")).where(which))).all()
    for mine in portions(found):
        some = [row.id for row in mine]
        await connection.execute(delete(OutboxRow).where(col(OutboxRow.note_id).in_(some)))
        await connection.execute(delete(NoteSourceRow).where(col(NoteSourceRow.note_id).in_(some)))
        await connection.execute(delete(NoteRow).where(col(NoteRow.id).in_(some)))
        gone = [{"point": row.point, "message_id": None, "sent_at": now} for row in mine]
        await insert_new(connection, OutboxRow, gone)
        await messages.forget_texts(connection, [encoded(row.heading, row.text) for row in mine])
    return len(found)


async def erase_in(connection: Connection, channel: int, *, now: datetime) -> None:
    """Erase what lies with a channel that is gone: its files and entries."""
    await erase(connection, col(NoteRow.channel_id) == channel, now=now)
    await connection.execute(delete(DocumentRow).where(col(DocumentRow.channel_id) == channel))


async def move(connection: Connection, channel: int, *, into: int) -> None:
    """Let what lies with one channel lie with another, and be indexed there."""
    there = col(NoteRow.channel_id) == channel
    rows = (await connection.execute(select(*columns(NoteRow, "id", "point", "made_at")).where(there))).all()
    for model in (NoteRow, DocumentRow, NoteSourceRow):
        await connection.execute(update(model).where(col(model.channel_id) == channel).values(channel_id=into))
    await _put_again(connection, rows)


async def join(connection: Connection, community: Community, other: int) -> None:
    """Let another community's notes be this one's; a file whose name is taken gets the other's number added to it."""
    ours = select(col(DocumentRow.name)).where(col(DocumentRow.community_id) == community.id)
    taken = set(await connection.scalars(ours))
    theirs = select(*columns(DocumentRow, "id", "name")).where(col(DocumentRow.community_id) == other)
    for row in (await connection.execute(theirs)).all():
        called = f"{row.name} ({other})" if row.name in taken else row.name
        mine = update(DocumentRow).where(col(DocumentRow.id) == row.id)
        await connection.execute(mine.values(community_id=community.id, name=called))
    there = col(NoteRow.community_id) == other
    rows = (await connection.execute(select(*columns(NoteRow, "id", "point", "made_at")).where(there))).all()
    await connection.execute(update(NoteRow).where(there).values(community_id=community.id))
    await _put_again(connection, rows)


async def _put_again(connection: Connection, rows: Sequence[Row[*tuple[object, ...]]]) -> None:
    for some in portions([row.id for row in rows]):
        await connection.execute(delete(OutboxRow).where(col(OutboxRow.note_id).in_(some)))
    await put_on(connection, rows)


async def _readable(
    connection: Connection, scope: Scope, which: ColumnElement[bool], *, found: bool = False
) -> list[Note]:
    there = await _notes(connection, *_within(scope, found=found), which)
    holding = await _holding(connection, scope, there)
    return [one for one in there if one.number in holding]


def _within(scope: Scope, *, found: bool) -> list[ColumnElement[bool]]:
    """Return the conditions for a note to lie inside a scope. A note has no author: a scope of some holds none.

    `found` says what it does in `storage.messages.within`.
    """
    community, channel = (one + 0 if found else one for one in (col(NoteRow.community_id), col(NoteRow.channel_id)))
    conditions: list[ColumnElement[bool]] = [community == scope.community]
    if scope.channels is not None:
        conditions.append(channel.in_(sorted(scope.channels)))
    if scope.authors is not None:
        conditions.append(col(NoteRow.id).is_(None))
    if scope.since:
        conditions.append(col(NoteRow.made_at) >= scope.since)
    if scope.until:
        conditions.append(col(NoteRow.made_at) < scope.until)
    return conditions


async def _notes(connection: Connection, *which: ColumnElement[bool]) -> list[Note]:
    rows = await connection.execute(
        select(*COLUMNS, *columns(DocumentRow, "name", "url"))
        .join(DocumentRow, col(DocumentRow.id) == col(NoteRow.document_id), isouter=True)
        .where(*which)
        .order_by(col(NoteRow.id))
    )
    return [
        Note(
            number=row.id,
            point=row.point,
            channel=row.channel_id,
            kind=cast("Kind", row.kind),
            heading=row.heading,
            text=row.text,
            at=row.made_at,
            owner=Ref.parse(row.owner) if row.owner else None,
            document=row.name or "",
            url=row.url or "",
        )
        for row in rows
    ]


async def _holding(connection: Connection, scope: Scope, found: Sequence[Note]) -> set[int]:
    """Return the numbers of those notes whose sources are all in scope, and read as they did."""
    resting = [row for some in portions([one.number for one in found]) for row in await _sources(connection, some)]
    if not resting:
        return {one.number for one in found}
    anytime = replace(scope, authors=None, since=None, until=None)
    read: dict[str, bytes] = {}
    for refs in portions(sorted({row.message for row in resting})):
        statement = select(*columns(MessageRow, "ref", "text"))
        rows = await connection.execute(statement.where(*messages.within(anytime), col(MessageRow.ref).in_(refs)))
        read |= {row.ref: digest(row.text) for row in rows}
    broken = {row.note_id for row in resting if read.get(row.message) != row.digest}
    return {one.number for one in found} - broken


async def _sources(connection: Connection, numbers: Sequence[int]) -> Sequence[Row[*tuple[object, ...]]]:
    statement = select(*columns(NoteSourceRow, "note_id", "message", "digest"))
    return (await connection.execute(statement.where(col(NoteSourceRow.note_id).in_(numbers)))).all()


async def _as_they_read(
    connection: Connection, community: int, sources: Collection[Ref]
) -> dict[str, Row[*tuple[object, ...]]]:
    refs = sorted(map(str, sources))
    ours = (col(MessageRow.community_id) == community, col(MessageRow.ref).in_(refs))
    rows = await connection.execute(select(*columns(MessageRow, "ref", "text", "channel_id")).where(*ours))
    return {row.ref: row for row in rows}
