"""The channels of a server as the bot may use them: what it lacks where, told of many channels at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from adapters.discord import names, rights
from adapters.discord.examining.place import step, told
from adapters.discord.incoming import is_archived
from adapters.discord.needs import BY_RIGHT, label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adapters.discord.examining.place import Place
    from bot.core.ports import Finding
    from bot.core.things import Ref

GROUPS = 4
"""Findings about channels that lack the same, largest first; what is beyond is counted."""
USEFUL = ("attach_files", "add_reactions", "send_polls", "manage_messages")
"""Rights without which something is left undone in a channel, and no more."""


def look(here: Place, reads: Callable[[Ref], bool]) -> list[Finding]:
    """Judge every channel that is to be read and was not archived; what the whole server lacks is not repeated."""
    wanted = [one for one in rights.rooms(here.guild) if reads(names.ref(one.id)) and not is_archived(one)]
    private = [one for one in wanted if _is_private(one) and not _sees(here, one)]
    lacking = {one: _lacks(here, one) for one in wanted if one not in private}
    groups: dict[tuple[str, ...], list[rights.Room]] = {}
    for room, lacks in lacking.items():
        if lacks:
            groups.setdefault(lacks, []).append(room)
    largest = sorted(groups.items(), key=lambda one: -len(one[1]))
    found = [_summary(here, wanted, private)] + [_lack(here, lacks, rooms) for lacks, rooms in largest[:GROUPS]]
    if rest := [room for _lacks, rooms in largest[GROUPS:] for room in rooms]:
        found.append(here.find("channels", "warn", f"{len(rest)} more channels lack something else: {_names(rest)}"))
    return found


def _summary(here: Place, wanted: Sequence[rights.Room], private: Sequence[rights.Room]) -> Finding:
    read = [one for one in wanted if rights.can_read(one, here.me)]
    if wanted and not read:
        give = f"Let me see some: Server Settings > Roles > {here.role.name} > Permissions > View Channels"
        return here.find(
            "channels", "bad", f"I can read none of {len(wanted)} channels. {give}{_letting_in(here, private)}"
        )
    words = f"I read {len(read)} of {len(wanted)} channels{_letting_in(here, private)}"
    return here.find("channels", "warn" if len(private) > len(read) else "ok", words)


def _letting_in(here: Place, private: Sequence[rights.Room]) -> str:
    if not private:
        return ""
    return f"; private, and closed to me: {_names(private)}. {step(here, ('view_channel',))}, where I am to read"


def _lack(here: Place, lacks: Sequence[str], rooms: Sequence[rights.Room]) -> Finding:
    missing = "; ".join(f"{label(right)}, {BY_RIGHT[right].why}" for right in lacks)
    where = f"{_names(rooms)}{', in each or in their category' if len(rooms) > 1 else ''}"
    return here.find("channels", "warn", f"I lack {missing}, in {where}. {step(here, lacks)}")


def _lacks(here: Place, room: rights.Room) -> tuple[str, ...]:
    """Name the rights that the bot has on the server and not in a channel, where it needs them."""
    held, everywhere = room.permissions_for(here.me), here.me.guild_permissions
    missing = [right for right in _needed(room) if not getattr(held, right) and getattr(everywhere, right)]
    if "view_channel" in missing:
        return ("view_channel",)
    silent = any(right.startswith("send_messages") for right in missing)
    return tuple(right for right in missing if not silent or right not in USEFUL)


def _needed(room: rights.Room) -> tuple[str, ...]:
    """Name the rights of use in a channel; where everybody is forbidden to write, the bot is not missed either."""
    reading: tuple[str, ...] = ("view_channel", "read_message_history")
    if isinstance(room, discord.VoiceChannel | discord.StageChannel):
        reading += ("connect",)
    if room.overwrites_for(room.guild.default_role).send_messages is False:
        return reading
    if isinstance(room, discord.ForumChannel):
        return (*reading, "send_messages_in_threads", *USEFUL)
    threads = ("send_messages_in_threads",) if isinstance(room, discord.TextChannel) else ()
    return (*reading, "send_messages", *threads, *USEFUL)


def _is_private(room: rights.Room) -> bool:
    """Say whether a channel is closed to everybody who is not let in."""
    return room.overwrites_for(room.guild.default_role).view_channel is False


def _sees(here: Place, room: rights.Room) -> bool:
    return room.permissions_for(here.me).view_channel


def _names(rooms: Sequence[rights.Room]) -> str:
    return told(f"#{one.name}" for one in rooms)
