"""Shows why a text was found: its words that the question has too, and the stretch of it where most of them stand."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH = 160
"""Characters of a text that are shown."""
SHORTEST = 2
"""Letters of a word that is worth marking."""

_CHINESE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_CHINESE}]+|[^\W_{_CHINESE}]+")
_ENDINGS = re.compile(r"(?:ies|ing|ed|es|s|e|y)\Z")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a text, and whether it is one of the words that were looked for."""

    text: str
    found: bool


def highlight(text: str, query: str, *, width: int = WIDTH) -> list[Stretch]:
    """Cut a text to `width` characters around what was looked for, on one line, and mark that in it.

    English words count in all their forms, Chinese ones by the pairs of characters that the query has too.
    """
    line = " ".join(text.split())
    spans = _joined(_spans(line, _sought(query)))
    first, last = _window(line, spans, width)
    parts = list(_parts(line, spans, first, last))
    before = [Stretch("…", found=False)] if first else []
    after = [Stretch("…", found=False)] if last < len(line) else []
    return [*before, *parts, *after]


def _sought(query: str) -> frozenset[str]:
    """Return the stems of a query's words, and the pairs of its Chinese characters; one alone where it stands alone."""
    sought: set[str] = set()
    for word in _WORD.findall(query):
        if _is_chinese(word):
            sought.update(word[at : at + 2] for at in range(max(1, len(word) - 1)))
        elif len(word) >= SHORTEST:
            sought.add(_stem(word))
    return frozenset(sought)


def _spans(line: str, sought: frozenset[str]) -> Iterator[tuple[int, int]]:
    for word in _WORD.finditer(line):
        if not _is_chinese(word.group()):
            if _stem(word.group()) in sought:
                yield word.span()
            continue
        for at in range(word.start(), word.end()):
            for length in (2, 1):
                if at + length <= word.end() and line[at : at + length] in sought:
                    yield at, at + length
                    break


def _joined(spans: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that touch each other."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _window(line: str, spans: Sequence[tuple[int, int]], width: int) -> tuple[int, int]:
    """Return where the stretch begins and ends that holds the most of what was looked for, at words where there are."""
    if len(line) <= width:
        return 0, len(line)
    starts, ends = [start for start, _end in spans], [end for _start, end in spans]
    windows = [0, *(max(0, start - width // 4) for start in starts)]
    best = max(windows, key=lambda at: (max(0, bisect_right(ends, at + width) - bisect_left(starts, at)), -at))
    begin = min(best, len(line) - width)
    if begin:
        begin = line.rfind(" ", max(0, begin - 20), begin) + 1 or begin
    end = min(len(line), begin + width)
    if end < len(line):
        end = max(line.rfind(" ", end - 20, end), 0) or end
    return begin, end


def _parts(line: str, spans: Sequence[tuple[int, int]], first: int, last: int) -> Iterator[Stretch]:
    at = first
    for start, end in spans:
        if start < at or end > last:
            continue
        if start > at:
            yield Stretch(line[at:start], found=False)
        yield Stretch(line[start:end], found=True)
        at = end
    if at < last:
        yield Stretch(line[at:last], found=False)


def _stem(word: str) -> str:
    """Cut a word to what its forms have in common."""
    low = word.casefold()
    cut = _ENDINGS.sub("", low)
    return cut if len(cut) > SHORTEST else low


def _is_chinese(word: str) -> bool:
    return "\u3040" <= word[0] <= "\u9fff"
