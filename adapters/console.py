"""The command line as a platform: whoever hosts the bot gives it commands there, and reads the answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

from adapters.fetching import CANNOT
from bot.core.actions import Say
from bot.core.decisions import Receipt
from bot.core.errors import Mistake
from bot.core.events import Arrival, CommandGiven, Named
from bot.core.ports import Limits
from bot.core.things import Audience, Rank, Ref

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from bot.core.actions import Action
    from bot.core.commands import Command
    from bot.core.events import File

PLATFORM = "console"
OWNER = Named(ref=Ref(PLATFORM, "owner"), name="the owner, from the command line")


class Console:
    """Says things to nobody: what was said is kept with the act, where the command line reads it."""

    @property
    def platform(self) -> str:
        """Return the first part of every reference of the command line."""
        return PLATFORM

    @property
    def can(self) -> frozenset[str]:
        """Return that it answers, and to one alone."""
        return frozenset({"Say", "only"})

    @property
    def limits(self) -> Limits:
        """Return limits that nobody meets."""
        return Limits(chat=((100, 1.0),), overall=(100, 1.0))

    async def run(self, put: Callable[[Arrival], Awaitable[bool]], commands: Sequence[Command]) -> None:
        """Wait: commands come into the stream from another process."""
        await asyncio.Event().wait()

    async def act(self, action: Action) -> Receipt:
        """Take an answer."""
        if isinstance(action, Say):
            return Receipt(state="done", text=action.text)
        return Receipt(state="failed", error=f"the command line cannot {type(action).__name__}")

    async def fetch(self, file: File, *, limit: int) -> bytes:
        """Raise Mistake: nobody sends files by commands."""
        raise Mistake(CANNOT, platform="The command line")


def command(space: Named, name: str, arguments: Mapping[str, str], *, at: datetime) -> Arrival:
    """Give a command as the owner, in a community's own space."""
    place = Named(ref=Ref(PLATFORM, "here"), name="the command line", audience=Audience.DIRECT)
    given = CommandGiven(
        command=name,
        arguments=dict(arguments),
        member=OWNER,
        rank=Rank.OWNER,
        channel=place,
        at=at,
        invocation=Ref(PLATFORM, uuid4().hex),
    )
    return Arrival(space=space, event=given)
