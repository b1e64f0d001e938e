"""PDF into blocks, by pypdf: the text of its pages, under its own bookmarks where it has some."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from typing import TYPE_CHECKING

from pypdf import PdfReader
from pypdf.errors import DependencyError, PyPdfError
from pypdf.generic import Destination

from bot.core.errors import Mistake
from bot.core.i18n import _
from brains.knowledge.documents.blocks import Block

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_PAGES = 2_000
REPEATED = 0.5
"""A line at the top or the end of more than this part of the pages is no part of the text: a running title."""
FEW = 4
"""Pages below which nothing can be said to repeat."""
_END = re.compile(r"[.!?:;。！？：；…\"”』」)）]\s*$")
_NUMBER = re.compile(r"^\W*(?:page|p\.|seite|第)?\s*\d{1,4}(?:\s*(?:/|of|页)\s*\d{0,4})?\W*$", re.IGNORECASE)
SHORT = 0.7
"""A line shorter than this part of the page's longest one that ends a sentence ends a paragraph."""

LOCKED = _("This PDF is locked by a password. Save it without one.")
SCANNED = _("This PDF holds pictures of pages and no text. Have its text recognised first (OCR).")
LONG = _("This PDF has {pages} pages; I read {most} at most.")


def pdf_blocks(data: bytes) -> Iterator[Block]:
    """Read the paragraphs of a PDF. Raises Mistake for one that is broken, locked, or a scan without text."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = _open(data)
        pages = [_lines(page.extract_text()) for page in reader.pages]
    except PyPdfError as error:
        raise Mistake(_("This PDF is broken: {why}."), why=str(error).rstrip(".") or type(error).__name__) from None
    if not any(pages):
        raise Mistake(SCANNED)
    return _blocks(pages, _bookmarks(reader))


def _open(data: bytes) -> PdfReader:
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted:
        try:
            opened = bool(reader.decrypt(""))
        except DependencyError:
            opened = False
        if not opened:
            raise Mistake(LOCKED)
    if (pages := len(reader.pages)) > MOST_PAGES:
        raise Mistake(LONG, pages=pages, most=MOST_PAGES)
    return reader


def _lines(text: str) -> list[str]:
    return [line for line in (" ".join(line.split()) for line in text.splitlines()) if line]


def _blocks(pages: Sequence[Sequence[str]], bookmarks: dict[int, list[tuple[int, str]]]) -> Iterator[Block]:
    running = _running(pages)
    deepest = max((level for some in bookmarks.values() for level, _title in some), default=0)
    for number, lines in enumerate(pages):
        for level, title in bookmarks.get(number, []):
            yield Block(kind="heading", text=title, level=level)
        kept = [line for line in lines if line not in running and not _NUMBER.match(line)]
        if kept:
            yield Block(kind="heading", text=f"p. {number + 1}", level=deepest + 1)
            yield from (Block(kind="text", text=text) for text in _paragraphs(kept))


def _running(pages: Sequence[Sequence[str]]) -> set[str]:
    if len(pages) < FEW:
        return set()
    ends = Counter(line for lines in pages for line in {*lines[:1], *lines[-1:]})
    return {line for line, count in ends.items() if count > REPEATED * len(pages)}


def _paragraphs(lines: Sequence[str]) -> Iterator[str]:
    """Join lines to paragraphs: one ends with a sentence on a short line."""
    longest = max(map(len, lines))
    begun = ""
    for line in lines:
        begun = _joined(begun, line)
        if _END.search(line) and len(line) < SHORT * longest:
            yield begun
            begun = ""
    if begun:
        yield begun


def _joined(begun: str, line: str) -> str:
    if not begun:
        return line
    if begun.endswith("-") and line[:1].islower():
        return begun[:-1] + line
    wide = begun[-1] > "\u2e7f" and line[:1] > "\u2e7f"
    return begun + ("" if wide else " ") + line


def _bookmarks(reader: PdfReader) -> dict[int, list[tuple[int, str]]]:
    """Return the bookmarks by the number of their page, with their levels; none where they are broken."""
    found: dict[int, list[tuple[int, str]]] = {}
    try:
        _gather(reader, reader.outline, 1, found)
    except (PyPdfError, AttributeError, KeyError, TypeError, ValueError):
        return {}
    return found


def _gather(reader: PdfReader, outline: Sequence[object], level: int, found: dict[int, list[tuple[int, str]]]) -> None:
    for one in outline:
        if isinstance(one, list):
            _gather(reader, one, level + 1, found)
        elif isinstance(one, Destination):
            page = reader.get_destination_page_number(one)
            title = " ".join(str(one.title or "").split())
            if page is not None and title:
                found.setdefault(page, []).append((level, title))
