"""What was said twice: the same text posted again, or in several channels."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALIKE = 0.8
"""Share of common shingles (Jaccard; Broder 1997) from which two texts say the same."""
LEAST = 4
"""Words from which that counts; shorter ones must be equal."""

GLANCE = 600
"""Characters of a text that are compared."""

_LINK = re.compile(r"https?://\S+")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")
_NAMED = re.compile(r"<[@#!&][^>]*>|@\S+")

Shingles = frozenset[tuple[str, ...]]


def shingles(text: str) -> Shingles:
    """Return the pairs of neighbouring words of a text, Chinese ones sign by sign, whatever its case and marks."""
    words = _WORD.findall(_LINK.sub(" ", _NAMED.sub(" ", text[:GLANCE])).casefold())
    return frozenset(itertools.pairwise(words)) if len(words) >= LEAST else frozenset({tuple(text.casefold().split())})


def alike(one: Shingles, other: Shingles) -> bool:
    """Say whether two texts say the same."""
    return len(one & other) >= ALIKE * len(one | other)


def groups(texts: Sequence[str]) -> list[list[int]]:
    """Put texts that say the same together, by their places: each with the first that it resembles."""
    known: list[tuple[Shingles, list[int]]] = []
    for place, text in enumerate(texts):
        mine = shingles(text)
        home = next((members for first, members in known if alike(first, mine)), None)
        if home is None:
            known.append((mine, [place]))
        else:
            home.append(place)
    return [members for _first, members in known]
