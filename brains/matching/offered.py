"""What became of the channels that were offered: taken, refused, or passed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from brains.matching.corpus import DAY
from brains.matching.signals import NAMES, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.matching.corpus import Floats, Mask
    from brains.matching.rehearsal import Act

ANSWERED = 14 * DAY
"""An offer that was not taken up within this time was passed over."""

MOST = 25
"""Offers looked at in one rehearsal."""

REFUSED, IGNORED = 1.0, 0.25
"""What a refusal, and an offer that was passed over, count for."""

Answer = tuple["Floats", bool, float]
"""The signals of a channel as it was offered (f,), whether it was taken, and what that counts for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What was offered (q,): its `features` (q, f), whether it was `taken`, what the answer counts for."""

    features: Floats
    taken: Mask
    say: Floats

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Self:
        """Lay answers side by side."""
        features = np.array([features for features, _, _ in answers], dtype=np.float32)
        return cls(
            features=features.reshape(len(answers), len(NAMES)),
            taken=np.array([taken for _, taken, _ in answers], dtype=np.bool_),
            say=np.array([say for _, _, say in answers], dtype=np.float32),
        )


def answers_in(act: Act) -> list[Answer]:
    """Return what was offered during a rehearsal, and what came of it."""
    offers, refused = act.stage.behaviour.offers, _refused(act)
    said = np.array([pair in refused for pair in zip(offers.members.tolist(), offers.channels.tolist(), strict=True)])
    settled = said.astype(np.bool_) | (offers.times < act.stage.now - ANSWERED)
    settled &= (offers.times >= act.start) & (offers.times < act.end)
    settled &= np.isin(offers.members, act.past.ids) & np.isin(offers.channels, act.stage.channels)
    some = np.sort(act.random.permutation(np.flatnonzero(settled))[:MOST])
    return [_answer(act, int(at), refused=bool(said[at])) for at in some]


def _refused(act: Act) -> set[tuple[int, int]]:
    refusals = act.stage.behaviour.refusals
    return set(zip(refusals.members.tolist(), refusals.channels.tolist(), strict=True))


def _answer(act: Act, at: int, *, refused: bool) -> Answer:
    offers, visits = act.stage.behaviour.offers, act.stage.past.visits
    member = int(np.searchsorted(act.past.ids, offers.members[at]))
    channel = int(np.searchsorted(act.stage.channels, offers.channels[at]))
    came = (visits.members == member) & (visits.channels == channel)
    came &= (visits.times >= offers.times[at]) & (visits.times < offers.times[at] + ANSWERED)
    taken = bool(came.any()) and not refused
    return measure(act.scene, act.asker(member))[channel], taken, REFUSED if taken or refused else IGNORED
