"""What a conversation is called: by its thread, by a phrase that returns in it, or by its most telling clause."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from bot.core.sentences import width
from bot.core.stopwords import STOPWORDS
from brains.knowledge.extract import shortened
from brains.knowledge.terms import speaks_chinese
from brains.matching.terms import words
from brains.moderation.unigrams import unigrams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

LONGEST = 90
"""Width of a title."""
PHRASES = 2
"""Phrases that make a title."""
MOST_WORDS = 3
USUAL, TELLING = 7.5, 12.5
"""Negative log-probability of a word of everyday language that tells nothing (right, use), and of one that does."""
SECOND = 0.5
"""Share of what the first phrase tells that another has to tell to stand beside it."""
AGAIN = 2
"""Messages in which a phrase must be."""

_MARKUP = re.compile(r"```.*?(?:```|\Z)|`|https?://\S+|<[^<>]*>|@_?\*\*[^*]+\*\*|(?<![\w.])@[\w.\-]+", re.DOTALL)
_WORD = re.compile(r"[^\W\d_][\w+#]*(?:[-.'’/][^\W_]+)*|[^\w\s]|\n")
_SHORTENED = re.compile(r"['’](?:d|ll|m|re|s|t|ve)$", re.IGNORECASE)
"""You'd, they're, it's."""
_CLAUSE = re.compile(r"[^，。！？；：,.!?;:\n]+[？?]?")
_HALF = re.compile(r"(?:and|but|or|so|because|than|that|which)\b", re.IGNORECASE)
"""How a clause begins that is none without the one before it."""


def title(texts: Sequence[str], sentences: Sequence[str], *, thread: str, rarity: Callable[[str], float]) -> str:
    """Return what a conversation of `texts` is called; `sentences` are its most telling ones, best first."""
    if thread.strip():
        return shortened(" ".join(thread.split()), LONGEST)
    told = " ".join(sentences) or " ".join(texts)
    found = [] if speaks_chinese(told) else _phrases(texts, rarity)
    if any(" " in one for one in found):  # a word or two alone say too little
        return shortened(", ".join(found), LONGEST)
    return shortened(_clause(sentences[0] if sentences else texts[0]), LONGEST)


def _phrases(texts: Sequence[str], rarity: Callable[[str], float]) -> list[str]:
    """Return the phrases that tell most, as they are written mostly; none where no word returns."""
    forms: dict[str, Counter[str]] = {}
    for text in texts:
        here: dict[str, str] = {}
        for run in _runs(text):
            for phrase in _grams(run):
                here.setdefault(" ".join(words(phrase)), phrase)
        for key, phrase in here.items():
            forms.setdefault(key, Counter())[phrase] += 1
    scored = {
        key: math.log1p(seen.total())
        * sum(rarity(term) * _tells(term) for term in key.split())
        / math.sqrt(len(key.split()))
        for key, seen in forms.items()
        if key and (seen.total() >= AGAIN or len(texts) == 1)
    }
    scored = {key: score for key, score in scored.items() if score > 0}
    chosen: list[str] = []
    for key in sorted(scored, key=lambda key: (-scored[key], key)):
        if chosen and scored[key] < SECOND * scored[chosen[0]]:
            break
        terms = set(key.split())
        if not any(terms & set(other.split()) for other in chosen):
            chosen.append(key)
        if len(chosen) == PHRASES:
            break
    return [forms[key].most_common(1)[0][0] for key in chosen]


def _tells(word: str) -> float:
    """Return how much a word tells, 0 to 1, by how rare it is in everyday language."""
    return min(1.0, max(0.0, (unigrams().cost(word) - USUAL) / (TELLING - USUAL)))


def _runs(text: str) -> Iterator[list[str]]:
    """Yield runs of words that stand side by side without a small word or a mark between."""
    run: list[str] = []
    for word in _WORD.findall(_MARKUP.sub("\n", text)):
        if word[0].isalpha() and word.casefold() not in STOPWORDS and len(word) > 1 and not _SHORTENED.search(word):
            run.append(word)
        else:
            if run:
                yield run
            run = []
    if run:
        yield run


def _grams(run: Sequence[str]) -> Iterable[str]:
    for size in range(1, MOST_WORDS + 1):
        for at in range(len(run) - size + 1):
            yield " ".join(run[at : at + size])


def _clause(sentence: str) -> str:
    """Return the first clause of a sentence that says something by itself, else all of it."""
    for part in _CLAUSE.findall(sentence):
        if width(part.strip()) >= LONGEST // 4:
            return sentence if _HALF.match(part.strip()) else part.strip()
    return sentence
