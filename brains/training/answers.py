"""Fits how likely a passage answers a question: logistic regression on the signs of what was found for questions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from brains.knowledge.confidence import Model, stack
from brains.training.questions import Case, Without

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from brains.knowledge.answering import Answerer
    from brains.knowledge.confidence import Floats
    from storage.channels import Reach

STRENGTH = 0.3
"""scikit-learn's C, on signs of unit spread."""
FOLDS = 5
PRECISION = 0.9
"""The share of what is cited that shall answer."""

Flags = "npt.NDArray[np.bool_]"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What was found for one question: signs (n, d), which of them answer (n,), what each counts in fitting (n,)."""

    signs: Floats
    answers: npt.NDArray[np.bool_]
    counts: Floats
    answerable: bool
    weight: float
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A model, and how it does on questions that its fold did not see: by threshold, and as a ranking."""

    model: Model
    auroc: float
    first: float
    precision: float
    answered: float


async def gather(
    answerer: Answerer,
    cases: Sequence[Case],
    *,
    reach: Reach,
    weight: float = 1.0,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[Seen]:
    """Look at what is found for each case."""
    found = []
    for at, case in enumerate(cases):
        hiding = (
            replace(answerer, finder=Without(finder=answerer.finder, hidden=case.hidden)) if case.hidden else answerer
        )
        _asked, _conversations, judged = await hiding.look(case.text, reach=reach)
        numbers = [0 if one.passage.is_note else one.passage.number for one in judged]
        found.append(
            Seen(
                signs=stack([one.signs for one in judged]),
                answers=np.array([number in case.answers for number in numbers], dtype=bool),
                counts=np.array([0.0 if number in case.perhaps else 1.0 for number in numbers]),
                answerable=bool(case.answers),
                weight=weight,
                texts=tuple(one.passage.text for one in judged),
            )
        )
        progress(at + 1, len(cases))
    return [one for one in found if len(one.signs)]


def fit(seen: Sequence[Seen], dev: Sequence[Seen], *, strength: float = STRENGTH) -> Fitted:
    """Fit on all questions, and choose thresholds on `dev` ones as folds that did not see them judge them."""
    held = [_likely(_logistic([*seen, *_others(dev, fold)], strength), _mine(dev, fold)) for fold in range(FOLDS)]
    likely = [one for some in held for one in some]
    order = [one for fold in range(FOLDS) for one in _mine(dev, fold)]
    best = np.array([values.max() for values in likely])
    right = np.array([bool(one.answers[values.argmax()]) for one, values in zip(order, likely, strict=True)])
    enough = threshold(best, right, PRECISION)
    strong = max(enough, threshold(best, right, 0.97))
    model = replace(
        _logistic([*seen, *dev], strength), enough=enough, strong=strong, besides=_besides(order, likely, enough)
    )
    cited = best >= enough
    answerable = np.array([one.answerable for one in order])
    return Fitted(
        model=model,
        auroc=float(roc_auc_score(answerable, best)),
        first=float(right[answerable].mean()),
        precision=float(right[cited].mean()) if cited.any() else float("nan"),
        answered=float(cited[answerable].mean()),
    )


def threshold(best: Floats, right: npt.NDArray[np.bool_], wanted: float) -> float:
    """Return the lowest confidence from which on the wanted share of answers is right; above all where there is none.

    At least five answers must lie above it, so that a lucky one decides nothing.
    """
    order = np.argsort(-best)
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = [at for at in range(4, len(order)) if share[at] >= wanted]
    return float(best[order][good[-1]]) if good else float(best.max()) if len(best) else 1.0


def _besides(order: Sequence[Seen], likely: Sequence[Floats], enough: float) -> float:
    """Return from when on a passage beside the best one is cited too: where as many of these answer as of the best."""
    values, right = [], []
    for one, each in zip(order, likely, strict=True):
        if each.max() < enough:
            continue
        rest = np.argsort(-each)[1:3]
        values += list(each[rest])
        right += list(one.answers[rest])
    return max(enough, threshold(np.array(values), np.array(right, dtype=bool), PRECISION)) if values else 1.0


def _logistic(seen: Sequence[Seen], strength: float) -> Model:
    """Fit one model; the passages of a question weigh as much together as those of any other."""
    signs = np.concatenate([one.signs for one in seen])
    answers = np.concatenate([one.answers for one in seen])
    weights = np.concatenate([one.weight * one.counts for one in seen])
    middle, spread = signs.mean(axis=0), np.maximum(signs.std(axis=0), 1e-3)
    fitted = LogisticRegression(C=strength, max_iter=500).fit((signs - middle) / spread, answers, sample_weight=weights)
    return Model(
        weights=np.asarray(fitted.coef_[0], dtype=np.float64),
        middle=middle,
        spread=spread,
        bias=float(fitted.intercept_[0]),
        enough=1.0,
        strong=1.0,
        besides=1.0,
    )


def _likely(model: Model, seen: Sequence[Seen]) -> list[Floats]:
    return [model.probabilities(one.signs) for one in seen]


def _mine(seen: Sequence[Seen], fold: int) -> list[Seen]:
    return [one for at, one in enumerate(seen) if at % FOLDS == fold]


def _others(seen: Sequence[Seen], fold: int) -> list[Seen]:
    return [one for at, one in enumerate(seen) if at % FOLDS != fold]
