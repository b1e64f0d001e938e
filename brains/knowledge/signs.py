"""What speaks for a passage as the answer to a question: its words and sense, and what was said before and after it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.core.sentences import LONG, LONGEST, parts, sentences, width
from brains.knowledge.asking import asks
from brains.knowledge.terms import coverage, speaks_chinese, terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.ports import Vector
    from brains.knowledge.passages import Conversation, Passage

BEFORE = 8
"""Messages before a passage among which the question that it answers is looked for."""
AFTER = 4
"""Messages after a passage among which it may be thanked for."""
STRANGERS = 0.8
"""Cosine, as passages, of texts with nothing in common: this encoder's cosines all lie between .7 and 1."""
SAME_QUESTION = 0.94
"""Cosine, as passages, of questions in nearly the same words."""
TOGETHER = 3
"""Other messages of a conversation that tell what it is about: the nearest."""
BRIEF = 25
"""Width up to which a message hardly says anything."""

_THANKS = re.compile(
    r"\b(?:thanks|thank you|thx|ty|cheers|that (?:works|worked|did it|helps|helped|makes sense)|works now|perfect|"
    r"got it|solved|awesome)\b|谢谢|感谢|多谢|解决了|可以了|明白了|搞定",
    re.IGNORECASE,
)
_WHERE = re.compile(
    r"\b(?:where|links?|docs?|documentation|url|example|tutorial|repo)\b|哪里|在哪|链接|文档|示例", re.IGNORECASE
)
_HOW_MUCH = re.compile(
    r"\b(?:how (?:many|much|long|often|big|large)|when|version)\b|多少|多久|几|版本|什么时候",
    re.IGNORECASE,
)
_HOW = re.compile(
    r"\b(?:how (?:do|does|can|to|could|should|would)|command|flag|option|configure)\b|怎么|如何|命令|选项",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"^\s*(?:>|```quote|@?_?\S+ \[?said\]?(?:\(\S*\))?:\s*$)")
_LINK = re.compile(r"https?://")
_DIGIT = re.compile(r"\d")
_CODE = re.compile(r"`")

Vectors = dict[str, "Vector"]
"""The vectors of texts, by their texts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """A question, its vector, and its terms with how rare each is here; `unknown` of them nobody here ever used.

    `usual` is the cosine of what is only roughly about it: a question's cosines all lie high or low together. `alike`
    is its vector as a passage, by which it is compared with other questions.
    """

    text: str
    vector: Vector
    alike: Vector
    weights: Mapping[str, float]
    unknown: float
    usual: float

    @property
    def rarest(self) -> Mapping[str, float]:
        """Return the terms that say most, a third of them and two at least."""
        ranked = sorted(self.weights.items(), key=lambda pair: -pair[1])
        return dict(ranked[: max(2, len(ranked) // 3)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """A passage, its sentences with their cosines to the question, and its signs."""

    passage: Passage
    conversation: int
    cosines: Sequence[tuple[str, float]]
    signs: Mapping[str, float]
    alike: float = 0.0
    """How far a passage that asks is like the question that is asked, above STRANGERS."""


def texts(conversations: Sequence[Conversation]) -> list[str]:
    """Return the texts whose vectors are needed first: of the passages, and the questions of entries."""
    passages = [one for conversation in conversations for one in _all(conversation)]
    found = [text for one in passages for text in (one.text, one.heading if one.is_note else "")]
    return list(dict.fromkeys(text for text in found if text.strip()))


def closer(vector: Vector, vectors: Mapping[str, Vector], *, most: int) -> list[str]:
    """Return the sentences of those long texts that are nearest to a question, at most so many texts."""
    long = [text for text in vectors if parts(text)]
    nearest = sorted(long, key=lambda text: -float(vector @ vectors[text]))[:most]
    return list(dict.fromkeys(part for text in nearest for part in parts(text) if part not in vectors))


def judge(asked: Asked, conversations: Sequence[Conversation], vectors: Mapping[str, Vector]) -> list[Judged]:
    """Gather what speaks for each passage of conversations, which come best first; each passage once."""
    found: dict[object, Judged] = {}
    for rank, conversation in enumerate(conversations):
        for one in _of_conversation(asked, conversation, rank, vectors):
            found.setdefault(one.passage.source, one)
    judged = list(found.values())
    ranked = sorted(range(len(judged)), key=lambda at: -judged[at].signs["cosine"])
    ranks = {at: 1 / (1 + rank) for rank, at in enumerate(ranked)}
    nearest = max((one.signs["question_found"] for one in judged), default=0.0)
    return [
        replace(
            one,
            signs={
                **one.signs,
                "rank": ranks[at],
                "nearest_question": one.signs["question_found"] - nearest,
            },
        )
        for at, one in enumerate(judged)
    ]


def _all(conversation: Conversation) -> list[Passage]:
    return list({one.source: one for one in (*conversation.passages, *conversation.found)}.values())


def _of_conversation(
    asked: Asked, conversation: Conversation, rank: int, vectors: Mapping[str, Vector]
) -> list[Judged]:
    passages = [one for one in _all(conversation) if one.text.strip()]
    around = coverage(asked.weights, [text for one in passages for text in (one.text, one.heading)])
    rare_around = coverage(asked.rarest, [text for one in passages for text in (one.text, one.heading)])
    hits = {one.source for one in conversation.found}
    cosine = {one.source: float(asked.vector @ vectors[one.text]) for one in passages}
    asking = {one.source: _ends_asking(one.text) for one in passages}
    alike = {
        one.source: _likeness(asked, one, vectors) if at == 0 or _asks_somewhere(one.text) else 0.0
        for at, one in enumerate(passages)
    }
    spoken = [_sentences(asked, one, vectors) for one in passages]
    bests = [max(each for _sentence, each in said) for said in spoken]
    best_first = sorted(bests, reverse=True)
    judged = []
    for at, one in enumerate(passages):
        said, best = spoken[at], bests[at]
        others = sorted((each for place, each in enumerate(bests) if place != at), reverse=True)[:TOGETHER]
        neighbours = [bests[place] for place in (at - 2, at - 1, at + 1) if 0 <= place < len(bests)]
        before = [alike[other.source] for other in passages[max(0, at - BEFORE) : at] if other.author != one.author]
        own = (one.text, one.heading)
        signs = {
            "cosine": best,
            "cosine_above": best - asked.usual,
            "whole_above": cosine[one.source] - asked.usual,
            "beside": max(neighbours, default=asked.usual) - asked.usual,
            "conversation": (sum(others) / len(others) if others else asked.usual) - asked.usual,
            "rank_there": 1 / (1 + best_first.index(best)),
            "coverage": coverage(asked.weights, own),
            "coverage_around": around,
            "rarest": coverage(asked.rarest, own),
            "rarest_around": rare_around,
            "unknown": asked.unknown,
            "asks": float(asking[one.source]),
            "after_question": max(before, default=0.0),
            "begins": float(at == 0 and len(passages) > 1 and not one.is_note),
            "thanked": float(_is_thanked(one, passages, at)),
            "length": float(np.log1p(min(width(one.text), 1_000))),
            "short": float(width(one.text) < BRIEF),
            "place": 1 / (1 + rank),
            "found": float(one.source in hits),
            "question_found": max(alike.values(), default=0.0),
            "replies": _replies(at, passages, [alike[other.source] for other in passages]),
            "form": _form(asked.text, one.text),
            "note": float(one.is_note),
            "entry": _entry(asked, one, vectors),
            "across": float(speaks_chinese(asked.text) != speaks_chinese(one.text)),
        }
        judged.append(Judged(passage=one, conversation=rank, cosines=said, signs=signs, alike=alike[one.source]))
    return judged


def _sentences(asked: Asked, one: Passage, vectors: Mapping[str, Vector]) -> list[tuple[str, float]]:
    """Return the sentences of a passage with their cosines; those without a vector have the passage's."""
    whole = vectors[one.text]
    said = [each for each in sentences(one.text) if not is_quoted(each)] or [one.text.strip()]
    return [(each, float(asked.vector @ vectors.get(each[:LONGEST], whole))) for each in said]


def is_quoted(sentence: str) -> bool:
    """Say whether a sentence of a message repeats what somebody else said, or only announces that."""
    return bool(_QUOTED.match(sentence))


def _likeness(asked: Asked, one: Passage, vectors: Mapping[str, Vector]) -> float:
    """Say how like a question a message is: as a whole, or by the sentence of it that is nearest."""
    pieces = (one.text, *(part for part in parts(one.text) if asks(part)))
    return max(above(asked, vectors[piece]) for piece in pieces if piece in vectors)


def _replies(at: int, passages: Sequence[Passage], alike: Sequence[float]) -> float:
    """Return 1 for the first reply by another to what is most like the question, 1/2 for the second, 0 for none."""
    begun = max(range(len(alike)), key=lambda place: alike[place])
    if at <= begun or passages[at].author == passages[begun].author or not alike[begun]:
        return 0.0
    between = passages[begun + 1 : at]
    return 1 / (1 + sum(one.author != passages[begun].author for one in between))


def _asks_somewhere(text: str) -> bool:
    return any(asks(one) for one in sentences(text))


def _ends_asking(text: str) -> bool:
    said = sentences(text)
    return bool(said) and asks(said[-1])


def _entry(asked: Asked, one: Passage, vectors: Mapping[str, Vector]) -> float:
    """Say how near the question of an entry of the FAQ, or a file's heading, is to what is asked."""
    return above(asked, vectors[one.heading]) if one.is_note and one.heading in vectors else 0.0


def above(asked: Asked, other: Vector) -> float:
    """Return how far the cosine of two texts as passages lies above that of texts without anything in common."""
    return max(0.0, float(asked.alike @ other) - STRANGERS)


def _is_thanked(one: Passage, passages: Sequence[Passage], at: int) -> bool:
    following = passages[at + 1 : at + 1 + AFTER]
    return any(
        other.author != one.author and width(other.text) < LONG and _THANKS.search(other.text) for other in following
    )


def _form(question: str, text: str) -> float:
    """Say whether a text has what a question wants: a link for where, a number for how many, code for how."""
    wanted = ((_WHERE, _LINK), (_HOW_MUCH, _DIGIT), (_HOW, _CODE))
    kinds = [bool(held.search(text)) for asked, held in wanted if asked.search(question)]
    return sum(kinds) / len(kinds) if kinds else 0.0


def lexical(asked: Asked, sentence: str) -> float:
    """Return the share of the question's terms in a sentence."""
    return coverage(asked.weights, (sentence,))


def weigh(words: Mapping[str, float | None]) -> tuple[dict[str, float], float]:
    """Turn words and how rare each is, None for one unknown here, into weights by term; and the share unknown."""
    rarest = max((one for one in words.values() if one is not None), default=1.0)
    weights = {terms(word)[0]: rarest if rare is None else rare for word, rare in words.items()}
    missing = sum(rarest for rare in words.values() if rare is None)
    total = sum(weights.values())
    return weights, missing / total if total else 0.0


def is_entry_for(one: Judged) -> bool:
    """Say whether a passage is an entry whose question is nearly the one that is asked."""
    return one.passage.is_note and asks(one.passage.heading) and one.signs["entry"] >= SAME_QUESTION - STRANGERS


def asks_the_same(one: Judged) -> bool:
    """Say whether a passage asks in nearly the same words."""
    return one.alike >= SAME_QUESTION - STRANGERS
