"""Which channels fit: a text, or a member by their own messages. Every score comes with the parts that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.calibration import FLOOR, MEMBER, TEXT, Coefficients
from brains.matching.members import MemberProfile, profile_member
from brains.matching.terms import words

if TYPE_CHECKING:
    from collections.abc import Set

    from brains.matching.corpus import Corpus, Floats, Ids
    from brains.matching.profiles import ChannelProfiles

SHARED = 5
"""Shared terms named with a suggestion, at most."""

TELLING = 1.5
"""A term is named only where the channel uses it this many times as much as the average channel."""

DRIVERS = 5
"""The member's own messages named with a suggestion, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTerm:
    """A term of the asker and of the channel; `weight` is its true part of the term score before centring."""

    term: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What each source of evidence adds to the log-odds, beside the average channel; together they are the ranking."""

    vector: float
    terms: float
    newcomers: float = 0.0
    company: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A channel that fits, with the reasons in numbers.

    `score` is 0..1, calibrated. `cosine` and `overlap` are the raw vector and term scores. `messages` are ids of the
    asker's own messages that spoke most for it, strongest first, and `interest` is the interest they mostly belong to
    (None for a text). `newcomers` is how many people found the channel lately, fading by half in 120 days.
    """

    channel: int
    score: float
    cosine: float
    overlap: float
    newcomers: float
    parts: Parts
    terms: tuple[SharedTerm, ...] = ()
    messages: tuple[int, ...] = ()
    interest: int | None = None

    @property
    def fits(self) -> bool:
        """Return whether the score is worth showing unasked."""
        return self.score >= FLOOR


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
    query = _Query(
        placed=profiles.space.place(vector),
        terms=_dense(profiles, text),
    )
    return _rank(profiles, query, TEXT, out=_refused(profiles, allowed), k=k, floor=floor)


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
    places = np.flatnonzero(np.isin(profiles.channels, list(joined)))
    query = _Query(placed=member.centre, terms=member.terms, joined=places, member=member)
    out = _refused(profiles, allowed) | {int(place) for place in places}
    return _rank(profiles, query, MEMBER, out=out, k=k, floor=floor)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Query:
    placed: Floats
    terms: Floats
    joined: Ids | None = None
    member: MemberProfile | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Features:
    """The evidence for every channel, each (c,)."""

    cosine: Floats
    overlap: Floats
    pull: Floats
    company: Floats

    def weighed(self, by: Coefficients) -> Floats:
        """Return the parts of the log-odds (4, c)."""
        return np.stack(
            [by.vector * self.cosine, by.terms * self.overlap, by.newcomers * self.pull, by.company * self.company]
        )


def _rank(
    profiles: ChannelProfiles, query: _Query, by: Coefficients, *, out: Set[int], k: int, floor: float
) -> list[Suggestion]:
    features = _features(profiles, query)
    parts = features.weighed(by)
    scores = 1 / (1 + np.exp(-(by.bias + parts.sum(axis=0))))
    beside = parts - parts.mean(axis=1, keepdims=True)
    order = [int(at) for at in np.argsort(-scores, kind="stable") if int(at) not in out and scores[at] >= floor]
    return [
        _suggestion(profiles, query, features, at, parts=beside[:, at], score=float(scores[at])) for at in order[:k]
    ]


def _features(profiles: ChannelProfiles, query: _Query) -> _Features:
    joined = query.joined if query.joined is not None else np.zeros(0, dtype=np.int64)
    return _Features(
        cosine=profiles.closeness(query.placed),
        overlap=profiles.terms.scores(query.terms),
        pull=profiles.prior.pull,
        company=profiles.prior.beside(joined),
    )


def _suggestion(
    profiles: ChannelProfiles, query: _Query, features: _Features, at: int, *, parts: Floats, score: float
) -> Suggestion:
    messages, interest = _drivers(profiles, query.member, at) if query.member else ((), None)
    return Suggestion(
        channel=int(profiles.channels[at]),
        score=score,
        cosine=float(features.cosine[at]),
        overlap=float(features.overlap[at]),
        newcomers=float(profiles.prior.newcomers[at]),
        parts=Parts(**dict(zip(Parts.__slots__, map(float, parts), strict=True))),
        terms=_shared(profiles, query.terms, at),
        messages=messages,
        interest=interest,
    )


def _shared(profiles: ChannelProfiles, terms: Floats, at: int) -> tuple[SharedTerm, ...]:
    """Name the terms that add most to the overlap, foremost those the channel uses more than the average channel does."""
    row = profiles.terms.rows[[at]]
    products = row.data * terms[row.indices]
    gain = products * np.log(np.maximum(row.data / (TELLING * profiles.terms.mean[row.indices]), 1))
    best = [place for place in np.argsort(-gain, kind="stable")[:SHARED] if gain[place] > 0]
    names = profiles.terms.vocabulary.terms
    return tuple(SharedTerm(term=names[row.indices[place]], weight=float(products[place])) for place in best)


def _drivers(profiles: ChannelProfiles, member: MemberProfile, at: int) -> tuple[tuple[int, ...], int | None]:
    """Name the member's messages that add most to the cosine with a channel, and the interest they fall into."""
    centroids = profiles.centroids[profiles.owners == at]
    if not len(centroids) or not len(member.messages):
        return (), None
    nearest = centroids[np.argmax(centroids @ member.centre)]
    gain = member.rows @ nearest
    best = [place for place in np.argsort(-gain, kind="stable")[:DRIVERS] if gain[place] > 0]
    interests = [int(member.interest[place]) for place in best]
    return tuple(int(member.messages[place]) for place in best), max(interests, key=interests.count, default=None)


def _dense(profiles: ChannelProfiles, text: str) -> Floats:
    return np.asarray(profiles.terms.vocabulary.weigh([words(text)]).toarray()[0], dtype=np.float32)


def _refused(profiles: ChannelProfiles, allowed: Set[int] | None) -> Set[int]:
    """Return the positions of channels that may not be shown."""
    if allowed is None:
        return set()
    return {at for at, channel in enumerate(profiles.channels) if int(channel) not in allowed}
