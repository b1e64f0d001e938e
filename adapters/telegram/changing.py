"""Follows what becomes of chats: topics, groups that move, who comes and leaves, where the bot is brought."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from telegram.constants import ChatType
from telegram.error import TelegramError

from adapters.telegram import names
from adapters.telegram.chats import GROUPS, aware, is_inside
from adapters.telegram.incoming import changed, person, topic_of
from bot.core.events import BotAdded, ChannelChanged, Named
from bot.core.things import Audience

if TYPE_CHECKING:
    from datetime import datetime

    from telegram import ChatMemberUpdated, Message

    from adapters.telegram.hearing import Ears

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Changes:
    """Follows for one bot."""

    ears: Ears

    async def topics(self, message: Message, space: Named, update: int) -> None:
        """Follow how topics are called, and whether they are closed."""
        number = topic_of(message)
        if not number:
            return
        place = names.Place(message.chat.id, number)
        begun = message.reply_to_message.forum_topic_created if message.reply_to_message else None
        known = self.ears.chats.topics.get(place)
        if begun is not None and (known is None or known.name == f"topic {number}"):
            topic = self.ears.chats.note_topic(place, name=begun.name)
            if known is not None:
                named = self.ears.chats.channel(message.chat, number)
                await self.ears.tell(space, changed(named, message.date, update, archived=topic.closed))
        made, edited = message.forum_topic_created, message.forum_topic_edited
        closed = True if message.forum_topic_closed else False if message.forum_topic_reopened else None
        if made is None and edited is None and closed is None:
            return
        name = made.name if made else (edited.name or "") if edited else ""
        topic = self.ears.chats.note_topic(place, name=name, closed=closed)
        named = self.ears.chats.channel(message.chat, number)
        await self.ears.tell(space, changed(named, message.date, update, archived=topic.closed))

    async def retell(self, space: Named, message: Message, update: int) -> None:
        """Tell how a chat is called now."""
        try:
            description = (await self.ears.client.get_chat(message.chat.id)).description or ""
        except TelegramError as error:
            log.info("what the chat %d says of itself is not known: %s", message.chat.id, error)
            return
        named = self.ears.chats.channel(message.chat)
        await self.ears.tell(space, changed(named, message.date, update, description=description))

    async def migrated(self, message: Message, update: int) -> None:
        """Tell that a group became a supergroup, which has another number: both of them are told of it."""
        before = message.migrate_from_chat_id or message.chat.id
        after = message.migrate_to_chat_id or message.chat.id
        await self.become(before, after, self.ears.chats.channel(message.chat).name, aware(message.date))

    async def become(self, before: int, after: int, name: str, at: datetime) -> None:
        """Tell that a chat has another number from now on; told twice, it is the same event."""
        self.ears.chats.moved[before] = after
        self.ears.chats.forget(before)
        channel = replace(self.ears.chats.spaces.get(before) or Named(ref=names.chat(before), name=name), name=name)
        channel = replace(channel, ref=names.chat(after), audience=Audience.EVERYONE)
        event = ChannelChanged(channel=channel, formerly=names.chat(before), at=at, revision=0)
        space = Named(ref=names.chat(after), name=name)
        self.ears.chats.spaces[before] = self.ears.chats.spaces[after] = space
        await self.ears.tell(space, event)

    async def members(self, told: ChatMemberUpdated) -> None:
        """Take in who came or left, and who became an administrator."""
        user = told.new_chat_member.user
        self.ears.chats.note_staff(told.chat.id, told.new_chat_member)
        self.ears.homes.note_presence(user.id, told.chat.id, here=is_inside(told.new_chat_member))
        space = await self.ears.chats.space_of(told.chat)
        event = self.ears.incoming.moved(told)
        if event is not None and space.ref == names.chat(told.chat.id):
            await self.ears.tell(space, event)

    async def bot(self, told: ChatMemberUpdated, update: int) -> None:
        """Take in that the bot came into a chat, left it, or may do something else there."""
        if told.chat.type == ChatType.PRIVATE:
            return  # somebody stopped the bot or let it write again
        self.ears.chats.forget(told.chat.id)
        if is_inside(told.old_chat_member) or not is_inside(told.new_chat_member):
            inside = is_inside(told.new_chat_member)
            log.info("in the chat %d the bot is %s", told.chat.id, told.new_chat_member.status if inside else "no more")
            return
        if told.chat.id in self.ears.chats.moved.values():
            return  # Telegram tells so of each supergroup that it makes of a group
        space = await self.ears.chats.space_of(told.chat)
        if told.chat.type in GROUPS or space.ref == names.chat(told.chat.id):
            by = person(told.from_user)
            self.ears.homes.note(told.from_user.id, space)
            self.ears.homes.note_presence(told.from_user.id, told.chat.id, here=True)
            await self.ears.tell(space, BotAdded(by=by, at=aware(told.date)), live=True)
            if told.chat.type in GROUPS:  # also when it comes late: many add the bot before they start it
                self.ears.beside(self.ears.greeting.greet(told.chat.id, told.from_user), "greeting")
        else:
            await self.ears.tell(space, changed(self.ears.chats.channel(told.chat), told.date, update))
