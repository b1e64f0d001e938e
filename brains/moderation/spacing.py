"""Undoes words that are pulled apart: letter by letter with spaces or dots between, or broken in two."""

from __future__ import annotations

import functools
import re
from itertools import pairwise

from brains.moderation import lookalikes
from brains.moderation.unigrams import unigrams

SPREAD = re.compile(r"(?<!\S)\S\s+\S\s+\S\s+\S(?!\S)")
"""Four single characters beside each other: the least that is taken for a word pulled apart."""
HAN_SPREAD = re.compile(r"[\u4e00-\u9fff](?:[\s.·•_\-*|/,，、]{1,3}[\u4e00-\u9fff]){2,}(?![\u4e00-\u9fff])")
_HAN_GAP = re.compile(r"[\s.·•_\-*|/,，、]")
GAP = r"[\s\pZ]"
"""A space of any kind, for RE2: its own are those of ASCII."""
DOT = r"(?:[.\-_*•·|~+/,']|\p{So}\x{FE0F}?)"
"""What stands between letters, for RE2; emoji too."""
DOTTED = re.compile(
    r"(?<![^\s\"'(])[^\W\d_](?:([.\-_*•·|~+/,']|[^\x00-\u1fff\w\s]\ufe0f?)[^\W_])(?:\1[^\W_]){2,}"
    r"(?:\1(?=[!?]?(?:\s|$)))?(?![^\s\"')!?,.:;])"
)
WRAPPED = re.compile(r"(?:[(\[{<'\"`|*~_]{1,2}[^\W\d_][)\]}>'\"`|*~_]{1,2}){4,}")
"""Letters each of which stands between brackets or marks."""
_WRAPPING = re.compile(r"[\W_]")
_TOKENS = re.compile(r"(\S+)(\s*)")
_LETTERS = re.compile(r"[^\W\d_]+")
EVERYDAY = 2.2
"""The same for what two words of their own may be instead, as `th at`."""
LEAST = 4
"""Letters that make a word pulled apart; with fewer they may be options, notes or initials."""
SHARE = 0.5
"""Share of letters among the single characters: columns of figures stay columns."""
SURE = 7
"""Letters from which it is a word pulled apart although nobody knows it."""
PLAUSIBLE = 3.2
"""Nats a letter up to which letters are words, as ordinary ones are: English has 1.5 to 2.5, noise 4 and more."""
RARE = 9.0
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
PAIRS = 400
"""Pairs whose word is weighed by its pieces: that takes 50 µs each."""
_OPENS, _CLOSES = "\"'(*_", ".,!?:;)\"'*_"


def together(text: str) -> str:
    """Bring letters together that stand apart, and find the words in them."""
    text = WRAPPED.sub(lambda run: _unwrapped(run[0]), text)
    return _gathered(text) if SPREAD.search(text) else text


def undotted(text: str) -> str:
    """Bring letters together that have dots or the like between them."""
    return DOTTED.sub(lambda run: _undotted(run[0], run[1]), text)


def _unwrapped(run: str) -> str:
    """Take the marks away in which each letter of a word stands by itself, as in `(f)(r)(e)(e)` or `||f||||r||`."""
    letters = _WRAPPING.sub("", run)
    return _spaced(letters) if _is_writing(letters) else run


def han_together(text: str) -> str:
    """Bring Chinese characters together that have spaces or marks between them."""
    return HAN_SPREAD.sub(lambda run: _HAN_GAP.sub("", run[0]), text)


def _undotted(run: str, dot: str) -> str:
    letters = run.replace(dot, "")
    return _spaced(letters) if _is_writing(letters) else run


def _gathered(text: str) -> str:
    """Go through the words of a text, and gather each row of single characters."""
    out: list[str] = []
    row: list[tuple[str, str]] = []
    for word, gap in ((one[1], one[2]) for one in _TOKENS.finditer(text)):
        ends = bool(row) and len(word) > 1 and word[0].isalpha() and not word[1:].strip(_CLOSES)
        if len(word) == 1 or ends or (row and len(word) == 2 and not any(one.isalnum() for one in word)):  # noqa: PLR2004 - an emoji
            row.append((word, gap))
            if not ends:
                continue
        out += [_row(row), "" if ends else word + gap]
        row = []
    lead = text[: len(text) - len(text.lstrip())]
    return lead + "".join(out) + _row(row)


def _row(row: list[tuple[str, str]]) -> str:
    """Write a row of single characters as words where it is writing, else as it is."""
    as_it_is = "".join(word + gap for word, gap in row)
    letters = "".join(word[0] for word, _gap in row if word[0].isalpha())
    if len(letters) < LEAST or len(letters) < SHARE * len(row) or not _is_writing(letters):
        return as_it_is
    narrow = min(len(gap) for _word, gap in row[:-1])
    words, word = [], ""
    lines = any("\n" not in gap for _word, gap in row[:-1])  # else the letters stand below each other
    for one, gap in row:
        word += one
        if len(gap) > narrow or (lines and "\n" in gap):
            words.append((word, "\n" if "\n" in gap else " "))
            word = ""
    words.append((word, row[-1][1]))
    if len(words) - (not word) > 1 or len(letters) < LEAST:
        return "".join(part + gap for part, gap in words if part)
    return "".join(_LETTERS.sub(lambda run: _spaced(run[0]), part) + gap for part, gap in words if part)


def _is_writing(letters: str) -> bool:
    """Say whether letters make words; the alphabet, the same letter again and again, and noise do not."""
    low = lookalikes.in_one_script(letters).lower()
    steps = {ord(after) - ord(before) for before, after in pairwise(low)}
    if len(low) < LEAST or len(set(low)) <= 2 or steps <= {0, 1} or steps <= {-1, 0}:  # noqa: PLR2004 - `h a h a`
        return False
    return len(low) >= SURE or unigrams().cost(low) <= PLAUSIBLE * len(low) + 2


def _spaced(letters: str) -> str:
    """Put spaces between the words in letters, in the case that they have."""
    words, start = [], 0
    letters = lookalikes.in_one_script(letters)
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
    joined = _joined(tokens, gains)
    if joined is None:
        return text
    return _joined(tokens, gains | _further(tokens, gains)) or joined


def _further(tokens: list[str], gains: dict[int, float]) -> dict[int, float]:
    """Weigh the pairs whose word is not known as a whole: the text is known to be broken, so they may be words too."""
    found = {}
    cost = unigrams().cost
    for at in range(min(len(tokens) - 1, PAIRS)):
        first, second = tokens[at].lstrip(_OPENS).lower(), tokens[at + 1].rstrip(_CLOSES).lower()
        if at in gains or not (first.isalpha() and second.isalpha()) or max(len(first), len(second)) not in PIECE:
            continue
        if min(len(first), len(second)) > 1:
            one = cost(first + second)
            if one <= (PLAUSIBLE if {first, second} - _frequent() else EVERYDAY) * len(first + second):
                found[at] = cost(first) + cost(second) - one
    return found


def _joined(tokens: list[str], gains: dict[int, float]) -> str | None:
    """Join the pairs that gain most; None where too few do."""
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
    return " ".join(joined) if broken >= BROKEN and broken * PART >= len(joined) else None


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
