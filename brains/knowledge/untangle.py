"""Untangles a channel that is one stream: of each message, which earlier one it answers, or that it begins something.

A small network scores a message against those before it; NumPy alone.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brains.knowledge.untangle_features import FEATURES, Array, Said, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SHIPPED = Path(__file__).parent / "shipped" / "untangle.safetensors"
FORMAT = "1"
"""Raised when the same file would give other links, as when features change."""
SILENCE = 4 * 3600.0
"""Seconds without a word in the channel after which a message answers nothing, unless it names somebody."""

__all__ = ["SHIPPED", "Said", "Untangler", "load", "save"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Untangler:
    """The weights (FEATURES, h), (h, k), (k,) and shifts (h,), (k,) of a network with two hidden layers."""

    into: Array
    into_shift: Array
    through: Array
    through_shift: Array
    out: Array
    made: str = ""

    def scores(self, features: Array) -> Array:
        """Return the score (n,) of each row (n, FEATURES); they compare within one message."""
        first = np.maximum(features @ self.into + self.into_shift, 0)
        second = np.maximum(first @ self.through + self.through_shift, 0)
        return np.asarray(second @ self.out, np.float32)

    def answers(self, said: Sequence[Said], names: Mapping[int, str], wanted: Iterable[int]) -> list[int]:
        """Return for each message wanted, by place, the place of the one it answers; its own where it begins something.

        `said` is one channel in order of time, `names` what its authors are called.
        """
        stretch = Stretch(said, names)
        return [self._answered(stretch, said, at) for at in wanted]

    def _answered(self, stretch: Stretch, said: Sequence[Said], at: int) -> int:
        if at == 0 or (said[at].at - said[at - 1].at > SILENCE and not stretch.named[at][0]):
            return at
        return at - int(self.scores(stretch.features(at)).argmax())


def conversations(answered: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return for each place the first of its conversation, from pairs (place, what it answers) in order."""
    first: dict[int, int] = {}
    for at, answers in answered:
        first[at] = at if answers == at else first.get(answers, answers)
    return first


def save(untangler: Untangler, path: Path) -> None:
    """Write the weights as safetensors, in half precision."""
    from safetensors.numpy import save_file

    arrays = {name: getattr(untangler, name).astype(np.float16) for name in ARRAYS}
    meta = {"format": FORMAT, "made": untangler.made, "shape": json.dumps([FEATURES, *untangler.through.shape])}
    save_file(arrays, path, metadata=meta)


ARRAYS = ("into", "into_shift", "through", "through_shift", "out")


@functools.cache
def load(path: Path = SHIPPED) -> Untangler:
    """Read the weights. Raises ValueError where they were made for other features."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        meta = file.metadata() or {}
        arrays = {name: file.get_tensor(name).astype(np.float32) for name in ARRAYS}
    if meta.get("format") != FORMAT or arrays["into"].shape[0] != FEATURES:
        raise ValueError(f"{path} belongs to another version. Make it anew: kinfolk train threads")
    return Untangler(**arrays, made=meta.get("made", ""))
