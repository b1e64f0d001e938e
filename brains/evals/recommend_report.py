"""What `eval recommend --rolling` tells: ours beside every peer, and ours without each signal, with intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from brains.evals.metrics import Interval, clustered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brains.evals.evaluation import Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """One less another in a measure, with the 95 % interval over members."""

    difference: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """The result of one run; `n` cases of `members` at `cuts`.

    `versus` is ours less a peer, by peer and measure; `spread` the standard deviation over seeds of a peer that is
    fitted by chance, `settings` what each peer chose at each cut. `without` is ours without a signal less ours, `alone`
    one signal less ours. `calibration` is that of our probabilities, over all members and channels open to them.
    """

    task: str
    n: int
    members: int
    cuts: Sequence[str]
    ours: Mapping[str, float]
    intervals: Mapping[str, Interval]
    baselines: Mapping[str, Mapping[str, float]]
    spread: Mapping[str, Mapping[str, float]]
    versus: Mapping[str, Mapping[str, Versus]]
    settings: Mapping[str, Mapping[str, Mapping[str, float]]]
    without: Mapping[str, Mapping[str, Versus]] = field(default_factory=dict)
    alone: Mapping[str, Mapping[str, Versus]] = field(default_factory=dict)
    calibration: Mapping[str, float] = field(default_factory=dict)
    by_cut: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the document that `kinfolk eval --json` prints."""
        return {**asdict(self), "notes": list(self.notes)}


def versus(one: Measured, other: Measured, members: Sequence[str]) -> dict[str, Versus]:
    """Set one against another in every measure, case by case, resampling members with all their cases."""
    return {
        name: Versus(
            difference=round(float((one[name] - other[name]).mean()), 4),
            interval=clustered(one[name] - other[name], members),
        )
        for name in one
    }
