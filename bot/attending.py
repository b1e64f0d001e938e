"""Looks every second whether what the bot's answers rest on still holds, and whether a question waits for one.

What is due is put into the stream as an event, so that it is decided about, done and explained like everything else.
Whoever changed something, and in which process, makes no difference: the tables say it.
"""

from __future__ import annotations

import functools
import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.errors import Unavailable
from bot.core.events import Arrival, TimerFired
from bot.core.policies import at
from brains.knowledge.asking import is_question
from storage import channels, communities, inbox, policies, questions, spaces, standing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.core.clock import Clock
    from bot.core.events import Named
    from bot.core.things import Community, Ref
    from storage.connection import Connection
    from storage.db import Database

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks, so that an answer is mended within five of what happened to its sources."""
SHARE = 0.05
"""Of the time at most is spent looking: where a look takes long, the next one waits longer."""
WAITING = timedelta(minutes=3)
"""For so long after a question should have been answered it is looked at: much later, an answer helps nobody."""
EACH = timedelta(minutes=1)
"""Between two events about questions in one channel, at least."""
LONGEST = 20.0
"""Seconds between two looks at most, whatever they cost. Up to 0.2 s a look, the next one is soon enough for the five
seconds; up to one second, the share holds."""
SOURCES, QUESTIONS = "sources", "questions"
"""The schedules that say that an answer is to be mended, and that a question has waited for long enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attending:
    """Looks at the answers of every community of one database."""

    database: Database
    clock: Clock
    put: Callable[[Arrival], Awaitable[bool]]
    asked: dict[Ref, tuple[datetime, int]] = field(default_factory=dict)

    async def run(self) -> None:
        """Look until cancelled."""
        took = 0.0
        while True:
            began = time.perf_counter()
            try:
                await self.look()
            except Unavailable as error:
                log.warning("answers are not looked after: %s", error)
            before, took = took, time.perf_counter() - began
            await self.clock.sleep(pause(took, before))

    async def look(self) -> int:
        """Put an event for each community in which an answer is to be mended or given; return how many."""
        now = self.clock.now()
        due = await self.database.look(functools.partial(_due, now=now))
        mended = [await self._fire(space, SOURCES, now) for space in due]
        waiting = await self.database.look(functools.partial(_waiting, now=now))
        given = [
            await self._fire(space, QUESTIONS, now, channel)
            for space, channel, newest in waiting
            if self._is_new(channel, newest, now)
        ]
        return sum([*mended, *given])

    def _is_new(self, channel: Ref, newest: int, now: datetime) -> bool:
        """Say whether a question came that no event was put about, and the last such event is a minute old."""
        last, number = self.asked.get(channel, (None, 0))
        if newest <= number or (last is not None and now - last < EACH):
            return False
        self.asked[channel] = (now, newest)
        return True

    async def _fire(self, space: Named, schedule: str, now: datetime, channel: Ref | None = None) -> bool:
        event = TimerFired(schedule=schedule, planned=now, at=now, about=channel)
        return await self.put(Arrival(space=space, event=event))


def pause(took: float, before: float) -> float:
    """Return the seconds until the next look, by what the last two took: one alone may have waited for something."""
    return min(max(LOOK, min(took, before) / SHARE), LONGEST)


async def _due(connection: Connection, *, now: datetime) -> list[Named]:
    """Return a space of each community in which an answer is to be mended, and nobody is at it already."""
    found: list[Named] = []
    for community in await communities.every(connection):
        places = await spaces.of(connection, community)
        if places and await _is_due(connection, community, now) and not await _is_under_way(connection, places[0]):
            found.append(places[0])
    return found


async def _is_due(connection: Connection, community: Community, now: datetime) -> bool:
    """Say whether an answer of a community is to be mended."""
    policy = (await policies.load(connection, community)).policy
    since = now - timedelta(days=policy.trace_days)
    return bool(await standing.due(connection, community, since, now))


async def _waiting(connection: Connection, *, now: datetime) -> list[tuple[Named, Ref, int]]:
    """Return every channel in which a question waits unanswered, with a space of its community, and its newest one."""
    found: list[tuple[Named, Ref, int]] = []
    for community in await communities.every(connection):
        if places := await spaces.of(connection, community):
            newest = await _newest(connection, community, now)
            found += [(places[0], channel, number) for channel, number in newest.items()]
    return found


async def _newest(connection: Connection, community: Community, now: datetime) -> dict[Ref, int]:
    """Return, where help is wanted, the number of the newest question that has waited for long enough, by channel."""
    rules = await policies.load(connection, community)
    if not any("helpful" in (rules.policy.speak, value) for value in ("", *rules.overrides.values())):
        return {}
    rooms = await channels.every(connection, community)
    helpful = [
        number
        for number, room in rooms.items()
        if at(rules.policy, rules.overrides, str(room.ref)).speak == "helpful" and rules.reads(room.ref)
    ]
    until = now - timedelta(minutes=rules.policy.answer_after_minutes)
    asked = await questions.unanswered(connection, community, helpful, since=until - WAITING, until=until)
    found: dict[Ref, int] = {}
    for one in (each.message for each in asked if is_question(each.message.text)):
        channel = rooms[one.channel].ref
        found[channel] = max(one.id, found.get(channel, 0))
    return found


async def _is_under_way(connection: Connection, space: Named) -> bool:
    """Say whether the last such event still waits or is being handled."""
    return await inbox.waits(connection, space.ref, lane=SOURCES)
