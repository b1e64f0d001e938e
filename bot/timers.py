"""Puts a schedule's instants into the inbox as events when they come: once each, whatever is restarted meanwhile."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.core.errors import Unavailable
from bot.core.events import Arrival, TimerFired
from storage import communities, newcomers, policies, spaces

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from bot.core.clock import Clock
    from bot.core.events import Named
    from bot.core.things import Community
    from storage.connection import Connection
    from storage.db import Database

log = logging.getLogger(__name__)

WEEK, DAY = timedelta(days=7), timedelta(days=1)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """A sweep that comes once a day, at the hour that a community wants, where somebody is `due`."""

    name: str
    due: Callable[[Connection, Community, datetime], Awaitable[Collection[object]]]

    def last(self, now: datetime, hour: int) -> datetime:
        """Return its latest instant that is over; `hour` is in UTC."""
        today = now.astimezone(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
        return today if today <= now else today - DAY


PRECISION = Weekly(name="moderation.weekly", first=datetime(2024, 1, 1, 9, tzinfo=UTC))
"""Mondays at 9:00 UTC: how often the detectors were right."""
GROWING = Weekly(name="growing.weekly", first=datetime(2024, 1, 2, 9, tzinfo=UTC))
"""Tuesdays at 9:00 UTC: what could be done about the channels."""
SCHEDULES = (PRECISION, GROWING)
NEWCOMERS = Daily(name="welcome.daily", due=newcomers.due)
"""Newcomers who were welcomed a week ago are asked whether they found their place."""
SWEEPS = (NEWCOMERS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """What is due in every community. An event's key holds its planned instant, so that the inbox takes it once.

    Of several instants that passed while nobody was there, only the last is made up for.
    """

    database: Database
    clock: Clock
    put: Callable[[Arrival], Awaitable[bool]]
    schedules: Sequence[Weekly] = SCHEDULES
    sweeps: Sequence[Daily] = SWEEPS

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
        for community, space, since in await self._places():
            planned = [(one.name, one.last(now)) for one in self.schedules]
            for name, instant in [*planned, *await self._swept(community, now)]:
                if instant > since:
                    event = TimerFired(schedule=name, planned=instant, at=now)
                    fired += await self.put(Arrival(space=space, event=event))
        return fired

    async def _swept(self, community: Community, now: datetime) -> list[tuple[str, datetime]]:
        """Return the latest instants of the sweeps that have something to do in a community."""
        async with self.database.read() as connection:
            due = [one for one in self.sweeps if await one.due(connection, community, now)]
            hour = (await policies.load(connection, community)).policy.daily_hour if due else 0
        return [(one.name, one.last(now, hour)) for one in due]

    async def _places(self) -> list[tuple[Community, Named, datetime]]:
        """Return each community that is on a platform, one space of it, and since when the community is there."""
        async with self.database.read() as connection:
            began = await communities.began(connection)
            found = [(one, await spaces.of(connection, one)) for one in await communities.every(connection)]
        return [(one, places[0], began[one.id]) for one, places in found if places]
