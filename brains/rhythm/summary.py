"""Takes from a conversation the whole sentences that tell most of it: the centroid of its terms, and no two alike."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.core.sentences import sentences, width
from brains.knowledge.asking import asks
from brains.knowledge.extract import plain
from brains.knowledge.hints import thanks
from brains.matching.terms import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from brains.matching.corpus import Floats

SHORTEST, LONGEST = 24, 280
"""Width of a sentence that is quoted."""
FEW = 3
"""Different terms that a sentence needs to say something."""
ONCE = 0.1
"""What is added to how many messages a term is in, before its logarithm: a term of one message alone counts little."""
LEAD = 0.25
"""What the first message counts more, fading over the conversation: it says what all is about."""
LIKED = 0.1
"""What each reaction counts, by its logarithm."""
ASKING = 0.15
"""What a question counts less, unless it begins the conversation."""
ALIKE = 0.3
"""What a sentence counts less for being like one that is chosen, times their cosine; Carbonell and Goldstein 1998."""

_CODE = re.compile(r"^\s*(?:```|>|\|)")
_GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|good (?:morning|evening|afternoon)|welcome|congrat\w*|bye|cheers|lol|haha\w*|sorry|oops|"
    r"yes|no|"
    r"yeah|yep|sure|ok(?:ay)?|right|great|nice|cool|你好|大家好|早|晚安|哈哈|好的|恭喜|欢迎)\b\W*(?:\w+(?:\W+|$)){0,4}$",
    re.IGNORECASE,
)
_UNFIT = re.compile(r"\{\w+\}|[:：]\W*$")
"""What leads to something that is not quoted with it: what was masked, or follows a colon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A message of a conversation: its text, and by how many people it was liked."""

    text: str
    liked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """A sentence as it is quoted, the place of its message in the conversation, and how much it tells, 0 to about 1."""

    text: str
    at: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Sentences (s,) that could be quoted, with what they tell (s,) and how like one another they are (s, s)."""

    texts: Sequence[str]
    places: Sequence[int]
    scores: Floats
    alike: Floats


def summarise(said: Sequence[Spoken], *, rarity: Callable[[str], float], most: int, limit: int) -> list[Picked]:
    """Pick up to `most` sentences, `limit` wide in all, in the order in which they were said.

    `rarity` tells of a term how rare it is in the community.
    """
    found = candidates(said, rarity=rarity)
    chosen: list[int] = []
    left, room = list(range(len(found.texts))), limit
    while left and len(chosen) < most:
        near = found.alike[:, chosen].max(axis=1) if chosen else np.zeros(len(found.texts), dtype=np.float32)
        best = max(left, key=lambda at: (found.scores[at] - ALIKE * near[at], -at))
        left.remove(best)
        if (wide := width(found.texts[best])) <= room or not chosen:
            chosen.append(best)
            room -= wide
    return [
        Picked(text=found.texts[at], at=found.places[at], score=float(found.scores[at]))
        for at in sorted(chosen, key=lambda at: (found.places[at], at))
    ]


def candidates(said: Sequence[Spoken], *, rarity: Callable[[str], float]) -> Candidates:
    """Return the sentences that could be quoted, in order, and what each tells of the whole."""
    texts, places, documents = _cut(said)
    rows = _rows(documents, rarity)
    centre = _centre(said, rows, rarity)
    length = float(np.linalg.norm(centre)) or 1.0
    scores = (rows.matrix @ centre) / length if len(texts) else np.zeros(0, dtype=np.float32)
    for at, place in enumerate(places):
        scores[at] *= 1 + LEAD / (1 + place) + LIKED * math.log1p(said[place].liked)
        scores[at] *= 1 - ASKING * (place > 0 and asks(texts[at]))
    return Candidates(texts=texts, places=places, scores=scores, alike=rows.matrix @ rows.matrix.T)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """Unit rows (s, v) of sentences, and the place of each term."""

    matrix: Floats
    index: Mapping[str, int]


def _cut(said: Sequence[Spoken]) -> tuple[list[str], list[int], list[list[str]]]:
    texts: list[str] = []
    places: list[int] = []
    documents: list[list[str]] = []
    seen: set[str] = set()
    for place, one in enumerate(said):
        for sentence in sentences(one.text):
            if _CODE.match(sentence):
                continue
            told = plain(sentence)
            terms = words(told)
            if told.casefold() in seen or not says_something(told, terms):
                continue
            seen.add(told.casefold())
            texts.append(told)
            places.append(place)
            documents.append(terms)
    return texts, places, documents


def says_something(sentence: str, terms: Sequence[str]) -> bool:
    """Say whether a sentence is worth quoting by itself: neither too short nor too long, no greeting, no thanks."""
    if not SHORTEST <= width(sentence) <= LONGEST or len(set(terms)) < FEW or _UNFIT.search(sentence):
        return False
    return not _GREETING.match(sentence) and not (thanks(sentence) and len(set(terms)) < 2 * FEW)


def _rows(documents: Sequence[Sequence[str]], rarity: Callable[[str], float]) -> _Rows:
    index = {term: at for at, term in enumerate(sorted({term for terms in documents for term in terms}))}
    matrix = np.zeros((len(documents), len(index)), dtype=np.float32)
    for row, terms in zip(matrix, documents, strict=True):
        for term, times in Counter(terms).items():
            row[index[term]] = (1 + math.log(times)) * rarity(term)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return _Rows(matrix=np.asarray(matrix / np.where(lengths > 0, lengths, 1), dtype=np.float32), index=index)


def _centre(said: Sequence[Spoken], rows: _Rows, rarity: Callable[[str], float]) -> Floats:
    """Return what all of it is about, over the terms of the sentences: in how many messages each is, and how rare."""
    counted = Counter(term for one in said for term in set(words(one.text)))
    centre = np.zeros(len(rows.index), dtype=np.float32)
    for term, at in rows.index.items():
        centre[at] = math.log(max(1, counted[term]) + ONCE) * math.sqrt(rarity(term))
    return centre
