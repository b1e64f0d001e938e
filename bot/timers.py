"""Puts a schedule's instants into the inbox as events when they come: once each, whatever is restarted meanwhile."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.core.errors import Unavailable
from bot.core.events import Arrival, TimerFired
from storage import communities, spaces

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.core.clock import Clock
    from bot.core.events import Named
    from storage.db import Database

log = logging.getLogger(__name__)

WEEK = timedelta(days=7)
LOOK = timedelta(minutes=10)
"""Time between looks at what is due, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """A schedule that comes once a week; `first` is any of its instants."""

    name: str
    first: datetime

    def last(self, now: datetime) -> datetime:
        """Return its latest instant that is over."""
        return self.first + (now - self.first) // WEEK * WEEK


PRECISION = Weekly(name="moderation.weekly", first=datetime(2024, 1, 1, 9, tzinfo=UTC))
"""Mondays at 9:00 UTC: how often the detectors were right."""
SCHEDULES = (PRECISION,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """What is due in every community. An event's key holds its planned instant, so that the inbox takes it once.

    Of several instants that passed while nobody was there, only the last is made up for.
    """

    database: Database
    clock: Clock
    put: Callable[[Arrival], Awaitable[bool]]
    schedules: Sequence[Weekly] = SCHEDULES

    async def run(self) -> None:
        """Put what is due until cancelled."""
        while True:
            try:
                await self.fire()
            except Unavailable as error:
                log.warning("what is due waits: %s", error)
            now = self.clock.now()
            next_one = min((one.last(now) + WEEK for one in self.schedules), default=now + LOOK)
            await self.clock.sleep(min(next_one - now, LOOK).total_seconds())

    async def fire(self) -> int:
        """Put what is due and was not put before; returns how much that was."""
        now = self.clock.now()
        fired = 0
        for space, since in await self._places():
            for schedule in self.schedules:
                planned = schedule.last(now)
                if planned > since:
                    event = TimerFired(schedule=schedule.name, planned=planned, at=now)
                    fired += await self.put(Arrival(space=space, event=event))
        return fired

    async def _places(self) -> list[tuple[Named, datetime]]:
        """Return one space of each community that is on a platform, and since when the community is there."""
        async with self.database.read() as connection:
            began = await communities.began(connection)
            found = [(await spaces.of(connection, one), began[one.id]) for one in await communities.every(connection)]
        return [(places[0], since) for places, since in found if places]
