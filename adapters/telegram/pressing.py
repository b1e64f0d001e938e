"""Takes in presses of buttons, each for the group that its message speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram import Message
from telegram.constants import ChatType

from adapters.telegram import names
from adapters.telegram.incoming import ref_of, topic_of
from adapters.telegram.keyboard import HOME
from bot.core.i18n import _

if TYPE_CHECKING:
    from telegram import CallbackQuery

    from adapters.telegram.hearing import Ears

STRANGERS = _("I share no group with you, or may not see who is in it. Join one in which I am an administrator.")


@dataclass(frozen=True, slots=True)
class Presses:
    """Takes in presses for one bot."""

    ears: Ears

    async def take(self, query: CallbackQuery) -> None:
        """Take in that somebody pressed a button; their client waits until it hears that this arrived."""
        message = query.message
        if message is None or not query.data:
            self.ears.beside(self._acknowledge(query), "acknowledging a press")
            return
        token, _at, home = query.data.partition(HOME)
        who = query.from_user
        if message.chat.type == ChatType.PRIVATE:
            group = names.chosen(f"g{home}")
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
        await self.ears.tell(space, event, live=True)
        self.ears.beside(self._acknowledge(query), "acknowledging a press")

    async def _acknowledge(self, query: CallbackQuery, words: str = "") -> None:
        await self.ears.client.answer_callback_query(query.id, text=words or None, show_alert=bool(words))
