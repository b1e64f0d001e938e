"""What a community made of a conversation: mild hints beside what it says, bounded so that none of them decides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

RECENT = 0.004
"""What something of today has before something of long ago; a cosine of E5 spreads by .02 over the passages of one
question (XQuAD), so that all of this tells near ties apart and nothing else."""
HALF_LIFE = 365.0
"""Days after which half of that is left."""
ANSWERED = 0.004
REACTED = 0.004
OPINION = 0.012
"""The most that opinions raise or sink: they are about this very answer, and staff may have to be heard."""
FULL = 3
"""Opinions of one mind from which more change little."""
MANY = 8
"""Reactions from which more change nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """How old it is, whether somebody else replied, how many reacted, and how many more it helped than not."""

    age: timedelta
    answered: bool = False
    reactions: int = 0
    opinion: int = 0


def bonus(signals: Signals) -> float:
    """Return what is added to the relevance of a conversation, in units of a cosine."""
    days = max(0.0, signals.age.total_seconds() / 86_400)
    recent = RECENT * 0.5 ** (days / HALF_LIFE)
    reacted = REACTED * math.log1p(min(signals.reactions, MANY)) / math.log1p(MANY)
    heard = OPINION * math.tanh(signals.opinion / FULL)
    return float(recent + ANSWERED * signals.answered + reacted + heard)
