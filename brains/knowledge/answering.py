"""Answers a question with what the community said: whole sentences, each with its source, or nothing where unsure."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from brains.knowledge import confidence, extract, hints, signs
from brains.knowledge.answer import Answer
from brains.knowledge.asking import asks, condense
from brains.knowledge.terms import asked

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bot.core.ports import Encoder, Vector, VectorStore
    from bot.core.things import Community, Ref
    from brains.knowledge.confidence import Model
    from brains.knowledge.passages import Conversation
    from brains.knowledge.signs import Asked, Judged
    from storage.channels import Reach

CONVERSATIONS = 8
"""Conversations that are looked into."""
NEAREST = 3
"""Conversations that are shown where nothing answers."""
LONG_ONES = 10
"""Long messages that are looked at sentence by sentence."""
STAFFS = 0.97
"""How sure an entry of the staff's is at least where its question is nearly the one asked: it stands alone then."""
POOL = 50
"""Messages whose last is only roughly about a question: the cosine that is usual for it."""


class Finder(Protocol):
    """Finds conversations: retrieval, or retrieval that must not see what it is asked about."""

    async def find(
        self, question: str, *, reach: Reach, limit: int, vector: Vector | None = None
    ) -> list[Conversation]:
        """Return the conversations nearest to a question, whose vector as a query may be given, best first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """Answers within what its reader may read; nothing of a question or an answer is kept."""

    finder: Finder
    encoder: Encoder
    vectors: VectorStore
    model: Model = field(default_factory=confidence.shipped)

    async def answer(
        self,
        community: Community,
        question: str,
        *,
        reach: Reach,
        language: str,
        before: Sequence[str] = (),
        without: Collection[Ref] = (),
    ) -> Answer:
        """Answer a question in quotes of what was said; `before` are the questions that it follows up, oldest first.

        Quotes stay in the language they were written in, whatever the `language` of who asks. Nothing is cited of
        what it shall do `without`: sources of which somebody said that they do not answer.
        """
        if community.id != reach.scope.community:
            raise ValueError("a reach into another community")
        asked, conversations, judged = await self.look(condense(question, before), reach=reach)
        left = [one for one in judged if one.passage.source not in without]
        return replace(self.choose(asked, conversations, left), question=question)

    async def look(self, question: str, *, reach: Reach) -> tuple[Asked, list[Conversation], list[Judged]]:
        """Return a question as it is judged, the conversations nearest to it, and what speaks for their passages."""
        [vector] = await self.encoder.encode([question], kind="query")
        conversations, asked = await asyncio.gather(
            self.finder.find(question, reach=reach, limit=CONVERSATIONS, vector=vector),
            self._asked(question, vector, reach),
        )
        vectors = await self._vectors(signs.texts(conversations))
        vectors |= await self._vectors(signs.closer(asked.vector, vectors, most=LONG_ONES))
        return asked, conversations, await asyncio.to_thread(signs.judge, asked, conversations, vectors)

    async def _vectors(self, texts: Sequence[str]) -> dict[str, Vector]:
        return dict(zip(texts, await self.encoder.encode(texts), strict=True)) if texts else {}

    def choose(self, asked: Asked, conversations: Sequence[Conversation], judged: Sequence[Judged]) -> Answer:
        """Make the answer of what was judged, or none where nothing is likely enough."""
        if not judged:
            return Answer(question=asked.text, claims=(), nearest=(), confidence=0.0)
        again = {one.passage.source for one in judged if signs.asks_the_same(one)}
        entries = [one for one in judged if signs.is_entry_for(one)]
        # Who asks the same does not answer, and yet tells that it was spoken of: they are judged with the others.
        likely = self.model.probabilities(confidence.stack([one.signs for one in judged]))
        likely = np.where([_may_answer(asked, one) for one in judged], likely, 0.0)
        best = max(float(likely.max()), STAFFS) if entries else float(likely.max())
        nearest = _nearest(conversations, judged, likely.tolist())
        if best < self.model.enough:
            return Answer(question=asked.text, claims=(), nearest=nearest, confidence=best)
        if entries:
            ranked = [(best, max(entries, key=lambda one: one.signs["entry"]))]
        else:
            ranked = sorted(zip(likely.tolist(), judged, strict=True), key=lambda pair: -pair[0])
        chosen = extract.claims(asked, ranked, besides=self.model.besides)
        repeated = extract.repeated(chosen, conversations, lambda one: one.source in again)
        return Answer(question=asked.text, claims=chosen, nearest=nearest, confidence=best, repeated=repeated)

    async def _asked(self, question: str, vector: Vector, reach: Reach) -> Asked:
        [alike], weights, usual = await asyncio.gather(
            self.encoder.encode([question]), self._rarity(question, reach), self._usual(vector, reach)
        )
        known, unknown = signs.weigh(weights)
        return signs.Asked(text=question, vector=vector, alike=alike, weights=known, unknown=unknown, usual=usual)

    async def _usual(self, vector: Vector, reach: Reach) -> float:
        hits = await self.vectors.search(reach.scope, vector=vector, limit=POOL)
        return hits[-1].score if hits else 0.0

    async def _rarity(self, question: str, reach: Reach) -> Mapping[str, float | None]:
        """Return how rare each word of a question is: the best BM25 score that it attains alone; None if unused."""
        words = asked(question)
        found = await asyncio.gather(*(self.vectors.search(reach.scope, text=word, limit=1) for word in words))
        return {word: hits[0].score if hits else None for word, hits in zip(words, found, strict=True)}


def _may_answer(asked: Asked, one: Judged) -> bool:
    """Say whether a passage has what any answer needs, and does not rather ask the same: what else it tells is why."""
    if not hints.can_answer(asked.text, f"{one.passage.heading} {one.passage.text}"):
        return False
    scores = [(asks(sentence), cosine + signs.lexical(asked, sentence)) for sentence, cosine in one.cosines]
    asking, telling = ([score for asks_it, score in scores if asks_it == which] for which in (True, False))
    return one.passage.is_note or max(asking, default=0.0) <= max(telling, default=0.0)


def _nearest(
    conversations: Sequence[Conversation], judged: Sequence[Judged], likely: Sequence[float]
) -> list[Conversation]:
    """Return the conversations that answer likeliest, each led by the passage of it that does; not all were judged."""
    sure = {one.passage.source: each for each, one in zip(likely, judged, strict=True)}
    led = []
    for one in conversations:
        ranked = sorted(one.passages, key=lambda passage: -sure.get(passage.source, 0.0))
        first = [passage for passage in ranked[:1] if passage.source in sure]
        found = [*first, *(passage for passage in one.found if passage not in first)]
        led.append((sure[first[0].source] if first else 0.0, replace(one, found=found)))
    return [one for _sure, one in sorted(led, key=lambda pair: -pair[0])[:NEAREST]]
