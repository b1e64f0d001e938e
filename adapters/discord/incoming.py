"""What happens on Discord as events: from the library's objects to our vocabulary."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import discord

from adapters.discord import names, rights
from bot.core.events import (
    ChannelChanged,
    File,
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

    from bot.core.clock import Clock
    from bot.core.ports import KnownChannel
    from bot.core.things import Ref

SAID = frozenset(
    {
        discord.MessageType.default,
        discord.MessageType.reply,
        discord.MessageType.chat_input_command,
        discord.MessageType.context_menu_command,
    }
)
"""The kinds of messages in which somebody says something; joins, pins and boosts are told by Discord itself."""
ARCHIVES = frozenset({"archive", "archived", "archives", "归档", "存档"})
"""What communities call the category of channels that were archived."""
LONGEST_NAME = 100
"""Characters of a name that are kept; Discord itself allows no more."""
TOKEN = re.compile(r"<(@[!&]?|#|a?:\w+:)(\d{1,20})>")
"""A mention of a member, a role or a channel, or an emoji of a server's own, as Discord writes them into a text."""
MICROSECONDS = 1_000_000

Person = discord.User | discord.Member
"""Who did something; outside a server, and once they left it, a User."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The channel that something happened in, and the thread inside it where there is one."""

    channel: Named
    thread: Named | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """Puts into our words what happens on the servers of one bot, whose number is `me`."""

    me: int
    clock: Clock
    reach: rights.Reach = field(default_factory=rights.Reach)

    def posted(self, message: discord.Message, guild: discord.Guild) -> MessagePosted | None:
        """Tell of a message; None for what nobody said, and for a place that is not known."""
        where = place(message.channel)
        if where is None or message.type not in SAID:
            return None
        return MessagePosted(
            message=names.ref(message.channel.id, message.id),
            channel=where.channel,
            author=self.author(message, guild),
            text=words(message, guild, me=self.me),
            at=message.created_at,
            thread=where.thread,
            reply_to=_reply_to(message),
            source=names.PLATFORM,
            mentioned=self._is_spoken_to(message),
            files=tuple(_file(one) for one in message.attachments),
        )

    def edited(self, message: discord.Message, guild: discord.Guild) -> MessageEdited | None:
        """Tell of a message that says something else now; None where only its preview changed."""
        where = place(message.channel)
        if where is None or message.edited_at is None or message.type not in SAID:
            return None
        return MessageEdited(
            message=names.ref(message.channel.id, message.id),
            channel=where.channel,
            author=self.author(message, guild),
            text=words(message, guild, me=self.me),
            at=message.edited_at,
            revision=_revision(message.edited_at),
            files=tuple(_file(one) for one in message.attachments),
        )

    def deleted(self, channel: object, message: Ref) -> MessageDeleted:
        """Tell of a message that is gone, also from a thread that was archived and that nobody knows any more."""
        where, unknown = place(channel), Named(ref=names.ref(names.pair(message).of), name="")
        return MessageDeleted(message=message, channel=where.channel if where else unknown, at=self.clock.now())

    def reaction(
        self, told: discord.RawReactionActionEvent, channel: object, guild: discord.Guild
    ) -> ReactionAdded | ReactionRemoved | None:
        """Tell of an emoji under a message, or of one taken away."""
        where, who = place(channel), told.member or guild.get_member(told.user_id)
        if where is None or who is None:
            return None
        kind = ReactionAdded if told.event_type == "REACTION_ADD" else ReactionRemoved
        now = self.clock.now()
        return kind(
            message=names.ref(told.channel_id, told.message_id),
            channel=where.channel,
            member=self.member(who, guild),
            emoji=str(told.emoji),
            at=now,
            sequence=_revision(now),
        )

    def joined(self, member: discord.Member) -> MemberJoined:
        """Tell of somebody who came to a server."""
        return MemberJoined(member=self.member(member, member.guild), at=member.joined_at or self.clock.now())

    def left(self, who: Person, guild: discord.Guild) -> MemberLeft:
        """Tell of somebody who left a server, or was sent out."""
        named = Named(ref=names.member(guild.id, who.id), name=_name(who), bot=who.bot, reads=frozenset())
        return MemberLeft(member=named, at=self.clock.now())

    def moved(self, member: discord.Member, channel: rights.Room, *, inside: bool) -> MemberJoined | MemberLeft:
        """Tell of somebody to whom a closed channel was opened, or closed again."""
        kind = MemberJoined if inside else MemberLeft
        return kind(member=self.member(member, member.guild), channel=_channel(channel), at=self.clock.now())

    def changed(self, member: discord.Member) -> MemberChanged:
        """Tell of somebody with another name or other roles."""
        now = self.clock.now()
        return MemberChanged(member=self.member(member, member.guild), at=now, revision=_revision(now))

    def channel(self, room: rights.Room, *, gone: bool = False, unconfirmed: bool = False) -> ChannelChanged:
        """Tell how a channel is now, or that it was deleted."""
        now = self.clock.now()
        return ChannelChanged(
            channel=_channel(room),
            description=getattr(room, "topic", None) or "",
            archived=gone or is_archived(room),
            gone=gone,
            unconfirmed=unconfirmed and rights.audience(room) is Audience.MEMBERS,
            at=now,
            revision=_revision(now),
        )

    def lost(self, thread: int) -> ChannelChanged:
        """Tell that a thread was deleted."""
        now, named = self.clock.now(), Named(ref=names.ref(thread), name="")
        return ChannelChanged(channel=named, archived=True, gone=True, at=now, revision=_revision(now))

    def missing(self, then: KnownChannel, *, gone: bool) -> ChannelChanged:
        """Tell that a channel which was there once was deleted, or is out of sight."""
        now = self.clock.now()
        return ChannelChanged(
            channel=then.channel,
            description=then.description,
            archived=True,
            gone=gone,
            at=now,
            revision=_revision(now),
        )

    def author(self, message: discord.Message, guild: discord.Guild) -> Named:
        """Name who wrote a message; what comes by a webhook is a machine's."""
        if message.webhook_id is not None:
            return replace(_stranger(message.author, guild), bot=True)
        return self.member(message.author, guild)

    def member(self, who: Person, guild: discord.Guild) -> Named:
        """Name somebody as a member of a server: their roles, and what they may read beyond what everybody may.

        Who is not there, or not any more, reads nothing.
        """
        member = who if isinstance(who, discord.Member) and who.guild == guild else guild.get_member(who.id)
        if who.bot:
            return _stranger(member or who, guild)
        if member is None:
            return replace(_stranger(who, guild), reads=frozenset())
        return replace(
            _stranger(member, guild),
            roles=frozenset(names.role(guild.id, one.id) for one in member.roles if not one.is_default()),
            rank=rights.rank(member),
            registered_at=who.created_at,
            reads=self.reach.of(member),
        )

    def _is_spoken_to(self, message: discord.Message) -> bool:
        """Say whether a message is written to the bot: alone with it, naming it, or answering it."""
        if message.author.id == self.me:
            return False
        if isinstance(message.channel, discord.DMChannel) or any(one.id == self.me for one in message.mentions):
            return True
        if any(role.tags and role.tags.bot_id == self.me for role in message.role_mentions):
            return True
        answered = message.reference.resolved if message.reference else None
        return isinstance(answered, discord.Message) and answered.author.id == self.me


def place(channel: object) -> Where | None:
    """Say where a channel of the library's is; None for one that the bot does not know.

    A private thread is a channel of its own: who may read its parent may not read it.
    """
    match channel:
        case discord.DMChannel():
            return Where(channel=Named(ref=names.ref(channel.id), name="direct", audience=Audience.DIRECT))
        case discord.Thread() if channel.is_private():
            return Where(channel=Named(ref=names.ref(channel.id), name=_cut(channel.name), audience=Audience.MEMBERS))
        case discord.Thread() if isinstance(channel.parent, rights.Room):
            return Where(
                channel=_channel(channel.parent), thread=Named(ref=names.ref(channel.id), name=_cut(channel.name))
            )
        case discord.TextChannel() | discord.VoiceChannel() | discord.StageChannel() | discord.ForumChannel():
            return Where(channel=_channel(channel))
        case _:
            return None


def space(guild: discord.Guild) -> Named:
    """Name a server."""
    return Named(ref=names.ref(guild.id), name=_cut(guild.name))


def is_archived(room: rights.Room) -> bool:
    """Say whether a channel stands in the category of those that were archived."""
    return room.category is not None and room.category.name.strip().casefold() in ARCHIVES


def words(message: discord.Message, guild: discord.Guild, *, me: int) -> str:
    """Return what a message says, mentions by name; the bot's own name in front is left out.

    A closed channel is not named: not everybody who reads the words may know of it.
    """
    mentioned = {one.id: one.display_name for one in message.mentions}

    def name(found: re.Match[str]) -> str:
        sign, number = found[1], int(found[2])
        if sign.startswith((":", "a:")):
            return ":" + sign.removeprefix("a").strip(":") + ":"
        if sign == "#":
            room = guild.get_channel(number)
            return f"#{room.name}" if isinstance(room, rights.Room) and _is_open(room) else "#…"
        if sign == "@&":
            role = guild.get_role(number)
            return f"@{role.name}" if role else "@…"
        return f"@{mentioned.get(number, '…')}"

    text = re.sub(rf"^\s*<@!?{me}>[\s,:]*", "", message.content)
    return TOKEN.sub(name, text)


def _is_open(room: rights.Room) -> bool:
    return rights.audience(room) is Audience.EVERYONE


def _channel(room: rights.Room) -> Named:
    return Named(ref=names.ref(room.id), name=_cut(room.name), audience=rights.audience(room))


def _stranger(who: Person, guild: discord.Guild) -> Named:
    return Named(ref=names.member(guild.id, who.id), name=_name(who), bot=who.bot)


def _name(who: Person) -> str:
    return _cut(who.display_name)


def _cut(name: str) -> str:
    return name[:LONGEST_NAME]


def _file(one: discord.Attachment) -> File:
    return File(name=_cut(one.filename), kind=one.content_type or "", size=one.size, url=one.url)


def _reply_to(message: discord.Message) -> Ref | None:
    answered = message.reference
    if message.type is not discord.MessageType.reply or answered is None or answered.message_id is None:
        return None
    return names.ref(answered.channel_id, answered.message_id)


def _revision(at: datetime) -> int:
    return int(at.timestamp() * MICROSECONDS)
