"""A text as numbers that stay alike when a few of its characters change: MinHash over character trigrams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brains.moderation import undisguise

if TYPE_CHECKING:
    from collections.abc import Sequence

Signature = npt.NDArray[np.uint32]
"""(PERMUTATIONS,)"""

PERMUTATIONS = 64
"""The share of equal numbers estimates the Jaccard similarity of two texts' trigrams (Broder 1997): deviation .06."""
LONGEST = 1500
"""Letters and digits that are looked at: more than any chat's spam has, and a bound for hostile texts."""
WIDE = 0x2E80
"""From here on characters hold about as much as two Latin letters."""

_RANDOM = np.random.default_rng(20)
_FACTORS = _RANDOM.integers(1, 1 << 63, (PERMUTATIONS, 1), dtype=np.uint64) | np.uint64(1)
_OFFSETS = _RANDOM.integers(0, 1 << 63, (PERMUTATIONS, 1), dtype=np.uint64)
_PLACES = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
"""Odd numbers that scatter the three characters of a trigram over 64 bits."""


def skeleton(plain: str) -> str:
    """Return the skeleton of a text, as much of it as is compared."""
    return undisguise.skeleton(plain[: 2 * LONGEST])[:LONGEST]


def width(bones: str) -> int:
    """Return how much a skeleton says, in Latin letters."""
    return sum(2 if ord(one) >= WIDE else 1 for one in bones)


def sign(bones: str) -> Signature:
    """Return the signature of a skeleton; of one without a single trigram, that of its characters."""
    codes = np.frombuffer(bones.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    if not len(codes):
        return np.full(PERMUTATIONS, np.iinfo(np.uint32).max, dtype=np.uint32)
    grams = np.lib.stride_tricks.sliding_window_view(codes, min(3, len(codes)))
    hashed = (grams * _PLACES[: grams.shape[1]]).sum(axis=1, dtype=np.uint64)
    smallest: Signature = ((hashed[None, :] * _FACTORS + _OFFSETS) >> np.uint64(32)).min(axis=1).astype(np.uint32)
    return smallest


def stack(signatures: Sequence[Signature]) -> npt.NDArray[np.uint32]:
    """Put signatures beside each other (PERMUTATIONS, n): one number of all in a row, so that they compare quickly."""
    rows = np.stack(signatures) if signatures else np.zeros((0, PERMUTATIONS), dtype=np.uint32)
    return np.ascontiguousarray(rows.T)


def alike(known: npt.NDArray[np.uint32], one: Signature) -> npt.NDArray[np.float32]:
    """Estimate the Jaccard similarity of a text with each of those stacked (n,)."""
    equal = (known == one[:, None]).sum(axis=0, dtype=np.uint8)
    shares: npt.NDArray[np.float32] = equal.astype(np.float32) / np.float32(PERMUTATIONS)
    return shares
