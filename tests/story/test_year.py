"""A year of a community, by a clock of our own: everything comes at its hour, whatever the clocks and the bot do.

The bot looks when members of a real community wrote, is restarted every so often, and is away for more than a day. The
sample's hours are always told; those of a larger community where `HISTORY_DATA` names a folder that has its messages.
"""

from __future__ import annotations

import asyncio
import gzip
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest

from bot.core.actions import Say
from bot.core.decisions import Decision
from bot.core.events import Arrival, TimerFired, key
from bot.core.recurring import When, daily, every
from bot.jobs import SCHEDULES, Jobs
from brains.skills.skill import Skill
from storage import schedules
from storage.inbox import Inbox
from storage.schedules import Schedule
from tests.recording import GENERAL, SmallBot, small_bot
from tests.words import MONDAY

pytestmark = pytest.mark.slow

HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=365)
SAMPLE = Path(__file__).parents[2] / "bot" / "sample" / "messages.jsonl"
HISTORY = Path(os.environ.get("HISTORY_DATA", "")) / "zulip_bytecodealliance" / "messages.jsonl.gz"
AWAY = datetime(2026, 6, 9, 22, tzinfo=UTC), datetime(2026, 6, 11, 10, tzinfo=UTC)
LOOKS, RESTARTS = 40, 240
"""After how many messages the bot looks once more, and after how many it is restarted."""
MORNING = Schedule(name="test.morning", does="greet", when=daily(9))
NIGHT = Schedule(name="test.night", does="tell the hour", when=daily(2, 30), late=timedelta(minutes=30))


def telling(name: str) -> Skill:
    """Return a skill that says that a schedule came."""

    async def tell(context) -> Decision:
        words = Say(to=GENERAL.ref, text=f"{context.event.schedule} {context.event.planned:%Y-%m-%dT%H:%M}")
        return Decision(skill=name, actions=(words,), reason="it is time")

    return Skill(name=name, purpose="Telling", propose=tell, hears=(TimerFired,))


def wrote(path: Path) -> list[datetime]:
    """Return when messages were written, moved by whole weeks so that the newest year is the one that is told."""
    opened: Callable = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        times = sorted(_time(orjson.loads(line)["ts"]) for line in file if line.strip())
    moved = (MONDAY + YEAR - times[-1]) // timedelta(days=7) * timedelta(days=7)
    return [one + moved for one in times if one + moved > MONDAY]


def _time(ts: float | str) -> datetime:
    return datetime.fromtimestamp(ts, UTC) if isinstance(ts, int | float) else datetime.fromisoformat(ts)


@dataclass(kw_only=True)
class Life:
    """One bot through all its restarts, and what came when."""

    bot: SmallBot
    known: Sequence[Schedule]
    look: timedelta = 30 * DAY
    came: list[tuple[str, datetime, timedelta]] = field(default_factory=list)
    keys: Counter[str] = field(default_factory=Counter)
    restarts: int = 0

    def begin(self) -> None:
        """Start a process: nothing but the tables is known to it."""
        self.restarts += 1
        holder = f"process {self.restarts}"
        self.inbox = Inbox(self.bot.database, clock=self.bot.clock, holder=holder)
        self.jobs = Jobs(
            database=self.bot.database,
            clock=self.bot.clock,
            put=self.put,
            holder=holder,
            schedules=self.known,
            look=self.look,
        )

    async def put(self, arrival: Arrival) -> bool:
        new = await self.inbox.put(arrival)
        event = arrival.event
        assert isinstance(event, TimerFired)
        if new:
            self.keys[key(event)] += 1
            self.came.append((event.schedule, event.planned, event.at - event.planned))
            await self.bot.happens(event)
        return new

    async def until(self, moment: datetime) -> None:
        """Live until a moment: sleep as the process would, and look when it would."""
        while self.bot.clock.now() < moment:
            await self.jobs.fire()
            left = (moment - self.bot.clock.now()).total_seconds()
            self.bot.clock.pass_by(min(self.jobs.seconds(), left))
        await self.jobs.fire()

    def wall(self, name: str, zone: ZoneInfo) -> list[datetime]:
        """Return when a schedule came, as the clock on the wall showed it."""
        return [at.astimezone(zone).replace(tzinfo=None) for one, at, _late in self.came if one == name]


def moments(times: Sequence[datetime]) -> Iterator[tuple[datetime, bool]]:
    """Return when the bot looks beside its own hours, and whether it is restarted then."""
    for number, at in enumerate(times[::LOOKS]):
        if not AWAY[0] <= at < AWAY[1]:
            yield at, number % (RESTARTS // LOOKS) == 0


def expected(when: When, zone: ZoneInfo) -> list[datetime]:
    """Return the times on the wall at which something should come, as somebody with a calendar would."""
    first, last = (one.astimezone(zone).replace(tzinfo=None) for one in (MONDAY, MONDAY + YEAR))
    at = time(int(when.hour), int(when.minute))
    weekdays = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
    wanted = range(7) if when.days == "*" else [weekdays[one] for one in when.days.split(",")]
    days = [date.fromordinal(one) for one in range(first.toordinal(), last.toordinal() + 1)]
    return [one for day in days if day.weekday() in wanted and first < (one := datetime.combine(day, at)) <= last]


@pytest.mark.parametrize(
    ("path", "zone", "jump"),
    [
        pytest.param(SAMPLE, "Europe/Berlin", datetime(2026, 3, 29, 2, 30), id="sample"),  # noqa: DTZ001
        pytest.param(
            HISTORY,
            "America/New_York",
            datetime(2026, 3, 8, 2, 30),  # noqa: DTZ001
            id="history",
            marks=pytest.mark.skipif(not HISTORY.exists(), reason="HISTORY_DATA names no folder with the messages"),
        ),
    ],
)
@pytest.mark.long
async def test_a_year_brings_everything_at_its_hour_nothing_twice_and_loses_nothing_silently(
    home: Path, path: Path, zone: str, jump: datetime
) -> None:
    times, place = wrote(path), ZoneInfo(zone)
    known = [*(one for one in SCHEDULES if one.when and not one.when.is_often), MORNING, NIGHT]
    async with small_bot(home, skills=(telling("herald"), telling("shadow"))) as bot:
        await bot.follow(bot.posted("hello"))
        await bot.mode("herald", "act")
        await bot.tune("time_zone", zone)
        life = Life(bot=bot, known=known)
        life.begin()
        stops = [*moments(times), (AWAY[0], False), (MONDAY + YEAR, False)]
        for at, restarted in sorted(stops):
            await life.until(at)
            if at == AWAY[0]:
                bot.clock.pass_by((AWAY[1] - AWAY[0]).total_seconds())
            if restarted or at == AWAY[0]:
                life.begin()
        async with bot.database.read() as connection:
            kept = await schedules.of(connection, bot.community)
        assert life.restarts > 2
        assert set(life.keys.values()) == {1}
        gone = tuple(one.astimezone(place).replace(tzinfo=None) for one in AWAY)
        for one in known:
            wanted, came = expected(one.when, place), life.wall(one.name, place)
            # What is left out on the wall comes when the clocks have jumped.
            assert (jump in wanted) == (one is NIGHT)
            wanted = [jump.replace(hour=3, minute=0) if at == jump else at for at in wanted]
            lost = sorted(set(wanted) - set(came))
            assert set(came) <= set(wanted)
            assert kept[one.name].missed == len(lost), one.name
            assert all(gone[0] < at <= gone[1] for at in lost)
        assert kept[NIGHT.name].missed == 2, "too late for both nights"
        assert kept[MORNING.name].missed == 1, "one of the mornings"
        late = {planned for _name, planned, late in life.came if late > timedelta(seconds=1)}
        assert all(AWAY[0] < planned <= AWAY[1] for planned in late)
        assert Counter(bot.plaza.said) == Counter(f"{name} {at:%Y-%m-%dT%H:%M}" for name, at, _late in life.came)
        name, planned, _late = life.came[-1]
        trace = await bot.trace_of(key(TimerFired(schedule=name, planned=planned, at=planned)))
        assert trace is not None
        [watched] = [one for one in trace.verdict.rulings if trace.verdict.decisions[one.decision].skill == "shadow"]
        assert (watched.kept, watched.action.text) == (False, bot.plaza.said[-1]), "what would have been said"


WHERE = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai")
WANTED = {f"{zone} {when}": (when, ZoneInfo(zone)) for zone in WHERE for when in (daily(9), daily(2, 15), daily(1, 45))}


@pytest.mark.parametrize("begins", ["2026-03-28", "2026-04-04", "2026-10-03", "2026-10-31"])
async def test_a_sweep_sees_to_everybody_once_a_day_at_the_hour_on_their_own_wall(home: Path, begins: str) -> None:
    """Days about changes of these clocks, forward and back, swept every five minutes, restarted every seven hours."""
    seen: dict[str, list[datetime]] = defaultdict(list)
    first = datetime.fromisoformat(begins).replace(tzinfo=UTC) - 12 * HOUR

    async def due(_connection, _community, now: datetime) -> list[str]:
        return [who for who, (when, zone) in WANTED.items() if when.after((seen[who] or [first])[-1], zone) <= now]

    sweep = Schedule(
        name="test.personal", does="see to members", when=every(5), due=due, late=10 * timedelta(minutes=1)
    )

    async def see(context) -> Decision:
        for who in await due(None, None, context.now):
            seen[who].append(context.now)
        return Decision(skill="see", actions=(), reason="seen")

    seeing = Skill(name="see", purpose="Seeing", propose=see, hears=(TimerFired,))
    async with small_bot(home, skills=(seeing,)) as bot:
        await bot.follow(bot.posted("hello"))
        bot.clock.pass_by((first - MONDAY).total_seconds())
        life = Life(bot=bot, known=[sweep], look=HOUR)
        for _restart in range(9):
            life.begin()
            await life.until(bot.clock.now() + 7 * HOUR)
            await asyncio.sleep(0)
        end = bot.clock.now()
    for who, (when, zone) in WANTED.items():
        wanted = []
        for instant in when.all_after(first, zone):
            if instant > end:
                break
            wanted.append(instant)
        assert len(seen[who]) == len(wanted) >= 2, who
        delays = [at - planned for at, planned in zip(seen[who], wanted, strict=True)]
        assert all(timedelta(0) <= one < timedelta(minutes=5) for one in delays), who
        days = {at.astimezone(zone).date() for at in seen[who]}
        assert len(days) == len(seen[who]), f"{who}: once a day"
        assert all(after - before > 22 * HOUR for before, after in pairwise(seen[who]))
