"""What an evaluation reports: our figures beside the baselines of the same run, with intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from brains.evals.metrics import Interval, Values, bootstrap, means

if TYPE_CHECKING:
    from collections.abc import Mapping

Measured = dict[str, Values]
"""A measure's name to its value for every asker (n,), all in the same order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Ours against the baseline that is best by `metric`, with 95 % intervals over the askers."""

    metric: str
    ours: Interval
    baseline: str
    difference: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The result of one run; `n` askers (members, or texts)."""

    task: str
    n: int
    ours: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    comparison: Comparison
    seconds: float
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, object]:
        """Return the document that `kinfolk eval --json` prints."""
        return {**asdict(self), "notes": list(self.notes)}


def compare(ours: Measured, baselines: Mapping[str, Measured], metric: str) -> Comparison:
    """Set ours against the best baseline by `metric`; the difference is resampled in pairs."""
    best = max(baselines, key=lambda name: (float(baselines[name][metric].mean()), name))
    gain = ours[metric] - baselines[best][metric]
    return Comparison(
        metric=metric,
        ours=bootstrap(ours[metric]),
        baseline=best,
        difference=round(float(gain.mean()), 4),
        interval=bootstrap(gain),
    )


def report(
    task: str,
    *,
    ours: Measured,
    baselines: Mapping[str, Measured],
    metric: str,
    seconds: float,
    notes: tuple[str, ...] = (),
    also: Mapping[str, float] | None = None,
) -> Evaluation:
    """Sum up one run; `also` are figures of ours that no baseline has."""
    return Evaluation(
        task=task,
        n=len(ours[metric]),
        ours={**means(ours), **(also or {})},
        baselines={name: means(measured) for name, measured in baselines.items()},
        comparison=compare(ours, baselines, metric),
        seconds=round(seconds, 1),
        notes=notes,
    )
