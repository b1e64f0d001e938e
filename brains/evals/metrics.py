"""How good a ranking is, and how sure we are: measures per asker, their means, and bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

Values = npt.NDArray[np.float64]

DRAWS = 5_000
"""Bootstrap samples; the ends of a 95 % interval then move by less than .002 from seed to seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A 95 % percentile bootstrap interval of a mean."""

    low: float
    high: float


def hit(ranked: Sequence[int], relevant: Set[int], k: int) -> float:
    """Return 1 if any of the first k is relevant, else 0."""
    return float(any(item in relevant for item in ranked[:k]))


def ndcg(ranked: Sequence[int], relevant: Set[int], k: int) -> float:
    """Return nDCG@k with gain 1 and discount 1 / log2(rank + 1), after Järvelin and Kekäläinen 2002."""
    found = sum(1 / np.log2(place + 2) for place, item in enumerate(ranked[:k]) if item in relevant)
    best = sum(1 / np.log2(place + 2) for place in range(min(k, len(relevant))))
    return float(found / best) if best else 0.0


def reciprocal_rank(ranked: Sequence[int], relevant: Set[int]) -> float:
    """Return 1 / rank of the first relevant item, 0 if there is none."""
    return next((1 / (place + 1) for place, item in enumerate(ranked) if item in relevant), 0.0)


def bootstrap(values: Values, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Estimate a 95 % interval for the mean of values (n,), resampling askers. Raises ValueError if there are none."""
    if not len(values):
        raise ValueError("an interval needs at least one value")
    random = np.random.default_rng(seed)
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in range(draws)]
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(low=float(low), high=float(high))


def clustered(values: Values, clusters: Sequence[str], *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Estimate a 95 % interval for the mean of values (n,), resampling whole clusters (n names), such as members.

    Cases of one cluster are no independent witnesses. Raises ValueError if there are none.
    """
    if not len(values):
        raise ValueError("an interval needs at least one value")
    names, whose = np.unique(np.asarray(clusters), return_inverse=True)
    sums, sizes = np.bincount(whose, values), np.bincount(whose).astype(np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(names), (draws, len(names)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [2.5, 97.5])
    return Interval(low=float(low), high=float(high))


def means(measured: Mapping[str, Values]) -> dict[str, float]:
    """Average each measure over the askers."""
    return {name: round(float(values.mean()), 4) for name, values in measured.items()}
