"""Pictures that tests draw: scenes of shapes, words, and the bytes of them in each format."""

from __future__ import annotations

import base64
import io
import random

from PIL import Image, ImageDraw, ImageFont

CHINESE = "加微信领取红包每天五百元"
CHINESE_PNG = base64.b64decode(
    """
    iVBORw0KGgoAAAANSUhEUgAAAWgAAAA8AQAAAABj9h0tAAACiklEQVR42u2VMWsUQRTHf29v9bY4cysIJhC8DaRIZwIWCsotai3p
    FCvBLxC7gJqbaBG7WNgb/ATWFmaPFEkhJB9AZE+Eu0aYeJHsXfb2WezmctFY2MpNNfPmt2//7/9mGFH+YTiM6TH9X9PfQJ8P6Pdg
    Iw8GMGC4+iN3BiQuIGXxIfidEpF8otpWTT991m7a0BrnqWp2k2qiqjVVg6iqAinU1QEGMkDAMdhe7+2MEIIALfGBnkio2zqipE9K
    1xF9kOsqde2huAo02lkhpqQa4aBTfmLzyMozoJJiwELWUAuUE43wRqt0Q/VaqmZiLYBB2oG22tQUJY56Iu2Iy9dCgIGHbYHE4EFP
    xPzFwaOdCPp3ahHQ34EIfpxQrQVvtJebMay69nFGDb4b9ImDfys7uzspmW/g0nwKjsFHAqgcGYgBKGu8L+IXdNL0N4NG6vkA/VoA
    Wwmcj5AbomU541SFHLdcw8KMeEREtb1rC/qgnopZdXsutHg/lLuBbql0k1O5o9MnyC2MbjVvvxqJxwXtM9mqb9BIyxZqxIkHg6J7
    HwGhJ8Fx7s7J9wcAXn4O7JWn2TKTwz3vpMryC5Bibi4mUMryG9EAC2WNT3sSQv6bPSYAmMU16Kw56152oJ4McGgx3C9F4ICbr/aw
    OLAH8CUCWLx/1cwneSWHsEIWjhiWDHO/AXACTFWnNTdgZfXu64PVvWPW5EoMHp2ZR4DEP5s2u/dVLng+GcA+ywA9CTTI6cAAHyxN
    j6XOIukauYUvNbXveLg/VfaBLEw6oNn16SRd395uI7pb29aFtKGqFlQjrapdgmpb21bjqjoQBudYnJujnlALAhzHABUEhHkq66oW
    KIGPjF/uMT2mi/ELFfQTnukCbqgAAAAASUVORK5CYII=
    """
)
"""Those words in Noto Sans CJK, since Pillow brings no Chinese letters."""


def scene(seed: int, size: tuple[int, int] = (320, 200)) -> Image.Image:
    """Draw rectangles and ellipses by chance, the same for the same seed."""
    chance, (width, height) = random.Random(seed), size
    image = Image.new("RGB", size, _colour(chance))
    draw = ImageDraw.Draw(image)
    for _ in range(chance.randrange(4, 12)):
        left, top = chance.randrange(width), chance.randrange(height)
        box = (left, top, left + chance.randrange(20, width // 2), top + chance.randrange(20, height // 2))
        (draw.rectangle if chance.random() < 0.5 else draw.ellipse)(box, fill=_colour(chance))
    return image


def _colour(chance: random.Random) -> tuple[int, int, int]:
    return chance.randrange(256), chance.randrange(256), chance.randrange(256)


def page(*lines: str, size: int = 24, width: int = 640) -> Image.Image:
    """Write lines in black on white."""
    image = Image.new("RGB", (width, 20 + 2 * size * len(lines)), "white")
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((20, 20 + 2 * size * number), line, "black", ImageFont.load_default(size))
    return image


def saved(image: Image.Image, kind: str = "PNG", **more: object) -> bytes:
    """Return a picture as a file."""
    made = io.BytesIO()
    image.save(made, kind, **more)
    return made.getvalue()
