"""Measuring speed: one module per `kinfolk bench KIND`, each giving `Figures`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one run measured: `figures` by name, and `ratios` of ours to each peer's."""

    figures: dict[str, float]
    ratios: dict[str, float]

    def to_json(self) -> dict[str, dict[str, float]]:
        """Give the document that `kinfolk bench KIND --json` prints."""
        return {"figures": self.figures, "ratios": self.ratios}
