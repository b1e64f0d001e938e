"""Cuts what is too long for one message: at a paragraph, a line, a sentence, a word, and at last a character."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import regex

from adapters.markup.lines import Line, cut
from adapters.markup.rendering import assemble, without_links, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adapters.markup.dialect import Dialect
    from adapters.markup.rendering import Written

LEAST = 100
"""The smallest limit there is: the marks around one character must have room."""
_SENTENCE = regex.compile(r"""[.!?…]["'”’)\]]*\s+|[。！？；…]["'”’）」』]*\s*""")
_WORD = regex.compile(r"\s+|[，、：]\s*")
_CHARACTER = regex.compile(r"\X")


class _Rank(IntEnum):
    """Where a line is best cut, best first. Within a style only where there is no other way."""

    SENTENCE = 0
    WORD = 1
    STYLED_SENTENCE = 2
    STYLED_WORD = 3
    CHARACTER = 4
    STYLED_CHARACTER = 5


@dataclass(slots=True, kw_only=True)
class Cutter:
    """Cuts lines into pieces of one dialect, none longer than the limit."""

    lines: list[Line]
    dialect: Dialect
    limit: int
    _known: dict[int, str] = field(default_factory=dict)

    def pieces(self) -> Iterator[str]:
        """Give the pieces in order."""
        at = 0
        while at < len(self.lines):
            end = self._end(at)
            yield assemble(self._written(at, end), self.dialect)
            at = end

    def _end(self, at: int) -> int:
        """Return where the piece that begins here ends; may cut a line in two."""
        whole = at + self._whole(at)
        if whole == len(self.lines):
            return whole
        before = self._written(at, whole)
        if before and (self._size(before) * 3 > self.limit * 2 or self._fits(whole, whole + 1)):
            return self._well(at, whole)
        if self._cut(before, whole):
            return whole + 1
        return self._well(at, whole)

    def _whole(self, at: int) -> int:
        """Count the lines from here on that fit into one piece."""
        room, most = self.limit, 0
        for place in range(at, min(at + self.limit, len(self.lines))):
            room -= (
                self.limit + 1 if self._is_huge(place) else self.dialect.length(self._written(place, place + 1)[0][1])
            )
            if room < 0:
                break
            room, most = room - 1, most + 1
        sizes = range(1, most + 1)
        return bisect_left(sizes, 1, key=lambda count: int(not self._fits(at, at + count)))

    def _well(self, at: int, end: int) -> int:
        """Go back to the end of a paragraph, unless that leaves little; a heading stays with what it is of."""
        for cut_at in range(end, at, -1):
            if self.lines[cut_at].gap and self._size(self._written(at, cut_at)) * 3 > self.limit:
                end = cut_at
                break
        while end > at + 1 and self.lines[end - 1].heading:
            end -= 1
        return end

    def _cut(self, before: Sequence[Written], place: int) -> bool:
        """Cut a line so that its first part fits behind those before; false when none does."""
        line = self.lines[place]
        found = self._best(before, line, self._breaks(line))
        if found is None and not before:
            line = without_links(line)
            found = self._best(before, line, self._breaks(line))
            found = found or self._best(before, line, [(end, _Rank.CHARACTER) for end in range(1, self.limit)]) or 1
        if found is None:
            return False
        left, right = cut(line, found)
        self.lines[place : place + 1] = [left, right] if right.runs else [left]
        self._known = {}
        return True

    def _best(self, before: Sequence[Written], line: Line, breaks: Sequence[tuple[int, _Rank]]) -> int | None:
        """Return the best place in the second half of what fits."""

        def is_too_long(one: tuple[int, _Rank]) -> int:
            first = cut(line, one[0])[0]
            return int(self._size([*before, (first, written(first, self.dialect))]) > self.limit)

        count = bisect_left(breaks, 1, key=is_too_long)
        if not count:
            return None
        near = [one for one in breaks[:count] if one[0] * 2 >= breaks[count - 1][0]]
        return min(near, key=lambda one: (one[1], -one[0]))[0]

    def _breaks(self, line: Line) -> list[tuple[int, _Rank]]:
        """Find where a line may be cut: never within a link, code in a line, or what is seen as one character."""
        whole = line.text
        text = whole[: self.limit + 1]
        sentences = {found.end() for found in _SENTENCE.finditer(text)} if not line.fence else set()
        words = {found.end() for found in _WORD.finditer(text)}
        closed, styled = _inside(line, len(text))
        ends = (found.end() for found in _CHARACTER.finditer(text))
        return [
            (end, _rank(end, sentences, words, inside=end in styled))
            for end in ends
            if end not in closed and end < len(whole)
        ]

    def _is_huge(self, place: int) -> bool:
        """Say that a line need not be written to know that it is too long."""
        return sum(len(run.text) for run in self.lines[place].runs) > self.limit * 2

    def _fits(self, at: int, end: int) -> bool:
        return not any(map(self._is_huge, range(at, end))) and self._size(self._written(at, end)) <= self.limit

    def _size(self, lines: Sequence[Written]) -> int:
        return self.dialect.length(assemble(lines, self.dialect))

    def _written(self, at: int, end: int) -> list[Written]:
        """Return lines and what they say, which is written once."""
        for place in range(at, end):
            if place not in self._known:
                self._known[place] = written(self.lines[place], self.dialect)
        return [(self.lines[place], self._known[place]) for place in range(at, end)]


def _inside(line: Line, most: int) -> tuple[set[int], set[int]]:
    """Return the places within what must stay whole, and those between characters of one style."""
    closed: set[int] = set()
    styled: set[int] = set()
    start = 0
    for number, run in enumerate(line.runs):
        end = start + len(run.text)
        within = range(start + 1, min(end, most + 1))
        closed.update(within if run.code or run.target else ())
        styled.update(within if run.styles else ())
        if line.runs[number + 1 : number + 2] and run.styles & line.runs[number + 1].styles:
            styled.add(end)
        start = end
        if start > most:
            break
    return closed, styled


def _rank(end: int, sentences: set[int], words: set[int], *, inside: bool) -> _Rank:
    if end in sentences:
        return _Rank.STYLED_SENTENCE if inside else _Rank.SENTENCE
    if end in words:
        return _Rank.STYLED_WORD if inside else _Rank.WORD
    return _Rank.STYLED_CHARACTER if inside else _Rank.CHARACTER
