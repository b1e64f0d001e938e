"""Clocks for tests: time passes when a test says so, or as soon as somebody waits for it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

from tests.words import MONDAY

TURNS = 20
"""Turns of the loop after which whoever was woken has gone to sleep again."""


class PatientClock:
    """Time stands still until `let_pass`, which wakes sleepers in the order of their time."""

    def __init__(self, start: datetime = MONDAY) -> None:
        self._now = start
        self._numbers = itertools.count()
        self._sleepers: list[tuple[datetime, int, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), next(self._numbers), woken))
        await woken.wait()

    async def let_pass(self, seconds: float) -> None:
        end = self._now + timedelta(seconds=seconds)
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._now, _, woken = heapq.heappop(self._sleepers)
            woken.set()
            await _settle()
        self._now = end


class HastyClock:
    """Whoever waits has waited already; how long for is kept, in order."""

    def __init__(self, start: datetime = MONDAY) -> None:
        self._now = start
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_by(seconds)
        await asyncio.sleep(0)

    def pass_by(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class Ago:
    """The time of this machine, so long ago; what is less than nothing is yet to come."""

    def __init__(self, by: timedelta = timedelta(0)) -> None:
        self.by = by

    def now(self) -> datetime:
        return datetime.now(UTC) - self.by

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _settle() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
