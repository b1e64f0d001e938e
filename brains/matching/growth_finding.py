"""What a community could do with its channels, by what everyone there may read and nothing else."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.conversations import gather, labelled
from brains.matching.corpus import Card, Corpus
from brains.matching.growth import MONTHS, MOST, Topic, alike, find_topics
from brains.matching.growth_channels import Life, Pair, pairs, quiet
from brains.matching.terms import words
from storage import channels, growth, members, messages
from storage.surroundings import without_bots

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from bot.core.ports import Scope, Vector, VectorStore
    from bot.core.things import Channel, Community, Message, Ref
    from storage.connection import Connection
    from storage.db import Database
    from storage.growth import Growth, Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Topics without a channel, pairs of channels that could be one, channels that fell silent: the best first.

    `rooms` are the channels by number, `said` the messages that are examples, and `names` who talked.
    """

    topics: Sequence[Topic]
    pairs: Sequence[Pair]
    quiet: Sequence[Channel]
    rooms: Mapping[int, Channel]
    lives: Mapping[int, Life]
    said: Mapping[int, Message]
    authors: Mapping[int, Ref]


async def find(
    database: Database,
    vectors: VectorStore,
    community: Community,
    *,
    fingerprint: str,
    now: datetime,
    apart: Collection[Ref] = (),
    again: bool = False,
) -> Found:
    """Look for what to propose, without what was proposed and is not settled anew; none of the channels `apart`.

    With `again`, what was put off or still waits for a word is found again; what was refused or done never is.
    """
    scope, rooms, said, everyone, doubles, lives, before = await database.look(
        functools.partial(_read, community=community, now=now, apart=frozenset(apart))
    )
    told = [one for one in before if one.standing in {"never", "done"} or not again]
    corpus, labels = await _corpus(vectors, scope, said, doubles)
    unnamed = {term for name in everyone.values() for term in words(name[1])}
    work = functools.partial(_think, corpus, labels, rooms, lives, unnamed, now=now.timestamp())
    topics, near, silent = await asyncio.to_thread(work)
    new = [topic for topic in topics if not _known(topic, told, fingerprint)]
    ids = {number for topic in new for number in topic.examples}
    async with database.read() as connection:
        examples = await messages.by_number(connection, scope, sorted(ids))
    return Found(
        topics=new,
        pairs=[one for one in near if not _settled("merge", (rooms[one.smaller].ref, rooms[one.larger].ref), told)],
        quiet=[one for one in silent if not _settled("archive", (one.ref,), told)],
        rooms=rooms,
        lives=lives,
        said=examples,
        authors={number: ref for number, (ref, _name) in everyone.items()},
    )


Read = tuple[
    "Scope",
    dict[int, "Channel"],
    list["Said"],
    dict[int, tuple["Ref", str]],
    dict[int, int],
    dict[int, Life],
    list["Growth"],
]


async def _read(connection: Connection, community: Community, now: datetime, apart: frozenset[Ref]) -> Read:
    reach = await channels.reach(connection, community, None)
    rooms = {number: room for number, room in reach.channels.items() if room.ref not in apart}
    scope = await without_bots(connection, replace(reach.scope, channels=frozenset(rooms)))
    said = await growth.said(connection, replace(scope, since=now - timedelta(seconds=MONTHS)), MOST)
    everyone = {one.id: (one.ref, one.name) for one in await members.every(connection, community)}
    lives = {
        number: Life(messages=count, people=people, last=last.timestamp())
        for number, (count, people, last) in (await growth.lives(connection, scope)).items()
    }
    doubles = await members.doubles(connection, community)
    return scope, rooms, said, everyone, doubles, lives, await growth.every(connection, community, now=now)


async def _corpus(
    vectors: VectorStore, scope: Scope, said: Sequence[Said], doubles: Mapping[int, int]
) -> tuple[Corpus, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Put what was said side by side with its vectors; what has none yet is left out."""
    since = min((one.message.sent_at for one in said), default=datetime.now(UTC))
    placed = await _vectors(vectors, replace(scope, since=since), {one.point for one in said})
    known = [one for one in said if one.point in placed]
    size = len(next(iter(placed.values()), ()))
    spoken = [one.message for one in known]
    corpus = Corpus(
        ids=np.array([one.id for one in spoken], dtype=np.int64),
        texts=[one.text for one in spoken],
        vectors=np.array([placed[one.point] for one in known], dtype=np.float32).reshape(len(known), size),
        channels=np.array([one.channel for one in spoken], dtype=np.int64),
        authors=np.array([doubles.get(one.author, one.author) for one in spoken], dtype=np.int64),
        times=np.array([one.sent_at.timestamp() for one in spoken], dtype=np.float64),
    )
    conversations = np.array([one.conversation or 0 for one in known], dtype=np.int64)
    return corpus, labelled(corpus.channels, corpus.times, conversations)


async def _vectors(vectors: VectorStore, scope: Scope, wanted: set[UUID]) -> dict[UUID, Vector]:
    found: dict[UUID, Vector] = {}
    after = None
    while True:
        page = await vectors.scroll(scope, after=after)
        found |= {point: vector for point, vector in zip(page.ids, page.vectors, strict=True) if point in wanted}
        after = page.after
        if after is None:
            return found


def _think(
    corpus: Corpus,
    labels: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    rooms: Mapping[int, Channel],
    lives: dict[int, Life],
    unnamed: Collection[str],
    *,
    now: float,
) -> tuple[list[Topic], list[Pair], list[Channel]]:
    silent = quiet(list(rooms.values()), lives, now=now)
    if not len(corpus):
        return [], [], silent
    cards = [Card(id=room.id, name=room.name, description=room.description) for room in rooms.values()]
    topics = find_topics(corpus, labels, cards, now=now, unnamed=unnamed)
    talk = gather(corpus, labels)
    return topics, pairs(talk, talk.similarity(), list(rooms.values())), silent


def _known(topic: Topic, told: Sequence[Growth], fingerprint: str) -> bool:
    """Say whether a topic was proposed before, under slightly other terms too."""
    blank = np.zeros(0, dtype=np.float32)
    return any(
        alike(topic.terms, topic.centre, one.terms, one.centre if one.fingerprint == fingerprint else blank)
        for one in told
        if one.kind == "topic"
    )


def _settled(kind: str, about: tuple[Ref, ...], told: Sequence[Growth]) -> bool:
    return any(one.kind == kind and one.channels == frozenset(about) for one in told)
