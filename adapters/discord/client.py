"""The library's client with ears: each thing that Discord tells becomes an event, in order."""

from __future__ import annotations

import asyncio
import functools
import logging
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import discord

from adapters.discord import names, rights
from adapters.discord.arriving import find_gaps, learn_members, look_over
from adapters.discord.incoming import Incoming, space
from adapters.hearing import Handover, meant, plea, said
from bot.core.errors import Unavailable
from bot.core.events import Arrival, CommandGiven, MessagePosted
from bot.core.log import trail
from bot.core.things import Rank

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import aiohttp

    from adapters.discord.arriving import Gap
    from adapters.discord.interactions import Interactions
    from adapters.hearing import Appeals
    from bot.core.clock import Clock
    from bot.core.commands import Command
    from bot.core.events import Event
    from bot.core.ports import KnownChannel
    from bot.core.things import Ref

    Put = Callable[[Arrival], Awaitable[bool]]

log = logging.getLogger(__name__)

INTENTS = discord.Intents(
    guilds=True, members=True, messages=True, message_content=True, reactions=True, moderation=True
)
"""What the bot asks Discord to tell: `members` and `message_content` must be switched on by the owner."""
SEEN = rights.READING | rights.ENTERING | discord.Permissions(administrator=True)
"""The rights of a role that decide what its members may read."""


class Client(discord.AutoShardedClient):
    """One bot on all its servers."""

    def __init__(
        self,
        *,
        clock: Clock,
        put: Put,
        commands: Sequence[Command],
        known: Callable[[Ref], Awaitable[Mapping[Ref, KnownChannel] | None]],
        appeals: Appeals,
        trace: aiohttp.TraceConfig,
        connected: Callable[[bool], None],
    ) -> None:
        super().__init__(intents=INTENTS, max_messages=None, http_trace=trace, enable_debug_events=False)
        self._clock = clock
        self._handover = Handover(put, clock=clock, before=self._noted)
        self._commands = commands
        self._known = known
        self._appeals = appeals
        self._connected = connected
        self._tasks: set[asyncio.Task[None]] = set()
        self._lately: dict[int, int] = {}
        self._then: dict[int, asyncio.Task[Mapping[Ref, KnownChannel] | None]] = {}
        self._behind: dict[int, asyncio.Event] = {}
        self._held: defaultdict[int, dict[int, int]] = defaultdict(dict)
        self.interactions: Interactions | None = None
        self.available = asyncio.Event()
        """Set once the servers of this bot are there."""

    # Where the bot is

    @property
    def me(self) -> int:
        """Return the bot's own number."""
        assert self.user is not None  # noqa: S101 - it is logged in before anything happens
        return self.user.id

    @functools.cached_property
    def incoming(self) -> Incoming:
        """Return what puts into our words what happens."""
        return Incoming(me=self.me, clock=self._clock)

    def server(self, number: int) -> discord.Guild:
        """Return a server. Raises names.Unknown for one that the bot is not on."""
        found = self.get_guild(number)
        if found is None:
            raise names.Unknown(f"I am not on the server {number}")
        return found

    def server_of(self, channel: str) -> str | None:
        """Return the number of the server that a channel is on."""
        found = self.get_channel(int(channel))
        guild = getattr(found, "guild", None)
        return str(guild.id) if guild else None

    async def member(self, server: discord.Guild, user: int) -> discord.Member | None:
        """Return a member, None for who is not there."""
        if found := server.get_member(user):
            return found
        try:
            return await server.fetch_member(user)
        except discord.NotFound:
            return None

    def home(self, user: int) -> discord.Guild | None:
        """Return the server that a direct conversation belongs to: where they were active last, of those both share."""
        lately = self.get_guild(self._lately.get(user, 0))
        if lately is not None and lately.get_member(user):
            return lately
        return next((guild for guild in self.guilds if guild.get_member(user)), None)

    async def home_of_appeal(self, user: int, words: str) -> discord.Guild | None:
        """Return the server of the case that somebody appeals, though they were sent out of it; else their home.

        Discord lets nobody write to a bot with whom they share no server: who is heard so shares another one.
        """
        found = await self._appeals([names.member(guild.id, user) for guild in self.guilds])
        case = meant(found, words)
        return self.get_guild(names.pair(case.account).of) if case is not None else self.home(user)

    async def _home_of_plea(self, user: int, words: str) -> discord.Guild | None:
        """Return the server that an appeal in words belongs to, once that can be looked up and the server is there."""
        found = await self._handover.look_up(functools.partial(self.home_of_appeal, user, words))
        if found is None or found.id not in self._behind:
            return found
        await self._behind[found.id].wait()
        return self.get_guild(found.id)

    # Handing over

    async def hand_over(self, guild: discord.Guild, event: Event | None, *, live: bool = True) -> None:
        """Give an event to the stream, however long it takes until it can be stored.

        What is said now in a channel that is still read on waits: the newest message that is stored tells up to where
        it was read.
        """
        if event is None:
            return
        if live and (message := getattr(event, "message", None)) is not None:
            await self._caught_up(guild.id, names.pair(message), new=isinstance(event, MessagePosted))
        await self._handover.give(Arrival(space=space(guild), event=event, live=live))

    async def _noted(self, arrival: Arrival) -> None:
        """Wait until it is noted how a server was left, before anything new is stored of it."""
        if (noting := self._then.get(int(arrival.space.ref.id))) and not noting.done():
            await asyncio.wait([noting])

    async def _caught_up(self, guild: int, message: names.Pair, *, new: bool) -> None:
        """Wait until a channel was read on, up to the first new message that is held back."""
        if guild in self._behind:
            if new:
                self._held[guild].setdefault(message.of, message.id)
            await self._behind[guild].wait()
        if message.of in self._behind:
            await self._behind[message.of].wait()

    def fall_behind(self, number: int) -> None:
        """Hold back what is said in a channel, or on a whole server, until it was read on."""
        self._behind.setdefault(number, asyncio.Event())

    def catch_up(self, number: int) -> None:
        """Let go of what was held back."""
        if number in self._behind:
            self._behind.pop(number).set()

    def side_by_side(self, work: Awaitable[None], what: str) -> None:
        """Do something that takes a while beside everything else; trouble with it is logged."""

        async def do() -> None:
            try:
                await work
            except (discord.DiscordException, OSError, Unavailable) as error:
                log.warning("%s broke off: %s", what, error)

        task = asyncio.create_task(do(), name=what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def setup_hook(self) -> None:
        """Guard what reads frames: one that is not as it should be must not end the connection."""
        parsers = self._connection.parsers
        for name, parse in list(parsers.items()):
            parsers[name] = functools.partial(_parse, name, parse)

    async def close(self) -> None:
        """Let go of Discord and of what was still being done."""
        for task in (*self._tasks, *self._then.values()):
            task.cancel()
        self._connected(False)  # noqa: FBT003 - it is the state itself
        await super().close()

    async def on_error(self, event_method: str, /, *_args: object, **_kwargs: object) -> None:
        """Say in the log what went wrong, and nothing of what was said on Discord."""
        error = sys.exc_info()[1]
        log.error("%s failed: %s", event_method, trail(error) if isinstance(error, Exception) else error)

    # What Discord tells

    async def on_ready(self) -> None:
        """Note that every server is there."""
        self._connected(True)  # noqa: FBT003 - it is the state itself
        self.available.set()
        log.info("on Discord, on %d servers", len(self.guilds))

    async def on_shard_resumed(self, _shard: int) -> None:
        """Note that nothing was lost."""
        self._connected(True)  # noqa: FBT003 - it is the state itself

    async def on_shard_disconnect(self, shard: int) -> None:
        """Note that the connection is gone; the library connects again by itself."""
        self._connected(False)  # noqa: FBT003 - it is the state itself
        log.info("the connection to Discord (shard %d) is gone; it is made again", shard)

    async def on_shard_connect(self, shard: int) -> None:
        """Note how each server was left, before anything new is stored of it: what was missed lies in between."""
        for guild in self.guilds:
            if guild.shard_id == shard:
                self._note(guild)

    def _note(self, guild: discord.Guild) -> asyncio.Task[Mapping[Ref, KnownChannel] | None]:
        """Return how a server was left; until it was looked over, that stays as it was noted first."""
        self.fall_behind(guild.id)
        noted = self._then.get(guild.id)
        if noted is None or (noted.done() and (noted.cancelled() or noted.exception())):
            noted = self._then[guild.id] = asyncio.create_task(self._left(guild))
        return noted

    async def _left(self, guild: discord.Guild) -> Mapping[Ref, KnownChannel] | None:
        return await self._known(names.ref(guild.id))

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Look over a server that came into sight."""
        self.side_by_side(self._look_over(guild), f"looking over the server {guild.id}")

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """Note how a server was left that Discord itself lost sight of."""
        self._note(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Look over a server that somebody brought the bot to."""
        self.side_by_side(self._look_over(guild), f"looking over the server {guild.id}")

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Forget what was remembered of a server that the bot is no longer on."""
        self.incoming.reach.forget(guild)

    async def _look_over(self, guild: discord.Guild) -> None:
        gaps: Sequence[Gap] = ()
        try:
            then = await self._note(guild)
            gaps = find_gaps(guild, then or {}, self._held.pop(guild.id, {}))
            for gap in gaps:
                self.fall_behind(gap.channel.id)
            self.catch_up(guild.id)
            await look_over(self, guild, then, gaps)
            self._then.pop(guild.id, None)
        finally:
            for number in (guild.id, *(gap.channel.id for gap in gaps)):
                self.catch_up(number)

    async def on_message(self, message: discord.Message) -> None:
        """Hand over what somebody said, and the command in it if it is one given to the bot by name.

        Of an appeal that belongs to another server the command alone is told, there.
        """
        home = message.guild or self.home(message.author.id)
        alone = message.guild is None and not message.author.bot
        line = plea(message.content, self._commands) if alone else None
        guild = home if line is None else await self._home_of_plea(message.author.id, line)
        if guild is None:
            return
        event = self.incoming.posted(message, guild)
        if event is None:
            return
        if message.guild and not message.author.bot:
            self._lately[message.author.id] = guild.id
        member = message.author if isinstance(message.author, discord.Member) else guild.get_member(message.author.id)
        rank = rights.rank(member) if member and event.mentioned else Rank.MEMBER
        for one in said(event, rank=rank, commands=self._commands):
            if guild == home or isinstance(one, CommandGiven):
                await self.hand_over(guild, one)

    async def on_raw_message_edit(self, told: discord.RawMessageUpdateEvent) -> None:
        """Hand over what a message says now."""
        message = told.message
        guild = message.guild or self.home(message.author.id)
        if guild is not None:
            await self.hand_over(guild, self.incoming.edited(message, guild))

    async def on_raw_message_delete(self, told: discord.RawMessageDeleteEvent) -> None:
        """Hand over that a message is gone."""
        await self._gone(told.guild_id, told.channel_id, [told.message_id])

    async def on_raw_bulk_message_delete(self, told: discord.RawBulkMessageDeleteEvent) -> None:
        """Hand over that many messages are gone."""
        await self._gone(told.guild_id, told.channel_id, sorted(told.message_ids))

    async def _gone(self, guild_id: int | None, channel: int, messages: Sequence[int]) -> None:
        guild = self.get_guild(guild_id or 0)
        if guild is None:
            return
        where = guild.get_channel_or_thread(channel)
        for message in messages:
            await self.hand_over(guild, self.incoming.deleted(where, names.ref(channel, message)))

    async def on_raw_reaction_add(self, told: discord.RawReactionActionEvent) -> None:
        """Hand over an emoji under a message."""
        await self._reacted(told)

    async def on_raw_reaction_remove(self, told: discord.RawReactionActionEvent) -> None:
        """Hand over an emoji that was taken away."""
        await self._reacted(told)

    async def _reacted(self, told: discord.RawReactionActionEvent) -> None:
        guild = self.get_guild(told.guild_id or 0)
        if guild is not None:
            where = guild.get_channel_or_thread(told.channel_id)
            await self.hand_over(guild, self.incoming.reaction(told, where, guild))

    async def on_member_join(self, member: discord.Member) -> None:
        """Hand over who came."""
        if member.id != self.me:
            await self.hand_over(member.guild, self.incoming.joined(member))

    async def on_raw_member_remove(self, told: discord.RawMemberRemoveEvent) -> None:
        """Hand over who left."""
        guild = self.get_guild(told.guild_id)
        if guild is not None and told.user.id != self.me:
            await self.hand_over(guild, self.incoming.left(told.user, guild))

    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """Hand over who is called otherwise or has other roles."""
        if before.roles != after.roles or before.display_name != after.display_name:
            await self.hand_over(after.guild, self.incoming.changed(after))

    async def on_user_update(self, _before: discord.User, after: discord.User) -> None:
        """Hand over who is called otherwise, to the servers where they have no name of their own."""
        for guild in self.guilds:
            if (member := guild.get_member(after.id)) and not member.nick:
                await self.hand_over(guild, self.incoming.changed(member))

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        """Hand over a new channel."""
        if isinstance(channel, rights.Room):
            self.incoming.reach.forget(channel.guild)
            await self.hand_over(channel.guild, self.incoming.channel(channel))

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Hand over that a channel is gone."""
        if isinstance(channel, rights.Room):
            self.incoming.reach.forget(channel.guild)
            await self.hand_over(channel.guild, self.incoming.channel(channel, gone=True))

    async def on_guild_channel_update(self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        """Hand over what is otherwise about a channel, or to whom it was opened."""
        if not isinstance(before, rights.Room) or not isinstance(after, rights.Room):
            return
        self.incoming.reach.forget(after.guild)
        opened = rights.difference(before, after)
        for member, inside in opened.named:
            await self.hand_over(after.guild, self.incoming.moved(member, after, inside=inside))
        if opened.others or _looks(before) != _looks(after):
            await self.hand_over(after.guild, self.incoming.channel(after, unconfirmed=opened.others))

    async def on_thread_join(self, thread: discord.Thread) -> None:
        """Learn who is in a private thread into which somebody took the bot."""
        self.side_by_side(learn_members([thread]), f"looking who is in the thread {thread.id}")

    async def on_raw_thread_delete(self, told: discord.RawThreadDeleteEvent) -> None:
        """Hand over that a thread is gone."""
        if guild := self.get_guild(told.guild_id):
            await self.hand_over(guild, self.incoming.lost(told.thread_id))

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """Hand over which channels are open otherwise to those who have a role."""
        if (before.permissions.value ^ after.permissions.value) & SEEN.value:
            await self._reopened(after.guild)

    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """Hand over which channels are open otherwise to those who had a role."""
        await self._reopened(role.guild)

    async def _reopened(self, guild: discord.Guild) -> None:
        self.incoming.reach.forget(guild)
        for room in rights.rooms(guild):
            await self.hand_over(guild, self.incoming.channel(room, unconfirmed=True))

    async def on_interaction(self, asked: discord.Interaction) -> None:
        """Take in a command, a button or a form."""
        if asked.guild is not None:
            self._lately[asked.user.id] = asked.guild.id
        if self.interactions is not None:
            await self.interactions.take(asked)


def _looks(room: rights.Room) -> tuple[object, ...]:
    return room.name, getattr(room, "topic", None), rights.audience(room), room.category_id


def _parse(name: str, parse: Callable[[object], None], data: object) -> None:
    try:
        parse(data)
    except Exception as error:  # noqa: BLE001 - a frame is somebody else's, and the connection lives on
        log.error("a %s frame of Discord is not as it should be and is passed over: %s", name, trail(error))
