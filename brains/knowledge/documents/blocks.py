"""What files are made of, whatever their format: headings, paragraphs, and what is read as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of a file in plain text.

    A heading has a `level`, 1 for the highest. A list, a table or code is `whole`: line by line, and kept together.
    """

    kind: Literal["heading", "text", "whole"]
    text: str
    level: int = 0


def row(cells: Sequence[str], headers: Sequence[str]) -> str:
    """Write a row of a table as a line that can be read without the others: each cell after what heads its column."""
    named = [(headers[number] if number < len(headers) else "", cell) for number, cell in enumerate(cells)]
    return "; ".join(f"{header}: {cell}" if header and header != cell else cell for header, cell in named if cell)


def linked(words: str, address: str) -> str:
    """Write a link as its words, with its address where they do not tell that."""
    if not address.startswith(("http://", "https://")) or address.rstrip("/") in words:
        return words
    return f"{words} ({address})" if words else address
