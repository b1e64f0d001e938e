"""ROUGE-1, -2 and -L as F1 (Lin 2004), over words of Latin script and single characters of Chinese."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[a-z0-9]+")


def tokens(text: str) -> list[str]:
    """Return the words of a text, lower-cased and not stemmed; each Chinese character is one."""
    return _TOKEN.findall(text.lower())


def rouge(summary: str, reference: str) -> dict[str, float]:
    """Compare a summary with a reference; each measure is between 0 and 1."""
    ours, theirs = tokens(summary), tokens(reference)
    return {
        "rouge1": _overlap(_grams(ours, 1), _grams(theirs, 1)),
        "rouge2": _overlap(_grams(ours, 2), _grams(theirs, 2)),
        "rougeL": _f1(_longest(ours, theirs), len(ours), len(theirs)),
    }


def _grams(words: Sequence[str], size: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[at : at + size]) for at in range(len(words) - size + 1))


def _overlap(ours: Counter[tuple[str, ...]], theirs: Counter[tuple[str, ...]]) -> float:
    return _f1((ours & theirs).total(), ours.total(), theirs.total())


def _f1(both: int, ours: int, theirs: int) -> float:
    return 2 * both / (ours + theirs) if both else 0.0


def _longest(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """Return the length of the longest common subsequence."""
    row = [0] * (len(theirs) + 1)
    for word in ours:
        before = 0
        for at, other in enumerate(theirs, 1):
            before, row[at] = row[at], before + 1 if word == other else max(row[at], row[at - 1])
    return row[-1]
