"""Trying peers at many cuts: settings chosen on the windows that had closed before each, and seeds averaged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from brains.evals.recommend import METRIC, measure, ranked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from brains.evals.evaluation import Measured
    from brains.evals.metrics import Values
    from brains.evals.recommend import Split
    from brains.evals.recommend_peers import Known, Peer, Setting


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """A cut with what is known before it and what comes until it closes.

    `counts` says whether it is judged; the others only choose settings. `soon` are first uses within the time that our
    probabilities speak of.
    """

    cut: datetime
    closes: float
    known: Known
    counts: bool
    soon: Mapping[int, frozenset[int]] = field(default_factory=dict)

    @property
    def parts(self) -> Split:
        """Return history and test."""
        return self.known.split


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """A peer over all windows that count: measures of each case, averaged over seeds; their spread over seeds.

    `settings` are those chosen at each cut.
    """

    measured: Measured
    spread: Mapping[str, float]
    settings: Mapping[str, Setting]


def tried(peer: Peer, windows: Sequence[Window], seeds: int, step: Callable[[], None]) -> Trial:
    """Try a peer in every window, by its best setting of the time; `step` is told of each window and setting done."""
    first = [[_measured(peer, window, setting, 0, step) for setting in peer.settings] for window in windows]
    judged = [at for at, window in enumerate(windows) if window.counts]
    chosen = {at: _chosen(first, windows, at) for at in judged}
    runs = [pooled([first[at][chosen[at]] for at in judged])]
    for seed in range(1, seeds if peer.chance else 1):
        run = [_measured(peer, windows[at], peer.settings[chosen[at]], seed, step) for at in judged]
        runs.append(pooled(run))
    return Trial(
        measured={name: np.mean([run[name] for run in runs], axis=0) for name in runs[0]},
        spread=_spread(runs) if peer.chance else {},
        settings={f"{windows[at].cut:%Y-%m-%d}": peer.settings[chosen[at]] for at in judged if peer.settings[0]},
    )


def steps(peers: Sequence[Peer], windows: Sequence[Window], seeds: int) -> int:
    """Count the steps of trying these peers."""
    counting = sum(window.counts for window in windows)
    return sum(len(windows) * len(peer.settings) + (seeds - 1) * counting * peer.chance for peer in peers)


def pooled(parts: Sequence[Measured]) -> Measured:
    """Put the cases of several windows behind each other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _measured(peer: Peer, window: Window, setting: Setting, seed: int, step: Callable[[], None]) -> Measured:
    scores: Values = peer.score(window.known, setting, seed)
    step()
    return measure(window.parts, ranked(window.parts, scores))


def _chosen(first: Sequence[Sequence[Measured]], windows: Sequence[Window], at: int) -> int:
    """Return the setting that was best over the cases of all windows closed by this cut; the first without one."""
    past = [row for row, window in zip(first, windows, strict=True) if window.closes <= windows[at].cut.timestamp()]
    if not past:
        return 0
    means = [np.concatenate([row[setting][METRIC] for row in past]).mean() for setting in range(len(past[0]))]
    return int(np.argmax(np.round(means, 9)))


def _spread(runs: Sequence[Measured]) -> dict[str, float]:
    return {name: round(float(np.std([run[name].mean() for run in runs])), 4) for name in runs[0]}
