"""How likely a passage answers a question: a logistic model over a few signs, fitted by `kinfolk train answers`."""

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
    "after_question",
    "begins",
    "thanked",
    "length",
    "short",
    "place",
    "found",
    "question_found",
    "nearest_question",
    "replies",
    "form",
    "note",
    "entry",
    "across",
)
"""What a passage is judged by, in the order of the weights; `brains/knowledge/signs.py` says what each means."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """Weights (len(SIGNS),) on signs less their `middle` over their `spread`, a bias, and two thresholds.

    From `enough` on an answer is given to whoever asks; from `strong` on it may be given unasked. `besides` is how
    likely a further passage must be to answer too.
    """

    weights: Floats
    middle: Floats
    spread: Floats
    bias: float
    enough: float
    strong: float
    besides: float

    def probabilities(self, signs: Floats) -> Floats:
        """Return how likely each of passages answers (n,), from their signs (n, len(SIGNS))."""
        logits = ((signs - self.middle) / self.spread) @ self.weights + self.bias
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float64)

    def to_json(self) -> dict[str, object]:
        """Return what the shipped file holds."""
        return {
            "signs": {
                name: [round(float(one), 5) for one in each]
                for name, *each in zip(SIGNS, self.weights, self.middle, self.spread, strict=True)
            },
            "bias": round(self.bias, 5),
            "enough": round(self.enough, 4),
            "strong": round(self.strong, 4),
            "besides": round(self.besides, 4),
        }


def read(document: Mapping[str, object]) -> Model:
    """Read a model. Raises ValueError where the file was made for other signs."""
    signs = document["signs"]
    if not isinstance(signs, dict) or tuple(signs) != SIGNS:
        raise ValueError("the weights of answers were fitted for other signs; run kinfolk train answers")
    columns = np.array([signs[name] for name in SIGNS], dtype=np.float64)
    bias, enough, strong, besides = (float(str(document[name])) for name in ("bias", "enough", "strong", "besides"))
    return Model(
        weights=columns[:, 0],
        middle=columns[:, 1],
        spread=columns[:, 2],
        bias=bias,
        enough=enough,
        strong=strong,
        besides=besides,
    )


@functools.cache
def shipped() -> Model:
    """Return the model that is shipped."""
    return read(orjson.loads(SHIPPED.read_bytes()))


def stack(rows: Sequence[Mapping[str, float]]) -> Floats:
    """Put signs by name into a matrix (n, len(SIGNS)); a sign that is not named is 0."""
    return np.array([[row.get(name, 0.0) for name in SIGNS] for row in rows], dtype=np.float64).reshape(-1, len(SIGNS))
