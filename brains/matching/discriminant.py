"""What tells the channels of one community apart: multinomial logistic regression on its messages' vectors.

A centroid says what a channel is like, not what makes it another than its neighbour. The regression starts from the
centroids and is pulled towards them, so that a channel of few messages, or of none but a description, keeps its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

if TYPE_CHECKING:
    from brains.matching.choice import Doubles
    from brains.matching.corpus import Floats, Ids, Rows
    from brains.matching.topics import Topics

SHARPNESS = 20.0
"""What a centroid is multiplied by to be a row of weights: the cosine with it is then about log-odds. Validation rows
of 150 intents: loss .28 before anything is learned, .42 with 14 and 1.20 with 8."""

RIDGE = 0.15
"""Pull of each weight towards its start, in full messages. Same rows, of 15,000: top-1 .960, .963, .960 and .954 with
.015, .15, .45 and 1.5; .929 by centroids alone."""

STEPS = 12
"""Of L-BFGS (Nocedal 1980); eight reach what thirty do."""

MOST = 20_000
"""Messages learned from, an equal share of each channel's as far as it goes."""


def discriminate(topics: Topics, rows: Floats, owners: Ids, weights: Floats) -> Floats:
    """Return weights (c, d) whose product with a unit row (d,) of the space gives log-odds of the channels.

    `rows` (n, d) are unit rows, `owners` (n,) positions of channels, `weights` (n,) the say of each; one without say,
    or a row of zeros, is left out. How much is said in a channel is taken into account and not learned.
    """
    start = np.zeros((topics.terms.rows.shape[0], rows.shape[1]), dtype=np.float32)
    start[topics.owners] = SHARPNESS * topics.centroids
    some = _sample(owners, np.where(rows.any(axis=1), weights, np.float32(0)))
    if not len(some):
        return start
    problem = _Problem(start=start, rows=rows[some], owners=owners[some], weights=weights[some])
    found = minimize(
        problem.loss, np.zeros(start.size), jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "maxcor": STEPS}
    )
    return np.asarray(start + found.x.reshape(start.shape), dtype=np.float32)


def _sample(owners: Ids, weights: Floats) -> Rows:
    """Choose the messages with most say of each channel, all channels in turn until there are enough."""
    told = np.flatnonzero(weights > 0)
    if len(told) <= MOST:
        return told
    order = told[np.lexsort((-weights[told], owners[told]))]
    _, first, place = np.unique(owners[order], return_index=True, return_inverse=True)
    rank = np.arange(len(order)) - first[place]
    return np.sort(order[np.argsort(rank, kind="stable")[:MOST]])


class _Problem:
    """The loss of weights that differ from their start, in nats per message, and its gradient."""

    def __init__(self, *, start: Floats, rows: Floats, owners: Ids, weights: Floats) -> None:
        self.rows, self.owners, self.at = np.ascontiguousarray(rows), owners, np.arange(len(rows))
        self.share = (weights / weights.sum()).astype(np.float32)
        self.ridge = RIDGE / float(weights.sum())
        said = np.bincount(owners, weights, len(start))
        # A channel in which nothing was said is no alternative to what was.
        offset = np.log(np.where(said > 0, said, 1)) + np.where(said > 0, 0, -np.inf)
        self.known = rows @ start.T + offset.astype(np.float32)
        self.shape = start.shape

    def loss(self, moved: Doubles) -> tuple[float, Doubles]:
        """Return loss and gradient (c * d,) at a difference (c * d,) from the start."""
        change = moved.reshape(self.shape).astype(np.float32)
        logits = self.known + self.rows @ change.T
        logits -= logits.max(axis=1, keepdims=True)
        right = logits[self.at, self.owners]
        odds = np.exp(logits, out=logits)
        total = odds.sum(axis=1)
        value = self.share @ (np.log(total) - right) + self.ridge / 2 * float((change**2).sum())
        odds *= (self.share / total)[:, None]
        odds[self.at, self.owners] -= self.share
        return float(value), (odds.T @ self.rows + self.ridge * change).astype(np.float64).ravel()
