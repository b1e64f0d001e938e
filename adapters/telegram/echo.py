"""What the bot did, told like anything else that happens: Telegram tells a bot nothing of its own doing."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from telegram.constants import ChatType

from adapters.telegram import names
from adapters.telegram.incoming import changed, topic_of
from bot.core.events import MessageDeleted, Named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telegram import Message

    from adapters.telegram.hearing import Ears
    from bot.core.clock import Clock
    from bot.core.events import Event
    from bot.core.things import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """Tells what one bot did, beside whatever goes on: what is done stays done, stored or not."""

    ears: Ears
    clock: Clock
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def said(self, message: Message) -> None:
        """Tell that the bot said something."""
        event = self.ears.incoming.posted(message, self._channel(message))
        if event is not None:
            self._tell(message.chat.id, replace(event, author=self._me))

    def changed(self, message: Message) -> None:
        """Tell that the bot says something else now."""
        event = self.ears.incoming.edited(message, self._channel(message), next(self._numbers))
        if event is not None and message.chat.type != ChatType.PRIVATE:
            self._tell(message.chat.id, replace(event, author=self._me))

    def deleted(self, message: Ref, channel: Ref) -> None:
        """Tell that the bot took a message away."""
        chat = names.parts(message).chat
        if chat < 0:
            where = Named(ref=channel, name="")
            self._tell(chat, MessageDeleted(message=message, channel=where, at=self.clock.now()))

    def topic(self, place: names.Place) -> None:
        """Tell how a topic is now that the bot made, closed or opened."""
        known = self.ears.chats.topics[place]
        named = self.ears.chats.topic(place)
        event = changed(named, self.clock.now(), next(self._numbers), archived=known.closed)
        self._tell(place.chat, event)

    def moved(self, before: int, after: int, name: str) -> None:
        """Tell that a group has another number from now on."""
        self.ears.chats.moved[before] = after
        self.ears.beside(self.ears.changes.become(before, after, name, self.clock.now()), "following a group")

    def _channel(self, message: Message) -> Named:
        return self.ears.chats.channel(message.chat, topic_of(message))

    @property
    def _me(self) -> Named:
        client = self.ears.client
        return Named(ref=names.member(client.id), name=client.first_name, bot=True)

    def _tell(self, chat: int, event: Event) -> None:
        self.ears.beside(self._hand_over(chat, event), "telling what the bot did")

    async def _hand_over(self, chat: int, event: Event) -> None:
        chats, homes = self.ears.chats, self.ears.homes
        space = await homes.of(chat) if chat > 0 else await chats.space(chat)
        if space is not None:
            await self.ears.tell(space, event, live=True)
