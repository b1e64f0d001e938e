"""What happens on Slack as events: from what Slack tells to our vocabulary. What is no event of ours is None."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from adapters.slack import emoji, names, reading, saying, told
from bot.core.events import (
    ChannelChanged,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    Named,
    ReactionAdded,
    ReactionRemoved,
)
from bot.core.things import Audience

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.slack.directory import Directory, Person, Room
    from adapters.slack.told import Told
    from bot.core.clock import Clock
    from bot.core.ports import KnownChannel

REMEMBERED = 5000
"""Messages of which it is remembered which thread they are in, or would begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """Puts into our words what happens in one workspace."""

    directory: Directory
    clock: Clock
    threads: OrderedDict[str, str] = field(default_factory=OrderedDict)
    """The thread of each message that came lately, by channel and timestamp."""

    async def posted(self, message: Told, channel: str) -> MessagePosted | None:
        """Tell of a message; None for what nobody said."""
        room = await self.directory.room(channel, told.text(message, "channel_type"))
        author = await self._author(message)
        if author is None or not saying.is_said(message):
            return None
        event = saying.posted(
            message,
            room.named,
            author=author,
            text=await reading.words(message, self.directory),
            source=names.PLATFORM,
            mentioned=not author.bot and self._is_spoken_to(message, room),
        )
        ts = told.text(message, "ts")
        self._note_thread(f"{channel}/{ts}", saying.began(message) or ts)
        return event

    async def edited(self, message: Told, before: Told, channel: str, ts: str) -> MessageEdited | None:
        """Tell of a message that says something else now; None where only its preview or its thread changed."""
        changed = told.text(message, "edited", "ts")
        if not changed and told.text(message, "text") == told.text(before, "text"):
            return None
        if before and changed and changed == told.text(before, "edited", "ts"):
            return None
        author = await self._author(message)
        if author is None or told.text(message, "subtype") not in saying.SAID:
            return None
        room = await self.directory.room(channel)
        return MessageEdited(
            message=names.message(channel, told.text(message, "ts")),
            channel=room.named,
            author=author,
            text=await reading.words(message, self.directory),
            at=names.instant(changed or ts),
            revision=names.revision(changed or ts),
            files=saying.files_of(message),
        )

    async def deleted(self, channel: str, ts: str, at: str) -> MessageDeleted:
        """Tell of a message that is gone."""
        names.instant(ts)
        room = await self.directory.room(channel)
        return MessageDeleted(message=names.message(channel, ts), channel=room.named, at=names.instant(at))

    async def reaction(self, event: Told) -> ReactionAdded | ReactionRemoved | None:
        """Tell of an emoji under a message, or of one taken away."""
        channel, ts, at = told.text(event, "item", "channel"), told.text(event, "item", "ts"), stamp(event)
        user, name = told.text(event, "user"), told.text(event, "reaction")
        if told.text(event, "item", "type") != "message" or not (channel and user and name):
            return None
        names.instant(ts)
        kind = ReactionAdded if told.text(event, "type") == "reaction_added" else ReactionRemoved
        return kind(
            message=names.message(channel, ts),
            channel=(await self.directory.room(channel)).named,
            member=self.directory.named(await self.directory.person(user)),
            emoji=emoji.read(name),
            at=names.instant(at),
            sequence=names.revision(at),
        )

    async def moved(self, event: Told) -> MemberJoined | MemberLeft | None:
        """Tell of somebody who came into a channel, or left it."""
        channel, user, at = told.text(event, "channel"), told.text(event, "user"), stamp(event)
        if not channel or not user:
            return None
        room, when = await self.directory.room(channel), names.instant(at)
        inside = told.text(event, "type") == "member_joined_channel"
        if room.audience is not Audience.EVERYONE:
            if inside:
                self.directory.enter(channel, user)
            else:
                self.directory.leave(channel, user)
        member = self.directory.named(await self.directory.person(user))
        kind = MemberJoined if inside else MemberLeft
        return kind(member=member, channel=room.named, at=when)

    def person(self, event: Told) -> MemberJoined | MemberLeft | MemberChanged | None:
        """Tell of somebody who came, left, or is called otherwise; other changes are none of ours."""
        user, at = told.part(event, "user"), stamp(event)
        known = self.directory.known_person(told.text(user, "id"))
        now = self.directory.learn_person(user)
        if not now.id:
            return None
        if now.gone:
            self.directory.leave_all(now.id)
        when, member = names.instant(at), self.directory.named(now)
        if now.gone:
            return MemberLeft(member=member, at=when) if known is None or not known.gone else None
        if told.text(event, "type") == "team_join" or (known is not None and known.gone):
            return MemberJoined(member=member, at=when)
        if known is None or _looks(known) == _looks(now):
            return None
        return MemberChanged(member=member, at=when, revision=names.revision(at))

    def channel(
        self, room: Room, at: str = "", *, gone: bool = False, unconfirmed: bool = False, formerly: str = ""
    ) -> ChannelChanged:
        """Tell how a channel is, or that it was deleted."""
        now = self.clock.now()
        return ChannelChanged(
            channel=room.named,
            formerly=names.ref(formerly) if formerly else None,
            description=room.description,
            archived=gone or room.archived,
            gone=gone,
            unconfirmed=unconfirmed and room.audience is Audience.MEMBERS,
            at=names.instant(at) if at else now,
            revision=names.revision(at) if at else _revision(now),
        )

    def missing(self, then: KnownChannel) -> ChannelChanged:
        """Tell that a channel which was there once is out of sight."""
        now = self.clock.now()
        return ChannelChanged(
            channel=then.channel, description=then.description, archived=True, at=now, revision=_revision(now)
        )

    def changed(self, person: Person) -> MemberChanged:
        """Tell which closed channels a member may read now."""
        now = self.clock.now()
        return MemberChanged(member=self.directory.named(person), at=now, revision=_revision(now))

    def thread_of(self, channel: str, ts: str) -> str:
        """Return the thread that a message is in as far as it is remembered; empty where it is not."""
        return self.threads.get(f"{channel}/{ts}", "")

    def _note_thread(self, message: str, began: str) -> None:
        self.threads[message] = began
        while len(self.threads) > REMEMBERED:
            self.threads.popitem(last=False)

    async def _author(self, message: Told) -> Named | None:
        """Name who wrote a message: a member, or a machine by the name it was given."""
        user = told.text(message, "user")
        if not user:
            return saying.machine(message)
        named = self.directory.named(await self.directory.person(user))
        # This is all there is of a machine that Slack did not tell of in time; answering it would never end.
        untold = told.text(message, "bot_id") and self.directory.known_person(user) is None
        return replace(named, bot=True, reads=None) if user == self.directory.me or untold else named

    def _is_spoken_to(self, message: Told, room: Room) -> bool:
        """Say whether a message is written to the bot: alone with it, naming it, or answering what it began."""
        if room.audience is Audience.DIRECT:
            return True
        named = reading.MENTIONED.findall(told.text(message, "text"))
        return self.directory.me in named or (not named and told.text(message, "parent_user_id") == self.directory.me)


def stamp(event: Told) -> str:
    """Return when something happened, as Slack names the instant."""
    return told.text(event, "event_ts") or told.text(event, "ts")


def _looks(person: Person) -> tuple[object, ...]:
    return person.name, person.language, person.guest


def _revision(at: datetime) -> int:
    return int(at.timestamp() * names.MICROSECONDS)
