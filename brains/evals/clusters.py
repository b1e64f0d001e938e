"""How like two partitions of the same messages are, as in Kummerfeld et al. 2019."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def one_to_one(ours: Sequence[int], gold: Sequence[int]) -> float:
    """Return the share of messages in the overlap when clusters are paired off as well as can be."""
    table = _table(ours, gold)
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum() / len(gold))


def variation(ours: Sequence[int], gold: Sequence[int]) -> float:
    """Return 1 - VI / log n, the variation of information (Meilă 2007) scaled to lie between 0 and 1; 1 is equal."""
    table = _table(ours, gold) / len(gold)
    joint = table[table > 0]
    one, other = table.sum(axis=1), table.sum(axis=0)
    entropy, first, second = (-(p * np.log(p)).sum() for p in (joint, one, other))
    return float(1 - (2 * entropy - first - second) / np.log(max(2, len(gold))))


def exact(ours: Sequence[int], gold: Sequence[int]) -> float:
    """Return F1 over conversations of more than one message that were found without a message more or less."""
    mine, right = _groups(ours), _groups(gold)
    return 2 * len(mine & right) / max(1, len(mine) + len(right))


def scores(ours: Sequence[int], gold: Sequence[int]) -> dict[str, float]:
    """Return all three by name."""
    return {
        "one_to_one": one_to_one(ours, gold),
        "variation": variation(ours, gold),
        "exact_f1": exact(ours, gold),
    }


def _table(ours: Sequence[int], gold: Sequence[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return how many messages each pair of clusters shares (ours, gold)."""
    mine, right = _numbered(ours), _numbered(gold)
    table = np.zeros((len(mine), len(right)))
    for (one, other), count in Counter(zip(ours, gold, strict=True)).items():
        table[mine[one], right[other]] = count
    return table


def _numbered(labels: Sequence[int]) -> Mapping[int, int]:
    return {label: number for number, label in enumerate(sorted(set(labels)))}


def _groups(labels: Sequence[int]) -> set[frozenset[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for at, label in enumerate(labels):
        found[label].append(at)
    return {frozenset(group) for group in found.values() if len(group) > 1}
