"""The channels that staff named for something: whether the bot can write there, as it must."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from adapters.discord import names, rights
from adapters.discord.examining.place import step
from adapters.discord.needs import label
from bot.core.things import Audience, Ref

if TYPE_CHECKING:
    from adapters.discord.examining.place import Place
    from bot.core.ports import Finding

Room = rights.Room | discord.Thread


async def named(client: discord.Client, here: Place, setting: str, wanted: str) -> list[Finding]:
    """Judge the channel that a setting names, if one was named; nothing where it is on another server or platform."""
    what, another = setting.removesuffix("_channel"), f"Name another there: /setup {setting} #channel"
    if setting == "staff_channel" and not wanted:
        words = f"there is no staff channel, so nobody hears of reports. Name one there: /setup {setting} #channel"
        return [here.find(what, "warn", words)]
    try:
        room = await _room(client, here, Ref.parse(wanted))
    except (discord.Forbidden, discord.NotFound, discord.InvalidData):
        return [here.find(what, "bad", f"the {what} channel is gone, or closed to me. {another}")]
    except (ValueError, names.Unknown):
        return []
    if room is None or room.guild.id != here.guild.id:
        return []
    return [_forum(here, what, room, another) or _closed(here, what, room) or _reached(here, what, room)]


def _forum(here: Place, what: str, room: Room, another: str) -> Finding | None:
    if not isinstance(room, discord.ForumChannel):
        return None
    return here.find(what, "bad", f"the {what} channel #{room.name} is a forum, where I begin no posts. {another}")


def _closed(here: Place, what: str, room: Room) -> Finding | None:
    lacks = _lacks(here, room)
    if not lacks:
        return None
    missing = " and ".join(map(label, lacks))
    words = f"I cannot write in the {what} channel #{room.name}: I lack {missing}. {step(here, lacks)}"
    return here.find(what, "bad", words)


def _reached(here: Place, what: str, room: Room) -> Finding:
    open_to_all = isinstance(room, rights.Room) and rights.audience(room) is Audience.EVERYONE
    if what == "staff" and open_to_all:
        words = f"everybody may read the staff channel #{room.name}, and with it what members report. "
        return here.find(what, "warn", words + "Close it: Edit Channel > Permissions > Private Channel")
    return here.find(what, "ok", f"I can write in the {what} channel #{room.name}")


async def _room(client: discord.Client, here: Place, wanted: Ref) -> Room | None:
    """Return a channel or a thread; one request where it is none of the server's channels."""
    number = names.number(wanted)
    found = here.guild.get_channel(number) or await client.fetch_channel(number)
    return found if isinstance(found, rights.Room | discord.Thread) else None


def _lacks(here: Place, room: Room) -> tuple[str, ...]:
    """Name the rights that are missing for writing somewhere; of a thread those of its channel count."""
    thread = isinstance(room, discord.Thread)
    place = here.guild.get_channel(room.parent_id) if isinstance(room, discord.Thread) else room
    if place is None:
        return ("view_channel",)
    held = place.permissions_for(here.me)
    wanted = ("view_channel", "send_messages_in_threads" if thread else "send_messages")
    return tuple(right for right in wanted if not getattr(held, right))
