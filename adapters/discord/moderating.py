"""Acts on members: who stands above the bot, or above whoever asked for it, is not touched."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.discord import names, rights
from adapters.discord.needs import BY_RIGHT
from adapters.discord.speaking import Refused, gone_already
from bot.core.actions import Ban, GrantRole, Kick, Moderation, Timeout, Unban, Warn

if TYPE_CHECKING:
    import discord

    from adapters.discord.client import Client
    from bot.core.clock import Clock

LONGEST_TIMEOUT = 28 * 24 * 60
"""Minutes for which Discord lets somebody be timed out at most."""
NEEDED = {
    Timeout: "moderate_members",
    Kick: "kick_members",
    Ban: "ban_members",
    Unban: "ban_members",
    GrantRole: "manage_roles",
}
"""The right that each sanction takes."""


class Discipline:
    """Moderates for one bot."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._http = client.http
        self._clock = clock

    async def act(self, action: Timeout | Kick | Ban | Unban | GrantRole) -> None:
        """Carry out a sanction, or give or take a role. Raises Refused."""
        guild, user = names.pair(action.member)
        server = self._client.server(guild)
        member = await self.target(action)
        check(server, NEEDED[type(action)])
        reason = getattr(action, "reason", "")[:400] or None
        match action:
            case Timeout(minutes=minutes):
                here(member)
                until = self._clock.now() + timedelta(minutes=min(minutes, LONGEST_TIMEOUT)) if minutes else None
                when = until.isoformat() if until else None
                await self._http.edit_member(guild, user, reason=reason, communication_disabled_until=when)
            case Kick():
                if member:
                    await gone_already(self._http.kick(user, guild, reason=reason))
            case Ban():
                await self._http.ban(user, guild, delete_message_seconds=0, reason=reason)
            case Unban():
                await gone_already(self._http.unban(user, guild, reason=reason))
            case GrantRole(role=role, on=on):
                here(member)
                number = self._grantable(server, names.pair(role, "&").id, await self._asker(action, server))
                change = self._http.add_role if on else self._http.remove_role
                await change(guild, user, number, reason=reason)

    async def target(self, action: Moderation) -> discord.Member | None:
        """Return whom an action is about, None for who is not there. Raises Refused for whom it may not touch.

        The bot and whoever asked for it must stand above them: Discord knows of the bot alone.
        """
        guild, user = names.pair(action.member)
        server = self._client.server(guild)
        member = await self._client.member(server, user)
        if member is None or isinstance(action, Unban):
            return member
        if user == server.me.id:
            raise Refused("I do not act on myself")
        if not isinstance(action, Warn) and not rights.stands_above(server.me, member):
            raise Refused(f"{member.display_name} stands above me. Move my role above theirs: Server Settings > Roles")
        by = await self._asker(action, server)
        if by is not None and by.id != user and not rights.stands_above(by, member):
            raise Refused(f"{member.display_name} stands above {by.display_name}, who asked for it, or beside them")
        if isinstance(action, Timeout) and member.guild_permissions.administrator:
            raise Refused(f"{member.display_name} is an administrator; Discord lets nobody time them out")
        return member

    async def _asker(self, action: Moderation, server: discord.Guild) -> discord.Member | None:
        if action.by is None or action.by.platform != names.PLATFORM:
            return None
        guild, user = names.pair(action.by)
        if guild != server.id:
            raise Refused("they are on another server than whoever asked for it")
        return await self._client.member(server, user)

    def _grantable(self, server: discord.Guild, number: int, by: discord.Member | None) -> int:
        role = server.get_role(number)
        if role is None:
            raise Refused(f"{server.name} has no such role any more")
        if not role.is_assignable():
            raise Refused(f"the role {role.name} stands above mine, or belongs to an integration")
        if by is not None and by.id != server.owner_id and role >= by.top_role:
            raise Refused(f"the role {role.name} does not stand below those of {by.display_name}, who asked for it")
        return number


def check(server: discord.Guild, right: str) -> None:
    """Raise Refused where the bot lacks a right on the whole server."""
    if not getattr(server.me.guild_permissions, right):
        raise Refused(lacking(server, right))


def lacking(server: discord.Guild, right: str) -> str:
    """Say which right the bot lacks, and where it is given."""
    return f"I lack {BY_RIGHT[right].label} on {server.name}. Give it to my role: Server Settings > Roles"


def here(member: discord.Member | None) -> discord.Member:
    """Return a member who is there. Raises Refused for who is not."""
    if member is None:
        raise Refused("they are not on this server")
    return member
