"""Which channels fit: a text, or a member by what is known of them. Every score comes with the parts that made it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.behaviour import Stated
from brains.matching.calibration import FLOOR, MEMBER_FLOOR
from brains.matching.choice import how_told, softmax
from brains.matching.contributions import drivers, shared_terms
from brains.matching.corpus import fading
from brains.matching.diversity import likeness, spread
from brains.matching.presence import HALF_LIFE
from brains.matching.signals import HABITS, NAMES, OWN, USUAL, Asker, measure, overlap
from brains.matching.suggestion import Parts, Suggestion
from brains.matching.terms import speaks, words

if TYPE_CHECKING:
    from collections.abc import Set

    from brains.matching.choice import Doubles
    from brains.matching.corpus import Corpus, Floats, Mask
    from brains.matching.profiles import ChannelProfiles

MUTE = 0.5
"""A text of stop words alone has to be likelier at home than not: "yes" is, where it is an intent; "ok" seldom."""
FRIENDS = 8
"""Members named with a suggestion, at most: some of them may not be shown to the reader."""


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
    space, placing, said = profiles.topics.space, profiles.placing, words(text)
    terms, placed = profiles.topics.terms.weigh([said]), space.place(vector[None])
    features = np.column_stack([placing.learned @ placed[0], overlap(profiles.scene, terms), profiles.size])
    parts = features * placing.weights
    logits = parts.sum(axis=1)
    opens = placing.gate.opens(float(how_told(logits)), float(space.nearness(vector[None])[0]))
    if not said and not (placing.gate.seasoned and speaks(text) and opens >= MUTE):
        opens = 0.0  # a greeting or a bare link belongs nowhere
    shares = opens * softmax(logits)
    parts[:, 2] -= parts[:, 2].mean()
    order = np.argsort(-logits, kind="stable")
    shown = order[_admitted(profiles, allowed)[order] & (shares[order] >= floor)][:k]
    found = []
    for at in shown:
        by_vector, by_terms, size = (float(part) for part in parts[at])
        found.append(
            Suggestion(
                channel=int(profiles.channels[at]),
                score=float(shares[at]),
                share=float(shares[at]),
                newcomers=float(profiles.prior.newcomers[at]),
                parts=Parts(vector=by_vector, terms=by_terms, size=size),
                terms=shared_terms(profiles.topics.terms, terms, int(at)),
            )
        )
    return found


def match_member(
    profiles: ChannelProfiles,
    own: Corpus,
    *,
    joined: Set[int],
    now: float,
    member: int | None = None,
    refused: Set[int] = frozenset(),
    stated: Stated | None = None,
    allowed: Set[int] | None = None,
    habits: bool = True,
    k: int = 5,
    floor: float = MEMBER_FLOOR,
    needed: float = -math.inf,
    waiting: Set[int] = frozenset(),
) -> list[Suggestion]:
    """Rank the channels that a member neither joined nor refused, best first; an empty list means that nothing fits.

    With `habits`, by the channel they will use next, which is half popularity; without, by what speaks for it of their
    own, and no two channels alike next to each other. `own` are the member's messages, in any order, `stated` what they
    named or searched, `member` their id, or else the first author's: without anything of substance nothing fits.
    `allowed` None admits every channel; `floor` 0 ranks all of them, by what is known of newcomers if need be; `needed`
    are the log-odds that what is their own must add. Of channels that are `waiting`, the best that fits comes after the
    `k`.
    """
    scene, ranker = profiles.scene, profiles.ranker
    if member is None and len(own):
        member = int(own.authors.min())
    inside = np.isin(profiles.channels, list(joined))
    asker = Asker.of(scene, own, member=member, inside=inside, stated=stated or Stated(), now=now)
    barred = inside | np.isin(profiles.channels, list(refused))
    signals = measure(scene, asker)
    ranking = _Ranking.of(signals, ranker.weights, barred)
    activity = float(np.log1p(fading(own.times, now=now, half_life=HALF_LIFE).sum()))
    scores = ranker.chances.of(ranking.shares, activity)
    if not habits:
        # What an offer goes by counts at least as much as it does elsewhere: it is not a guess at what comes next.
        weights = np.where(HABITS, 0.0, np.where(OWN, np.maximum(ranker.weights, USUAL), ranker.weights))
        ranking = _Ranking.of(signals, weights, barred)
    told = asker.profile.told or bool(len(asker.stated)) or bool(scene.presence.warmth(asker.row).any())
    alike = functools.partial(likeness, profiles.topics)
    order = spread(ranking.logits, alike, cost=0.0 if habits else ranker.variety)
    floor = min(floor, 1 / max(1, int((~barred).sum())))
    fits = _admitted(profiles, allowed) & ~barred & (told & (ranking.shares >= floor) | (floor <= 0))
    fits &= ranking.own >= needed
    fitting = [int(at) for at in order if fits[at]]
    late = [at for at in fitting[k:] if int(profiles.channels[at]) in waiting]
    shown = [*fitting[:k], *late[:1]]
    friends = scene.presence.friends(asker.row, shown, limit=FRIENDS)
    return [
        _suggestion(profiles, asker, ranking, at, score=float(scores[at]), people=people)
        for at, people in zip(shown, friends, strict=True)
    ]


_CONTENT = np.array([name in {"vector", "terms", "breadth"} for name in NAMES])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ranking:
    """Log-odds (c,), shares (c,), and the parts of the log-odds (c, f) in the order of SIGNALS."""

    logits: Doubles
    shares: Doubles
    parts: Doubles

    @property
    def own(self) -> Doubles:
        """Return what is the asker's own of the log-odds (c,): their words, and wishes and ties that speak for it."""
        content, other = self.parts[:, _CONTENT].sum(axis=1), self.parts[:, OWN & ~_CONTENT]
        return np.asarray(content + np.maximum(other, 0).sum(axis=1))

    @classmethod
    def of(cls, signals: Floats, weights: Doubles, barred: Mask) -> _Ranking:
        parts = signals * weights
        logits = np.where(barred, -np.inf, parts.sum(axis=1))
        shares = softmax(logits) if not barred.all() else np.zeros(len(barred))
        if not barred.all():
            parts = parts - np.where(_CONTENT, 0.0, parts[~barred].mean(axis=0))  # content is centred already
        return cls(logits=logits, shares=shares, parts=parts)


def _suggestion(
    profiles: ChannelProfiles,
    asker: Asker,
    ranking: _Ranking,
    at: int,
    *,
    score: float,
    people: tuple[int, ...],
) -> Suggestion:
    profile = asker.profile
    interest = int(asker.closeness[:, at].argmax()) if len(profile.centroids) else None
    return Suggestion(
        channel=int(profiles.channels[at]),
        score=score,
        share=float(ranking.shares[at]),
        newcomers=float(profiles.prior.newcomers[at]),
        parts=Parts(**{name: float(part) for name, part in zip(NAMES, ranking.parts[at], strict=True)}),
        terms=shared_terms(profiles.topics.terms, profile.terms, at),
        messages=drivers(profiles.topics, profile, interest, at) if interest is not None else (),
        people=people,
        interest=interest,
    )


def _admitted(profiles: ChannelProfiles, allowed: Set[int] | None) -> Mask:
    if allowed is None:
        return np.ones(len(profiles.channels), dtype=np.bool_)
    return np.isin(profiles.channels, list(allowed))
