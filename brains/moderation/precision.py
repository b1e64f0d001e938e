"""How often each detector was right, in words and figures for the staff."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from bot.core.i18n import _
from bot.core.wording import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.i18n import Translate

Z = 1.96
"""Standard deviations of a 95 % interval."""
FEW = 5
"""Settled cases below which a share says nothing, and none is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """What staff said of one detector's cases: how many they settled, and how many of those they overturned."""

    detector: str
    settled: int
    overturned: int

    @property
    def precision(self) -> float:
        """Return the share of settled cases in which the detector was right; 0 without any."""
        return (self.settled - self.overturned) / self.settled if self.settled else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the precision, after Wilson 1927, which holds for few cases too."""
        if not self.settled:
            return 0.0, 1.0
        share, spread = self.precision, Z * Z / self.settled
        middle = (share + spread / 2) / (1 + spread)
        half = sqrt(spread * share * (1 - share) + spread * spread / 4) / (1 + spread)
        return max(0.0, middle - half), min(1.0, middle + half)


def note(found: Sequence[Right], missed: int, *, days: int, translate: Translate) -> str:
    """Word what became of the detectors' cases in so many days; empty where staff settled nothing."""
    told = [one for one in found if one.settled]
    if not told and not missed:
        return ""
    head = _("**How often I was right in the last {days} days**, by what you decided:")
    by_settled = sorted(told, key=lambda one: (-one.settled, one.detector))
    lines = [translate(head).format(days=days), *(_line(one, translate) for one in by_settled)]
    if missed:
        sentence = _("- {count} cases were reported by members and seen by no detector.")
        lines.append(translate(sentence).format(count=missed))
    lines.append(translate(_("/why says why I acted; /mode says whether I watch, ask or act.")))
    return "\n".join(lines)


def _line(one: Right, translate: Translate) -> str:
    low, high = one.interval
    few = _("- **{detector}**: {settled} cases, {overturned} of them overturned.")
    share = _(
        "- **{detector}**: {settled} cases, {overturned} of them overturned: right in {share:.0%} "
        "(95 % sure: {low:.0%} to {high:.0%})."
    )
    return translate(few if one.settled < FEW else share).format(
        detector=escape(one.detector),
        settled=one.settled,
        overturned=one.overturned,
        share=one.precision,
        low=low,
        high=high,
    )


def to_json(found: Sequence[Right], missed: int, *, days: float) -> dict[str, object]:
    """Return the document that `kinfolk precision --json` prints."""
    return {
        "days": days,
        "detectors": {
            one.detector: {
                "settled": one.settled,
                "overturned": one.overturned,
                "precision": round(one.precision, 4) if one.settled else None,
                "low": round(one.interval[0], 4),
                "high": round(one.interval[1], 4),
            }
            for one in found
        },
        "missed": missed,
    }
