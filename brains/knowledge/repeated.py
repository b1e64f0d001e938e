"""Questions that were asked again and again: clusters of them by their vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.ports import Vector

ALIKE = 0.92
"""Cosine from which two questions count as the same one; E5's cosines are all high. A guess: staff see what comes."""
TIMES, ASKERS = 3, 2
"""How often, and by how many members, a question was asked that is worth an entry."""


def repeated(
    vectors: Vector, askers: Sequence[int], *, times: int = TIMES, by: int = ASKERS, alike: float = ALIKE
) -> list[list[int]]:
    """Return clusters of questions by their places, the largest first, each with its middle one first.

    `vectors` are the questions' as passages, shape (questions, size), and `askers` who asked each. The question that
    most others resemble is a middle, and what resembles it is taken out before the next is looked for.
    """
    if not len(vectors):
        return []
    near = vectors @ vectors.T >= alike
    np.fill_diagonal(near, val=True)
    free = np.ones(len(vectors), dtype=bool)
    found: list[list[int]] = []
    while free.any():
        counts = (near & free).sum(axis=1) * free
        middle = int(counts.argmax())
        if counts[middle] < times:
            break
        mine = [int(place) for place in np.flatnonzero(near[middle] & free)]
        free[mine] = False
        if len({askers[place] for place in mine}) >= by:
            found.append([middle, *(place for place in mine if place != middle)])
    return found
