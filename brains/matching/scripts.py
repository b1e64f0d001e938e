"""In which script somebody writes: as near to a language as can be told of a line of chat without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.matching.corpus import Floats

_BLOCKS = (
    (0x41, 0x24F, "latin"),
    (0x370, 0x3FF, "greek"),
    (0x400, 0x52F, "cyrillic"),
    (0x590, 0x5FF, "hebrew"),
    (0x600, 0x77F, "arabic"),
    (0x900, 0x97F, "devanagari"),
    (0xE00, 0xE7F, "thai"),
    (0x3040, 0x30FF, "kana"),
    (0x3400, 0x9FFF, "han"),
    (0xAC00, 0xD7AF, "hangul"),
)
SCRIPTS = tuple(name for _first, _last, name in _BLOCKS)
_DENSE = np.array([3.0 if name in {"kana", "han", "hangul"} else 1.0 for name in SCRIPTS])
"""A character of these says about as much as three letters, so that a link does not outweigh a sentence."""

_STARTS = np.array([first for first, _last, _name in _BLOCKS])
_ENDS = np.array([last for _first, last, _name in _BLOCKS])


AT_ONCE = 2_000
"""Texts whose characters are laid out together: each takes some thirty bytes meanwhile."""


def shares(texts: Sequence[str]) -> Floats:
    """Return the share of each script (n, s) in each text; a row of zeros where no letter is."""
    parts = [_shares(texts[at : at + AT_ONCE]) for at in range(0, len(texts), AT_ONCE)]
    return np.concatenate([np.zeros((0, len(SCRIPTS)), dtype=np.float32), *parts])


def _shares(texts: Sequence[str]) -> Floats:
    points = np.frombuffer("".join(texts).encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.int64)
    whose = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    block = np.searchsorted(_STARTS, points, side="right") - 1
    letters = (block >= 0) & (points <= _ENDS[block])
    places = whose[letters] * len(SCRIPTS) + block[letters]
    counts = np.bincount(places, minlength=len(texts) * len(SCRIPTS)).reshape(len(texts), len(SCRIPTS)) * _DENSE
    total = counts.sum(axis=1, keepdims=True)
    return np.asarray(counts / np.where(total > 0, total, 1.0), dtype=np.float32)
