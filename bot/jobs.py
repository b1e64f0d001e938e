"""Puts a schedule's instants into the inbox as events when they come: once each, whatever is restarted meanwhile.

One process does, by a lease. Which instants are dealt with is in the tables, and an event's key holds its planned
instant: whoever takes over goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.core import recurring, zones
from bot.core.errors import KinfolkError, Unavailable
from bot.core.events import Arrival, TimerFired
from bot.core.i18n import _
from bot.core.log import trail
from bot.ticking import Recurring, Ticking
from storage import (
    alerts,
    communities,
    leases,
    meetings,
    newcomers,
    policies,
    schedules,
    spaces,
    subscriptions,
    suggested,
)
from storage.schedules import Kept, Schedule, Settled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from bot.core.clock import Clock
    from bot.core.events import Named
    from bot.core.recurring import When
    from bot.core.things import Community
    from storage.connection import Connection
    from storage.db import Database
    from storage.schedules import Outcome

log = logging.getLogger(__name__)

SCHEDULES = (
    Schedule(
        name="moderation.weekly",
        does=_("tell the staff how often the detectors were right"),
        when=recurring.weekly("mon", 9),
        late=timedelta(days=3),
    ),
    Schedule(
        name="growing.weekly",
        does=_("propose to the staff what could be done about the channels"),
        when=recurring.weekly("tue", 9),
        late=timedelta(days=3),
    ),
    Schedule(
        name="digest.daily",
        does=_("post what happened in a day, where that is wanted"),
        when=recurring.daily(8),
        late=timedelta(hours=12),
    ),
    Schedule(
        name="digest.weekly",
        does=_("post what happened in a week, where that is wanted"),
        when=recurring.weekly("mon", 8),
        late=timedelta(days=3),
    ),
)
"""What comes in every community."""
SWEEPS = (
    Schedule(
        name="welcome.daily",
        does=_("ask who was welcomed a week ago whether they found their place"),
        due=newcomers.due,
        late=timedelta(hours=3),
    ),
    Schedule(
        name="welcome.waiting",
        does=_("welcome in private who came at an hour at which I write to nobody"),
        when=recurring.hourly(),
        due=newcomers.waiting,
    ),
    Schedule(
        name="people.waiting",
        does=_("ask whom somebody wants to meet, where they could not be asked at once"),
        when=recurring.hourly(),
        due=meetings.unheard,
    ),
    Schedule(
        name="suggestions.personal",
        does=_("write to members who want it which channels may fit them"),
        when=recurring.every(5),
        due=suggested.due,
    ),
    Schedule(
        name="digest.personal",
        does=_("send a digest to members whose hour has come"),
        when=recurring.every(5),
        due=subscriptions.digests,
        late=timedelta(hours=1),
    ),
    Schedule(
        name="pulse.watch",
        does=_("look for what is unusual, and for watched words"),
        when=recurring.every(5),
        due=alerts.due,
        late=timedelta(minutes=10),
    ),
)
"""What comes only where somebody is due."""
EVERY = (*SCHEDULES, *SWEEPS)

LEASE, LOOK = timedelta(seconds=60), timedelta(seconds=20)
"""For how long a process that died keeps the others from running jobs, and the time between two looks, at most."""
SOON = 1.0
"""Seconds after a change until it is looked at: what follows it at once is looked at with it."""
COUNTED, OFTEN = timedelta(days=40), timedelta(hours=2)
"""Instants that were missed longer ago are not counted one by one; a sweep that comes in every hour counts none."""
NAME = "jobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A community that is on a platform, one space of it, since when it is there, and what holds for its schedules."""

    community: Community
    space: Named
    since: datetime
    zone: str
    daily_hour: int
    kept: Mapping[str, Kept]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A schedule as it comes in one community; a job is made anew when it becomes another one."""

    schedule: Schedule
    when: When
    zone: str
    community: Community
    space: Named


@dataclass(kw_only=True)
class Jobs:
    """Runs what is scheduled in every community of one database. `holder` names this process.

    Who is `alone` waits for no lease of a dead process. `look` is the time between two looks at what was changed.
    """

    database: Database
    clock: Clock
    put: Callable[[Arrival], Awaitable[bool]]
    holder: str
    alone: bool = False
    schedules: Sequence[Schedule] = EVERY
    look: timedelta = LOOK
    _holds: bool = False
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _kept: dict[str, Kept | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ticking = Ticking(self.clock)

    def wake(self) -> None:
        """Look at once, since something may have been changed."""
        self._woken.set()

    async def run(self) -> None:
        """Fire what is due until cancelled; then another process may."""
        if self.alone:
            await self.database.write(functools.partial(leases.free, name=NAME))
        try:
            while True:
                await self._rest(await self._turn())
        finally:
            # Whoever is being stopped must end, whatever becomes of the lease.
            with contextlib.suppress(KinfolkError):
                await self.database.write(functools.partial(leases.let_go, name=NAME, holder=self.holder))

    async def _turn(self) -> float:
        try:
            await self.fire()
        except Unavailable as error:
            log.warning("what is due waits: %s", error)
            return LOOK.total_seconds()
        return self.seconds()

    def seconds(self) -> float:
        """Return after how many seconds to look again."""
        next_at, now = self._ticking.next_at, self.clock.now()
        most = self.look if self._holds else LOOK
        wait = most if next_at is None else min(next_at - now, most)
        return max(wait.total_seconds(), 0.0)

    async def _rest(self, seconds: float) -> None:
        """Wait until it is time, or until something was changed."""
        waiting = [asyncio.create_task(one) for one in (self.clock.sleep(seconds), self._woken.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
        if self._woken.is_set():
            await self.clock.sleep(SOON)
            self._woken.clear()

    async def fire(self) -> int:
        """Put what is due, where this process holds the lease; returns how many events that was."""
        now = self.clock.now()
        hold = functools.partial(leases.hold, name=NAME, holder=self.holder, now=now, until=now + LEASE)
        self._holds = await self.database.write(hold, durable=False)
        if not self._holds:
            self._ticking.remove_all_jobs()
            return 0
        places = await self.database.look(_places)
        await self._plan(places)
        asked = [one for place in places for one in await self._asked(place)]
        due = self._ticking.due()
        came = [await self._safely(job.args[0], times) for job, times in due]
        settled = [*asked, *came]
        if settled:
            await self.database.write(functools.partial(schedules.settle, done=settled))
        for job, times in due:
            self._ticking.done(job, times[-1])
        return sum(one.outcome == "came" for one in settled)

    async def _plan(self, places: Sequence[Place]) -> None:
        """Have a job for each schedule of each community as it is set now, and for nothing else."""
        wanted = {_job(plan): (plan, place) for place in places for plan in self._plans(place)}
        jobs = {job.id: job for job in self._ticking.get_jobs()}
        for gone in jobs.keys() - wanted.keys():
            self._ticking.remove_job(gone)
        for name, (plan, place) in wanted.items():
            before, self._kept[name] = self._kept.get(name), place.kept.get(plan.schedule.name)
            unchanged = name in jobs and jobs[name].args[0] == plan and _until(before) == _until(self._kept[name])
            if not unchanged:
                await self._add(name, plan, place)

    async def _add(self, name: str, plan: Plan, place: Place) -> None:
        kept, zone = place.kept.get(plan.schedule.name), await zones.opened(plan.zone)
        counted = OFTEN if plan.schedule.due and plan.when.is_often else COUNTED
        since = max(kept.settled_at if kept else place.since, self.clock.now() - counted)
        trigger = Recurring(plan.when, zone)
        first = trigger.get_next_fire_time(since, since)
        self._ticking.add_job(self._safely, trigger, (plan, ()), id=name, next_run_time=first, replace_existing=True)

    def _plans(self, place: Place) -> Iterator[Plan]:
        for schedule in self.schedules:
            kept = place.kept.get(schedule.name)
            if kept is None or not kept.paused:
                yield Plan(
                    schedule=schedule,
                    when=schedules.when(schedule, kept, place.daily_hour),
                    zone=place.zone,
                    community=place.community,
                    space=place.space,
                )

    async def _asked(self, place: Place) -> list[Settled]:
        """Put what the staff wants out of turn."""
        known = {one.name for one in self.schedules}
        wanted = [(name, kept.asked_at) for name, kept in place.kept.items() if kept.asked_at and name in known]
        for name, at in wanted:
            await self._put(place.space, name, at)
        return [
            Settled(community=place.community.id, name=name, planned=at, outcome="came", asked=True)
            for name, at in wanted
        ]

    async def _safely(self, plan: Plan, times: Sequence[datetime]) -> Settled:
        """Let a schedule come; one that fails is noted as missed, and the others come all the same."""
        try:
            return await self._come(plan, times)
        except KinfolkError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a sweep dies of, the others live on
            log.error("%s of community %d failed: %s", plan.schedule.name, plan.community.id, trail(error))
            return self._settled(plan, times[-1], "missed", times[-1:])

    async def _come(self, plan: Plan, times: Sequence[datetime]) -> Settled:
        """Make of several instants the last one, and put its event, unless nobody is due or it is too late for it."""
        now, planned = self.clock.now(), times[-1]
        if plan.schedule.due is not None and not await self._is_due(plan, now):
            return self._settled(plan, planned, "nobody", ())
        earlier = () if plan.schedule.due else times[:-1]
        if now - planned > plan.schedule.late:
            return self._settled(plan, planned, "missed", (*earlier, planned))
        await self._put(plan.space, plan.schedule.name, planned)
        return self._settled(plan, planned, "came", earlier)

    def _settled(self, plan: Plan, planned: datetime, outcome: Outcome, lost: Sequence[datetime]) -> Settled:
        """Say what became of instants, and count those that were lost with all that ever were."""
        kept = self._kept.get(_job(plan))
        missed, missed_at = (kept.missed, kept.missed_at) if kept else (0, None)
        if lost:
            log.warning("%s of community %d missed %d instants", plan.schedule.name, plan.community.id, len(lost))
        return Settled(
            community=plan.community.id,
            name=plan.schedule.name,
            planned=planned,
            outcome=outcome,
            missed=missed + len(lost),
            missed_at=lost[-1] if lost else missed_at,
        )

    async def _is_due(self, plan: Plan, now: datetime) -> bool:
        assert plan.schedule.due is not None  # noqa: S101 - asked about sweeps alone
        async with self.database.read() as connection:
            return bool(await plan.schedule.due(connection, plan.community, now))

    async def _put(self, space: Named, name: str, planned: datetime) -> None:
        event = TimerFired(schedule=name, planned=planned, at=self.clock.now())
        await self.put(Arrival(space=space, event=event))


def _job(plan: Plan) -> str:
    return f"{plan.community.id} {plan.schedule.name}"


def _until(kept: Kept | None) -> datetime | None:
    return kept.settled_at if kept else None


async def _places(connection: Connection) -> list[Place]:
    """Return each community that is on a platform."""
    began, kept = await communities.began(connection), await schedules.every(connection)
    found: list[Place] = []
    for community in await communities.every(connection):
        if there := await spaces.of(connection, community):
            policy = (await policies.load(connection, community)).policy
            place = Place(
                community=community,
                space=there[0],
                since=began[community.id],
                zone=policy.time_zone,
                daily_hour=policy.daily_hour,
                kept=kept.get(community.id, {}),
            )
            found.append(place)
    return found
