"""Undoes how a word is spelled to look like none: digits for letters, marks inside it, letters many times over."""

from __future__ import annotations

import functools
import itertools
import re

from brains.moderation.unigrams import unigrams

KNOWN = 12.5
"""Cost in nats up to which a word counts as one that people use: about six in a million words of English."""
FREQUENT = 9.5
"""The same for what may well be a name with a number, as `fr33`: only the 6,000 words used most."""
LEAST = 3
"""Letters of the shortest word that is taken for disguised."""
LONGEST = 24
"""Characters of the longest."""
MOST = 100
"""Different words of a text that are read so, the first ones: each may take .2 ms."""
WEIGHABLE = 10
"""Of those, the first ones whose readings are weighed by their pieces where none is a known word."""
TRIED = 64
"""Readings of one word that are looked up: `1` alone stands for two letters."""
WEIGHED = 8
"""Readings that are weighed by their pieces where none is a known word: that takes 50 times as long."""

_LATIN_FIGURES = {
    "0": "o",
    "1": "il",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "g",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
}
_LATIN_FIGURES |= {"!": "i", "€": "e", "£": "l", "+": "t", "¡": "i", "¢": "c"}
_CYRILLIC_FIGURES = {
    "0": "о",
    "3": "ез",
    "4": "ач",
    "6": "б",
    "8": "в",
    "7": "т",
    "1": "ил",
    "@": "а",
    "$": "с",
    "5": "с",
    "9": "я",
}
_SIGNS = "@$!€£+¡¢"
HINT = re.compile(rf"[^\W\d_][0-9{_SIGNS}]+[^\W_]|(?<![^\s\"'(])[0-9{_SIGNS}]+[^\W\d_]|[^\W\d_][0-9@$€£]+(?!\w)")
"""Something but letters beside a letter: only then is a text searched for figures in words."""
_MEASURE = re.compile(
    r"\d+(?:st|nd|rd|th|s|k|m|x|h|d|w|y|am|pm|px|mb|gb|kb|tb|ms|ns|us|hz|min|mins|hr|hrs|bit|bits|day|ve|ll|re)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"://|^www\.|@[\w-]+\.\w|^\w+[(\[{]|[/\\=<>#]")
MARKS = re.compile(r"(?<=[^\W_])(?:\*{1,3}|\|\||~~|__|`)(?=[^\W_])")
"""Marks of Markdown between two letters."""
_PARTS = re.compile(r"(['’/&\-])")
_MARK = re.compile(r"\*{1,3}|\|\||~~|__|`")
CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
REPEATED = re.compile(r"([A-Za-z\u00e0-\u024f\u0400-\u04ff])\1\1")
_TOKEN = re.compile(r"\w+")
_RUN = re.compile(r"([A-Za-z\u00e0-\u024f\u0400-\u04ff])\1{2,}")
_ROMAN = re.compile(r"[IVXLCDM]+")


def _is_word(letters: str, most: float = KNOWN) -> bool:
    return unigrams().begins.get(letters.lower(), 99.0) <= most


def without_marks(text: str) -> str:
    """Take marks out from inside words, as in `||f||ree`, where the word is known and its parts are not."""
    return re.sub(r"\S+", lambda token: _unmarked(token[0]), text)


def _unmarked(token: str) -> str:
    if not MARKS.search(token) or _ADDRESS.search(token):
        return token
    parts = [part for part in _MARK.split(token) if part]
    whole = "".join(parts)
    bare = whole.strip(".,!?:;\"'()")
    if len(bare) < LEAST or not bare.isalpha() or not _is_word(bare):
        return token
    return token if len(parts) > 1 and all(len(part) > 1 and _is_word(part, 10.0) for part in parts) else whole


def without_figures(text: str) -> str:
    """Write digits and signs as the letters that they stand for, where that makes a word; figures stay figures."""
    hinted = (token for token in text.split() if not token.isalpha() and len(token) <= LONGEST and HINT.search(token))
    tokens = list(itertools.islice(dict.fromkeys(hinted), MOST))
    found = {token: _unfigured(token, weigh=at < WEIGHABLE) for at, token in enumerate(tokens)}
    sure = sum(token != read for token, read in found.items())
    if not sure:
        return text
    if sure > 1:
        left = [token for token, read in found.items() if token == read]
        found |= {token: _forced(token, weigh=at < WEIGHABLE) for at, token in enumerate(left)}
    return re.sub(r"\S+", lambda token: found.get(token[0], token[0]), text)


def _split(token: str) -> tuple[str, str, str]:
    """Return what stands before a word, the word, and what stands behind it."""
    begin = re.match(r"[\"'(\[*_~,.:;\-]*", token)
    end = re.search(r"[\"')\]*_~,.:;?!\-]*$", token)
    assert begin is not None and end is not None  # noqa: S101, PT018 - either may be empty
    return (
        token[: begin.end()],
        token[begin.end() : max(end.start(), begin.end())],
        token[max(end.start(), begin.end()) :],
    )


def _may_be_read(word: str) -> bool:
    """Say whether figures in a word may stand for letters: not in an address, a name, a measure, a number."""
    letters = sum(one.isalpha() for one in word)
    return (
        letters > 0
        and word[0] not in "@+!|"
        and not _ADDRESS.search(word)
        and not _MEASURE.fullmatch(word)
        and "_" not in word
    )


@functools.lru_cache(maxsize=10_000)
def _unfigured(token: str, *, weigh: bool) -> str:
    before, word, after = _split(token)
    if not _may_be_read(word):
        return token
    for part in (word, word.rstrip("+$€£")):
        if HINT.search(part) and (read := _reading(part, weigh=weigh)):
            return before + read + word[len(part) :] + after
    return token


def _reading(word: str, *, weigh: bool) -> str:
    """Return the likeliest word that is meant; empty where none that is known."""
    if not all(one.isalnum() or one in _SIGNS for one in word):
        return ""
    figures = sum(not one.isalpha() for one in word)
    if len(word) < LEAST or (word[0] == "$" and figures == 1) or figures * 2 > len(word) or "!!" in word:
        return ""
    if len(word) == LEAST and not (word.islower() or word.isupper()):
        return ""
    readings = [one for one in _readings(word) if one.isalpha() and len(one) >= LEAST]
    best = _likeliest(readings, weigh=weigh)
    bare = _stripped(word)
    counted = bool(bare) and figures == len(word) - len(bare) and (len(bare) <= LEAST or _is_word(bare))
    limit = FREQUENT - 1 if len(word) <= LEAST else FREQUENT if counted else KNOWN
    if not best or (counted and len(bare) > LEAST and _is_word(bare)):
        return ""
    if _is_word(best, limit):
        return best
    long = weigh and not counted and len(word) > 5 and figures > 1 and unigrams().cost(best.lower()) <= 2.9 * len(best)  # noqa: PLR2004 - nats a letter
    return best if long else ""


def _likeliest(readings: list[str], *, weigh: bool) -> str:
    """Return the reading that costs least: a known word before all others, and these only where they are weighed."""
    begins = unigrams().begins
    known = [one for one in readings if one.lower() in begins]
    if known:
        return min(known, key=lambda one: begins[one.lower()])
    return min(readings[: WEIGHED * weigh], key=lambda one: unigrams().cost(one.lower()), default="")


def _stripped(word: str) -> str:
    """Return a word without the number that counts it, as `python3`, `web2`, `utf8`."""
    return re.sub(r"[\d+!$]+$", "", word)


def _readings(word: str) -> list[str]:
    """Return what a word may be, letter for letter, at most TRIED of them."""
    table = _CYRILLIC_FIGURES if re.search("[а-яё]", word, re.IGNORECASE) else _LATIN_FIGURES
    capital = word.upper() == word and sum(one.isalpha() for one in word) > 1
    choices = [table.get(one, one) for one in word]
    tried = itertools.islice(itertools.product(*choices), TRIED)
    return ["".join(one).upper() if capital else "".join(one) for one in tried]


def _forced(token: str, *, weigh: bool) -> str:
    """Read words with figures as the likeliest letters: other words of the text are disguised so."""
    before, word, after = _split(token)
    if _ADDRESS.search(word) or _MEASURE.fullmatch(word) or "_" in word:
        return token
    return before + "".join(_forced_part(part, weigh=weigh) for part in _PARTS.split(word)) + after


def _forced_part(word: str, *, weigh: bool) -> str:
    """Read one word so: a known one however few letters it has, an unknown one where it has mostly letters."""
    letters = sum(one.isalpha() for one in word)
    if not letters or letters == len(word) or not all(one.isalnum() or one in _SIGNS for one in word):
        return word
    best = _likeliest([one for one in _readings(word) if one.isalpha()], weigh=weigh)
    known = len(best) > 1 and _is_word(best, FREQUENT if len(best) < LEAST else KNOWN)
    mostly = letters > 1 and letters * 2 >= len(word) and word[0] not in "@+!" and not _is_word(_stripped(word))
    return best if best and (known or mostly) else word


def without_repeats(text: str) -> str:
    """Write a letter that stands three times or more as often as the word has it."""
    return re.sub(r"\S+", lambda token: token[0] if _ADDRESS.search(token[0]) else _TOKEN.sub(_once, token[0]), text)


def _once(token: re.Match[str]) -> str:
    word = token[0]
    if not REPEATED.search(word) or not word.isalpha() or len({*word.lower()}) == 1 or _ROMAN.fullmatch(word):
        return word
    if len(word) > 2 * LONGEST or len(_RUN.findall(word)) > LEAST:
        return _RUN.sub(r"\1", word)
    ways = [_RUN.sub(lambda run, times=times: run[1] * times, word) for times in (1, 2)]  # type: ignore[misc]
    return min(ways, key=lambda one: (unigrams().cost(one.lower()), len(one)))
