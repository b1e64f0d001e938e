"""An answerer for tests: it quotes the reply in the nearest conversation with enough of the words."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.app import App
from bot.core.things import Community, Ref
from brains.knowledge.answer import Answer, Claim
from brains.knowledge.passages import Conversation, Passage
from storage.channels import Reach

SHARED = 0.5
"""Share of the question's words that a conversation must have."""


@dataclass(frozen=True, kw_only=True)
class WordAnswerer:
    """Answers from the history that an app holds, by words alone."""

    app: App

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
        retrieval = await self.app.retrieval()
        asked = " ".join([*before, question])
        found = await retrieval.find(asked, reach=reach, limit=8)
        wanted = _words(asked)
        for one in found:
            said = " ".join(passage.text for passage in one.passages) + one.best.heading
            share = len(wanted & _words(said)) / len(wanted)
            reply = _reply(one, question, wanted)
            if share >= SHARED and reply is not None and reply.source not in without:
                claim = Claim(text=reply.text, passages=(reply,))
                repeated = one.passages[0] if _words(one.passages[0].text) == _words(question) else None
                return Answer(
                    question=question, claims=(claim,), nearest=tuple(found), confidence=share, repeated=repeated
                )
        return Answer(question=question, claims=(), nearest=tuple(found), confidence=0.1)


def _reply(one: Conversation, question: str, wanted: set[str]) -> Passage | None:
    """Return what answers in a conversation: what asks nothing and shares most words, and one; of several the last."""
    told = [passage for passage in one.passages if passage.is_note or not re.search(r"[?？]\s*$", passage.text)]
    said = [
        passage
        for passage in reversed(told)
        if passage.text != question and (passage.is_note or wanted & _words(passage.text))
    ]
    return max(said, key=lambda passage: len(wanted & _words(passage.text)), default=None)


def _words(text: str) -> set[str]:
    chinese = {sign for sign in text if "\u4e00" <= sign <= "\u9fff"}
    return chinese | set(re.findall(r"[a-z]{4,}", text.casefold()))
