"""The flow of events: claimed from the stream, stored, encoded ahead, and handled in order within each channel."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.errors import Unavailable
from bot.core.events import MessageEdited, MessagePosted, lane
from bot.core.log import trail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.ahead import Ahead
    from bot.core.clock import Clock
    from bot.core.events import Arrival
    from bot.core.ports import Delivery, Followed, Stream, Vector
    from bot.pipeline import Pipeline
    from storage.db import Database
    from storage.following import Followings

log = logging.getLogger(__name__)

PORTION = 128
"""Arrivals claimed and stored together."""
UNDER_WAY = 1024
"""Arrivals between claim and done at most; beyond, they wait in the stream."""
PAUSE = 1.0
"""Seconds after which what could not be stored is tried again."""

Taken = tuple["Delivery", "asyncio.Future[Vector | None]"]


class Lanes:
    """Runs events through the pipeline: channels side by side, each channel in order."""

    def __init__(
        self,
        *,
        database: Database,
        stream: Stream,
        pipeline: Pipeline,
        ahead: Ahead,
        clock: Clock,
        followings: Followings,
    ) -> None:
        self._database = database
        self._stream = stream
        self._pipeline = pipeline
        self._ahead = ahead
        self._clock = clock
        self._followings = followings
        self._lanes: dict[str, deque[Taken]] = {}
        self._room = asyncio.Semaphore(UNDER_WAY)
        self._draining = False
        self._noting: set[asyncio.Task[None]] = set()
        self._ended = False
        self._empty = asyncio.Event()
        self._empty.set()

    async def drain(self) -> None:
        """Take nothing more, and return once what was taken is handled; the rest keeps in the stream."""
        self._draining = True
        await self._empty.wait()
        await asyncio.gather(*self._noting)

    async def run(self) -> None:
        """Handle what comes until cancelled."""
        self._ended = False
        try:
            async with asyncio.TaskGroup() as group:
                while not self._draining:
                    for taken in await self._take_in(await self._claim()):
                        await self._room.acquire()
                        self._queue(taken, group)
        finally:
            self._ended = True
            await asyncio.gather(*self._noting)

    async def _claim(self) -> list[Delivery]:
        """Claim what is there; a stream that is away is waited for, since ending here would cut off every lane."""
        while True:
            try:
                return await self._stream.claim(PORTION)
            except Unavailable as error:
                log.warning("nothing can be claimed: %s", error)
                await self._clock.sleep(PAUSE)

    def _queue(self, taken: Taken, group: asyncio.TaskGroup) -> None:
        arrival = taken[0].arrival
        name = f"{arrival.space.ref} {lane(arrival.event)}"
        if name in self._lanes:
            self._lanes[name].append(taken)
        else:
            self._lanes[name] = deque([taken])
            self._empty.clear()
            group.create_task(self._go_through(name))

    async def _go_through(self, name: str) -> None:
        """Handle one lane's events in order, until none is left."""
        queue = self._lanes[name]
        try:
            while queue:
                await self._handle(*queue[0])
                queue.popleft()
                self._room.release()
        finally:
            del self._lanes[name]
            if not self._lanes:
                self._empty.set()

    async def _handle(self, delivery: Delivery, vector: asyncio.Future[Vector | None]) -> None:
        """Handle one event; while the database is away, the lane waits, and what was begun is finished after that."""
        while True:
            try:
                await self._pipeline.handle(delivery, vector)
            except Unavailable as error:
                log.warning("event %d waits: %s", delivery.id, error)
                delivery = replace(delivery, attempts=delivery.attempts + 1)
                await self._clock.sleep(PAUSE)
            except Exception as error:  # noqa: BLE001 - one event must not end the lanes of all
                log.error("event %d failed and is passed over: %s", delivery.id, trail(error))
                break
            else:
                break
        # The next event of the lane need not wait until this one is noted.
        noting = asyncio.create_task(self._note(delivery))
        self._noting.add(noting)
        noting.add_done_callback(self._noting.discard)

    async def _note(self, delivery: Delivery) -> None:
        """Note that an event was handled, however long that takes; after a stop it comes again with the next start.

        If only this one came again, what it tells would undo what later ones of its lane told.
        """
        while True:
            try:
                return await self._stream.done(delivery)
            except Unavailable as error:
                log.warning("event %d stays: %s", delivery.id, error)
                if self._ended:
                    return None
                await self._clock.sleep(PAUSE)

    async def _take_in(self, deliveries: Sequence[Delivery]) -> list[Taken]:
        """Store what happened and let it be encoded; whatever cannot be stored one by one is left out and told."""
        try:
            followed = await self._follow(deliveries)
        except Unavailable as error:
            log.warning("%d events wait: %s", len(deliveries), error)
            await self._stream.release(deliveries)
            await self._clock.sleep(PAUSE)
            return []
        except Exception as error:  # noqa: BLE001 - one event must not end the lanes of all
            if len(deliveries) > 1:
                return [taken for one in deliveries for taken in await self._take_in([one])]
            log.error("event %d cannot be stored and is passed over: %s", deliveries[0].id, trail(error))
            await self._note(deliveries[0])
            return []
        return [(one, self._encode(one)) for one in followed]

    async def _follow(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Store what happened and was not stored when it arrived."""
        late = {one.id: one.arrival for one in deliveries if one.followed is None}
        if not late:
            return list(deliveries)
        stored = dict(zip(late, await self._store(list(late.values())), strict=True))
        return [replace(one, followed=one.followed or stored[one.id]) for one in deliveries]

    async def _store(self, arrivals: Sequence[Arrival]) -> list[Followed]:
        # The inbox has it on disk until it is done, so that this may be lost with a power cut and is made again.
        store = functools.partial(self._followings.store_late, arrivals=arrivals)
        return await self._database.write(store, durable=False)

    def _encode(self, delivery: Delivery) -> asyncio.Future[Vector | None]:
        """Let what a human said be encoded, which keeps the vector; not direct conversations, nor the uncollected."""
        match delivery.arrival.event:
            case MessagePosted() | MessageEdited() as event if not event.author.bot:
                kept = delivery.followed is not None and delivery.followed.collected
                return self._ahead.ask(event.text if kept else "")
            case _:
                return self._ahead.ask("")
