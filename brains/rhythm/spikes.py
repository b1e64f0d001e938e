"""Finds spikes: far more than is usual at this hour of the week, and more than the bursts of chat explain. Pure.

What is counted may be the messages of a channel, those with a term, or those in a bad mood. What is usual is a level
that follows the last weeks, times a season over the hours of the week that leans on the whole community's where a
channel has said little. Counts stray from it as a negative binomial does, and two members who talk for an hour are no
excitement: it takes more messages than the busiest hour of the last weeks had, or more members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = npt.NDArray[np.float64]

HOUR = 3_600.0
WEEK = 168
"""Hours of a week."""
WEEKS = 8
"""Weeks of the past that say what is usual."""
SEASON = 2 * WEEK
"""Hours of the past that say at which hours of the week a whole community talks."""
YOUNG = 48
"""Hours after its first message in which everything in a channel is new."""
LEAST, TIMES = 20, 4.0
"""The rule: so many messages at least, and so many times what is expected."""
WINDOWS = (900.0, 1_800.0, 3_600.0)
"""Seconds that are looked back on: a short window sees a burst early, a long one a slow rise."""
CALM = 0.98
"""Quantile of the busy hours above which they are cut: the last excitement does not make the next one usual."""
PRIOR = 24.0
"""Hours that the mean of all weeks weighs in the level."""
HALF_MESSAGE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a spike takes; chosen on the first halves of four communities' times (decision 40).

    `chance`: how rarely as much comes by itself, at most. `busier`: times the messages of the busiest hour there was,
    without more members. `half_life`: days after which an hour counts half for the level. `lean`: messages for each
    hour of the week by which a season leans on the community's. `bursts`: the dispersion of a channel that has said
    nothing yet, worth `known` squared messages of its own.
    """

    least: int = LEAST
    times: float = TIMES
    chance: float = 0.01
    busier: float = 1.25
    half_life: float = 14.0
    lean: float = 4.0
    bursts: float = 8.0
    known: float = 1.0
    windows: tuple[float, ...] = WINDOWS


FIGURES = Figures()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rhythm:
    """What is usual: messages an hour for each hour of the week (168,), and how far counts stray (`dispersion`).

    `most` and `people` are the messages and the members of the busiest hours of the last weeks.
    """

    rates: Floats
    dispersion: float
    most: float = 0.0
    people: float = 0.0

    def expected(self, begin: float, end: float) -> float:
        """Return how many messages are usual between two instants in Unix seconds."""
        edges = np.arange(np.floor(begin / HOUR) * HOUR, end, HOUR)
        inside = np.minimum(edges + HOUR, end) - np.maximum(edges, begin)
        hours = (edges // HOUR).astype(np.int64) % WEEK
        return float((self.rates[hours] * inside).sum() / HOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """So many messages in the last seconds where so many are expected; `chance` is how rarely as much comes."""

    count: int
    expected: float
    seconds: float
    chance: float


def rhythm(
    counts: Floats,
    end: float,
    *,
    people: Floats | None = None,
    everywhere: Floats | None = None,
    figures: Figures = FIGURES,
) -> Rhythm:
    """Learn what is usual from messages by hour (h,), the last of them ending at `end`, a whole hour in Unix seconds.

    `people` are the members by hour (h,). `everywhere` are the messages of the whole community by hour, on whose
    season a channel that said little leans; without, on its own over the neighbouring hours.
    """
    hours, calm = _hours(counts, end), _calmed(counts)
    profile = _profile(calm, hours) if everywhere is None else _profile(_calmed(everywhere), _hours(everywhere, end))
    season = _season(calm, hours, profile, figures)
    age = (len(counts) - np.arange(len(counts))) / 24.0
    weights = 0.5 ** (age / figures.half_life)
    usual = (calm.sum() + HALF_MESSAGE) / max(len(counts), 1)
    level = (weights @ calm + PRIOR * usual) / (float(weights @ season[hours]) + PRIOR)
    rates = level * season
    return Rhythm(
        rates=rates,
        dispersion=_dispersion(counts, rates[hours], figures),
        most=float(counts.max(initial=0.0)),
        people=float(people.max(initial=0.0)) if people is not None else 0.0,
    )


def _hours(counts: Floats, end: float) -> npt.NDArray[np.int64]:
    """Return of which hour of the week each count is (h,)."""
    return np.asarray((int(end // HOUR) - len(counts) + np.arange(len(counts))) % WEEK, dtype=np.int64)


def _calmed(counts: Floats) -> Floats:
    """Cut the busiest hours."""
    busy = counts[counts > 0]
    top = max(float(np.quantile(busy, CALM)), 4.0) if len(busy) else 4.0
    return np.minimum(counts, top)


def _profile(counts: Floats, hours: npt.NDArray[np.int64]) -> Floats:
    """Return how busy each hour of the week is (168,), 1 in the mean: smoothed over its neighbours, nowhere zero."""
    rate = np.bincount(hours, counts, WEEK) / np.maximum(np.bincount(hours, minlength=WEEK), 1)
    smooth = np.zeros(WEEK)
    for shift, weight in ((-2, 1), (-1, 2), (0, 3), (1, 2), (2, 1)):
        smooth += weight * np.roll(rate, shift)
    return np.asarray(0.9 * smooth / smooth.mean() + 0.1) if smooth.any() else np.ones(WEEK)


def _season(counts: Floats, hours: npt.NDArray[np.int64], profile: Floats, figures: Figures) -> Floats:
    """Return the season (168,): the posterior mean of a gamma prior around the profile, 1 in the mean."""
    rate = float(counts.mean()) if len(counts) else 0.0
    sums, seen = np.bincount(hours, counts, WEEK), np.bincount(hours, minlength=WEEK)
    season = (sums + figures.lean * profile) / (seen * rate + figures.lean)
    return np.asarray(season / season.mean())


def _dispersion(counts: Floats, usual: Floats, figures: Figures) -> float:
    """Estimate by moments how far counts stray: their variance is m + dispersion * m squared."""
    more = float(((counts - usual) ** 2 - counts).sum())
    weight = float((usual**2).sum())
    return max((more + figures.bursts * figures.known) / (weight + figures.known), 0.05)


def part(whole: Rhythm, share: float, figures: Figures = FIGURES) -> Rhythm:
    """Return what is usual of a part of the messages, which comes in bursts at least as much as the whole."""
    return Rhythm(rates=whole.rates * share, dispersion=max(whole.dispersion, figures.bursts))


def tail(count: int, expected: float, dispersion: float) -> float:
    """Return the probability of `count` or more, by a negative binomial of this mean and dispersion."""
    if count <= 0:
        return 1.0
    size = 1.0 / dispersion
    rare = expected / (size + expected)
    steps = np.arange(1, count)
    logs = np.concatenate([[0.0], np.cumsum(np.log((size + steps - 1.0) / steps) + np.log(max(rare, 1e-12)))])
    return float(max(1.0 - np.exp(logs + size * np.log1p(-rare)).sum(), 0.0))


def find(times: Floats, authors: Sequence[int], now: float, usual: Rhythm, figures: Figures = FIGURES) -> Spike | None:
    """Return the spike that is on now, by the rarest of its windows; None where nothing is unusual.

    `times` (n,) are those of the last hour at least, sorted, in Unix seconds; `authors` (n) name who wrote.
    """
    found: list[Spike] = []
    for seconds in figures.windows:
        first, last = (int(at) for at in np.searchsorted(times, [now - seconds, now], "right"))
        expected = usual.expected(now - seconds, now)
        if _is_spike(authors[first:last], expected, usual, figures):
            chance = tail(last - first, expected, usual.dispersion)
            found.append(Spike(count=last - first, expected=expected, seconds=seconds, chance=chance))
    return min(found, key=lambda one: (one.chance, -one.count), default=None)


def _is_spike(authors: Sequence[int], expected: float, usual: Rhythm, figures: Figures) -> bool:
    """Say whether messages of these authors are a spike where so many are expected."""
    count = len(authors)
    if count < figures.least or count < figures.times * expected:
        return False
    if count <= figures.busier * usual.most and len(set(authors)) <= usual.people:
        return False
    return tail(count, expected, usual.dispersion) <= figures.chance


def goes_on(times: Floats, now: float, usual: Rhythm, figures: Figures = FIGURES) -> bool:
    """Say whether an excitement that was told of goes on: in the last hour there is half of what a spike takes."""
    first, last = np.searchsorted(times, [now - HOUR, now], "right")
    count = int(last - first)
    return count >= figures.least / 2 and count >= figures.times / 2 * usual.expected(now - HOUR, now)
