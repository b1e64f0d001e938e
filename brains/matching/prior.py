"""What is likely before anything is read: which channels newcomers find lately, and which channels go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csr_array

from brains.matching.calibration import MEMBER
from brains.matching.choice import fit
from brains.matching.corpus import DAY, fading

if TYPE_CHECKING:
    from brains.matching.corpus import Floats, Ids, Mask, Times

HALF_LIFE = 120 * DAY
"""Of a member's first message in a channel. 60 to 480 days differ by less than .004 nDCG on the training splits."""

EASE_RIDGE = 50.0
"""Regularisation of EASE, chosen on the training splits of a community with 600 members."""

FAINT = 0.002
"""Weights of EASE that are smaller are not kept."""

REHEARSAL = 0.8
"""The weights are fitted on the last fifth of first uses, seen from the day before them."""

MOST = 1_000
FEWEST = 20
"""First uses to fit the weights on: no more are needed, with fewer nothing is fitted."""

TRUST = 20.0
"""Pull of the weights towards those of an ordinary community, per feature in standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visits:
    """Who used which channel first when: members (n,), channels (n,) as 0..count-1, times (n,), in order of time."""

    members: Ids
    channels: Ids
    times: Times
    count: int

    @classmethod
    def of(cls, authors: Ids, channels: Ids, times: Times, *, count: int) -> Self:
        """Keep the first message (of n) of each member in each channel."""
        order = np.lexsort((channels, authors, times))
        _, first = np.unique(np.stack([authors[order], channels[order]]), axis=1, return_index=True)
        kept = order[np.sort(first)]
        members = np.unique(authors[kept], return_inverse=True)[1].reshape(-1)
        return cls(members=members, channels=channels[kept], times=times[kept], count=count)

    def part(self, mask: Mask) -> Self:
        """Return some visits; members keep their positions."""
        return type(self)(
            members=self.members[mask], channels=self.channels[mask], times=self.times[mask], count=self.count
        )

    def table(self, height: int) -> csr_array:
        """Return 1 where a member used a channel (height, count)."""
        ones = np.ones(len(self.members), dtype=np.float32)
        return csr_array((ones, (self.members, self.channels)), shape=(height, self.count))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prior:
    """How a community's members spread over its channels.

    `newcomers` (c,) counts first messages, fading by half in HALF_LIFE; `together` (c, c) is EASE's B, sparse;
    `pull_weight` and `company_weight` say how much either tells in this community.
    """

    newcomers: Floats
    together: csr_array
    pull_weight: float = MEMBER.newcomers
    company_weight: float = 0.0

    @classmethod
    def learn(cls, authors: Ids, channels: Ids, times: Times, *, count: int, now: float) -> Self:
        """Fit on messages (n,) with channels as 0..count-1."""
        visits = Visits.of(authors, channels, times, count=count)
        newcomers, together = _habits(visits, now)
        pull, company = _rehearse(visits)
        return cls(newcomers=newcomers, together=together, pull_weight=pull, company_weight=company)

    @property
    def pull(self) -> Floats:
        """Return how readily people find each channel these days (c,), as a part of log-odds."""
        return np.asarray(self.pull_weight * _pull(self.newcomers), dtype=np.float32)

    def company(self, joined: Ids) -> Floats:
        """Return how the joined channels (positions 0..c-1) speak for each channel (c,), as a part of log-odds."""
        return np.asarray(self.company_weight * self.together[joined].sum(axis=0), dtype=np.float32)


def _habits(visits: Visits, now: float) -> tuple[Floats, csr_array]:
    faded = fading(visits.times, now=now, half_life=HALF_LIFE)
    newcomers = np.bincount(visits.channels, faded, visits.count).astype(np.float32)
    return newcomers, _ease(visits.table(int(visits.members.max(initial=-1)) + 1))


def _pull(newcomers: Floats) -> Floats:
    return np.asarray(np.log(newcomers + 0.3), dtype=np.float32)


def _ease(used: csr_array) -> csr_array:
    """Fit EASE, Steck 2019: B = I - P / diag(P), where P is the inverse of the regularised co-membership."""
    together = (used.T @ used).toarray().astype(np.float64)
    inverse = np.linalg.inv(together + EASE_RIDGE * np.eye(len(together)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return csr_array(np.where(np.abs(weights) >= FAINT, weights, 0.0).astype(np.float32))


def _rehearse(visits: Visits) -> tuple[float, float]:
    """Fit how much newcomers and company tell, on the latest first uses of members known before them."""
    if not len(visits.times):
        return MEMBER.newcomers, 0.0
    cut = float(np.quantile(visits.times, REHEARSAL))
    before = visits.part(visits.times < cut)
    coming = visits.part((visits.times >= cut) & np.isin(visits.members, before.members))
    coming = coming.part(np.arange(len(coming.times)) % max(1, len(coming.times) // MOST) == 0)
    if len(coming.times) < FEWEST:
        return MEMBER.newcomers, 0.0
    newcomers, together = _habits(before, cut)
    used = before.table(int(visits.members.max()) + 1)[coming.members]
    company = (used @ together).toarray()
    features = np.stack([np.broadcast_to(_pull(newcomers), company.shape), company], axis=-1)
    start = (MEMBER.newcomers, 0.0)
    pull, near = fit(features, coming.channels, start=start, ridge=TRUST, closed=used.toarray() > 0)
    return float(pull), float(near)
