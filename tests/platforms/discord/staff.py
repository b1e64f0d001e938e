"""What people with rights do on Discord with channels, roles and members, noted in the server's log."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType

from tests.platforms import Refused
from tests.platforms.discord.acting import Acting
from tests.platforms.discord.town import Town, rights

LOGGED = discord.AuditLogAction


class Staff:
    """Owners, moderators, and whoever was given the right."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.backend = town.backend
        self.acting = Acting(town)

    # Channels

    async def make_channel(
        self, user: int, guild: int, name: str, *, topic: str = "", forum: bool = False, private: bool = False
    ) -> int:
        """Make a channel."""
        self.acting.need(user, guild, "manage_channels")
        if forum:
            return self.town.forum(guild, name, topic)
        return self.town.channel(guild, name, topic, private=private, readers=[user] if private else ())

    async def change_channel(
        self, user: int, channel: int, *, name: str | None = None, topic: str | None = None, parent: int = 0
    ) -> None:
        """Call or describe a channel otherwise, or put it under a heading."""
        self.acting.need_in(user, channel, "manage_channels")
        said = {"name": name, "topic": topic, "parent_id": parent or None}
        self.backend.edit_channel(channel, {key: value for key, value in said.items() if value is not None})

    async def remove_channel(self, user: int, channel: int) -> None:
        """Delete a channel or a thread."""
        thread = self.backend.get_channel(channel).is_thread
        self.acting.need_in(user, channel, "manage_threads" if thread else "manage_channels")
        self.backend.delete_channel(channel)

    async def permit(
        self, user: int, channel: int, target: int, *, allow: Sequence[str] = (), deny: Sequence[str] = ()
    ) -> None:
        """Allow and deny a role or a member things in a channel; nothing of both takes the entry away."""
        self.acting.need_in(user, channel, "manage_roles")
        guild = self.backend.get_guild(self.backend.get_channel(channel).guild_id or 0)
        kind = OverwriteType.ROLE if target in guild.roles else OverwriteType.MEMBER
        if not allow and not deny:
            self.backend.delete_overwrite(channel, target)
            return
        wall = Overwrite(target_id=target, type=kind, allow=rights(*allow), deny=rights(*deny))
        self.backend.set_overwrite(channel, wall)

    async def close_channel(self, user: int, channel: int) -> None:
        """Close a channel to everybody who is not named in it."""
        guild = self.backend.get_channel(channel).guild_id or 0
        await self.permit(user, channel, self.town.bot_role(guild).id, allow=["view_channel", "read_message_history"])
        await self.permit(user, channel, guild, deny=["view_channel"])

    async def open_channel(self, user: int, channel: int) -> None:
        """Open a channel to everybody."""
        await self.permit(user, channel, self.backend.get_channel(channel).guild_id or 0)

    # Roles

    async def change_role(
        self, user: int, guild: int, role: int, *, name: str | None = None, allow: Sequence[str] | None = None
    ) -> None:
        """Call a role otherwise, or give it these rights and no others."""
        self._above_role(user, guild, role)
        said = {"name": name, "permissions": None if allow is None else rights(*allow)}
        self.backend.edit_role(guild, role, {key: value for key, value in said.items() if value is not None})

    async def give_role(self, user: int, guild: int, member: int, role: int, *, on: bool = True) -> None:
        """Give a member a role, or take it away."""
        self._above_role(user, guild, role)
        (self.backend.add_member_role if on else self.backend.remove_member_role)(guild, member, role)

    async def remove_role(self, user: int, guild: int, role: int) -> None:
        """Delete a role."""
        self._above_role(user, guild, role)
        self.backend.delete_role(guild, role)

    def _above_role(self, user: int, guild: int, role: int) -> None:
        self.acting.need(user, guild, "manage_roles")
        with self.acting.refusing(user, guild=guild):
            self.backend.require_role_assignable(guild, user, role)

    # Members

    async def rename(self, user: int, guild: int, member: int, nick: str) -> None:
        """Call a member otherwise."""
        self._above(user, guild, member, "manage_nicknames")
        self.backend.edit_member(guild, member, {"nick": nick or None})

    async def kick(self, user: int, guild: int, member: int) -> None:
        """Send a member out."""
        self._above(user, guild, member, "kick_members")
        self.backend.remove_member(guild, member)
        self._log(guild, LOGGED.kick, member, user)

    async def ban(self, user: int, guild: int, member: int) -> None:
        """Send a member out for good."""
        self._above(user, guild, member, "ban_members")
        self.backend.apply_ban(guild, member, None)
        self._log(guild, LOGGED.ban, member, user)

    async def unban(self, user: int, guild: int, member: int) -> None:
        """Let somebody come back."""
        self.acting.need(user, guild, "ban_members")
        with self.acting.refusing(user, guild=guild):
            self.backend.remove_ban(guild, member)
        self._log(guild, LOGGED.unban, member, user)

    def _above(self, user: int, guild: int, member: int, right: str) -> None:
        self.acting.need(user, guild, right)
        if self.backend.get_guild(guild).owner_id == member:
            raise Refused("Nobody acts on the owner.")
        with self.acting.refusing(user, guild=guild):
            self.backend.require_hierarchy(guild, user, member)

    def _log(self, guild: int, action: LOGGED, target: int, user: int) -> None:
        self.backend.record_audit_log(guild, action.value, target_id=target, user_id=user)
