"""The signals that speak for a channel, each a small function of the community and of who asks, in one table.

Every signal is a number for each channel (c,), in the units of log-odds where it has such units: what a conditional
logit weighs and adds up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from brains.matching.calibration import FLOOR
from brains.matching.choice import softmax
from brains.matching.corpus import DAY, fading
from brains.matching.members import MemberProfile, profile_member
from brains.matching.presence import Presence, hours_of, scripts_of
from brains.matching.terms import words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scipy.sparse import csr_array

    from brains.matching.behaviour import Stated
    from brains.matching.choice import Choice
    from brains.matching.corpus import Corpus, Floats, Mask
    from brains.matching.prior import Prior
    from brains.matching.topics import Topics

BLIND = 2.0
"""Times as likely as by blind choice a channel must be for what somebody named, where FLOOR does not ask for more:
where little fits, the rest is only the least unlikely, and to offer it would be no answer."""
STATED_HALF_LIFE = 180 * DAY
"""Of an interest that somebody named, or of a search."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A community at a moment: what its channels are about, and how its people are spread over them.

    `by_term` (v, c) are the rows of its topics' terms, turned, so that a few terms are looked up quickly.
    """

    topics: Topics
    by_term: csr_array
    choice: Choice
    prior: Prior
    presence: Presence

    @classmethod
    def of(cls, topics: Topics, choice: Choice, prior: Prior, presence: Presence) -> Self:
        """Set the scene."""
        by_term = topics.terms.rows.T.tocsr()
        return cls(topics=topics, by_term=by_term, choice=choice, prior=prior, presence=presence)

    @property
    def size(self) -> int:
        """Return how many channels there are."""
        return len(self.prior.newcomers)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asker:
    """Somebody who looks for channels.

    `closeness` (k, c) is that of each of their interests, `inside` (c,) where they are already, `row` their position
    among those who are known; `hours` (168,), `scripts` (s,) unit rows or zeros; `stated` (t, c) by how
    much, in log-odds and faded, each thing that they named or searched belongs there by the choice model of texts.
    """

    profile: MemberProfile
    closeness: Floats
    inside: Mask
    row: int | None
    hours: Floats
    scripts: Floats
    stated: Floats

    @classmethod
    def of(cls, scene: Scene, own: Corpus, *, member: int | None, inside: Mask, stated: Stated, now: float) -> Self:
        """Look at somebody by their `own` messages and what they `stated`."""
        profile = profile_member(scene.topics, own, now=now)
        return cls(
            profile=profile,
            closeness=scene.topics.closeness(profile.centroids),
            inside=inside,
            row=scene.presence.row(member),
            hours=hours_of(own),
            scripts=scripts_of(own),
            stated=_stated(scene, stated, now),
        )

    @property
    def unknown(self) -> bool:
        """Say whether they have said nothing at all yet."""
        return not (self.hours.any() or len(self.stated))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A signal by its name, which is also that of its part of a suggestion, and its `usual` weight, never below 0.

    Those that are somebody's `own` carry an offer; the `habits` of others say what is used next and offer nothing.
    """

    name: str
    score: Callable[[Scene, Asker], Floats]
    usual: float
    own: bool = False
    habit: bool = False


def vector(scene: Scene, asker: Asker) -> Floats:
    """Score channels by the interest that comes closest."""
    return _content(scene.choice.vector * asker.closeness.max(axis=0, initial=-1), asker)


def breadth(scene: Scene, asker: Asker) -> Floats:
    """Score channels by how close all interests come, each by its share."""
    return _content(scene.choice.vector * (asker.profile.shares @ asker.closeness), asker)


def terms(scene: Scene, asker: Asker) -> Floats:
    """Score channels by the terms they share with what somebody said."""
    return scene.choice.terms * overlap(scene, asker.profile.terms)


def stated(scene: Scene, asker: Asker) -> Floats:
    """Score channels by what somebody named or searched, the one that fits best."""
    return asker.stated.max(axis=0) if len(asker.stated) else np.zeros(scene.size, dtype=np.float32)


def ties(scene: Scene, asker: Asker) -> Floats:
    """Score channels by the people in them with whom somebody talks."""
    return scene.presence.warmth(asker.row)


def hours(scene: Scene, asker: Asker) -> Floats:
    """Score channels by how much is said there at somebody's hours of the week."""
    return np.asarray(scene.presence.hours @ asker.hours)


def language(scene: Scene, asker: Asker) -> Floats:
    """Score channels by how much is written there in somebody's script."""
    return np.asarray(scene.presence.scripts @ asker.scripts)


def newcomers(scene: Scene, asker: Asker) -> Floats:
    """Score channels by who finds them lately; for somebody unknown, by who found them on arriving."""
    return scene.prior.welcome if asker.unknown else scene.prior.pull


def alive(scene: Scene, asker: Asker) -> Floats:
    """Score channels by how many write there lately."""
    return scene.prior.alive


def company(scene: Scene, asker: Asker) -> Floats:
    """Score channels by what members of the same channels use."""
    return scene.prior.company(asker.inside)


SIGNALS = (
    Signal(name="vector", score=vector, usual=0.27, own=True),
    Signal(name="breadth", score=breadth, usual=0.0, own=True),
    Signal(name="terms", score=terms, usual=0.27, own=True),
    Signal(name="stated", score=stated, usual=0.5, own=True),
    Signal(name="ties", score=ties, usual=0.3, own=True),
    Signal(name="hours", score=hours, usual=0.3),
    Signal(name="language", score=language, usual=2.0),
    Signal(name="newcomers", score=newcomers, usual=0.5, habit=True),
    Signal(name="alive", score=alive, usual=0.5, habit=True),
    Signal(name="company", score=company, usual=1.0, habit=True),
)
"""What speaks for a channel. The usual weights are those of a community of which too little is known to fit any."""

NAMES = tuple(signal.name for signal in SIGNALS)
USUAL = np.array([signal.usual for signal in SIGNALS])
OWN = np.array([signal.own for signal in SIGNALS])
HABITS = np.array([signal.habit for signal in SIGNALS])


def measure(scene: Scene, asker: Asker) -> Floats:
    """Return every signal of every channel (c, f), in the order of SIGNALS."""
    return np.stack([np.asarray(signal.score(scene, asker), dtype=np.float32) for signal in SIGNALS], axis=1)


def overlap(scene: Scene, asked: csr_array) -> Floats:
    """Return how a unit row of terms (1, v) overlaps with each channel (c,), as `ChannelTerms.overlap` does."""
    told = scene.topics.terms
    plain = (asked @ scene.by_term).toarray()[0]
    return np.asarray((plain - float((asked @ told.mean)[0])) / told.spread, dtype=np.float32)


def _content(scores: Floats, asker: Asker) -> Floats:
    return scores if len(asker.profile.centroids) else np.zeros_like(scores)


def _stated(scene: Scene, stated: Stated, now: float) -> Floats:
    """Return by how much each thing that was stated belongs in a channel (t, c), 0 where it does not; newest first."""
    if not len(stated):
        return np.zeros((0, scene.size), dtype=np.float32)
    closeness = scene.topics.closeness(scene.topics.space.place(stated.vectors))
    by_terms = scene.topics.terms.overlap(scene.topics.terms.weigh(_documents(stated.texts)))
    logits = scene.choice.vector * closeness + scene.choice.terms * by_terms
    faded = fading(stated.times, now=now, half_life=STATED_HALF_LIFE)
    belongs = softmax(logits) >= max(FLOOR, min(BLIND / max(1, scene.size), 1 / 2))
    told = np.where(belongs, logits - logits.mean(axis=1, keepdims=True), 0)
    return np.asarray(faded[:, None] * told, dtype=np.float32)


def _documents(texts: Sequence[str]) -> list[list[str]]:
    return [words(text) for text in texts]
