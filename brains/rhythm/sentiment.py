"""Sentiment: how likely a message is negative, neutral or positive, by its vector. NumPy alone."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from bot.core.ports import Vector

Label = Literal["negative", "neutral", "positive"]
LABELS: tuple[Label, ...] = ("negative", "neutral", "positive")
"""The columns of what `Sentiment.scores` returns, in this order."""
NEGATIVE, NEUTRAL, POSITIVE = range(3)
SHIPPED = Path(__file__).parent / "shipped" / "sentiment.safetensors"
TENSORS = ("hidden", "shift", "output", "bias")
FORMAT = "1"
"""Raised when the same file would give other probabilities, or is laid out otherwise."""

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sentiment:
    """Small networks side by side on a message's vector: hidden (d, h), shift (h,), output (h, 3), bias (3,).

    Their temperature is within. `encoder` is the fingerprint of the encoder whose vectors they read. Probabilities hold
    where there are as many negative messages as neutral and positive ones, so that `moods` leans to neither side.
    """

    hidden: Array
    shift: Array
    output: Array
    bias: Array
    encoder: str
    made: str = ""

    def serves(self, encoder: str | None) -> bool:
        """Say whether vectors of an encoder can be read."""
        return encoder is not None and encoder == self.encoder

    def scores(self, vectors: Vector) -> Array:
        """Return the probabilities (n, 3) of LABELS for vectors (n, d); a row of zeros is no text, and neutral."""
        found = softmax(np.maximum(vectors @ self.hidden + self.shift, 0) @ self.output + self.bias)
        found[~np.any(vectors, axis=1)] = np.eye(len(LABELS), dtype=np.float32)[NEUTRAL]
        return found

    def moods(self, vectors: Vector) -> Array:
        """Return the mood (n,) of vectors (n, d): p(positive) - p(negative), -1 to 1."""
        found = self.scores(vectors)
        return np.asarray(found[:, POSITIVE] - found[:, NEGATIVE])


def softmax(logits: Array) -> Array:
    """Return the probabilities (n, c) of logits (n, c)."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


def load(path: Path = SHIPPED) -> Sentiment:
    """Read a sentiment head from a safetensors file. Raises ValueError for a file that is not one of this format."""
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        about = json.loads((file.metadata() or {}).get("kinfolk", "{}"))
        if about.get("format") != FORMAT:
            raise ValueError(f"{path} holds no sentiment of format {FORMAT}; make it anew: kinfolk train sentiment.")
        tensors = {name: file.get_tensor(name).astype(np.float32) for name in TENSORS}
    return Sentiment(**tensors, encoder=about["encoder"], made=about["made"])


@functools.lru_cache(maxsize=1)
def shipped() -> Sentiment:
    """Return the sentiment head that comes with Kinfolk, read once."""
    return load()


def save(sentiment: Sentiment, path: Path) -> None:
    """Write a sentiment head to a safetensors file, float16; the same head gives the same bytes."""
    from safetensors.numpy import save_file

    tensors = {name: np.ascontiguousarray(getattr(sentiment, name), dtype=np.float16) for name in TENSORS}
    about = {"format": FORMAT, "encoder": sentiment.encoder, "made": sentiment.made}
    save_file(tensors, path, metadata={"kinfolk": json.dumps(about)})
