"""Who is where, with whom, at which hours and in which script: what is known of people beside their words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csr_array

from brains.matching import hours, scripts
from brains.matching.corpus import DAY, fading, sum_by, unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.matching.corpus import Corpus, Floats, Ids, Mask
    from brains.matching.past import Past

HALF_LIFE = 180 * DAY
"""Of a turn to somebody, and of a message's say in where its author is, and when: people move faster than topics."""

AT_HOME = 2.0
"""Faded messages at which somebody is half at home in a channel."""

FAINT = 0.05
"""A tie or a presence that faded to less is none."""

LEAST = 0.5
"""Faded ties inside a channel that double what one thinks of it; fewer hardly count."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Presence:
    """Where the members (m,) with ascending `ids` are.

    `inside` (m, c) is 0 to 1, how much at home somebody is in a channel; `ties` (m, m) how much somebody turns to
    another, and is turned to; `hours` (c, 168) and `scripts` (c, s) are unit rows of the channels.
    """

    ids: Ids
    inside: csr_array
    ties: csr_array
    hours: Floats
    scripts: Floats

    @classmethod
    def learn(cls, past: Past, *, now: float) -> Self:
        """Gather what happened before `now`."""
        faded = fading(past.times, now=now, half_life=HALF_LIFE)
        by_channel = sum_by(past.owners, faded, past.count)
        return cls(
            ids=past.ids,
            inside=_inside(past, faded),
            ties=_ties(past, now),
            hours=hours.histogram(past.owners, hours.of_week(past.times), faded, past.count),
            scripts=unit(by_channel @ past.scripts),
        )

    def row(self, member: int | None) -> int | None:
        """Return the position of a member, None for somebody unknown."""
        if member is None or not len(self.ids):
            return None
        at = int(np.searchsorted(self.ids, member))
        return at if at < len(self.ids) and self.ids[at] == member else None

    def warmth(self, row: int | None) -> Floats:
        """Return ln(1 + 2 x the faded ties of a member that are at home in each channel) (c,)."""
        if row is None:
            return np.zeros(self.inside.shape[1], dtype=np.float32)
        return np.asarray(np.log1p((self.ties[[row]] @ self.inside).toarray()[0] / LEAST), dtype=np.float32)

    def friends(self, row: int | None, channels: Sequence[int], *, limit: int) -> list[tuple[int, ...]]:
        """Name for each channel whom a member is tied to that is at home there, those who add most first."""
        if row is None:
            return [() for _ in channels]
        own = slice(self.ties.indptr[row], self.ties.indptr[row + 1])
        others, strength = self.ties.indices[own], self.ties.data[own]
        gains = self.inside[others][:, list(channels)].toarray() * strength[:, None]
        orders = np.argsort(-gains, axis=0, kind="stable")[:limit]
        return [
            tuple(int(self.ids[others[who]]) for who in order if gain[who] > 0)
            for order, gain in zip(orders.T, gains.T, strict=True)
        ]


def hours_of(own: Corpus) -> Floats:
    """Return the hours of one member's messages (168,), a unit row or zeros."""
    whose = np.zeros(len(own), dtype=np.int64)
    weights = np.ones(len(own), dtype=np.float32)
    return np.asarray(hours.histogram(whose, hours.of_week(own.times), weights, 1)[0])


def scripts_of(own: Corpus) -> Floats:
    """Return the scripts of one member's messages (s,), a unit row or zeros."""
    total = scripts.shares(own.texts).sum(axis=0) if len(own) else np.zeros(len(scripts.SCRIPTS), dtype=np.float32)
    return np.asarray(unit(total[None])[0])


def _inside(past: Past, faded: Floats) -> csr_array:
    shape = (len(past.ids), past.count)
    said = csr_array((faded, (past.authors, past.owners)), shape=shape, dtype=np.float32)
    said.sum_duplicates()
    said.data = said.data / (said.data + AT_HOME)
    return _strong(said)


def _ties(past: Past, now: float) -> csr_array:
    turns = past.turns
    weights = turns.weights * fading(turns.times, now=now, half_life=HALF_LIFE)
    shape = (len(past.ids), len(past.ids))
    ties = csr_array((weights, (turns.members, turns.others)), shape=shape, dtype=np.float32)
    ties.sum_duplicates()
    ties.data = np.log1p(ties.data)
    return _strong(ties)


def _strong(rows: csr_array) -> csr_array:
    kept: Mask = rows.data >= FAINT
    whose = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    return csr_array((rows.data[kept], (whose[kept], rows.indices[kept])), shape=rows.shape, dtype=np.float32)
