"""How quickly pictures are told apart and read through the worker, how much of their text is read, and how surely."""

from __future__ import annotations

import asyncio
import io
import itertools
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from bot.bench import Figures
from bot.bench.importing import scratch_settings
from brains.engines import open_pictures
from brains.engines.pictures.hashing import perceptual_hashes
from brains.engines.pictures.opening import open_picture
from brains.moderation.pictures import SAME, distance, text_of
from brains.moderation.undisguise import undisguise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bot.core.ports import Pictures
    from bot.core.settings import Settings

SIZES = (9, 12, 16, 24, 36)
"""Pixels of a letter's height, as in screenshots of a desk's screen and of a telephone's."""
SCREEN = (1280, 720)
ROUNDS = 3
SCENES = 200
WORDS = {
    "english": (
        "Free nitro for three months",
        "Scan the code and log in now",
        "Withdraw 2500 USDT today only",
        "Contact @admin_support on Telegram",
        "Your account will be closed",
    ),
    "chinese": (
        "加微信领取红包每天五百元",
        "兼职刷单日结工资点击链接",
        "内部消息稳赚不赔先到先得",
        "扫码进群免费领取会员",
        "客服电话全天在线",
    ),
}
CJK = "NotoSansCJK-Regular.ttc"
"""Pillow brings no Chinese letters; without this font on the machine, only English is measured."""


async def bench_pictures(settings: Settings) -> Figures:
    """Look at screens of text that are drawn here, at several sizes, and at reposts of drawn scenes."""
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        async with open_pictures(scratch_settings(settings, Path(folder)), idle=5.0) as pictures:
            began = time.perf_counter()
            await pictures.look(_file(_screen(WORDS["english"], 16, "english")))
            figures = {"first_s": time.perf_counter() - began}
            for language in WORDS:
                if language == "english" or _font(16, language) is not None:
                    figures |= await _read(pictures, language)
    figures |= await asyncio.to_thread(_hashing)
    figures |= await asyncio.to_thread(_reposts)
    return Figures(figures=figures, ratios={})


async def _read(pictures: Pictures, language: str) -> dict[str, float]:
    """Read a screen of each size; recall counts characters in their order, as they are and undisguised."""
    seconds, plain, undone = [], [], []
    told = "\n".join(WORDS[language])
    figures: dict[str, float] = {}
    for size in SIZES:
        data = _file(_screen(WORDS[language], size, language))
        for _ in range(ROUNDS):
            began = time.perf_counter()
            seen = await pictures.look(data)
            seconds.append(time.perf_counter() - began)
        plain.append(_recall(told, text_of([seen])))
        undone.append(_recall(undisguise(told).plain, undisguise(text_of([seen])).plain))
        figures[f"{language}_{size}px_recall"] = plain[-1]
    figures[f"{language}_read_ms"] = 1000 * statistics.median(seconds)
    figures[f"{language}_recall"] = statistics.mean(plain)
    figures[f"{language}_recall_undisguised"] = statistics.mean(undone)
    return figures


def _hashing() -> dict[str, float]:
    """Time what is done to every picture, also where nobody reads: opening it, and its hashes."""
    data, seconds = _file(_scene(0, SCREEN)), []
    for _ in range(10):
        began = time.perf_counter()
        perceptual_hashes(open_picture(data).frames[0])
        seconds.append(time.perf_counter() - began)
    return {"hash_ms": 1000 * statistics.median(seconds)}


def _reposts() -> dict[str, float]:
    """Count the reposts that are recognised, and the pairs of different pictures that are taken for one."""
    scenes = [_scene(number, (640, 400)) for number in range(SCENES)]
    hashes = [perceptual_hashes(one) for one in scenes]
    changes: dict[str, Callable[[Image.Image], Image.Image]] = {
        "half": lambda one: one.resize((320, 200)),
        "jpeg30": lambda one: Image.open(io.BytesIO(_file(one, "JPEG", 30))).convert("RGB"),
        "framed": _framed,
        "cropped_2_percent": lambda one: one.crop((6, 4, 634, 396)),
    }
    figures = {
        f"same_{name}": statistics.mean(
            _apart(known, perceptual_hashes(change(one))) <= SAME for known, one in zip(hashes, scenes, strict=True)
        )
        for name, change in changes.items()
    }
    pairs = [_apart(one, other) for one, other in itertools.combinations(hashes, 2)]
    return figures | {"taken_for_another": sum(one <= SAME for one in pairs), "nearest_other_bits": min(pairs)}


def _apart(one: Sequence[str], other: Sequence[str]) -> int:
    return min(distance(a, b) for a in one for b in other)


def _framed(image: Image.Image) -> Image.Image:
    made = Image.new("RGB", (image.width + 40, image.height + 40), "black")
    made.paste(image, (20, 20))
    return made


def _scene(seed: int, size: tuple[int, int]) -> Image.Image:
    chance, (width, height) = random.Random(seed), size

    def colour() -> tuple[int, int, int]:
        return chance.randrange(256), chance.randrange(256), chance.randrange(256)

    image = Image.new("RGB", size, colour())
    draw = ImageDraw.Draw(image)
    for _ in range(chance.randrange(4, 12)):
        left, top = chance.randrange(width), chance.randrange(height)
        box = (left, top, left + chance.randrange(20, width // 2), top + chance.randrange(20, height // 2))
        (draw.rectangle if chance.random() < 0.5 else draw.ellipse)(box, fill=colour())  # noqa: PLR2004 - a coin
    return image


def _screen(lines: Sequence[str], size: int, language: str) -> Image.Image:
    """Write lines on a dark screen, as chat clients show them."""
    image, font = Image.new("RGB", SCREEN, "#313338"), _font(size, language)
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((40, 40 + 2 * size * number), line, "#dbdee1", font)
    return image


def _font(size: int, language: str) -> ImageFont.ImageFont | ImageFont.FreeTypeFont | None:
    if language == "english":
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(CJK, size, index=2)
    except OSError:
        return None


def _file(image: Image.Image, kind: str = "PNG", quality: int = 90) -> bytes:
    made = io.BytesIO()
    image.save(made, kind, quality=quality)
    return made.getvalue()


def _recall(told: str, read: str) -> float:
    """Return the share of characters that were read, in their order; spaces count, ends of lines do not."""
    told, read = told.replace("\n", ""), read.replace("\n", "")
    return _common(told, read) / len(told)


def _common(one: str, other: str) -> int:
    """Return the length of the longest common subsequence of two texts."""
    row = [0] * (len(other) + 1)
    for letter in one:
        row = list(_next_row(row, letter, other))
    return row[-1]


def _next_row(row: Sequence[int], letter: str, other: str) -> Iterator[int]:
    best = 0
    yield best
    for above, (place, met) in zip(row[1:], enumerate(other), strict=True):
        best = row[place] + 1 if letter == met else max(best, above)
        yield best
