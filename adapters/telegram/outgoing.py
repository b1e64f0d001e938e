"""What the bot does on Telegram: an action becomes calls of the Bot API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from telegram import ReactionTypeEmoji
from telegram.constants import ReactionEmoji
from telegram.error import BadRequest

from adapters.telegram import names
from adapters.telegram.needs import check
from adapters.telegram.trouble import UNCHANGED, Refused, says
from bot.core.actions import (
    ArchiveChannel,
    AskStaff,
    Ban,
    CreateChannel,
    CreatePoll,
    Delete,
    Edit,
    Invite,
    Kick,
    OpenDirect,
    React,
    Say,
    Timeout,
    Unban,
    Warn,
)
from bot.core.wording import escape

if TYPE_CHECKING:
    from adapters.telegram.chats import Chats
    from adapters.telegram.client import Client
    from adapters.telegram.echo import Echo
    from adapters.telegram.moderating import Discipline
    from adapters.telegram.speaking import Speech
    from bot.core.actions import Action
    from bot.core.clock import Clock
    from bot.core.things import Ref

CAN = (
    Say,
    Edit,
    Delete,
    React,
    Warn,
    Timeout,
    Kick,
    Ban,
    Unban,
    Invite,
    CreateChannel,
    ArchiveChannel,
    OpenDirect,
    AskStaff,
    CreatePoll,
)
"""What the bot is able to do here: there are no roles to give, and no calendar."""
INVITED = timedelta(days=1)
"""For so long a link into a group lets its one member in."""
NAME = 128
"""Characters of a topic's name."""
EMOJI = frozenset(str(one.value) for one in ReactionEmoji)
PLAIN_HEART = {"❤️": "❤"}
"""Emoji as people type them, and as Telegram knows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Acts for one bot."""

    client: Client
    chats: Chats
    speech: Speech
    discipline: Discipline
    echo: Echo
    clock: Clock

    async def perform(self, action: Action) -> Ref | None:
        """Carry out an action and return what it made. Raises Refused, names.Unknown and the library's errors."""
        match action:
            case Say() | AskStaff() | Edit() | OpenDirect() | CreatePoll():
                return await self.speech.speak(action)
            case Warn():
                await self.discipline.check_target(names.place(action.channel).chat, names.user(action.member))
                return await self.speech.speak(action)
            case Delete():
                await self.speech.take_back(action.message, action.channel)
            case React():
                await self._react(action)
            case Timeout() | Kick() | Ban() | Unban():
                await self.discipline.act(action)
            case Invite():
                return await self._invite(action)
            case CreateChannel():
                return await self._create_topic(action)
            case ArchiveChannel():
                await self._archive(action)
            case _:
                raise Refused(f"Telegram cannot do this: {type(action).__name__}")
        return None

    async def _react(self, action: React) -> None:
        """Put an emoji under a message; of a bot Telegram shows one at a time."""
        chat, number = self.chats.message(action.message)
        emoji = PLAIN_HEART.get(action.emoji, action.emoji)
        if action.on and emoji not in EMOJI:
            raise Refused(f"Telegram has no reaction {action.emoji}")
        reaction = [ReactionTypeEmoji(emoji)] if action.on else []
        await self.client.set_message_reaction(chat, number, reaction=reaction)

    async def _invite(self, action: Invite) -> Ref | None:
        """Send somebody a link into another group; to the topics of their own they need none."""
        user, group = names.user(action.member), self.chats.now(names.place(action.channel).chat)
        is_there = await self.discipline.homes.is_here(user, group)
        if not action.on:
            raise Refused("nobody is brought out of a topic, and out of a group they are kicked: /mod kick")
        if is_there:
            return None
        check((await self.chats.staff(group)).get(self.client.id), "can_invite_users")
        until = self.clock.now() + INVITED
        link = await self.client.create_chat_invite_link(group, member_limit=1, expire_date=until)
        name = self.chats.topic(names.place(action.channel)).name
        words = f"[{escape(name)}]({link.invite_link})"
        return await self.speech.speak(OpenDirect(member=action.member, text=words))

    async def _create_topic(self, action: CreateChannel) -> Ref:
        group = self.chats.now(names.place(action.space).chat)
        name = " ".join(action.name.lstrip("#").split())[:NAME]
        if not name:
            raise Refused("a topic needs a name")
        there = (one for place, one in self.chats.topics.items() if place.chat == group and not one.closed)
        if any(one.name.casefold() == name.casefold() for one in there):
            raise Refused(f"there is a topic called {name} already")
        check((await self.chats.staff(group)).get(self.client.id), "can_manage_topics")
        made = await self.client.create_forum_topic(group, name)
        place = names.Place(group, made.message_thread_id)
        self.chats.note_topic(place, name=made.name, closed=False)
        self.echo.topic(place)
        return names.chat(*place)

    async def _archive(self, action: ArchiveChannel) -> None:
        """Close a topic, or open it again."""
        place = names.place(action.channel)
        place = names.Place(self.chats.now(place.chat), place.topic)
        if not place.topic:
            raise Refused("a whole group is not put away. Its topics can be closed")
        check((await self.chats.staff(place.chat)).get(self.client.id), "can_manage_topics")
        change = self.client.close_forum_topic if action.on else self.client.reopen_forum_topic
        try:
            await change(*place)
        except BadRequest as refused:
            if not says(refused, UNCHANGED):
                raise
        self.chats.note_topic(place, closed=action.on)
        self.echo.topic(place)
