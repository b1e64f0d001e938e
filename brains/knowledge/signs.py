"""What speaks for a passage as the answer to a question: its words and sense, and what was said before and after it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.core.sentences import LONG, LONGEST, parts, sentences, width
from brains.knowledge import hints
from brains.knowledge.asking import asks
from brains.knowledge.terms import coverage, speaks_chinese, terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.ports import Vector
    from bot.core.things import Ref
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
SPOKEN = (
    "beside",
    "conversation",
    "rank_there",
    "behind",
    "starter",
    "after_question",
    "soon_after",
    "asked_itself",
    "thanked",
    "question_found",
    "nearest_question",
    "replies",
    "begins",
)
"""Signs that tell of what was said around a passage."""

_QUOTED = re.compile(r"^\s*(?:>|```quote|@?_?\S+ \[?said\]?(?:\(\S*\))?:\s*$)")

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
    found = [text for one in passages for text in (one.text, *((one.heading, _whole(one)) if one.is_note else ()))]
    return list(dict.fromkeys(text for text in found if text.strip()))


def closer(vector: Vector, vectors: Mapping[str, Vector], *, most: int) -> list[str]:
    """Return the sentences of those long texts that are nearest to a question, at most so many texts."""
    long = [text for text in vectors if parts(text)]
    nearest = sorted(long, key=lambda text: -float(vector @ vectors[text]))[:most]
    return list(dict.fromkeys(part for text in nearest for part in parts(text) if part not in vectors))


def _whole(one: Passage) -> str:
    """Return a passage as it is understood: a piece of a file under its heading."""
    return f"{one.heading}\n{one.text}" if one.is_note and one.heading else one.text


def judge(asked: Asked, conversations: Sequence[Conversation], vectors: Mapping[str, Vector]) -> list[Judged]:
    """Gather what speaks for each passage of conversations, which come best first; each passage once."""
    found: dict[object, Judged] = {}
    for rank, conversation in enumerate(conversations):
        for one in _of_conversation(asked, conversation, rank, vectors):
            found.setdefault(one.passage.source, one)
    judged = list(found.values())
    ranked = sorted(range(len(judged)), key=lambda at: -judged[at].signs["cosine"])
    ranks = {at: 1 / (1 + rank) for rank, at in enumerate(ranked)}
    nearest = max((one.signs["question_found"] for one in judged if not one.passage.is_note), default=0.0)
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
    cosine = {one.source: float(asked.vector @ vectors[_whole(one)]) for one in passages}
    asking = {one.source: _ends_asking(one.text) for one in passages}
    alike = {
        one.source: _likeness(asked, one, vectors)
        if not one.is_note and (at == 0 or _asks_somewhere(one.text)) and not _asks_else(asked, one)
        else 0.0
        for at, one in enumerate(passages)
    }
    spoken = [_sentences(asked, one, vectors) for one in passages]
    bests = [
        max(_telling(said), cosine[one.source] if one.is_note else 0.0)
        for one, said in zip(passages, spoken, strict=True)
    ]
    best_first = sorted(bests, reverse=True)
    judged = []
    for at, one in enumerate(passages):
        said, best = spoken[at], bests[at]
        others = sorted((each for place, each in enumerate(bests) if place != at), reverse=True)[:TOGETHER]
        neighbours = [bests[place] for place in (at - 2, at - 1, at + 1) if 0 <= place < len(bests)]
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
            "wonders": sum(asks(each) for each, _cosine in said) / len(said),
            "starter": float(at > 0 and one.author == passages[0].author and not one.is_note),
            **_after(at, passages, alike),
            "advises": float(hints.advises(one.text)),
            "decides": float(hints.decides(one.text)),
            "troubled": float(hints.troubled(one.text)),
            "begins": float(at == 0 and len(passages) > 1 and not one.is_note),
            "thanked": float(_is_thanked(one, passages, at)),
            "length": float(np.log1p(min(width(one.text), 1_000))),
            "short": float(width(one.text) < BRIEF),
            "place": 1 / (1 + rank),
            "found": float(one.source in hits),
            "behind": best - best_first[0],
            "question_found": max(alike.values(), default=0.0),
            "replies": _replies(at, passages, [alike[other.source] for other in passages]),
            "form": hints.form(asked.text, one.text),
            "note": float(one.is_note),
            "entry": _entry(asked, one, vectors),
            "across": float(speaks_chinese(asked.text) != speaks_chinese(one.text)),
        }
        signs |= _of_note(signs["entry"] if asks(one.heading) else 0.0) if one.is_note else {}
        judged.append(Judged(passage=one, conversation=rank, cosines=said, signs=signs, alike=alike[one.source]))
    return judged


def _asks_else(asked: Asked, one: Passage) -> bool:
    """Say whether a passage asks for something else than the question does: replies to it answer that."""
    return _asks_somewhere(one.text) and hints.wants_another(asked.text, one.text)


def _of_note(entry: float) -> dict[str, float]:
    """Return the signs of a note that presume a conversation: unknown, but that an entry follows its own question."""
    unknown = dict.fromkeys(SPOKEN, float("nan"))
    return unknown | ({"after_question": entry, "soon_after": entry} if entry else {})


def _after(at: int, passages: Sequence[Passage], alike: Mapping[Ref, float]) -> dict[str, float]:
    """Say how like the question is what others asked before a passage, and its author; and how soon it follows."""
    one = passages[at]
    before = [(at - place, passages[place]) for place in range(max(0, at - BEFORE), at)]
    others = [(far, other) for far, other in before if other.author != one.author]
    return {
        "after_question": max((alike[other.source] for _far, other in others), default=0.0),
        "soon_after": max((alike[other.source] / _far(one, far, other) for far, other in others), default=0.0),
        "asked_itself": max((alike[other.source] for _far, other in before if other.author == one.author), default=0.0),
    }


def _far(one: Passage, far: int, other: Passage) -> float:
    return 1.0 if one.reply_to == other.source else float(far) ** 0.5


def _sentences(asked: Asked, one: Passage, vectors: Mapping[str, Vector]) -> list[tuple[str, float]]:
    """Return the sentences of a passage with their cosines; those without a vector have the passage's."""
    whole = vectors[one.text]
    said = [each for each in sentences(one.text) if not is_quoted(each)] or [one.text.strip()]
    return [(each, float(asked.vector @ vectors.get(each[:LONGEST], whole))) for each in said]


def _telling(said: Sequence[tuple[str, float]]) -> float:
    """Return the best cosine of sentences that tell something, of those that ask where all do."""
    return max([each for sentence, each in said if not asks(sentence)] or [each for _sentence, each in said])


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
        other.author != one.author and width(other.text) < LONG and hints.thanks(other.text) for other in following
    )


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
