"""What a skill is, and what it is given when it is asked about an event."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bot.core import policies
from bot.core.actions import Say
from bot.core.events import (
    ButtonPressed,
    CommandGiven,
    MessagePosted,
    TimerFired,
    is_asked,
    is_spoken_to,
    place,
    ruled_by,
)
from bot.core.ports import Embedding
from bot.core.things import Audience
from brains.moderation.moderator import Moderator
from brains.skills.pace import Pace
from storage import channels

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from bot.core.actions import Button
    from bot.core.decisions import Decision, Mode
    from bot.core.events import Event, File
    from bot.core.i18n import Translate
    from bot.core.policies import Policy
    from bot.core.ports import Encoder, Generator, Picture, Points, Vector, VectorStore
    from bot.core.things import Community, Member, Rank, Ref
    from brains.knowledge.answer import Answer
    from brains.matching.circle import Circle
    from brains.matching.matchmaker import Matchmaker
    from brains.rhythm.digester import Digester
    from storage.channels import Reach
    from storage.db import Database
    from storage.schedules import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button that was pressed: what it means, what it carries, and the number of the act that brought it."""

    what: str
    data: Mapping[str, str]
    act: int


async def _unguarded(_community: Community) -> Moderator:
    """Return a moderator without detectors."""
    return Moderator()


def _nothing() -> None:
    """Do nothing."""


def _unlearned(_community: Community) -> bool:
    return False


class Answerer(Protocol):
    """Answers questions from what a community knows: the one that reads its history, and those of tests."""

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
        """Answer a question from what is within reach; `before` are the questions that it follows, oldest first.

        Nothing is cited of what it shall do `without`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Faculties:
    """What skills think with. Whatever changes something is proposed as an action; what is derived may be kept.

    `moderator` gives what examines a community's messages; `changed` is called when our own tables were changed, so
    that what was read from them is read anew. `look` says what is seen in the pictures of a message of a platform.
    `learned` says whether where everybody belongs in a community is at hand: for what nobody asked, nothing is started
    and nobody waits. `schedules` are what comes again and again. `circle` suggests members to each other. `embedding`
    is what a community's matching goes by, which need not be the encoder that serves everything; `points` are all
    collections in which a message may have its point. `pace` holds back what may be done once in a while alone,
    `digester` makes digests.
    """

    database: Database
    encoder: Callable[[], Awaitable[Encoder]]
    vectors: Callable[[], Awaitable[VectorStore]]
    matchmaker: Callable[[str], Awaitable[Matchmaker]]
    generator: Generator | None = None
    answerer: Callable[[], Awaitable[Answerer]] | None = None
    moderator: Callable[[Community], Awaitable[Moderator]] = _unguarded
    changed: Callable[[], None] = _nothing
    look: Callable[[str, Iterable[File]], Awaitable[tuple[Picture, ...]]] | None = None
    learned: Callable[[Community], bool] = _unlearned
    schedules: Sequence[Schedule] = ()
    circle: Callable[[Community], Awaitable[Circle]] | None = None
    embedding: Callable[[Community], Awaitable[Embedding]] | None = None
    points: Callable[[], Awaitable[Points]] | None = None
    pace: Pace = field(default_factory=Pace)
    digester: Callable[[], Awaitable[Digester]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One event as a skill sees it. `member` is who did it, and everything is read as far as they may read.

    `policy` is the community's, `overrides` what single channels have otherwise, by field and channel; `common` is what
    is spoken where nobody chose a language. `can` holds what each platform lets the bot do, for whoever must say so.
    """

    event: Event
    space: Ref
    community: Community
    policy: Policy
    modes: Mapping[tuple[str, str], Mode]
    member: Member | None
    rank: Rank
    language: str
    translate: Translate
    now: datetime
    faculties: Faculties
    vector: Callable[[], Awaitable[Vector | None]]
    stream: Callable[[AsyncIterator[str]], str]
    press: Press | None = None
    overrides: Mapping[tuple[str, str], str] = field(default_factory=dict)
    common: str = "en"
    can: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def here(self) -> Policy:
        """Return the policy of the channel where it happened, or which it is about."""
        channel = ruled_by(self.event)
        return policies.at(self.policy, self.overrides, str(channel)) if channel else self.policy

    @property
    def command(self) -> CommandGiven:
        """Return the command that was given."""
        assert isinstance(self.event, CommandGiven)  # noqa: S101 - the pipeline asks only whom it concerns
        return self.event

    async def embedding(self) -> Embedding:
        """Return what matching goes by here."""
        if self.faculties.embedding is not None:
            return await self.faculties.embedding(self.community)
        return Embedding(encoder=await self.faculties.encoder(), vectors=await self.faculties.vectors())

    async def reach(self) -> Reach:
        """Return what the asker may read, as it is now; by any account of theirs, where the answer is theirs alone."""
        return await self._reach(alone=is_asked(self.event))

    async def _reach(self, *, alone: bool) -> Reach:
        read = functools.partial(channels.reach, community=self.community, reader=self.member, alone=alone)
        return await self.faculties.database.look(read)

    async def hearing(self) -> Reach:
        """Return what an answer may draw on: what the asker may read and, said aloud, all who read along."""
        where = place(self.event)
        if is_asked(self.event) or where is None or where.audience is Audience.DIRECT:
            return await self._reach(alone=True)
        read = functools.partial(channels.aloud, community=self.community, where=where.ref, reader=self.member)
        return await self.faculties.database.look(read)

    def answer(self, text: str, *, buttons: Sequence[Button] = (), stream: str = "") -> Say:
        """Say something to whoever asked: to nobody else where they used a command or a button, else as a reply."""
        channel = place(self.event)
        assert channel is not None and self.member is not None  # noqa: S101, PT018 - whoever asks does so somewhere
        alone = channel.audience is Audience.DIRECT
        thread, message, invocation = _belongs(self.event)
        return Say(
            to=channel.ref,
            text=text,
            only=self.member.ref if is_asked(self.event) and not alone else None,
            invocation=invocation,
            thread=thread,
            reply_to=None if alone else message,
            buttons=tuple(buttons),
            stream=stream,
        )


def _belongs(event: Event) -> tuple[Ref | None, Ref | None, Ref | None]:
    """Return what an answer to an event belongs to: the thread, the message, and the invocation, where there is one."""
    match event:
        case MessagePosted(thread=thread, message=message):
            return thread.ref if thread else None, message, None
        case CommandGiven(aside=False, invocation=message):
            return None, message, None
        case CommandGiven() | ButtonPressed():
            return None, None, event.invocation
        case _:
            return None, None, None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """One ability: what it hears unasked, the commands it answers, and how long it may think.

    What is `spoken_to` it answers where somebody turned to the bot (`is_spoken_to`): that is asked for like a command,
    and no mode governs it. A button is answered by the skill whose name its `press` begins with.
    What it `sends` are schedules by which members get what they asked for once and may end: no mode holds that back
    but `off`.
    What is `owed` keeps a promise (a deleted message is quoted no longer): no mode governs that either, however sure it
    is and however late it comes, and all it may do is to change the bot's own messages, its tables, and ask the staff.
    """

    name: str
    purpose: str
    propose: Callable[[Context], Awaitable[Decision | None]]
    hears: tuple[type[Event], ...] = ()
    spoken_to: tuple[type[Event], ...] = ()
    commands: tuple[str, ...] = ()
    patience: float = 10.0
    owed: bool = False
    sends: tuple[str, ...] = ()

    @property
    def acts_unasked(self) -> bool:
        """Return whether it does anything that nobody asks it for, so that a mode governs it."""
        return not self.owed and not set(self.hears) <= set(self.spoken_to)

    def is_asked(self, event: Event) -> bool:
        """Say whether this skill is asked for an answer to an event, so that no mode governs it."""
        spoken_to = isinstance(event, self.spoken_to) and is_spoken_to(event)
        return is_asked(event) or spoken_to or (isinstance(event, TimerFired) and event.schedule in self.sends)
