"""Whose turn it is: calls on the shard, one at a time in one thread, searches before writes, tidying when quiet."""

from __future__ import annotations

import asyncio
import itertools
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.vectors.shard import Shard

T = TypeVar("T")
log = logging.getLogger(__name__)

QUIET = 1.0
"""Seconds without a call after which the shard is tidied early."""

EARLY = 0.8
"""How untidy the shard must be for that; at half, no segment is large enough to be indexed."""


@dataclass(frozen=True, slots=True, order=True)
class Turn(Generic[T]):
    """One call waiting for the engine, ordered by urgency and then by arrival."""

    urgency: int
    place: int
    work: Callable[[], T] = field(compare=False)
    done: asyncio.Future[T] = field(compare=False)

    def settle(self, outcome: asyncio.Future[T]) -> None:
        """Hand the outcome to whoever asked, if they still wait."""
        error = outcome.exception()
        if self.done.done():
            return
        if error:
            self.done.set_exception(error)
        else:
            self.done.set_result(outcome.result())


class Turns(Generic[T]):
    """The engine's thread and those who wait for it."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self._queue: asyncio.PriorityQueue[Turn[T]] = asyncio.PriorityQueue()
        self._places = itertools.count()
        self._thread = ThreadPoolExecutor(1, "engine")

    async def take(self, work: Callable[[], T], *, urgency: int) -> T:
        """Run a call when its turn comes, the lowest urgency first. Raises what the call raises."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(Turn(urgency, next(self._places), work, done))
        return await done

    async def run(self) -> None:
        """Serve until cancelled; then finish the call that the engine is in, and no other."""
        try:
            while True:
                await self._next()
        finally:
            self._thread.shutdown(wait=True, cancel_futures=True)

    async def _next(self) -> None:
        try:
            async with asyncio.timeout(QUIET if self._shard.untidy >= EARLY else None):
                turn = await self._queue.get()
        except TimeoutError:
            await self._tidy()
        else:
            await self._give(turn)

    async def _give(self, turn: Turn[T]) -> None:
        outcome = asyncio.get_running_loop().run_in_executor(self._thread, turn.work)
        await asyncio.wait([outcome])
        turn.settle(outcome)
        if self._shard.untidy >= 1:
            await self._tidy()

    async def _tidy(self) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._shard.optimize)
        except Unavailable as error:
            log.warning("not optimized: %s", error)
