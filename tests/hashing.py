"""An encoder for tests: a bag of hashed words. Texts that share words are near; no model, no wait."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np

from bot.core.ports import Kind, Vector

SIZE = 256


class HashingEncoder:
    """Keeps count of what it was asked, so that a test can see what was encoded anew."""

    fingerprint = "hashing-words"
    size = SIZE

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def encode(self, texts: Sequence[str], *, kind: Kind = "passage") -> Vector:
        """Encode texts, in order."""
        self.asked.extend(texts)
        rows = np.full((len(texts), SIZE), 0.01, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.casefold()):
                row[zlib.crc32(word.encode()) % SIZE] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
