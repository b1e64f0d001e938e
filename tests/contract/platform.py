"""Every platform from its members' side: what people do there, and what they see. One driver a platform."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.core.actions import Button
from bot.core.errors import Unavailable
from bot.core.events import Arrival, CommandGiven, Event
from bot.core.ports import Adapter, Appealable
from bot.core.things import Ref
from tests.platforms import Refused

__all__ = ["Platform", "Recorder", "Refused", "Seen", "SeenChannel", "SeenMember", "asked", "no_appeals", "until_ready"]


@dataclass
class Recorder:
    """What the adapter hands over, in order; says no while `full`."""

    arrivals: list[Arrival] = field(default_factory=list)
    full: bool = False
    _grown: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def put(self, arrival: Arrival) -> bool:
        if self.full:
            raise Unavailable("The disk is full. Make room.")
        async with self._grown:
            self.arrivals.append(arrival)
            self._grown.notify_all()
        return True

    def forget(self, event: Event) -> None:
        """Leave out what no test asked for."""
        self.arrivals = [one for one in self.arrivals if one.event is not event]

    async def wait_for(self, fits: Callable[[Event], bool]) -> Event:
        async with asyncio.timeout(30), self._grown:
            await self._grown.wait_for(lambda: any(fits(one.event) for one in self.arrivals))
        return next(one.event for one in self.arrivals if fits(one.event))


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A message as a member sees it."""

    message: Ref
    author: Ref
    text: str
    deleted: bool
    edited: bool
    only_me: bool
    reply_to: Ref | None
    reactions: dict[str, set[Ref]]
    buttons: list[str]
    files: dict[str, bytes]
    options: list[str]
    event: str


@dataclass(frozen=True, kw_only=True)
class SeenMember:
    """A member as others see them."""

    here: bool
    banned: bool
    quiet: bool
    roles: set[str]


@dataclass(frozen=True, kw_only=True)
class SeenChannel:
    """A channel as a member sees it."""

    ref: Ref
    name: str
    description: str
    archived: bool
    private: bool
    direct: bool
    members: set[Ref]


CONNECTS = 20.0
"""Seconds until an adapter is connected."""
JOINING = "joining"
"""Channels are joined and left."""
LANGUAGE = "language"
"""It tells the language of who comes in."""
REFUSING = "refusing"
"""What cannot be stored is refused to whoever did it."""
OWN_BUTTONS = "own buttons"
"""A button can be for one member alone."""
BUTTONS = "buttons"
"""There are buttons under messages."""
COMMANDS = "commands"
"""A command is a thing of its own, which the platform checks; else it is the words of a message to the bot."""
EDITING = "editing"
"""People change what they wrote."""
DELETING = "deleting"
"""The bot is told when a message is deleted."""
AWAY = "away"
"""What was said while the bot was away is to be had."""
REACTING = "reacting"
"""People put emoji under messages."""
DESCRIBING = "describing"
"""Channels are described and renamed, which arrives."""
DELETING = "deleting"
"""It tells of a message that somebody took away."""
CLOSED = "closed"
"""A channel of a space can be closed to some of its members."""
SENDING = "sending"
"""People send files."""
BRINGING = "bringing"
"""It tells who brought the bot."""


class Platform(Protocol):
    """A platform in which a small community waits: an owner, a member, a public and a private channel, a message.

    The member has joined the public channel and wrote the message; the owner is in both channels. `greeter` is a role.
    `lacks` names what the platform does not have at all, and says why: its tests are left out, or say what it has
    instead. Its keys are the names above: what people do there. What the bot can do there, `adapter.can` says.
    """

    adapter: Adapter
    heard: Recorder
    bot: Ref
    space: Ref
    owner: Ref
    member: Ref
    public: Ref
    private: Ref
    message: Ref
    greeter: Ref
    lacks: Mapping[str, str]

    async def post(self, who: Ref, channel: Ref, text: str, reply_to: Ref | None = None) -> Ref: ...
    async def send(self, who: Ref, channel: Ref, name: str, data: bytes, text: str = "") -> Ref: ...
    def lose_files(self) -> None: ...
    def to_bot(self, text: str) -> str: ...
    async def edit(self, who: Ref, message: Ref, text: str) -> None: ...
    async def delete(self, who: Ref, message: Ref) -> None: ...
    async def react(self, who: Ref, message: Ref, emoji: str, *, on: bool) -> None: ...
    async def join(self, who: Ref, channel: Ref | None) -> None: ...
    async def leave(self, who: Ref, channel: Ref | None) -> None: ...
    async def arrive(self, name: str, language: str) -> Ref: ...
    async def command(self, who: Ref, channel: Ref, line: str) -> None: ...
    async def press(self, who: Ref, message: Ref, button: Button) -> None: ...
    async def describe(self, who: Ref, channel: Ref, description: str) -> None: ...
    async def bring_bot(self, who: Ref) -> None: ...
    async def settle(self) -> None: ...

    async def sees(self, who: Ref, channel: Ref) -> list[Seen]: ...
    async def channels(self, who: Ref) -> dict[Ref, SeenChannel]: ...
    async def who_is(self, member: Ref) -> SeenMember: ...
    async def planned(self, who: Ref, made: Ref) -> str: ...


async def asked(platform: Platform, who: Ref) -> Ref | None:
    """Have somebody ask for something where only then they can be answered alone; return what they asked with."""
    if "only-asked" not in platform.adapter.can:
        return None
    await platform.command(who, platform.public, "/help")
    event = await platform.heard.wait_for(lambda one: isinstance(one, CommandGiven) and one.member.ref == who)
    platform.heard.forget(event)
    return event.invocation if isinstance(event, CommandGiven) else None


async def no_appeals(_accounts: Collection[Ref]) -> list[Appealable]:
    """Answer an adapter as if nobody had anything to appeal."""
    return []


async def until_ready(ready: asyncio.Event, life: asyncio.Task[None]) -> None:
    """Wait until an adapter is connected; fail with what ended it instead."""
    waiting = asyncio.create_task(ready.wait())
    async with asyncio.timeout(CONNECTS):
        await asyncio.wait([waiting, life], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if life.done():
        life.result()
