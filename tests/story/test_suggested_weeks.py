"""Weeks of suggestions by a clock of our own: at each member's hour across daylight saving and restarts, none twice."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.app import open_app
from bot.core.actions import KeepSubscription, OpenDirect
from bot.core.events import Arrival
from bot.core.settings import Settings
from bot.core.things import Ref
from bot.harbour import HARBOUR
from bot.jobs import SWEEPS, Jobs
from brains.skills import suggest
from storage import communities
from storage.encodings import CachedEncoder
from storage.inbox import Inbox
from tests.clocks import HastyClock
from tests.command import Kinfolk
from tests.hashing import HashingEncoder
from tests.recording import Plaza, SmallBot, small_bot
from tests.story.town import LEFT_BEHIND

pytestmark = pytest.mark.slow

BEGIN = datetime(2027, 3, 22, 12, tzinfo=UTC)
"""Six days before the clocks of Berlin go forward, and eight after those of New York did."""
MEMBERS = {"marta": ("mon 9", "Europe/Berlin"), "priya": ("sun 21", "America/New_York"), "mei.c": ("wed 9", "UTC")}
SENDS = tuple(one for one in SWEEPS if one.name == suggest.SCHEDULE)


@dataclass(kw_only=True)
class Life:
    """The bot that suggests, through its restarts, and what members got when."""

    bot: SmallBot
    plaza: Plaza
    got: list[tuple[str, datetime, tuple[str, ...]]] = field(default_factory=list)
    restarts: int = 0

    def begin(self) -> None:
        """Start a process: nothing but the tables is known to it."""
        self.restarts += 1
        holder = f"process {self.restarts}"
        self.inbox = Inbox(self.bot.database, clock=self.bot.clock, holder=holder)
        self.jobs = Jobs(database=self.bot.database, clock=self.bot.clock, put=self.put, holder=holder, schedules=SENDS)

    async def put(self, arrival: Arrival) -> bool:
        new = await self.inbox.put(arrival)
        if new:
            before = len(self.plaza.done)
            await self.bot.happens(arrival.event)
            for letter in self.plaza.done[before:]:
                assert isinstance(letter, OpenDirect)
                rooms = tuple(one.data["channel"] for one in letter.buttons if one.press == "match.join")
                self.got.append((letter.member.id, self.bot.clock.now(), rooms))
        return new

    async def until(self, moment: datetime) -> None:
        """Look once an hour: of the instants that passed meanwhile the last one counts."""
        while self.bot.clock.now() < moment:
            await self.jobs.fire()
            self.bot.clock.pass_by(3600)

    async def wants(self, who: str, when: str) -> None:
        keep = KeepSubscription(member=Ref(HARBOUR.ref.platform, who), about="suggestions", when=when)
        assert (await self.bot.performer.keeper.act(self.bot.community, keep)).state == "done"


@pytest.fixture
async def life(founded: Path, home: Path) -> AsyncIterator[Life]:
    """Give the sample's town, whose members want suggestions, to a bot whose time we make."""
    await asyncio.to_thread(shutil.copytree, founded, home, symlinks=True, ignore=LEFT_BEHIND, dirs_exist_ok=True)
    clock = HastyClock(BEGIN)
    settings = Settings(_env_file=None, home=home, generator="none")
    plaza = Plaza()
    try:
        async with open_app(settings) as app:
            app.clock = clock
            app._encoder = CachedEncoder(HashingEncoder(), app.database)

            @contextlib.asynccontextmanager
            async def opened(_home: Path):
                yield app.database

            faculties = {"matchmaker": app.matchmaker, "encoder": app.encoder, "vectors": app.vectors}
            async with small_bot(home, skills=[suggest.SKILL], plaza=plaza, opened=opened, **faculties) as bot:
                async with app.database.read() as connection:
                    bot.community = await communities.find(connection, HARBOUR.name)
                bot.clock = clock
                object.__setattr__(bot.pipeline, "clock", clock)
                object.__setattr__(bot.performer, "clock", clock)
                object.__setattr__(bot.performer.keeper, "clock", clock)
                bot.performer.adapters[HARBOUR.ref.platform] = plaza
                await bot.tune("quiet_hours", "22-8")
                yield Life(bot=bot, plaza=plaza)
    finally:
        await asyncio.to_thread(Kinfolk(home=home).end_companions)


AWAY = datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2027, 3, 29, 4, tzinfo=UTC)
"""In which the bot is down: over the hour of one member, until midnight where she is."""


async def test_each_member_hears_at_their_hour_whatever_the_clocks_and_the_bot_do(life: Life) -> None:
    for who, (when, zone) in MEMBERS.items():
        await life.wants(who, f"weekly {when} {zone}")
    life.begin()
    await life.until(BEGIN + timedelta(days=2))
    life.begin()
    await life.until(AWAY[0])
    life.bot.clock.pass_by((AWAY[1] - AWAY[0]).total_seconds())
    life.begin()
    await life.until(BEGIN + timedelta(days=15))
    heard = {(who, at.astimezone(ZoneInfo(MEMBERS[who][1]))): rooms for who, at, rooms in life.got}
    assert len(heard) == len(life.got), "nobody heard twice at once"
    late = [(who, wall) for who, wall in heard if f"{wall:%a} {wall.hour}".lower() != MEMBERS[who][0]]
    assert [f"{who} {wall:%Y-%m-%d %H:%M}" for who, wall in late] == ["priya 2027-03-29 08:00"], "not at night"
    for who in MEMBERS:
        weeks = [wall.isocalendar()[:2] for one, wall in heard if one == who and (one, wall) not in late]
        assert len(weeks) == len(set(weeks)), "once a week"
        offered = [room for (one, _wall), rooms in heard.items() if one == who for room in rooms]
        assert len(offered) == len(set(offered)), "within a month nothing comes twice"
        assert bool(offered) == (who != "mei.c"), "nothing fits her, so nothing is sent"
