"""What is scheduled comes once, late, or not at all and then says so; staff change it; no mistake stops the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.core.actions import RunSchedule, SetSchedule, inverse
from bot.core.decisions import Decision, Receipt
from bot.core.errors import Unavailable
from bot.core.events import Arrival, MessagePosted, TimerFired
from bot.core.recurring import daily, every, weekly
from bot.jobs import EVERY, LOOK, SOON, Jobs
from bot.ticking import Recurring, Ticking
from brains.skills.skill import Skill
from storage import policies, schedules
from storage.schedules import Schedule
from storage.tables import LeaseRow
from tests.clocks import HastyClock, PatientClock
from tests.recording import ANA, SmallBot, small_bot
from tests.unit.test_recurring import WHENS, ZONES
from tests.words import MONDAY

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NEWS = Schedule(name="news.daily", does="tell the news", when=daily(9), late=2 * HOUR)
WEEK = Schedule(name="week.weekly", does="tell of the week", when=weekly("mon", 9), late=3 * DAY)
DONE = Receipt(state="done")


class Told:
    """Takes events as an inbox does: each key once."""

    def __init__(self) -> None:
        self.came: list[tuple[str, datetime]] = []
        self.away = False

    async def put(self, arrival: Arrival) -> bool:
        if self.away:
            raise Unavailable("the disk is full")
        event = arrival.event
        assert isinstance(event, TimerFired)
        one = (event.schedule, event.planned)
        new = one not in self.came
        self.came += [one] if new else []
        return new

    def at(self, name: str) -> list[str]:
        return [f"{planned:%m-%dT%H:%M}" for schedule, planned in self.came if schedule == name]


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home) as opened:
        await opened.follow(opened.posted("hello"))
        yield opened


@pytest.fixture
def told() -> Told:
    return Told()


def jobs(bot: SmallBot, told: Told, *known: Schedule, holder: str = "one") -> Jobs:
    return Jobs(database=bot.database, clock=bot.clock, put=told.put, holder=holder, schedules=known)


async def keep(bot: SmallBot, action) -> Receipt:
    return await bot.performer.keeper.act(bot.community, action)


async def kept(bot: SmallBot, schedule: Schedule):
    async with bot.database.read() as connection:
        return (await schedules.of(connection, bot.community)).get(schedule.name)


async def test_it_comes_once_at_its_hour_and_not_for_the_time_before_a_community(bot: SmallBot, told: Told) -> None:
    due = jobs(bot, told, NEWS, WEEK)
    assert await due.fire() == 0, "the community is younger than its last Monday at nine"
    for _hour in range(24 * 8):
        bot.clock.pass_by(3600)
        await due.fire()
        await jobs(bot, told, NEWS, WEEK).fire()
    assert told.at("week.weekly") == ["03-09T09:00"]
    assert told.at("news.daily") == [f"03-{day:02}T09:00" for day in range(3, 11)]
    assert (await kept(bot, NEWS)).missed == 0


async def test_of_several_that_were_missed_the_last_is_made_up_for_and_the_others_are_noted(
    bot: SmallBot, told: Told
) -> None:
    bot.clock.pass_by((3 * DAY + 22 * HOUR).total_seconds())
    assert await jobs(bot, told, NEWS).fire() == 1
    assert told.at("news.daily") == ["03-06T09:00"]
    last = await kept(bot, NEWS)
    assert (last.outcome, last.missed, f"{last.missed_at:%m-%d}") == ("came", 3, "03-05")


async def test_what_is_noticed_too_late_is_noted_and_does_not_come(bot: SmallBot, told: Told) -> None:
    bot.clock.pass_by((2 * DAY).total_seconds())
    assert await jobs(bot, told, NEWS).fire() == 0
    last = await kept(bot, NEWS)
    assert (told.came, last.outcome, last.missed) == ([], "missed", 2)
    bot.clock.pass_by((21 * HOUR + HOUR).total_seconds())
    assert await jobs(bot, told, NEWS).fire() == 1
    assert (await kept(bot, NEWS)).missed == 2


async def test_a_sweep_comes_only_where_somebody_is_due(bot: SmallBot, told: Told) -> None:
    waiting: list[str] = []

    async def due(_connection, _community, _now) -> list[str]:
        return waiting

    sweep = Schedule(name="look", does="look", when=every(5), due=due, late=10 * timedelta(minutes=1))
    mine = jobs(bot, told, sweep)
    bot.clock.pass_by(300)
    assert await mine.fire() == 0
    assert (await kept(bot, sweep)).outcome == "nobody"
    waiting.append("ana")
    bot.clock.pass_by((DAY + timedelta(minutes=1)).total_seconds())
    assert await mine.fire() == 1, "whoever was due is due still"
    assert told.at("look") == ["03-03T12:05"]
    assert (await kept(bot, sweep)).missed == 0, "looks that nobody took lose nothing"


async def test_where_nothing_can_be_stored_it_waits_and_nothing_is_lost(bot: SmallBot, told: Told) -> None:
    mine = jobs(bot, told, NEWS)
    bot.clock.pass_by((21 * HOUR).total_seconds())
    told.away = True
    with pytest.raises(Unavailable):
        await mine.fire()
    assert await kept(bot, NEWS) is None
    told.away = False
    assert [await mine.fire(), await mine.fire()] == [1, 0]
    assert told.at("news.daily") == ["03-03T09:00"]


async def test_a_sweep_that_fails_stops_nothing_else(bot: SmallBot, told: Told) -> None:
    async def due(_connection, _community, _now) -> list[str]:
        raise ZeroDivisionError

    broken = Schedule(name="broken", does="break", when=daily(8), due=due)
    bot.clock.pass_by((21 * HOUR).total_seconds())
    assert await jobs(bot, told, broken, NEWS).fire() == 1
    assert (await kept(bot, broken)).outcome == "missed"
    assert (await kept(bot, NEWS)).outcome == "came"


async def test_it_goes_by_the_time_zone_of_the_community(bot: SmallBot, told: Told) -> None:
    await bot.tune("time_zone", "Europe/Berlin")
    mine = jobs(bot, told, NEWS)
    for _hour in range(24 * 30):
        bot.clock.pass_by(3600)
        await mine.fire()
    # The clocks go forward on 29 March.
    assert told.at("news.daily")[24:28] == ["03-27T08:00", "03-28T08:00", "03-29T07:00", "03-30T07:00"]
    await bot.tune("time_zone", "America/New_York")
    bot.clock.pass_by((2 * HOUR).total_seconds())
    await mine.fire()
    assert told.at("news.daily")[-1] == "04-01T13:00"


async def test_without_a_time_of_its_own_it_comes_at_the_hour_of_the_day(bot: SmallBot, told: Told) -> None:
    await bot.tune("daily_hour", "20")
    plain = Schedule(name="plain", does="be plain")
    mine = jobs(bot, told, plain)
    for _hour in range(10):
        bot.clock.pass_by(3600)
        await mine.fire()
    assert told.at("plain") == ["03-02T20:00"]


async def test_the_staff_sets_pauses_and_takes_it_back(bot: SmallBot, told: Told) -> None:
    mine = jobs(bot, told, NEWS)
    sets = SetSchedule(name=NEWS.name, value="daily 14:00", by=ANA.ref)
    assert [await keep(bot, sets), await keep(bot, sets)] == [DONE, DONE]
    bot.clock.pass_by((3 * HOUR).total_seconds())
    assert await mine.fire() == 1
    assert told.at("news.daily") == ["03-02T14:00"]
    pause = SetSchedule(name=NEWS.name, value="off daily 14:00", before="daily 14:00", by=ANA.ref)
    assert await keep(bot, pause) == DONE
    bot.clock.pass_by((3 * DAY).total_seconds())
    assert await mine.fire() == 0
    back = inverse(pause, DONE)
    assert back == SetSchedule(name=NEWS.name, value="daily 14:00", before="off daily 14:00", by=ANA.ref)
    assert await keep(bot, back) == DONE
    assert await mine.fire() == 0, "what passed while it rested is not made up for"
    assert (await kept(bot, NEWS)).missed == 0
    bot.clock.pass_by(DAY.total_seconds())
    assert await mine.fire() == 1
    assert (await kept(bot, NEWS)).set_by == str(ANA.ref)


async def test_the_staff_lets_it_come_out_of_turn_once_even_where_it_rests(bot: SmallBot, told: Told) -> None:
    await keep(bot, SetSchedule(name=NEWS.name, value="off", by=ANA.ref))
    mine, now = jobs(bot, told, NEWS), bot.clock.now()
    ask = RunSchedule(name=NEWS.name, at=now, by=ANA.ref)
    assert await keep(bot, ask) == DONE
    assert [await mine.fire(), await mine.fire()] == [1, 0]
    assert await keep(bot, ask) == DONE, "again after a crash"
    assert await mine.fire() == 0
    assert told.came == [(NEWS.name, now)]
    assert inverse(ask, DONE) is None


async def test_jobs_sleep_until_the_next_one_and_wake_when_something_was_changed(bot: SmallBot, told: Told) -> None:
    clock = PatientClock()
    mine = Jobs(database=bot.database, clock=clock, put=told.put, holder="one", schedules=(NEWS,), look=DAY)
    await mine.fire()
    assert mine.seconds() == (21 * HOUR).total_seconds()
    await keep(bot, SetSchedule(name=NEWS.name, value="daily 12:30"))
    await mine.fire()
    assert mine.seconds() == 1800


async def test_what_the_staff_changes_is_looked_at_within_seconds(bot: SmallBot, told: Told) -> None:
    clock = PatientClock()
    mine = Jobs(database=bot.database, clock=clock, put=told.put, holder="one", alone=True, schedules=(NEWS,))
    life = asyncio.create_task(mine.run())
    try:
        async with asyncio.timeout(20):
            while not clock._sleepers:  # noqa: ASYNC110 - the process goes to sleep when it has looked
                await asyncio.sleep(0.01)
            await keep(bot, RunSchedule(name=NEWS.name, at=clock.now(), by=ANA.ref))
            mine.wake()
            while not told.came:
                if any(at - clock.now() <= timedelta(seconds=SOON) for at, *_ in clock._sleepers):
                    await clock.let_pass(SOON)
                await asyncio.sleep(0.01)
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
    assert clock.now() - MONDAY < LOOK, "nobody waits for the next look"
    async with bot.database.read() as connection:
        assert await connection.scalar(select(LeaseRow.holder)) is None, "who stops gives the lease back"


async def test_why_nothing_was_done_is_kept_and_what_was_set_meanwhile_holds(home: Path, told: Told) -> None:
    async def idle(_context) -> Decision:
        return Decision(skill="idle", actions=(), reason="nothing is new")

    skill = Skill(name="idle", purpose="Idling", propose=idle, hears=(TimerFired, MessagePosted))
    async with small_bot(home, skills=(skill,)) as bot:
        assert await bot.happens(bot.posted("hello")) is None, "of what was said, silence wants no reason"
        bot.clock.pass_by((21 * HOUR + timedelta(minutes=1)).total_seconds())

        async def put(arrival: Arrival) -> bool:
            await keep(bot, SetSchedule(name=NEWS.name, value="daily 08:30", by=ANA.ref))
            await bot.happens(arrival.event)
            return await told.put(arrival)

        mine = Jobs(database=bot.database, clock=bot.clock, put=put, holder="one", schedules=(NEWS,))
        assert await mine.fire() == 1
        async with bot.database.read() as connection:
            policy = (await policies.load(connection, bot.community)).policy
            [standing] = await schedules.standings(
                connection, bot.community, [NEWS], policy=policy, zone=UTC, now=bot.clock.now()
            )
        assert (standing.said, standing.kept.outcome, str(standing.when)) == ("nothing is new", "came", "daily 08:30")
        assert standing.kept.settled_at == bot.clock.now(), "and not its instant"


@settings(max_examples=40, deadline=None)
@given(
    when=WHENS,
    zone=ZONES,
    looks=st.lists(st.tuples(st.integers(1, 2 * 86_400), st.booleans()), min_size=1, max_size=30),
)
def test_every_instant_is_found_once_whenever_one_looks_and_whatever_is_restarted(when, zone, looks) -> None:
    clock, found, settled = HastyClock(MONDAY), [], MONDAY
    ticking = begun(clock, when, zone, settled)
    for seconds, restarted in looks:
        clock.pass_by(seconds)
        ticking = begun(clock, when, zone, settled) if restarted else ticking
        for job, times in ticking.due():
            found += times
            settled = times[-1]
            ticking.done(job, settled)
        assert ticking.next_at > clock.now()
    expected = []
    for instant in when.all_after(MONDAY, zone):
        if instant > clock.now():
            break
        expected.append(instant)
    assert found == expected


def begun(clock: HastyClock, when, zone, since: datetime) -> Ticking:
    """Begin as a process does that knows what is settled."""
    ticking, trigger = Ticking(clock), Recurring(when, zone)
    ticking.add_job(print, trigger, id="one", next_run_time=trigger.get_next_fire_time(since, since))
    return ticking


def test_each_schedule_has_a_name_of_its_own_that_says_what_for() -> None:
    names = [one.name for one in EVERY]
    assert len(set(names)) == len(names)
    assert all(one.does for one in EVERY)
