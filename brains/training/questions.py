"""Questions with the messages that answer them: of a file, and of a history whose own questions were answered in it."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.core.sentences import sentences, width
from brains.knowledge.asking import asks, is_question
from brains.knowledge.terms import terms
from brains.training import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bot.core.ports import Vector
    from bot.core.things import Message
    from brains.knowledge.answering import Finder
    from brains.knowledge.passages import Conversation, Passage
    from storage.channels import Reach

REPLIES = 6
"""Messages after a question of a history among which its answer is taken to be."""
SAYS = 40
"""Width from which a reply may be an answer."""
OPENING = 3
"""Messages of a thread among which its question is looked for."""
TERMS = (4, 24)
"""Terms of a question that can be understood alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, and the imported ids of what answers it; none where nothing does.

    `judged` are ids that a judge who saw only question and message found to answer it too, `refused` are the others.
    """

    id: str
    split: str
    language: str
    text: str
    messages: frozenset[str]
    judged: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    @property
    def answerable(self) -> bool:
        """Return whether anything answers it."""
        return bool(self.messages)


def read(path: Path, *, split: str = "") -> list[Question]:
    """Read the questions of a file, of one split where one is named. Raises Mistake."""
    found = []
    for row in rows.rows(path):
        one = Question(
            id=row.text("id"),
            split=row.text("split"),
            language=row.text("lang", default="en"),
            text=row.text("question"),
            messages=_ids(row, "messages"),
            judged=_ids(row, "judged") if "judged" in row.values else frozenset(),
            refused=_ids(row, "refused") if "refused" in row.values else frozenset(),
        )
        if bool(row.values.get("answerable", one.answerable)) != one.answerable:
            raise row.wrong("answerable", "true exactly where `messages` names some")
        found.append(one)
    return [one for one in found if not split or one.split == split]


def _ids(row: rows.Row, column: str) -> frozenset[str]:
    value = row.values.get(column)
    if not isinstance(value, list):
        raise row.wrong(column, "a list of ids")
    return frozenset(str(one) for one in value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question to learn from, as message numbers: what answers it, what perhaps does, and what must not be seen."""

    text: str
    answers: frozenset[int]
    perhaps: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()


def of_history(messages: Sequence[Message], *, most: int, seed: int = 7) -> list[Case]:
    """Make cases of a history's own questions: their message is hidden, then all of their thread, so nothing answers.

    What others said soon after is taken for the answer, and what they said later perhaps is one.
    """
    threads: defaultdict[int, list[Message]] = defaultdict(list)
    for one in messages:
        if one.thread is not None:
            threads[one.thread].append(one)
    found = [case for said in threads.values() if (case := _case(said))]
    drawn = random.Random(seed).sample(found, min(most, len(found)))
    return [each for case in drawn for each in (case, _unanswered(case, threads, messages))]


def _case(said: Sequence[Message]) -> Case | None:
    for at, one in enumerate(said[:OPENING]):
        if one.author != said[0].author or not is_question(one.text) or not (text := _question(one.text)):
            continue
        later = [other for other in said[at + 1 :] if other.author != one.author]
        soon = {other.id for other in said[at + 1 : at + 1 + REPLIES]}
        answers = {other.id for other in later if other.id in soon and _may_answer(other.text)}
        if answers:
            others = frozenset(other.id for other in later) - answers
            return Case(text=text, answers=frozenset(answers), perhaps=others, hidden=frozenset({one.id}))
    return None


def _question(text: str) -> str:
    """Return the sentences of a message that ask, where they can be understood alone."""
    asking = [one for one in sentences(text) if asks(one) and not one.startswith("```")]
    whole = " ".join(" ".join(asking[:2]).split())
    return whole if TERMS[0] <= len(terms(whole)) <= TERMS[1] else ""


def _may_answer(text: str) -> bool:
    said = sentences(text)
    return bool(said) and width(text) >= SAYS and not asks(said[-1])


def _unanswered(case: Case, threads: dict[int, list[Message]], messages: Iterable[Message]) -> Case:
    own = next(iter(case.hidden))
    thread = next(one.thread for one in messages if one.id == own)
    hidden = frozenset(one.id for one in threads[thread or 0])
    return replace(case, answers=frozenset(), perhaps=frozenset(), hidden=hidden)


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """A finder that does not see some messages: those that a question of the history was taken from."""

    finder: Finder
    hidden: frozenset[int]

    async def find(
        self, question: str, *, reach: Reach, limit: int, vector: Vector | None = None
    ) -> list[Conversation]:
        """Return the conversations nearest to a question, best first, without what is hidden."""
        found = await self.finder.find(question, reach=reach, limit=limit + OPENING, vector=vector)
        shown = [replace(one, passages=self._seen(one.passages), found=self._seen(one.found)) for one in found]
        return [one for one in shown if one.found][:limit]

    def _seen(self, passages: Sequence[Passage]) -> list[Passage]:
        return [one for one in passages if one.number not in self.hidden]
