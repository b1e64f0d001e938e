"""What happened in a community, by positions of members and channels: the raw material of every habit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csr_array

from brains.matching.corpus import DAY
from brains.matching.scripts import shares

if TYPE_CHECKING:
    from brains.matching.behaviour import Behaviour, Moments, Ties
    from brains.matching.corpus import Corpus, Floats, Ids, Mask, Rows, Times

TRIED = 7 * DAY
"""Whoever left again sooner than this, and wrote nothing, did not come to stay."""

CONVERSATION = 900.0
"""Seconds within which the next message of a channel is taken to go on with the last one."""

TALKED, REACTED = 0.25, 0.5
"""What a turn in a conversation and a reaction count for, where an answer to somebody counts for 1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visits:
    """Who used which channel first when: members (n,), channels (n,) as positions, times (n,), in order of time."""

    members: Ids
    channels: Ids
    times: Times
    count: int

    @classmethod
    def of(cls, members: Ids, channels: Ids, times: Times, *, count: int) -> Self:
        """Keep the first use (of n) of each member of each of `count` channels."""
        order = np.lexsort((channels, members, times))
        _, first = np.unique(members[order] * max(1, count) + channels[order], return_index=True)
        kept = order[np.sort(first)]
        return cls(members=members[kept], channels=channels[kept], times=times[kept], count=count)

    def part(self, mask: Mask) -> Self:
        """Return some visits."""
        return replace(self, members=self.members[mask], channels=self.channels[mask], times=self.times[mask])

    def table(self, height: int) -> csr_array:
        """Return 1 where a member used a channel (height, count)."""
        ones = np.ones(len(self.members), dtype=np.float32)
        return csr_array((ones, (self.members, self.channels)), shape=(height, self.count))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Turns:
    """Who turned to whom: members (n,), others (n,) as positions, times (n,), and how much each counts (n,)."""

    members: Ids
    others: Ids
    times: Times
    weights: Floats

    def part(self, mask: Mask) -> Self:
        """Return some turns."""
        return replace(
            self,
            members=self.members[mask],
            others=self.others[mask],
            times=self.times[mask],
            weights=self.weights[mask],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Past:
    """A community's messages (n,) by positions of authors and channels, in order of time, and what came of them.

    `rows` (n,) are their places in the corpus, `ids` (m,) the members that anything is known of, ascending; `scripts`
    (n, s) are shares; `count` channels.
    """

    rows: Rows
    ids: Ids
    count: int
    authors: Ids
    owners: Ids
    times: Times
    scripts: Floats
    visits: Visits
    turns: Turns

    @classmethod
    def of(cls, corpus: Corpus, owners: Ids, channels: Ids, behaviour: Behaviour) -> Self:
        """Lay out messages whose channels are at `owners` (n,) among the ascending ids `channels` (c,)."""
        joins = _stayed(behaviour)
        joins = joins.where(np.isin(joins.channels, channels))
        ids = np.unique(np.concatenate([corpus.authors, joins.members]))
        order = np.lexsort((corpus.ids, corpus.times))
        authors, owners, times = np.searchsorted(ids, corpus.authors)[order], owners[order], corpus.times[order]
        visits = Visits.of(
            np.concatenate([authors, np.searchsorted(ids, joins.members)]),
            np.concatenate([owners, np.searchsorted(channels, joins.channels)]),
            np.concatenate([times, joins.times]),
            count=len(channels),
        )
        return cls(
            rows=order,
            ids=ids,
            count=len(channels),
            authors=authors,
            owners=owners,
            times=times,
            scripts=shares(corpus.texts)[order],
            visits=visits,
            turns=_turns(ids, authors, owners, times, behaviour),
        )

    def before(self, moment: float) -> Self:
        """Return what had happened before a moment."""
        end = int(np.searchsorted(self.times, moment))
        return replace(
            self,
            rows=self.rows[:end],
            authors=self.authors[:end],
            owners=self.owners[:end],
            times=self.times[:end],
            scripts=self.scripts[:end],
            visits=self.visits.part(self.visits.times < moment),
            turns=self.turns.part(self.turns.times < moment),
        )


def _stayed(behaviour: Behaviour) -> Moments:
    """Leave out memberships that ended within days; a message there counts all the same."""
    joins, leaves = behaviour.joins, behaviour.leaves
    if not len(joins) or not len(leaves):
        return joins
    left: dict[tuple[int, int], list[float]] = {}
    for member, channel, at in zip(leaves.members.tolist(), leaves.channels.tolist(), leaves.times, strict=True):
        left.setdefault((member, channel), []).append(float(at))
    rows = zip(joins.members.tolist(), joins.channels.tolist(), joins.times, strict=True)
    tried = [
        any(0 <= at - joined < TRIED for at in left.get((member, channel), ())) for member, channel, joined in rows
    ]
    return joins.where(~np.array(tried, dtype=np.bool_))


def _turns(ids: Ids, authors: Ids, owners: Ids, times: Times, behaviour: Behaviour) -> Turns:
    """Gather answers, reactions and the turns of conversations; who turns to somebody is turned to a little, too."""
    found = [_conversations(authors, owners, times)]
    for all_ties, weight in ((behaviour.replies, 1.0), (behaviour.reactions, REACTED)):
        ties = _known(all_ties, ids)
        members, others = np.searchsorted(ids, ties.members), np.searchsorted(ids, ties.others)
        found.append((members, others, ties.times, np.full(len(members), weight, dtype=np.float32)))
    members, others, moments, weights = (np.concatenate(column) for column in zip(*found, strict=True))
    return Turns(
        members=np.concatenate([members, others]),
        others=np.concatenate([others, members]),
        times=np.concatenate([moments, moments]),
        weights=np.concatenate([weights, weights]).astype(np.float32),
    )


def _known(ties: Ties, ids: Ids) -> Ties:
    return ties.where(np.isin(ties.members, ids) & np.isin(ties.others, ids) & (ties.members != ties.others))


def _conversations(authors: Ids, owners: Ids, times: Times) -> tuple[Ids, Ids, Times, Floats]:
    """Take each message for a turn towards the author of the last one in its channel, if that was just before."""
    order = np.lexsort((times, owners))
    later, sooner = order[1:], order[:-1]
    near = (owners[later] == owners[sooner]) & (times[later] - times[sooner] <= CONVERSATION)
    near &= authors[later] != authors[sooner]
    later, sooner = later[near], sooner[near]
    return authors[later], authors[sooner], times[later], np.full(len(later), TALKED, dtype=np.float32)
