"""At which hours of the week somebody is there: smoothed histograms, compared by cosine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brains.matching.corpus import unit

if TYPE_CHECKING:
    from brains.matching.corpus import Floats, Ids, Times

WEEK, DAY_HOURS = 168, 24
SPREAD = 1.5
"""Standard deviation in hours of the bell by which each moment counts for its neighbours."""
ANY_DAY = 0.5
"""Share that a moment counts for the same hour of every day: few messages tell the hour before they tell the day."""


def of_week(times: Times) -> Ids:
    """Return the hour of the week, 0 to 167, of each moment (n,) in seconds since the epoch."""
    return np.asarray(times // 3600 % WEEK, dtype=np.int64)


def histogram(owners: Ids, hours: Ids, weights: Floats, count: int) -> Floats:
    """Return smoothed unit histograms (count, 168) of weighted hours (n,) by owner; zeros for who has none."""
    return unit(_tally(owners, hours, weights, count) @ _BELL)


def _tally(owners: Ids, hours: Ids, weights: Floats, count: int) -> Floats:
    if not len(hours):
        return np.zeros((count, WEEK), dtype=np.float32)
    places = np.bincount(owners * WEEK + hours, weights, count * WEEK)
    return np.asarray(places.reshape(count, WEEK), dtype=np.float32)


def _bell() -> Floats:
    """Return (168, 168): how much a moment in one hour counts for every other."""
    apart = np.abs(np.arange(WEEK)[:, None] - np.arange(WEEK))
    apart_of_week = np.minimum(apart, WEEK - apart)
    apart_of_day = np.minimum(apart % DAY_HOURS, DAY_HOURS - apart % DAY_HOURS)
    near, alike = (np.exp(-0.5 * (far / SPREAD) ** 2) for far in (apart_of_week, apart_of_day))
    return np.asarray((1 - ANY_DAY) * near / near.sum(0) + ANY_DAY * alike / alike.sum(0), dtype=np.float32)


_BELL = _bell()
