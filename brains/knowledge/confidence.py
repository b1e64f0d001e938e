"""Which passage answers best, and how likely it is to: two linear models, fitted by `kinfolk train answers`."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Floats = npt.NDArray[np.float64]

SHIPPED = Path(__file__).parent / "shipped" / "answers.json"
SIGNS = (
    "cosine",
    "cosine_above",
    "whole_above",
    "beside",
    "conversation",
    "rank",
    "rank_there",
    "coverage",
    "coverage_around",
    "rarest",
    "rarest_around",
    "unknown",
    "asks",
    "wonders",
    "starter",
    "after_question",
    "soon_after",
    "asked_itself",
    "advises",
    "decides",
    "troubled",
    "begins",
    "thanked",
    "length",
    "short",
    "place",
    "found",
    "behind",
    "question_found",
    "nearest_question",
    "replies",
    "form",
    "note",
    "entry",
    "across",
)
"""What a passage is judged by, in the order of the weights; `brains/knowledge/signs.py` says what each means."""

ASSURANCES = ("nearest", "score", "ahead", "after_question", "coverage_around")
"""What says how sure the best passage is: the question's best cosine; its score, how far this lies above the sixth's,
how like the question is what was asked before it, and how much of the question its conversation has."""
RIVALS = 5
"""Passages behind the best one, beyond which its score is compared."""
_COSINE, _WONDERS, _AFTER, _AROUND = (
    SIGNS.index(name) for name in ("cosine", "wonders", "after_question", "coverage_around")
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linear:
    """Weights (n,) on columns less their `middle` over their `spread`, and a bias."""

    weights: Floats
    middle: Floats
    spread: Floats
    bias: float = 0.0

    def __call__(self, columns: Floats) -> Floats:
        """Return the values (m,) of rows (m, n)."""
        return np.asarray(((columns - self.middle) / self.spread) @ self.weights + self.bias, dtype=np.float64)

    def to_json(self, names: Sequence[str]) -> dict[str, list[float]]:
        """Return weight, middle and spread by the names of the columns."""
        return {
            name: [round(float(one), 5) for one in each]
            for name, *each in zip(names, self.weights, self.middle, self.spread, strict=True)
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """What ranks passages by their SIGNS, what says how sure the best one is, by ASSURANCES, and thresholds.

    A sign that does not apply is NaN, as what was said before it is for a piece of a file; then it has what answers
    `usually` have (len(SIGNS),). From `enough` on an answer is given to whoever asks; how sure one must be that nobody
    asked for is policy. `besides` is how likely a further passage must be to answer too.
    """

    ranking: Linear
    sureness: Linear
    usually: Floats
    enough: float
    besides: float

    def scores(self, signs: Floats) -> Floats:
        """Return how well each passage (n,) answers, from signs (n, len(SIGNS)); comparable within one question."""
        return self.ranking(np.where(np.isnan(signs), self.usually, signs))

    def probabilities(self, signs: Floats) -> Floats:
        """Return how likely each of passages answers (n,), from their signs (n, len(SIGNS)).

        None is likelier than one with a higher score, and what only asks does not answer.
        """
        known = np.where(np.isnan(signs), self.usually, signs)
        scores = self.ranking(known)
        tells = known[:, _WONDERS] < 1
        logits = np.where(tells, self.sureness(assurances(known, scores)), -np.inf)
        order = np.lexsort((-scores, ~tells))
        likely = np.minimum.accumulate(1 / (1 + np.exp(-np.clip(logits[order], -30, 30))))
        found = np.empty(len(known), dtype=np.float64)
        found[order] = likely * (1 - 1e-6 * np.arange(len(known)))
        return found

    def to_json(self) -> dict[str, object]:
        """Return what the shipped file holds."""
        ranked = self.ranking.to_json(SIGNS)
        return {
            "signs": {name: [*ranked[name], round(float(at), 5)] for name, at in zip(SIGNS, self.usually, strict=True)},
            "assurances": self.sureness.to_json(ASSURANCES),
            "bias": round(self.sureness.bias, 5),
            "enough": round(self.enough, 4),
            "besides": round(self.besides, 4),
        }


def assurances(signs: Floats, scores: Floats) -> Floats:
    """Return for each passage (n, len(ASSURANCES)) what would say how sure it is if it were the best one."""
    sixth = np.sort(scores)[::-1][min(RIVALS, len(scores) - 1)] if len(scores) else 0.0
    nearest = np.full(len(scores), signs[:, _COSINE].max(initial=0.0))
    return np.column_stack([nearest, scores, scores - sixth, signs[:, _AFTER], signs[:, _AROUND]])


def read(document: Mapping[str, object]) -> Model:
    """Read a model. Raises ValueError where the file was made for other signs."""
    signs = _columns(document, "signs", SIGNS)
    sure = _columns(document, "assurances", ASSURANCES)
    bias, enough, besides = (float(str(document[name])) for name in ("bias", "enough", "besides"))
    return Model(
        ranking=Linear(weights=signs[:, 0], middle=signs[:, 1], spread=signs[:, 2]),
        sureness=Linear(weights=sure[:, 0], middle=sure[:, 1], spread=sure[:, 2], bias=bias),
        usually=signs[:, 3],
        enough=enough,
        besides=besides,
    )


def _columns(document: Mapping[str, object], part: str, names: Sequence[str]) -> Floats:
    held = document.get(part)
    if not isinstance(held, dict) or tuple(held) != tuple(names):
        raise ValueError("the weights of answers were fitted for other signs; run kinfolk train answers")
    return np.array([held[name] for name in names], dtype=np.float64)


@functools.cache
def shipped() -> Model:
    """Return the model that is shipped."""
    return read(orjson.loads(SHIPPED.read_bytes()))


def stack(rows: Sequence[Mapping[str, float]]) -> Floats:
    """Put signs by name into a matrix (n, len(SIGNS)); a sign that is not named is 0."""
    return np.array([[row.get(name, 0.0) for name in SIGNS] for row in rows], dtype=np.float64).reshape(-1, len(SIGNS))
