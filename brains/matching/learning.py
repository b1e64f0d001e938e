"""Learns a community's channel profiles from what is stored, and keeps them in place of the last ones."""

from __future__ import annotations

import asyncio
import functools
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Unavailable
from bot.core.ports import untuned
from brains.matching.corpus import Card, Corpus
from brains.matching.deeds import behaviour_of
from brains.matching.describing import described, told, usual
from brains.matching.shelf import Counted, Learned, Shelf
from brains.matching.storing import from_bytes
from brains.matching.study import Study
from brains.matching.studying import MUCH as APART
from brains.matching.studying import study_apart
from storage import behaviour, commons, encodings, interests, ledger, messages, outbox, profiles
from storage.behaviour import Wanted
from storage.profiles import Label

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from bot.core.clock import Clock
    from bot.core.ports import Embedding, Encoder, Scope, Vector, VectorStore
    from bot.core.things import Channel, Community, Message
    from brains.matching.profiles import ChannelProfiles
    from storage.behaviour import Deeds
    from storage.commons import Common
    from storage.connection import Connection
    from storage.db import Database
    from storage.encodings import Half

GROWTH = 0.05
"""Share by which a community may grow before what was learned of it is old."""
SMALL = 5_000
"""Messages up to which learning takes a second or two, so that whoever asks may wait for it."""
MUCH = 1.0
"""Share by which a larger community must have grown before anybody waits for it to be learned anew."""
STALE = timedelta(days=7)
"""Older profiles are learned anew where somebody asks: a running bot learns each day, long before."""
NAMED = 1_000
"""Interests that members named, the newest, that are learned from: each is encoded anew."""
AT_ONCE = 256
"""Texts encoded together."""
TRIES = 3
"""How often it is learned at most where consent or channels change meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """Learns within one database and its vectors; what it learned lies on the shelf and in the tables."""

    database: Database
    vectors: VectorStore
    encoder: Encoder
    clock: Clock
    shelf: Shelf = field(default_factory=Shelf)
    apart: int = APART
    tuned: Callable[[Community], Awaitable[Embedding | None]] = untuned

    async def by(self, community: Community) -> Learning:
        """Return what learns by the encoder that a community adopted: this one where that is none."""
        found = await self.tuned(community)
        return replace(self, vectors=found.vectors, encoder=found.encoder, tuned=untuned) if found else self

    async def serving(self, community: Community, common: Common, label: Label | None, encoded: int) -> Learned:
        """Return profiles that may serve what everyone may read now; they are learned here where there are none.

        Where somebody learns in the background, whoever asks waits for no rehearsals: these come right after.
        `label` names what lies in the tables, `encoded` says how many messages ever were. Raises Unavailable.
        """
        kept = await self.kept(community, common, label)
        if kept is not None and not await self._is_old(community, common, kept, encoded):
            return kept
        for _ in range(TRIES):
            learn = functools.partial(self.learn, community, before=kept.profiles if kept else None)
            waits = not self.shelf.behind
            learned = await self.shelf.learn_once(
                community.id, functools.partial(learn, rehearsed=waits), rehearsed=waits
            )
            if learned.label.version == common.mark:
                if not learned.profiles.rehearsed:
                    self.shelf.begin(community.id, learn)
                return learned
            common = await self.database.look(functools.partial(self.shelf.commons.of, community=community))
        raise Unavailable("Channels or consent change faster than I can learn them; ask me again in a minute.")

    async def kept(self, community: Community, common: Common, label: Label | None) -> Learned | None:
        """Return the profiles that lie in the tables, where they are of this encoder and of what may be read now."""
        if label is None or (label.fingerprint, label.version) != (self.encoder.fingerprint, common.mark):
            return None
        held = self.shelf.learned.get(community.id)
        if held is None or held.label != label:
            held = await self._load(community)
        if held is None or held.label.version != common.mark:
            return None
        return held

    async def _load(self, community: Community) -> Learned | None:
        found = await self.database.look(functools.partial(profiles.load, community=community.id))
        if found is None:
            return None
        try:
            learned = Learned(label=found[0], profiles=await asyncio.to_thread(from_bytes, found[1]))
        except ValueError:
            return None  # an older format: learned anew
        self.shelf.learned[community.id] = learned
        return learned

    async def _is_old(self, community: Community, common: Common, kept: Learned, encoded: int) -> bool:
        """Say whether whoever asks must wait for something newer."""
        if abs(self.clock.now() - kept.label.built_at) > STALE:  # a clock may be set back
            return True
        points = await self._points(community, common, encoded, of=kept.messages)
        return points > kept.messages * (1 + (GROWTH if points <= SMALL else MUCH))

    async def _points(self, community: Community, common: Common, encoded: int, *, of: int) -> int:
        """Return how many points there are, counted anew only where enough was encoded since to make a difference."""
        known = self.shelf.counted.get(community.id)
        if known is not None and abs(encoded - known.encoded) < GROWTH * of:
            return known.points + max(0, encoded - known.encoded)
        points = await self._talk(common)
        self.shelf.counted[community.id] = Counted(points=points, encoded=encoded)
        return points

    async def grown(self, common: Common, learned: Learned) -> float:
        """Return the share by which a community has grown since."""
        return await self._talk(common) / max(1, learned.messages) - 1

    async def _talk(self, common: Common) -> int:
        """Return how many messages there are to learn from: the points without what was said to the bot."""
        to_bot = await self.database.look(functools.partial(messages.asides, scope=common.scope))
        return max(0, await self.vectors.count(common.scope) - to_bot)

    async def learn(
        self, community: Community, *, before: ChannelProfiles | None = None, rehearsed: bool = True
    ) -> Learned:
        """Learn profiles and keep them, unless consent or channels changed meanwhile: then nothing may come of it.

        Profiles that serve `before` go on weighing as they do where they told better what members did lately. What is
        not `rehearsed` is there sooner, and takes the place of nothing that was kept meanwhile.
        """
        common, former = await self.database.look(functools.partial(self._standing, community=community))
        now, began = self.clock.now(), time.perf_counter()
        study = await self._study(community, common, before, rehearsed=rehearsed)
        built, data = await study_apart(study, much=self.apart)
        label = Label(fingerprint=self.encoder.fingerprint, version=common.mark, built_at=now)
        learned = Learned(label=label, profiles=built)
        details = {"seconds": round(time.perf_counter() - began, 1), **told_of(built)}

        async def keep(connection: Connection) -> bool:
            still = (await commons.read(connection, community)).mark == common.mark
            if still and not rehearsed:
                still = await profiles.label(connection, community.id) == former
            if still:
                await profiles.save(connection, community.id, label, data)
                await ledger.note(connection, community.id, at=now, actor="", act="learn", details=details)
            return still

        if await self.database.write(keep):
            self.shelf.learned[community.id] = learned
        return learned

    async def _standing(self, connection: Connection, community: Community) -> tuple[Common, Label | None]:
        return await self.shelf.commons.of(connection, community), await profiles.label(connection, community.id)

    async def _study(
        self, community: Community, common: Common, before: ChannelProfiles | None, *, rehearsed: bool
    ) -> Study:
        """Gather all that everyone may read and what members did there; the accounts of one human are one."""
        now = self.clock.now()
        cards, talk = await self._cards(common.channels)
        found, vectors = await self._read(common.scope)
        deeds, wanted = await self.database.look(
            functools.partial(_done, community=community, scope=common.scope, now=now)
        )
        looked_for = await self._looked_for(wanted)

        def lay_out() -> Study:
            return Study(
                corpus=one_each(corpus_of(found, vectors, self.encoder.size), common.doubles),
                cards=cards,
                encoder=self.encoder.fingerprint,
                now=now.timestamp(),
                behaviour=behaviour_of(deeds, wanted, looked_for, common.doubles),
                before=before.ranker if before else None,
                talk=talk,
                rehearsed=rehearsed,
            )

        return await asyncio.to_thread(lay_out)

    async def _looked_for(self, wanted: Sequence[Wanted]) -> Vector:
        """Encode what members looked for (n, d); of that nothing is kept."""
        texts = [one.text for one in wanted]
        rows = [await self.encoder.encode(texts[at : at + AT_ONCE]) for at in range(0, len(texts), AT_ONCE)]
        return np.concatenate(rows) if rows else np.zeros((0, self.encoder.size), dtype=np.float32)

    async def _cards(self, rooms: Mapping[int, Channel]) -> tuple[list[Card], Vector]:
        """Return the channels as their owners describe them, and where ordinary talk lies (d,).

        The vectors of all that are kept: no member wrote it.
        """
        cards = [Card(id=room.id, name=room.name, description=room.description) for room in rooms.values()]
        texts = told(cards)
        vectors = dict(zip(texts, await self.encoder.encode(texts), strict=True))
        keep = functools.partial(encodings.keep, fingerprint=self.encoder.fingerprint, vectors=vectors)
        await self.database.write(keep, durable=False)
        return described(cards, vectors), usual(vectors)

    async def _read(self, scope: Scope) -> tuple[list[Message], Vector]:
        """Read what was said in scope to others than the bot, with its vectors (n, d)."""
        known = await self.database.look(functools.partial(messages.all_of, scope=scope))
        found: list[Message] = []
        vectors = np.zeros((len(known), self.encoder.size), dtype=np.float32)
        after: UUID | None = None
        while True:
            page = await self.vectors.scroll(scope, after=after)
            there = [at for at, point in enumerate(page.ids) if point in known and not known[point].to_bot]
            vectors[len(found) : len(found) + len(there)] = page.vectors[there]
            found += [known[page.ids[at]] for at in there]
            after = page.after
            if after is None:
                return found, vectors[: len(found)]


async def _done(
    connection: Connection, community: Community, scope: Scope, now: datetime
) -> tuple[Deeds, Sequence[Wanted]]:
    """Read what members did, and what they named or searched."""
    deeds = await behaviour.read(connection, community, scope, now=now)
    named = [
        Wanted(one.member, one.text, one.at)
        for one in await interests.every(connection, community)
        if one.member not in scope.not_authors
    ]
    return deeds, [*named[:NAMED], *deeds.wanted]


async def encoded_ever(connection: Connection) -> int:
    """Return about how many messages were encoded at all, in every community: what grows when one does.

    It costs nothing where little waits, unlike counting points.
    """
    return await messages.last(connection) - await outbox.count(connection)


def told_of(built: ChannelProfiles) -> dict[str, object]:
    """Return what the ledger tells of profiles: nDCG@10 of the latest rehearsal, which was held back, by what weighed.

    Of profiles that were not rehearsed, only how much they were learned from.
    """
    much = {"messages": int(built.messages.sum()), "channels": len(built.channels)}
    if not built.rehearsed:
        return {**much, "rehearsed": False}
    exam = built.ranker.exam
    judged = {"learned": exam.learned, "usual": exam.usual, "before": exam.before}
    ndcg = {name: round(value, 4) for name, value in judged.items() if value is not None}
    return {**much, "joins": built.ranker.joins, "held_back": exam.n, "ndcg@10": ndcg, "promoted": exam.promoted}


def one_each(corpus: Corpus, doubles: Mapping[int, int]) -> Corpus:
    """Let the accounts of one human be one author."""
    authors = np.array([doubles.get(number, number) for number in corpus.authors.tolist()], dtype=np.int64)
    return replace(corpus, authors=authors)


def corpus_of(found: Sequence[Message], vectors: Vector | Sequence[Half], size: int) -> Corpus:
    """Lay messages and their vectors (n, size) side by side."""
    return Corpus(
        ids=np.array([message.id for message in found], dtype=np.int64),
        texts=[message.text for message in found],
        vectors=np.asarray(vectors, dtype=np.float32).reshape(len(found), size),
        channels=np.array([message.channel for message in found], dtype=np.int64),
        authors=np.array([message.author for message in found], dtype=np.int64),
        times=np.array([message.sent_at.timestamp() for message in found], dtype=np.float64),
    )
