"""What members of one community do beside writing: join, leave, refuse, answer, react, and name interests."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.matching.corpus import Floats, Ids, Mask, Times


def _nobody() -> Ids:
    return np.zeros(0, dtype=np.int64)


def _never() -> Times:
    return np.zeros(0, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Members and channels at a time: `members`, `channels` (n,) are database ids, `times` (n,) seconds of the epoch.

    In any order. Raises ValueError when the lengths differ.
    """

    members: Ids = field(default_factory=_nobody)
    channels: Ids = field(default_factory=_nobody)
    times: Times = field(default_factory=_never)

    def __post_init__(self) -> None:
        _alike(self.members, self.channels, self.times)

    def __len__(self) -> int:
        return len(self.members)

    def where(self, mask: Mask) -> Self:
        """Return the rows for which `mask` (n,) is true."""
        return type(self)(members=self.members[mask], channels=self.channels[mask], times=self.times[mask])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ties:
    """Members who turned to others in a channel at a time; all (n,), as in Moments.

    `others` wrote what was answered or reacted to.
    """

    members: Ids = field(default_factory=_nobody)
    others: Ids = field(default_factory=_nobody)
    channels: Ids = field(default_factory=_nobody)
    times: Times = field(default_factory=_never)

    def __post_init__(self) -> None:
        _alike(self.members, self.others, self.channels, self.times)

    def __len__(self) -> int:
        return len(self.members)

    def where(self, mask: Mask) -> Self:
        """Return the rows for which `mask` (n,) is true."""
        return type(self)(
            members=self.members[mask], others=self.others[mask], channels=self.channels[mask], times=self.times[mask]
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stated:
    """What members said that they look for: `texts` (n,) in their own words, `vectors` (n, d) as passages."""

    members: Ids = field(default_factory=_nobody)
    texts: Sequence[str] = ()
    vectors: Floats = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    times: Times = field(default_factory=_never)

    def __post_init__(self) -> None:
        _alike(self.members, self.texts, self.vectors, self.times)

    def __len__(self) -> int:
        return len(self.members)

    def where(self, mask: Mask) -> Self:
        """Return the rows for which `mask` (n,) is true."""
        kept = np.flatnonzero(mask)
        return type(self)(
            members=self.members[kept],
            texts=[self.texts[at] for at in kept.tolist()],
            vectors=self.vectors[kept],
            times=self.times[kept],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Behaviour:
    """What members did, where the accounts of one human are one member; each part may be empty.

    `joins` and `leaves` are memberships that began and ended; `refusals` are "not for me", for good; `offers` are
    channels that were shown to somebody. `replies` say who answered whom, `reactions` who reacted to whom, and where.
    `stated` are interests that members named, and what they searched.
    """

    joins: Moments = field(default_factory=Moments)
    leaves: Moments = field(default_factory=Moments)
    refusals: Moments = field(default_factory=Moments)
    offers: Moments = field(default_factory=Moments)
    replies: Ties = field(default_factory=Ties)
    reactions: Ties = field(default_factory=Ties)
    stated: Stated = field(default_factory=Stated)

    @classmethod
    def none(cls) -> Self:
        """Know nothing but messages."""
        return cls()

    def before(self, moment: float) -> Self:
        """Return what had happened before a moment, in seconds since the epoch."""
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        return type(self)(**{name: part.where(part.times < moment) for name, part in parts.items()})


def _alike(*columns: Ids | Times | Floats | Sequence[str]) -> None:
    sizes = {len(column) for column in columns}
    if len(sizes) > 1:
        raise ValueError(f"behaviour needs as many of each: {sorted(sizes)}")
