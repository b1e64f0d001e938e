"""What people do on Discord with messages, threads and their own coming and going; refused as Discord refuses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simcord.actors import MemberActor
from simcord.backend.models import Message
from simcord.enums import ChannelType

from tests.platforms import Refused
from tests.platforms.discord.acting import Acting
from tests.platforms.discord.town import Town


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A file that somebody sends along; a size may be claimed that is not sent."""

    name: str
    data: bytes = b""
    kind: str = ""
    size: int = 0


class People:
    """Members and strangers. Numbers name users, servers, channels and messages; what was made is returned."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.backend = town.backend
        self.acting = Acting(town)

    # Messages

    async def post(
        self, user: int, channel: int, text: str = "", *, reply_to: int = 0, files: Sequence[Sent] = ()
    ) -> int:
        """Write a message."""
        where = self.backend.get_channel(channel)
        needed = ("send_messages_in_threads" if where.is_thread else "send_messages",)
        self.acting.need_in(user, channel, *needed, *(("attach_files",) if files else ()))
        if where.thread_metadata and where.thread_metadata.locked:
            self.acting.need_in(user, channel, "manage_threads")
        with self.acting.refusing(user, channel):
            answered = {"channel_id": str(channel), "message_id": str(reply_to)} if reply_to else None
            stored = [self._store(channel, one) for one in files]
            made = self.backend.create_message(channel, user, text, reference=answered, attachments=stored)
        return made.id

    def _store(self, channel: int, sent: Sent) -> dict[str, object]:
        number = self.backend.snowflake()
        stored = self.town.files.store_attachment(number, channel, sent.name, sent.data, None)
        told = {"size": sent.size} if sent.size else {}
        return {**stored, **told, **({"content_type": sent.kind} if sent.kind else {})}

    async def edit(self, user: int, channel: int, message: int, text: str) -> None:
        """Change one's own words."""
        stored = self._own(user, channel, message)
        with self.acting.refusing(user, channel):
            self.backend.edit_message(channel, stored.id, {"content": text})

    def _own(self, user: int, channel: int, message: int) -> Message:
        self.acting.need_in(user, channel, "view_channel")
        with self.acting.refusing(user, channel):
            stored = self.backend.get_message(channel, message)
        if stored.author_id != user:
            raise Refused("Only its author changes a message.")
        return stored

    async def delete(self, user: int, channel: int, message: int) -> None:
        """Delete one's own message, or with the right to it another's."""
        with self.acting.refusing(user, channel):
            await self._act(user, channel).delete(self.acting.message(channel, message))

    async def delete_many(self, user: int, channel: int, messages: Sequence[int]) -> None:
        """Delete many messages at once, as moderators' bots do."""
        self.acting.need_in(user, channel, "manage_messages")
        with self.acting.refusing(user, channel):
            self.backend.bulk_delete_messages(channel, messages)

    async def react(self, user: int, channel: int, message: int, emoji: str, *, on: bool = True) -> None:
        """Put an emoji under a message, or take it away."""
        with self.acting.refusing(user, channel):
            actor, stored = self._act(user, channel), self.acting.message(channel, message)
            await (actor.react(stored, emoji) if on else actor.unreact(stored, emoji))

    def _act(self, user: int, channel: int) -> MemberActor:
        return self.acting.actor(user, channel)  # type: ignore[return-value]

    # Threads

    async def thread(self, user: int, channel: int, name: str, *, message: int = 0, private: bool = False) -> int:
        """Open a thread in a channel, under a message when one is named."""
        self.acting.need_in(user, channel, "create_private_threads" if private else "create_public_threads")
        kind = ChannelType.PRIVATE_THREAD if private else ChannelType.PUBLIC_THREAD
        with self.acting.refusing(user, channel):
            return self.backend.create_thread(channel, name, user, type=kind, message_id=message or None).id

    async def forum_post(self, user: int, forum: int, title: str, text: str) -> int:
        """Post in a forum: a thread whose first message has its number."""
        self.acting.need_in(user, forum, "send_messages")
        with self.acting.refusing(user, forum):
            thread = self.backend.create_thread(forum, title, user, broadcast=False)
            first = self.backend.prepare_message(thread.id, user, text)
            first.id = thread.id
            self.backend.announce_thread_create(thread)
            self.backend.commit_message(first)
        return thread.id

    async def archive_thread(self, user: int, thread: int, *, on: bool = True, locked: bool = False) -> None:
        """Put a thread away or take it back."""
        owner = self.backend.get_channel(thread).owner_id
        self.acting.need_in(user, thread, *(() if owner == user and not locked else ("manage_threads",)))
        self.backend.edit_channel(thread, {}, thread_metadata={"archived": on, "locked": locked})

    async def join_thread(self, user: int, thread: int) -> None:
        """Go into a thread."""
        self.acting.need_in(user, thread, "view_channel")
        self.backend.add_thread_member(thread, user)

    # Coming and going

    async def arrive(self, guild: int, name: str, locale: str = "en-US", *, bot: bool = False) -> int:
        """Have somebody new come in."""
        user = self.town.user(name, locale, bot=bot)
        await self.join(user, guild)
        return user

    async def join(self, user: int, guild: int) -> None:
        """Come into a server."""
        found = self.backend.get_guild(guild)
        if user in found.bans:
            raise Refused("They are banned here.")
        if user not in found.members:
            self.backend.add_member(guild, user, announce=True)

    async def leave(self, user: int, guild: int) -> None:
        """Go out of a server."""
        with self.acting.refusing(user, guild=guild):
            self.backend.remove_member(guild, user)

    async def call_oneself(self, user: int, guild: int, nick: str) -> None:
        """Be called otherwise on a server."""
        self.acting.need(user, guild, "change_nickname")
        self.backend.edit_member(guild, user, {"nick": nick or None})

    # Alone with the bot

    async def direct(self, user: int) -> int:
        """Return the direct conversation of somebody with the bot."""
        return self.backend.get_dm_channel(user).id

    async def post_directly(self, user: int, text: str, *, files: Sequence[Sent] = ()) -> int:
        """Write to the bot alone, with whom one must share a server."""
        if not any(user in one.members for one in self.backend.guilds.values()):
            raise Refused("Their message could not be delivered: they share no server with the bot.")
        channel = await self.direct(user)
        stored = [self._store(channel, one) for one in files]
        return self.backend.create_message(channel, user, text, attachments=stored).id

    async def take_direct_messages(self, user: int, *, on: bool) -> None:
        """Let nobody write to one directly, or let them again."""
        (self.town.closed.discard if on else self.town.closed.add)(user)

    # The bot

    async def bring_bot(self, user: int, guild: int) -> None:
        """Bring the bot into a server from which it was taken."""
        kept = self.town.away.get(guild)
        if kept and kept.owner_id != user:
            raise Refused("Only who manages the server brings bots.")
        if kept:
            self.town.recall_guild(guild, user)

    async def take_bot(self, user: int, guild: int) -> None:
        """Take the bot out of a server."""
        self.acting.need(user, guild, "kick_members")
        self.town.forget_guild(guild)
