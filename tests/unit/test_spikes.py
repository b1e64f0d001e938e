"""Spikes: the rule and what it takes beside, seasons, thin and busy channels, and how rare counts are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy.stats import nbinom

from brains.rhythm import spikes
from brains.rhythm.spikes import HOUR, WEEK, WEEKS, find, goes_on, rhythm, tail

END = 500 * WEEK * HOUR
HOURS = WEEKS * WEEK


def within(count: int, minutes: float, now: float) -> np.ndarray:
    return now - np.linspace(minutes * 60 - 1, 1, count)


def everyone(count: int, people: int) -> list[int]:
    return [number % people for number in range(count)]


def office(rate: float) -> np.ndarray:
    """So many messages in each hour from nine to five, and none else."""
    hours = np.arange(HOURS) % 24
    return np.where((hours >= 9) & (hours < 17), rate, 0.0)


@given(some.integers(1, 200), some.floats(0.01, 100), some.floats(0.05, 20))
def test_the_tail_is_that_of_a_negative_binomial(count: int, mean: float, dispersion: float) -> None:
    size = 1 / dispersion
    assert tail(count, mean, dispersion) == pytest.approx(nbinom.sf(count - 1, size, size / (size + mean)), abs=1e-9)


def test_what_is_usual_follows_the_hours_of_the_week_and_the_last_weeks() -> None:
    usual = rhythm(office(10.0), END)
    assert usual.expected(END + 10 * HOUR, END + 11 * HOUR) == pytest.approx(10, rel=0.25)
    assert usual.expected(END + 2 * HOUR, END + 3 * HOUR) < 1
    grown = rhythm(office(2.0) + np.where(np.arange(HOURS) > HOURS - 2 * WEEK, office(8.0), 0.0), END)
    assert (
        grown.expected(END + 10 * HOUR, END + 11 * HOUR)
        > rhythm(office(2.0), END).expected(END + 10 * HOUR, END + 11 * HOUR) * 1.5
    )


def test_a_thin_channel_leans_on_the_season_of_the_whole_community() -> None:
    thin = np.zeros(HOURS)
    thin[[100, 400, 700]] = 1
    usual = rhythm(thin, END, everywhere=office(50.0)[-2 * WEEK :])
    assert usual.expected(END + 10 * HOUR, END + 11 * HOUR) > 3 * usual.expected(END + 2 * HOUR, END + 3 * HOUR)


def test_a_spike_takes_twenty_messages_and_four_times_what_is_usual() -> None:
    quiet, now = rhythm(np.zeros(HOURS), END), END + 10.5 * HOUR
    assert find(within(19, 20, now), everyone(19, 9), now, quiet) is None
    found = find(within(20, 20, now), everyone(20, 9), now, quiet)
    assert found is not None
    assert (found.count, found.seconds) == (20, 1800)
    busy = rhythm(office(20.0), END, people=np.full(HOURS, 3.0))
    assert find(within(60, 55, now), everyone(60, 30), now, busy) is None, "three times as many"
    assert find(within(120, 55, now), everyone(120, 30), now, busy) is not None


def test_two_who_talk_where_that_is_often_so_are_no_spike_but_many_are() -> None:
    counts = np.zeros(HOURS)
    counts[::150] = 30
    people = np.where(counts > 0, 2.0, 0.0)
    usual, now = rhythm(counts, END, people=people), END + 7.5 * HOUR
    assert find(within(30, 25, now), everyone(30, 2), now, usual) is None
    assert find(within(30, 25, now), everyone(30, 8), now, usual) is not None
    assert find(within(60, 25, now), everyone(60, 2), now, usual) is not None, "more than there ever was"


def test_what_goes_on_takes_half_of_what_begins() -> None:
    quiet, now = rhythm(np.zeros(HOURS), END), END + HOUR
    assert goes_on(within(10, 50, now), now, quiet)
    assert not goes_on(within(9, 50, now), now, quiet)
    assert not goes_on(within(30, 50, now - HOUR), now, quiet)


def test_an_excitement_does_not_make_the_next_one_usual() -> None:
    once = office(1.0)
    once[600] = 400
    assert rhythm(once, END).expected(END + 10 * HOUR, END + 11 * HOUR) < 2 * rhythm(office(1.0), END).expected(
        END + 10 * HOUR, END + 11 * HOUR
    )
    assert spikes.part(rhythm(once, END), 0.1).rates.sum() == pytest.approx(0.1 * rhythm(once, END).rates.sum())
