"""What a skill is, and what it is given when it is asked about an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.actions import Say
from bot.core.events import ButtonPressed, CommandGiven, FormSubmitted, MessagePosted, place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from bot.core.actions import Button
    from bot.core.decisions import Decision, Mode
    from bot.core.events import Event
    from bot.core.i18n import Translate
    from bot.core.policies import Policy
    from bot.core.ports import Encoder, Generator, Vector, Vectors
    from bot.core.things import Member, Rank, Ref
    from brains.matching.suggest import Matchmaker
    from storage.communities import Community
    from storage.db import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button that was pressed: what it means, what it carries, and the number of the act that brought it."""

    what: str
    data: Mapping[str, str]
    act: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Faculties:
    """What skills think with. Only reads: whatever changes something is proposed as an action."""

    database: Database
    encoder: Callable[[], Awaitable[Encoder]]
    vectors: Callable[[], Awaitable[Vectors]]
    matchmaker: Callable[[str], Awaitable[Matchmaker]]
    generator: Generator | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One event as a skill sees it. `member` is who did it, and everything is read as far as they may read."""

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

    @property
    def command(self) -> CommandGiven:
        """Return the command that was given."""
        assert isinstance(self.event, CommandGiven)  # noqa: S101 - the pipeline asks only whom it concerns
        return self.event

    def answer(self, text: str, *, buttons: Sequence[Button] = (), stream: str = "") -> Say:
        """Say something to whoever asked, and to nobody else where the platform can."""
        channel = place(self.event)
        asked = self.event if isinstance(self.event, CommandGiven | ButtonPressed | FormSubmitted) else None
        assert channel is not None and self.member is not None  # noqa: S101, PT018 - whoever asks does so somewhere
        return Say(
            to=channel.ref,
            text=text,
            only=self.member.ref,
            invocation=asked.invocation if asked else None,
            reply_to=self.event.message if isinstance(self.event, MessagePosted) else None,
            buttons=tuple(buttons),
            stream=stream,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """One ability: what it hears unasked, the commands it answers, and how long it may think.

    A button is answered by the skill whose name its `press` begins with.
    """

    name: str
    purpose: str
    propose: Callable[[Context], Awaitable[Decision | None]]
    hears: tuple[type[Event], ...] = ()
    commands: tuple[str, ...] = ()
    patience: float = 10.0
