"""Which channels fit: a text, or a member by their own messages. Every score comes with the parts that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.calibration import FLOOR, MEMBER, MEMBER_FLOOR
from brains.matching.choice import how_told, softmax
from brains.matching.contributions import drivers, shared_terms
from brains.matching.members import MemberProfile, profile_member
from brains.matching.suggestion import Parts, Suggestion
from brains.matching.terms import words

if TYPE_CHECKING:
    from collections.abc import Set

    from scipy.sparse import csr_array

    from brains.matching.choice import Doubles
    from brains.matching.corpus import Corpus, Floats, Ids, Mask
    from brains.matching.profiles import ChannelProfiles


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
    space, said = profiles.topics.space, words(text)
    evidence = _gather(profiles, space.place(vector[None]), profiles.topics.terms.weigh([said]))
    parts = evidence.features * profiles.choice.weights
    logits = parts.sum(axis=1)
    opens = profiles.gate.opens(float(how_told(logits)), float(space.nearness(vector[None])[0]))
    opens = opens if said else 0.0  # a greeting or a bare link belongs nowhere
    ranking = _Ranking(logits=logits, scores=opens * softmax(logits), parts=np.pad(parts, ((0, 0), (0, 2))))
    return _rank(profiles, evidence, ranking, admitted=_admitted(profiles, allowed), k=k, floor=floor)


def match_member(
    profiles: ChannelProfiles,
    own: Corpus,
    *,
    joined: Set[int],
    now: float,
    allowed: Set[int] | None = None,
    habits: bool = True,
    k: int = 5,
    floor: float = MEMBER_FLOOR,
) -> list[Suggestion]:
    """Rank the channels that a member has not joined, best first; an empty list means that nothing fits.

    With `habits`, by the channel they will use next, which is half popularity; without, by their own words alone.
    `own` are the member's messages, in any order; without one of substance nothing fits. `allowed` None admits every
    channel; `floor` 0 ranks all of them, by what is known of newcomers if need be.
    """
    member = profile_member(profiles, own, now=now)
    inside = np.isin(profiles.channels, list(joined))
    told = bool(len(member.centroids) or member.terms.nnz)
    centroids = member.centroids if len(member.centroids) else np.zeros_like(profiles.topics.space.mean)[None]
    evidence = _gather(profiles, centroids, member.terms, member=member if len(member.centroids) else None)
    parts = _member_parts(profiles, evidence, inside)
    if not habits:
        parts[:, 3:] = 0
    logits = np.where(inside, -np.inf, parts.sum(axis=1))
    scores = softmax(logits) if told and not inside.all() else np.zeros(len(inside))
    ranking = _Ranking(logits=logits, scores=scores, parts=parts)
    floor = min(floor, 1 / max(1, int((~inside).sum())))
    return _rank(profiles, evidence, ranking, admitted=_admitted(profiles, allowed) & ~inside, k=k, floor=floor)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Evidence:
    """What is known before it is weighed: features (c, 3), the closest interest (c,), terms (1, v), and who asks."""

    features: Floats
    interest: Ids
    terms: csr_array
    member: MemberProfile | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ranking:
    """Log-odds (c,), scores (c,), and the parts of the log-odds (c, 5) in the order of `Parts`."""

    logits: Doubles
    scores: Doubles
    parts: Floats


def _gather(
    profiles: ChannelProfiles, placed: Floats, terms: csr_array, *, member: MemberProfile | None = None
) -> _Evidence:
    """Take each channel's closeness from the interest (k, d) that comes closest."""
    closeness = profiles.topics.closeness(placed)
    overlap = profiles.topics.terms.overlap(terms)[0]
    return _Evidence(
        features=np.stack([closeness.max(axis=0), overlap, profiles.size], axis=1),
        interest=closeness.argmax(axis=0),
        terms=terms,
        member=member,
    )


def _member_parts(profiles: ChannelProfiles, evidence: _Evidence, inside: Mask) -> Floats:
    """Weigh content by the community's own choice model; size gives way to who found the channels lately."""
    content = MEMBER.content * evidence.features * profiles.choice.weights
    content[:, 2] = 0
    company = profiles.prior.company(np.flatnonzero(inside))
    return np.column_stack([content, profiles.prior.pull, company])


def _rank(
    profiles: ChannelProfiles, evidence: _Evidence, ranking: _Ranking, *, admitted: Mask, k: int, floor: float
) -> list[Suggestion]:
    order = np.argsort(-ranking.logits, kind="stable")
    shown = order[admitted[order] & (ranking.scores[order] >= floor)][:k]
    if not len(shown):
        return []
    parts = ranking.parts.copy()
    parts[:, 2:] -= parts[np.isfinite(ranking.logits), 2:].mean(axis=0, keepdims=True)  # content is centred already
    return [_suggestion(profiles, evidence, int(at), score=float(ranking.scores[at]), parts=parts[at]) for at in shown]


def _suggestion(profiles: ChannelProfiles, evidence: _Evidence, at: int, *, score: float, parts: Floats) -> Suggestion:
    vector, terms, size, newcomers, company = (float(part) for part in parts)
    member, interest = evidence.member, int(evidence.interest[at])
    return Suggestion(
        channel=int(profiles.channels[at]),
        score=score,
        newcomers=float(profiles.prior.newcomers[at]),
        parts=Parts(vector=vector, terms=terms, size=size, newcomers=newcomers, company=company),
        terms=shared_terms(profiles.topics.terms, evidence.terms, at),
        messages=drivers(profiles.topics, member, interest, at) if member else (),
        interest=interest if member else None,
    )


def _admitted(profiles: ChannelProfiles, allowed: Set[int] | None) -> Mask:
    if allowed is None:
        return np.ones(len(profiles.channels), dtype=np.bool_)
    return np.isin(profiles.channels, list(allowed))
