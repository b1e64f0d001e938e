"""What is likely before anything is read: which channels newcomers find lately, and which channels go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csr_array

from brains.matching.corpus import DAY

if TYPE_CHECKING:
    from brains.matching.corpus import Floats, Ids, Times

HALF_LIFE = 120 * DAY
"""Of a member's first message in a channel. 60 to 480 days differ by less than .004 nDCG on the training splits."""

RIDGE = 50.0
"""Regularisation of EASE, chosen on the training splits of a community with 600 members."""

_FAINT = 0.002


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prior:
    """`newcomers` (c,) counts first messages, fading by half in HALF_LIFE; `company` (c, c) is EASE's B, sparse."""

    newcomers: Floats
    company: csr_array

    @classmethod
    def learn(cls, authors: Ids, channels: Ids, times: Times, *, count: int, now: float) -> Self:
        """Fit on messages (n,) with channels as 0..count-1."""
        members, member = np.unique(authors, return_inverse=True)
        first = np.full((len(members), count), np.inf)
        np.minimum.at(first, (member, channels), times)
        fading = 0.5 ** (np.maximum(now - first, 0) / HALF_LIFE)
        newcomers = np.where(np.isfinite(first), fading, 0.0).sum(axis=0)
        return cls(newcomers=newcomers.astype(np.float32), company=_ease(np.isfinite(first)))

    @property
    def pull(self) -> Floats:
        """Return ln(newcomers + .3) (c,), the log of how readily people find each channel these days."""
        return np.asarray(np.log(self.newcomers + 0.3), dtype=np.float32)

    def beside(self, joined: Ids) -> Floats:
        """Score each channel (c,) by the company of the joined ones (positions 0..c-1)."""
        if not len(joined):
            return np.zeros(len(self.newcomers), dtype=np.float32)
        return np.asarray(self.company[joined].sum(axis=0), dtype=np.float32)


def _ease(used: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> csr_array:
    """Fit EASE, Steck 2019: B = I - P / diag(P), where P is the inverse of the regularised co-membership."""
    together = used.astype(np.float64).T @ used
    inverse = np.linalg.inv(together + RIDGE * np.eye(len(together)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return csr_array(np.where(np.abs(weights) >= _FAINT, weights, 0.0).astype(np.float32))
