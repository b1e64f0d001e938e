"""Does a text belong in this community at all? Compared with the community's own messages, not with fixed numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from brains.matching.calibration import GATE

if TYPE_CHECKING:
    from brains.matching.choice import Doubles
    from brains.matching.corpus import Floats

HALF_TRUST = 20
"""Messages from which on a range is trusted by half."""

WIDEST = 4.0

SEASONED = 1_000
"""Messages measured from which on even a text of stop words alone may be at home: "who are you?" is asked of bots."""

TOLD_APART, NEAR_APART = 0.2, 0.02
"""Least distance of the low end and the median: a share of the median for `told`, a cosine for `near`."""

TOLD_LOW, NEAR_LOW = 2.0, 10.0
"""Percentiles of a community's own messages that are the low ends of its ranges. What is talked of in channels that
are told apart with ease reaches far down in `told`: with the tenth, half the messages in its tail were silenced where
150 intents are told apart, and half of what is foreign let in where 40 channels hardly are."""

UNKNOWN = 0.33
"""Where a value is taken to lie when nothing is known: a doubtful message, as likely out of scope as at home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Where a community's own messages lie: a low percentile, their median, and how many were measured."""

    low: float = 0.0
    middle: float = 0.0
    count: int = 0

    @classmethod
    def of(cls, values: Floats | Doubles, *, lowest: float = NEAR_LOW) -> Self:
        """Measure a range on values (n,), from their percentile `lowest`."""
        if not len(values):
            return cls()
        low, middle = np.percentile(values, [lowest, 50])
        return cls(low=float(low), middle=float(middle), count=len(values))

    def place(self, value: float, *, least: float) -> float:
        """Say where a value lies: 0 at the low end, 1 at the median; nearer UNKNOWN if few are known.

        The two are taken to be at least `least` apart, so that a community of one voice still hears another. Where they
        are not apart at all, nothing can be told by them.
        """
        width = max(self.middle - self.low, least)
        if not self.count or not width:
            return UNKNOWN
        place = float(np.clip(1 + (value - self.middle) / width, -WIDEST, WIDEST - 1))
        trust = self.count / (self.count + HALF_TRUST)
        return trust * place + (1 - trust) * UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The ranges of `told` (see choice.how_told) and of `near`, the raw cosine with the community's mean."""

    told: Range = field(default_factory=Range)
    near: Range = field(default_factory=Range)

    @property
    def seasoned(self) -> bool:
        """Say whether enough was measured to judge a text without a telling word."""
        return self.told.count >= SEASONED

    def opens(self, told: float, near: float) -> float:
        """Return the probability, 0..1, that a text is about something that is talked of here."""
        by_told = self.told.place(told, least=TOLD_APART * self.told.middle)
        by_near = self.near.place(near, least=NEAR_APART)
        logit = GATE.bias + GATE.told * by_told + GATE.near * by_near
        return float(1 / (1 + np.exp(-logit)))
