"""Days and hours are those of the place, daylight saving included; a mood is told of enough people, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from bot.core.things import Audience, Channel, Ref
from brains.rhythm.pulse import Talk, Window, parts
from brains.rhythm.telling import called, signed
from brains.rhythm.trends import Mood, by_day, local, mood

BERLIN = ZoneInfo("Europe/Berlin")


def test_moments_are_read_on_the_clock_of_the_place_through_a_change_of_it():
    # 2026-10-25: 02:30 comes twice in Berlin.
    moments = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1, 2)]
    moments.append(datetime(2026, 10, 24, 22, 30, tzinfo=UTC))
    clock = local(np.array([one.timestamp() for one in moments]), BERLIN)
    assert clock.hours.tolist() == [2, 2, 3, 0]
    assert {date.fromordinal(day) for day in clock.days.tolist()} == {date(2026, 10, 25)}
    lord_howe = local(np.array([datetime(2026, 1, 1, 0, 0, tzinfo=UTC).timestamp()]), ZoneInfo("Australia/Lord_Howe"))
    assert lord_howe.hours.tolist() == [11]


def test_a_mood_is_told_of_enough_messages_and_people_alone():
    moods, authors = np.full(12, 0.5, np.float32), np.arange(12) % 4
    assert mood(moods, authors).mean == pytest.approx(0.5)
    assert mood(moods, authors % 2) is None, "two members are too few"
    assert mood(moods[:9], authors[:9]) is None, "nine messages are too few"
    moods[:3] = np.nan
    assert mood(moods, authors) is None, "what has no mood does not count"


def test_a_mood_is_less_sure_where_few_members_wrote_much_of_it():
    random = np.random.default_rng(0)
    tempers = random.normal(0, 0.4, 5)
    authors = np.repeat(np.arange(5), 40)
    moods = (tempers[authors] + random.normal(0, 0.1, 200)).astype(np.float32)
    clustered, alone = mood(moods, authors), mood(moods, np.arange(200))
    assert clustered.high - clustered.low > 2 * (alone.high - alone.low)
    assert clustered.mean == pytest.approx(alone.mean)


def test_moods_differ_where_the_interval_of_their_difference_leaves_zero_out():
    low, high = (
        mood(np.full(30, value, np.float32) + np.tile([0, 0.02, 0.04], 10), np.arange(30)) for value in (0.1, 0.3)
    )
    assert high.differs(low)
    assert not low.differs(low)


def test_a_window_counts_whole_days_and_as_much_before():
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    window = Window.ending(now, 7)
    assert window.since == datetime(2026, 11, 16, tzinfo=UTC)
    hours = [1, 13, 24 * 6 + 11, 24 * 6 + 13, 24 * 7 + 1, 24 * 13 + 11, 24 * 13 + 13, 24 * 40]
    times = np.array(sorted((now - timedelta(hours=hour)).timestamp() for hour in hours))
    talk = Talk(
        channels=np.ones(8, np.int64),
        authors=np.arange(8),
        times=times,
        documents=[()] * 8,
        texts=[""] * 8,
        moods=np.full(8, np.nan, np.float32),
    )
    room = Channel(id=1, ref=Ref("test", "1"), name="pier", description="", audience=Audience.EVERYONE)
    other = Channel(id=2, ref=Ref("test", "2"), name="loft", description="", audience=Audience.EVERYONE)
    whole, (first, second) = parts(talk, {1: room, 2: other}, window)
    assert (whole.messages, whole.messages_before, whole.people) == (3, 2, 3)
    assert (first.channel, first.messages, second.channel, second.messages) == (room, 3, other, 0)
    assert [day.messages for day in whole.days] == [1, 0, 0, 0, 0, 1, 1]
    assert sum(whole.hours) == 3
    assert whole.mood is None


def test_days_outside_are_not_counted():
    days = np.array([date(2026, 1, day).toordinal() for day in (1, 2, 2, 5)])
    assert by_day(days, date(2026, 1, 2), date(2026, 1, 4)).tolist() == [2, 0, 0]


def test_the_interval_of_a_mood_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(1)
    held = 0
    for _draw in range(300):
        tempers = random.normal(0.1, 0.2, 6)
        authors = random.integers(0, 6, 60)
        found = mood((tempers[authors] + random.normal(0, 0.3, 60)).astype(np.float32), authors)
        held += found.low <= 0.1 <= found.high
    assert 0.88 < held / 300 < 0.99


def test_a_mood_is_called_what_its_whole_interval_is():
    assert called(Mood(mean=0.3, low=0.1, high=0.5, n=50)) == "positive"
    assert called(Mood(mean=-0.3, low=-0.5, high=-0.1, n=50)) == "negative"
    assert called(Mood(mean=0.3, low=-0.1, high=0.7, n=50)) == "neutral"
    assert [signed(value) for value in (0.128, -0.128, -0.002)] == ["+0.13", "−0.13", "+0.00"]


def test_what_was_too_old_to_be_read_is_not_held_for_silence():
    """The kiln is spoken of evenly; of the four weeks before, one was read. The regatta is new."""
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    days = np.repeat(np.arange(14), 12)
    texts = ["the kiln" if at % 3 or day < 7 else "a regatta" for at, day in enumerate(days)]
    talk = Talk(
        channels=np.ones(len(days), np.int64),
        authors=np.arange(len(days)) % 5,
        times=now.timestamp() - (13.5 - days) * 86_400.0,
        documents=[(text.split()[1],) for text in texts],
        texts=texts,
        moods=np.full(len(days), np.nan, np.float32),
    )
    room = Channel(id=1, ref=Ref("test", "1"), name="pier", description="", audience=Audience.EVERYONE)
    window = Window.ending(now, 7)
    wide, _rooms = parts(talk, {1: room}, window)
    held, _rooms = parts(replace(talk, read=(now - timedelta(days=14)).timestamp()), {1: room}, window)
    [before], [after] = wide.change.rising, held.change.rising
    assert before.name == after.name == "regatta"
    assert before.times == pytest.approx(4 * after.times)
