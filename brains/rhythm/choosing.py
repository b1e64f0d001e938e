"""Which matters make a digest: of substance, near to what its reader likes, no two alike, spread over channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from brains.matching.corpus import Floats, Mask
    from brains.rhythm.span import Matter, Span

ALIKE = 0.5
"""What a matter counts less for being like one that is chosen, times their cosine; Carbonell and Goldstein 1998."""
CROWDED = 0.12
"""What a matter counts less for each that is chosen of its channel, of several channels."""
LIKED = 0.6
"""Share of the reader's interests in the score of a digest that is theirs alone."""
NEAR = 0.5
"""Closeness to an interest that counts in full."""
WORTH = 0.25
"""Share of the weightiest matter's weight that is worth a line."""


def choose(
    spans: Sequence[Span], *, channels: Collection[int], interests: Floats | None, most: int
) -> list[tuple[Span, Matter, float]]:
    """Choose up to `most` matters of these channels, best first, with their scores."""
    found = [(span, matter) for span in spans for matter in span.matters if matter.channel in channels]
    if not found:
        return []
    weights = np.array([matter.weight for _span, matter in found], dtype=np.float32)
    scores = weights / max(1e-6, float(weights.max()))
    worth = scores >= WORTH
    if interests is not None and len(interests):
        scores = (1 - LIKED) * scores + LIKED * np.clip(_closeness(found, interests) / NEAR, 0, 1)
    several = len({matter.channel for _span, matter in found}) > 1
    means = np.stack([matter.mean for _span, matter in found])
    return [(*found[at], float(scores[at])) for at in _spread(scores, means, found, worth, most, several=several)]


def _spread(
    scores: Floats, means: Floats, found: Sequence[tuple[Span, Matter]], worth: Mask, most: int, *, several: bool
) -> list[int]:
    chosen: list[int] = []
    near = np.zeros(len(found), dtype=np.float32)
    crowded = np.zeros(len(found), dtype=np.float32)
    places = np.array([matter.channel for _span, matter in found])
    open_ = np.array(worth, dtype=np.bool_)
    while len(chosen) < most and open_.any():
        value = np.where(open_, scores - ALIKE * near - CROWDED * crowded, -np.inf)
        best = int(np.argmax(value))
        chosen.append(best)
        open_[best] = False
        near = np.maximum(near, np.clip(means @ means[best], 0, 1))
        if several:
            crowded[places == places[best]] += 1
    return chosen


def _closeness(found: Sequence[tuple[Span, Matter]], interests: Floats) -> Floats:
    """Return how close each matter is to any interest (k, d): the mean of the whole and of its closest message."""
    sides = {id(span): (placed := toward(span, interests), span.placed @ placed.T) for span, _matter in found}
    near = np.zeros(len(found), dtype=np.float32)
    for at, (span, matter) in enumerate(found):
        placed, cosines = sides[id(span)]
        near[at] = ((placed @ matter.mean + cosines[matter.rows].max(axis=0)) / 2).max()
    return near


def toward(span: Span, interests: Floats) -> Floats:
    """Bring interests (k, d), as the encoder made them, to where the span's messages lie, as unit rows."""
    centres = np.stack([span.centre.usual, span.centre.chinese])
    nearest = centres[np.argmax(interests @ centres.T, axis=1)]
    moved = interests - nearest
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6), dtype=np.float32)
