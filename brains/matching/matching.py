"""Which channels fit: a text, or a member by their own messages. Every score comes with the parts that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.calibration import FLOOR, MEMBER, TEXT, Coefficients
from brains.matching.members import MemberProfile, profile_member
from brains.matching.suggestion import Parts, SharedTerm, Suggestion
from brains.matching.terms import words

if TYPE_CHECKING:
    from collections.abc import Set

    from brains.matching.corpus import Corpus, Floats, Ids, Mask
    from brains.matching.profiles import ChannelProfiles

SHARED = 5
"""Shared terms named with a suggestion, at most."""

TELLING = 1.5
"""A term is named only where the channel uses it this many times as much as the average channel."""

DRIVERS = 5
"""The member's own messages named with a suggestion, at most."""


def match_text(
    profiles: ChannelProfiles,
    *,
    vector: Floats,
    text: str,
    allowed: Set[int] | None = None,
    k: int = 5,
    floor: float = FLOOR,
) -> list[Suggestion]:
    """Rank the channels in which a text belongs, best first; an empty list means that nothing fits.

    `vector` (d,) is the text as a passage. `allowed` None admits every channel; `floor` 0 ranks all of them.
    """
    terms = profiles.terms.vocabulary.weigh([words(text)]).toarray()[0]
    evidence = _gather(profiles, centroids=profiles.space.place(vector[None]), terms=terms)
    return _rank(profiles, evidence, TEXT, admitted=_admitted(profiles, allowed), k=k, floor=floor)


def match_member(
    profiles: ChannelProfiles,
    own: Corpus,
    *,
    joined: Set[int],
    now: float,
    allowed: Set[int] | None = None,
    k: int = 5,
    floor: float = FLOOR,
) -> list[Suggestion]:
    """Rank the channels that a member has not joined, best first; an empty list means that nothing fits.

    `own` are the member's messages, in any order. `allowed` None admits every channel; `floor` 0 ranks all of them.
    """
    member = profile_member(profiles, own, now=now)
    inside = np.isin(profiles.channels, list(joined))
    evidence = _gather(profiles, centroids=member.centroids, terms=member.terms, member=member, joined=inside)
    return _rank(profiles, evidence, MEMBER, admitted=_admitted(profiles, allowed) & ~inside, k=k, floor=floor)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Evidence:
    """What speaks for every channel: four features, each (c,), the interest that came closest (c,), and who asks."""

    cosine: Floats
    overlap: Floats
    pull: Floats
    company: Floats
    interest: Ids
    terms: Floats
    member: MemberProfile | None

    def weighed(self, by: Coefficients) -> Floats:
        """Return the parts of the log-odds (4, c)."""
        weights = np.array([by.vector, by.terms, by.newcomers, by.company], dtype=np.float32)
        return weights[:, None] * np.stack([self.cosine, self.overlap, self.pull, self.company])


def _gather(
    profiles: ChannelProfiles,
    *,
    centroids: Floats,
    terms: Floats,
    member: MemberProfile | None = None,
    joined: Mask | None = None,
) -> _Evidence:
    closeness = profiles.closeness(centroids if len(centroids) else np.zeros_like(profiles.space.mean)[None])
    places = np.flatnonzero(joined) if joined is not None else np.zeros(0, dtype=np.int64)
    return _Evidence(
        cosine=closeness.max(axis=0),
        overlap=profiles.terms.scores(terms),
        pull=profiles.prior.pull,
        company=profiles.prior.beside(places),
        interest=closeness.argmax(axis=0),
        terms=terms,
        member=member if len(centroids) else None,
    )


def _rank(
    profiles: ChannelProfiles, evidence: _Evidence, by: Coefficients, *, admitted: Mask, k: int, floor: float
) -> list[Suggestion]:
    parts = evidence.weighed(by)
    scores = 1 / (1 + np.exp(-(by.bias + parts.sum(axis=0))))
    beside = parts - parts.mean(axis=1, keepdims=True)
    order = [at for at in np.argsort(-scores, kind="stable") if admitted[at] and scores[at] >= floor]
    return [_suggestion(profiles, evidence, int(at), score=float(scores[at]), parts=beside[:, at]) for at in order[:k]]


def _suggestion(profiles: ChannelProfiles, evidence: _Evidence, at: int, *, score: float, parts: Floats) -> Suggestion:
    vector, terms, newcomers, company = (float(part) for part in parts)
    return Suggestion(
        channel=int(profiles.channels[at]),
        score=score,
        cosine=float(evidence.cosine[at]),
        overlap=float(evidence.overlap[at]),
        newcomers=float(profiles.prior.newcomers[at]),
        parts=Parts(vector=vector, terms=terms, newcomers=newcomers, company=company),
        terms=_shared(profiles, evidence.terms, at),
        messages=_drivers(profiles, evidence, at),
        interest=int(evidence.interest[at]) if evidence.member else None,
    )


def _shared(profiles: ChannelProfiles, terms: Floats, at: int) -> tuple[SharedTerm, ...]:
    """Name the terms that add most to the overlap, foremost those that the channel uses more than the average one."""
    columns, weights = profiles.terms.row(at)
    products = weights * terms[columns]
    lift = weights / (TELLING * profiles.terms.mean[columns])
    gain = products * np.log(np.maximum(lift, 1))
    names = profiles.terms.vocabulary.terms
    return tuple(SharedTerm(term=names[columns[place]], weight=float(products[place])) for place in _best(gain, SHARED))


def _drivers(profiles: ChannelProfiles, evidence: _Evidence, at: int) -> tuple[int, ...]:
    """Name the messages of the closest interest that add most to its cosine with the channel."""
    centroids = profiles.centroids[profiles.owners == at]
    if evidence.member is None or not len(centroids):
        return ()
    member, interest = evidence.member, evidence.interest[at]
    nearest = centroids[np.argmax(centroids @ member.centroids[interest])]
    gain = np.where(member.interest == interest, member.rows @ nearest, 0.0)
    return tuple(int(member.messages[place]) for place in _best(gain, DRIVERS))


def _best(gain: Floats, count: int) -> Ids:
    """Return the positions of the largest positive gains, largest first."""
    order = np.argsort(-gain, kind="stable")[:count]
    return np.asarray(order[gain[order] > 0])


def _admitted(profiles: ChannelProfiles, allowed: Set[int] | None) -> Mask:
    if allowed is None:
        return np.ones(len(profiles.channels), dtype=np.bool_)
    return np.isin(profiles.channels, list(allowed))
