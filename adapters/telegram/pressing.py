"""Takes in presses of buttons, each for the group that its message speaks for, and shows who pressed what came of it.

In a group a client waits for a while until it hears of its press. An answer for that member alone is told there: that
it is in their conversation with the bot, or all of it where they have opened none and it is short.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from telegram import Message
from telegram.constants import ChatType
from telegram.error import TelegramError

from adapters import markup
from adapters.telegram import names
from adapters.telegram.incoming import ref_of, topic_of
from adapters.telegram.keyboard import HOME
from bot.core.i18n import _

if TYPE_CHECKING:
    from telegram import CallbackQuery

    from adapters.telegram.hearing import Ears

ALERT = 200
"""Characters that a client shows in answer to a press."""
AWAITED = 3.0
"""Seconds for which an answer to a press is waited for; Telegram itself waits some ten."""
ELSEWHERE = _("I wrote to you directly.")
STRANGERS = _("I share no group with you, or may not see who is in it. Join one in which I am an administrator.")


@dataclass(frozen=True, slots=True)
class Presses:
    """Takes in presses for one bot. `open` are those in groups that were not answered yet, by who pressed."""

    ears: Ears
    open: dict[int, CallbackQuery] = field(default_factory=dict)
    waiting: set[asyncio.Task[None]] = field(default_factory=set)

    async def take(self, query: CallbackQuery) -> None:
        """Take in that somebody pressed a button; their client waits until it hears that this arrived."""
        message = query.message
        if message is None or not query.data:
            self.ears.beside(self._acknowledge(query), "acknowledging a press")
            return
        token, _at, home = query.data.partition(HOME)
        who = query.from_user
        if message.chat.type == ChatType.PRIVATE:
            group = self.ears.chats.now(names.chosen(f"g{home}"))
            space = await self.ears.homes.find(who.id, group) if group else await self.ears.homes.of(who.id)
        else:
            space = await self.ears.chats.space_of(message.chat)
            self.ears.homes.note(who.id, space)
        if space is None:
            self.ears.beside(self._acknowledge(query, self.ears.words(who, STRANGERS)), "acknowledging a press")
            return
        if message.chat.type == ChatType.PRIVATE:
            self.ears.homes.note(who.id, space)
        group = names.place(space.ref).chat
        full = message if isinstance(message, Message) else None
        channel = self.ears.chats.channel(message.chat, topic_of(full) if full else 0)
        event = self.ears.incoming.pressed(
            query,
            ref_of(full) if full else names.message(message.chat.id, message.message_id),
            channel,
            token=token,
            rank=await self.ears.chats.rank(group, who.id),
            at=self.ears.clock.now(),
        )
        if message.chat.type != ChatType.PRIVATE:
            self._await_answer(query)
        await self.ears.tell(space, event, live=True)
        if message.chat.type == ChatType.PRIVATE:
            self.ears.beside(self._acknowledge(query), "acknowledging a press")

    def _await_answer(self, query: CallbackQuery) -> None:
        """Keep a press open until something comes of it, but not for long, and one of each member."""
        if earlier := self.open.pop(query.from_user.id, None):
            self.ears.beside(self._acknowledge(earlier), "acknowledging a press")
        self.open[query.from_user.id] = query
        task = asyncio.create_task(self._end_later(query))
        self.waiting.add(task)
        task.add_done_callback(self.waiting.discard)

    async def _end_later(self, query: CallbackQuery) -> None:
        await self.ears.clock.sleep(AWAITED)
        if self.open.get(query.from_user.id) is query:
            del self.open[query.from_user.id]
            self.ears.beside(self._acknowledge(query), "acknowledging a press")

    def wrote(self, user: int) -> None:
        """Tell whoever pressed a button that the answer is in their conversation with the bot."""
        query = self.open.pop(user, None)
        if query is not None:
            self.ears.beside(self._acknowledge(query, self.ears.words(query.from_user, ELSEWHERE)), "answering a press")

    def changed(self, chat: int, message: int) -> None:
        """Let go of those who pressed a button of a message that is another now: they see what came of it."""
        for user, query in list(self.open.items()):
            if query.message and (query.message.chat.id, query.message.message_id) == (chat, message):
                del self.open[user]
                self.ears.beside(self._acknowledge(query), "acknowledging a press")

    async def show(self, user: int, text: str) -> bool:
        """Show whoever pressed a button an answer for them alone; say whether that was done, as with a short one."""
        words = markup.plain(text).strip()
        if user not in self.open or not 0 < len(words.encode("utf-16-le")) // 2 <= ALERT:
            return False
        query = self.open.pop(user)  # from here on another press of theirs is another one's to answer
        try:
            await self.ears.client.answer_callback_query(query.id, text=words, show_alert=True)
        except TelegramError:
            return False
        return True

    async def lead(self, user: int, link: str) -> None:
        """Lead whoever pressed a button into the conversation that is still to be opened."""
        query = self.open.pop(user, None)
        if query is not None:
            self.ears.beside(self._acknowledge(query, link=link), "answering a press")

    async def _acknowledge(self, query: CallbackQuery, words: str = "", *, link: str = "") -> None:
        await self.ears.client.answer_callback_query(
            query.id, text=words or None, show_alert=bool(words), url=link or None
        )
