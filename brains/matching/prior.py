"""What is likely before anything is read: which channels are found and alive lately, and which go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csr_array

from brains.matching.corpus import DAY, fading

if TYPE_CHECKING:
    from brains.matching.corpus import Floats, Mask
    from brains.matching.past import Past, Visits

HALF_LIFE = 120 * DAY
"""Of a member's first message in a channel."""

LATELY = 90 * DAY
"""Who wrote in a channel within this time keeps it alive."""

ARRIVING = 14 * DAY
"""How long after first being seen somebody is a newcomer."""

EASE_RIDGE = 50.0
"""Regularisation of EASE, chosen on the training splits of a community with 600 members."""

FAINT = 0.002
"""Weights of EASE that are smaller are not kept."""

HALF_TRUST = 20.0
"""Uses of a further channel at which what goes together counts for half: of few, it is chance."""

UNSEEN = 0.3
"""What every count begins at, so that an empty channel is unlikely and not impossible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """How a community's members spread over its channels.

    `newcomers` (c,) counts first messages, fading by half in HALF_LIFE, `arrivals` (c,) those of people who had just
    come; `voices` (c,) counts who wrote lately; `together` (c, c) is EASE's B, sparse, in units of the
    deviation of its scores: as many as are trusted.
    """

    newcomers: Floats
    arrivals: Floats
    voices: Floats
    together: csr_array

    @classmethod
    def learn(cls, past: Past, *, now: float) -> Self:
        """Fit on what happened before `now`."""
        visits = past.visits
        faded = fading(visits.times, now=now, half_life=HALF_LIFE)
        return cls(
            newcomers=np.bincount(visits.channels, faded, past.count).astype(np.float32),
            arrivals=np.bincount(visits.channels, faded * arriving(visits, len(past.ids)), past.count).astype(
                np.float32
            ),
            voices=_voices(past, now),
            together=_ease(visits.table(len(past.ids))),
        )

    @property
    def pull(self) -> Floats:
        """Return how readily members find each channel these days (c,), as a logarithm."""
        return _log(self.newcomers)

    @property
    def welcome(self) -> Floats:
        """Return how readily people who have just come find each channel (c,), as a logarithm."""
        return _log(self.arrivals)

    @property
    def alive(self) -> Floats:
        """Return how many write in each channel these days (c,), as a logarithm."""
        return _log(self.voices)

    def company(self, inside: Mask) -> Floats:
        """Return how the channels that somebody is in (c,) speak for each channel (c,)."""
        return np.asarray(self.together[np.flatnonzero(inside)].sum(axis=0), dtype=np.float32)


def arriving(visits: Visits, height: int) -> Mask:
    """Say of each visit whether the member had just come (n,)."""
    first = np.full(height, np.inf)
    np.minimum.at(first, visits.members, visits.times)
    return np.asarray(visits.times <= first[visits.members] + ARRIVING)


def _voices(past: Past, now: float) -> Floats:
    late = past.times >= now - LATELY
    pairs = np.unique(past.authors[late] * max(1, past.count) + past.owners[late])
    return np.bincount(pairs % max(1, past.count), minlength=past.count).astype(np.float32)


def _log(counts: Floats) -> Floats:
    return np.asarray(np.log(counts + UNSEEN), dtype=np.float32)


def _ease(used: csr_array) -> csr_array:
    """Fit EASE, Steck 2019: B = I - P / diag(P), where P is the inverse of the regularised co-membership."""
    together = (used.T @ used).toarray().astype(np.float64)
    inverse = np.linalg.inv(together + EASE_RIDGE * np.eye(len(together)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    kept = csr_array(np.where(np.abs(weights) >= FAINT, weights, 0.0).astype(np.float32))
    spread = float((used @ kept).toarray().std()) if used.nnz else 0.0  # of nobody there is none
    further = used.nnz - int((np.diff(used.indptr) > 0).sum())
    return kept * np.float32(further / (further + HALF_TRUST) / spread) if spread else kept
