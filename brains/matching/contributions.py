"""What truly made a score: the terms two sides share, and the member's messages that pulled towards a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brains.matching.suggestion import SharedTerm

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from brains.matching.corpus import Floats, Ids
    from brains.matching.members import MemberProfile
    from brains.matching.topics import ChannelTerms, Topics

SHARED = 5
"""Shared terms named with a suggestion, at most."""

TELLING = 1.5
"""A term is named only where the channel uses it this many times as much as the average channel, if there is one."""

RARE = 1 + float(np.log(50))
"""Smooth idf of a term that one message in fifty has; more frequent ones ("function", to developers) name nothing."""

DRIVERS = 5
"""The member's own messages named with a suggestion, at most."""


def shared_terms(terms: ChannelTerms, asked: csr_array, at: int) -> tuple[SharedTerm, ...]:
    """Name the terms of a unit row (1, v) that speak for a channel: what they add, times how much it is theirs."""
    columns, weights = terms.row(at)
    _, places, sides = np.intersect1d(columns, asked.indices, assume_unique=True, return_indices=True)
    columns, weights = columns[places], weights[places]
    products = weights * asked.data[sides]
    telling = products * np.log(np.maximum(weights / (TELLING * terms.mean[columns]), 1))
    rare = np.where(terms.vocabulary.idf[columns] >= RARE, telling, 0.0)
    best = _best(next((gain for gain in (rare, telling) if gain.any()), products), SHARED)
    return tuple(SharedTerm(term=terms.vocabulary.terms[columns[at]], weight=float(products[at])) for at in best)


def drivers(topics: Topics, member: MemberProfile, interest: int, at: int) -> tuple[int, ...]:
    """Name the messages of an interest that add most to its cosine with a channel."""
    centroids = topics.centroids[topics.owners == at]
    if not len(centroids):
        return ()
    nearest = centroids[np.argmax(centroids @ member.centroids[interest])]
    gain = np.where(member.interest == interest, member.rows @ nearest, 0.0)
    return tuple(int(member.messages[place]) for place in _best(gain, DRIVERS))


def _best(gain: Floats, count: int) -> Ids:
    """Return the positions of the largest positive gains, largest first."""
    order = np.argsort(-gain, kind="stable")[:count]
    return np.asarray(order[gain[order] > 0])
