"""A suggested channel, with the numbers that put it there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTerm:
    """A term of the asker and of the channel; `weight` is its true part of the term score before centring."""

    term: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What each signal adds to the log-odds; together they are the ranking.

    `vector` and `terms` are set against what the community says on average, the others against the average of the
    channels that are open to the asker.
    """

    vector: float
    terms: float
    size: float = 0.0
    breadth: float = 0.0
    stated: float = 0.0
    ties: float = 0.0
    hours: float = 0.0
    language: float = 0.0
    newcomers: float = 0.0
    alive: float = 0.0
    company: float = 0.0

    @property
    def content(self) -> float:
        """Return what the asker's own words add."""
        return self.vector + self.terms + self.breadth

    @property
    def own(self) -> float:
        """Return what the asker's own words, wishes and ties add; the rest is true of everybody."""
        return self.content + max(self.stated, 0.0) + max(self.ties, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A channel that fits, with the reasons in numbers.

    `score` is 0..1: for a text, the probability that it belongs in the community times that it belongs in this channel;
    for a member, the probability that they join it within three months. `share` is that of the preference among the
    channels that are open. `interest` is the asker's interest that came closest (None for a text, or for somebody who
    said nothing), and `messages` are ids of their own messages in it that spoke for the channel, strongest first.
    `people` are ids of members there with whom the asker talks, closest first: who reads it has to be allowed to.
    `newcomers` is how many people found the channel lately, fading by half in 120 days.
    """

    channel: int
    score: float
    share: float
    newcomers: float
    parts: Parts
    terms: tuple[SharedTerm, ...] = ()
    messages: tuple[int, ...] = ()
    people: tuple[int, ...] = ()
    interest: int | None = None
