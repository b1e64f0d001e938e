"""What channels are called and said to be about, as vectors; and ordinary talk beside it, to compare what is said with.

Vectors of descriptions and of talk lie in different places, by their voice alone. What a community says is taken
relative to what it says otherwise; where it has said nothing yet, to texts about anything, written for this.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brains.matching.corpus import Card, Floats

SAID = (Path(__file__).parent / "background.txt").read_text(encoding="utf-8").splitlines()
"""Texts in two languages, about this and that: of each thing there is but one."""

TALK = tuple("\n".join(SAID[at : at + 2]) for at in range(0, len(SAID), 2))
"""Two at a time, about as long as posts are. Training posts of 400 groups placed by names and descriptions alone: top-5
.553 one at a time, .556 two; .570 with where these posts really lie, which is not known where nothing was said."""


def told(cards: Sequence[Card]) -> list[str]:
    """Return every text whose passage is needed to describe these channels, each once."""
    return list(dict.fromkeys([*(text for card in cards for text in (card.text, card.title)), *TALK]))


def described(cards: Sequence[Card], vectors: Mapping[str, Floats]) -> list[Card]:
    """Give channels their vectors, from those of what is `told`."""
    return [replace(card, vector=vectors[card.text], titled=vectors[card.title]) for card in cards]


def usual(vectors: Mapping[str, Floats]) -> Floats:
    """Return where ordinary talk lies (d,), from the vectors of what is `told`."""
    return np.asarray(np.mean([vectors[text] for text in TALK], axis=0), dtype=np.float32)
