"""How much was said and in what mood, by day and hour: counts and means with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, tzinfo

    from brains.matching.corpus import Floats, Ids, Times

QUARTER = 900
"""Seconds in which no zone changes its clock twice: what is read of the zone once for all moments in them."""
HOURS = 24
FEWEST, VOICES = 10, 3
"""Messages and people from which a mood is told: below, it would be chance, and what one member feels."""
FEWEST_DAYS, USUAL_DAYS, MOST_DAYS = 7, 30, 90
"""How far back somebody may look, and does if nothing is said."""
SURE = 0.975
"""Quantile of Student's t on either side of which a mean lies in 5 of 100 cases, with a degree of freedom a member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """The mean of p(positive) - p(negative) of `n` messages, -1 to 1, and its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int

    def differs(self, other: Mood) -> bool:
        """Say whether two moods differ by more than chance: the interval of their difference leaves out nothing at all.

        The standard error of a difference of two independent means is the root of the sum of their squares.
        """
        wide = np.hypot(self.high - self.low, other.high - other.low) / 2
        return abs(self.mean - other.mean) > float(wide)


def mood(moods: Floats, authors: Ids) -> Mood | None:
    """Sum up the moods (n,) of messages by authors (n,); None where too few spoke. NaN is no mood.

    What one member writes is of one temper: the standard error counts members (cluster-robust, Liang and Zeger 1986).
    """
    from scipy import stats  # takes a second, which whoever reads no pulse does without

    told = np.isfinite(moods)
    values, whose = moods[told].astype(np.float64), np.unique(authors[told], return_inverse=True)[1]
    people = int(whose.max(initial=-1)) + 1
    if len(values) < FEWEST or people < VOICES:
        return None
    mean = float(values.mean())
    apart = np.bincount(whose, values - mean)
    grouped = np.sqrt(people / (people - 1) * (apart**2).sum()) / len(values)
    # Of few members the first is often too small by chance: never less than if every message were somebody else's.
    error = float(max(grouped, values.std(ddof=1) / np.sqrt(len(values))) * stats.t.ppf(SURE, people - 1))
    low, high = max(-1.0, mean - error), min(1.0, mean + error)
    return Mood(mean=mean, low=low, high=high, n=len(values))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Local:
    """Moments (n,) on the clock of a place: `days` (n,) as ordinals (1 is 0001-01-01) and `hours` (n,), 0 to 23."""

    days: Ids
    hours: Ids


def local(times: Times, zone: tzinfo) -> Local:
    """Read moments (n,), seconds since the epoch, on the clock of a zone."""
    quarters, place = np.unique(np.floor_divide(times, QUARTER), return_inverse=True)
    moments = [datetime.fromtimestamp(float(one) * QUARTER, UTC).astimezone(zone) for one in quarters]
    days = np.array([one.toordinal() for one in moments], dtype=np.int64)
    hours = np.array([one.hour for one in moments], dtype=np.int64)
    return Local(days=days[place], hours=hours[place])


def by_day(days: Ids, first: date, last: date) -> Ids:
    """Count messages a day (m,) from the first day to the last, inclusive."""
    start, count = first.toordinal(), (last - first).days + 1
    inside = (days >= start) & (days < start + count)
    return np.bincount(days[inside] - start, minlength=count).astype(np.int64)


def by_hour(hours: Ids) -> Ids:
    """Count messages an hour of the day (24,)."""
    return np.bincount(hours, minlength=HOURS).astype(np.int64)


def moods_by_day(days: Ids, moods: Floats, authors: Ids, first: date, last: date) -> list[Mood | None]:
    """Sum up the mood of each day from the first to the last, inclusive."""
    return [mood(moods[here], authors[here]) for here in (days == day.toordinal() for day in span(first, last))]


def span(first: date, last: date) -> Sequence[date]:
    """Return the days from the first to the last, inclusive."""
    return [first + timedelta(days=at) for at in range((last - first).days + 1)]
