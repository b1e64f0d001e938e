"""The same picture is recognised however it was scaled, compressed or framed, and another one is not."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable

import pytest
from PIL import Image

from brains.engines.pictures.hashing import perceptual_hashes
from brains.moderation.pictures import SAME, distance
from tests.drawing import page, saved, scene

SCENES = [scene(seed) for seed in range(20)]
PAGES = [page(*(f"{word} {seed * 7919 % 9973} {word[::-1]}" for word in words), width=320) for seed, words in enumerate(
    itertools.permutations(["withdraw today", "free gift", "admin support", "log in"], 3)
)][:20]  # fmt: skip


def compressed(image: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(saved(image, "JPEG", quality=quality))).convert("RGB")


def framed(image: Image.Image, colour: str) -> Image.Image:
    made = Image.new("RGB", (image.width + 20, image.height + 20), colour)
    made.paste(image, (10, 10))
    return made


def cropped(image: Image.Image) -> Image.Image:
    return image.crop((3, 2, image.width - 3, image.height - 2))


def apart(one: Image.Image, other: Image.Image) -> int:
    return min(distance(a, b) for a in perceptual_hashes(one) for b in perceptual_hashes(other))


@pytest.mark.parametrize(
    ("change", "least"),
    [
        (lambda one: one.resize((one.width // 2, one.height // 2)), 1.0),
        (lambda one: one.resize((one.width * 2, one.height * 2)), 1.0),
        (lambda one: compressed(one, 30), 1.0),
        (lambda one: compressed(one.resize((one.width // 2, one.height // 2)), 60), 0.95),
        (lambda one: framed(one, "black"), 0.9),
        (cropped, 0.8),
    ],
    ids=["half", "double", "jpeg", "half and jpeg", "framed", "cropped"],
)
def test_a_repost_is_the_same_picture(change: Callable[[Image.Image], Image.Image], least: float) -> None:
    for pictures in (SCENES, PAGES):
        found = sum(apart(one, change(one)) <= SAME for one in pictures) / len(pictures)
        assert found >= least


def test_different_pictures_are_different() -> None:
    hashes = [perceptual_hashes(one) for one in (*SCENES, *PAGES[:6])]
    pairs = itertools.combinations(hashes, 2)
    assert min(distance(a, b) for one, other in pairs for a in one for b in other) > SAME


def test_there_is_nothing_to_tell_one_colour_by() -> None:
    assert perceptual_hashes(Image.new("RGB", (200, 100), "navy")) == ()


def test_the_hash_is_that_of_others_so_that_lists_can_be_shared() -> None:
    of_imagehash = ["b6cac93ab95626c4", "c2396dc6133d9ec2", "ac5a1be18c3bd469"]  # imagehash.phash, 4.3.2
    assert [perceptual_hashes(one)[0] for one in SCENES[:3]] == of_imagehash
