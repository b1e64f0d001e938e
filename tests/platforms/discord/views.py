"""What people see on Discord: channels, messages and members, by their rights."""

from __future__ import annotations

from simcord.backend import serializers
from simcord.backend.access import channel_accessible
from simcord.enums import ChannelType

from tests.platforms import Refused
from tests.platforms.discord.acting import Acting
from tests.platforms.discord.town import Town


class Views:
    """What one person's client shows them, as Discord's own objects."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.backend = town.backend
        self.acting = Acting(town)

    async def sees(self, user: int, channel: int) -> list[dict]:
        """Return the messages that somebody sees in a channel, oldest first; those for others alone are not among them.

        What only they see has bit 6 of its `flags` set.
        """
        if not channel_accessible(self.backend, channel, user, history=True):
            raise Refused("They do not see that channel.")
        stored = sorted(self.backend.messages[channel].values(), key=lambda one: one.id)
        shown = [one for one in stored if one.visible_to(user)]
        return [dict(serializers.message_payload(self.backend, one, for_user=user)) for one in shown]

    async def channels(self, user: int, guild: int) -> list[dict]:
        """Return the channels of a server that somebody sees, headings and threads left out."""
        found = self.backend.get_guild(guild)
        rooms = [self.backend.channels[one] for one in found.channel_ids]
        seen = [one for one in rooms if channel_accessible(self.backend, one.id, user)]
        return [
            {**serializers.channel_payload(self.backend, one), "may_write": self._may_write(user, one.id)}
            for one in seen
            if one.type != ChannelType.CATEGORY
        ]

    def _may_write(self, user: int, channel: int) -> bool:
        try:
            self.acting.need_in(user, channel, "send_messages")
        except Refused:
            return False
        return True

    async def direct_channel(self, user: int) -> int:
        """Return somebody's direct conversation with the bot, 0 when there is none yet."""
        return self.backend.dm_channels.get(user, 0)

    async def member(self, user: int, guild: int) -> dict | None:
        """Return a member as everybody sees them, None for nobody."""
        found = self.backend.get_guild(guild)
        member = found.members.get(user)
        return dict(serializers.member_payload(self.backend, found, member)) if member else None

    async def is_banned(self, user: int, guild: int) -> bool:
        """Say whether somebody is banned from a server."""
        return user in self.backend.get_guild(guild).bans

    async def events(self, guild: int) -> list[dict]:
        """Return what is planned on a server."""
        planned = self.backend.get_guild(guild).scheduled_events.values()
        return [serializers.scheduled_event_payload(self.backend, one) for one in planned]

    async def role_names(self, user: int, guild: int) -> list[str]:
        """Return what the roles of a member are called."""
        found = self.backend.get_guild(guild)
        return [found.roles[one].name for one in found.members[user].role_ids] if user in found.members else []
