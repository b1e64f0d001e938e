"""`eval digest` on meetings with summaries by hand: ROUGE and support of the sentences that are quoted of them.

Two formats of JSON lines, gzip allowed: rows `split, id, turns, general` (QMSum, Zhong et al. 2021: turns [[speaker,
text]], general [[query, summary]]), and rows `split, id, speaker, context, discussion` (VCSum, Wu et al. 2023: context
[[sentence]] by turn).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from bot.core.sentences import sentences
from brains.evals.evaluation import report
from brains.evals.rouge import rouge
from brains.evals.textrank import textrank
from brains.matching.terms import Vocabulary, words
from brains.rhythm.summary import Spoken, summarise
from brains.training import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from brains.evals.evaluation import Evaluation
    from brains.evals.metrics import Values
    from brains.training.rows import Row

_NOISE = re.compile(r"\{\w+\}")
_LETTERS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """What was said in turn, and how somebody summed it up."""

    turns: Sequence[str]
    reference: str


def read(path: Path, split: str) -> list[Meeting] | None:
    """Read the meetings of one split, of either format; None for a file that holds none. Raises Mistake."""
    every = rows.rows(path)
    first = next(iter(every), None)
    if first is None:
        raise Mistake(f"{path} is empty.")
    if not {"turns", "context"} & first.values.keys():
        return None
    chosen = [row for row in (first, *every) if row.text("split") == split]
    found = [Meeting(turns=_turns(row), reference=reference) for row in chosen for reference in _references(row)]
    if not found:
        raise Mistake(f"{path} has no meeting of the split {split}.")
    return found


def _turns(row: Row) -> list[str]:
    if "turns" in row.values:
        return [_NOISE.sub(" ", text) for _speaker, text in _pairs(row.values["turns"])]
    return ["".join(turn) if isinstance(turn, list) else str(turn) for turn in _list(row.values.get("context"))]


def _references(row: Row) -> list[str]:
    if "turns" in row.values:
        return [summary for _query, summary in _pairs(row.values.get("general"))]
    return [row.text("discussion")]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _pairs(value: object) -> list[tuple[str, str]]:
    return [(str(one[0]), str(one[1])) for one in _list(value) if isinstance(one, list)]


def judge(found: Sequence[Meeting], *, most: int, task: str) -> Evaluation:
    """Compare `most` sentences of each meeting with its summary by hand, beside as many by other ways."""
    began = time.perf_counter()
    documents = [words(turn) for one in found for turn in one.turns]
    vocabulary = Vocabulary.learn(documents, least=1)
    rarest = float(vocabulary.idf.max())

    def rarity(term: str) -> float:
        at = vocabulary.index.get(term)
        return float(vocabulary.idf[at]) if at is not None else rarest

    def ours(one: Meeting) -> list[str]:
        said = [Spoken(text=turn) for turn in one.turns]
        return [each.text for each in summarise(said, rarity=rarity, most=most, limit=1_000_000)]

    told = [ours(one) for one in found]
    seconds = time.perf_counter() - began
    ways: dict[str, Callable[[Meeting], list[str]]] = {
        f"lead {most}": lambda one: _sentences(one)[:most],
        f"textrank {most}": lambda one: _ranked(_sentences(one), most),
        f"longest {most}": lambda one: _longest(_sentences(one), most),
    }
    return report(
        task,
        ours=_measured(found, told),
        baselines={name: _measured(found, [way(one) for one in found]) for name, way in ways.items()},
        metric="rouge1",
        seconds=seconds,
        notes=(
            f"{most} sentences of each meeting by every way. support: share of sentences that stand in a turn.",
            "ROUGE as F1, words not stemmed, Chinese by single characters.",
        ),
    )


def _sentences(one: Meeting) -> list[str]:
    return [sentence for turn in one.turns for sentence in sentences(turn)]


def _ranked(every: Sequence[str], most: int) -> list[str]:
    best = np.argsort(-textrank(every), kind="stable")[:most]
    return [every[at] for at in sorted(best)]


def _longest(every: Sequence[str], most: int) -> list[str]:
    best = sorted(range(len(every)), key=lambda at: (-len(every[at]), at))[:most]
    return [every[at] for at in sorted(best)]


def _measured(found: Sequence[Meeting], told: Sequence[Sequence[str]]) -> dict[str, Values]:
    rows: list[Mapping[str, float]] = [
        {**rouge(" ".join(some), one.reference), "support": _support(some, one.turns)}
        for one, some in zip(found, told, strict=True)
    ]
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}


def _support(some: Sequence[str], turns: Sequence[str]) -> float:
    """Return the share of sentences whose letters stand in this order in one turn."""
    known = [letters(turn) for turn in turns]
    return float(np.mean([any(letters(one) in turn for turn in known) for one in some])) if some else 0.0


def letters(text: str) -> str:
    """Return the letters and digits of a text alone, in order: what is left when marks and spaces are taken away."""
    return "".join(_LETTERS.findall(text.casefold()))
