"""Takes in what Slack tells, each thing in its turn, and acknowledges it once it is on disk, never before."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.hearing import Handover, said
from adapters.slack import names, told
from adapters.slack.directory import described
from adapters.slack.incoming import stamp
from adapters.slack.interactions import refs_in
from adapters.slack.routing import Router
from adapters.slack.web import Refused
from bot.core.errors import Unavailable
from bot.core.events import Arrival, BotAdded, MessagePosted
from bot.core.log import trail
from bot.core.things import Audience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from adapters.slack.arriving import Arriving
    from adapters.slack.directory import Room
    from adapters.slack.incoming import Incoming
    from adapters.slack.interactions import Interactions
    from adapters.slack.told import Told
    from bot.core.clock import Clock
    from bot.core.commands import Command
    from bot.core.events import Event

log = logging.getLogger(__name__)

LATE = timedelta(minutes=5)
"""What happened longer than this before the bot began is nothing to answer any more."""
SLOW = 2.5
"""Seconds after which an acknowledgement comes late enough for Slack to send again soon."""
CHANGES = {"channel_topic": "topic", "group_topic": "topic", "channel_purpose": "purpose", "group_purpose": "purpose"}
CONVERTS = {
    "channel_convert_to_private": Audience.MEMBERS,
    "channel_convert_to_public": Audience.EVERYONE,
}
ARCHIVED = {"channel_archive": True, "group_archive": True, "channel_unarchive": False, "group_unarchive": False}


class Ears:
    """Hears for one bot in one workspace."""

    def __init__(
        self,
        *,
        incoming: Incoming,
        interactions: Interactions,
        arriving: Arriving,
        put: Callable[[Arrival], Awaitable[bool]],
        clock: Clock,
        commands: Sequence[Command],
        is_new: Callable[[], Awaitable[bool]],
    ) -> None:
        self._incoming = incoming
        self._directory = incoming.directory
        self._interactions = interactions
        self.arriving = arriving
        """Whoever looks the workspace over; another one after each hole in the connection."""
        self._handover = Handover(put, clock=clock)
        self._commands = commands
        self._is_new = is_new
        self._since = clock.now()
        self._was_brought = False
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._router = Router(self, me=self._directory.me, team=self._directory.team.ref.id)
        self.tasks: set[asyncio.Task[None]] = set()
        """What is being done right now."""

    def take(self, envelope: Told, acknowledge: Callable[[Told | None], Awaitable[None]]) -> None:
        """Take in an envelope, beside those before it; what they tell is stored in their order."""
        self.side_by_side(self._take(envelope, acknowledge))

    def side_by_side(self, work: Awaitable[None]) -> None:
        """Do something beside everything else; trouble with it is logged."""

        async def do() -> None:
            try:
                await work
            except (Unavailable, Refused, ValueError) as away:
                log.warning("something of Slack's could not be done: %s", away)

        task = asyncio.create_task(do())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def close(self) -> None:
        """Let go of what is still being done; what was not stored is not acknowledged."""
        for task in list(self.tasks):
            task.cancel()
        if self.tasks:
            await asyncio.wait(list(self.tasks))

    async def _take(self, envelope: Told, acknowledge: Callable[[Told | None], Awaitable[None]]) -> None:
        began = time.monotonic()
        try:
            answer = await self._router.dispatch(envelope)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - an envelope is somebody else's, and the connection lives on
            log.error("an envelope of Slack is not as it should be and is passed over: %s", trail(error))
            answer = None
        if (took := time.monotonic() - began) > SLOW:
            log.warning("an envelope of Slack took %.1f s until it was stored; Slack may have sent it again", took)
        await acknowledge(answer)

    # What is in envelopes

    async def event(self, payload: Told) -> None:
        """Store what happened, in the order of each channel; returns once it is, however long that takes."""
        event = told.part(payload, "event")
        async with self._turns[_place(event)]:
            arrivals = [
                Arrival(space=self._directory.team, event=one, live=self._is_live(one))
                for one in await self._events(event)
            ]
        for arrival in arrivals:
            await self._handover.give(arrival)

    async def command(self, payload: Told) -> Told | None:
        """Take in a slash command."""
        return await self._interactions.command(payload)

    async def shortcut(self, payload: Told) -> Told | None:
        """Take in what was chosen from the menu of a message."""
        return await self._interactions.shortcut(payload)

    async def pressed(self, payload: Told) -> Told | None:
        """Take in a button."""
        return await self._interactions.pressed(payload)

    async def form(self, payload: Told) -> Told | None:
        """Take in a form that was filled in."""
        return await self._interactions.form(payload)

    async def late(self, event: Event) -> None:
        """Store what was read up on, or how something is: learned from, and never answered."""
        await self._handover.give(Arrival(space=self._directory.team, event=event, live=False))

    def _is_live(self, event: Event) -> bool:
        at: datetime = event.at
        return at >= self._since - LATE

    async def _events(self, event: Told) -> Sequence[Event]:
        """Return what happened in our words, in order."""
        try:
            return [one for one in await self._read(event) if one is not None]
        except ValueError as odd:
            log.warning("a %s of Slack is passed over: %s", told.text(event, "type")[:40], odd)
            return []

    async def _read(self, event: Told) -> Sequence[Event | None]:
        match kind := told.text(event, "type"):
            case "message":
                return await self._message(event)
            case "reaction_added" | "reaction_removed":
                return [await self._incoming.reaction(event)]
            case "member_joined_channel" if told.text(event, "user") == self._directory.me:
                return await self._brought(event)
            case "member_joined_channel" | "member_left_channel":
                return [await self._moved(event)]
            case "team_join" | "user_change":
                return [self._incoming.person(event)]
            case "app_home_opened" if told.text(event, "tab") == "home":
                self.side_by_side(self._interactions.show_home(told.text(event, "user")))
        return await self._channel(kind, event)

    async def _moved(self, event: Told) -> Event | None:
        return None if told.text(event, "user") == self._directory.me else await self._incoming.moved(event)

    async def _message(self, event: Told) -> Sequence[Event | None]:
        channel, subtype = told.text(event, "channel"), told.text(event, "subtype")
        if not channel:
            return []
        if subtype not in {"message_changed", "message_deleted"}:
            self.arriving.note(channel, told.text(event, "ts"))
        await self.arriving.caught_up(channel)
        if subtype == "message_changed":
            return [await self._changed(event, channel)]
        if subtype == "message_deleted":
            return [await self._incoming.deleted(channel, told.text(event, "deleted_ts"), stamp(event))]
        if subtype in CHANGES or subtype in CONVERTS:
            return [await self._described(event, channel, subtype)]
        posted = await self._incoming.posted(event, channel)
        if posted is None:
            return []
        return await self._said(posted, event)

    async def _said(self, posted: MessagePosted, event: Told) -> Sequence[Event]:
        """Return a message and the command in it, if it is one that is given to the bot by name."""
        if not posted.mentioned:
            return [posted]
        who = await self._directory.person(told.text(event, "user"))
        line = told.text(event, "text").strip().removeprefix(f"<@{self._directory.me}>").lstrip(" ,:")
        return said(posted, rank=who.rank, commands=self._commands, words=refs_in(line))

    async def _changed(self, event: Told, channel: str) -> Event | None:
        message, before = told.part(event, "message"), told.part(event, "previous_message")
        if told.text(message, "subtype") == "tombstone":
            return await self._incoming.deleted(channel, told.text(message, "ts"), stamp(event))
        return await self._incoming.edited(message, before, channel, stamp(event))

    # Channels

    async def _described(self, event: Told, channel: str, subtype: str) -> Event:
        room = await self._directory.room(channel)
        if field := CHANGES.get(subtype):
            words = described(told.text(event, field))
            room = replace(room, purpose=words) if field == "purpose" else replace(room, topic=words)
        else:
            room = replace(room, audience=CONVERTS[subtype])
            self.side_by_side(self.arriving.count_members([room]))
        return self._incoming.channel(self._directory.learn_room(room), stamp(event), unconfirmed=subtype in CONVERTS)

    async def _channel(self, kind: str, event: Told) -> Sequence[Event | None]:
        """Tell what became of a channel."""
        inner = told.part(event, "channel")
        own, at = told.text(inner, "id") or told.text(event, "channel"), stamp(event)
        match kind:
            case "channel_created" | "channel_rename" | "group_rename" if own:
                return [self._renamed(await self._directory.room(own), inner, at)]
            case "channel_archive" | "channel_unarchive" | "group_archive" | "group_unarchive" if own:
                room = replace(await self._directory.room(own), archived=ARCHIVED[kind])
                return [self._incoming.channel(self._directory.learn_room(room), at)]
            case "channel_deleted" | "group_deleted" if own:
                room = await self._directory.room(own)
                self._directory.forget_room(own)
                return [self._incoming.channel(room, at, gone=True)]
            case "channel_left" | "group_left" if own:
                return self._left(await self._directory.room(own), at)
            case "channel_id_changed":
                return await self._moved_house(event, at)
        return []

    def _renamed(self, room: Room, inner: Told, at: str) -> Event:
        named = replace(room, name=(told.text(inner, "name") or room.name)[:100])
        return self._incoming.channel(self._directory.learn_room(named), at)

    def _left(self, room: Room, at: str) -> Sequence[Event]:
        """Tell of a channel that the bot does not see into any more: who may read a closed one nobody knows then."""
        self._directory.forget_room(room.id)
        if room.audience is Audience.EVERYONE:
            self._directory.learn_room(replace(room, mine=False))
            return []
        return [self._incoming.channel(replace(room, archived=True), at, unconfirmed=True)]

    async def _moved_house(self, event: Told, at: str) -> Sequence[Event]:
        old, new = told.text(event, "old_channel_id"), told.text(event, "new_channel_id")
        if not old or not new:
            return []
        before = await self._directory.room(old)
        self._directory.forget_room(old)
        after = self._directory.learn_room(replace(before, id=new))
        return [self._incoming.channel(after, at, formerly=old)]

    async def _brought(self, event: Told) -> Sequence[Event]:
        """Tell of a channel that the bot was brought to; who did it the first time brought it to the workspace."""
        room = await self._directory.refreshed(told.text(event, "channel"))
        at, by = stamp(event), told.text(event, "inviter")
        room = self._directory.learn_room(replace(room, mine=True))
        self.side_by_side(self.arriving.count_members([room]))
        events: list[Event] = []
        if await self._is_new() and not self._was_brought:
            # Two channels at once would bring it to the workspace twice, before the first of it is stored.
            self._was_brought = True
            inviter = self._directory.named(await self._directory.person(by)) if by else None
            events.append(BotAdded(by=inviter, at=names.instant(at)))
        return [*events, self._incoming.channel(room, at)]


def _place(event: Told) -> str:
    """Return where something happened: what happens in another channel does not wait for it."""
    return told.text(event, "channel") or told.text(event, "item", "channel") or told.text(event, "channel", "id")
