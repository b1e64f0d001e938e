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
        if "\0" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise Mistake(_("This is no text that I can read. Save it as UTF-8."))


def _encodings(data: bytes) -> Iterator[str]:
    yield from (encoding for mark, encoding in _MARKED if data.startswith(mark))
    if said := _CHARSET.search(data[:4096]):
        yield said[1].decode()
    yield "utf-8"
    yield "gb18030"
