"""Which of the conversations that somebody missed they would care about: close to their interests, alive, fresh."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bot.core.i18n import written
from bot.core.sentences import sentences
from brains.matching.corpus import unit
from brains.matching.terms import substances, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from brains.matching.corpus import Floats
    from storage.talks import Said

RELEVANCE, LIVELY, FRESH, LIKED = 1.0, 0.25, 0.15, 0.3
"""What the score is made of; chosen, since no community has said yet what it missed."""
WORTH, ALONE, FOREIGN = 0.16, 0.1, 0.15
"""Least closeness to an interest for a conversation to be worth naming; so much more for a message that nobody
answered, and for a language that somebody never writes. By reading the sample community."""
HALF_LIFE = 4.0
"""Days after which a conversation is half as fresh."""
MANY, SEVERAL = 20, 6
"""Messages and people that make a conversation as lively as it counts."""
ALIKE = 0.85
"""Two conversations whose vectors have a larger cosine than this are about the same: one of them is enough."""
CHANNEL = 0.25
"""Of an opinion on a conversation, what goes over to others in its channel."""
LONGEST = 140
"""Characters of a title."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thread:
    """A conversation with what was said in it, oldest first, and the vectors (n, d), centred unit rows."""

    label: int
    said: Sequence[Said]
    vectors: Floats

    @property
    def last(self) -> datetime:
        """Return when something was last said."""
        return self.said[-1].at

    @property
    def authors(self) -> tuple[int, ...]:
        """Return who took part, those who said most first."""
        spoke = [one.author for one in self.said]
        return tuple(sorted(set(spoke), key=lambda one: (-spoke.count(one), one)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Taste:
    """What somebody likes: interests (k, d) by their words, conversations (m, d) and channels that they said so of.

    `liked` (m,) and what `channels` hold are 1 for more and -1 for less. `languages` are those they write, as `written`
    tells them; none where they wrote nothing.
    """

    interests: Floats
    told: Floats
    liked: Floats
    channels: Mapping[int, float] = field(default_factory=dict)
    languages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Missed:
    """A conversation worth naming: its score, the interest it is close to (-1 for none), its title, what it is of."""

    thread: Thread
    score: float
    interest: int
    title: Said
    sentence: str


def choose(threads: Sequence[Thread], taste: Taste, *, now: datetime, k: int) -> list[Missed]:
    """Choose up to `k` conversations, best first, no two about the same.

    For somebody without interests, those that are most alive.
    """
    rated = [one for thread in threads if (one := _rate(thread, taste, now=now)) is not None]
    chosen: list[Missed] = []
    for one in sorted(rated, key=lambda one: (-one.score, one.thread.label)):
        mean = _mean(one.thread)
        if all(float(mean @ _mean(other.thread)) < ALIKE for other in chosen):
            chosen.append(one)
        if len(chosen) == k:
            break
    return chosen


def _rate(thread: Thread, taste: Taste, *, now: datetime) -> Missed | None:
    """Rate a conversation; None where nothing in it has substance, or nothing is close to what somebody cares for."""
    weights = substances([words(one.text) for one in thread.said])
    if not weights.any():
        return None
    mean = _mean(thread)
    liked = taste.told[taste.liked > 0]
    wanted = np.concatenate([taste.interests, liked]) if len(liked) else taste.interests
    near, interest, best = 0.0, -1, weights
    if len(wanted):
        cosines = thread.vectors @ wanted.T
        whole = mean @ wanted.T
        interest = int(np.argmax(whole + (cosines * weights[:, None]).max(axis=0)))
        near = float(whole[interest] + cosines[:, interest].max()) / 2
        if near < WORTH + ALONE * (len(thread.said) == 1) + FOREIGN * _is_foreign(thread, taste):
            return None
        best = weights * (1 + cosines[:, interest])
    title = thread.said[int(np.argmax(best))]
    return Missed(
        thread=thread,
        score=RELEVANCE * near
        + LIVELY * _lively(thread)
        + FRESH * _fresh(thread, now)
        + LIKED * _liking(thread, taste),
        interest=interest if interest < len(taste.interests) else -1,
        title=title,
        sentence=_sentence(title.text),
    )


def _is_foreign(thread: Thread, taste: Taste) -> bool:
    return bool(taste.languages) and written(one.text for one in thread.said) not in taste.languages


def _liking(thread: Thread, taste: Taste) -> float:
    """Return what opinions say of a conversation, from -1 to 1: by what it is about, and by its channel."""
    by_channel = CHANNEL * taste.channels.get(thread.said[0].channel, 0.0)
    if not len(taste.told):
        return float(np.clip(by_channel, -1, 1))
    about = np.maximum(_mean(thread) @ taste.told.T, 0) * taste.liked
    return float(np.clip(about[np.argmax(np.abs(about))] + by_channel, -1, 1))


def _mean(thread: Thread) -> Floats:
    return np.asarray(unit(thread.vectors.mean(axis=0)[None, :])[0], dtype=np.float32)


def _lively(thread: Thread) -> float:
    said = np.log1p(len(thread.said)) / np.log1p(MANY)
    people = np.log1p(len(thread.authors)) / np.log1p(SEVERAL)
    return float(min(1.0, said) + min(1.0, people)) / 2


def _fresh(thread: Thread, now: datetime) -> float:
    return float(0.5 ** ((now - thread.last).total_seconds() / 86_400 / HALF_LIFE))


def _sentence(text: str) -> str:
    """Return the sentence that says most, cut where it gets long."""
    said = sentences(text) or (text,)
    best = max(said, key=lambda one: len(set(words(one))))
    line = " ".join(best.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
