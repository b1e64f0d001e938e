"""What a conversation is called: by its thread, else by the first clause that is quoted of it."""

from __future__ import annotations

import re

from bot.core.sentences import width
from brains.knowledge.extract import shortened

LONGEST = 90
"""Width of a title."""

_CLAUSES = re.compile(r"[，。！；：\n]|(?<=？)|(?<=\?)(?=\s)|[,.!;:](?=\s|$)")
_HALF = re.compile(r"(?:and|but|or|so|because|than|that|which)\b", re.IGNORECASE)
"""How a clause begins that is none without the one before it."""


def title(quoted: str, *, thread: str = "") -> str:
    """Return what a conversation is called of which a sentence is `quoted` first."""
    return shortened(" ".join(thread.split()) or _clause(quoted), LONGEST)


def _clause(sentence: str) -> str:
    """Return the first clause of a sentence that says something, all of it where that hangs on the one before it."""
    for part in _CLAUSES.split(sentence):
        if width(part.strip()) >= LONGEST // 4:
            return sentence if _HALF.match(part.strip()) else part.strip()
    return sentence
