"""Plain text into blocks: paragraphs between empty lines; and bytes into text."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from bot.core.errors import Mistake
from bot.core.i18n import _
from brains.knowledge.documents.blocks import Block

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTED = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)、])\s", re.MULTILINE)
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{2,40})", re.IGNORECASE)
_MARKED = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

OLD_CHINESE = "gb18030"
"""Tried last, since it makes something of almost any bytes."""
COMMON = 0.9
"""Part of its characters that must be of the simplified ones in common use (GB 2312) in what is Chinese; a guess."""


def plain_blocks(text: str) -> Iterator[Block]:
    """Read the paragraphs of a text; one with several listed lines stays as it is."""
    for paragraph in re.split(r"\n[ \t]*\n", text):
        if not paragraph.strip():
            continue
        if len(_LISTED.findall(paragraph)) > 1:
            yield Block(kind="whole", text=paragraph.strip("\n"))
        else:
            yield Block(kind="text", text=" ".join(paragraph.split()))


def decoded(data: bytes) -> str:
    """Return a file's text, by its mark, by what a page says of itself, as UTF-8, or as Chinese was before that.

    Raises Mistake for what is no text.
    """
    for encoding in _encodings(data):
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if "\0" not in text and (encoding != OLD_CHINESE or _is_chinese(text)):
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise Mistake(_("This is no text that I can read. Save it as UTF-8."))


def _is_chinese(text: str) -> bool:
    """Say whether what was read as old Chinese is: letters of other old encodings come out as rare characters."""
    written = [one for one in text if not one.isascii()]
    common = "".join(written).encode("gb2312", errors="ignore").decode("gb2312")
    return len(common) >= COMMON * len(written)


def _encodings(data: bytes) -> Iterator[str]:
    yield from (encoding for mark, encoding in _MARKED if data.startswith(mark))
    if said := _CHARSET.search(data[:4096]):
        yield said[1].decode()
    yield "utf-8"
    yield OLD_CHINESE
