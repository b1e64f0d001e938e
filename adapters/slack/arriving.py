"""Arrives in a workspace: hands over what changed while the bot was away, then what was said meanwhile.

Nothing waits for it: a workspace may have thousands of channels, and Slack lets them be listed slowly.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from adapters.slack import names, told
from adapters.slack.catching_up import CatchingUp
from adapters.slack.directory import room_of
from adapters.slack.pages import MANY, Pages
from adapters.slack.web import Refused
from bot.core.events import BotAdded
from bot.core.things import Audience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from adapters.slack.directory import Directory, Room
    from adapters.slack.incoming import Incoming
    from adapters.slack.web import Api
    from bot.core.clock import Clock
    from bot.core.events import Event
    from bot.core.ports import KnownChannel
    from bot.core.things import Ref

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Members of whom is told in one go."""
ALL_KINDS = "public_channel,private_channel,mpim,im"


class Arriving:
    """Looks over one workspace; `then` is what was known of it before anything new was told, None if nothing was."""

    def __init__(
        self,
        *,
        api: Api,
        incoming: Incoming,
        clock: Clock,
        then: Mapping[Ref, KnownChannel] | None,
    ) -> None:
        self._pages = Pages(api, clock)
        self._incoming = incoming
        self._directory: Directory = incoming.directory
        self._clock = clock
        self._then = then
        self._catching_up = CatchingUp(api=api, pages=self._pages, incoming=incoming, clock=clock, then=then or {})
        self._give: Callable[[Event], Awaitable[None]] | None = None
        self._met = asyncio.Event()
        self.listed = asyncio.Event()
        """Set once every channel was told of."""

    async def caught_up(self, channel: str) -> None:
        """Have a channel read on first, since somebody speaks there, and wait for that a little."""
        await self._catching_up.wait_for(channel)

    def note(self, channel: str, ts: str) -> None:
        """Note the first new message of a channel, up to which it is read on."""
        self._catching_up.note(channel, ts)

    async def look_over(self, give: Callable[[Event], Awaitable[None]]) -> None:
        """Hand over how the workspace is now, and what was said while the bot was away."""
        self._give = give
        try:
            mine = [room async for room in self._mine()]
            if self._then is None and any(room.audience is not Audience.DIRECT for room in mine):
                await give(BotAdded(at=self._clock.now()))
            await self._tell(mine, give)
            async with asyncio.TaskGroup() as group:
                group.create_task(
                    _safely("what was said meanwhile", self._catching_up.read({room.id for room in mine}, give))
                )
                group.create_task(_safely("who is in the closed channels", self._count(mine, give)))
                group.create_task(_safely("the members", self._list_people()))
                group.create_task(_safely("the channels", self._list_rooms(give)))
        except Refused as refused:
            log.warning("the channels that the bot is in are not known: %s", refused)
        finally:
            self._catching_up.end()

    async def _mine(self) -> AsyncIterator[Room]:
        """Give the rooms that the bot is in."""
        async for one in self._pages.each("users.conversations", "channels", types=ALL_KINDS, exclude_archived=True):
            room = room_of(one, mine=True)
            if room.id:
                yield self._directory.learn_room(room)

    async def _list_people(self) -> None:
        """Learn every member, page by page."""
        try:
            async for answer in self._pages.answers("users.list", limit=MANY, include_locale=True):
                for one in told.parts(answer, "members"):
                    if self._directory.known_person(told.text(one, "id")) is None:
                        self._directory.learn_person(one)
        finally:
            self._met.set()

    async def _list_rooms(self, give: Callable[[Event], Awaitable[None]]) -> None:
        """Learn every open channel, page by page, and tell of it."""
        there: set[Ref] = {names.ref(room.id) for room in self._directory.rooms}
        async for answer in self._pages.answers("conversations.list", limit=MANY, types="public_channel"):
            page = [room for room in map(room_of, told.parts(answer, "channels")) if room.id]
            there |= {names.ref(room.id) for room in page}
            new = [room for room in page if self._directory.known_room(room.id) is None]
            await self._tell([self._directory.learn_room(room) for room in new], give)
        await self._tell_missing(there, give)
        self.listed.set()

    async def _tell(self, rooms: Sequence[Room], give: Callable[[Event], Awaitable[None]]) -> None:
        """Tell each room that is not as it was left, all at once: that is stored in one go."""
        async with asyncio.TaskGroup() as group:
            for room in rooms:
                if self._is_worth_a_word(room):
                    group.create_task(_given(give, self._incoming.channel(room, unconfirmed=True)))

    def _is_worth_a_word(self, room: Room) -> bool:
        """Say whether a room is not as it was left; of a closed one nobody knows who may read it now."""
        then = (self._then or {}).get(names.ref(room.id))
        if room.audience is Audience.DIRECT or (then is None and room.archived):
            return False
        return room.audience is Audience.MEMBERS or then is None or _looks(then) != _now(room)

    async def _tell_missing(self, there: set[Ref], give: Callable[[Event], Awaitable[None]]) -> None:
        """Tell of channels that were there and are not to be seen any more; whether they are gone nobody says."""
        for ref, then in (self._then or {}).items():
            lost = not (then.thread or then.archived or then.channel.audience is Audience.DIRECT)
            if lost and ref not in there:
                await give(self._incoming.missing(then))

    async def _count(self, rooms: Sequence[Room], give: Callable[[Event], Awaitable[None]]) -> None:
        """Learn who is in the closed channels, and say of each member what they may read, once they have names."""
        await self._learn_members(rooms)
        self._directory.counted = True
        await self._met.wait()
        await self._tell_readers(rooms, give)

    async def count_members(self, rooms: Sequence[Room]) -> None:
        """Learn who is in a closed channel to which the bot came, and say of each what they may read."""
        await self._learn_members(rooms)
        if self._give is not None:
            await self._tell_readers(rooms, self._give)

    async def _learn_members(self, rooms: Sequence[Room]) -> None:
        for room in rooms:
            if room.audience is Audience.MEMBERS:
                await _safely(f"who is in channel {room.id}", self._learn_members_of(room.id))

    async def _learn_members_of(self, channel: str) -> None:
        """Learn who is in a closed channel; if somebody came or left while that was read, it is read again."""
        moves = None
        while moves != self._directory.moves(channel):
            moves = self._directory.moves(channel)
            pages = self._pages.texts("conversations.members", "members", channel=channel)
            users = {user async for user in pages}
        self._directory.count(channel, users)

    async def _tell_readers(self, rooms: Sequence[Room], give: Callable[[Event], Awaitable[None]]) -> None:
        users = sorted({user for room in rooms for user in self._directory.inside(room.id)})
        for start in range(0, len(users), AT_ONCE):
            people = await asyncio.gather(*map(self._directory.person, users[start : start + AT_ONCE]))
            events = [self._incoming.changed(person) for person in people if not person.bot]
            await asyncio.gather(*map(give, events))


async def _safely(what: str, work: Awaitable[None]) -> None:
    """Do something that Slack may refuse, without which the rest goes on."""
    try:
        await work
    except Refused as refused:
        log.warning("%s: that cannot be read: %s", what, refused)


async def _given(give: Callable[[Event], Awaitable[None]], event: Event) -> None:
    await give(event)


def _looks(then: KnownChannel) -> tuple[object, ...]:
    return then.channel.name, then.channel.audience, then.description, then.archived


def _now(room: Room) -> tuple[object, ...]:
    return room.name, room.audience, room.description, room.archived
