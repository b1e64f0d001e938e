"""Ours as `eval recommend` judges it: the functions that serve members, and the same with signals left out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.corpus import Card
from brains.matching.matching import match_member
from brains.matching.offering import needed
from brains.matching.profiles import build_profiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.evals.metrics import Values
    from brains.evals.recommend import Split
    from brains.matching.profiles import ChannelProfiles
    from brains.matching.suggestion import Suggestion


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
    """What ours says to the test members of a split, in their order: every open channel, best first."""

    suggestions: Sequence[Sequence[Suggestion]]

    @property
    def orders(self) -> list[list[int]]:
        """Return the channels in that order."""
        return [[one.channel for one in found] for found in self.suggestions]

    @property
    def signals(self) -> tuple[str, ...]:
        """Name the parts of a score that are not nought for everybody."""
        parts = [asdict(one.parts) for found in self.suggestions for one in found]
        return tuple(name for name in (parts[0] if parts else {}) if any(part[name] for part in parts))

    def without(self, signal: str) -> list[list[int]]:
        """Order the channels by all signals but one, the others weighed as before."""
        return self._ordered([name for name in self.signals if name != signal])

    def alone(self, signal: str) -> list[list[int]]:
        """Order the channels by one signal alone; ties in the order of names."""
        return self._ordered([signal])

    def _ordered(self, kept: Sequence[str]) -> list[list[int]]:
        return [_by_parts(sorted(found, key=lambda one: one.channel), kept) for found in self.suggestions]


def learned(parts: Split, *, encoder: str) -> ChannelProfiles:
    """Learn what is known before the cut, as the bot does."""
    cards = [Card(id=at, name=name) for at, name in enumerate(parts.channels)]
    return build_profiles(parts.corpus, cards, encoder=encoder, now=parts.cut)


def suggested(parts: Split, profiles: ChannelProfiles, users: Sequence[int]) -> Told:
    """Rank every unused channel for these users."""
    return Told(suggestions=[_suggested_to(parts, profiles, user) for user in users])


def offered(parts: Split, profiles: ChannelProfiles, user: int) -> list[int]:
    """Return every channel that a user might be offered, best first, by the rule that the matchmaker offers by."""
    own = parts.corpus.where(parts.corpus.authors == user)
    joined = {int(channel) for channel in own.channels}
    least = needed(len(parts.channels) - len(joined))
    found = match_member(
        profiles, own, joined=joined, now=parts.cut, habits=False, k=len(parts.channels), floor=0.0, needed=least
    )
    return [one.channel for one in found]


def _suggested_to(parts: Split, profiles: ChannelProfiles, user: int) -> list[Suggestion]:
    own = parts.corpus.where(parts.corpus.authors == user)
    joined = {int(channel) for channel in own.channels}
    return match_member(profiles, own, joined=joined, now=parts.cut, k=len(parts.channels), floor=0.0)


def _by_parts(found: Sequence[Suggestion], kept: Sequence[str]) -> list[int]:
    scores: Values = np.array([sum(asdict(one.parts)[name] for name in kept) for one in found])
    return [found[at].channel for at in np.argsort(-scores, kind="stable")]
