"""Vectors for many texts, in pieces, so that progress shows and a worker's queue is not filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.ports import Encoder, Vector

PIECE = 512
"""Texts a call."""


class Progress(Protocol):
    """Told how many texts are done, of how many."""

    def __call__(self, done: int, total: int, /) -> None:
        """Note progress."""
        ...


def silent(_done: int, _total: int, /) -> None:
    """Show no progress."""


async def passages(encoder: Encoder, texts: Sequence[str], *, progress: Progress = silent) -> Vector:
    """Encode texts as passages (n, d); an empty text is a row of zeros and is never sent."""
    vectors = np.zeros((len(texts), encoder.size), dtype=np.float32)
    told = [at for at, text in enumerate(texts) if text.strip()]
    for start in range(0, len(told), PIECE):
        piece = told[start : start + PIECE]
        vectors[piece] = await encoder.encode([texts[at] for at in piece], kind="passage")
        progress(start + len(piece), len(told))
    return vectors
