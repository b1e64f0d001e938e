"""Texts as heads read them: with their plain forms, the tricks undone, and vectors of the form that people see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.moderation.undisguise import skeleton, undisguise
from brains.training.encoding import passages, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.ports import Encoder, Vector
    from brains.moderation.features import Ints
    from brains.training.encoding import Progress

ALIKE = 40
"""Letters at the beginning that make two texts near-copies, which stay on one side of every cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Texts (n,), their plain forms (n,), and the tricks that were undone in each (n,)."""

    texts: list[str]
    plains: list[str]
    tricks: list[frozenset[str]]

    def groups(self) -> Ints:
        """Return a number (n,) that texts with the same beginning share."""
        found = [hashlib.blake2b(skeleton(plain)[:ALIKE].encode(), digest_size=6).digest() for plain in self.plains]
        return np.array([int.from_bytes(one, "big") for one in found], dtype=np.int64)


def read(texts: Sequence[str], *, undo: bool = True) -> Texts:
    """Undo the disguise of texts; without `undo`, take them as they are."""
    if not undo:
        return Texts(texts=list(texts), plains=list(texts), tricks=[frozenset()] * len(texts))
    seen = [undisguise(text) for text in texts]
    return Texts(texts=list(texts), plains=[one.plain for one in seen], tricks=[one.tricks for one in seen])


async def encode(encoder: Encoder, texts: Texts, *, progress: Progress = silent) -> Vector:
    """Return vectors (n, d) of plain forms where something was undone, else of the texts."""
    seen = [plain if tricks else text for text, plain, tricks in zip(*_columns(texts), strict=True)]
    return await passages(encoder, seen, progress=progress)


def _columns(texts: Texts) -> tuple[list[str], list[str], list[frozenset[str]]]:
    return texts.texts, texts.plains, texts.tricks
