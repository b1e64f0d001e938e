"""Blocks into pieces: along headings and paragraphs, each of a length that is encoded well and read at a glance."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from bot.core.errors import Mistake
from bot.core.i18n import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from brains.knowledge.documents.blocks import Block

AIM, MOST, WHOLE = 60, 200, 300
"""Words: where a piece may end, what it holds at most, and what a list or a table may have to stay whole.

The encoder reads 512 tokens; beyond that a piece would be found by its beginning alone. The numbers are guesses.
"""
HAN = 0.6
"""Words that a Chinese character counts for; a guess."""
CHARACTERS = 4_000
"""Characters of a piece at most, where nothing in it tells words apart."""
PIECES = 2_000
"""Pieces of one file, at most."""
HEADING = 200
"""Characters of a path of headings, at most."""
ABOVE = " > "
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n")


def pieces(blocks: Iterable[Block], title: str) -> list[tuple[str, str]]:
    """Cut blocks into pieces, each with the headings above it; `title` stands where there are none.

    Raises Mistake for more than `PIECES`.
    """
    found = list(itertools.islice(_pieces(blocks, title), PIECES + 1))
    if len(found) > PIECES:
        raise Mistake(
            _("This file is too long: I take {most} pieces of one at most. Cut it into several."), most=PIECES
        )
    return found


def measure(text: str) -> float:
    """Count the words of a text, Chinese ones by their characters."""
    wide = len(_WIDE.findall(text))
    return len(_WIDE.sub(" ", text).split()) + HAN * wide


def _pieces(blocks: Iterable[Block], title: str) -> Iterator[tuple[str, str]]:
    above: list[tuple[int, str]] = []
    section: list[Block] = []
    for block in blocks:
        if block.kind != "heading":
            section.append(block)
            continue
        yield from _section(section, above, title)
        section = []
        above = [(level, text) for level, text in above if level < block.level]
        above.append((block.level, block.text))
    yield from _section(section, above, title)


def _section(section: Sequence[Block], above: Sequence[tuple[int, str]], title: str) -> Iterator[tuple[str, str]]:
    heading = ABOVE.join(text for _level, text in above) or title
    heading = heading if len(heading) <= HEADING else "…" + heading[1 - HEADING :]
    begun: list[str] = []
    for unit in (unit for block in section for unit in _units(block)):
        weight = measure("\n".join(begun))
        if begun and (weight >= AIM or weight + measure(unit) > MOST):
            yield heading, "\n\n".join(begun)
            begun = []
        begun.append(unit)
    if begun:
        yield heading, "\n\n".join(begun)


def _units(block: Block) -> Iterator[str]:
    """Return what is never cut: a paragraph, a list or a table; of one that is too long, parts of it."""
    text = block.text.strip()
    if not text:
        return
    if measure(text) <= (WHOLE if block.kind == "whole" else MOST) and len(text) <= CHARACTERS:
        yield text
        return
    parts, joint = (text.split("\n"), "\n") if block.kind == "whole" else (_SENTENCE.split(text), " ")
    begun = ""
    for part in (some for whole in parts if whole for some in _cut(whole)):
        longer = f"{begun}{joint}{part}" if begun else part
        if begun and (measure(longer) > MOST or len(longer) > CHARACTERS):
            yield begun
            longer = part
        begun = longer
    yield begun


def _cut(part: str) -> Iterator[str]:
    """Cut what has no end by its characters."""
    if measure(part) <= MOST and len(part) <= CHARACTERS:
        yield part
        return
    size = round(MOST / HAN)
    yield from (part[start : start + size] for start in range(0, len(part), size))
