"""How often somebody wants something: read from what they say, and come by the clock of where they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import Mistake
from bot.core.rhythms import Rhythm, parse, stored

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Shanghai",
    "Pacific/Apia",
    "America/Sao_Paulo",
)
RHYTHMS = st.builds(Rhythm, hour=st.integers(0, 23), zone=st.sampled_from(ZONES), weekday=st.none() | st.integers(0, 6))
MOMENTS = st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("daily", "daily 8 Asia/Tokyo"),
        ("daily 7", "daily 7 Asia/Tokyo"),
        ("Daily 07:00 europe/berlin", "daily 7 Europe/Berlin"),
        ("daily 21 New York", "daily 21 America/New_York"),
        ("daily 21 New_York", "daily 21 America/New_York"),
        ("weekly", "weekly mon 8 Asia/Tokyo"),
        ("weekly Friday", "weekly fri 8 Asia/Tokyo"),
        ("weekly sun 18 UTC", "weekly sun 18 UTC"),
        ("每天 8 Asia/Shanghai", "daily 8 Asia/Shanghai"),
        ("每周五 9点 Shanghai", "weekly fri 9 Asia/Shanghai"),
        ("monthly", None),
        ("daily 24", None),
        ("daily 8 Berlln", None),
        ("daily 8 UTC please", None),
    ],
)
def test_it_is_read_as_it_is_said(said: str, read: str | None) -> None:
    if read is None:
        with pytest.raises(Mistake):
            parse(said, zone="Asia/Tokyo")
        return
    found = parse(said, zone="Asia/Tokyo")
    assert found is not None
    assert str(found) == read
    assert stored(read) == found


@pytest.mark.parametrize("said", ["off", "OFF", "stop", "关闭"])
def test_off_is_none(said: str) -> None:
    assert parse(said) is None
    assert stored("off") is None


@pytest.mark.parametrize(
    ("zone", "hour", "after", "comes"),
    [
        ("Europe/Berlin", 8, "2026-03-28T12:00", "2026-03-29T06:00"),
        ("Europe/Berlin", 8, "2026-10-24T12:00", "2026-10-25T07:00"),
        ("Europe/Berlin", 2, "2026-03-28T12:00", "2026-03-29T01:00"),
        ("Europe/Berlin", 2, "2026-10-24T12:00", "2026-10-25T00:00"),
        ("America/New_York", 2, "2026-03-07T12:00", "2026-03-08T07:00"),
        ("America/New_York", 1, "2026-10-31T12:00", "2026-11-01T05:00"),
        ("Australia/Lord_Howe", 2, "2026-10-03T00:00", "2026-10-03T15:30"),
        ("Asia/Shanghai", 8, "2026-03-28T12:00", "2026-03-29T00:00"),
    ],
)
def test_the_clock_may_leave_an_hour_out_or_have_it_twice(zone: str, hour: int, after: str, comes: str) -> None:
    moment, expected = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (after, comes))
    assert Rhythm(hour=hour, zone=zone).after(moment) == expected


@given(RHYTHMS, MOMENTS)
def test_it_comes_every_day_or_every_week_once(rhythm: Rhythm, moment: datetime) -> None:
    first = rhythm.after(moment)
    second = rhythm.after(first)
    apart = second - first
    usual = timedelta(days=1 if rhythm.weekday is None else 7)
    assert first > moment
    assert abs(apart - usual) <= timedelta(days=1), "a place may skip a day of the calendar"
    assert apart > timedelta(0)
    assert rhythm.last(second) == second
    assert rhythm.last(second - timedelta(seconds=1)) == first
    local = first.astimezone(ZoneInfo(rhythm.zone))
    assert (local.hour - rhythm.hour) % 24 in {0, 1}, "an hour later where the clock leaves it out"
    assert stored(str(rhythm)) == rhythm
