"""What the bot does on Discord: an action becomes requests, after a look whether they are allowed at all.

A request that Discord would refuse is not made: refusals count towards being blocked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord.http import Route

from adapters.discord import names, rights
from adapters.discord.incoming import ARCHIVES, is_archived
from adapters.discord.moderating import Discipline, check, here, lacking
from adapters.discord.speaking import Refused, Speech, gone_already
from bot.core.actions import (
    ArchiveChannel,
    AskStaff,
    Ban,
    CreateChannel,
    CreateEvent,
    CreatePoll,
    Delete,
    Edit,
    GrantRole,
    Invite,
    Kick,
    OpenDirect,
    React,
    Say,
    Timeout,
    Unban,
    Warn,
)
from bot.core.things import Audience

if TYPE_CHECKING:
    from adapters.discord.client import Client
    from bot.core.actions import Action
    from bot.core.clock import Clock
    from bot.core.things import Ref

WRITING = discord.Permissions(
    send_messages=True,
    send_messages_in_threads=True,
    add_reactions=True,
    create_public_threads=True,
    create_private_threads=True,
)
"""What nobody may do any more in a channel that was archived."""


class Hands:
    """Acts for one bot."""

    def __init__(self, client: Client, speech: Speech, clock: Clock) -> None:
        self._client = client
        self._http = client.http
        self._speech = speech
        self._discipline = Discipline(client, clock)
        self._were: dict[int, Ref] = {}
        """How channels were whose putting away broke off in the middle."""

    async def perform(self, action: Action) -> Ref | None:
        """Carry out an action and return what it made. Raises Refused and names.Unknown with the reason."""
        match action:
            case Say() | AskStaff() | Edit() | OpenDirect() | CreatePoll():
                return await self._speech.speak(action)
            case Warn():
                await self._discipline.target(action)
                return await self._speech.speak(action)
            case Delete():
                await self._delete(action)
            case React():
                await self._react(action)
            case Timeout() | Kick() | Ban() | Unban() | GrantRole():
                await self._discipline.act(action)
            case Invite():
                await self._invite(action)
            case CreateChannel():
                return await self._create_channel(action)
            case ArchiveChannel():
                return await self._archive(action)
            case CreateEvent():
                return await self._plan(action)
            case _:
                raise Refused(f"Discord cannot do this: {type(action).__name__}")
        return None

    async def _delete(self, action: Delete) -> None:
        """Take away a message, with all its pieces if it is the bot's own; or a date."""
        if names.is_date(action.message):
            guild, date = names.pair(action.message, "@")
            await gone_already(self._http.delete_scheduled_event(guild, date))
            return
        await self._speech.take_back(action.message)

    async def _react(self, action: React) -> None:
        channel, message = names.pair(action.message)
        emoji = action.emoji.strip("<>")
        if action.on:
            self._speech.check(channel, "add_reactions", "read_message_history")
            await self._http.add_reaction(channel, message, emoji)
        else:
            await gone_already(self._http.remove_own_reaction(channel, message, emoji))

    async def _invite(self, action: Invite) -> None:
        """Open a closed channel to a member by its own rule, or close it again; a thread takes them in."""
        number = names.number(action.channel)
        place = self._client.get_channel(number)
        if isinstance(place, discord.Thread):
            change = self._http.add_user_to_thread if action.on else self._http.remove_user_from_thread
            await change(number, names.pair(action.member).id)
            return
        if not isinstance(place, rights.Room):
            raise Refused(f"there is no channel {action.channel.id} that I see")
        member = here(await self._client.member(place.guild, names.pair(action.member).id))
        if rights.audience(place) is Audience.EVERYONE:
            return  # everybody is in: who presses its name is there
        self._speech.check(number, "manage_roles")
        allow, deny = (one.value for one in place.overwrites_for(member).pair())
        if action.on and not rights.can_read(place, member):
            allow, deny = allow | rights.reading(place), deny & ~rights.reading(place)
            await self._http.edit_channel_permissions(number, member.id, str(allow), str(deny), 1)
        elif not action.on and (allow & ~rights.reading(place) or deny):
            rest = allow & ~rights.reading(place)
            await self._http.edit_channel_permissions(number, member.id, str(rest), str(deny), 1)
        elif not action.on:
            await gone_already(self._http.delete_channel_permissions(number, member.id))

    async def _create_channel(self, action: CreateChannel) -> Ref:
        server = self._client.server(names.number(action.space))
        name = "-".join(action.name.strip().lstrip("#").lower().split())[:100]
        if not name:
            raise Refused("a channel needs a name")
        if any(room.name == name and not is_archived(room) for room in rights.rooms(server)):
            raise Refused(f"there is a channel called #{name} already")
        check(server, "manage_channels")
        made = await self._http.create_channel(server.id, 0, name=name, topic=action.description[:1024] or None)
        return names.ref(made["id"])

    async def _archive(self, action: ArchiveChannel) -> Ref | None:
        """Move a channel among those that were archived, where nobody writes; or back to how it was."""
        number = names.number(action.channel)
        room = self._client.get_channel(number)
        if isinstance(room, discord.Thread):
            await self._http.edit_channel(number, archived=action.on)
            return None
        if not isinstance(room, rights.Room):
            raise Refused(f"there is no channel {action.channel.id} that I see")
        if is_archived(room) == action.on:
            return None
        self._speech.check(number, "manage_channels", "manage_roles")
        everyone = room.guild.default_role
        allow, deny = (one.value for one in room.overwrites_for(everyone).pair())
        if action.on:
            parent = await self._archive_of(room.guild)
            now = names.ref(number, "was", room.category_id or 0, allow & WRITING.value, deny & WRITING.value)
            was = self._were.setdefault(number, now)
            allow, deny = allow & ~WRITING.value, deny | WRITING.value
        else:
            parent, allowed, denied = _was(action.was)
            was = None
            allow, deny = allow & ~WRITING.value | allowed, deny & ~WRITING.value | denied
        await self._http.edit_channel_permissions(number, everyone.id, str(allow), str(deny), 0)
        await self._http.edit_channel(number, parent_id=parent or None)
        self._were.pop(number, None)
        return was

    async def _archive_of(self, server: discord.Guild) -> int:
        """Return the category of what was archived, made when there is none."""
        for category in server.categories:
            if category.name.strip().casefold() in ARCHIVES:
                return category.id
        made = await self._http.create_channel(server.id, discord.ChannelType.category.value, name="Archive")
        return int(made["id"])

    async def _plan(self, action: CreateEvent) -> Ref:
        room = self._client.get_channel(names.number(action.channel))
        if not isinstance(room, rights.Room):
            raise Refused(f"there is no channel {action.channel.id} that I see")
        held = room.guild.me.guild_permissions
        if not (held.create_events or held.manage_events):
            raise Refused(lacking(room.guild, "create_events"))
        route = Route("POST", "/guilds/{guild_id}/scheduled-events", guild_id=room.guild.id)
        payload = {
            "name": action.title[:100],
            "description": action.description[:1000] or None,
            "scheduled_start_time": action.starts.isoformat(),
            "scheduled_end_time": action.ends.isoformat(),
            "privacy_level": 2,
            "entity_type": 3,
            "entity_metadata": {"location": f"#{room.name}"[:100]},
        }
        made = await self._http.request(route, json=payload)
        return names.ref(room.guild.id, f"@{made['id']}")


def _was(noted: Ref | None) -> tuple[int, int, int]:
    """Return the category and the rights of everybody before a channel was archived; none if nobody knows."""
    parts = noted.id.split("/") if noted else []
    if len(parts) != len(("channel", "was", "parent", "allow", "deny")) or parts[1] != "was":
        return 0, 0, 0
    return int(parts[2]), int(parts[3]), int(parts[4])
