"""Somebody's messages fall into a few interests: Ward's agglomerative clustering of their directions, cut by gain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from brains.matching.corpus import sum_by, unit

if TYPE_CHECKING:
    from brains.matching.corpus import Floats, Ids

MOST = 4
"""Interests told apart."""

SMALLEST = 0.15
"""Share of what somebody said that makes an interest of its own; less joins the nearest one."""

APART = 0.3
"""Two interests whose centroids have a larger cosine than this are one."""


def group(rows: Floats, weights: Floats) -> tuple[Ids, Floats, Floats]:
    """Group weighted rows (n, d) into interests, heaviest first.

    Returns the interest of each row (n,), -1 where the weight is 0; unit centroids (k, d); shares (k,) that sum to 1.
    The same rows in another order give the same interests.
    """
    labels = np.full(len(rows), -1, dtype=np.int64)
    heavy = np.flatnonzero((weights > 0) & rows.any(axis=1))
    if not len(heavy):
        return labels, np.zeros((0, rows.shape[1]), dtype=np.float32), np.zeros(0, dtype=np.float32)
    directions, weight = unit(rows[heavy]), weights[heavy]
    tree = _tree(directions)
    for count in range(min(MOST, len(heavy)), 0, -1):
        found = _cut(tree, count)
        centroids, shares = _centroids(directions, weight, found)
        if _distinct(centroids, shares):
            break
    order = np.argsort(-shares, kind="stable")
    labels[heavy] = np.argsort(order)[found]
    return labels, centroids[order], shares[order]


def _tree(directions: Floats) -> Floats:
    """Return scipy's linkage of unit rows; a row alone has an empty one."""
    if len(directions) == 1:
        return np.zeros((0, 4), dtype=np.float32)
    distances = np.sqrt(np.maximum(2 - 2 * (directions @ directions.T), 0))
    return np.asarray(linkage(distances[np.triu_indices(len(directions), 1)], method="ward"))


def _cut(tree: Floats, count: int) -> Ids:
    if count == 1:
        return np.zeros(len(tree) + 1, dtype=np.int64)
    labels = fcluster(tree, count, criterion="maxclust")
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _centroids(directions: Floats, weights: Floats, labels: Ids) -> tuple[Floats, Floats]:
    shares = np.bincount(labels, weights) / weights.sum()
    return unit(sum_by(labels, weights, len(shares)) @ directions), shares.astype(np.float32)


def _distinct(centroids: Floats, shares: Floats) -> bool:
    cosines = centroids @ centroids.T - np.eye(len(centroids))
    return len(shares) == 1 or bool(shares.min() >= SMALLEST and cosines.max() <= APART)
