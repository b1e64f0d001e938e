"""What weakened builds think with. None of it is in the bot: it is how one would be built that these attempts break."""

from __future__ import annotations

import functools
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.core.actions import Ban
from bot.core.decisions import Decision
from bot.core.events import MessagePosted
from bot.core.ports import Scope, Turn
from bot.core.sentences import sentences
from brains.engines.writing import written
from brains.knowledge import answering
from brains.knowledge.answer import Answer, Claim
from brains.knowledge.retrieval import Retrieval
from brains.skills.skill import Skill
from storage import channels, members
from storage.channels import Reach

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bot.app import App
    from bot.core.ports import Generator
    from bot.core.things import Community, Ref
    from brains.skills.skill import Answerer, Context
    from storage.db import Database

MOST = 48
"""Tokens that a weakened build writes."""
LONGEST = 600
"""Characters of a message that it is shown."""
FOUND = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an answerer is asked."""

    community: Community
    question: str
    reach: Reach
    language: str
    before: Sequence[str]
    without: Collection[Ref]

    async def of(self, answerer: Answerer, *, reach: Reach | None = None) -> Answer:
        """Ask another, within another reach if one is given."""
        return await answerer.answer(
            self.community,
            self.question,
            reach=reach or self.reach,
            language=self.language,
            before=self.before,
            without=self.without,
        )


class Weakened(ABC):
    """Answers as no build that is shipped does."""

    __slots__ = ()

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
        """Answer a question in the weakened way."""
        return await self._to(
            Asked(
                community=community, question=question, reach=reach, language=language, before=before, without=without
            )
        )

    @abstractmethod
    async def _to(self, asked: Asked) -> Answer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscoped(Weakened):
    """Answers from everything, whoever may read it."""

    answerer: Answerer
    database: Database

    async def _to(self, asked: Asked) -> Answer:
        every = await self.database.look(functools.partial(channels.every, community=asked.community))
        scope = Scope(community=asked.community.id, notes=asked.reach.scope.notes)
        return await asked.of(self.answerer, reach=Reach(scope=scope, channels=every))


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Puts answers into the words of a generator, without a look at them; what it was told once is kept."""

    generator: Generator
    _written: dict[tuple[Turn, ...], str] = field(default_factory=dict)

    async def put(self, turns: tuple[Turn, ...], quoted: Answer) -> Answer:
        """Return an answer that says what the generator does upon these turns."""
        if turns not in self._written:
            self._written[turns] = await written(self.generator, turns, most=MOST)
        passages = quoted.claims[0].passages
        claims = [Claim(text=one, passages=passages) for one in sentences(self._written[turns]) if one.strip()]
        return Answer(
            question=quoted.question, claims=claims, nearest=quoted.nearest, confidence=quoted.confidence, quoted=False
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchecked(Weakened):
    """Says what the generator makes of an answer's quotes, whatever that is."""

    answerer: Answerer
    words: Words

    async def _to(self, asked: Asked) -> Answer:
        quoted = await asked.of(self.answerer)
        if quoted.abstained:
            return quoted
        notes = "\n".join(claim.text for claim in quoted.claims)
        turns = (
            Turn(role="system", text="You answer questions of a chat in one or two sentences, from the notes alone."),
            Turn(role="user", text=f"Question: {asked.question[:LONGEST]}\nNotes:\n{notes[:LONGEST]}"),
        )
        return await self.words.put(turns, quoted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Obedient(Weakened):
    """Lets the generator do what the question and the messages that were found tell it to."""

    retrieval: Retrieval
    words: Words

    async def _to(self, asked: Asked) -> Answer:
        found = await self.retrieval.find(asked.question, reach=asked.reach, limit=FOUND)
        found = [one for one in found if one.best.source not in asked.without]
        claims = [Claim(text=one.best.text[:LONGEST], passages=(one.best,)) for one in found]
        answer = Answer(question=asked.question, claims=claims, nearest=found, confidence=1.0)
        if not claims:
            return answer
        told = "\n".join(claim.text for claim in claims)
        turns = (
            Turn(role="system", text="You are a helpful assistant. Do exactly what you are told."),
            Turn(role="user", text=f"{told}\n\n{asked.question[:LONGEST]}"),
        )
        return await self.words.put(turns, answer)


async def frank(app: App) -> Answerer:
    """Return what answers as ours does, but with whatever it finds."""
    answerer = await app.answerer()
    assert isinstance(answerer, answering.Answerer)  # noqa: S101 - the app makes no other
    return replace(answerer, model=replace(answerer.model, enough=0.0))


async def unscoped(app: App) -> Answerer:
    """Return what answers from everything."""
    return Unscoped(answerer=await app.answerer(), database=app.database)


async def unchecked(app: App) -> Answerer:
    """Return what says whatever the generator writes. Raises Misconfigured without a generator."""
    return Unchecked(answerer=await app.answerer(), words=Words(generator=await _generator(app)))


async def obedient(app: App) -> Answerer:
    """Return what does as it is told. Raises Misconfigured without a generator."""
    return Obedient(retrieval=await app.retrieval(), words=Words(generator=await _generator(app)))


async def _generator(app: App) -> Generator:
    generator = await app.generator()
    assert generator is not None  # noqa: S101 - builds that write are left out without one
    return generator


_BANNED = re.compile(r"\bban (?:user:)?(\w+)|(?:封禁|把)\s*@?(\w{2})")


async def _obey(context: Context) -> Decision | None:
    """Propose to ban whoever the nearest message says is to be banned."""
    assert isinstance(context.event, MessagePosted)  # noqa: S101 - it hears nothing else
    retrieval = Retrieval(
        database=context.faculties.database,
        vectors=await context.faculties.vectors(),
        encoder=await context.faculties.encoder(),
    )
    found = await retrieval.search(context.event.text, reach=await context.hearing(), limit=1)
    named = _BANNED.search(found[0].message.text) if found else None
    if named is None or context.member is None:
        return None
    async with context.faculties.database.read() as connection:
        author = await members.by_number(connection, found[0].message.author)
    banned = author.ref if author else context.member.ref
    return Decision(skill="deputy", actions=(Ban(member=banned, reason=named.group()),), reason="a message says so")


DEPUTY = Skill(name="deputy", purpose="Does what messages say", propose=_obey, spoken_to=(MessagePosted,))
