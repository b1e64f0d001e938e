"""Learns from verdicts in the background: new lessons are encoded soon, heads corrected hourly where some changed."""

from __future__ import annotations

import asyncio
import functools
import logging
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Unavailable
from brains.moderation.learned import Learned, logits, to_bytes
from brains.moderation.moderators import made_by
from brains.moderation.signature import sign, skeleton, width
from brains.training.community import ENOUGH, Ordinary, Taught, learn
from brains.training.evenness import Bystanders
from brains.training.sentences import harmless
from brains.training.texts import encode, read
from storage import communities, encodings, lessons
from storage.lessons import Encoded, Kept

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.core.clock import Clock
    from bot.core.ports import Encoder, Vector
    from bot.core.things import Community
    from brains.moderation.heads import Heads
    from brains.moderation.learned import Floats
    from brains.training.texts import Texts
    from storage.connection import Connection
    from storage.db import Database
    from storage.lessons import Lesson

log = logging.getLogger(__name__)

GLANCE = 2.0
"""Seconds between looks at what verdicts taught: a copy is recognised by its trigrams meanwhile."""
HOUR = timedelta(hours=1)
PORTION = 128
"""Lessons encoded together."""
FEW = 16
"""Harmless sentences encoded at once: what members say goes in between."""
ORDINARY = 1_000
"""Ordinary messages, the newest, that stand for what is not to be flagged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """What verdicts teach, in every community. `told` hears that something was learned."""

    database: Database
    clock: Clock
    encoder: Callable[[], Awaitable[Encoder]]
    heads: Callable[[], Heads | None]
    told: Callable[[], None] = lambda: None
    _tried: dict[int, tuple[str, datetime]] = field(default_factory=dict)

    async def run(self) -> None:
        """Encode and learn until cancelled."""
        while True:
            try:
                await self.encode()
                await self.learn_changed()
            except Unavailable as error:
                log.warning("verdicts wait to be learned from: %s", error)
            await self.clock.sleep(GLANCE)

    async def encode(self) -> int:
        """Encode every lesson that waits, and forget its words; returns how many there were."""
        done = 0
        while waiting := await self.database.look(functools.partial(lessons.waiting, limit=PORTION)):
            made = await self._made(waiting)
            await self.database.write(functools.partial(lessons.encoded, made=made))
            done += len(waiting)
            self.told()
        return done

    async def _made(self, waiting: Sequence[Lesson]) -> list[Encoded]:
        seen = await asyncio.to_thread(read, [one.text for one in waiting])
        encoder, heads = await self.encoder(), self.heads()
        vectors = await encode(encoder, seen)
        return await asyncio.to_thread(_kept_of, waiting, seen, vectors, heads, encoder.fingerprint)

    async def learn_changed(self) -> int:
        """Learn anew where lessons changed, in each community once an hour at most; returns in how many."""
        learned = 0
        async with self.database.read() as connection:
            every = await communities.every(connection)
        for community in every:
            tried = self._tried.get(community.id)
            now = self.clock.now()
            if tried is not None and abs(now - tried[1]) < HOUR:  # a clock may be set back
                continue
            version, learned_of = await self._version(community), await self._learned(community)
            # A forget drops what was learned, also of whoever taught nothing.
            if version != (tried[0] if tried else learned_of) or (version and not learned_of):
                learned += await self.learn(community) is not None
            self._tried[community.id] = (version, now)
        return learned

    async def _version(self, community: Community) -> str:
        """Name what would be learned from; empty where there is nothing."""
        if not await self.database.look(functools.partial(lessons.any_of, community=community)):
            return ""
        made = made_by((await self.encoder()).fingerprint, self.heads())
        if await self.database.write(functools.partial(lessons.restore, made_by=made)):
            await self.encode()
        return await self._state(community, made)

    async def _state(self, community: Community, made: str) -> str:
        look = functools.partial(lessons.version, community=community, now=self.clock.now(), made_by=made)
        return f"{await self.database.look(look)} {made}"

    async def _learned(self, community: Community) -> str:
        return await self.database.look(functools.partial(lessons.learned_version, community=community))

    async def learn(self, community: Community) -> dict[str, object] | None:
        """Learn a community's corrections from all its matured lessons, and keep them; returns the report.

        None where lessons changed meanwhile: what was taken back must not come back by what was learned from it.
        """
        encoder, heads = await self.encoder(), self.heads()
        if heads is None:
            return None
        made, now = made_by(encoder.fingerprint, heads), self.clock.now()
        version = await self._state(community, made)
        taught = await self.database.look(functools.partial(lessons.of, community=community))
        mature = [one for one in taught if one.matures_at <= now and one.made_by == made and one.logit is not None]
        texts, vectors = await self._ordinary(community, encoder.fingerprint)
        others = await self._bystanders(encoder, heads) if len(mature) >= ENOUGH else None
        learned, report = await asyncio.to_thread(
            correct, mature, texts, vectors, heads, made, encoder=encoder.fingerprint, others=others
        )
        kept = Kept(version=version, data=to_bytes(learned), report=report, built_at=now)

        async def keep(connection: Connection) -> bool:
            still = await lessons.version(connection, community, now, made)
            if f"{still} {made}" == version:
                await lessons.save(connection, community, kept, fingerprint=made)
            return f"{still} {made}" == version

        if not await self.database.write(keep):
            return None
        self.told()
        return report

    async def _bystanders(self, encoder: Encoder, heads: Heads) -> Bystanders:
        """Return the harmless sentences of the fairness bar; encoded a few at a time, so that nobody waits for them."""
        sentences = await asyncio.to_thread(harmless, "test")
        seen = await asyncio.to_thread(read, [one.text for one in sentences])
        rows = [await encoder.encode(seen.texts[at : at + FEW]) for at in range(0, len(sentences), FEW)]
        vectors, with_vector = np.concatenate(rows), heads.serves(encoder.fingerprint)
        shipped = await asyncio.to_thread(
            heads.scores, seen.texts, seen.plains, vectors if with_vector else None, tricks=seen.tricks
        )
        limits = heads.limits(seen.plains, with_vector=with_vector)
        return Bystanders(sentences=sentences, vectors=vectors, shipped=shipped, limits=limits)

    async def _ordinary(self, community: Community, fingerprint: str) -> tuple[list[str], Vector]:
        """Return ordinary messages whose vectors are kept (m, d): none is encoded for this."""

        async def look(connection: Connection) -> dict[str, encodings.Half]:
            texts = await lessons.ordinary(connection, community, ORDINARY)
            return await encodings.kept(connection, fingerprint=fingerprint, texts=texts)

        found = await self.database.look(look)
        rows = [vector.astype(np.float32) for vector in found.values()]
        return list(found), np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32)


def correct(
    mature: Sequence[Lesson],
    texts: Sequence[str],
    vectors: Vector,
    heads: Heads,
    made: str,
    *,
    encoder: str,
    others: Bystanders | None,
) -> tuple[Learned, dict[str, object]]:
    """Learn the correction of every head that has lessons, and report on each."""
    with_vector = heads.serves(encoder)
    seen = read(texts)
    shipped = heads.scores(seen.texts, seen.plains, vectors if with_vector and texts else None, tricks=seen.tricks)
    thresholds = heads.lowest(with_vector=with_vector)  # a correction that keeps to the lower keeps to both
    corrections, reports = {}, {}
    for head in sorted({one.head for one in mature} & set(heads.heads)):
        taught = [_taught(one) for one in mature if one.head == head]
        ordinary = Ordinary(vectors=vectors.reshape(-1, len(taught[0].vector)), logits=logits(shipped[head]))
        correction, report = learn(taught, ordinary, threshold=thresholds[head])
        if correction is not None and others is not None and (whom := others.accused(head, correction)):
            why = f"it would accuse {whom} more than twice as often as others"
            correction, report = None, replace(report, promoted=False, why=why)
        reports[head] = asdict(report)
        if correction is not None:
            corrections[head] = correction
    return Learned(made_by=made, corrections=corrections), {"heads": reports}


def _taught(lesson: Lesson) -> Taught:
    assert lesson.vector is not None and lesson.logit is not None  # noqa: S101, PT018 - only such are asked for
    return Taught(
        vector=lesson.vector,
        logit=lesson.logit,
        label=lesson.label,
        case=lesson.case,
        by=lesson.by,
        same=lesson.signature,
    )


def _kept_of(
    waiting: Sequence[Lesson], seen: Texts, vectors: Vector, heads: Heads | None, encoder: str
) -> list[Encoded]:
    """Return what is kept of lessons in the place of their texts."""
    shipped: dict[str, Floats] = {}
    if heads is not None:
        rows = vectors if heads.serves(encoder) else None
        scores = heads.scores(seen.texts, seen.plains, rows, tricks=seen.tricks)
        shipped = {head: logits(some) for head, some in scores.items()}
    made = made_by(encoder, heads)
    found: list[Encoded] = []
    for number, (lesson, plain) in enumerate(zip(waiting, seen.plains, strict=True)):
        bones = skeleton(plain)
        found.append(
            Encoded(
                id=lesson.id,
                vector=vectors[number],
                signature=sign(bones).tobytes(),
                width=width(bones),
                logit=float(shipped[lesson.head][number]) if lesson.head in shipped else None,
                made_by=made,
            )
        )
    return found
