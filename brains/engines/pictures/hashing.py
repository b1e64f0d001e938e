"""Tells pictures apart: 64 bits that stay nearly the same when a picture is scaled, compressed or framed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops

if TYPE_CHECKING:
    import numpy.typing as npt

    Grey = npt.NDArray[np.float64]

SIDE = 32
KEPT = 8
FLAT = 2.0
"""Standard deviation, in grey levels of 255, below which nothing is drawn by which a picture could be told."""
CELLS = 128
"""The sides of the copy in which a border is looked for."""
INWARDS = (1, 1, -1, -1)
BORDER = 12
"""Grey levels by which a frame of one colour may differ from its corner; JPEG leaves it a little uneven."""


def perceptual_hashes(image: Image.Image) -> tuple[str, ...]:
    """Return the hash of an RGB picture, and of what is inside its border of one colour where it has one.

    Both, since a repost may add such a border or lose one. Empty where there is nothing to tell it by.
    """
    grey = image.convert("L")
    inner = _inside(grey)
    found = (_hash(grey), _hash(grey.crop(inner)) if inner else "")
    return tuple(dict.fromkeys(one for one in found if one))


def _hash(grey: Image.Image) -> str:
    """Return the signs of the 64 lowest frequencies about their median, in 16 hexadecimal digits.

    This is pHash (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010), bit by bit what
    `imagehash.phash` gives.
    """
    pixels: Grey = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS), np.float64)
    if pixels.std() < FLAT:
        return ""
    low = COSINES @ pixels @ COSINES.T
    bits = (low > np.median(low)).ravel()
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def _cosines() -> Grey:
    """Return the first rows of the discrete cosine transform (DCT-II), shape (8, 32)."""
    places = (2 * np.arange(SIDE) + 1) * np.pi / (2 * SIDE)
    rows: Grey = np.cos(np.outer(np.arange(KEPT), places))
    return rows


COSINES = _cosines()


def _inside(grey: Image.Image) -> tuple[int, int, int, int] | None:
    """Return where a picture is drawn inside a border of one colour; None where it has none, or nothing inside.

    It is looked for in a small copy, in which the traces of compression are averaged away.
    """
    small = grey.resize((CELLS, CELLS), Image.Resampling.BOX)
    ground = Image.new("L", small.size, small.getpixel((0, 0)))
    drawn = ImageChops.difference(small, ground).point(lambda level: 255 if level > BORDER else 0)
    box = drawn.getbbox()
    if box is None or box == (0, 0, CELLS, CELLS):
        return None
    # A cell at the edge holds a little of the border too.
    left, top, right, bottom = (at + step for at, step in zip(box, INWARDS, strict=True))
    if left >= right or top >= bottom:
        return None
    across, down = grey.width / CELLS, grey.height / CELLS
    return round(left * across), round(top * down), round(right * across), round(bottom * down)
