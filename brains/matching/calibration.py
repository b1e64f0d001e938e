"""Every fitted number of matching, in one place with its source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """A logistic model on the features of one suggestion; a score is 1 / (1 + exp(-(bias + sum of parts)))."""

    bias: float
    vector: float
    terms: float
    newcomers: float = 0.0
    company: float = 0.0


TEXT = Coefficients(bias=-6.0, vector=10.0, terms=10.0)
MEMBER = Coefficients(bias=-3.0, vector=2.0, terms=5.0, newcomers=0.86)

FLOOR = 0.2
"""A suggestion that scores less is not worth a member's time: nothing fits."""
