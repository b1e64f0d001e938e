"""What a message of Telegram says: its text with mentions and links readable, the poll it asks, the files it brings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.telegram import names
from bot.core.events import File

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram import Message, MessageEntity

LONGEST_NAME = 100
"""Characters of a name that are kept."""
COMMAND = re.compile(r"/(\w{1,64})(?:@(\w{1,64}))?(?=\s|$)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bidding:
    """A command at the beginning of a message: its name, the bot it names, and what stands after it."""

    name: str
    to: str
    rest: str


def cut(name: str) -> str:
    """Return a name on one line, cut where it gets endless."""
    return " ".join(name[: 4 * LONGEST_NAME].split())[:LONGEST_NAME]


def text_of(message: Message, *, by_reference: bool = False) -> str:
    """Return what a message says: links with their addresses, members by name or reference, a poll with its options.

    A sticker says its emoji, and a place what it is called.
    """
    if message.poll is not None:
        return "\n".join([message.poll.question, *(f"- {one.text}" for one in message.poll.options)])
    if message.sticker is not None:
        return message.sticker.emoji or ""
    if message.venue is not None:
        return message.venue.title
    if message.text is not None:
        return _readable(message.text, message.entities, by_reference=by_reference)
    return _readable(message.caption or "", message.caption_entities, by_reference=by_reference)


def without_name(text: str, username: str) -> str:
    """Return a text without the bot's name in front of it, and a command without the name behind it."""
    text = re.sub(rf"^\s*@{re.escape(username)}\b[\s,:]*", "", text, flags=re.IGNORECASE)
    return re.sub(rf"^(/\w+)@{re.escape(username)}\b", r"\1", text, flags=re.IGNORECASE)


def bidding(text: str) -> Bidding | None:
    """Return the command that a text begins with."""
    found = COMMAND.match(text)
    if found is None:
        return None
    return Bidding(name=found[1].lower(), to=(found[2] or "").lower(), rest=text[found.end() :].strip())


def names_user(message: Message, username: str, number: int) -> bool:
    """Say whether a message mentions somebody, by username or by name."""
    for text, entities in ((message.text, message.entities), (message.caption, message.caption_entities)):
        for one in entities:
            if one.type == "text_mention" and one.user and one.user.id == number:
                return True
            if one.type == "mention" and text and _part(text, one).lower() == f"@{username.lower()}":
                return True
    return False


def files_of(message: Message) -> tuple[File, ...]:
    """Return the file that a message brings; Telegram puts one into each, also in an album, and finds it by its id."""
    for kind, name, media in (
        (message.animation, "animation.mp4", "video/mp4"),
        (message.document, "document", ""),
        (message.video, "video.mp4", "video/mp4"),
        (message.audio, "audio.mp3", "audio/mpeg"),
        (message.voice, "voice.ogg", "audio/ogg"),
        (message.video_note, "video.mp4", "video/mp4"),
        (message.photo[-1] if message.photo else None, "photo.jpg", "image/jpeg"),
    ):
        if kind is not None:
            called = cut(getattr(kind, "file_name", None) or name)
            told = getattr(kind, "mime_type", None) or media
            return (File(name=called, kind=told, size=kind.file_size or 0, url=kind.file_id),)
    return ()


def says_something(message: Message) -> bool:
    """Say whether somebody said something; that they came, or pinned a message, Telegram itself tells."""
    return any(
        (
            message.text,
            message.caption,
            message.poll,
            message.sticker,
            message.location,
            message.contact,
            message.dice,
            files_of(message),
        )
    )


def _part(text: str, one: MessageEntity) -> str:
    """Return the part of a text that Telegram counts in UTF-16 units."""
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * one.offset : 2 * (one.offset + one.length)].decode("utf-16-le", "replace")


def _readable(text: str, entities: Sequence[MessageEntity], *, by_reference: bool) -> str:
    """Write hidden addresses beside their words, and a mention by name with its sign."""
    told = sorted(
        (one for one in entities if one.type in {"text_link", "text_mention"} and one.offset >= 0 < one.length),
        key=lambda one: one.offset,
        reverse=True,
    )
    if not told:
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    for one in told:
        start, end = 2 * one.offset, 2 * (one.offset + one.length)
        words = units[start:end].decode("utf-16-le", "replace")
        if one.type == "text_mention" and by_reference and one.user:
            shown = str(names.member(one.user.id))
        elif one.type == "text_mention":
            shown = words if words.startswith("@") else f"@{words}"
        else:
            shown = words if not one.url or one.url.rstrip("/") == words.rstrip("/") else f"{words} ({one.url})"
        units = units[:start] + shown.encode("utf-16-le", "replace") + units[end:]
    return units.decode("utf-16-le", "replace")
