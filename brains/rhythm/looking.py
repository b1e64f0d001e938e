"""Reads what a pulse is taken of: what somebody may read, without bots, nor anybody who withheld consent."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.terms import words
from brains.rhythm import sentiment
from brains.rhythm.pulse import Pulse, Talk, Window, parts
from storage import growth, members, volume
from storage.surroundings import without_bots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

    from bot.core.ports import Scope, VectorStore
    from bot.core.things import Community
    from brains.rhythm.sentiment import Sentiment
    from storage.channels import Reach
    from storage.connection import Connection
    from storage.db import Database
    from storage.growth import Said
    from storage.volume import Written

MOST = 50_000
"""Messages whose words and mood are read, the newest; how many there were is counted of all."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Read:
    """Everything written, the newest of it with its words, whose accounts are one human's, and members' names."""

    written: Written
    said: Sequence[Said]
    doubles: Mapping[int, int]
    names: Sequence[str]
    scope: Scope


async def take(
    database: Database,
    vectors: VectorStore,
    community: Community,
    reach: Reach,
    *,
    fingerprint: str,
    now: datetime,
    days: int,
    zone: tzinfo = UTC,
    head: Sentiment | None = None,
) -> Pulse:
    """Take the pulse of the last days, of what is within reach.

    Without a head the shipped one reads the mood; it can where the vectors are of its encoder.
    """
    window = Window.ending(now, days, zone)
    scope = replace(reach.scope, since=window.begins.astimezone(UTC), until=now.astimezone(UTC))
    read = await database.look(functools.partial(_read, community=community, scope=scope))
    reader = await asyncio.to_thread(sentiment.shipped) if head is None else head
    reads = reader.serves(fingerprint)
    moods = await _moods(vectors, read, reader) if reads else {}
    talk = await asyncio.to_thread(_talk, read, moods)
    whole, channels = await asyncio.to_thread(parts, talk, reach.channels, window)
    named = {row for one in (whole, *channels) for topic in one.change.all for row in topic.rows}
    by_id = {one.message.id: one.message for one in read.said}
    said = {row: by_id[int(read.written.ids[row])] for row in sorted(named)}
    return Pulse(window=window, whole=whole, channels=channels, reads=reads, said=said)


async def _read(connection: Connection, community: Community, scope: Scope) -> _Read:
    looked = await without_bots(connection, scope)
    return _Read(
        written=await volume.written(connection, looked),
        said=(await growth.said(connection, looked, MOST))[::-1],
        doubles=await members.doubles(connection, community),
        names=[one.name for one in await members.every(connection, community)],
        scope=looked,
    )


async def _moods(vectors: VectorStore, read: _Read, head: Sentiment) -> dict[int, float]:
    """Return the mood of what was said, by the message's number; what has no vector yet has none."""
    numbers = {one.point: one.message.id for one in read.said}
    found: dict[int, float] = {}
    after = None
    while True:
        page = await vectors.scroll(read.scope, after=after)
        known = [row for row, point in enumerate(page.ids) if point in numbers]
        if known:
            moods = head.moods(page.vectors[known]).tolist()
            found |= {numbers[page.ids[row]]: mood for row, mood in zip(known, moods, strict=True)}
        after = page.after
        if after is None:
            return found


def _talk(read: _Read, moods: Mapping[int, float]) -> Talk:
    """Put all that was written side by side, with the words and moods of the newest of it."""
    texts = {one.message.id: one.message.text for one in read.said}
    ids = read.written.ids.tolist()
    return Talk(
        channels=read.written.channels,
        authors=np.array([read.doubles.get(one, one) for one in read.written.authors.tolist()], dtype=np.int64),
        times=read.written.times,
        documents=[words(texts[one]) if one in texts else () for one in ids],
        texts=[texts.get(one, "") for one in ids],
        moods=np.array([moods.get(one, np.nan) for one in ids], dtype=np.float32),
        unnamed={term for name in read.names for term in words(name)},
        read=read.said[0].message.sent_at.timestamp() if len(read.said) == MOST else 0.0,
    )


def only(reach: Reach, wanted: str) -> Reach:
    """Narrow what may be read to one channel, by its reference or name. Raises Mistake where it may not be read."""
    room = reach.named(wanted)
    return replace(reach, scope=replace(reach.scope, channels=frozenset({room.id})), channels={room.id: room})
