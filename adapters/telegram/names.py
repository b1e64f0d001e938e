"""References of Telegram and back: what stands in the id of a `telegram:` reference.

A group, a channel or a conversation with one member `-100123`, a forum topic `-100123/t7`, a message `-100123/45`, a
member `42` (a chat that writes under its own name is one too), a press of a button `pressed/4711`. The general topic of
a forum is the group itself.
"""

from __future__ import annotations

from typing import NamedTuple

from bot.core.things import Ref

PLATFORM = "telegram"
GENERAL = 1
"""The topic of a forum that is always there; its messages name no topic."""
SUPERGROUPS = -1_000_000_000_000
"""What the number of a supergroup or a channel is taken from, as the Bot API and the official clients count them."""
LONGEST_ID = 20
"""Digits of the largest number that names anything on Telegram, and a sign."""


class Unknown(Exception):
    """A reference that names nothing of the kind on Telegram; the text says what."""


class Place(NamedTuple):
    """A chat, and of a forum the topic in it; 0 for the general one and for chats that have none."""

    chat: int
    topic: int = 0


class Message(NamedTuple):
    """A message and the chat it stands in."""

    chat: int
    id: int


def chat(number: int, topic: int = 0) -> Ref:
    """Name a chat, or a topic of a forum."""
    return Ref(PLATFORM, str(number) if topic in {0, GENERAL} else f"{number}/t{topic}")


def message(chat: int, number: int) -> Ref:
    """Name a message."""
    return Ref(PLATFORM, f"{chat}/{number}")


def member(number: int) -> Ref:
    """Name a member."""
    return Ref(PLATFORM, str(number))


def pressed(query: str) -> Ref:
    """Name one press of a button."""
    return Ref(PLATFORM, f"pressed/{query}")


def group_of(wanted: Ref) -> Ref:
    """Return the chat that anything in it belongs to. Raises Unknown."""
    return Ref(PLATFORM, str(_number(_own(wanted).partition("/")[0], wanted)))


def invitation(username: str, group: int) -> str:
    """Return the address at which somebody opens a conversation with a bot about a group of theirs."""
    return f"https://t.me/{username}?start=g{group}"


def chosen(payload: str) -> int:
    """Return the group that somebody came from by such an address; 0 where it names none."""
    number = payload.removeprefix("g").removeprefix("-")
    is_group = payload.startswith("g-") and number.isascii() and number.isdecimal() and len(number) <= LONGEST_ID
    return -int(number) if is_group else 0


def supergroup(bare: int) -> int:
    """Return the number of a supergroup or channel, of which an export and a link tell only the bare one."""
    return SUPERGROUPS - bare


def is_small(group: int) -> bool:
    """Say whether a group is none of the supergroups, which alone know bans and topics."""
    return SUPERGROUPS < group < 0


def place(wanted: Ref) -> Place:
    """Return the chat and topic that a reference names. Raises Unknown."""
    number, slash, topic = _own(wanted).partition("/")
    if slash and not topic.startswith("t"):
        raise Unknown(f"{wanted} is no chat of Telegram")
    return Place(_number(number, wanted), _number(topic[1:], wanted) if slash else 0)


def parts(wanted: Ref) -> Message:
    """Return the chat and the number of a message. Raises Unknown."""
    number, _slash, own = _own(wanted).partition("/")
    return Message(_number(number, wanted), _number(own, wanted))


def user(wanted: Ref) -> int:
    """Return the number of a member. Raises Unknown."""
    return _number(_own(wanted), wanted)


def _own(wanted: Ref) -> str:
    if wanted.platform != PLATFORM:
        raise Unknown(f"{wanted} is not on Telegram")
    return wanted.id


def _number(text: str, wanted: Ref) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= LONGEST_ID):
        raise Unknown(f"{wanted} is nothing that Telegram has")
    return int(text)
