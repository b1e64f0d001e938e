"""From a share of preference to a probability: how likely somebody joins a channel within the horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from brains.matching.choice import softmax

if TYPE_CHECKING:
    from brains.matching.choice import Doubles
    from brains.matching.corpus import Mask
    from brains.matching.rehearsal import Rehearsals

START = (1.0, 0.5, -2.0)
"""Before anything is known: the odds are those of the share, times how readily such members move at all."""

RIDGE = 4.0
"""Pull towards START."""

STEPS = 25
BINS = 10
SMALLEST = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """Platt scaling over members: the log-odds are `slope` x those of the share + `activity` x theirs + `bias`."""

    slope: float = START[0]
    activity: float = START[1]
    bias: float = START[2]

    @classmethod
    def learn(cls, rehearsals: Rehearsals, weights: Doubles) -> Self:
        """Fit on who came to which channel and who to none, each member counting for those they stand for."""
        features, came, say = _cases(rehearsals, weights)
        found = np.array(START)
        for _ in range(STEPS):
            chance = 1 / (1 + np.exp(-features @ found))
            gradient = features.T @ (say * (came - chance)) - RIDGE * (found - START)
            curve = (features * (say * chance * (1 - chance))[:, None]).T @ features + RIDGE * np.eye(len(START))
            step = np.linalg.solve(curve, gradient)
            found = found + np.clip(step, -1, 1)
            if np.abs(step).max() < SMALLEST:
                break
        slope, activity, bias = (float(value) for value in found)
        return cls(slope=max(slope, 0.0), activity=activity, bias=bias)

    def of(self, shares: Doubles, activity: float) -> Doubles:
        """Return the chance of each channel (c,) for a member with this activity, ln(1 + faded messages)."""
        return np.asarray(1 / (1 + np.exp(-(self.slope * _odds(shares) + self.activity * activity + self.bias))))


def error(rehearsals: Rehearsals, weights: Doubles, chances: Chances | None) -> float:
    """Return the expected calibration error over ten equally full bins; of the plain share without `chances`."""
    features, came, say = _cases(rehearsals, weights)
    if not len(came):
        return 0.0
    told = chances or Chances(slope=1.0, activity=0.0, bias=0.0)
    foretold = 1 / (1 + np.exp(-features @ np.array([told.slope, told.activity, told.bias])))
    return calibration_error(foretold, came, say)


def calibration_error(foretold: Doubles, came: Mask | Doubles, say: Doubles) -> float:
    """Return the weighted mean distance of what was foretold (n,) and what came (n,), in ten equally full bins."""
    order = np.argsort(foretold, kind="stable")
    gaps = [float(abs((say[rows] * (foretold[rows] - came[rows])).sum())) for rows in np.array_split(order, BINS)]
    return sum(gaps) / float(say.sum())


def _cases(rehearsals: Rehearsals, weights: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Lay out every open channel of every member: log-odds of the share, activity and 1; what came; its say."""
    some = rehearsals.where(np.asarray((~rehearsals.closed).any(axis=1)))
    rows, channels = np.nonzero(~some.closed)
    logits = np.where(some.closed, -np.inf, some.features @ weights)
    shares = softmax(logits)[rows, channels] if len(rows) else np.zeros(0)
    features = np.column_stack([_odds(shares), some.activity[rows], np.ones(len(rows))])
    return features, some.wanted[rows, channels].astype(np.float64), some.stands[rows].astype(np.float64)


def _odds(shares: Doubles) -> Doubles:
    kept = np.clip(shares, SMALLEST, 1 - SMALLEST)
    return np.asarray(np.log(kept / (1 - kept)))
