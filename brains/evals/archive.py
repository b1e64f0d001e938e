"""A community of an evaluation's texts, stored and indexed as messages are, in a home that is thrown away after."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import col

from bot.core.events import MessagePosted, Named
from bot.core.ports import Point
from bot.core.sentences import parts
from bot.core.things import Ref
from brains.knowledge.retrieval import Retrieval
from brains.training.encoding import passages, silent
from storage import channels, communities, encodings
from storage.db import Database
from storage.intake import Intake
from storage.rows import columns, portions
from storage.tables import MessageRow
from storage.vectors import open_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Row

    from bot.core.ports import Encoder, Vector, VectorStore
    from bot.core.things import Community
    from brains.training.encoding import Progress
    from storage.channels import Reach
    from storage.connection import Connection

PLATFORM = "eval"
PORTION = 2_000
"""Messages stored and indexed together."""
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""When texts were written that do not say when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text as somebody wrote it: `name` is its own, and `topic` the thread that it is in, if any."""

    name: str
    text: str
    at: datetime = BEGINNING
    channel: str = "corpus"
    author: str = "somebody"
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The community, what finds things in it, and what everyone may read there."""

    community: Community
    database: Database
    vectors: VectorStore
    retrieval: Retrieval
    reach: Reach

    async def names(self) -> dict[UUID, str]:
        """Return the names of the texts by their points."""
        return await self.database.look(_names)


@contextlib.asynccontextmanager
async def archive(texts: Sequence[Text], *, encoder: Encoder, progress: Progress = silent) -> AsyncIterator[Archive]:
    """Store and index texts, and let go of all of it in the end."""
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory[str], prefix="kf-")
    try:
        async with _opened(Path(folder.name), texts, encoder, progress) as place:
            yield place
    finally:
        await asyncio.to_thread(folder.cleanup)


@contextlib.asynccontextmanager
async def _opened(home: Path, texts: Sequence[Text], encoder: Encoder, progress: Progress) -> AsyncIterator[Archive]:
    vectors = open_folder(home / "vectors", encoder.fingerprint, encoder.size, idle=2.0)
    async with Database.open(f"sqlite:///{home / 'kinfolk.db'}", home=home) as database:
        try:
            community = await _fill(database, vectors, encoder, texts, progress)
            yield Archive(
                community=community,
                database=database,
                vectors=vectors,
                retrieval=Retrieval(database=database, vectors=vectors, encoder=encoder),
                reach=await database.look(functools.partial(channels.reach, community=community, reader=None)),
            )
        finally:
            await vectors.close()


async def _names(connection: Connection) -> dict[UUID, str]:
    rows = await connection.execute(select(*columns(MessageRow, "point", "ref")))
    return {row.point: Ref.parse(row.ref).id for row in rows}


async def _fill(
    database: Database, vectors: VectorStore, encoder: Encoder, texts: Sequence[Text], progress: Progress
) -> Community:
    now = datetime.now(UTC)
    community = await database.write(functools.partial(communities.find_or_make, name="eval", now=now))
    intake = Intake(community, now)
    await database.write(intake.begin)
    for start in range(0, len(texts), PORTION):
        portion = [_event(one) for one in texts[start : start + PORTION]]
        await database.write(functools.partial(intake.store, events=portion), durable=False)
        await _index(database, vectors, encoder, portion)
        progress(start + len(portion), len(texts))
    await vectors.optimize()
    return community


def _event(one: Text) -> MessagePosted:
    channel = Ref(PLATFORM, one.channel)
    return MessagePosted(
        message=Ref(PLATFORM, one.name),
        channel=Named(ref=channel, name=one.channel),
        author=Named(ref=Ref(PLATFORM, one.author), name=one.author),
        text=one.text,
        at=one.at,
        thread=Named(ref=Ref(PLATFORM, f"{one.channel}/{one.topic}"), name=one.topic) if one.topic else None,
        source=PLATFORM,
    )


async def _index(database: Database, vectors: VectorStore, encoder: Encoder, events: Iterable[MessagePosted]) -> None:
    """Write the points of messages, and keep their vectors and those of their sentences, as the index does."""
    refs = [str(event.message) for event in events if event.text.strip()]
    rows = await database.look(functools.partial(_stored, refs=refs))
    texts = list(dict.fromkeys(one for row in rows for one in (row.text, *parts(row.text))))
    made = dict(zip(texts, await passages(encoder, texts), strict=True))
    await vectors.upsert([_point(row, made) for row in rows])
    keep = functools.partial(encodings.keep, fingerprint=encoder.fingerprint, vectors=made)
    await database.write(keep, durable=False)


async def _stored(connection: Connection, refs: Sequence[str]) -> list[Row[*tuple[object, ...]]]:
    wanted = columns(MessageRow, "point", "text", "community_id", "channel_id", "author_id", "sent_at")
    found: list[Row[*tuple[object, ...]]] = []
    for some in portions(refs):
        found += (await connection.execute(select(*wanted).where(col(MessageRow.ref).in_(some)))).all()
    return found


def _point(row: Row[*tuple[object, ...]], made: Mapping[str, Vector]) -> Point:
    return Point(
        id=row.point,
        vector=made[row.text],
        text=row.text,
        community=row.community_id,
        channel=row.channel_id,
        author=row.author_id,
        at=row.sent_at,
    )
