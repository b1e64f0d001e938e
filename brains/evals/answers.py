"""`eval answers`: are questions answered that can be, by what answers them, and left alone that cannot?

Beside the best message by words (BM25) and by sense, whose own scores say how sure they are.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import roc_auc_score

from brains.evals.metrics import DRAWS, Interval, bootstrap
from brains.knowledge import confidence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    import numpy.typing as npt

    from bot.core.ports import Hit
    from brains.evals.metrics import Values
    from brains.knowledge.answer import Answer
    from brains.knowledge.answering import Answerer
    from brains.training.questions import Question
    from storage.channels import Reach

OTHERS = ("bm25", "dense")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one judge says to one question: how sure it is, its first message, and all that it cites if it answers."""

    sure: float
    first: int
    cited: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersEvaluation:
    """By judge: figures of one run; intervals of ours; and each question with its answer, to be read."""

    judges: Mapping[str, Mapping[str, float]]
    intervals: Mapping[str, Interval]
    n: int
    seconds: float
    told: Sequence[str]
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, object]:
        """Return the document that `kinfolk eval answers --json` prints."""
        return {
            "task": "answers",
            "n": self.n,
            "ours": dict(self.judges["kinfolk"]),
            "baselines": {name: dict(self.judges[name]) for name in OTHERS},
            "intervals": {name: asdict(one) for name, one in self.intervals.items()},
            "seconds": self.seconds,
            "notes": list(self.notes),
        }


async def judge(
    answerer: Answerer,
    questions: Sequence[Question],
    *,
    reach: Reach,
    numbers: Mapping[str, int],
    points: Mapping[UUID, int],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> AnswersEvaluation:
    """Ask every question; `numbers` are those of messages by their imported ids, `points` by theirs."""
    started = time.perf_counter()
    said: dict[str, list[Said]] = {name: [] for name in ("kinfolk", *OTHERS)}
    told, took = [], []
    for at, question in enumerate(questions):
        began = time.perf_counter()
        answer, ours, shown = await _ask(answerer, question.text, reach)
        took.append(time.perf_counter() - began)
        said["kinfolk"].append(ours)
        for name, hit in zip(OTHERS, await _others(answerer, question.text, reach, points), strict=True):
            said[name].append(hit)
        right_ones = _right(question, numbers)
        told.append(_tell(question, answer, shown & right_ones, right_ones))
        progress(at + 1, len(questions))
    many = sum(bool(one.cited) for one in said["kinfolk"])
    said |= {name: _as_many(said[name], many) for name in OTHERS}
    right = [_right(question, numbers) for question in questions]
    listed = [_right(question, numbers, judged=False) for question in questions]
    return AnswersEvaluation(
        judges={name: _figures(questions, some, listed, right) for name, some in said.items()},
        intervals=_intervals(questions, said["kinfolk"], right),
        n=len(questions),
        seconds=round(time.perf_counter() - started, 1),
        told=told,
        notes=(
            f"An answer takes {np.median(took):.2f} s (p95 {np.percentile(took, 95):.2f} s), with what is kept.",
            "Others answer as many questions as ours does, those that they are surest of.",
        ),
    )


async def _ask(answerer: Answerer, question: str, reach: Reach) -> tuple[Answer, Said, set[int]]:
    asked, conversations, judged = await answerer.look(question, reach=reach)
    answer = answerer.choose(asked, conversations, judged)
    likely = answerer.model.probabilities(confidence.stack([one.signs for one in judged]))
    first = judged[int(likely.argmax())].passage.number if judged else 0
    cited = tuple(dict.fromkeys(one.number for one in answer.passages))
    shown = {one.number for conversation in answer.nearest for one in conversation.passages}
    return answer, Said(sure=answer.confidence, first=first, cited=cited), shown


async def _others(answerer: Answerer, question: str, reach: Reach, points: Mapping[UUID, int]) -> list[Said]:
    [vector] = await answerer.encoder.encode([question], kind="query")
    worded, near = await asyncio.gather(
        answerer.vectors.search(reach.scope, text=question, limit=1),
        answerer.vectors.search(reach.scope, vector=vector, limit=1),
    )
    return [_of_hits(hits, points) for hits in (worded, near)]


def _of_hits(hits: Sequence[Hit], points: Mapping[UUID, int]) -> Said:
    return Said(sure=hits[0].score, first=points[hits[0].id]) if hits else Said(sure=0.0, first=0)


def _as_many(said: Sequence[Said], many: int) -> list[Said]:
    """Let a judge without a threshold answer so many questions, those that it is surest of."""
    surest = set(np.argsort([-one.sure for one in said], kind="stable")[:many])
    return [replace(one, cited=(one.first,)) if at in surest else one for at, one in enumerate(said)]


def _right(question: Question, numbers: Mapping[str, int], *, judged: bool = True) -> set[int]:
    ids = question.messages | (question.judged if judged else frozenset())
    return {numbers[one] for one in ids if one in numbers}


def _figures(
    questions: Sequence[Question], said: Sequence[Said], listed: Sequence[set[int]], right: Sequence[set[int]]
) -> dict[str, float]:
    answerable = np.array([one.answerable for one in questions])
    answered = np.array([bool(one.cited) for one in said])
    good = [(one, some) for one, some in zip(said, right, strict=True) if one.cited]
    figures = {
        "auroc": _auroc(answerable, np.array([one.sure for one in said])),
        "answered, of the answerable": float(answered[answerable].mean()) if answerable.any() else float("nan"),
        "answered, of the unanswerable": float(answered[~answerable].mean()) if (~answerable).any() else float("nan"),
        "citation precision": _mean(_precision(said, right)),
        "citation precision, listed ids alone": _mean(_precision(said, listed)),
        "citation recall, where answered": _mean(
            [len(set(one.cited) & some) / len(some) for one, some in good if some]
        ),
        "first citation right, if all were answered": _mean(
            [float(one.first in some) for one, some, can in zip(said, right, answerable, strict=True) if can]
        ),
    }
    return {name: round(value, 4) for name, value in figures.items()}


def _precision(said: Sequence[Said], right: Sequence[set[int]]) -> list[float]:
    """Return for every message that is cited whether it answers."""
    return [float(number in some) for one, some in zip(said, right, strict=True) for number in one.cited]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _auroc(answerable: npt.NDArray[np.bool_], sure: Values) -> float:
    return float(roc_auc_score(answerable, sure)) if 0 < answerable.sum() < len(answerable) else float("nan")


def _intervals(questions: Sequence[Question], said: Sequence[Said], right: Sequence[set[int]]) -> dict[str, Interval]:
    answerable = np.array([one.answerable for one in questions])
    sure = np.array([one.sure for one in said])
    random = np.random.default_rng(0)
    draws = [random.integers(0, len(sure), len(sure)) for _ in range(DRAWS // 5)]
    areas = [area for some in draws if not np.isnan(area := _auroc(answerable[some], sure[some]))]
    found = {"auroc": Interval(low=float(np.percentile(areas, 2.5)), high=float(np.percentile(areas, 97.5)))}
    if precise := _precision(said, right):
        found["citation precision"] = bootstrap(np.array(precise))
    return found


def _tell(question: Question, answer: Answer, shown: set[int], right: set[int]) -> str:
    """Write a question with its answer, so that somebody can read whether it is one."""
    can = "answerable" if question.answerable else "unanswerable"
    head = f"{question.id} ({can}, {answer.confidence:.2f} sure) {question.text}"
    lines = [
        f"    {'+' if any(each.number in right for each in claim.passages) else '-'} {claim.text}"
        f" [{claim.passages[0].source.id}]"
        for claim in answer.claims
    ]
    if answer.abstained:
        lines = [f"    abstains; the answer is {'' if shown else 'not '}among the nearest"]
    return "\n".join([head, *lines])
