"""Somebody who does something: what simcord's actors ask of their surroundings, and Discord's refusals in words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from simcord.actors import MemberActor
from simcord.backend import Backend
from simcord.backend.errors import BackendError, SetupError
from simcord.builders import ChannelHandle, GuildHandle, RoleHandle, UserHandle
from simcord.results import ResponseMessage

from tests.platforms import Refused
from tests.platforms.discord.town import Town


class Stage:
    """What simcord's actors ask of their surroundings; the bot is somewhere else, so nothing waits for it."""

    strict_sync = True
    bot = None

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def _begin_operation(self, label: str) -> None: ...
    def _end_operation(self) -> None: ...
    def _mark_mutation(self) -> None: ...
    def _notify_dispatch_observers(self, interaction: object) -> None: ...
    async def _settle_internal(self, **_how: object) -> None: ...


class Acting:
    """Turns numbers into actors, channels and messages, and refusals into words."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.backend = town.backend
        self.stage = Stage(town.backend)

    def actor(self, user: int, channel: int) -> MemberActor | UserHandle:
        """Return somebody as they act in a channel, alone with the bot or on a server."""
        guild = self.backend.get_channel(channel).guild_id
        handle = UserHandle(self.stage, self.backend.get_user(user))  # type: ignore[arg-type]
        return handle if guild is None else MemberActor(self.stage, self._guild(guild), handle)  # type: ignore[arg-type]

    def member(self, user: int, guild: int) -> MemberActor:
        """Return a member of a server."""
        handle = UserHandle(self.stage, self.backend.get_user(user))  # type: ignore[arg-type]
        return MemberActor(self.stage, self._guild(guild), handle)  # type: ignore[arg-type]

    def room(self, channel: int) -> ChannelHandle:
        """Return a channel as simcord's actors take it."""
        found = self.backend.get_channel(channel)
        return ChannelHandle(self.stage, self._guild(found.guild_id) if found.guild_id else None, found)  # type: ignore[arg-type]

    def role(self, role: int, guild: int) -> RoleHandle:
        """Return a role as simcord's actors take it."""
        return RoleHandle(self.stage, self._guild(guild), self.backend.get_role(guild, role))  # type: ignore[arg-type]

    def message(self, channel: int, message: int) -> ResponseMessage:
        """Return a message as simcord's actors take it."""
        return ResponseMessage(self.stage, self.backend.get_message(channel, message))  # type: ignore[arg-type]

    def _guild(self, guild: int) -> GuildHandle:
        return GuildHandle(self.stage, self.backend.get_guild(guild))  # type: ignore[arg-type]

    def need(self, user: int, guild: int, *names: str, channel: int = 0) -> None:
        """Refuse who lacks a right on a server, or in a channel of it."""
        with self.refusing(user, channel, guild):
            self.backend.require_permissions(guild, user, channel or None, *names)

    def need_in(self, user: int, channel: int, *names: str) -> None:
        """Refuse who lacks a right in a channel."""
        with self.refusing(user, channel):
            self.backend.require_permissions(self.backend.get_channel(channel).guild_id, user, channel, *names)

    @contextlib.contextmanager
    def refusing(self, user: int, channel: int = 0, guild: int = 0) -> Iterator[None]:
        """Say in words why somebody may not."""
        try:
            yield
        except (BackendError, SetupError) as error:
            raise Refused(self._why(error, user, channel, guild)) from error

    def _why(self, error: BackendError | SetupError, user: int, channel: int, guild: int) -> str:
        where = self.backend.channels.get(channel)
        found = self.backend.guilds.get(guild or (where.guild_id or 0 if where else 0))
        member = found.members.get(user) if found else None
        if found and user in found.bans:
            return "They are banned here."
        if found and member is None:
            return "They are no member here."
        if member and member.timed_out_until and member.timed_out_until > self.backend.now_iso():
            return "They are timed out."
        if "default-member-permissions" in str(error):
            return "The command is for staff; it is not shown to them."
        return str(error)
