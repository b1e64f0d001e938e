"""Undoes letters of one script that stand in for those of another. A word wholly in its own script stays as it is."""

from __future__ import annotations

import functools
import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import re2
import regex

from brains.moderation.unigrams import unigrams

if TYPE_CHECKING:
    from collections.abc import Iterator

Script = Literal["latin", "cyrillic"]

_ALONE = regex.compile(r"(?<![\w@/.&?=:\-])\p{L}+(?![\w@/=\-]|\.\w)")
"""Words that are no part of an address, of a name of an account, or of a compound."""
_WORD = regex.compile(r"[\p{L}\p{Nd}]+")
_LATIN = regex.compile(r"\p{Latin}")
_CYRILLIC = regex.compile(r"\p{Cyrillic}")
_PHONETICS = "\u0250-\u02af\u1d00-\u1dbf\ua700-\ua7ff"
_PHONETIC = regex.compile(f"[{_PHONETICS}\u0180-\u024f]")
_OTHERS = "".join(
    rf"\p{{{name}}}"
    for name in [
        "Greek",
        "Armenian",
        "Cherokee",
        "Lisu",
        "Coptic",
        "Georgian",
        "Canadian_Aboriginal",
        "Deseret",
        "Osage",
        "Tifinagh",
    ]
)
_ALPHABETS = regex.compile(f"[{_OTHERS}]")
STRANGE = rf"[\p{{Cyrillic}}{_OTHERS}{_PHONETICS}]"
"""What may stand in for a Latin letter: another alphabet's, or a phonetic one."""
_MIXED = re2.compile(
    rf"\p{{Latin}}\d*[\p{{Cyrillic}}{_OTHERS}]|[\p{{Cyrillic}}{_OTHERS}]\d*\p{{Latin}}|[{_PHONETICS}]"
    rf"|\p{{Cyrillic}}\d*[{_OTHERS}]|[{_OTHERS}]\d*\p{{Cyrillic}}"
)
"""Two letters of different scripts in one word."""
_OWN_CYRILLIC = regex.compile("[бгджилпфцчшщъыэюяйБГДЖЗИЛПФЦЧШЩЪЫЭЮЯЙ]")
_OWN_LATIN = regex.compile("[dfghijlnqrsuvwzDFGIJLNQRSUVWZ]")
"""Letters without a double in the other script: they tell in which one a text is written."""
SHORT = 3
"""Letters of a word from which one letter of Greek or the like is taken for a disguise: `Δt` and `μs` are units."""
KNOWN = 12.5
"""Cost in nats up to which a word counts as one that people use: about six in a million words of English."""

_ALSO_LATIN = dict(zip("вктмнзғқңөүҳїёκτεηωχμσβδγ", "bktmhefkhoyxiektenwxuobdy", strict=True))
_ALSO_CYRILLIC = dict(zip("bkmtKMTHBNE", "ькмтКМТНВИЕ", strict=True)) | {"i": "і", "I": "І", "3": "з"}
"""What TR39 does not call confusable, and spammers write all the same."""


def recognised(text: str) -> str:
    """Return a text with each mixed word in one script."""
    if not _LATIN.search(text):
        return text
    home = _home(text)
    changed = _WORD.sub(lambda word: _word(word[0], home), text) if _MIXED.search(text) else text
    mixed = changed != text
    return str(_ALONE.sub(lambda word: _whole(word[0], home, known=not mixed), changed))


def in_one_script(letters: str) -> str:
    """Return letters that belong to one text in the script of most of them, where they are mixed."""
    return _word(letters, _home(letters)) if not letters.isascii() and _MIXED.search(letters) else letters


def as_latin(word: str) -> str:
    """Return a word with every letter that looks like a Latin one written as that."""
    latin = _tables()[0]
    return "".join(latin.get(one, one) for one in word)


def _home(text: str) -> Script:
    """Return the script that a text is written in, by the letters that have no double in the other."""
    return "cyrillic" if len(_OWN_CYRILLIC.findall(text)) > len(_OWN_LATIN.findall(text)) else "latin"


def _word(word: str, home: Script) -> str:
    """Write a word of mixed scripts in one, where every letter has its double there."""
    latin, cyrillic = _tables()
    own = bool(_LATIN.search(word)), bool(_CYRILLIC.search(word))
    others = bool(_ALPHABETS.search(word))
    if own[0] and not own[1] and not others and not _PHONETIC.search(word):
        return word
    if sum(own) + others + bool(_PHONETIC.search(word)) < 2 or (others and len(word) < SHORT):  # noqa: PLR2004 - mixed
        return word
    if _is_compound(word):
        return word
    as_latin = _written(word, latin, _LATIN)
    as_cyrillic = _written(word, cyrillic, _CYRILLIC)
    if as_latin and as_cyrillic:
        return as_cyrillic if home == "cyrillic" else as_latin
    if as_latin or as_cyrillic:
        return as_latin or as_cyrillic
    return _nearly(word, cyrillic if home == "cyrillic" else latin)


def _is_compound(word: str) -> bool:
    """Say whether a word is a foreign stem with an ending, as `PRы`: one change of script, and of case with it.

    So is what stands behind a line break that some export wrote as `n`.
    """
    if regex.match(r"n{1,2}\p{Cyrillic}+$", word):
        return True
    if not (stem := regex.match(r"\p{Latin}{2,}(?=\p{Cyrillic}+$)", word)):
        return False
    return stem[0].isupper() and word[stem.end() :].islower()


def _written(word: str, table: dict[str, str], script: regex.Pattern[str]) -> str:
    """Write a word in a script; empty where a letter has no double in it."""
    letters = [
        one if one.isdecimal() or (script.match(one) and not _PHONETIC.match(one)) else table.get(one, "")
        for one in word
    ]
    return "".join(letters) if all(letters) else ""


def _nearly(word: str, table: dict[str, str]) -> str:
    """Write in the text's script what can be, where that is less than half of the word: the rest stays."""
    switches = sum(bool(_LATIN.match(a)) != bool(_LATIN.match(b)) for a, b in pairwise(word))
    return "".join(table.get(one, one) for one in word) if switches > 1 else word


def _whole(word: str, home: Script, *, known: bool = False) -> str:
    """Write a word that is wholly in the other script, and wholly of doubles, in the text's own.

    With `known`, nothing else in the text is mixed: only a word that people use in the text's script, and that is none
    in the other, is taken for a disguise.
    """
    latin, cyrillic = _tables()
    table, script = (cyrillic, _CYRILLIC) if home == "cyrillic" else (latin, _LATIN)
    if any(one.isdecimal() or script.match(one) for one in word):
        return word
    begins = unigrams().begins
    as_it_is = begins.get(word.lower(), 99.0)
    written = _written(word, table, script)
    if not written or (known and len(word) <= SHORT) or (len(word) == 1 and word.isupper()):
        return word
    better = begins.get(written.lower(), 99.0) < as_it_is
    return written if (better and (not known or begins.get(written.lower(), 99.0) <= KNOWN)) else word


@functools.cache
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    """Return which letter each may stand for in Latin, and in Cyrillic: Unicode's TR39 and our own."""
    from confusable_homoglyphs.confusables import confusables_data

    latin: dict[str, str] = {}
    cyrillic: dict[str, str] = {}
    for one, like in confusables_data.items():
        if len(one) != 1 or not one.isalpha():
            continue
        for other in (entry["c"] for entry in like):
            if len(other) != 1:
                continue
            if other.isascii() and other.isalpha() and not _is_ordinary_latin(one):
                latin.setdefault(one, _in_case(one, other))
            elif "а" <= other.lower() <= "я" and not _CYRILLIC.match(one):
                cyrillic.setdefault(one, other)
    latin.update(_small_capitals())
    return latin | _both_cases(_ALSO_LATIN), cyrillic | _ALSO_CYRILLIC


def _is_ordinary_latin(one: str) -> bool:
    """Say whether a letter is one that languages written in Latin use."""
    return bool(_LATIN.match(one)) and not _PHONETIC.match(one)


def _in_case(one: str, other: str) -> str:
    """Write capital I as I: TR39 calls it an l."""
    return "I" if other == "l" and one.isupper() else other


def _both_cases(table: dict[str, str]) -> dict[str, str]:
    """Add what the capitals stand for, where those of the two scripts look alike too."""
    return table | {one.upper(): other.upper() for one, other in table.items() if one in "вктмнκτ"}


def _small_capitals() -> Iterator[tuple[str, str]]:
    """Yield the letters that look like small capitals, as ᴀ."""
    for point in (*range(0x250, 0x2B0), *range(0x1D00, 0x1D2C), 0xA730, 0xA731):
        name = unicodedata.name(chr(point), "")
        if name.startswith("LATIN LETTER SMALL CAPITAL ") and len(name) == 28:  # noqa: PLR2004 - and one letter
            yield chr(point), name[-1].lower()
