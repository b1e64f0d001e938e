"""Disguises messages as spammers do, to measure what moderation loses by it. The same seed gives the same disguise."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

How = Literal["lookalikes", "split", "broken", "invisible", "figures", "full_width"]
WAYS: tuple[How, ...] = get_args(How)
"""The five that are reported (`split` has two kinds): letters of another script; words split letter by letter, or
broken in two; zero-width characters inside words; digits for letters; full width letters."""
OFTEN = 0.7
"""Share of the letters that can be disguised and are: nobody swaps them all by hand."""
WORD = 4
"""Letters of the shortest word that is worth breaking or stuffing."""
GAPS = ("  ", "   ", " ")
"""What stands between words whose letters have spaces between: mostly wider ones, sometimes no more than inside."""

_CYRILLIC = dict(zip("aceopxyijsABCEHKMOPTXSIJ", "асеорхуіјѕАВСЕНКМОРТХЅІЈ", strict=True))
_GREEK = dict(zip("oavuABEZHIKMNOPTYX", "οανυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", strict=True))
_LATIN = dict(zip("асеорхуіАВСЕНКМОРТХ", "aceopxyiABCEHKMOPTX", strict=True))
_FIGURES = {
    "a": "4@",
    "e": "3",
    "i": "1!",
    "o": "0",
    "s": "5$",
    "t": "7",
    "а": "4@",
    "е": "3",
    "о": "0",
    "з": "3",
    "ч": "4",
    "б": "6",
}
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff"
_LETTERS = re.compile(r"[^\W\d_]+")
_ADDRESS = re.compile(r"(\S*(?:://|www\.|@)\S+)")


def disguise(text: str, how: How, seed: int = 0) -> str:
    """Disguise a message; addresses stay as they are, so that they still lead somewhere."""
    draw = random.Random(f"{seed} {how} {text}")
    ways: dict[How, Callable[[str, random.Random], str]] = {
        "lookalikes": _lookalikes,
        "split": _split,
        "broken": _broken,
        "invisible": _invisible,
        "figures": _figures,
        "full_width": _full_width,
    }
    parts = _ADDRESS.split(text)
    return "".join(part if place % 2 else ways[how](part, draw) for place, part in enumerate(parts))


def _swap(text: str, table: dict[str, str], draw: random.Random) -> str:
    return "".join(draw.choice(table[one]) if one in table and draw.random() < OFTEN else one for one in text)


def _lookalikes(text: str, draw: random.Random) -> str:
    """Swap Latin letters for Cyrillic or Greek ones, and Cyrillic ones for Latin."""
    table = _LATIN | (_CYRILLIC if draw.random() < OFTEN else _GREEK | _CYRILLIC)
    return _swap(text, table, draw)


def _split(text: str, draw: random.Random) -> str:
    """Put a space between all letters, and a wider one between words, or none wider."""
    gap = draw.choice(GAPS)
    return gap.join(" ".join(word) for word in text.split()) if text.strip() else text


def _broken(text: str, draw: random.Random) -> str:
    """Break words in two."""

    def one(word: re.Match[str]) -> str:
        if len(word[0]) < WORD:
            return word[0]
        at = draw.randint(2, len(word[0]) - 2)
        return f"{word[0][:at]} {word[0][at:]}"

    return _LETTERS.sub(one, text)


def _invisible(text: str, draw: random.Random) -> str:
    """Put zero-width characters between the letters of words; Chinese words are short, so of any."""

    def one(word: re.Match[str]) -> str:
        letters = word[0]
        return letters[0] + "".join(
            (draw.choice(_UNSEEN) if draw.random() < OFTEN else "") + one for one in letters[1:]
        )

    return _LETTERS.sub(one, text)


def _figures(text: str, draw: random.Random) -> str:
    """Write digits and signs for the letters that they look like."""
    return "".join(
        draw.choice(_FIGURES[one.lower()]) if one.lower() in _FIGURES and draw.random() < OFTEN else one for one in text
    )


def _full_width(text: str, _draw: random.Random) -> str:
    """Write ASCII in full width."""
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else "\u3000" if one == " " else one for one in text)
