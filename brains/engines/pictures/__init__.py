"""Pictures: opened, told apart and read in a process of their own, which a hostile file may break and nothing else."""

from __future__ import annotations

import importlib.util

MOST_BYTES = 8 << 20
"""Bytes of a picture; platforms let members send larger ones, which nobody looks at."""


def reads() -> bool:
    """Say whether text is read in pictures here; without the library they are told apart and no more."""
    return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "onnxruntime"))
