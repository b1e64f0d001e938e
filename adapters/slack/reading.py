"""Reads the words of a message: Slack's marks for names, channels and links become what people see."""

from __future__ import annotations

import asyncio
import html
import re
from typing import TYPE_CHECKING

from adapters.slack import told
from bot.core.things import Audience

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from adapters.slack.directory import Directory
    from adapters.slack.told import Told

    Name = Callable[[str], str | None]

MARK = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
MENTIONED = re.compile(r"<@([A-Z0-9]{2,40})(?:\|[^<>]*)?>")
IN_FRONT = re.compile(rf"\s*{MENTIONED.pattern}[\s,:]*")
REFERRED = re.compile(r"<#([A-Z0-9]{2,40})(?:\|[^<>]*)?>")
UNKNOWN = "…"
"""What stands for a member who is not known, and for a channel that not everybody may know of."""
DEEPEST = 8
"""How deep blocks are read into each other."""
NAMED_AT_ONCE = 10
"""Members and channels whose names are looked up for one message; the others are found if they are known."""


async def words(message: Told, directory: Directory) -> str:
    """Return what a message says, with members and open channels by name; the bot's own name in front is left out.

    A closed channel is not named: not everybody who reads the words may know of it.
    """
    said = written(message)
    people = [directory.person(user) for user in _first(MENTIONED.findall(said))]
    await asyncio.gather(*people, *(directory.room(channel) for channel in _first(REFERRED.findall(said))))
    return spelled(said, directory)


def written(message: object) -> str:
    """Return what a message says as Slack writes it; a machine may say it in blocks, or in what is attached, alone."""
    text = told.text(message, "text")
    return text if text.strip() else _of_blocks(message) or _of_attached(message) or text


def _first(found: list[str]) -> list[str]:
    return list(dict.fromkeys(found))[:NAMED_AT_ONCE]


def spelled(said: str, directory: Directory) -> str:
    """Return a text of Slack as people see it, with the names that are known."""

    def room(channel: str) -> str | None:
        found = directory.known_room(channel)
        return found.name if found and found.audience is Audience.EVERYONE else None

    def person(user: str) -> str | None:
        found = directory.known_person(user)
        return found.name if found else None

    return readable(said, person=person, room=room, me={directory.me})


def readable(said: str, *, person: Name, room: Name, me: Collection[str] = ()) -> str:
    """Return a text of Slack as people see it. `person` and `room` tell names by ids, of open channels alone.

    The name of whoever is `me` in front is left out.
    """
    if (front := IN_FRONT.match(said)) and front[1] in me:
        said = said[front.end() :]

    def name(found: re.Match[str]) -> str:
        sign, inner, label = found[1], found[2], found[3] or ""
        match sign:
            case "@":
                return f"@{person(inner) or label or UNKNOWN}"
            case "#":
                return f"#{room(inner) or UNKNOWN}"
            case "!":
                return _special(inner, label)
        return _link(inner, label)

    return html.unescape(MARK.sub(name, said))


def _special(target: str, label: str) -> str:
    """Return what is read for `here`, `channel`, a group of users, or a date."""
    kind = target.partition("^")[0]
    if kind in {"here", "channel", "everyone"}:
        return f"@{kind}"
    return label or f"@{UNKNOWN}"


def _link(address: str, label: str) -> str:
    """Write an address, with what it is called where that says more."""
    if address.startswith("mailto:") and label:
        return label
    says_no_more = not label or label == address or address.endswith(f"://{label}")
    return address if says_no_more else f"{label} ({address})"


def _of_attached(message: object) -> str:
    """Return what is attached to a message says, where it says nothing else."""
    attached = told.parts(message, "attachments")
    return "\n".join(filter(None, (told.text(one, "text") or told.text(one, "fallback") for one in attached)))


def _of_blocks(message: object) -> str:
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
