"""Reads the words of a message: Slack's marks for names, channels and links become what people see."""

from __future__ import annotations

import asyncio
import html
import re
from typing import TYPE_CHECKING

from adapters.slack import told
from bot.core.things import Audience

if TYPE_CHECKING:
    from adapters.slack.directory import Directory
    from adapters.slack.told import Told

MARK = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
MENTIONED = re.compile(r"<@([A-Z0-9]{2,40})(?:\|[^<>]*)?>")
REFERRED = re.compile(r"<#([A-Z0-9]{2,40})(?:\|[^<>]*)?>")
DEEPEST = 8
"""How deep blocks are read into each other."""
NAMED_AT_ONCE = 10
"""Members and channels whose names are looked up for one message; the others are found if they are known."""


async def words(message: Told, directory: Directory) -> str:
    """Return what a message says, with members and open channels by name; the bot's own name in front is left out.

    A closed channel is not named: not everybody who reads the words may know of it.
    """
    written = told.text(message, "text") or _of_blocks(message)
    people = [directory.person(user) for user in _first(MENTIONED.findall(written))]
    await asyncio.gather(*people, *(directory.room(channel) for channel in _first(REFERRED.findall(written))))
    return spelled(written, directory)


def _first(found: list[str]) -> list[str]:
    return list(dict.fromkeys(found))[:NAMED_AT_ONCE]


def spelled(written: str, directory: Directory) -> str:
    """Return a text of Slack as people see it, with the names that are known."""

    def name(found: re.Match[str]) -> str:
        sign, inner, label = found[1], found[2], found[3] or ""
        match sign:
            case "@":
                person = directory.known_person(inner)
                return f"@{person.name if person else label or '…'}"
            case "#":
                room = directory.known_room(inner)
                return f"#{room.name}" if room and room.audience is Audience.EVERYONE else "#…"
            case "!":
                return label or f"@{inner.partition('^')[0]}"
        return label if label in {"", inner.removeprefix("mailto:")} and label else _link(inner, label)

    without_me = re.sub(rf"^\s*<@{directory.me}(?:\|[^<>]*)?>[\s,:]*", "", written)
    return html.unescape(MARK.sub(name, without_me))


def _link(address: str, label: str) -> str:
    return f"{label} ({address})" if label and label != address else address


def _of_blocks(message: Told) -> str:
    """Return what the blocks of a message say, where it has no text of its own."""
    return "\n".join(filter(None, (_of_block(one, 0) for one in told.parts(message, "blocks"))))


def _of_block(block: Told, depth: int) -> str:
    if depth > DEEPEST:
        return ""
    match told.text(block, "type"):
        case "user":
            return f"<@{told.text(block, 'user_id')}>"
        case "channel":
            return f"<#{told.text(block, 'channel_id')}>"
        case "emoji":
            return f":{told.text(block, 'name')}:"
        case "link":
            return told.text(block, "text") or told.text(block, "url")
    inside = told.text(block, "text") or told.text(block, "text", "text")
    between = "" if told.text(block, "type") in {"rich_text_section", "rich_text_preformatted"} else "\n"
    return inside + between.join(_of_block(one, depth + 1) for one in told.parts(block, "elements"))
