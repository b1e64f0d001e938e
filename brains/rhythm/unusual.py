"""What is unusual in the last hour of a community: channels, moods, terms and watched words that spike. Pure.

One excitement shows in many ways: whoever talks much of an outage does so in a channel, with its words, in a bad mood.
It is told once: what shares half of its messages with what was told already is left out.
"""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bot.core.actions import Subject
from brains.matching import terms
from brains.rhythm import spikes
from brains.rhythm.spikes import FIGURES, SEASON, WEEK, WEEKS, YOUNG, Rhythm

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from bot.core.things import Channel
    from brains.rhythm.spikes import Floats, Spike
    from storage.lately import Hours, Said

PERIOD = 300.0
"""Seconds from one look to the next."""
SEVERAL = 3
"""Members who must use a term: what one alone says over and over shows in the channel."""
HALF = 0.5
"""Share of its messages that belong to another sighting, from which on something is the same excitement."""
SOME_BAD = 0.1
"""Share of messages in a bad mood, where nothing is known of a channel."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Past:
    """What was usual until `end`, in Unix seconds: who said how much in each channel, and all of it (SEASON,), by hour.

    `ages` are the hours since the first message of each channel; `sample` are texts of messages, `watched` says in how
    many of them each watched word is, and `bad` which share of each channel's was in a bad mood.
    """

    end: float
    counts: Mapping[int, Hours] = field(default_factory=dict)
    ages: Mapping[int, int] = field(default_factory=dict)
    everywhere: Floats = field(default_factory=lambda: np.zeros(SEASON))
    sample: Sequence[str] = ()
    watched: Mapping[str, int] = field(default_factory=dict)
    bad: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Something unusual and the messages of it, oldest first; without a `spike`, a watched word after a quiet time.

    `fresh` says that the look before this one would not have seen it.
    """

    subject: Subject
    said: tuple[Said, ...]
    spike: Spike | None = None
    fresh: bool = True


class Look:
    """What was `said` in the last hour and a little more, oldest first, at an instant in Unix seconds, and the past.

    `hits` are the messages that hold each watched word, and `bad` the numbers of those in a bad mood.
    """

    def __init__(
        self,
        *,
        now: float,
        said: Sequence[Said],
        past: Past,
        rooms: Mapping[int, Channel],
        hits: Mapping[str, Sequence[Said]],
        bad: Collection[int] = (),
    ) -> None:
        self._now = now
        self._said = said
        self._past = past
        self._rooms = rooms
        self._hits = hits
        self._bad = bad
        self._numbers = {str(room.ref): number for number, room in rooms.items()}
        self._rhythms: dict[Subject, Rhythm | None] = {}

    def see(self, known: Collection[Subject], quiet: Collection[str]) -> list[Sighting]:
        """Return what is unusual and not `known` yet, the most messages first and each excitement once.

        Of the watched words, `quiet` ones were not said for long: each is told, whatever else its messages are part of.
        """
        told = [frozenset(one.id for one in self._about(subject)) for subject in known]
        found: list[Sighting] = []
        for one in self._every(quiet):
            numbers = frozenset(message.id for message in one.said)
            same = one.spike is not None and any(len(numbers & other) >= HALF * len(numbers) for other in told)
            if one.subject not in known and not same:
                found.append(one)
                told.append(numbers)
        return sorted(found, key=lambda one: -len(one.said))

    def goes_on(self, subject: Subject) -> bool:
        """Say whether an excitement that is known goes on."""
        usual = self._usual(subject)
        return usual is not None and spikes.goes_on(_times(self._about(subject)), self._now, usual)

    def _every(self, quiet: Collection[str]) -> Iterator[Sighting]:
        """Yield whatever is unusual: what staff asked for first, then what is told best by where it is."""
        for word, said in self._hits.items():
            subject = Subject(kind="word", name=word)
            if (found := self._spike(subject)) is not None:
                yield found
            elif word in quiet and said:
                yield Sighting(subject=subject, said=tuple(said), fresh=said[0].at > self._now - PERIOD)
        for channel, count in Counter(one.channel for one in self._said).most_common():
            if count >= FIGURES.least and channel in self._rooms:
                name = str(self._rooms[channel].ref)
                yield from self._spikes(Subject(kind="channel", name=name), Subject(kind="mood", name=name))
        yield from self._spikes(*(Subject(kind="term", name=term) for term in frequent(self._said)))

    def _spikes(self, *subjects: Subject) -> Iterator[Sighting]:
        yield from (found for one in subjects if (found := self._spike(one)) is not None)

    def _spike(self, subject: Subject) -> Sighting | None:
        said = self._about(subject)
        if len(said) < FIGURES.least or (usual := self._usual(subject)) is None:
            return None
        times, authors = _times(said), [one.author for one in said]
        spike = spikes.find(times, authors, self._now, usual)
        if spike is None:
            return None
        behind = tuple(one for one in said if one.at > self._now - spike.seconds)
        fresh = spikes.find(times, authors, self._now - PERIOD, usual) is None
        return Sighting(subject=subject, said=behind, spike=spike, fresh=fresh)

    def _about(self, subject: Subject) -> Sequence[Said]:
        """Return the messages that a subject is about, oldest first."""
        channel = self._numbers.get(subject.name)
        match subject.kind:
            case "channel":
                return [one for one in self._said if one.channel == channel]
            case "mood":
                return [one for one in self._said if one.channel == channel and one.id in self._bad]
            case "term":
                return [one for one in self._said if subject.name in self._words[one.id]]
            case "word":
                return self._hits.get(subject.name, ())

    def _usual(self, subject: Subject) -> Rhythm | None:
        """Return what is usual of a subject, None where too little is known."""
        if subject not in self._rhythms:
            self._rhythms[subject] = self._learned(subject)
        return self._rhythms[subject]

    def _learned(self, subject: Subject) -> Rhythm | None:
        past, channel = self._past, self._numbers.get(subject.name, 0)
        match subject.kind:
            case "channel":
                return usual_of(past.counts.get(channel), past.ages.get(channel, 0), past.everywhere, past.end)
            case "mood":
                whole = self._usual(Subject(kind="channel", name=subject.name))
                return spikes.part(whole, past.bad.get(channel, SOME_BAD)) if whole else None
            case "term":
                return self._share(self._sampled[subject.name])
            case "word":
                return self._share(past.watched.get(subject.name, 0))

    def _share(self, count: int) -> Rhythm | None:
        """Return what is usual of what so many messages of the sample hold."""
        return spikes.part(self._whole, (count + 0.5) / (len(self._past.sample) + 1)) if self._whole else None

    @functools.cached_property
    def _whole(self) -> Rhythm | None:
        if max(self._past.ages.values(), default=0) < YOUNG:
            return None
        return spikes.rhythm(self._past.everywhere, self._past.end)

    @functools.cached_property
    def _words(self) -> dict[int, frozenset[str]]:
        return {one.id: frozenset(terms.words(one.text)) for one in self._said}

    @functools.cached_property
    def _sampled(self) -> Counter[str]:
        return Counter(term for text in self._past.sample for term in set(terms.words(text)))


def frequent(said: Sequence[Said]) -> list[str]:
    """Return the terms that as many messages hold as a spike takes, of several members, the most frequent first."""
    if len(said) < FIGURES.least:
        return []
    users: dict[str, set[int]] = defaultdict(set)
    counts: Counter[str] = Counter()
    for one in said:
        for term in set(terms.words(one.text)):
            users[term].add(one.author)
            counts[term] += 1
    return [term for term, many in counts.most_common() if many >= FIGURES.least and len(users[term]) >= SEVERAL]


def usual_of(hours: Hours | None, age: int, everywhere: Floats, end: float) -> Rhythm | None:
    """Return what is usual where this was said by hour, and the first message is so many hours old.

    None where everything is new.
    """
    if age < YOUNG:
        return None
    known = min(age, WEEKS * WEEK)
    messages, people = (hours.messages, hours.people) if hours is not None else (np.zeros(known), np.zeros(known))
    season = everywhere if age >= SEASON else None
    return spikes.rhythm(messages[-known:], end, people=people[-known:], everywhere=season)


def _times(said: Sequence[Said]) -> Floats:
    return np.array([one.at for one in said], dtype=np.float64)
