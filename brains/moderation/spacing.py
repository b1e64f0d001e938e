"""Undoes words that are pulled apart: letter by letter with spaces or dots between, or broken in two."""

from __future__ import annotations

import functools
import re
from itertools import pairwise

from brains.moderation.unigrams import unigrams

SPREAD = re.compile(r"(?<!\S)\S\s+\S\s+\S\s+\S(?!\S)")
"""Four single characters beside each other: the least that is taken for a word pulled apart."""
HAN_SPREAD = re.compile(r"[\u4e00-\u9fff](?:[\s.·•_\-*|/,，、]{1,3}[\u4e00-\u9fff]){2,}(?![\u4e00-\u9fff])")
DOTTED = re.compile(r"(?<![^\s\"'(])[^\W\d_](?:([.\-_*·•|~+/,])[^\W_])(?:\1[^\W_]){2,}(?![^\s\"')!?,.:;])")
_TOKENS = re.compile(r"(\S+)(\s*)")
_LETTERS = re.compile(r"[^\W\d_]+")
LEAST = 4
"""Letters that make a word pulled apart; with fewer they may be options, notes or initials."""
SHARE = 0.5
"""Share of letters among the single characters: columns of figures stay columns."""
SURE = 7
"""Letters from which it is a word pulled apart although nobody knows it."""
PLAUSIBLE = 3.2
"""Nats a letter up to which letters are words, as ordinary ones are: English has 1.5 to 2.5, noise 4 and more."""
RARE = 11.0
"""Cost in nats from which a piece is hardly a word of its own."""
GAIN = 6.0
"""Nats that two pieces gain in becoming one word."""
KNOWN = 14.0
"""Cost in nats up to which two pieces in one are a word that people use: about one in a million words of English."""
PIECE = range(2, 10)
"""Letters of a half word: single letters are articles, options and names."""
BROKEN = 2
"""Broken words that a text must have: one alone may be a slip or a name."""
PART = 6
"""One word in so many must be broken: who writes a long text quickly misses a space too."""
UNHEARD = 20.0
"""Cost in nats of a piece that begins no word."""
_OPENS, _CLOSES = "\"'(*_", ".,!?:;)\"'*_"


def together(text: str) -> str:
    """Bring letters together that stand apart, and find the words in them."""
    if HAN_SPREAD.search(text):
        text = HAN_SPREAD.sub(lambda run: re.sub(r"[\s.·•_\-*|/,，、]", "", run[0]), text)
    if SPREAD.search(text):
        text = _gathered(text)
    return DOTTED.sub(lambda run: _undotted(run[0], run[1]), text)


def _undotted(run: str, dot: str) -> str:
    letters = run.replace(dot, "")
    return _spaced(letters) if _is_writing(letters) else run


def _gathered(text: str) -> str:
    """Go through the words of a text, and gather each row of single characters."""
    out: list[str] = []
    row: list[tuple[str, str]] = []
    for word, gap in [*((one[1], one[2]) for one in _TOKENS.finditer(text)), ("", "")]:
        if len(word) == 1 or (row and len(word) == 2 and not word.isalnum()):  # noqa: PLR2004 - an emoji, an ellipsis
            row.append((word, gap))
            continue
        out.append(_row(row))
        row = []
        out.append(word + gap)
    lead = text[: len(text) - len(text.lstrip())]
    return lead + "".join(out)


def _row(row: list[tuple[str, str]]) -> str:
    """Write a row of single characters as words where it is writing, else as it is."""
    as_it_is = "".join(word + gap for word, gap in row)
    letters = "".join(word for word, _gap in row if word.isalpha())
    if len(letters) < LEAST or len(letters) < SHARE * len(row) or not _is_writing(letters):
        return as_it_is
    narrow = min(len(gap) for _word, gap in row[:-1])
    words, word = [], ""
    for one, gap in row:
        word += one
        if len(gap) > narrow or "\n" in gap:
            words.append((word, "\n" if "\n" in gap else " "))
            word = ""
    words.append((word, row[-1][1]))
    if len(words) - (not word) > 1 or len(letters) < LEAST:
        return "".join(part + gap for part, gap in words if part)
    return "".join(_LETTERS.sub(lambda run: _spaced(run[0]), part) + gap for part, gap in words if part)


def _is_writing(letters: str) -> bool:
    """Say whether letters make words; the alphabet, the same letter again and again, and noise do not."""
    low = letters.lower()
    steps = {ord(after) - ord(before) for before, after in pairwise(low)}
    if len(low) < LEAST or len(set(low)) <= 2 or steps <= {0, 1} or steps <= {-1, 0}:  # noqa: PLR2004 - `h a h a`
        return False
    return len(low) >= SURE or unigrams().cost(low) <= PLAUSIBLE * len(low) + 2


def _spaced(letters: str) -> str:
    """Put spaces between the words in letters, in the case that they have."""
    words, start = [], 0
    for word in unigrams().split(letters.lower()):
        words.append(letters[start : start + len(word)])
        start += len(word)
    return " ".join(words) or letters


def whole(text: str) -> str:
    """Join the halves of words that were broken in two by a space, where several were."""
    tokens = text.split(" ")
    low = text.lower().split(" ")
    rare = {one for one in {*low} - _frequent() if len(one) in PIECE}
    if len(rare) < BROKEN or len(low) != len(tokens):
        return text
    gains = {}
    begins = unigrams().begins.get
    for at in range(len(low) - 1):
        first, second = low[at], low[at + 1]
        if (first in rare or second in rare) and begins(
            first.lstrip(_OPENS) + second.rstrip(_CLOSES), UNHEARD
        ) <= KNOWN:
            gains[at] = _gain(tokens[at], tokens[at + 1])
    if len(gains) < BROKEN:
        return text
    return _joined(text, gains)


def _joined(text: str, gains: dict[int, float]) -> str:
    """Join the pairs that gain most; the text as it is where too few do."""
    tokens = text.split(" ")
    joined, broken, at = [], 0, 0
    while at < len(tokens):
        gain = gains.get(at, 0.0)
        if gain >= GAIN and gain >= gains.get(at + 1, 0.0):
            joined.append(tokens[at] + tokens[at + 1])
            broken += 1
            at += 2
        else:
            joined.append(tokens[at])
            at += 1
    return " ".join(joined) if broken >= BROKEN and broken * PART >= len(joined) else text


def _gain(first: str, second: str) -> float:
    """Return the nats that two tokens gain by being one known word; 0 where they may not be."""
    first, second = first.lstrip(_OPENS), second.rstrip(_CLOSES)
    if len(first) not in PIECE or len(second) not in PIECE or not (first.isalpha() and second.isalpha()):
        return 0.0
    if not (second.islower() or first.isupper()):
        return 0.0
    begins = unigrams().begins.get
    first, second = first.lower(), second.lower()
    return begins(first, UNHEARD) + begins(second, UNHEARD) - begins(first + second, UNHEARD)


@functools.cache
def _frequent() -> frozenset[str]:
    """Return the words that are no pieces of others."""
    return frozenset(word for word, cost in unigrams().begins.items() if cost <= RARE)
