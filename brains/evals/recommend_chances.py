"""Whether our probabilities come true: all members known at a cut, and every channel that was open to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.evals.recommend_ours import suggested
from brains.matching.chances import calibration_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.evals.metrics import Values
    from brains.evals.recommend_trials import Window
    from brains.matching.corpus import Mask
    from brains.matching.profiles import ChannelProfiles


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foretold:
    """Members and channels (n,): the probability that was told, the plain share it was made of, and what came."""

    scores: Values
    shares: Values
    came: Mask


def foretell(window: Window, profiles: ChannelProfiles) -> Foretold:
    """Tell of everybody known at a cut how probably they use each open channel within the horizon, and look."""
    users = range(len(window.parts.users))
    told = suggested(window.parts, profiles, users).suggestions
    pairs = [
        (one.score, one.share, one.channel in window.soon.get(user, ()))
        for user, found in zip(users, told, strict=True)
        for one in found
    ]
    scores, shares, came = zip(*pairs, strict=True) if pairs else ((), (), ())
    return Foretold(scores=np.array(scores), shares=np.array(shares), came=np.array(came, dtype=np.bool_))


def calibration(foretold: Sequence[Foretold]) -> dict[str, float]:
    """Return the expected calibration error (ten equally full bins) of the probabilities and of the plain shares.

    Beside it the means of what was told and of what came.
    """
    scores, shares, came = (
        np.concatenate([getattr(one, name) for one in foretold]) for name in ("scores", "shares", "came")
    )
    if not len(came):
        return {}
    alike = np.ones(len(came))
    return {
        "pairs": float(len(came)),
        "told": round(float(scores.mean()), 5),
        "came": round(float(came.mean()), 5),
        "ece": round(calibration_error(scores, came, alike), 5),
        "ece of plain shares": round(calibration_error(shares, came, alike), 5),
    }
