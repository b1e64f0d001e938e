"""What a conversation is called: by its thread, else by the first clause that is quoted of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.sentences import width
from brains.knowledge.extract import shortened

if TYPE_CHECKING:
    from brains.rhythm.digest import Line

LONGEST, SAID = 90, 60
"""Width of a title that somebody gave, and of one that is made of what was said: the longer these are, the fewer
conversations fit into a message."""
FEWEST = 22
"""Width from which on a clause says something."""

_CLAUSES = re.compile(r"[，。！；：\n]|(?<=？)|(?<=\?)(?=\s)|[,.!;:](?=\s|$)|(?<=[一-鿿])[,!;:?]")
_HALF = re.compile(r"(?:and|but|or|so|because|than|that|which)\b", re.IGNORECASE)
"""How a clause begins that is none without the one before it."""


def title(quoted: str, *, thread: str = "") -> str:
    """Return what a conversation is called of which a sentence is `quoted` first."""
    named = " ".join(thread.split())
    return shortened(named, LONGEST) if named else shortened(_clause(quoted), SAID)


def untitled(line: Line) -> Line:
    """Return a conversation that is called by what is quoted of it first."""
    return replace(line, title=title(line.quotes[0].text), heading=None)


def _clause(sentence: str) -> str:
    """Return the first clause of a sentence that says something, all of it where that hangs on the one before it."""
    for part in _CLAUSES.split(sentence):
        if width(part.strip()) >= FEWEST:
            return sentence if _HALF.match(part.strip()) else part.strip()
    return sentence
