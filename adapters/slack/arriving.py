"""Arrives in a workspace: hands over what changed while the bot was away, then what was said meanwhile.

Nothing waits for it: a workspace may have thousands of channels, and Slack lets them be listed slowly.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.slack import names, told
from adapters.slack.directory import room_of
from adapters.slack.web import Refused
from bot.core.errors import Gone, Overloaded
from bot.core.events import BotAdded
from bot.core.things import Audience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from adapters.slack.directory import Directory, Room
    from adapters.slack.incoming import Incoming
    from adapters.slack.told import Told
    from adapters.slack.web import Api
    from bot.core.clock import Clock
    from bot.core.events import Event
    from bot.core.ports import KnownChannel
    from bot.core.things import Ref

log = logging.getLogger(__name__)

PAGE, MANY = 200, 999
"""How many of anything are asked for at once, as Slack recommends, and of what there are thousands, as it allows."""
ALL_KINDS = "public_channel,private_channel,mpim,im"
WAITS = 1.5
"""Seconds that what is said now waits for what was said before it: it must be acknowledged within three."""
GRACE = 3.0
"""Seconds in which Slack has told what was said while the line was opened."""
BACK = 3 * 24 * 3600
"""Seconds before the newest stored message in which changed words and threads with new answers are looked for."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


@dataclass(slots=True, kw_only=True)
class Gap:
    """A channel in which something was missed: after the newest message that is stored, up to the first new one.

    `threads` are the newest stored answers of its threads.
    """

    channel: str
    after: str
    threads: dict[str, str] = field(default_factory=dict)
    before: str = ""
    begun: bool = False
    closed: asyncio.Event = field(default_factory=asyncio.Event)


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
        self._api = api
        self._incoming = incoming
        self._directory: Directory = incoming.directory
        self._clock = clock
        self._then = then
        self._since = api.time
        """By Slack's own clock, before when nothing comes by the new line."""
        self._gaps = {one.channel: one for one in find_gaps(then or {})}
        self._give: Callable[[Event], Awaitable[None]] | None = None
        self._reading: asyncio.TaskGroup | None = None
        self._met = asyncio.Event()
        self.listed = asyncio.Event()
        """Set once every channel was told of."""

    # What is said meanwhile

    async def caught_up(self, channel: str) -> None:
        """Have a channel read on first, since somebody speaks there, and wait for that a little."""
        if gap := self._gaps.get(channel):
            self._begin(gap)
            try:
                async with asyncio.timeout(WAITS):
                    await gap.closed.wait()
            except TimeoutError:
                log.info("channel %s is still read on", channel)

    def note(self, channel: str, ts: str) -> None:
        """Note the first new message of a channel, up to which it is read on."""
        if (gap := self._gaps.get(channel)) and not gap.before:
            gap.before = ts

    # Looking over

    async def look_over(self, give: Callable[[Event], Awaitable[None]]) -> None:
        """Hand over how the workspace is now, and what was said while the bot was away."""
        self._give = give
        try:
            mine = [room async for room in self._mine()]
            if self._then is None and any(room.audience is not Audience.DIRECT for room in mine):
                await give(BotAdded(at=self._clock.now()))
            await self._tell(mine, give)
            async with asyncio.TaskGroup() as group:
                group.create_task(_safely("what was said meanwhile", self._read_on({room.id for room in mine})))
                group.create_task(_safely("who is in the closed channels", self._count(mine, give)))
                group.create_task(_safely("the members", self._list_people()))
                group.create_task(_safely("the channels", self._list_rooms(give)))
        except Refused as refused:
            log.warning("the channels that the bot is in are not known: %s", refused)
        finally:
            for gap in self._gaps.values():
                gap.closed.set()
            self._gaps.clear()

    async def _mine(self) -> AsyncIterator[Room]:
        """Give the rooms that the bot is in."""
        async for one in self._pages("users.conversations", "channels", types=ALL_KINDS, exclude_archived=True):
            room = room_of(one, mine=True)
            if room.id:
                yield self._directory.learn_room(room)

    async def _list_people(self) -> None:
        """Learn every member, page by page."""
        try:
            async for answer in self._answers("users.list", limit=MANY, include_locale=True):
                for one in told.parts(answer, "members"):
                    if self._directory.known_person(told.text(one, "id")) is None:
                        self._directory.learn_person(one)
        finally:
            self._met.set()

    async def _list_rooms(self, give: Callable[[Event], Awaitable[None]]) -> None:
        """Learn every open channel, page by page, and tell of it."""
        there: set[Ref] = {names.ref(room.id) for room in self._directory.rooms}
        async for answer in self._answers("conversations.list", limit=MANY, types="public_channel"):
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
        if room.audience is Audience.DIRECT:
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
                pages = self._pages_of_texts("conversations.members", "members", channel=room.id)
                self._directory.count(room.id, {user async for user in pages})

    async def _tell_readers(self, rooms: Sequence[Room], give: Callable[[Event], Awaitable[None]]) -> None:
        for user in sorted({user for room in rooms for user in self._directory.inside(room.id)}):
            person = await self._directory.person(user)
            if not person.bot:
                await give(self._incoming.changed(person))

    # Reading on

    async def _read_on(self, channels: set[str]) -> None:
        """Read each channel on that the bot is in, one after the other; one in which somebody speaks at once."""
        for channel in list(self._gaps):
            if channel not in channels:
                self._gaps.pop(channel).closed.set()
        async with asyncio.TaskGroup() as group:
            self._reading = group
            for gap in list(self._gaps.values()):
                self._begin(gap)
                await gap.closed.wait()
        self._reading = None

    def _begin(self, gap: Gap) -> None:
        if not gap.begun and self._reading is not None:
            gap.begun = True
            self._reading.create_task(self._close(gap))

    async def _close(self, gap: Gap) -> None:
        try:
            await self._read(gap)
        except Refused as refused:
            log.warning("what was said in channel %s meanwhile cannot be read: %s", gap.channel, refused)
        finally:
            gap.closed.set()

    async def _read(self, gap: Gap) -> None:
        """Hand over what was said in a channel and its threads, oldest first, and what was changed lately."""
        assert self._give is not None  # noqa: S101 - it is looked over only then
        since = _earlier(gap.after, BACK)
        until = str(self._api.time + 1)
        found = [
            one
            async for one in self._pages(
                "conversations.history", "messages", channel=gap.channel, oldest=since, latest=until
            )
        ]
        answers: list[Told] = []
        for one in found:
            began, newest = told.text(one, "ts"), told.text(one, "latest_reply")
            known = gap.threads.get(began) or gap.after
            if newest and _is_after(newest, known):
                pages = self._pages(
                    "conversations.replies", "messages", channel=gap.channel, ts=began, oldest=known, latest=until
                )
                answers += [answer async for answer in pages if _is_after(told.text(answer, "ts"), known)]
        said = sorted([*found, *answers], key=lambda one: _revision(told.text(one, "ts")))
        old = [one for one in said if _revision(told.text(one, "ts")) < self._since * names.MICROSECONDS]
        for one in old:
            await self._tell_said(one, gap)
        gap.closed.set()
        if len(said) > len(old):
            # Slack may be telling these by itself right now, as what is to be answered: that goes first.
            await self._clock.sleep(GRACE)
            for one in said[len(old) :]:
                await self._tell_said(one, gap)

    async def _tell_said(self, message: Told, gap: Gap) -> None:
        assert self._give is not None  # noqa: S101 - it is looked over only then
        ts, edited = told.text(message, "ts"), told.text(message, "edited", "ts")
        if not _revision(ts) or (gap.before and not _is_after(gap.before, ts)):
            return
        is_answer = told.text(message, "thread_ts") not in {"", ts}
        event: Event | None = None
        if is_answer or _is_after(ts, gap.after):
            event = await self._incoming.posted(message, gap.channel)
        elif edited and _is_after(edited, gap.after):
            event = await self._incoming.edited(message, {}, gap.channel, edited)
        if event is not None:
            await self._give(event)

    # Pages

    async def _pages(self, method: str, what: str, /, **given: object) -> AsyncIterator[Told]:
        """Give what stands in a list of many pages; where Slack says to wait, that is done."""
        async for answer in self._answers(method, limit=PAGE, **given):
            for one in told.parts(answer, what):
                yield one

    async def _pages_of_texts(self, method: str, what: str, /, **given: object) -> AsyncIterator[str]:
        async for answer in self._answers(method, limit=PAGE, **given):
            for one in told.texts(answer, what):
                yield one

    async def _answers(self, method: str, /, *, limit: int, **given: object) -> AsyncIterator[Told]:
        cursor = ""
        while True:
            answer = await self._asked(method, limit=limit, cursor=cursor or None, **given)
            yield answer
            following = told.text(answer, "response_metadata", "next_cursor")
            if not following or following == cursor:
                return
            cursor = following

    async def _asked(self, method: str, /, **given: object) -> Told:
        """Ask until Slack answers."""
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._api.call(method, who="bot", **given)
            except Overloaded as busy:
                await self._clock.sleep(busy.after)
            except Gone as gone:
                log.info("%s is asked again in %g s: %s", method, pause, gone)
                await self._clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)


async def _safely(what: str, work: Awaitable[None]) -> None:
    """Do something that Slack may refuse, without which the rest goes on."""
    try:
        await work
    except Refused as refused:
        log.warning("%s: that cannot be read: %s", what, refused)


async def _given(give: Callable[[Event], Awaitable[None]], event: Event) -> None:
    await give(event)


def find_gaps(known: Mapping[Ref, KnownChannel]) -> list[Gap]:
    """Find where something may have been said that is not stored: after the newest message of each channel.

    In a channel where nothing was ever read, what is newer than all that is stored.
    """
    newest: dict[str, str] = {}
    threads: dict[str, dict[str, str]] = {}
    for ref, one in known.items():
        if one.archived or one.channel.audience is Audience.DIRECT:
            continue
        try:
            latest = names.parts(one.latest).ts if one.latest else ""
            channel = names.parts(ref).channel if one.thread else names.own(ref)
        except names.Unknown:
            continue
        if one.thread and latest:
            threads.setdefault(channel, {})[names.parts(ref).ts] = latest
        elif not one.thread:
            newest[channel] = latest
    stored = [ts for ts in (*newest.values(), *(ts for some in threads.values() for ts in some.values())) if ts]
    if not stored:
        return []  # nothing was ever read here; old messages come by the back-fill
    last = max(stored, key=_revision)
    return [Gap(channel=channel, after=ts or last, threads=threads.get(channel, {})) for channel, ts in newest.items()]


def _revision(ts: str) -> int:
    try:
        return names.revision(ts)
    except ValueError:
        return 0


def _is_after(ts: str, other: str) -> bool:
    return _revision(ts) > _revision(other)


def _earlier(ts: str, seconds: int) -> str:
    return f"{max(_revision(ts) // names.MICROSECONDS - seconds, 0)}.000000"


def _looks(then: KnownChannel) -> tuple[object, ...]:
    return then.channel.name, then.channel.audience, then.description, then.archived


def _now(room: Room) -> tuple[object, ...]:
    return room.name, room.audience, room.description, room.archived
