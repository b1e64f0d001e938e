"""Of several processes on the same tables one lets come what is scheduled; another takes over when that one is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.core.recurring import daily
from bot.jobs import LEASE, Jobs
from storage import communities, schedules, spaces
from storage.db import Database
from storage.inbox import Inbox
from storage.schedules import Schedule
from tests.clocks import HastyClock, PatientClock
from tests.words import MONDAY, named

NEWS = Schedule(name="news.daily", does="tell the news", when=daily(9))


@pytest.fixture
async def second(database_url: str, database: Database, home: Path) -> AsyncIterator[Database]:
    """Give a second connection to the same database, as another process would have it."""
    async with Database.open(database_url, home=home) as opened:
        yield opened


@pytest.fixture(autouse=True)
async def place(database: Database) -> None:
    async def begin(connection) -> None:
        community = await communities.find_or_make(connection, "harbour", MONDAY)
        await spaces.belong(connection, named("harbour"), community)

    await database.write(begin)


def jobs(database: Database, clock, holder: str, *, alone: bool = False) -> Jobs:
    inbox = Inbox(database, clock=clock, holder=holder)
    return Jobs(database=database, clock=clock, put=inbox.put, holder=holder, alone=alone, schedules=(NEWS,))


async def timers(database: Database) -> list[str]:
    async with database.read() as connection:
        found = await connection.execute(text("SELECT key FROM inbox WHERE key LIKE 'timer %' ORDER BY id"))
        return [row[0].rpartition(" ")[2][:16] for row in found]


async def test_one_fires_and_the_other_takes_over_when_its_lease_ends(database: Database, second: Database) -> None:
    clock = HastyClock(MONDAY)
    one, other = jobs(database, clock, "one"), jobs(second, clock, "other")
    clock.pass_by(timedelta(hours=21).total_seconds())
    assert [await one.fire(), await other.fire(), await one.fire()] == [1, 0, 0]
    clock.pass_by((timedelta(hours=24) - LEASE / 2).total_seconds())
    assert await one.fire() == 0
    clock.pass_by((LEASE / 2).total_seconds())
    assert await other.fire() == 0, "the first holds it still"
    clock.pass_by((LEASE / 2).total_seconds())
    assert [await other.fire(), await one.fire()] == [1, 0], "the first is gone"
    assert await timers(database) == ["2026-03-03T09:00", "2026-03-04T09:00"]


async def test_were_two_to_fire_at_once_one_event_would_come(database: Database, second: Database) -> None:
    clock = HastyClock(MONDAY)
    one, other = jobs(database, clock, "same"), jobs(second, clock, "same")
    clock.pass_by(timedelta(hours=21).total_seconds())
    await asyncio.gather(one.fire(), other.fire())
    assert await timers(database) == ["2026-03-03T09:00"]
    async with database.read() as connection:
        community = await communities.find(connection, "harbour")
        kept = (await schedules.of(connection, community))[NEWS.name]
    assert (kept.outcome, kept.missed) == ("came", 0)


async def test_who_stops_gives_the_lease_back_and_who_is_alone_takes_it(database: Database, second: Database) -> None:
    clock = PatientClock()
    one, other = jobs(database, clock, "one"), jobs(second, clock, "other")
    life = asyncio.create_task(one.run())
    await holds(database, "one")
    assert await other.fire() == 0
    life.cancel()
    await asyncio.gather(life, return_exceptions=True)
    await other.fire()
    await holds(second, "other")
    third = asyncio.create_task(jobs(second, clock, "third", alone=True).run())
    await holds(second, "third")
    third.cancel()
    await asyncio.gather(third, return_exceptions=True)


async def holds(database: Database, holder: str) -> None:
    """Wait until a process holds the lease."""
    async with asyncio.timeout(30):
        while True:
            async with database.read() as connection:
                found = (await connection.execute(text("SELECT holder FROM lease WHERE name = 'jobs'"))).scalar()
            if found == holder:
                return
            await asyncio.sleep(0.01)
