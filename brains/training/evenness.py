"""Whether what a community taught a head makes it accuse some people more than others, who were not accused before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.moderation.learned import logits
from brains.training.fairness import Family, judged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from bot.core.ports import Vector
    from brains.moderation.heads import Array, Limits
    from brains.moderation.learned import Correction
    from brains.training.sentences import Harmless


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bystanders:
    """Harmless sentences (n,) that teach nothing, their vectors (n, d), what the shipped heads say of them, and from
    where on they are flagged."""

    sentences: Sequence[Harmless]
    vectors: Vector
    shipped: Mapping[str, Array]
    limits: Mapping[str, Limits]

    def accused(self, head: str, correction: Correction) -> str:
        """Name a group that the corrected head flags beyond the bar of `fairness` and the shipped one does not."""
        if not self.sentences:
            return ""
        edge = logits(self.limits[head].flag)
        shipped = logits(self.shipped[head])
        others = [self.shipped[name] >= self.limits[name].flag for name in self.shipped if name != head]
        before = self._above([*others, shipped >= edge])
        after = self._above([*others, correction.logits(shipped, self.vectors) >= edge])
        return next(iter(sorted(after - before)), "")

    def _above(self, flags: Sequence[npt.NDArray[np.bool_]]) -> set[str]:
        flagged = np.any(flags, axis=0)
        found: set[str] = set()
        for kind, language in sorted({(one.kind, one.language) for one in self.sentences}):
            inside = np.array([(one.kind, one.language) == (kind, language) for one in self.sentences])
            groups = [one.group for one, here in zip(self.sentences, inside, strict=True) if here]
            family = Family(name=f"{kind} {language}", groups=groups, flagged=flagged[inside], loosely=flagged[inside])
            found |= {line.group for line in judged([family]) if line.above}
        return found
