"""What speaks for a message answering each of those before it: time, authors, names, words.

The features are much as those of Kummerfeld et al. 2019. Times count in whole minutes, as in the logs that the weights
were learned from.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.knowledge.untangle_names import Names, Roll, seems_addressed
from brains.knowledge.untangle_terms import KINDS, kinds, length, terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

WINDOW = 80
"""Messages back that may be answered: 98 of 100 answers in the training data go less far."""
DISTANCES = (1, 2, 3, 5, 8, 13, 21, 34, 55)
MINUTES = (0, 1, 2, 3, 5, 8, 15, 30, 60, 180)
NEAR, SOON = 3, 2
"""Messages, and minutes, that are hardly any."""
LONGEST = 600.0
"""Minutes beyond which longer is no longer told apart."""
RECENT = 30
"""Messages by which it is judged how lively a channel is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a channel: who (any number), when (seconds of any clock), what."""

    author: int
    at: float
    text: str
    bot: bool = False


class Stretch:
    """The messages of one channel in order of time, and what can be read off them once for all pairs."""

    def __init__(self, said: Sequence[Said], names: Mapping[int, str]) -> None:
        self.size = len(said)
        roll = Roll(names)
        self.author = np.array([one.author for one in said], np.int64)
        self.minute = np.floor(np.array([one.at for one in said], np.float64) / 60)
        self.named: list[Names] = [roll.named(one.text) for one in said]
        self.terms = [terms(one.text) for one in said]
        self.traits = np.array([_traits(one, *of) for one, of in zip(said, self.named, strict=True)], np.float32)
        self.traits = self.traits.reshape(self.size, TRAITS)
        self.before, self.after = _neighbours(self.author)
        self._posted: dict[str, list[int]] = defaultdict(list)
        self._addressed: dict[int, list[int]] = defaultdict(list)
        self._mentioned: dict[int, list[int]] = defaultdict(list)
        for at, (addressed, mentioned) in enumerate(self.named):
            for whom in addressed:
                self._addressed[whom].append(at)
            for whom in mentioned:
                self._mentioned[whom].append(at)
            for term in self.terms[at]:
                self._posted[term].append(at)

    def features(self, at: int) -> Array:
        """Return (c + 1, FEATURES): first that it begins something, then that it answers `at - 1`, `at - 2`, ..."""
        low = max(0, at - WINDOW)
        those = np.arange(at - 1, low - 1, -1)
        found = np.zeros((len(those) + 1, FEATURES), np.float32)
        own = self._own(at, low)
        found[:, : len(own)] = own
        found[0, len(own)] = 1
        if len(those):
            found[1:, len(own) + 1 :] = self._pairs(at, low, those)
        return found

    def _own(self, at: int, low: int) -> Array:
        """Return what holds for a message whatever it answers."""
        addressed, mentioned = self.named[at]
        here = set(self.author[low:at].tolist())
        mine = self.before[at]
        recent = max(0, at - RECENT)
        pace = (self.minute[at - 1] - self.minute[recent]) / max(1, at - 1 - recent) if at else LONGEST
        since = self.minute[at] - self.minute[at - 1] if at else LONGEST
        to_me = _last(self._addressed.get(int(self.author[at]), ()), low, at)
        values = [
            *self.traits[at],
            _minutes(since),
            _minutes(pace),
            float(since > 5 * pace + 1),
            float(mine >= low),
            _minutes(self.minute[at] - self.minute[mine]) if mine >= 0 else 1.0,
            _far(at - mine) if mine >= low else 1.0,
            float(mine == at - 1 and at > 0),
            float(bool(addressed & here)),
            float(bool(mentioned & here)),
            float(bool(addressed) and not addressed & here),
            float(to_me is not None),
            _far(at - to_me) if to_me is not None else 1.0,
            float(to_me is not None and to_me > mine),
            min(1.0, len(here) / 40),
        ]
        return np.array(values, np.float32)

    def _pairs(self, at: int, low: int, those: npt.NDArray[np.int64]) -> Array:
        """Return what holds between a message and each of `those` (c,) before it."""
        me, far = self.author[at], at - those
        gap = self.minute[at] - self.minute[those]
        they = self.author[those]
        addressed, mentioned = self.named[at]
        mine = self.before[at]
        same = they == me
        last = self.after[those] >= at
        to_me = self._marks(self._addressed, int(me), low, at)
        of_me = self._marks(self._mentioned, int(me), low, at)
        i_address, i_mention = np.isin(they, list(addressed)), np.isin(they, list(mentioned))
        same_whom = np.zeros(len(those), bool)
        for whom in addressed:
            same_whom |= self._marks(self._addressed, whom, low, at)
        they_mark = same_whom | np.isin(they, list(addressed))
        before_mine = those < mine
        columns = [
            _far(far),
            *(far <= step for step in DISTANCES),
            _minutes(gap),
            *(gap <= step for step in MINUTES),
            same,
            same & last,
            same & (far == 1),
            last,
            last & (far <= NEAR),
            before_mine,
            before_mine & ~same,
            i_address,
            i_address & last,
            i_address & (gap <= SOON),
            i_mention,
            i_mention & last,
            to_me,
            to_me & last,
            to_me & ~before_mine,
            of_me,
            of_me & ~before_mine,
            to_me & i_address,
            same_whom,
            same_whom & same,
            _first(i_address),
            _first(to_me),
            _first(they_mark),
            _first(~same),
            _first(same | to_me),
            bool(addressed) & ~i_address & ~same_whom,
            self._acquainted(those, they, int(me), low, at),
            *self._shared(at, low, those),
            *self.traits[those].T,
            self.before[those] < low,
            (self.minute[those] - self.minute[np.maximum(those - 1, 0)]) > SOON,
            *self._kinds_of_pairs(at, those, same),
        ]
        return np.stack([np.asarray(one, np.float32) for one in columns], axis=1)

    def _kinds_of_pairs(self, at: int, those: npt.NDArray[np.int64], same: npt.NDArray[np.bool_]) -> list[Array]:
        """Return whether one asks what the other may answer, and whether two of one author may be one thought."""
        asks, theirs = self.traits[at, 0], self.traits[those, 0]
        return [theirs * (1 - asks) * ~same, theirs * asks * ~same, same * (1 - theirs) * asks]

    def _marks(self, posted: Mapping[int, Sequence[int]], key: int, low: int, at: int) -> npt.NDArray[np.bool_]:
        """Return which of the window are posted under a key, nearest first."""
        marks = np.zeros(at - low, bool)
        for place in _between(posted.get(key, ()), low, at):
            marks[at - 1 - place] = True
        return marks

    def _acquainted(
        self, those: npt.NDArray[np.int64], they: npt.NDArray[np.int64], me: int, low: int, at: int
    ) -> Array:
        """Return how often the author and theirs turned to each other in the window, up to 1 for three times."""
        times: dict[int, int] = defaultdict(int)
        for place in _between(self._addressed.get(me, ()), low, at):
            times[int(self.author[place])] += 1
        place = int(self.before[at])
        while place >= low:
            for whom in self.named[place][0]:
                times[whom] += 1
            place = int(self.before[place])
        if not times:
            return np.zeros(len(those), np.float32)
        return np.array([min(1.0, times.get(one, 0) / 3) for one in they.tolist()], np.float32)

    def _shared(self, at: int, low: int, those: npt.NDArray[np.int64]) -> list[Array]:
        """Return what terms it shares with each: their rarity summed, its share, the rarest, the best."""
        size = len(those)
        total, rarest, whole = np.zeros(size, np.float32), np.zeros(size, np.float32), 1e-6
        for term in self.terms[at]:
            places = _between(self._posted[term], low, at)
            rarity = np.log((1 + WINDOW) / (1 + len(places)))
            whole += rarity
            if places:
                where = at - 1 - np.array(places)
                total[where] += rarity
                rarest[where] = np.maximum(rarest[where], rarity)
        best = (total >= total.max()) & (total > 0)
        return [np.minimum(2, total / 8), total / np.float32(whole), rarest / 4, best.astype(np.float32)]


def _traits(one: Said, addressed: frozenset[int], mentioned: frozenset[int]) -> tuple[float, ...]:
    return (
        *map(float, kinds(one.text)),
        min(1.0, length(one.text) / 200),
        float(length(one.text) < 12),  # noqa: PLR2004 - two words
        float(bool(addressed)),
        float(bool(mentioned)),
        float(not addressed and seems_addressed(one.text)),
        float(one.bot),
    )


TRAITS = KINDS + 6
OWN = TRAITS + 14
PAIRS = 2 + len(DISTANCES) + len(MINUTES) + 27 + 4 + TRAITS + 2 + 3
FEATURES = OWN + 1 + PAIRS


def _neighbours(author: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where each author spoke before and after each message; -1 and a place beyond all where they did not."""
    before, after = np.full(len(author), -1), np.full(len(author), np.iinfo(np.int64).max)
    last: dict[int, int] = {}
    for at, one in enumerate(author.tolist()):
        if (place := last.get(one)) is not None:
            before[at], after[place] = place, at
        last[one] = at
    return before, after


def _between(places: Sequence[int], low: int, high: int) -> Sequence[int]:
    return places[bisect.bisect_left(places, low) : bisect.bisect_left(places, high)]


def _last(places: Sequence[int], low: int, high: int) -> int | None:
    found = _between(places, low, high)
    return found[-1] if found else None


def _first(marks: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return only the first of the marks: the nearest message."""
    only = np.zeros_like(marks)
    place = int(marks.argmax())
    only[place] = marks[place]
    return only


def _far(messages: npt.NDArray[np.int64] | np.int64 | int) -> Array:
    return np.asarray(np.log1p(messages) / np.log1p(WINDOW), np.float32)


def _minutes(minutes: npt.NDArray[np.float64] | np.float64 | float) -> Array:
    return np.asarray(np.log1p(np.clip(minutes, 0, LONGEST)) / np.log1p(LONGEST), np.float32)
