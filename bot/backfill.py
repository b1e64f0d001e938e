"""Old messages of a space, read back from its platform: rooms side by side, to be gone on with at any time."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.history import discord, slack_api
from adapters.history.rooms import Closed
from bot.backfill_progress import BackfillProgress
from bot.core.errors import Gone, NotAllowed
from bot.core.i18n import translator
from bot.core.things import Audience
from bot.importing import Bulk, Progress, alone, settle
from storage import backfills, channels, policies, refusals
from storage.backfills import Reached, Step
from storage.following import Following
from storage.intake import Intake, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from adapters.history.rooms import Layout, Page, Past, Room
    from bot.core.clock import Clock
    from bot.core.policies import Policy
    from bot.core.settings import Settings
    from bot.core.things import Community
    from storage.connection import Connection
    from storage.db import Database
    from storage.refusals import Refusals

PAUSES = (1.0, 3.0, 9.0)
"""Seconds between the tries of one page: connections break now and then in the hours that a large server takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be read: which server and channels, back to when, for which community, and whether all of it again."""

    server: str | None = None
    channels: tuple[str, ...] = ()
    since: datetime | None = None
    community: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfilled:
    """What a back-fill added, how many channels and threads it covers, and what the bot may not read."""

    stored: Stored
    rooms: int
    closed: tuple[Closed, ...]


async def import_discord(
    database: Database,
    clock: Clock,
    *,
    settings: Settings,
    wanted: Wanted,
    progress: Progress = lambda _done, _all: None,
) -> Backfilled:
    """Store the messages of a server that are not there yet, as if they had been heard.

    Killed at any moment, the same call goes on from there. Raises Mistake for a server, a channel or a community that
    is not there or when another import is running, Misconfigured without a token that works, and Gone.
    """
    async with (
        alone(settings.home),
        discord.open_history(settings.discord_token, clock=clock, api=settings.discord_api) as history,
    ):
        server = await history.server(wanted.server)
        return await _read_back(database, clock, past=server, settings=settings, wanted=wanted, progress=progress)


async def import_slack(
    database: Database,
    clock: Clock,
    *,
    settings: Settings,
    wanted: Wanted,
    progress: Progress = lambda _done, _all: None,
) -> Backfilled:
    """Store the messages of a workspace's channels that the bot is in, as `import_discord` does. Raises the same."""
    async with (
        alone(settings.home),
        slack_api.open_past(settings.slack_bot_token, clock=clock, api=settings.slack_api) as workspace,
    ):
        return await _read_back(database, clock, past=workspace, settings=settings, wanted=wanted, progress=progress)


async def _read_back(
    database: Database, clock: Clock, *, past: Past, settings: Settings, wanted: Wanted, progress: Progress
) -> Backfilled:
    layout = await past.layout(wanted.channels)
    refused = await refusals.load(settings.home)
    begin = functools.partial(_begin, past=past, layout=layout, wanted=wanted, clock=clock, refused=refused)
    community, intake, met = await database.write(begin)
    bulk = Bulk(database, clock, intake, Stored(channels=met))
    async with database.read() as connection:
        policy = (await policies.load(connection, community)).policy
        reached = await backfills.reached(connection, community)
    reading = Reading(
        database=database,
        clock=clock,
        past=past,
        community=community,
        bulk=bulk,
        since=_since(policy, wanted, clock),
        rooms=tuple(Place(room=room, reached=reached.get(room.ref, Reached())) for room in layout.rooms),
        progress=progress,
    )
    translate = await asyncio.to_thread(translator, policy.language or settings.language)
    async with BackfillProgress(database, clock, reading, translate).telling(policy.staff_channel):
        await reading.read()
    await bulk.note({"server": str(past.space.ref)})
    return Backfilled(stored=bulk.stored, rooms=len(layout.rooms), closed=(*layout.closed, *reading.closed))


async def _begin(
    connection: Connection, *, past: Past, layout: Layout, wanted: Wanted, clock: Clock, refused: Refusals
) -> tuple[Community, Intake, int]:
    """Settle the space and store its channels as they are now: who may read them holds before the first message.

    Returns what stores the messages, and how many channels are new.
    """
    community = await settle(connection, past.space, wanted.community, clock)
    intake = Intake(community, clock.now(), refusals=refused)
    await intake.begin(connection)
    closed = {
        one.ref for one in (await channels.every(connection, community)).values() if one.audience is Audience.MEMBERS
    }
    rooms = [home.channel for home in layout.homes]
    await intake.take_over(connection, rooms, space=past.space.ref)
    met = await intake.meet_channels(connection, rooms)
    following = Following(community, clock.now(), refused)
    await following.begin(connection)
    # Where everybody could read until now, nobody knows yet who still may.
    news = [replace(home, unconfirmed=home.channel.ref not in closed) for home in layout.homes]
    await following.follow(connection, news)
    if wanted.again:
        await backfills.start_over(connection, community, [room.ref for room in layout.rooms])
    return community, intake, met


def _since(policy: Policy, wanted: Wanted, clock: Clock) -> datetime | None:
    """Return how far back to read: no further than messages are kept."""
    kept = clock.now() - timedelta(days=policy.retention_days) if policy.retention_days else None
    return max(filter(None, (wanted.since, kept)), default=None)


@dataclass(slots=True, kw_only=True)
class Place:
    """A room, and how far it is read."""

    room: Room
    reached: Reached


@dataclass(slots=True, kw_only=True)
class Reading:
    """The reading of one space's rooms, as far as it is."""

    database: Database
    clock: Clock
    past: Past
    community: Community
    bulk: Bulk
    since: datetime | None
    rooms: Sequence[Place]
    progress: Progress
    closed: list[Closed] = field(default_factory=list)

    @property
    def read_rooms(self) -> int:
        """Return how many rooms are read as far as they are wanted."""
        return sum(map(self._is_read, self.rooms))

    def _is_read(self, place: Place) -> bool:
        """Say whether nothing is left to be read of a room, down to its beginning or to a moment."""
        return place.reached.done or self.past.reaches(place.reached.before, self.since)

    async def read(self) -> None:
        """Read all rooms, several side by side, each page stored before the next is asked for."""
        turns = iter([place for place in self.rooms if not self._is_read(place)])
        async with asyncio.TaskGroup() as group:
            for _number in range(self.past.side_by_side):
                group.create_task(self._take(turns))

    async def _take(self, turns: Iterator[Place]) -> None:
        for place in turns:
            try:
                while not self._is_read(place):
                    await self._step(place)
            except NotAllowed as error:
                self.closed.append(Closed(name=place.room.name, mend=str(error)))
            self.progress(self.read_rooms, len(self.rooms))

    async def _step(self, place: Place) -> None:
        """Read and store one page; one of which something changed meanwhile is read again."""
        async with self.database.read() as connection:
            await self._check(connection, place.room)
            arrived = await backfills.arrived(connection)
        page = await self._page(place)
        step = Step(
            space=self.past.space.ref,
            room=place.room.ref,
            messages=page.messages,
            reached=Reached(before=page.before, done=page.done),
            arrived=arrived,
        )
        work = functools.partial(backfills.store, intake=self.bulk.intake, step=step)
        if await self.bulk.store(work, read=len(page.messages)) is not None:
            place.reached = step.reached

    async def _page(self, place: Place) -> Page:
        """Read a page, and try again while the platform is away for a moment."""
        for pause in PAUSES:
            with contextlib.suppress(Gone):
                return await self.past.page(place.room, place.reached.before, since=self.since)
            await self.clock.sleep(pause)
        return await self.past.page(place.room, place.reached.before, since=self.since)

    async def _check(self, connection: Connection, room: Room) -> None:
        """Raise NotAllowed for a room that the staff do not want to be read; they may say so at any time."""
        if not (await policies.load(connection, self.community)).reads(room.home):
            raise NotAllowed("the staff chose that it is not read: /setup read")
