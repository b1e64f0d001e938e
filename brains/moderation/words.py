"""Words and phrases that a community does not want, found in one pass over a message however many there are."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import ahocorasick

from bot.core.errors import Mistake
from bot.core.i18n import _
from brains.moderation.undisguise import skeleton, undisguise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from brains.moderation.detection import Severity

MOST = 10_000
"""Phrases of one community, exceptions among them."""
LONGEST = 200
"""Characters of a phrase."""

_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese: words stand in a row, so a word has no edge to be seen."""
_HAN_GAP = re.compile(r"(?<=[\u3040-\u30ff\u3400-\u9fff]) (?=[\u3040-\u30ff\u3400-\u9fff])")
GLUED = 5
"""Letters from which a phrase is also looked for without regard to spaces, in texts that were pulled apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A word or some words as staff wrote them; `*` before or behind stands for any letters of the same word."""

    text: str
    severity: Severity = "flag"


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found: what staff wrote, and how it stands in the message."""

    phrase: Phrase
    found: str


@dataclass(frozen=True, slots=True)
class _Entry:
    phrase: Phrase | None
    length: int
    open_before: bool
    open_behind: bool


class Words:
    """Phrases and exceptions, joined in an Aho-Corasick automaton over the folded plain form."""

    def __init__(self, phrases: Iterable[Phrase], exceptions: Iterable[str] = ()) -> None:
        """Raises Mistake for a phrase without a letter, one too long, and too many."""
        self._automaton = ahocorasick.Automaton()
        phrases, exceptions = tuple(phrases), tuple(exceptions)
        if len(phrases) + len(exceptions) > MOST:
            raise Mistake(_("There may be {most} words and exceptions, and these are more."), most=MOST)
        entries: dict[str, list[_Entry]] = {}
        for phrase in phrases:
            _enter(entries, phrase.text, phrase)
        for exception in exceptions:
            _enter(entries, exception, None)
        for key, kept in entries.items():
            self._automaton.add_word(key, tuple(kept))
        self._empty = not entries
        self._glued = ahocorasick.Automaton()
        for phrase in phrases:
            bones = skeleton(undisguise(phrase.text.strip("* ")).plain)
            if len(bones) >= GLUED:
                self._glued.add_word(bones, Hit(phrase, bones))
        if entries:
            self._automaton.make_automaton()
            self._glued.make_automaton()

    def find_pulled_apart(self, plain: str) -> list[Hit]:
        """Return the phrases whose letters a text has one after the other, whatever the spaces between them say.

        They may be of several words, as in "the pen is", which `is_by_letters` tells apart.
        """
        if not self._glued:
            return []
        return list({hit.phrase: hit for _last, hit in self._glued.iter(skeleton(plain))}.values())

    def find(self, plain: str) -> list[Hit]:
        """Return each phrase that a plain form holds, once, but where an exception covers it."""
        if self._empty:
            return []
        text = folded(plain)
        found = list(self._matches(text))
        if not found:
            return []
        spared = _Spared([(start, end) for entry, start, end in found if entry.phrase is None])
        hits: dict[Phrase, Hit] = {}
        for entry, start, end in found:
            if entry.phrase is not None and entry.phrase not in hits and not spared.covers(start, end):
                hits[entry.phrase] = Hit(entry.phrase, text[start:end])
        return list(hits.values())

    def _matches(self, text: str) -> Iterator[tuple[_Entry, int, int]]:
        """Yield what matches at the edges of words; an exception spares the whole word that it is in or matches.

        What matches again in the word that an entry has just grown to is that word again: one long word of nothing but
        matches takes no longer than any other.
        """
        grown: dict[_Entry, tuple[int, int]] = {}
        for last, entries in self._automaton.iter(text):
            for entry in entries:
                start, end = last + 1 - entry.length, last + 1
                first, behind = grown.get(entry, (0, 0))
                if (first <= start and end <= behind) or not _stands_alone(text, start, end, entry):
                    continue
                grown[entry] = _grown(text, start, end, entry)
                yield entry, *grown[entry]


class _Spared:
    """Stretches of a text that exceptions cover."""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        every = sorted(stretches)
        self._starts = [start for start, _end in every]
        self._ends = list(accumulate((end for _start, end in every), max))

    def covers(self, start: int, end: int) -> bool:
        """Say whether one of them holds a stretch whole."""
        before = bisect_right(self._starts, start)
        return before > 0 and self._ends[before - 1] >= end


def is_by_letters(bones: str, text: str) -> bool:
    """Say whether a text as it was written has these letters one by one, not as the letters of several whole words."""
    written = re.search(r"[\W_]*".join(map(re.escape, bones)), text.casefold())
    return written is None or all(len(word) == 1 for word in re.findall(r"[^\W_]+", written[0]))


def folded(text: str) -> str:
    """Return a text as words are compared: case folded, one space between words, none between Chinese characters."""
    line = " ".join(text.casefold().split())
    return line if line.isascii() else _HAN_GAP.sub("", line)


def _enter(entries: dict[str, list[_Entry]], text: str, phrase: Phrase | None) -> None:
    bare = text.strip()
    core = bare.strip("*")
    if not any(one.isalnum() or ord(one) > 0x2000 for one in core):  # noqa: PLR2004 - from here on signs and emoji
        raise Mistake(_("{text!r} has no letter to look for."), text=text)
    if len(core) > LONGEST:
        raise Mistake(_("{text!r}… is longer than {most} characters."), text=core[:20], most=LONGEST)
    for key in {folded(core), folded(undisguise(core).plain)}:
        entry = _Entry(phrase, len(key), bare.startswith("*"), bare.endswith("*"))
        if all(
            (one.phrase, one.open_before, one.open_behind) != (phrase, *_opens(entry)) for one in entries.get(key, ())
        ):
            entries.setdefault(key, []).append(entry)


def _opens(entry: _Entry) -> tuple[bool, bool]:
    return entry.open_before, entry.open_behind


def _stands_alone(text: str, start: int, end: int, entry: _Entry) -> bool:
    """Say whether a match begins and ends where words do, but for the sides that `*` leaves open."""
    return (entry.open_before or _is_edge(text, start)) and (entry.open_behind or _is_edge(text, end))


def _is_edge(text: str, at: int) -> bool:
    """Say whether words meet before a place in a text."""
    if at in {0, len(text)}:
        return True
    before, behind = text[at - 1], text[at]
    return not (before.isalnum() and behind.isalnum()) or bool(_UNSPACED.match(before) or _UNSPACED.match(behind))


def _grown(text: str, start: int, end: int, entry: _Entry) -> tuple[int, int]:
    """Return where the word begins and ends that a match with `*` is part of."""
    while entry.open_before and not _is_edge(text, start):
        start -= 1
    while entry.open_behind and not _is_edge(text, end):
        end += 1
    return start, end
