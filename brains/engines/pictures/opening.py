"""Opens a picture that anybody may have sent: four formats, few frames, so many pixels, and nothing else in the file.

Colour profiles, comments and what follows the picture are never looked at; of the camera's notes only which side is up.
"""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageFile, ImageOps

from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

PIXELS = 25_000_000
"""Of one frame: a telephone's camera stays below, and decoded it takes 100 MB."""
DECODED = 4 * PIXELS
"""Of all the frames that must be decoded to see the middle one."""
KEPT = 8_000_000
"""Pixels of a frame that is kept once it is decoded; four pieces of what is read have no more."""
FRAMES = 200
"""Frames that are counted; the middle of a longer film is that of its first ones."""
SMALLEST, LONGEST = 8, 20_000
"""Pixels of a side. What is smaller shows nothing, what is longer is made to trouble whoever scales it."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"RIFF")

PNG = BEGINNINGS[0]
CHUNK = 12
"""Bytes of a piece of a PNG beside what it holds: its length, its name and its checksum."""
KEPT_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"eXIf"}
"""The pieces that are the picture, its frames, and which side of it is up."""

NO_PICTURE = "That is no PNG, JPEG, WebP or GIF."
BROKEN = "That picture is broken."
SIZE = "That picture has {width} x {height} pixels, which I do not look at."


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A picture's size, and its first and its middle frame in RGB, upright, before white; large ones smaller."""

    width: int
    height: int
    frames: tuple[Image.Image, ...]


def open_picture(data: bytes) -> Opened:
    """Decode a picture. Raises Mistake for what is none, is broken, or has too many or too few pixels."""
    if not data.startswith(BEGINNINGS):
        raise Mistake(NO_PICTURE)
    # The limits below are stricter; these hold in what Pillow does before it tells the size.
    Image.MAX_IMAGE_PIXELS = PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _open(data)
    except (Mistake, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - a decoder that was given rubbish raises anything
        raise Mistake(BROKEN) from None


def _open(data: bytes) -> Opened:
    with Image.open(io.BytesIO(_bare(data)), formats=FORMATS) as image:
        width, height = image.size
        if not (min(image.size) >= SMALLEST and max(image.size) <= LONGEST and width * height <= PIXELS):
            raise Mistake(SIZE, width=width, height=height)
        frames = tuple(_upright(frame) for frame in _frames(image))
    return Opened(width=width, height=height, frames=frames)


def _bare(data: bytes) -> bytes:
    """Return a PNG without what it may hold beside the picture: Pillow unpacks that, and refuses what is too large."""
    if not data.startswith(PNG):
        return data
    found, at = bytearray(PNG), len(PNG)
    while at < len(data):
        end = at + CHUNK + int.from_bytes(data[at : at + 4])
        if data[at + 4 : at + 8] in KEPT_CHUNKS:
            found += data[at:end]
        at = end
    return bytes(found)


def _frames(image: Image.Image) -> Iterator[Image.Image]:
    """Give the first frame, and the middle one as far as it can be reached: each needs those before it.

    What is wrong with a later frame hides the first one from nobody, so not from us either.
    """
    image.load()
    yield _reduced(image)
    with contextlib.suppress(Exception):
        reachable = min(FRAMES, DECODED // (image.width * image.height))
        if (middle := _count(image, reachable) // 2) > 0:
            image.seek(middle)
            yield _reduced(image)


def _count(image: Image.Image, most: int) -> int:
    told: int = getattr(image, "n_frames", 1) if image.format != "GIF" else _count_gif(image, most)
    return min(told, most)


def _count_gif(image: Image.Image, most: int) -> int:
    """Count frames, so many at most: a GIF does not say, and asking Pillow would walk through a million."""
    number = 0
    try:
        while number < most:
            image.seek(number + 1)
            number += 1
    except EOFError:
        pass
    image.seek(0)
    return number + 1


def _reduced(image: Image.Image) -> Image.Image:
    """Return a copy of what is decoded, with no more pixels than anything after it needs."""
    frame = image.convert("RGBA") if image.mode in {"P", "PA"} else image.copy()
    if (excess := frame.width * frame.height / KEPT) > 1:
        side = max(1, round(max(frame.size) / math.sqrt(excess)))
        frame.thumbnail((side, side), Image.Resampling.BOX)
    return frame


def _upright(frame: Image.Image) -> Image.Image:
    with contextlib.suppress(Exception):  # notes that cannot be read say nothing of which side is up
        frame = ImageOps.exif_transpose(frame)
    if "A" in frame.getbands() or "transparency" in frame.info:
        frame = frame.convert("RGBA")
        ground = Image.new("RGB", frame.size, "white")
        ground.paste(frame, mask=frame.getchannel("A"))
        return ground
    return frame.convert("RGB")
