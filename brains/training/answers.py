"""Fits which passage answers a question best, listwise, and how likely the best one does, by logistic regression."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import orjson
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from brains.knowledge.confidence import ASSURANCES, SIGNS, Linear, Model, assurances, stack
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

RIDGE = 8.0
"""What squared weights of the ranking cost, on signs of unit spread: 4 to 15 do alike on dev questions, each unseen."""
STRENGTH = 0.3
"""scikit-learn's C of how sure the best passage is; .1 to 1 do alike there."""
REPEATS = 5
"""Times that the dev questions are put into folds: with so few, one time decides by luck."""
DEV = "dev"
"""The split that is learned from."""
FOLDS = 5
FEWEST = 2
"""Answers that must lie above a threshold, so that a lucky one decides nothing."""
FURTHER = 10
"""The same of passages cited beside the best one, which seldom add anything."""
OWN = 0.1
"""What a question of the history itself counts beside one whose answer somebody looked up."""
PRECISION = 0.9
"""The share of what is cited that shall answer; what nobody judged counts as wrong."""
_BEFORE = [
    SIGNS.index(name)
    for name in (
        "begins",
        "starter",
        "after_question",
        "soon_after",
        "asked_itself",
        "replies",
        "question_found",
        "nearest_question",
    )
]
"""Signs that a question of the history lacks, as its own message, which stood before the answer, is hidden."""


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
        signs = stack([one.signs for one in judged])
        if case.hidden:
            signs[:, _BEFORE] = np.nan
        found.append(
            Seen(
                signs=signs,
                answers=np.array([number in case.answers for number in numbers], dtype=bool),
                counts=np.array([0.0 if number in case.perhaps else 1.0 for number in numbers]),
                answerable=bool(case.answers),
                weight=weight,
                texts=tuple(one.passage.text for one in judged),
            )
        )
        progress(at + 1, len(cases))
    return [one for one in found if len(one.signs)]


def fit(seen: Sequence[Seen], dev: Sequence[Seen]) -> Fitted:
    """Fit on all questions, and choose thresholds on `dev` ones as folds that did not see them judge them."""
    held = [one for repeat in range(REPEATS) for one in _held(seen, dev, np.random.default_rng(repeat))]
    best = np.array([float(one.likely.max()) for one in held])
    right = np.array([bool(one.seen.answers[one.likely.argmax()]) for one in held])
    answerable = np.array([one.seen.answerable for one in held])
    enough = threshold(best, right, PRECISION, fewest=FEWEST * REPEATS)
    model = Model(
        ranking=_ranking([*seen, *dev]),
        sureness=_sureness([one.top for one in held], right),
        usually=np.nan_to_num(np.nanmean(np.concatenate([one.signs[one.answers] for one in dev]), axis=0)),
        enough=enough,
        besides=_besides(held, enough),
    )
    return Fitted(model=model, figures=_figures(best, right, answerable, enough), table=_table(best, right, answerable))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """A question as models judge it that did not see it: how likely each passage answers, and the best's assurances."""

    seen: Seen
    likely: Floats
    top: Floats


def _held(seen: Sequence[Seen], dev: Sequence[Seen], random: np.random.Generator) -> list[Held]:
    """Judge each dev question by the ranking of folds without it, and by how sure these were of other questions."""
    folds = random.permutation(len(dev)) % FOLDS
    rankings = [
        _ranking([*seen, *(one for one, at in zip(dev, folds, strict=True) if at != fold)]) for fold in range(FOLDS)
    ]
    blank = Linear(weights=np.zeros(len(ASSURANCES)), middle=np.zeros(len(ASSURANCES)), spread=np.ones(len(ASSURANCES)))
    models = [Model(ranking=one, sureness=blank, usually=one.middle, enough=1.0, besides=1.0) for one in rankings]
    tops = [_top(models[fold], one) for one, fold in zip(dev, folds, strict=True)]
    rows = np.array([row for row, _right in tops])
    right = np.array([good for _row, good in tops])
    sure = [_sureness(rows[folds != fold], right[folds != fold]) for fold in range(FOLDS)]
    return [
        Held(seen=one, likely=replace(models[fold], sureness=sure[fold]).probabilities(one.signs), top=row)
        for one, fold, row in zip(dev, folds, rows, strict=True)
    ]


def _top(model: Model, one: Seen) -> tuple[Floats, bool]:
    """Return the assurances of the passage that is ranked first, and whether it answers."""
    known = np.where(np.isnan(one.signs), model.usually, one.signs)
    first = int(model.probabilities(one.signs).argmax())
    return assurances(known, model.scores(one.signs))[first], bool(one.answers[first])


def _figures(best: Floats, right: Flags, answerable: Flags, enough: float) -> dict[str, float]:
    cited = best >= enough
    return {
        "questions": len(best) / REPEATS,
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
        Case(text=one.text, answers=frozenset(numbers[name] for name in one.messages | one.judged if name in numbers))
        for one in questions
        if one.split == DEV
    ]
    own = of_history(_elsewhere(said, questions, numbers), most=most)
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


def _elsewhere(said: Sequence[Message], questions: Sequence[Question], numbers: Mapping[str, int]) -> list[Message]:
    """Return what was said in threads where no question of either split is answered: those are not to be learned."""
    answers = {numbers[name] for one in questions for name in one.messages | one.judged if name in numbers}
    threads = {one.thread for one in said if one.id in answers}
    return [one for one in said if one.thread not in threads]


def write(fitted: Fitted, file: Path) -> None:
    """Write a model and, beside it, its card."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(orjson.dumps(fitted.model.to_json(), option=orjson.OPT_INDENT_2) + b"\n")
    file.with_suffix(".md").write_text(_card(fitted), encoding="utf-8")


def threshold(best: Floats, right: Flags, wanted: float, *, fewest: int = FEWEST) -> float:
    """Return the lowest confidence from which on the wanted share is right; the highest where there is none."""
    order = np.argsort(-best)
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = [at for at in range(fewest - 1, len(order)) if share[at] >= wanted]
    return float(best[order][good[-1]]) if good else float(best.max()) if len(best) else 1.0


def _besides(held: Sequence[Held], enough: float) -> float:
    """Return from when on a passage beside the best one is cited too: where as many of these answer as of the best."""
    values, right = [], []
    for one in held:
        if one.likely.max() < enough:
            continue
        rest = np.argsort(-one.likely)[1:3]
        values += list(one.likely[rest])
        right += list(one.seen.answers[rest])
    if not values:
        return 1.0
    best, answers = np.array(values), np.array(right, dtype=bool)
    least = threshold(best, answers, PRECISION, fewest=FURTHER * REPEATS)
    above = answers[best >= least]
    return max(enough, least) if len(above) >= FURTHER * REPEATS and above.mean() >= PRECISION else 1.0


def _ranking(seen: Sequence[Seen]) -> Linear:
    """Fit weights that give what answers the most of a softmax over a question's passages, whatever answers best.

    As in ListNet's top-one probability, with the share of all that answer taken together.
    """
    signs = np.concatenate([one.signs for one in seen])
    middle, spread = np.nanmean(signs, axis=0), np.maximum(np.nanstd(signs, axis=0), 1e-3)
    lists = [
        (np.nan_to_num((one.signs - middle) / spread)[one.counts > 0], one.answers[one.counts > 0], one.weight)
        for one in seen
        if one.answers.any()
    ]

    def loss(weights: Floats) -> tuple[float, Floats]:
        value, slope = RIDGE * float(weights @ weights) / 2, RIDGE * weights
        for rows, answers, weight in lists:
            scores = rows @ weights
            share = softmax(scores)
            among = np.where(answers, share, 0.0)
            good = float(among.sum()) + 1e-12
            value -= weight * float(np.log(good))
            slope = slope + weight * rows.T @ (share - among / good)
        return value, slope

    found = minimize(loss, np.zeros(len(SIGNS)), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return Linear(weights=np.asarray(found.x, dtype=np.float64), middle=middle, spread=spread)


def _sureness(rows: Sequence[Floats] | Floats, right: Flags) -> Linear:
    """Fit how likely the passage that is ranked first answers, from its assurances."""
    columns = np.array(rows)
    middle, spread = columns.mean(axis=0), np.maximum(columns.std(axis=0), 1e-3)
    fitted = LogisticRegression(C=STRENGTH, max_iter=500)
    fitted.fit((columns - middle) / spread, right)
    return Linear(
        weights=np.asarray(fitted.coef_[0], dtype=np.float64),
        middle=middle,
        spread=spread,
        bias=float(fitted.intercept_[0]),
    )


def _card(fitted: Fitted) -> str:
    """Write what the model is, what it learned from and how it does, in Markdown."""
    figures = [f"| {name} | {value:.3f} |" for name, value in fitted.figures.items()]
    steps = [f"| {least:.1f} | {can:.2f} | {cannot:.2f} | {right:.2f} |" for least, can, cannot, right in fitted.table]
    model = fitted.model
    weights = [
        *_weights(model.ranking, SIGNS),
        "",
        "How sure, on assurances of unit spread:",
        "",
        "| assurance | weight |",
        "|---|---|",
        *_weights(model.sureness, ASSURANCES),
    ]
    return "\n".join(
        [
            "# How likely a passage answers",
            "",
            "Two linear models, written by `kinfolk train answers`: one ranks passages by what `signs.py` sees of them",
            "and their conversation, one says how sure the first is. They learned from questions written about a",
            "public developers' chat with the messages that answer them, listed or found by judges who saw question",
            "and message alone, and from that chat's own questions with their message hidden (the ranking only).",
            f"Figures are of the dev split, each question judged {REPEATS} times by models that did not see its fold.",
            "",
            "| | |",
            "|---|---|",
            *figures,
            "",
            f"Thresholds: an answer is given from {model.enough:.2f} on; a further passage is cited from "
            f"{model.besides:.2f} on.",
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


def _weights(fitted: Linear, names: Sequence[str]) -> list[str]:
    ranked = sorted(zip(fitted.weights, names, strict=True), key=lambda pair: -abs(pair[0]))
    return [f"| {name} | {weight:+.2f} |" for weight, name in ranked]
