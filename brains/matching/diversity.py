"""A list that is not three times the same: maximal marginal relevance over what channels are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from brains.matching.choice import Doubles
    from brains.matching.corpus import Floats, Ids
    from brains.matching.topics import Topics

TOP = 10
"""Places that are dealt out anew; the rest stays in order."""


def likeness(topics: Topics, channels: Ids) -> Floats:
    """Return how alike some channels (n,) are by their centroids (n, n), 0 to 1; 0 where nothing is known of one."""
    place = np.full(topics.terms.rows.shape[0], -1)
    place[channels] = np.arange(len(channels))
    kept = place[topics.owners] >= 0
    owners, centroids = place[topics.owners[kept]], topics.centroids[kept]
    alike = np.zeros((len(channels), len(channels)), dtype=np.float32)
    np.maximum.at(alike, (owners[:, None], owners[None]), np.clip(centroids @ centroids.T, 0, 1))
    return alike


def spread(logits: Doubles, alike: Callable[[Ids], Floats], *, cost: float) -> Ids:
    """Order channels (c,) by log-odds less `cost` x the likeness to one further up; Carbonell and Goldstein 1998.

    `alike` says of some channels (n,) how alike they are (n, n).
    """
    order = np.argsort(-logits, kind="stable")
    if not cost:
        return order
    head = order[: 2 * TOP]
    likely, near = logits[head], cost * alike(head)
    left, placed, penalty = list(range(len(head))), list[int](), np.zeros(len(head))
    while left and len(placed) < TOP:
        best = max(left, key=lambda at: likely[at] - penalty[at])
        placed.append(best)
        left.remove(best)
        penalty = np.maximum(penalty, near[best])
    return np.concatenate([head[[*placed, *left]], order[2 * TOP :]])
