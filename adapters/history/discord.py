"""Old messages from Discord, by REST and without a gateway: which rooms a server has, and their pages, newest first."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import discord

from adapters.discord import incoming, names, rights, visiting
from adapters.discord.incoming import Incoming
from adapters.history.rooms import Closed, Layout, Page, Room
from bot.core.errors import Gone, Misconfigured, Mistake, NotAllowed
from bot.core.events import ChannelChanged, Named
from bot.core.things import Audience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
    from datetime import datetime

    from pydantic import SecretStr

    from bot.core.clock import Clock
    from bot.core.events import MessagePosted
    from bot.core.things import Ref

PAGE = 100
"""Messages that Discord gives at once at most."""
SIDE_BY_SIDE = 4
"""Requests on the way at once: Discord's limits are per channel, and the bot beside it needs its share of the rest."""
WITHHELD = (
    "KINFOLK_DISCORD_TOKEN: Discord withholds what members write from this application. Switch on Message Content "
    "Intent on its page Bot at https://discord.com/developers/applications, then run this again."
)
Source = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


@contextlib.asynccontextmanager
async def open_history(token: SecretStr, *, clock: Clock, api: str = "") -> AsyncIterator[History]:
    """Log in, by REST alone, so that a bot may run beside. Raises Misconfigured or Gone."""
    async with visiting.logged_in(token, api=api) as client:
        yield History(client, clock)


class History:
    """The old messages of the servers that the bot is on."""

    def __init__(self, client: discord.Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def server(self, wanted: str | None) -> Server:
        """Enter the server of a name or number, or the only one. Raises Mistake that names those there are."""
        with _told():
            known = {guild.id: guild.name async for guild in self._client.fetch_guilds(limit=None, with_counts=False)}
            guild, me = await visiting.enter(self._client, _choose(known, wanted))
        return Server(self._client, guild, me, self._clock)


class Server:
    """One server, entered: its rooms and their pages, and what is said there about the reading."""

    side_by_side = SIDE_BY_SIDE

    def __init__(self, client: discord.Client, guild: discord.Guild, me: discord.Member, clock: Clock) -> None:
        self.space = incoming.space(guild)
        self._sources: dict[Ref, Source] = {}
        self._client = client
        self._guild = guild
        self._me = me
        self._clock = clock
        self._incoming = Incoming(me=me.id, clock=clock)

    async def layout(self, wanted: Sequence[str] = ()) -> Layout:
        """Find what is to be read: channels, by name or number where only some are wanted, and all their threads.

        Raises Mistake that suggests near names.
        """
        chosen = _chosen(rights.rooms(self._guild), wanted)
        closed = {one.id: lacks for one in chosen if (lacks := _lacks(one.permissions_for(self._me), one))}
        open_ones = [one for one in chosen if one.id not in closed]
        threads = await self._threads(open_ones)
        return Layout(
            homes=(*map(self._incoming.channel, open_ones), *(self._alone(one) for one in threads if one.is_private())),
            rooms=(
                *(self._room(one) for one in open_ones if not isinstance(one, discord.ForumChannel)),
                *map(self._room, threads),
            ),
            closed=tuple(Closed(name=one.name, mend=closed[one.id]) for one in chosen if one.id in closed),
        )

    def _room(self, source: Source) -> Room:
        where = incoming.place(source)
        if where is None:
            raise TypeError(f"a room that is nowhere: {source!r}")
        self._sources[names.ref(source.id)] = source
        return Room(ref=names.ref(source.id), name=source.name, home=where.channel.ref)

    def _alone(self, thread: discord.Thread) -> ChannelChanged:
        """Tell of a private thread, which is a channel of its own."""
        named = Named(ref=names.ref(thread.id), name=thread.name, audience=Audience.MEMBERS)
        return ChannelChanged(channel=named, archived=thread.archived, at=self._clock.now(), revision=0)

    async def _threads(self, parents: Sequence[rights.Room]) -> list[discord.Thread]:
        """Return the threads of channels, those that were archived too, each once."""
        with _told():
            active = await self._guild.active_threads()
        inside = {one.id for one in parents}
        found = {one.id: one for one in active if one.parent_id in inside}
        turns = asyncio.Semaphore(SIDE_BY_SIDE)
        async with asyncio.TaskGroup() as group:
            looking = [group.create_task(self._archived(one, turns)) for one in parents]
        found |= {thread.id: thread for look in looking for thread in look.result()}
        return list(found.values())

    async def _archived(self, parent: rights.Room, turns: asyncio.Semaphore) -> list[discord.Thread]:
        found: list[discord.Thread] = []
        async with turns:
            with _told(), contextlib.suppress(discord.Forbidden, discord.NotFound):
                if isinstance(parent, discord.TextChannel | discord.ForumChannel):
                    found += [one async for one in parent.archived_threads(limit=None)]
                if isinstance(parent, discord.TextChannel) and not parent.is_news():
                    mine = not parent.permissions_for(self._me).manage_threads
                    found += [one async for one in parent.archived_threads(limit=None, private=True, joined=mine)]
        return found

    async def page(self, room: Room, before: str = "", *, since: datetime | None = None) -> Page:
        """Read a page, newest first, from a mark on; nothing older than `since`.

        The bot's own messages and what nobody said are left out. Raises NotAllowed where the bot may not read, Gone.
        """
        mark = discord.Object(int(before)) if before else None
        try:
            with _told():
                found = [one async for one in self._sources[room.ref].history(limit=PAGE, before=mark)]
        except discord.NotFound:
            return Page(messages=(), before=before, done=True)
        except discord.Forbidden as error:
            raise NotAllowed(f"Discord refuses it ({error.text})") from None
        wanted = [one for one in found if since is None or one.created_at >= since]
        self._check(wanted)
        if since and len(wanted) < len(found):
            return Page(messages=self._posted(wanted), before=_mark(since), done=False)
        last = str(found[-1].id) if found else before
        return Page(messages=self._posted(wanted), before=last, done=len(found) < PAGE)

    def _posted(self, found: Sequence[discord.Message]) -> tuple[MessagePosted, ...]:
        told = (self._incoming.posted(one, self._guild) for one in found if one.author.id != self._me.id)
        return tuple(_of_the_past(one) for one in told if one)

    def _check(self, found: Sequence[discord.Message]) -> None:
        """Refuse what Discord emptied before it gave it: once stored, a message is never read again."""
        flags = self._client.application.flags if self._client.application else discord.ApplicationFlags()
        if flags.gateway_message_content or flags.gateway_message_content_limited:
            return
        if any(one.author.id != self._me.id and _is_emptied(one) for one in found):
            raise Misconfigured(WITHHELD)

    def reaches(self, before: str, since: datetime | None) -> bool:
        """Say whether everything since a moment is read where a room is read down to a mark."""
        return bool(before) and since is not None and int(before) <= int(_mark(since))

    async def say(self, channel: Ref, text: str) -> Ref | None:
        """Say something in a channel of this server and return the message; None where that cannot be."""
        room = self._guild.get_channel(names.number(channel)) if channel.platform == names.PLATFORM else None
        if not isinstance(room, discord.abc.Messageable):
            return None
        with _told(), contextlib.suppress(discord.Forbidden, discord.NotFound):
            sent = await room.send(text, allowed_mentions=discord.AllowedMentions.none())
            return names.ref(room.id, sent.id)
        return None

    async def rewrite(self, message: Ref, text: str) -> bool:
        """Change what was said; False where it is gone."""
        channel, number = names.pair(message)
        with _told(), contextlib.suppress(discord.Forbidden, discord.NotFound):
            said = self._client.get_partial_messageable(channel).get_partial_message(number)
            await said.edit(content=text, allowed_mentions=discord.AllowedMentions.none())
            return True
        return False


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say in words what goes wrong on the way to Discord; what concerns one channel only is left to the caller."""
    try:
        yield
    except (discord.Forbidden, discord.NotFound):
        raise
    except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Gone(f"Discord cannot be reached or refuses ({error}). The same command goes on from here.") from error


def _choose(known: dict[int, str], wanted: str | None) -> int:
    listed = ", ".join(f"{name} ({number})" for number, name in known.items())
    if not known:
        raise Mistake("The bot is on no server yet. docs/platforms/discord.md says how to invite it.")
    if wanted is None and len(known) == 1:
        return next(iter(known))
    if wanted is None:
        raise Mistake(f"The bot is on several servers: {listed}. Say which: --server NAME")
    found = [number for number, name in known.items() if wanted == str(number) or wanted.casefold() == name.casefold()]
    if len(found) > 1:
        raise Mistake(f"Several servers are called {wanted!r}: {listed}. Say which by its number.")
    if not found:
        raise Mistake(f"The bot is on no server {wanted!r}.{_near(wanted, known.values())} It is on {listed}.")
    return found[0]


def _chosen(rooms: Sequence[rights.Room], wanted: Sequence[str]) -> list[rights.Room]:
    if not wanted:
        return list(rooms)
    found: dict[int, rights.Room] = {}
    for name in wanted:
        bare = name.strip().removeprefix("#")
        some = [one for one in rooms if bare == str(one.id) or bare.casefold() == one.name.casefold()]
        if not some:
            raise Mistake(f"There is no channel {name!r} on the server.{_near(bare, [one.name for one in rooms])}")
        found |= {one.id: one for one in some}
    return list(found.values())


def _near(wanted: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(wanted, list(known), n=3)
    return f" Did you mean {', '.join(near)}?" if near else ""


def _lacks(held: discord.Permissions, room: rights.Room) -> str:
    """Name the rights that the bot lacks for reading a channel; what is written beside a call needs entering it."""
    needed = {"View Channel": held.view_channel, "Read Message History": held.read_message_history}
    if isinstance(room, discord.VoiceChannel | discord.StageChannel):
        needed["Connect"] = held.connect
    missing = ", ".join(name for name, there in needed.items() if not there)
    return f"grant the bot {missing} there" if missing else ""


def _of_the_past(told: MessagePosted) -> MessagePosted:
    """Leave it to what happens from now on who may read a closed channel: having written there once proves nothing."""
    if told.channel.audience is Audience.EVERYONE:
        return told
    return replace(told, author=replace(told.author, reads=frozenset()))


def _is_emptied(message: discord.Message) -> bool:
    """Say whether a message that somebody sent holds nothing at all, which Discord does not let anybody send."""
    holds = (message.content, message.attachments, message.embeds, message.stickers, message.components, message.poll)
    return message.type in incoming.SAID and not any(holds) and not message.message_snapshots


def _mark(moment: datetime) -> str:
    return str(discord.utils.time_snowflake(moment))
