"""What is worth offering to a member: a channel for which something of their own speaks, not everybody's habits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.corpus import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from brains.matching.behaviour import Moments
    from brains.matching.corpus import Ids

WORTH_OFFERING = 0.8
"""Log-odds that what is a member's own must add beside the average channel: it makes it 2.2 times as likely. Chosen
by reading: of the sample's members it keeps the right channels that `tests/story` names."""

LATELY = 90 * DAY
"""Seconds in which a channel that fits somebody should have been offered to somebody."""

EACH = 3
"""Offers for each channel from which on it is no chance that one was offered to nobody."""


def needed(choices: int) -> float:
    """Return the log-odds that a channel's own parts must add, of so many `choices` that are open to somebody.

    Where there are few channels, the average is hardly anything but the channel itself, and less is asked for.
    """
    return min(WORTH_OFFERING, math.log(max(2, choices)) / 2)


def waiting(channels: Ids, offers: Moments, *, now: float) -> frozenset[int]:
    """Return those of all channels (c,) that were offered to nobody lately, where much was offered."""
    lately = offers.channels[offers.times >= now - LATELY]
    if len(lately) < EACH * len(channels):
        return frozenset()
    return frozenset(channels[~np.isin(channels, lately)].tolist())


def places(fitting: Sequence[int], k: int, waiting: Set[int]) -> list[int]:
    """Return which of the channels that fit somebody, best first, are offered in `k` places, by their positions.

    The best ones; but the last of several places goes to one that waits to be offered to anybody, if one fits.
    """
    first = list(range(min(k, len(fitting))))
    late = next((at for at in range(k, len(fitting)) if fitting[at] in waiting), None)
    if k == 1 or late is None or any(fitting[at] in waiting for at in first):
        return first
    return [*first[:-1], late]
