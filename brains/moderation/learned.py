"""What a community's verdicts taught its heads: a correction of what the shipped ones say, kept as safetensors."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save
from scipy.special import expit, logit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.core.ports import Vector

Floats = npt.NDArray[np.float64]

FORMAT = "kinfolk learned heads"
VERSION = "1"
EDGE = 1e-6
"""Probabilities are kept so far from 0 and 1 when they become logits."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Correction:
    """A head's correction: the logit becomes slope * logit + weights (d,) . vector + bias."""

    slope: float
    bias: float
    weights: Floats

    def logits(self, shipped: Floats, vectors: Vector) -> Floats:
        """Correct shipped logits (n,) of messages with these vectors (n, d)."""
        corrected: Floats = self.slope * shipped + vectors.astype(np.float64) @ self.weights + self.bias
        return corrected


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The corrections of one community by head; `made_by` names the encoder and the shipped heads that they are of."""

    made_by: str = ""
    corrections: Mapping[str, Correction] = field(default_factory=dict)

    def adjust(self, head: str, probability: float, vector: Vector | None) -> float:
        """Return the probability that a head's verdict is right here; the shipped one where nothing was learned."""
        correction = self.corrections.get(head)
        if correction is None or vector is None or len(vector) != len(correction.weights):
            return probability
        shipped = logits(np.array([probability]))
        return float(expit(correction.logits(shipped, vector[None, :]))[0])


def logits(probabilities: npt.NDArray[np.floating]) -> Floats:
    """Return the logits of probabilities (n,), bounded."""
    found: Floats = logit(np.clip(probabilities.astype(np.float64), EDGE, 1 - EDGE))
    return found


def to_bytes(learned: Learned) -> bytes:
    """Write corrections down; the same corrections give the same bytes."""
    arrays = {
        head: np.concatenate([[one.slope, one.bias], one.weights]) for head, one in sorted(learned.corrections.items())
    }
    about = {"format": FORMAT, "version": VERSION, "made_by": learned.made_by}
    return save(arrays, metadata={"about": json.dumps(about)})  # of several entries, the order would be anyone's guess


def from_bytes(data: bytes) -> Learned:
    """Read corrections back. Raises ValueError for anything but this version of this format: learn them again then."""
    size = int.from_bytes(data[:8], "little")
    try:
        about: dict[str, str] = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["about"])
    except (ValueError, KeyError, TypeError) as trouble:
        raise ValueError("these are no learned heads") from trouble
    if (about.get("format"), about.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"learned heads of version {about.get('version')}, not {VERSION}: learn them again")
    rows = load(data)
    corrections = {
        head: Correction(slope=float(row[0]), bias=float(row[1]), weights=row[2:]) for head, row in rows.items()
    }
    return Learned(made_by=about["made_by"], corrections=corrections)
