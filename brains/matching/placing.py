"""Where a text is placed: how much vectors, terms and sheer size tell in this community; and whether anywhere at all.

Fitted on messages of the community that what they are held against did not see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from brains.matching.choice import fit, how_told
from brains.matching.gate import TOLD_LOW, Gate, Range

if TYPE_CHECKING:
    from brains.matching.corpus import Floats, Ids

START = (1.0, 5.0, 0.5)
"""Weights of what was learned, of terms and of size before anything is fitted: between those of 150 intents (1.3, 3),
400 discussion groups (1, 14) and a developers' chat (.4, 28), nearer to the first, whose messages tell little of it."""

TOLD = (1.1, 3.2, 0.5)
"""The same where nothing was said yet: every word of a description is rare then. Training posts of 400 groups placed by
these alone: top-5 .547, .556 and .555 with 0, 3 and 5 for the terms; at this scale the right groups are likeliest."""

RIDGE = 3.0
"""As in `choice`, and weaker, since what was learned tells more. Validation rows of 150 intents: top-1 .958, .956 and
.951 with 3, 10 and 25; of a developers' chat, .326, .329 and .334; of 400 groups .605 with each."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placing:
    """`learned` (c, d) from `discriminate`, the `weights` (3,) of the features in the order of START, and the gate."""

    learned: Floats
    weights: Floats
    gate: Gate

    @classmethod
    def learn(cls, learned: Floats, *, features: Floats, chosen: Ids, near: Floats) -> Self:
        """Fit on messages and channels (n, c, 3), where each was written (n,), and how near they are (n,)."""
        weights = np.array(TOLD, dtype=np.float32)
        if len(chosen):
            weights = np.maximum(fit(features, chosen, start=START, ridge=RIDGE), 0).astype(np.float32)
        told = how_told(features @ weights) if len(chosen) else np.zeros(0)
        gate = Gate(told=Range.of(told, lowest=TOLD_LOW), near=Range.of(near))
        return cls(learned=learned, weights=weights, gate=gate)
