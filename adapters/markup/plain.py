"""No markup at all: what a text says, for a terminal, a title, a notification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.markup.dialect import Dialect
from adapters.markup.lines import Style

if TYPE_CHECKING:
    from bot.core.things import Ref

DEEPEST = 4
"""Lists are indented no further."""


def _as_it_is(words: str) -> str:
    return words


def _no_reference(_kind: str, _ref: Ref) -> None:
    return None


def link(label: str, address: str) -> str:
    """Write the address beside the words, where they are not the same."""
    return label if label == address else f"{label} ({address})"


def item(written: str, mark: str, depth: int) -> str:
    """Write a line of a list, as everybody writes them."""
    indent = "  " * (min(depth, DEEPEST) - bool(mark))
    return f"{indent}{mark} {written}" if mark else f"{indent}{written}"


def quote(written: str) -> str:
    """Put a mark before each line."""
    return "\n".join(f"> {line}" for line in written.split("\n"))


PLAIN = Dialect(
    text=_as_it_is,
    begin=_as_it_is,
    styles=dict.fromkeys(Style, ("", "")),
    code=_as_it_is,
    fence=lambda body, _language: body,
    link=link,
    reference=_no_reference,
    heading=lambda written, _level: written,
    item=item,
    quote=quote,
)
