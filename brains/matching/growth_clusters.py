"""Which conversations are about one thing: clusters of average linkage, each as large as it still hangs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

if TYPE_CHECKING:
    from collections.abc import Callable

    from brains.matching.corpus import Floats, Rows

APART = 1.0
"""Deviations by which the two halves of a cluster must be more alike, in the mean, than any two conversations."""


def clusters(similarity: Floats, *, worthy: Callable[[Rows], bool], apart: float = APART) -> list[Rows]:
    """Return the largest worthy clusters of a similarity (m, m), as positions; none is inside another."""
    count = len(similarity)
    if count < 2:  # noqa: PLR2004 - one alone is like nothing
        return []
    above = similarity[np.triu_indices(count, 1)]
    needed = float(above.mean() + apart * above.std())
    distance = np.clip(1 - (similarity + similarity.T) / 2, 0, None)
    np.fill_diagonal(distance, 0)
    merges = linkage(squareform(distance, checks=False), method="average")
    found: list[Rows] = []
    waiting = [2 * count - 2]
    while waiting:
        node = waiting.pop()
        if node < count:
            continue
        left, right, height, _size = merges[node - count]
        if 1 - height >= needed and worthy(rows := _leaves(merges, node, count)):
            found.append(rows)
        else:
            waiting += [int(left), int(right)]
    return found


def _leaves(merges: np.ndarray[tuple[int, ...], np.dtype[np.float64]], node: int, count: int) -> Rows:
    """Return the positions under a node of the tree, ascending."""
    leaves, waiting = [], [node]
    while waiting:
        one = waiting.pop()
        if one < count:
            leaves.append(one)
        else:
            waiting += [int(merges[one - count][0]), int(merges[one - count][1])]
    return np.array(sorted(leaves), dtype=np.intp)
