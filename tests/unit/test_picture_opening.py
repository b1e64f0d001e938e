"""Hostile files: whatever they are, they are refused in little time and memory; honest ones are opened."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zipfile
import zlib

import pytest
from PIL import Image

from bot.core.errors import Mistake
from brains.engines.pictures import opening
from brains.engines.pictures.opening import open_picture
from tests.drawing import saved, scene

SCENE = scene(1)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *, rows: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG that claims a size, whatever is in it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def film(frames: int, size: tuple[int, int] = (64, 64), kind: str = "GIF") -> bytes:
    """A film whose frames are grey, each lighter than the one before."""
    shown = [Image.new("L", size, min(number, 255)).convert("RGB") for number in range(frames)]
    return saved(shown[0], kind, save_all=True, append_images=shown[1:], duration=20, lossless=True)


def minimal_gif(frames: int) -> bytes:
    """A GIF of many frames of one point, 19 bytes each."""
    frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    return b"GIF89a\x10\0\x10\0\xf0\0\0\0\0\0\xff\xff\xff" + frame * frames + b";"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_each_format_is_opened(kind: str) -> None:
    opened = open_picture(saved(SCENE, kind))
    assert (opened.width, opened.height) == SCENE.size
    (frame,) = opened.frames
    assert (frame.mode, frame.size) == ("RGB", SCENE.size)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "PPM", "PCX", "TGA", "PDF", "EPS"])
def test_other_formats_are_refused_whatever_they_are_called(kind: str) -> None:
    with pytest.raises(Mistake, match="no PNG"):
        open_picture(saved(SCENE, kind))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG",
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        b"%PDF-1.7\n",
        b"PK\x03\x04",
        b"#!/bin/sh\n",
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Mistake, match="no PNG"):
        open_picture(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("part", [0.3, 0.8])
def test_a_picture_that_breaks_off_is_refused(kind: str, part: float) -> None:
    data = saved(SCENE, kind)
    with pytest.raises(Mistake, match="broken"):
        open_picture(data[: int(len(data) * part)])


@pytest.mark.parametrize(
    "size", [(60_000, 60_000), (5001, 5000), (1, 100_000), (100_000, 1), (4, 4), (20_001, 8), (2**31 - 1, 2**31 - 1)]
)
def test_a_size_that_is_made_to_trouble_is_refused_before_anything_is_decoded(size: tuple[int, int]) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Mistake):
            open_picture(png(*size, rows=bytes(20_000_000)))
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


def test_a_bomb_inside_the_limit_is_a_picture_like_others() -> None:
    opened = open_picture(png(2000, 2000, rows=(b"\0" + bytes(2000)) * 2000))
    assert opened.frames[0].size == (2000, 2000)


@pytest.mark.parametrize("name", [b"zTXt", b"iCCP"])
def test_what_a_picture_holds_beside_it_is_not_unpacked_and_hides_it_not(name: bytes) -> None:
    given = png(64, 64, rows=(b"\0" + bytes(64)) * 64, extra=chunk(name, b"note\0\0" + zlib.compress(bytes(9_000_000))))
    tracemalloc.start()
    try:
        assert open_picture(given).frames[0].size == (64, 64)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_a_later_frame_that_is_broken_hides_not_the_first() -> None:
    data = bytearray(film(2))
    at = data.rfind(b"\x2c")
    data[at + 5 : at + 9] = b"\xff" * 4
    assert [frame.size for frame in open_picture(bytes(data)).frames] == [(64, 64)]


def test_colour_profiles_and_notes_full_of_rubbish_are_not_looked_at() -> None:
    plain = open_picture(saved(SCENE, "JPEG"))
    odd = open_picture(
        saved(SCENE, "JPEG", icc_profile=b"\xff" * 5000, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\xff\xff")
    )
    assert odd.frames[0].tobytes() == plain.frames[0].tobytes()


def test_a_picture_that_is_stored_upside_down_is_seen_upright() -> None:
    notes = Image.Exif()
    notes[0x0112] = 3
    turned = open_picture(saved(SCENE.rotate(180), exif=notes))
    assert turned.frames[0].tobytes() == SCENE.tobytes()


def test_an_archive_behind_a_picture_is_nothing_to_us() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("evil.html", "<script>")
    both = open_picture(saved(SCENE) + archive.getvalue())
    assert both.frames[0].tobytes() == SCENE.tobytes()


def test_what_is_transparent_is_seen_before_white() -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    assert open_picture(saved(clear)).frames[0].getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_a_film_the_first_and_the_middle_frame_are_seen(kind: str) -> None:
    first, middle = open_picture(film(41, kind=kind)).frames
    assert first.getpixel((0, 0)) == (0, 0, 0)
    assert abs(middle.getpixel((0, 0))[0] - 20) <= 1


def test_the_frames_of_a_film_without_end_are_not_all_walked_through() -> None:
    started = time.process_time()
    first, middle = open_picture(minimal_gif(200_000)).frames
    assert time.process_time() - started < 1.0
    assert first.size == middle.size == (16, 16)


def test_a_film_of_large_frames_is_decoded_no_further_than_a_large_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "DECODED", 64 * 64 * 4)
    _first, middle = open_picture(film(41)).frames
    assert middle.getpixel((0, 0)) == (2, 2, 2)
