"""Takes lines out of a digest that was sent, by the messages that they link to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.core.things import Ref

ITEM = "- "
_LINK = re.compile(r"\(kinfolk:message:([^\s()]*)\)")


def without(text: str, lost: Collection[Ref]) -> str | None:
    """Return a digest without what links to any of these messages; None where no line of it is left.

    A conversation goes as a whole, and so do the names of newcomers; of a list its line goes, and its heading with the
    last one. The first paragraph says what it is a digest of, and stays. None also where one of them is linked nowhere:
    nobody knows what rests on it.
    """
    names = {quote(str(one), safe="/:@&") for one in lost}
    if names - set(_LINK.findall(text)):
        return None
    head, *paragraphs = text.split("\n\n")
    kept = [some for one in paragraphs if (some := _left(one, names))]
    told = [one for one in kept if "\n" in one and _LINK.search(one)]  # newcomers and the footer are one line each
    return "\n\n".join([head, *kept]) if told else None


def linked(text: str) -> set[str]:
    """Return the references of the messages that a digest links to."""
    return {unquote(name) for name in _names(text)}


def _left(paragraph: str, names: set[str]) -> str:
    """Return what is left of a paragraph, empty for nothing."""
    lines = paragraph.split("\n")
    items = [one for one in lines if one.startswith(ITEM)]
    if not items:
        return "" if _names(paragraph) & names else paragraph
    kept = [one for one in lines if not (one.startswith(ITEM) and _names(one) & names)]
    return "\n".join(kept) if any(one.startswith(ITEM) for one in kept) else ""


def _names(text: str) -> set[str]:
    return set(_LINK.findall(text))
