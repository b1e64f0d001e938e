"""Holds a generated sentence to the evidence that it was made from: words, numbers, names, denials and sense."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.core.stopwords import STOPWORDS
from brains.knowledge.terms import is_chinese, stem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.ports import Vector

LONGEST = 300
"""Characters of a sentence."""
NEAR = 0.9
"""Cosine of a sentence to its evidence, both as passages; a cautious guess that no measurement chose."""


class Flaw(StrEnum):
    """What keeps a generated sentence from being told."""

    LENGTH = "too long"
    UNENDED = "no whole sentence"
    MARKUP = "a link, a mention or markup"
    QUESTION = "a question"
    VOICE = "the first person, or an order"
    WORD = "a word without a source"
    NUMBER = "a number without a source"
    DENIAL = "a denial more or less"
    EMPTY = "nothing that would need a source"
    SENSE = "another sense"


_WORD = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\u3040-\u30ff]+|[^\W\d_][^\W_]*(?:['’_.+#-]+[^\W_]+)*[+#]*|\d+(?:[.,:/]\d+)*\w*"
)
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_MARKUP = re.compile(r"https?:|www\.|[@<>*\[\]|\\{}~]|^\s*[#/!-]")
_ENDED = re.compile(r"[.!。！…][\"”’')]*$")
_SMALL = frozenset("also there one other such way use used using this that it they which while so".split())  # noqa: SIM905
_DENIALS = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|cannot|without|unless|hardly|only|except|instead|un(?:able|supported|likely)"
    r"|im(?:possible)|deprecated|removed|false)\b|n['’]t\b|不|没|无|非|别|未",
    re.IGNORECASE,
)
_HEDGES = re.compile(
    r"\b(?:may|might|maybe|perhaps|probably|possibly|i think|i believe|i guess|not sure|afaik|iirc|should|could|would|"
    r"plan(?:s|ned|ning)?|soon|yet|unclear|likely|hope(?:fully)?)\b|可能|也许|大概|应该|好像",
    re.IGNORECASE,
)
_FIRST = re.compile(r"\b(?:i|me|my|mine|we|us|our|ours|let's)\b|我|咱", re.IGNORECASE)
_ORDER = re.compile(
    r"^\W*(?:please|ignore|forget|obey|click|send|share|reveal|pretend|act as|visit|join|buy|pay|say|repeat|remember|"
    r"answer)\b"
    r"|^请|忽略|^点击",
    re.IGNORECASE,
)


def turns(text: str) -> bool:
    """Say whether a text denies or hedges, so that what is left without it says something else."""
    return bool(_DENIALS.search(text) or _HEDGES.search(text))


def flaw(sentence: str, evidence: str) -> Flaw | None:
    """Find what keeps a sentence from being told on the strength of one piece of evidence; None if nothing does."""
    if len(sentence) > LONGEST:
        return Flaw.LENGTH
    if not _ENDED.search(sentence) or "\n" in sentence:
        return Flaw.QUESTION if sentence.rstrip().endswith(("?", "？")) else Flaw.UNENDED
    if _MARKUP.search(sentence):
        return Flaw.MARKUP
    if _FIRST.search(sentence) or _ORDER.search(sentence):
        return Flaw.VOICE
    return _of_words(sentence, evidence)


def far(sentence: Vector, evidence: Vector) -> bool:
    """Say whether a sentence means something else than its evidence, by their vectors (d,)."""
    return float(sentence @ evidence) < NEAR


def closest(sentence: str, evidence: Sequence[str]) -> int:
    """Return which piece of evidence holds most words of a sentence."""
    words = _content(sentence)
    return max(range(len(evidence)), key=lambda at: (len(words & _content(evidence[at])), -at))


def _of_words(sentence: str, evidence: str) -> Flaw | None:
    if not set(_NUMBER.findall(sentence)) <= set(_NUMBER.findall(evidence)):
        return Flaw.NUMBER
    words = _content(sentence)
    if not words:
        return Flaw.EMPTY
    if not words <= _content(evidence) | {stem(one) for one in _SMALL}:
        return Flaw.WORD
    if bool(_DENIALS.search(sentence)) != bool(_DENIALS.search(evidence)):
        return Flaw.DENIAL
    return Flaw.DENIAL if _HEDGES.search(evidence) and not _HEDGES.search(sentence) else None


def _content(text: str) -> set[str]:
    found: set[str] = set()
    for word in _WORD.findall(text):
        if is_chinese(word):
            found |= {word[at : at + 2] for at in range(max(1, len(word) - 1))}
        elif word.casefold() not in STOPWORDS:
            found.add(stem(word))
    return found
