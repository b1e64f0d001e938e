"""The middle of what a community says: without it, a vector tells what a text says, not where and in which language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from bot.core.i18n import is_chinese
from brains.matching.corpus import unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.matching.corpus import Floats

SPOKEN = 20
"""Messages of a language from which it has a middle of its own: its vectors lie together, whatever is said in it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Centre:
    """The mean (d,) of the vectors of a community's messages, and of those in Chinese."""

    usual: Floats
    chinese: Floats

    @property
    def size(self) -> int:
        """Return the dimensions of a vector."""
        return len(self.usual)

    @classmethod
    def of(cls, texts: Sequence[str], vectors: Floats) -> Self:
        """Learn the means from messages and their vectors (n, d); a language that is hardly spoken has that of all."""
        mean = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1], dtype=np.float32)
        spoken = _spoken(texts)
        usual, chinese = (vectors[of].mean(axis=0) if of.sum() >= SPOKEN else mean for of in (~spoken, spoken))
        return cls(usual=usual, chinese=chinese)

    def place(self, vectors: Floats, texts: Sequence[str]) -> Floats:
        """Bring vectors (n, d) of texts to where what they say counts and not in which language, as unit rows."""
        return unit(vectors - np.where(_spoken(texts)[:, None], self.chinese, self.usual))


def _spoken(texts: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Say of each text whether it is in Chinese (n,)."""
    return np.array([is_chinese(text) for text in texts], dtype=bool)
