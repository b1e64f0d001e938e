"""The community of the Discord server: servers, people, roles, channels and an old past. Whatever is set up here needs
nobody's right, and a connected bot hears of it."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import discord
from simcord._clock import Clock
from simcord.backend import Backend, permissions, serializers
from simcord.backend.cdn import CdnStore
from simcord.backend.models import Channel, Guild, Message, Overwrite, Role
from simcord.enums import ChannelType, OverwriteType

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
REMEMBERED = 2_000
"""Requests and events that the model keeps for people who look for a mistake."""
READ = discord.Permissions(view_channel=True, read_message_history=True).value
MODERATOR = ("moderate_members", "manage_messages", "kick_members", "ban_members")


class Now(Clock):
    """The time of day, moved on by what a test adds."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.elapsed)


class Files(CdnStore):
    """Files that people and the bot sent, under addresses of this server."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""

    def store_attachment(
        self, attachment_id: int, channel_id: int, filename: str, data: bytes, description: str | None
    ) -> dict[str, object]:
        stored = super().store_attachment(attachment_id, channel_id, filename, data, description)
        url = f"{self.base}/attachments/{channel_id}/{attachment_id}/{quote(filename)}"
        self._blobs[f"/attachments/{channel_id}/{attachment_id}/{filename}"] = data
        return {**stored, "url": url, "proxy_url": url}

    def lose(self) -> None:
        """Forget every file, as Discord does with those of messages that were deleted."""
        self._blobs.clear()


def snowflake(at: datetime, order: int = 0) -> int:
    """Return the number of something that was made at that time, the `order`th of its millisecond."""
    return (int((at - EPOCH) / timedelta(milliseconds=1)) << 22) | order


def rights(*names: str) -> int:
    """Return permissions as the number that stands for them."""
    return discord.Permissions(**dict.fromkeys(names, True)).value


class Town:
    """Everything that exists, and how tests set it up."""

    def __init__(self) -> None:
        self.backend = Backend(clock=Now())
        self.backend.cdn = self.files = Files()
        self.backend.transcript = deque(maxlen=REMEMBERED)  # type: ignore[assignment]
        self.backend.http_requests = deque(maxlen=REMEMBERED)  # type: ignore[assignment]
        self.locales: dict[int, str] = {}
        self.closed: set[int] = set()
        """Who takes no direct messages."""
        self.away: dict[int, Guild] = {}
        """Servers in which the bot is not."""
        self.approved = {"members", "presences", "message_content"}
        """Intents that need approval and have it."""

    @property
    def bot(self) -> int:
        """Return the user that is the bot."""
        return self.backend.bot_user.id

    # People and servers

    def user(self, name: str, locale: str = "en-US", *, bot: bool = False) -> int:
        """Make somebody who is nowhere yet."""
        user = self.backend.make_user(name, bot=bot)
        self.locales[user.id] = locale
        return user.id

    def guild(self, name: str, owner: int, locale: str = "en-US", *, by: int = 0) -> int:
        """Make a server with the bot in it, whom `by` or else the owner brought."""
        with self.quietly():
            made = self.backend.create_guild(name, owner_id=owner, preferred_locale=locale)
            self._note_who_brought_the_bot(made, by or owner)
        self._tell_of_guild(made)
        return made.id

    def member(self, guild: int, user: int, *roles: int) -> None:
        """Have somebody be a member already, so that nothing is told of it."""
        self.backend.add_member(guild, user, roles=roles)

    def newcomer(self, guild: int, name: str, *roles: int, locale: str = "en-US") -> int:
        """Make somebody who is a member already."""
        user = self.user(name, locale)
        self.member(guild, user, *roles)
        return user

    # Roles

    def role(self, guild: int, name: str, *names: str, above_bot: bool = False) -> int:
        """Make a role with these rights, below the bot's own or above it."""
        role = self.backend.create_role(guild, name, permissions=rights(*names))
        if above_bot:
            top = max(one.position for one in self._guild(guild).roles.values())
            self.backend.reorder_roles(guild, [{"id": role.id, "position": top + 1}])
        return role.id

    def bot_role(self, guild: int) -> Role:
        """Return the role that the bot came with."""
        return next(one for one in self._guild(guild).roles.values() if one.managed)

    def take_rights(self, guild: int, *names: str) -> None:
        """Take rights away from the bot."""
        role = self.bot_role(guild)
        self.backend.edit_role(guild, role.id, {"permissions": role.permissions & ~rights(*names)})

    def give_rights(self, guild: int, *names: str) -> None:
        """Give rights to the bot."""
        role = self.bot_role(guild)
        self.backend.edit_role(guild, role.id, {"permissions": role.permissions | rights(*names)})

    def take_rights_from_all(self, guild: int, *names: str) -> None:
        """Take rights away from everybody."""
        role = self._guild(guild).everyone_role
        self.backend.edit_role(guild, role.id, {"permissions": role.permissions & ~rights(*names)})

    # Channels

    def channel(
        self,
        guild: int,
        name: str,
        topic: str = "",
        *,
        private: bool = False,
        readers: Sequence[int] = (),
        parent: int = 0,
    ) -> int:
        """Make a text channel; a private one for these roles and members, and the bot, alone."""
        walls = self._walls(guild, readers) if private else []
        made = self.backend.create_channel(
            guild, name, type=ChannelType.TEXT, overwrites=walls, topic=topic or None, parent_id=parent or None
        )
        return made.id

    def forum(self, guild: int, name: str, topic: str = "") -> int:
        """Make a forum."""
        return self.backend.create_channel(guild, name, type=ChannelType.FORUM, topic=topic or None).id

    def category(self, guild: int, name: str) -> int:
        """Make a heading under which channels stand."""
        return self.backend.create_channel(guild, name, type=ChannelType.CATEGORY).id

    def _walls(self, guild: int, readers: Sequence[int]) -> list[Overwrite]:
        roles = self._guild(guild).roles
        inside = [
            Overwrite(target_id=one, type=OverwriteType.ROLE if one in roles else OverwriteType.MEMBER, allow=READ)
            for one in (*readers, self.bot_role(guild).id)
        ]
        return [Overwrite(target_id=guild, type=OverwriteType.ROLE, deny=permissions.flag("view_channel")), *inside]

    # The past

    def seed(
        self,
        channel: int,
        count: int,
        *,
        authors: Sequence[int] = (),
        since: datetime | None = None,
        every: timedelta = timedelta(seconds=30),
        text: str = "Message {number} of long ago.",
    ) -> list[int]:
        """Fill a channel with messages that are older than everything else there; nothing is told of them.

        Without `since`, the last of them is an hour old.
        """
        where = self.backend.get_channel(channel)
        first = since or self.backend.clock.now() - timedelta(hours=1) - every * count
        authors = authors or [self._guild(where.guild_id or 0).owner_id]
        past = [
            self._old(where, authors[number % len(authors)], first + every * number, number, text)
            for number in range(count)
        ]
        stored = self.backend.messages[channel]
        later = dict(stored)
        stored.clear()
        stored.update({one.id: one for one in sorted((*past, *later.values()), key=lambda one: one.id)})
        where.last_message_id = max(stored)
        return [one.id for one in past]

    def _old(self, where: Channel, author: int, at: datetime, number: int, text: str) -> Message:
        return Message(
            id=snowflake(at, number % 4096),
            channel_id=where.id,
            author_id=author,
            content=text.format(number=number),
            timestamp=at.isoformat(),
        )

    # The bot's coming and going

    def forget_guild(self, guild: int) -> None:
        """Have the bot be no longer in a server, which stays as it is for those who are."""
        kept = self.away[guild] = self.backend.guilds.pop(guild)
        kept.members.pop(self.bot)
        self.backend.emit("GUILD_DELETE", {"id": str(guild)})

    def recall_guild(self, guild: int, by: int) -> None:
        """Have the bot be in a server again, brought by a member."""
        kept = self.backend.guilds[guild] = self.away.pop(guild)
        self.backend.add_member(guild, self.bot, roles=[self.bot_role(guild).id])
        self._note_who_brought_the_bot(kept, by)
        self._tell_of_guild(kept)

    def _note_who_brought_the_bot(self, guild: Guild, by: int) -> None:
        if by not in guild.members:
            self.backend.add_member(guild.id, by)
        with self.quietly():
            action = discord.AuditLogAction.bot_add.value
            self.backend.record_audit_log(guild.id, action, target_id=self.bot, user_id=by)

    def _tell_of_guild(self, guild: Guild) -> None:
        payload = dict(serializers.guild_create_payload(self.backend, guild))
        del payload["unavailable"]  # which is there only of servers that the bot was on before
        self.backend.emit("GUILD_CREATE", payload)

    @contextlib.contextmanager
    def quietly(self) -> Iterator[None]:
        """Change something that the bot is not told of."""
        listeners, self.backend.subscribers = self.backend.subscribers, []
        try:
            yield
        finally:
            self.backend.subscribers = listeners

    def advance(self, seconds: float) -> None:
        """Move the time of day on."""
        self.backend.clock.advance(seconds)

    def _guild(self, guild: int) -> Guild:
        return self.backend.guilds.get(guild) or self.away[guild]
