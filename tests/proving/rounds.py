"""Rounds of use, one kill in each, and the sum of what was found."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from dataclasses import dataclass, field

from tests.proving.bot import Bot, Part
from tests.proving.load import Crowd, Record
from tests.proving.tally import Tally, left, points_missing, tally

LATEST = 4.0
"""Seconds after which the kill comes at the latest."""
AFTER = 1.5
"""Seconds for which people go on after it."""
PATIENCE = 120.0
"""Seconds in which everything must be finished."""


@dataclass(slots=True, kw_only=True)
class Proving:
    """A bot, and everything that people did with it over all rounds."""

    bot: Bot
    chance: random.Random
    record: Record = field(default_factory=Record)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def round(self, part: Part) -> tuple[Tally, float]:
        """Use the bot, kill a part of it, use it on, and count once all is quiet; returns the seconds too."""
        began = time.monotonic()
        crowd = Crowd(url=self.bot.url, record=self.record, chance=self.chance, numbers=self.numbers)
        stop = asyncio.Event()
        using = asyncio.create_task(crowd.use(stop))
        await asyncio.sleep(self.chance.uniform(0.2, LATEST))
        await asyncio.to_thread(self.bot.kill, part)
        if part == "bot":
            await using
            await asyncio.to_thread(self.bot.start)
            using = asyncio.create_task(crowd.use(stop))
        await asyncio.sleep(AFTER)
        stop.set()
        await using
        unfinished = await self.quiet()
        await crowd.look_around()
        found = await asyncio.to_thread(tally, self.bot.program.home, self.record)
        found.lost += [f"{count} in the {name}" for name, count in unfinished.items() if count]
        found.lost += [f"point {one}" for one in await points_missing(self.bot.program.home)]
        return found, time.monotonic() - began

    async def quiet(self) -> dict[str, int]:
        """Wait until nothing is left to do, twice in a row; returns what is left when patience ends."""
        deadline, quiet = time.monotonic() + PATIENCE, 0
        while quiet < 2 and time.monotonic() < deadline:
            quiet = quiet + 1 if not any((await self._left()).values()) else 0
            await asyncio.sleep(0.3)
        return await self._left()

    async def _left(self) -> dict[str, int]:
        return await asyncio.to_thread(left, self.bot.program.home)
