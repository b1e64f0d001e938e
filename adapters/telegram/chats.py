"""What is known of the chats: which space each belongs to, how topics are called, who may do what there."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from telegram import ChatMemberAdministrator, ChatMemberOwner, ChatMemberRestricted
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from adapters.telegram import names
from adapters.telegram.trouble import Refused
from adapters.telegram.words import cut
from bot.core.errors import Gone, Overloaded
from bot.core.events import Named
from bot.core.things import Audience, Rank, Ref

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from telegram import Chat, ChatFullInfo, ChatMember

    from adapters.telegram.client import Client
    from bot.core.clock import Clock
    from bot.core.ports import KnownChannel

    AnyChat = Chat | ChatFullInfo
    Known = Callable[[Ref], Awaitable[Mapping[Ref, KnownChannel] | None]]

log = logging.getLogger(__name__)

FRESH = timedelta(minutes=10)
"""For so long what Telegram said of a chat holds; what changes meanwhile it tells by itself."""
LATE = timedelta(minutes=2)
"""What is older than this when it comes was said while the bot was away."""
MOST = 10_000
"""Chats of which something is remembered."""
GROUPS = frozenset({ChatType.GROUP, ChatType.SUPERGROUP})
INSIDE = frozenset({ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.MEMBER})


@dataclass(slots=True, kw_only=True)
class Staff:
    """Who administers a chat, and what they may do there: the rights of the owner are all."""

    at: datetime
    members: dict[int, ChatMember]


@dataclass(slots=True, kw_only=True)
class Topic:
    """A topic of a forum."""

    name: str
    closed: bool = False


@dataclass(slots=True, kw_only=True)
class Chats:
    """Remembers for one bot."""

    client: Client
    clock: Clock
    known: Known
    topics: dict[names.Place, Topic] = field(default_factory=dict)
    spaces: dict[int, Named] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    """Groups that became supergroups, and their new numbers."""
    _staff: dict[int, Staff] = field(default_factory=dict)
    _discussed: dict[int, tuple[datetime, AnyChat | None]] = field(default_factory=dict)
    _read: set[int] = field(default_factory=set)

    async def space_of(self, chat: AnyChat) -> Named:
        """Return the space of a group or a channel: a channel that is discussed in a group belongs to that group."""
        group = await self._discussion(chat.id) if chat.type == ChatType.CHANNEL else None
        found = self.spaces[chat.id] = named(group or chat)
        if group is not None:
            self.spaces[group.id] = found
        _trim(self.spaces)
        await self._learn(found)
        return found

    async def space(self, number: int) -> Named:
        """Return the space of a group or a channel by its number. Raises the library's errors."""
        known = self.spaces.get(number)
        return known or await self.space_of(await self.client.get_chat(number))

    def belongs(self, channel: int, group: AnyChat) -> None:
        """Note which group discusses a channel."""
        self._discussed[channel] = (self.clock.now(), group)

    async def _discussion(self, channel: int) -> AnyChat | None:
        """Return the group that discusses a channel, if the bot is in it."""
        at, known = self._discussed.get(channel, (None, None))
        if at is not None and self.clock.now() - at < FRESH:
            return known
        group: AnyChat | None = None
        try:
            told = await self.client.get_chat(channel)
            group = await self.client.get_chat(told.linked_chat_id) if told.linked_chat_id else None
            if group is not None and not is_inside(await self.client.get_chat_member(group.id, self.client.id)):
                group = None
        except (BadRequest, Forbidden) as error:
            log.info("whether a group discusses the channel %d is not known: %s", channel, error)
        except RetryAfter as busy:
            after = busy._retry_after.total_seconds()  # noqa: SLF001 - the other is on its way out
            raise Overloaded("Telegram asks me to wait.", after=after) from None
        except TelegramError as error:
            # In doubt nothing is said of it: what goes into a space of its own stays there.
            raise Gone(f"whether a group discusses a channel is not known: {error}") from None
        self._discussed[channel] = (self.clock.now(), group)
        return group

    async def _learn(self, space: Named) -> None:
        """Read once what is stored of a space: its topics have names that Telegram tells only when they change."""
        number = names.place(space.ref).chat
        if number in self._read:
            return
        known = await self.known(space.ref) or {}
        self._read.add(number)
        for ref, one in known.items():
            try:
                place = names.place(ref)
            except names.Unknown:
                continue
            if place.topic:
                self.topics.setdefault(place, Topic(name=one.channel.name, closed=one.archived))

    def channel(self, chat: AnyChat, topic: int = 0) -> Named:
        """Name a chat or a topic in it as a channel."""
        if chat.type == ChatType.PRIVATE:
            return Named(ref=names.chat(chat.id), name="direct", audience=Audience.DIRECT)
        if topic in {0, names.GENERAL}:
            return Named(ref=names.chat(chat.id), name=title(chat), audience=Audience.EVERYONE)
        known = self.topics.get(names.Place(chat.id, topic))
        name = known.name if known else f"topic {topic}"
        return Named(ref=names.chat(chat.id, topic), name=name, audience=Audience.EVERYONE)

    def topic(self, place: names.Place) -> Named:
        """Name a topic, or the chat itself, by its numbers alone."""
        known = self.topics.get(place)
        space = self.spaces.get(place.chat)
        name = known.name if known else space.name if space else str(place.chat)
        return Named(ref=names.chat(*place), name=name, audience=Audience.EVERYONE)

    def note_topic(self, place: names.Place, *, name: str = "", closed: bool | None = None) -> Topic:
        """Keep what a topic is called and whether it is closed."""
        topic = self.topics.setdefault(place, Topic(name=f"topic {place.topic}"))
        topic.name = cut(name) or topic.name
        topic.closed = topic.closed if closed is None else closed
        return topic

    # Who may do what

    async def staff(self, chat: int) -> Mapping[int, ChatMember]:
        """Return who administers a chat; nobody where Telegram does not say."""
        held = self._staff.get(chat)
        if held is None or self.clock.now() - held.at > FRESH:
            try:
                told = await self.client.get_chat_administrators(chat)
            except ChatMigrated as moved:
                self.moved[chat] = moved.new_chat_id
                return await self.staff(moved.new_chat_id)
            except TelegramError as error:
                log.info("who administers the chat %d is not known: %s", chat, error)
                return held.members if held else {}
            held = self._staff[chat] = Staff(at=self.clock.now(), members={one.user.id: one for one in told})
            _trim(self._staff)
        return held.members

    def note_staff(self, chat: int, member: ChatMember) -> None:
        """Follow that somebody became or ceased to be an administrator."""
        held = self._staff.get(chat)
        if held is None:
            return
        if isinstance(member, ChatMemberOwner | ChatMemberAdministrator):
            held.members[member.user.id] = member
        else:
            held.members.pop(member.user.id, None)

    def forget(self, chat: int) -> None:
        """Forget who administers a chat."""
        self._staff.pop(chat, None)

    async def rank(self, chat: int, user: int) -> Rank:
        """Return what somebody may do in a group; its administrators are staff, an anonymous one too."""
        if user == chat:
            return Rank.STAFF
        member = (await self.staff(chat)).get(user)
        if isinstance(member, ChatMemberOwner):
            return Rank.OWNER
        return Rank.STAFF if member is not None else Rank.MEMBER

    async def is_admin(self, chat: int) -> bool:
        """Say whether the bot itself administers a chat."""
        return self.client.id in await self.staff(chat)

    def message(self, wanted: Ref) -> names.Message:
        """Return where a message is. Raises Refused for one that a group left behind when it got another number."""
        found = names.parts(wanted)
        if found.chat in self.moved:
            raise Refused("that was written before the group became a supergroup, and nobody reaches it any more")
        return found

    def now(self, chat: int) -> int:
        """Return the number that a chat has now."""
        return self.moved.get(chat, chat)


def named(chat: AnyChat) -> Named:
    """Name a space."""
    return Named(ref=names.chat(chat.id), name=title(chat))


def title(chat: AnyChat) -> str:
    """Return what a chat is called."""
    return cut(chat.title or chat.effective_name or "") or str(chat.id)


def is_inside(member: ChatMember) -> bool:
    """Say whether somebody is in a chat, quiet or not."""
    return member.status in INSIDE or (isinstance(member, ChatMemberRestricted) and member.is_member)


def aware(at: datetime) -> datetime:
    """Return an instant in UTC."""
    return at.astimezone(UTC)


def _trim(known: dict[int, Named] | dict[int, Staff]) -> None:
    while len(known) > MOST:
        known.pop(next(iter(known)))
