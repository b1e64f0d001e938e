"""Draws the picture that goes with a community's digest: how much was said, by how many, where and on which days.

It holds no words of members. What a message of the bot says is mended when what it rests on goes; a picture cannot be.
"""

from __future__ import annotations

import functools
import io
import unicodedata
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.ImageFont import FreeTypeFont

WIDTH = 1080
"""Pixels. A phone shows some 400 of it, so that the smallest letters (30) are read at 11."""
MARGIN, GAP = 64, 36
PAPER, INK, FAINT, MARK, TRACK = "#f7f5f0", "#23262b", "#5d636b", "#2f6fb3", "#dfe3e8"
"""Its own opaque paper, so that it reads the same on a light and on a dark page; faint ink on it has contrast 5.6."""
TITLE, BIG, TEXT, SMALL = 54, 68, 38, 30
ROWS = 5
BARS = 170
"""Height of the tallest bar."""
FONT, SIMPLIFIED = "NotoSansCJK-Regular.ttc", 2
"""The file and its face with the forms of mainland China; Latin letters are the same in all of them."""
UNDRAWN = frozenset({"So", "Cs", "Co", "Cn", "Cc", "Cf", "Mn"})
"""Kinds of characters that are left out: emoji above all, which the font has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A channel: what it is called, how much was said there, and the same in words."""

    name: str
    count: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is drawn, in words that are translated already. `numbers` are values with what they count.

    `days` are what the bars are called, and how many messages each stands for.
    """

    title: str
    span: str
    numbers: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    days: tuple[tuple[str, int], ...]
    above_days: str


def draw(card: Card) -> bytes:
    """Draw a card as PNG, `WIDTH` pixels wide. Reads the font from the disk, so a thread of its own is right for it."""
    rows, days = card.rows[:ROWS], card.days
    height = MARGIN + 150 + 170 + len(rows) * 92 + (BARS + 170 if len(days) > 1 else 0) + MARGIN // 2
    image = Image.new("RGB", (WIDTH, height), PAPER)
    pen = ImageDraw.Draw(image)
    top = _head(pen, card)
    top = _numbers(pen, card.numbers, top)
    top = _rows(pen, rows, top)
    if len(days) > 1:
        _bars(pen, card.above_days, days, top)
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=True)
    return out.getvalue()


def _head(pen: ImageDraw.ImageDraw, card: Card) -> int:
    room = WIDTH - 2 * MARGIN
    pen.text((MARGIN, MARGIN), _fit(pen, card.title, TITLE, room), INK, _font(TITLE), stroke_width=1, stroke_fill=INK)
    pen.text((MARGIN, MARGIN + TITLE + 22), _fit(pen, card.span, SMALL + 4, room), FAINT, _font(SMALL + 4))
    return MARGIN + 150


def _numbers(pen: ImageDraw.ImageDraw, numbers: Sequence[tuple[str, str]], top: int) -> int:
    """Write the figures side by side, each over what it counts."""
    width = (WIDTH - 2 * MARGIN) // max(1, len(numbers))
    for place, (value, label) in enumerate(numbers):
        left = MARGIN + place * width
        pen.text((left, top), _fit(pen, value, BIG, width - 20), MARK, _font(BIG), stroke_width=1, stroke_fill=MARK)
        pen.text((left, top + BIG + 22), _fit(pen, label, SMALL, width - 20), FAINT, _font(SMALL))
    return top + 170


def _rows(pen: ImageDraw.ImageDraw, rows: Sequence[Row], top: int) -> int:
    """Write each channel with a line as long as what was said there, beside that of the liveliest."""
    most = max((row.count for row in rows), default=1) or 1
    room = WIDTH - 2 * MARGIN
    for place, row in enumerate(rows):
        y = top + place * 92
        told = _fit(pen, row.words, SMALL, room // 2)
        right = pen.textlength(told, _font(SMALL))
        pen.text((MARGIN, y), _fit(pen, row.name, TEXT, int(room - right - GAP)), INK, _font(TEXT))
        pen.text((WIDTH - MARGIN - right, y + TEXT - SMALL), told, FAINT, _font(SMALL))
        _bar(pen, (MARGIN, y + 60, room, 10), TRACK)
        _bar(pen, (MARGIN, y + 60, max(10, room * row.count // most), 10), MARK)
    return top + len(rows) * 92


def _bars(pen: ImageDraw.ImageDraw, above: str, days: Sequence[tuple[str, int]], top: int) -> None:
    """Draw a bar a day, with its number on it and its name under it, where there is room for that."""
    pen.text((MARGIN, top + 8), _fit(pen, above, SMALL, WIDTH - 2 * MARGIN), FAINT, _font(SMALL))
    most = max(count for _label, count in days) or 1
    ground = top + 100 + BARS
    step = (WIDTH - 2 * MARGIN) / len(days)
    for place, (label, count) in enumerate(days):
        left, wide = MARGIN + place * step, max(3.0, step * 0.62)
        tall = max(4, BARS * count // most)
        _bar(pen, (left + (step - wide) / 2, ground - tall, wide, tall), MARK if count else TRACK)
        middle = left + step / 2
        if step >= SMALL * 2:
            pen.text((middle, ground - tall - 8), str(count), INK, _font(SMALL), anchor="mb")
        if step >= SMALL * 2 or place % (len(days) // 6 + 1) == 0:
            pen.text((middle, ground + 12), label, FAINT, _font(SMALL), anchor="mt")


def _bar(pen: ImageDraw.ImageDraw, box: tuple[float, float, float, float], colour: str) -> None:
    """Draw a bar with round corners; the box is left, top, width and height."""
    left, top, wide, tall = box
    pen.rounded_rectangle((left, top, left + wide, top + tall), radius=min(8, wide / 2, tall / 2), fill=colour)


def _fit(pen: ImageDraw.ImageDraw, text: str, size: int, room: int) -> str:
    """Return a text without what the font cannot show, cut where it gets too long for its place."""
    line = " ".join("".join(one for one in text if unicodedata.category(one) not in UNDRAWN).split())
    if pen.textlength(line, _font(size)) <= room:
        return line
    while line and pen.textlength(f"{line}…", _font(size)) > room:
        line = line[:-1]
    return f"{line.rstrip()}…"


@functools.cache
def _font(size: int) -> FreeTypeFont:
    """Open the font at a size in pixels; it is part of a package, since a server may have none."""
    return ImageFont.truetype(io.BytesIO(_bytes()), size, index=SIMPLIFIED)


@functools.cache
def _bytes() -> bytes:
    return files("noto_cjk_sans_otc").joinpath(FONT).read_bytes()
