"""A refused channel says something of those much like it: they sink a little in what is offered next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from brains.matching.profiles import ChannelProfiles
    from brains.matching.suggestion import Suggestion


def sunk(profiles: ChannelProfiles, found: Sequence[Suggestion], refused: Collection[int]) -> list[Suggestion]:
    """Order suggestions anew: each share and score falls as much as its channel is like the closest refused one.

    That is the cosine of their topics, and nothing below 0. Parts and reasons stay as they are: it is no evidence for
    anything.
    """
    likeness = _likeness(profiles, refused)
    if not likeness:
        return list(found)
    left = {one.channel: 1 - likeness.get(one.channel, 0.0) for one in found}
    lowered = [replace(one, score=one.score * left[one.channel], share=one.share * left[one.channel]) for one in found]
    return sorted(lowered, key=lambda one: -one.share)


def _likeness(profiles: ChannelProfiles, refused: Collection[int]) -> dict[int, float]:
    """Return how much each channel that is about something is like the closest refused one, 0 to 1."""
    topics = profiles.topics
    owners = profiles.channels[topics.owners]
    against = topics.centroids[np.isin(owners, list(refused))]
    if not len(against):
        return {}
    cosines = np.clip((topics.centroids @ against.T).max(axis=1), 0, 1)
    return {int(channel): float(cosine) for channel, cosine in zip(owners, cosines, strict=True)}
