"""Takes in one update after the other: what it tells goes to the stream, with the space that it happened in."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from telegram import Message, Update
from telegram.constants import ChatType
from telegram.error import TelegramError

from adapters.hearing import plea, said
from adapters.telegram import names
from adapters.telegram.changing import Changes
from adapters.telegram.chats import LATE, aware
from adapters.telegram.incoming import is_passed_on, person, revision, topic_of
from adapters.telegram.pressing import STRANGERS, Presses
from adapters.telegram.words import bidding
from bot.core.errors import Overloaded, Unavailable
from bot.core.events import Arrival, CommandGiven, MemberChanged, MemberJoined, MessagePosted, Named
from bot.core.log import trail
from bot.core.things import Rank

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import datetime

    from telegram import Chat, MessageReactionUpdated, User

    from adapters.hearing import Handover
    from adapters.telegram.asking import Asked
    from adapters.telegram.chats import Chats
    from adapters.telegram.client import Client
    from adapters.telegram.greeting import Greeting
    from adapters.telegram.homes import Homes
    from adapters.telegram.incoming import Incoming
    from bot.core.clock import Clock
    from bot.core.commands import Command
    from bot.core.events import Event
    from bot.core.i18n import Translate
    from bot.core.things import Ref

log = logging.getLogger(__name__)

AGAIN, PAUSE = 2, 1.0
"""How often an update is tried that ended in a bug, and the seconds in between: it may have been a passing one."""
REMEMBERED = 10_000
"""Members whose names are remembered."""
START = "start"
"""The command that Telegram's clients give when somebody opens a conversation with a bot."""


@dataclass(slots=True, kw_only=True)
class Ears:
    """Hears for one bot. `tasks` holds what goes on beside the updates."""

    client: Client
    clock: Clock
    chats: Chats
    homes: Homes
    incoming: Incoming
    handover: Handover
    greeting: Greeting
    asked: Asked
    commands: Sequence[Command]
    translate: dict[str, Translate]
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    changes: Changes = field(init=False)
    presses: Presses = field(init=False)
    _strangers: dict[int, datetime] = field(default_factory=dict)
    _called: dict[tuple[Ref, Ref], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.changes = Changes(self)
        self.presses = Presses(self)

    async def hear(self, raw: dict[str, object]) -> None:
        """Take in an update; returns once all that it tells is stored. What is not as it should be is passed over."""
        try:
            update = Update.de_json(raw, self.client)
        except Exception as error:  # noqa: BLE001 - an update is somebody else's, and one bad one must not end the rest
            log.error("an update of Telegram is not as it should be and is passed over: %s", trail(error))
            return
        again = AGAIN
        while True:
            pause = PAUSE
            try:
                await self._take(update)
            except Unavailable as away:
                log.warning("an update of Telegram waits: %s", away)
                pause = max(pause, away.after) if isinstance(away, Overloaded) else pause
            except Exception as error:  # noqa: BLE001 - the same
                again -= 1
                if not again:
                    log.error("an update of Telegram is passed over: %s", trail(error))
                    return
            else:
                return
            await self.clock.sleep(pause)

    async def _take(self, update: Update) -> None:
        number = update.update_id
        if message := update.message or update.channel_post:
            await self._message(message, number)
        elif message := update.edited_message or update.edited_channel_post:
            await self._edited(message, number)
        elif update.callback_query:
            await self.presses.take(update.callback_query)
        elif update.message_reaction:
            await self._reacted(update.message_reaction, number)
        elif update.chat_member:
            await self.changes.members(update.chat_member)
        elif update.my_chat_member:
            await self.changes.bot(update.my_chat_member, number)

    # Handing over

    async def tell(self, space: Named, event: Event, *, live: bool | None = None) -> None:
        """Give an event to the stream, however long it takes until it can be stored."""
        fresh = self.clock.now() - event.at <= LATE if live is None else live
        await self.handover.give(Arrival(space=space, event=event, live=fresh))

    def beside(self, work: Coroutine[object, object, None], what: str) -> None:
        """Do something beside everything else; trouble with it is logged."""

        async def do() -> None:
            try:
                await work
            except TelegramError as error:
                log.info("%s was refused: %s", what, error)
            except Exception as error:  # noqa: BLE001 - nobody waits for it
                log.error("%s failed: %s", what, trail(error))

        task = asyncio.create_task(do(), name=what)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # What people say

    async def _message(self, message: Message, update: int) -> None:
        if message.chat.type == ChatType.PRIVATE:
            await self._private(message)
            return
        if message.migrate_to_chat_id or message.migrate_from_chat_id:
            await self.changes.migrated(message, update)
            return
        space = await self.chats.space_of(self._whose(message))
        self.asked.note_chat(message.chat)
        await self.changes.topics(message, space, update)
        if (message.new_chat_members or message.left_chat_member) and not await self.chats.is_admin(message.chat.id):
            # Where the bot is an administrator, `chat_member` tells the same and more.
            for one in self.incoming.came_and_left(message):
                here = isinstance(one, MemberJoined)
                self.homes.note_presence(names.user(one.member.ref), message.chat.id, here=here)
                await self.tell(space, one)
        if message.new_chat_title:
            await self.changes.retell(space, message, update)
        event = self.incoming.posted(message, self._channel(message))
        if event is not None:
            await self._posted(space, event, message, update)

    def _whose(self, message: Message) -> Chat:
        """Return the chat whose space a message belongs to; one that Telegram forwards tells which group discusses."""
        if message.is_automatic_forward and message.sender_chat is not None:
            self.chats.belongs(message.sender_chat.id, message.chat)
            return message.sender_chat
        return message.chat

    def _channel(self, message: Message) -> Named:
        """Return the channel of a message: of one that Telegram itself forwards, the channel it was posted in."""
        if message.is_automatic_forward and message.sender_chat is not None:
            return self.chats.channel(message.sender_chat)
        return self.chats.channel(message.chat, topic_of(message))

    async def _posted(self, space: Named, event: MessagePosted, message: Message, update: int) -> None:
        author = await self._ranked(space, event.author)
        event, rank = replace(event, author=author), author.rank or Rank.MEMBER
        if (who := message.from_user) and not who.is_bot and message.sender_chat is None:
            self.homes.note(who.id, space)
            self.homes.note_presence(who.id, names.place(space.ref).chat, here=True)
            self.asked.note(who)
        for one in self._said(event, message, rank):
            await self.tell(space, one)
        if not event.author.bot:
            await self._follow_name(space, event, update)

    async def _ranked(self, space: Named, author: Named) -> Named:
        """Say what an author may do in the group; whoever writes in a channel is no staff of those who discuss it."""
        return replace(author, rank=await self.chats.rank(names.place(space.ref).chat, names.user(author.ref)))

    async def _follow_name(self, space: Named, event: MessagePosted, update: int) -> None:
        """Tell how somebody is called now, which Telegram tells only by what they write."""
        who, key = event.author, (space.ref, event.author.ref)
        before = self._called.pop(key, who.name)
        self._called[key] = who.name
        if len(self._called) > REMEMBERED:
            self._called.pop(next(iter(self._called)))
        if before != who.name:
            await self.tell(space, MemberChanged(member=who, at=event.at, revision=revision(event.at, update)))

    def _said(self, event: MessagePosted, message: Message, rank: Rank) -> list[Event]:
        """Return what to tell of a message: itself, and the command that it gives."""
        told = said(event, rank=rank, commands=self.commands, words=self._words(event, message))
        return [self.asked.about(one, message) for one in told]

    def _words(self, event: MessagePosted, message: Message) -> str:
        """Return what a message says to the bot."""
        return self.asked.words(message) if event.mentioned and not is_passed_on(message) else ""

    async def _private(self, message: Message) -> None:
        """Take in what somebody wrote to the bot alone, as a member of a group that both are in.

        Of an appeal that belongs to another group the command alone is told, there: its author may be sent out of it.
        """
        who = message.from_user
        if who is None or who.is_bot:
            return
        self.asked.note(who)
        given = bidding(message.text or "") if not is_passed_on(message) else None
        start = given is not None and given.name == START
        if start and given is not None and (group := names.chosen(given.rest)):
            chosen = await self.homes.find(who.id, self.chats.now(group))
            if chosen is not None:
                self.homes.note(who.id, chosen)
        event = self.incoming.posted(message, self.chats.channel(message.chat))
        if event is None:
            return
        home = await self.homes.of(who.id)
        line = plea(self._words(event, message), self.commands)
        space = await self.homes.of_appeal(who.id, line, home) if line is not None else home
        if space is None:
            self.beside(self._refuse(who, aware(message.date)), "telling a stranger")
            return
        rank = await self.chats.rank(names.place(space.ref).chat, who.id)
        if start:
            await self._started(space, event, rank)
            return
        at_home = home is not None and home.ref == space.ref
        for one in self._said(event, message, rank):
            if at_home or isinstance(one, CommandGiven):
                await self.tell(space, one)

    async def _started(self, home: Named, event: MessagePosted, rank: Rank) -> None:
        """Let whoever opened a conversation be shown what there is: the owner how to set it up, others the commands."""
        command = "setup" if rank is Rank.OWNER else "help"
        given = CommandGiven(
            command=command,
            aside=False,
            member=event.author,
            rank=rank,
            channel=event.channel,
            at=event.at,
            invocation=event.message,
        )
        for one in (replace(event, mentioned=False), given):
            await self.tell(home, one)

    async def _refuse(self, who: User, at: datetime) -> None:
        """Tell somebody who shares no group with the bot why they are not answered, once in a while."""
        now = self.clock.now()
        if now - at <= LATE and now - self._strangers.get(who.id, now - 2 * LATE) > LATE:
            self._strangers = {one: then for one, then in self._strangers.items() if now - then <= LATE}
            self._strangers[who.id] = now
            await self.client.send_message(who.id, self.words(who, STRANGERS))

    def words(self, who: User, words: str) -> str:
        """Say something in the language of somebody's client."""
        return self.translate["zh_CN" if person(who).language == "zh_CN" else "en"](words)

    async def _edited(self, message: Message, update: int) -> None:
        if message.chat.type == ChatType.PRIVATE:
            return  # of what is said to the bot alone nothing is kept
        space = await self.chats.space_of(self._whose(message))
        if event := self.incoming.edited(message, self._channel(message), update):
            await self.tell(space, replace(event, author=await self._ranked(space, event.author)))

    async def _reacted(self, told: MessageReactionUpdated, update: int) -> None:
        space = await self.chats.space_of(told.chat)
        for one in self.incoming.reactions(told, self.chats.channel(told.chat), update):
            await self.tell(space, one)
