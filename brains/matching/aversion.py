"""A refused channel says something of those much like it: they sink a little in what is offered next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.diversity import likeness, spread

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from brains.matching.corpus import Floats, Ids
    from brains.matching.profiles import ChannelProfiles
    from brains.matching.suggestion import Suggestion

LEAST = 1e-9
"""Share below which the order of suggestions tells nothing."""


def sunk(
    profiles: ChannelProfiles,
    found: Sequence[Suggestion],
    refused: Collection[int],
    *,
    faded: Mapping[int, float] | None = None,
    cost: float = 0.0,
) -> list[Suggestion]:
    """Order suggestions anew: each share and score falls as much as its channel is like the closest refused one.

    That is the cosine of their topics, and nothing below 0; `faded` says what else is left of some. Parts and reasons
    stay as they are: it is no evidence for anything. `cost` is what likeness to one further up costs, as it did before.
    """
    near = _nearness(profiles, refused)
    left = {one.channel: (1 - near.get(one.channel, 0.0)) * (faded or {}).get(one.channel, 1.0) for one in found}
    if all(much == 1 for much in left.values()):
        return list(found)
    lowered = [replace(one, score=one.score * left[one.channel], share=one.share * left[one.channel]) for one in found]
    place = {int(channel): at for at, channel in enumerate(profiles.channels)}
    rows = np.array([place[one.channel] for one in lowered], dtype=np.int64)
    shares = np.log([max(one.share, LEAST) for one in lowered])

    def alike(some: Ids) -> Floats:
        return likeness(profiles.topics, rows[some])

    return [lowered[at] for at in spread(shares, alike, cost=cost)]


def _nearness(profiles: ChannelProfiles, refused: Collection[int]) -> dict[int, float]:
    """Return how much each channel that is about something is like the closest refused one, 0 to 1."""
    topics = profiles.topics
    owners = profiles.channels[topics.owners]
    against = topics.centroids[np.isin(owners, list(refused))]
    if not len(against):
        return {}
    cosines = np.clip((topics.centroids @ against.T).max(axis=1), 0, 1)
    return {int(channel): float(cosine) for channel, cosine in zip(owners, cosines, strict=True)}
