"""What `kinfolk eval moderation` reports: sections with our figures beside the rivals' of the same run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from brains.evals.metrics import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brains.evals.metrics import Values

DRAWS = 1_000
THRESHOLDS = 101

Measures = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the report: what was judged, on how many texts, and the measures of each judge; ours comes first."""

    name: str
    n: int
    judges: Mapping[str, Measures]
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All sections of one run."""

    sections: Sequence[Section]
    seconds: float

    def to_json(self) -> dict[str, object]:
        """Return the document that `kinfolk eval moderation --json` prints; `ours` of one section is flat."""
        ours = {one.name: dict(one.judges[OURS]) for one in self.sections}
        rivals: dict[str, dict[str, Measures]] = {}
        for one in self.sections:
            for name, measures in one.judges.items():
                if name != OURS:
                    rivals.setdefault(name, {})[one.name] = measures
        single = len(self.sections) == 1
        return {
            "task": "moderation",
            "n": sum(one.n for one in self.sections),
            "ours": next(iter(ours.values())) if single else ours,
            "baselines": {name: next(iter(of.values())) if single else of for name, of in rivals.items()},
            "sections": [asdict(one) for one in self.sections],
            "seconds": round(self.seconds, 1),
        }


OURS = "kinfolk"


def classified(labels: Values, said: Values, threshold: float) -> Measures:
    """Measure yes or no at a threshold, and the ranking."""
    yes = said >= threshold
    bad = labels == 1
    return {
        "accuracy": round(float(accuracy_score(labels, yes)), 4),
        "macro_f1": round(float(f1_score(labels, yes, average="macro")), 4),
        "precision": round(float(bad[yes].mean()), 4) if yes.any() else 0.0,
        "recall": round(float(yes[bad].mean()), 4),
        "false": round(float(yes[~bad].mean()), 4),
        "auroc": round(float(roc_auc_score(labels, said)), 4),
    }


def best_threshold(labels: Values, said: Values, metric: str) -> float:
    """Choose the threshold by which a metric is best on texts that are not the test; the middle of equals."""
    tried = np.unique(np.quantile(said, np.linspace(0.02, 0.98, THRESHOLDS)))
    values = [_metric(labels, said >= one, metric) for one in tried]
    return float(np.median(tried[np.array(values) >= max(values) - 1e-12]))


def _metric(labels: Values, yes: Values, metric: str) -> float:
    return float(accuracy_score(labels, yes) if metric == "accuracy" else f1_score(labels, yes, average="macro"))


def threshold_for(others: Values, share: float) -> float:
    """Return the lowest threshold that at most a share of harmless texts (n,) reaches."""
    allowed = int(share * len(others))
    return float(np.nextafter(np.sort(others)[::-1][allowed], np.inf)) if len(others) else float("inf")


def recall_at(labels: Values, said: Values, share: float) -> float:
    """Return the recall where at most `share` of the harmless texts judged here are called bad."""
    return float((said[labels == 1] >= threshold_for(said[labels == 0], share)).mean())


def recall_interval(labels: Values, said: Values, share: float, *, groups: Values | None = None) -> Interval:
    """Estimate a 95 % bootstrap interval of that recall; with `groups` (n,), near-copies are drawn together."""
    random = np.random.default_rng(0)
    whose = np.arange(len(labels), dtype=np.float64) if groups is None else groups
    names, place = np.unique(whose, return_inverse=True)
    members = np.split(np.argsort(place, kind="stable"), np.cumsum(np.bincount(place))[:-1])
    found = []
    for _draw in range(DRAWS):
        drawn = np.concatenate([members[at] for at in random.integers(0, len(names), len(names))])
        if 0 < labels[drawn].sum() < len(drawn):
            found.append(recall_at(labels[drawn], said[drawn], share))
    low, high = np.percentile(found, [2.5, 97.5])
    return Interval(low=round(float(low), 4), high=round(float(high), 4))
