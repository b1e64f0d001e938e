"""What comes again and again: at its hour on the wall, through every change of the clocks there, and in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import recurring, zones
from bot.core.errors import Mistake
from bot.core.recurring import DAYS, When, daily, every, hourly, read, weekly

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "when", "moment", "instants"),
    [
        # 02:00 to 03:00 is left out on 29 March: the first instant after the gap; and comes twice on 25 October.
        ("Europe/Berlin", daily(2, 30), "2026-03-27T12:00", ["03-28T01:30", "03-29T01:00", "03-30T00:30"]),
        ("Europe/Berlin", daily(2, 30), "2026-10-23T12:00", ["10-24T00:30", "10-25T00:30", "10-26T01:30"]),
        ("Europe/Berlin", daily(9), "2026-03-27T12:00", ["03-28T08:00", "03-29T07:00", "03-30T07:00"]),
        ("Europe/Berlin", weekly("mon", 9), "2026-03-23T09:00", ["03-30T07:00", "04-06T07:00"]),
        ("America/New_York", daily(2, 15), "2026-03-06T12:00", ["03-07T07:15", "03-08T07:00", "03-09T06:15"]),
        ("America/New_York", daily(1, 30), "2026-10-31T12:00", ["11-01T05:30", "11-02T06:30"]),
        ("America/New_York", weekly("sun,wed", 9), "2026-10-29T00:00", ["11-01T14:00", "11-04T14:00", "11-08T14:00"]),
        # Half an hour: 02:00 to 02:30 is left out on 4 October, and 01:30 to 02:00 comes twice on 5 April.
        ("Australia/Lord_Howe", daily(2, 15), "2026-10-02T00:00", ["10-02T15:45", "10-03T15:30", "10-04T15:15"]),
        ("Australia/Lord_Howe", daily(1, 45), "2026-04-03T00:00", ["04-03T14:45", "04-04T14:45", "04-05T15:15"]),
        ("Asia/Shanghai", daily(9), "2026-03-28T12:00", ["03-29T01:00", "03-30T01:00"]),
        ("Asia/Shanghai", weekly("mon-fri", 18, 30), "2026-10-23T12:00", ["10-26T10:30", "10-27T10:30"]),
        # A day that did not exist on Samoa comes at its end.
        ("Pacific/Apia", daily(9), "2011-12-29T00:00", ["12-29T19:00", "12-30T10:00", "12-30T19:00"]),
        ("Europe/Berlin", hourly(15), "2026-03-29T00:30", ["03-29T01:15", "03-29T02:15"]),
        ("Asia/Kolkata", every(20), "2026-03-29T00:30", ["03-29T00:40", "03-29T01:00", "03-29T01:20"]),
    ],
)
def test_it_comes_at_its_hour_on_the_wall(zone: str, when: When, moment: str, instants: list[str]) -> None:
    year = moment[:5]
    found = list(islice(when.all_after(utc(moment), ZoneInfo(zone)), len(instants)))
    assert found == [utc(year + one) for one in instants]
    assert when.after(utc(moment), ZoneInfo(zone)) == found[0]


def fields(most: int) -> st.SearchStrategy[str]:
    """Return expressions of a field of cron: every value, steps, one, several, and spans."""
    one = st.integers(0, most)
    spans = st.tuples(one, one).map(sorted).map(lambda ends: f"{ends[0]}-{ends[1]}")
    return st.one_of(
        st.just("*"),
        st.integers(2, 12).map(lambda step: f"*/{step}"),
        one.map(str),
        st.lists(one, min_size=1, max_size=3, unique=True).map(lambda some: ",".join(map(str, some))),
        spans,
    )


SOME_DAYS = st.one_of(
    st.just("*"), st.lists(st.sampled_from(DAYS), min_size=1, unique=True).map(lambda some: ",".join(some))
)
WHENS = st.builds(When, days=SOME_DAYS, hour=fields(23), minute=fields(59))
FIRST, LAST = datetime(2000, 1, 1), datetime(2036, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
ZONES = st.sampled_from(sorted(zones.NAMES)).map(ZoneInfo)


def values(expression: str, most: int) -> set[int]:
    """Read a field of cron as its manual says."""
    if expression == "*":
        return set(range(most + 1))
    if expression.startswith("*/"):
        return set(range(0, most + 1, int(expression[2:])))
    if "-" in expression:
        first, last = map(int, expression.split("-"))
        return set(range(first, last + 1))
    return set(map(int, expression.split(",")))


def by_looking(when: When, zone: ZoneInfo, since: datetime, until: datetime) -> list[datetime]:
    """Look at the clock on the wall each minute: what it shows for the first time, or jumps over, comes then."""
    place = UTC if when.hour == "*" else zone
    hours, minutes = values(when.hour, 23), values(when.minute, 59)
    days = set(range(7)) if when.days == "*" else {DAYS.index(one) for one in when.days.split(",")}
    found, moment = [], since
    furthest = max((since - n * MINUTE).astimezone(place).replace(tzinfo=None) for n in range(2 * 24 * 60))
    while (moment := moment + MINUTE) <= until:
        shown = moment.astimezone(place).replace(tzinfo=None)
        passed = [furthest + n * MINUTE for n in range(1, int((shown - furthest) / MINUTE) + 1)]
        if any(one.minute in minutes and one.hour in hours and one.weekday() in days for one in passed):
            found.append(moment)
        furthest = max(furthest, shown)
    return found


def around_a_change(zone: ZoneInfo, moment: datetime) -> datetime:
    """Return a day before the clocks of a zone change next within a year of a moment, or the moment itself."""
    days = [moment + n * DAY for n in range(366)]
    changes = (
        one for one, after in pairwise(days) if one.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset()
    )
    return next(changes, moment)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(when=WHENS, zone=ZONES, start=MOMENTS, more=st.integers(0, 1439))
def test_it_comes_as_one_sees_who_looks_at_the_clock_all_the_time(
    when: When, zone: ZoneInfo, start: datetime, more: int
) -> None:
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    since = around_a_change(zone, midnight) - DAY + more * MINUTE
    until = since + 3 * DAY
    found: list[datetime] = []
    for instant in when.all_after(since, zone):
        if instant > until:
            break
        found.append(instant)
    assert found == by_looking(when, zone, since, until)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    when=WHENS,
    zone=ZONES,
    start=MOMENTS,
    cuts=st.lists(st.integers(0, 7 * 86_400)),
)
def test_wherever_one_begins_again_nothing_is_left_out_or_comes_twice(
    when: When, zone: ZoneInfo, start: datetime, cuts: list[int]
) -> None:
    since = around_a_change(zone, start) - DAY
    until = since + 7 * DAY
    whole, pieces = [], []
    for instant in when.all_after(since, zone):
        if instant > until:
            break
        whole.append(instant)
    for first, last in pairwise([since, *sorted(since + timedelta(seconds=one) for one in cuts), until]):
        for instant in when.all_after(first, zone):
            if instant > last:
                break
            pieces.append(instant)
    assert pieces == whole


@pytest.mark.parametrize(
    ("words", "when"),
    [
        ("daily 09:00", daily(9)),
        ("Daily at 9", daily(9)),
        ("09:00", daily(9)),
        ("every day 9pm", daily(21)),
        ("daily 12am", daily(0)),
        ("mon 09:00", weekly("mon", 9)),
        ("weekly mon 9", weekly("mon", 9)),
        ("every Monday at 9:30", weekly("mon", 9, 30)),
        ("thu, mon 18:30", weekly("mon,thu", 18, 30)),
        ("mondays and thursdays 18:30", weekly("mon,thu", 18, 30)),
        ("mon-fri 08:00", weekly("mon-fri", 8)),
        ("weekdays 8", weekly("mon-fri", 8)),
        ("weekends 10:00", weekly("sat,sun", 10)),
        ("hourly", hourly()),
        ("hourly :15", hourly(15)),
        ("every 5 minutes", every(5)),
        ("每天 9点", daily(9)),
        ("每天9点半", daily(9, 30)),
        ("每周一 09：00", weekly("mon", 9)),
        ("周一、周四 18点5分", weekly("mon,thu", 18, 5)),
        ("星期天 20:00", weekly("sun", 20)),
        ("工作日 8点", weekly("mon-fri", 8)),
        ("每小时", hourly()),
    ],
)
def test_words_say_when(words: str, when: When) -> None:
    assert read(words) == when
    assert read(str(when)) == when, "what is shown can be typed"


@pytest.mark.parametrize(
    "words",
    [
        *("", "soon", "mon", "weekly", "daily 24:00", "daily 9:60", "daily 13pm", "noneday 9:00", "fri-mon 9"),
        *("every 7 minutes", "every 0 minutes", "every 60 minutes", "hourly :60", "mon,, 9 10", "☀ 9:00"),
        "daily 09:00:00",
    ],
)
def test_what_nobody_understands_is_refused_with_examples(words: str) -> None:
    with pytest.raises(Mistake, match="daily 09:00"):
        read(words)


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_whatever_is_typed_is_read_or_refused(words: str) -> None:
    try:
        assert isinstance(read(words), When)
    except Mistake:
        assert words is not None


def test_a_step_that_does_not_go_into_an_hour_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="hour"):
        recurring.every(7)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("america/new york", "America/New_York"),
        ("shanghai", "Asia/Shanghai"),
        (" utc ", "UTC"),
    ],
)
def test_a_zone_is_found_however_it_is_written(wanted: str, name: str) -> None:
    assert zones.named(wanted) == name


@pytest.mark.parametrize(
    ("wanted", "near"),
    [("Europe/Berlinn", "Europe/Berlin"), ("shangai", "Asia/Shanghai"), ("louisville", "America/Kentucky/Louisville")],
)
def test_a_zone_that_is_not_there_brings_those_that_are_near(wanted: str, near: str) -> None:
    with pytest.raises(Mistake, match="Did you mean") as refused:
        zones.named(wanted)
    assert near in str(refused.value)
    with pytest.raises(Mistake, match="Europe/Berlin or Asia/Shanghai"):
        zones.named("7777")


async def test_every_zone_that_may_be_named_can_be_opened() -> None:
    for name in sorted(zones.NAMES):
        assert (await zones.opened(name)).key == name
