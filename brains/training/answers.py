"""Fits how likely a passage answers a question: logistic regression on the signs of what was found for questions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import orjson
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from brains.knowledge.confidence import SIGNS, Model, stack
from brains.training.questions import Case, Without, of_history

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]

    from bot.core.things import Message
    from brains.knowledge.answering import Answerer
    from brains.knowledge.confidence import Floats
    from brains.training.questions import Question
    from storage.channels import Reach

STRENGTH = 0.1
"""scikit-learn's C, on signs of unit spread: of .01, .1 and .3 best on the dev questions, each judged unseen."""
FOLDS = 5
FEWEST = 5
"""Answers that must lie above a threshold, so that a lucky one decides nothing."""
SURELY = 0.97
"""The same as PRECISION, of answers that nobody asked the bot for."""
OWN = 0.2
"""What a question of the history itself counts beside one whose answer somebody looked up."""
PRECISION = 0.9
"""The share of what is cited that shall answer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What was found for one question: signs (n, d), which of them answer (n,), what each counts in fitting (n,)."""

    signs: Floats
    answers: Flags
    counts: Floats
    answerable: bool
    weight: float
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A model, and how it does on questions that its fold did not see: by threshold, and as a ranking."""

    model: Model
    figures: Mapping[str, float]
    table: Sequence[tuple[float, float, float, float]]
    """For some thresholds: how many of the answerable and the unanswerable are answered, and how many rightly."""


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
    strong = max(enough, threshold(best, right, SURELY))
    model = replace(
        _logistic([*seen, *dev], strength), enough=enough, strong=strong, besides=_besides(order, likely, enough)
    )
    answerable = np.array([one.answerable for one in order])
    return Fitted(model=model, figures=_figures(best, right, answerable, enough), table=_table(best, right, answerable))


def _figures(best: Floats, right: Flags, answerable: Flags, enough: float) -> dict[str, float]:
    cited = best >= enough
    return {
        "questions": float(len(best)),
        "auroc": float(roc_auc_score(answerable, best)),
        "first passage right": float(right[answerable].mean()),
        "right, where answered": float(right[cited].mean()) if cited.any() else float("nan"),
        "answered, of the answerable": float(cited[answerable].mean()),
        "answered, of the unanswerable": float(cited[~answerable].mean()),
    }


def _table(best: Floats, right: Flags, answerable: Flags) -> list[tuple[float, float, float, float]]:
    found = []
    for least in np.arange(0.1, 1, 0.1):
        cited = best >= least
        share = float(right[cited].mean()) if cited.any() else float("nan")
        found.append((float(least), float(cited[answerable].mean()), float(cited[~answerable].mean()), share))
    return found


async def train(
    answerer: Answerer,
    questions: Sequence[Question],
    *,
    reach: Reach,
    numbers: Mapping[str, int],
    said: Sequence[Message],
    most: int,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Fitted:
    """Fit on questions with what answers them, and on at most so many of the history's own, `said` in its order."""
    cases = [
        Case(text=one.text, answers=frozenset(numbers[name] for name in one.messages if name in numbers))
        for one in questions
    ]
    own = of_history(said, most=most)
    every = len(cases) + len(own)
    dev = await gather(answerer, cases, reach=reach, progress=lambda done, _all: progress(done, every))
    seen = await gather(
        answerer,
        own,
        reach=reach,
        weight=OWN,
        progress=lambda done, _all: progress(len(cases) + done, every),
    )
    return fit(seen, dev)


def write(fitted: Fitted, file: Path) -> None:
    """Write a model and, beside it, its card."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(orjson.dumps(fitted.model.to_json(), option=orjson.OPT_INDENT_2) + b"\n")
    file.with_suffix(".md").write_text(_card(fitted), encoding="utf-8")


def threshold(best: Floats, right: Flags, wanted: float) -> float:
    """Return the lowest confidence from which on the wanted share of answers is right; the highest where there is none."""
    order = np.argsort(-best)
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = [at for at in range(FEWEST - 1, len(order)) if share[at] >= wanted]
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
    if not values:
        return 1.0
    best, answers = np.array(values), np.array(right, dtype=bool)
    least = threshold(best, answers, PRECISION)
    return max(enough, least) if answers[best >= least].mean() >= PRECISION else 1.0


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


def _card(fitted: Fitted) -> str:
    """Write what the model is, what it learned from and how it does, in Markdown."""
    figures = [f"| {name} | {value:.3f} |" for name, value in fitted.figures.items()]
    steps = [f"| {least:.1f} | {can:.2f} | {cannot:.2f} | {right:.2f} |" for least, can, cannot, right in fitted.table]
    model = fitted.model
    weights = [
        f"| {name} | {weight:+.2f} |"
        for weight, name in sorted(zip(model.weights, SIGNS, strict=True), key=lambda pair: -abs(pair[0]))
    ]
    return "\n".join(
        [
            "# How likely a passage answers",
            "",
            "Logistic regression on what `brains/knowledge/signs.py` sees of a passage and its conversation, written by",
            "`kinfolk train answers`. It learned from questions that people asked of a public developers' chat, each with",
            "the messages that answer it, and from that chat's own questions, their message or their whole thread hidden.",
            "Figures are of questions of the dev split, each judged by a model that did not see its fold.",
            "",
            "| | |",
            "|---|---|",
            *figures,
            "",
            f"Thresholds: an answer is given from {model.enough:.2f} on, unasked from {model.strong:.2f} on; a further",
            f"passage is cited from {model.besides:.2f} on.",
            "",
            "| threshold | answered, of the answerable | answered, of the unanswerable | right, where answered |",
            "|---|---|---|---|",
            *steps,
            "",
            "Weights, on signs of unit spread:",
            "",
            "| sign | weight |",
            "|---|---|",
            *weights,
            "",
        ]
    )
