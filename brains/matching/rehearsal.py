"""Rehearsals: what would have been known of members at earlier moments, and which channels they came to next."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from brains.matching.corpus import DAY, fading
from brains.matching.members import NEWEST
from brains.matching.offered import Answer, Answers, answers_in
from brains.matching.presence import HALF_LIFE, Presence
from brains.matching.prior import Prior
from brains.matching.signals import NAMES, Asker, Scene, measure

if TYPE_CHECKING:
    from brains.matching.behaviour import Behaviour
    from brains.matching.choice import Choice
    from brains.matching.corpus import Corpus, Floats, Ids, Mask, Rows
    from brains.matching.past import Past
    from brains.matching.topics import Material, Topics

HORIZON = 90 * DAY
"""How far a suggestion looks ahead: a rehearsal asks for the channels first used within this time."""

WINDOWS = 12
"""Rehearsals, one horizon after another, back from now: three years."""

TAKERS, IDLERS = 600, 300
"""Members looked at in all rehearsals together who came to a channel, and who came to none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsals:
    """Members at earlier moments (n,): `features` (n, c, f), channels `closed` to them and `wanted` by them (n, c).

    `window` (n,) counts horizons back from now, 0 the latest; `stands` (n,) is how many members each stands for;
    `activity` (n,) is ln(1 + their faded messages).
    """

    features: Floats
    closed: Mask
    wanted: Mask
    window: Ids
    stands: Floats
    activity: Floats

    def where(self, mask: Mask) -> Self:
        """Return some of the members."""
        return type(self)(**{part.name: getattr(self, part.name)[mask] for part in fields(self)})

    @property
    def takers(self) -> Mask:
        """Say who came to some channel (n,)."""
        return np.asarray(self.wanted.any(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """All that a rehearsal needs of a community; `cards` are ids of its channels (c,), ascending."""

    corpus: Corpus
    material: Material
    choice: Choice
    past: Past
    behaviour: Behaviour
    channels: Ids
    now: float

    def scene(self, moment: float) -> tuple[Scene, Past]:
        """Return what was known at a moment."""
        past = self.past.before(moment)
        weights = np.where(self.corpus.times < moment, self.material.weights, np.float32(0))
        topics = self.material.topics(weights)
        prior, presence = Prior.learn(past, now=moment), Presence.learn(past, now=moment)
        return Scene.of(topics, self.choice, prior, presence), past

    def today(self, topics: Topics) -> Scene:
        """Return what is known now; these are the topics of all messages."""
        prior, presence = Prior.learn(self.past, now=self.now), Presence.learn(self.past, now=self.now)
        return Scene.of(topics, self.choice, prior, presence)

    def horizon(self) -> float:
        """Return the horizon in seconds: less in a community that is younger than three of them."""
        times = self.past.visits.times
        return min(HORIZON, (self.end() - float(times[0])) / 3) if len(times) else 0.0

    def end(self) -> float:
        """Return the last moment of which anything is known."""
        times = self.past.visits.times
        return min(self.now, float(times[-1]) + 1.0) if len(times) else self.now


def rehearse(stage: Stage) -> tuple[Rehearsals, Answers]:
    """Play all rehearsals, the latest first; there are none in a community without a past."""
    rows: list[_Row] = []
    answers: list[Answer] = []
    horizon, end = stage.horizon(), stage.end()
    for window in range(WINDOWS if horizon > 0 else 0):
        start = end - (window + 1) * horizon
        if start <= stage.past.visits.times[0]:
            break
        act = Act.open(stage, start, start + horizon, window)
        rows += act.members()
        answers += answers_in(act)
    count = len(stage.channels)
    return _together(rows, count), Answers.of(answers)


_Row = tuple["Floats", "Mask", "Mask", int, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Act:
    """One rehearsal: what was known at `start`, and the visits between then and `end`."""

    stage: Stage
    scene: Scene
    past: Past
    start: float
    end: float
    window: int
    random: np.random.Generator
    inside: Mask
    of: Ids
    first: Ids

    @classmethod
    def open(cls, stage: Stage, start: float, end: float, window: int) -> Self:
        """Set the scene for what came between two moments."""
        scene, past = stage.scene(start)
        of = np.argsort(past.authors, kind="stable")
        first = np.searchsorted(past.authors[of], np.arange(len(past.ids) + 1))
        inside = past.visits.table(len(past.ids)).toarray() > 0
        random = np.random.default_rng(window)
        return cls(
            stage=stage,
            scene=scene,
            past=past,
            start=start,
            end=end,
            window=window,
            random=random,
            inside=inside,
            of=of,
            first=first,
        )

    def members(self) -> list[_Row]:
        """Return members who were known by then, with what they came to: all takers if few, and some of the others."""
        wanted = self._wanted()
        known, taking = self._known(), np.asarray(wanted.any(axis=1))
        rows: list[_Row] = []
        for group, most in ((taking, TAKERS), (known & ~taking, IDLERS)):
            found = np.flatnonzero(group)
            some = np.sort(self.random.permutation(found)[: max(1, most // WINDOWS)])
            rows += [self._row(int(at), wanted[at], len(found) / len(some)) for at in some]
        return rows

    def _wanted(self) -> Mask:
        """Say who first used which channel in this time (m, c), of members and channels known before it."""
        visits = self.stage.past.visits
        coming = visits.part((visits.times >= self.start) & (visits.times < self.end))
        wanted = coming.table(len(self.past.ids)).toarray() > 0
        wanted[~self._known()] = False
        wanted[:, ~self._found()] = False
        return np.asarray(wanted)

    def _known(self) -> Mask:
        return np.asarray(self.inside.any(axis=1))

    def _found(self) -> Mask:
        """Say which channels had been used (c,)."""
        return np.asarray(self.inside.any(axis=0))

    def _row(self, member: int, wanted: Mask, stands: float) -> _Row:
        own = self.past.times[self._messages(member)]
        activity = float(np.log1p(fading(own, now=self.start, half_life=HALF_LIFE).sum()))
        closed = self.inside[member] | ~self._found()
        return measure(self.scene, self.asker(member)), closed, wanted, self.window, stands, activity

    def _messages(self, member: int) -> Rows:
        """Return the newest messages of a member, as rows of the past."""
        return self.of[self.first[member] : self.first[member + 1]][-NEWEST:]

    def asker(self, member: int) -> Asker:
        """Look at a member, by position, as they were known at the start."""
        number = int(self.past.ids[member])
        stated = self.stage.behaviour.stated
        return Asker.of(
            self.scene,
            self.stage.corpus.take(self.past.rows[self._messages(member)]),
            member=number,
            inside=self.inside[member],
            stated=stated.where((stated.members == number) & (stated.times < self.start)),
            now=self.start,
        )


def _together(rows: list[_Row], count: int) -> Rehearsals:
    empty = Rehearsals(
        features=np.zeros((0, count, len(NAMES)), dtype=np.float32),
        closed=np.zeros((0, count), dtype=np.bool_),
        wanted=np.zeros((0, count), dtype=np.bool_),
        window=np.zeros(0, dtype=np.int64),
        stands=np.zeros(0, dtype=np.float32),
        activity=np.zeros(0, dtype=np.float32),
    )
    if not rows:
        return empty
    columns = (np.stack([np.asarray(value) for value in column]) for column in zip(*rows, strict=True))
    named = zip(fields(empty), columns, strict=True)
    return replace(empty, **{part.name: column.astype(getattr(empty, part.name).dtype) for part, column in named})
