"""Files that staff gave: which there are, and their pieces as notes. What is the same in a new version stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from sqlalchemy import delete, func, select, update
from sqlmodel import col

from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.things import Ref
from storage import notes
from storage.rows import columns, insert_new, insert_rows, portions
from storage.tables import DocumentRow, NoteRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row, Select

    from bot.core.things import Community
    from storage.connection import Connection

Piece = tuple[str, str]
"""The headings above a piece, and its text."""
COLUMNS = columns(
    DocumentRow, "id", "community_id", "channel_id", "name", "digest", "path", "url", "given_by", "given_at"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file: what it is called, the channel that it lies with, where it came from, and how many pieces it has.

    `digest` is SHA-256 of its bytes in hexadecimal digits; `path` is empty where it is read from no disk.
    """

    number: int
    community: int
    channel: int
    name: str
    digest: str
    path: str
    url: str
    given_by: Ref | None
    at: datetime
    pieces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What a new version brought: pieces that are new, those that stayed, and those that are gone."""

    new: int = 0
    same: int = 0
    gone: int = 0


async def every(connection: Connection, community: Community) -> list[Document]:
    """Return the files of a community by their names."""
    chosen = _documents().where(col(DocumentRow.community_id) == community.id).order_by(col(DocumentRow.name))
    return [_document(row) for row in await connection.execute(chosen)]


async def on_disk(connection: Connection) -> list[Document]:
    """Return the files of every community that are read from this machine."""
    return [_document(row) for row in await connection.execute(_documents().where(col(DocumentRow.path) != ""))]


async def find(connection: Connection, community: Community, name: str) -> Document:
    """Return the file called so. Raises Mistake that names those there are."""
    known = await every(connection, community)
    if found := next((one for one in known if one.name == name), None):
        return found
    if not known:
        raise Mistake(_("There is no file {name!r}; nobody has given me any."), name=name)
    there = ", ".join(one.name for one in known[:9])
    raise Mistake(_("There is no file {name!r}. There are: {there}."), name=name, there=there)


async def named(connection: Connection, community: Community, name: str) -> Document | None:
    """Return the file called so."""
    called = (col(DocumentRow.community_id) == community.id, col(DocumentRow.name) == name)
    row = (await connection.execute(_documents().where(*called))).first()
    return None if row is None else _document(row)


async def is_as(connection: Connection, document: Document) -> bool:
    """Say whether a file is still kept as it was read from the table: the same version, of the same place."""
    found = await connection.execute(_documents().where(col(DocumentRow.id) == document.number))
    row = found.first()
    return row is not None and replace(_document(row), pieces=document.pieces) == document


async def keep(
    connection: Connection,
    community: Community,
    *,
    channel: int,
    name: str,
    digest: str,
    pieces: Sequence[Piece],
    path: str = "",
    url: str = "",
    given_by: Ref | None = None,
    now: datetime,
) -> Changed:
    """Keep a file in place of the one of that name. A piece that is the same, in the same channel, stays as it is."""
    given = {
        "channel_id": channel,
        "digest": digest,
        "path": path,
        "url": url,
        "given_by": str(given_by or ""),
        "given_at": now,
    }
    called = {"community_id": community.id, "name": name}
    await insert_new(connection, DocumentRow, [{**called, **given}])
    mine = select(*columns(DocumentRow, "id")).filter_by(**called)
    number = (await connection.execute(mine)).one().id
    await connection.execute(update(DocumentRow).where(col(DocumentRow.id) == number).values(given))
    same = {
        "community_id": community.id,
        "channel_id": channel,
        "document_id": number,
        "kind": "file",
        "owner": "",
        "made_at": now,
    }
    return await _replace(connection, same, pieces)


async def remove(connection: Connection, document: Document, *, now: datetime) -> int:
    """Remove a file with its pieces; return how many these were."""
    gone = await notes.erase(connection, col(NoteRow.document_id) == document.number, now=now)
    await connection.execute(delete(DocumentRow).where(col(DocumentRow.id) == document.number))
    return gone


async def _replace(connection: Connection, same: Mapping[str, object], pieces: Sequence[Piece]) -> Changed:
    """Let a file have these pieces; `same` is what all its notes have in common."""
    held = select(*columns(NoteRow, "id", "channel_id", "heading", "text"))
    there: dict[tuple[object, Piece], list[int]] = {}
    for row in await connection.execute(held.where(col(NoteRow.document_id) == same["document_id"])):
        there.setdefault((row.channel_id, (row.heading, row.text)), []).append(row.id)
    new: list[dict[str, object]] = []
    for position, piece in enumerate(pieces):
        if stays := there.get((same["channel_id"], piece)):
            mine = update(NoteRow).where(col(NoteRow.id) == stays.pop(0))
            await connection.execute(mine.values(position=position))
        else:
            new.append({**same, "point": uuid4(), "position": position, "heading": piece[0], "text": piece[1]})
    gone = [number for numbers in there.values() for number in numbers]
    for some in portions(gone):
        await notes.erase(connection, col(NoteRow.id).in_(some), now=cast("datetime", same["made_at"]))
    if new:
        await notes.put_on(connection, await insert_rows(connection, NoteRow, new, "id", "point", "made_at"))
    return Changed(new=len(new), same=len(pieces) - len(new), gone=len(gone))


def _documents() -> Select[*tuple[object, ...]]:
    pieces = select(func.count()).where(col(NoteRow.document_id) == col(DocumentRow.id)).scalar_subquery()
    return select(*COLUMNS, pieces.label("pieces"))


def _document(row: Row[*tuple[object, ...]]) -> Document:
    return Document(
        number=row.id,
        community=row.community_id,
        channel=row.channel_id,
        name=row.name,
        digest=row.digest,
        path=row.path,
        url=row.url,
        given_by=Ref.parse(row.given_by) if row.given_by else None,
        at=row.given_at,
        pieces=row.pieces,
    )
