"""From the outbox to the vector store: what waits is encoded, newest first, and leaves once it is acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.errors import Unavailable
from bot.core.ports import Point, Scope
from bot.core.sentences import parts
from storage import adopted, outbox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.adopting import Adoptions
    from bot.core.clock import Clock
    from bot.core.ports import Embedding, Encoder, Vector, VectorStore
    from storage.db import Database
    from storage.outbox import Waiting

PORTION = 256
"""Messages encoded, written and acknowledged together."""
AT_ONCE = 8
"""Portions in flight, so that the worker sorts 2,048 texts by length and never waits for us."""
GLANCE = 0.5
"""Seconds between looks into the outbox of a running bot."""
MERGE_AFTER = 10_000
"""Points written between merges: left much longer, one takes minutes."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Where points go beside the base's collection, by community and fingerprint; `trouble` is why some do not.

    What could not be written there waits on, while the base goes ahead.
    """

    places: Mapping[tuple[int, str], Embedding] = field(default_factory=dict)
    trouble: list[Unavailable] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Where vectors come from and go to; `adoptions` are the encoders that matching goes by beside the base."""

    database: Database
    encoder: Encoder
    vectors: VectorStore
    adoptions: Adoptions | None = None
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def settled(self) -> None:
        """Return once no point is on its way of a message that is erased by now."""
        async with self._one_at_a_time:
            pass

    async def prepare(self) -> None:
        """Let this encoder's collection serve; when the encoder is new or points are lost, everything waits again."""
        await self.database.write(functools.partial(outbox.serve, fingerprint=self.encoder.fingerprint))
        async with self.database.read() as connection:
            expected = await outbox.acknowledged(connection)
        held = {number: await self.vectors.count(Scope(community=number, notes=True)) for number in expected}
        if any(held[number] < expected[number] for number in expected):
            await self.database.write(outbox.put_all)
        if self.adoptions:
            with contextlib.suppress(Unavailable):
                await self.adoptions.check()

    async def tidy(self) -> None:
        """Let those encoders serve matching that are built, and clear away those that left."""
        if self.adoptions:
            async with self._one_at_a_time:
                await self.adoptions.settle()

    async def catch_up(self, progress: Progress = lambda _done, _all: None) -> int:
        """Write everything that waits and return how much that was. Whatever fails stays in the outbox."""
        await self.prepare()
        written = 0
        while waiting := await self._count():
            progress(written, written + waiting)
            written += await self._pass_over(written, written + waiting, progress)
        await self.tidy()
        await self.vectors.optimize()
        return written

    async def follow(self, clock: Clock) -> None:
        """Write what comes to wait until cancelled, and merge segments after many points: that stalls searches."""
        await self.prepare()
        unmerged = 0
        while True:
            unmerged += await self._pass_over(0, 0, lambda _done, _all: None)
            await self.tidy()
            if unmerged >= MERGE_AFTER:
                await self.vectors.optimize()
                unmerged = 0
            await clock.sleep(GLANCE)

    async def _count(self) -> int:
        async with self.database.read() as connection:
            return await outbox.count(connection)

    async def _pass_over(self, before: int, total: int, progress: Progress) -> int:
        """Go once from the newest to the oldest."""
        done, places, beside = 0, asyncio.Semaphore(AT_ONCE), await self._beside()

        async def write(rows: Sequence[Waiting]) -> None:
            nonlocal done
            try:
                await self._write(rows, beside)
            finally:
                places.release()
            done += len(rows)
            progress(before + done, total)

        try:
            async with asyncio.TaskGroup() as group:
                rows = await self._newest(None)
                while rows:
                    await places.acquire()
                    group.create_task(write(rows))
                    rows = await self._newest(rows[-1]) if len(rows) == PORTION else []
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if beside.trouble:
            raise beside.trouble[0]
        return done

    async def _beside(self) -> Beside:
        if self.adoptions is None:
            return Beside()
        places, trouble = await self.adoptions.written()
        return Beside(places=places, trouble=trouble)

    async def _newest(self, before: Waiting | None) -> list[Waiting]:
        async with self.database.read() as connection:
            return await outbox.newest(connection, PORTION, before=before)

    async def _write(self, rows: Sequence[Waiting], beside: Beside) -> None:
        """Encode and write one portion, then let it leave the outbox: killed in between, it is written again."""
        said = [row.text for row in rows if row.text is not None]
        texts = list(dict.fromkeys([*said, *(one for text in said for one in parts(text))]))
        made = dict(zip(texts, await self.encoder.encode(texts), strict=True))
        also = await self._encode_beside(rows, beside)
        async with self._one_at_a_time:
            async with self.database.read() as connection:
                rows = await outbox.still(connection, rows)
            await _put(self.vectors, rows, made)
            for place, vectors in list(also.items()):
                theirs = [row for row in rows if row.text is None or (row.community == place[0] and not row.note)]
                try:
                    await _put(beside.places[place].vectors, theirs, vectors)
                except Unavailable as error:
                    beside.trouble.append(error)
                    del also[place]
            fingerprint = self.encoder.fingerprint
            done = functools.partial(outbox.done, rows=rows, fingerprint=fingerprint, vectors=made, beside=also)
            await self.database.write(done, durable=False)
            for place in also.keys() - await self.database.look(adopted.written) if also else ():
                # Another process cleared it away meanwhile, without these.
                gone = [row.point for row in rows if row.community == place[0]]
                await beside.places[place].vectors.delete(gone)

    async def _encode_beside(
        self, rows: Sequence[Waiting], beside: Beside
    ) -> dict[tuple[int, str], Mapping[str, Vector]]:
        """Encode what the other places want, which are messages and no notes; a place that is away is left out."""
        also: dict[tuple[int, str], Mapping[str, Vector]] = {}
        for place, one in beside.places.items():
            said = {row.text: None for row in rows if row.text is not None and row.community == place[0]}
            texts = [text for text in said if text]
            try:
                also[place] = dict(zip(texts, await one.encoder.encode(texts), strict=True))
            except Unavailable as error:
                beside.trouble.append(error)
        return also


async def _put(vectors: VectorStore, rows: Sequence[Waiting], made: Mapping[str, Vector]) -> None:
    points = [
        Point(
            id=row.point,
            vector=made[row.text],
            text=row.text,
            community=row.community,
            channel=row.channel,
            author=row.author,
            at=row.at,
            note=row.note,
        )
        for row in rows
        if row.text is not None
    ]
    await vectors.delete([row.point for row in rows if row.text is None])
    await vectors.upsert(points)
