"""What a command in words is about: members by their usernames, messages by their links or by answering them."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from adapters.telegram import names
from adapters.telegram.incoming import answered, author, ref_of
from adapters.telegram.words import text_of, without_name
from bot.core.events import CommandGiven, Pointed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram import Chat, Message, User

    from bot.core.commands import Command
    from bot.core.events import Event

REMEMBERED = 20_000
"""Usernames that are remembered; Telegram finds nobody by theirs for a bot."""
_USERNAME = re.compile(r"(?<![\w/])@([A-Za-z]\w{3,31})\b", re.ASCII)
_PUBLIC = re.compile(r"https?://t\.me/([A-Za-z]\w{3,31})/(?:\d{1,16}/)?(\d{1,16})\b", re.ASCII)
_LINK = re.compile(r"https?://t\.me/c/(\d{1,16})/(?:\d{1,16}/)?(\d{1,16})\b", re.ASCII)
_NAMES = {"member": ("@", "telegram:", "member:"), "message": ("telegram:", "message:")}
"""How a line begins a word that names a thing of a type itself."""


@dataclass(slots=True, kw_only=True)
class Asked:
    """Reads commands for one bot."""

    username: str
    commands: Sequence[Command]
    _numbers: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _chats: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def note(self, user: User) -> None:
        """Remember somebody's username."""
        _keep(self._numbers, user.username, user.id)

    def note_chat(self, chat: Chat) -> None:
        """Remember what a public group or channel is called in links."""
        _keep(self._chats, chat.username, chat.id)

    def words(self, message: Message) -> str:
        """Return what a message says to the bot, members and messages as references."""
        text = without_name(text_of(message, by_reference=True), self.username)
        text = _LINK.sub(lambda link: str(names.message(names.supergroup(int(link[1])), int(link[2]))), text)
        return _USERNAME.sub(self._member, _PUBLIC.sub(self._message, text))

    def about(self, event: Event, message: Message) -> Event:
        """Return a command with what it is about, where it answers a message; anything else as it is."""
        other = answered(message)
        if not isinstance(event, CommandGiven) or other is None:
            return event
        command = next((one for one in self.commands if one.name == event.command), None)
        wanted = {one.type for one in command.arguments} if command else set()
        who, what = author(other), ref_of(other)
        if "message" in wanted and not _names(event.line, "message"):
            pointed = Pointed(message=what, channel=event.channel, author=who)
            return replace(event, line=f"message:{what} {event.line}".strip(), pointed=pointed)
        if "member" in wanted and not _names(event.line, "member") and not who.bot:
            return replace(event, line=f"member:{who.ref} {event.line}".strip())
        return event

    def _member(self, found: re.Match[str]) -> str:
        number = self._numbers.get(found[1].lower())
        return str(names.member(number)) if number else found[0]

    def _message(self, found: re.Match[str]) -> str:
        number = self._chats.get(found[1].lower())
        return str(names.message(number, int(found[2]))) if number else found[0]


def _keep(known: OrderedDict[str, int], username: str | None, number: int) -> None:
    if username:
        known[username.lower()] = number
        known.move_to_end(username.lower())
        while len(known) > REMEMBERED:
            known.popitem(last=False)


def _names(line: str, kind: str) -> bool:
    return any(word.startswith(_NAMES[kind]) for word in line.split())
