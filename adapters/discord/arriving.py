"""Arrives on a server: hands over what changed while the bot was away, then what was said meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import aiohttp
import discord

from adapters.discord import names, rights
from bot.core.errors import Overloaded, Unavailable
from bot.core.events import BotAdded, ChannelChanged
from bot.core.things import Audience

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adapters.discord.client import Client
    from adapters.discord.incoming import Person
    from bot.core.events import Named
    from bot.core.ports import KnownChannel
    from bot.core.things import Ref

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 3
"""Channels read at once, so that what is said now is not held up by what was said then."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a channel is read on where Discord failed: doubled each time, up to this."""

NEVER = 2**63
"""A number that no message has yet."""

Readable = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A channel in which something was missed: after the newest message that is stored, up to the last one then.

    What comes later is told by itself, and must not be taken for something that came late.
    """

    channel: Readable
    after: int
    last: int


async def look_over(
    client: Client, guild: discord.Guild, then: Mapping[Ref, KnownChannel] | None, gaps: Sequence[Gap]
) -> None:
    """Hand over what is new about a server, whoever brought the bot there if it is new itself, and what was said.

    `then` is what was known of it before anything new was told.
    """
    if then is None:
        came = guild.me.joined_at or client.incoming.clock.now()
        await client.hand_over(guild, BotAdded(by=await _inviter(client, guild), at=came))
    await learn_members(guild.threads)
    for event in _changes(client, guild, then or {}):
        await client.hand_over(guild, event)
    for one in _missing(guild, then or {}):
        if (fate := await _fate(client, guild, one)) != "elsewhere":
            await client.hand_over(guild, client.incoming.missing(one, gone=fate == "gone"))
    await read_on(client, gaps)


async def _inviter(client: Client, guild: discord.Guild) -> Named | None:
    """Return who brought the bot: the server's log tells, and else it is its owner's affair."""
    who: Person | None = guild.owner
    if guild.me.guild_permissions.view_audit_log:
        with contextlib.suppress(discord.HTTPException, Unavailable):
            async for entry in guild.audit_logs(action=discord.AuditLogAction.bot_add, limit=20):
                if entry.target is not None and entry.target.id == client.me and entry.user is not None:
                    who = entry.user
                    break
    return client.incoming.member(who, guild) if who else None


def _changes(client: Client, guild: discord.Guild, known: Mapping[Ref, KnownChannel]) -> Iterable[ChannelChanged]:
    """Tell each channel that is not as it was left; of a closed one nobody knows who may read it now."""
    for room in rights.rooms(guild):
        now = client.incoming.channel(room, unconfirmed=True)
        if now.channel.audience is Audience.MEMBERS or _is_new(now, known.get(now.channel.ref)):
            yield now


def _missing(guild: discord.Guild, known: Mapping[Ref, KnownChannel]) -> list[KnownChannel]:
    """Return the channels that were there and are not to be seen any more."""
    there = {names.ref(one.id) for one in (*guild.channels, *guild.threads)}
    return [
        one
        for ref, one in known.items()
        if ref not in there and not (one.thread or one.archived or one.channel.audience is Audience.DIRECT)
    ]


async def _fate(client: Client, guild: discord.Guild, missing: KnownChannel) -> Literal["gone", "hidden", "elsewhere"]:
    """Say whether a channel was deleted, is out of sight, or is another server's of the same community.

    What is only out of sight Discord refuses to show, or is an archived thread.
    """
    try:
        shown = await client.http.get_channel(names.number(missing.channel.ref))
    except discord.NotFound:
        return "gone"
    except (discord.HTTPException, aiohttp.ClientError, OSError, Unavailable):
        return "hidden"
    return "hidden" if str(shown.get("guild_id", guild.id)) == str(guild.id) else "elsewhere"


async def learn_members(threads: Iterable[discord.Thread]) -> None:
    """Learn who is in private threads, which Discord tells only of those who come later."""
    for thread in threads:
        if thread.is_private():
            try:
                for one in await thread.fetch_members():
                    thread._add_member(one)  # noqa: SLF001 - the library keeps those who come later there as well
            except (discord.HTTPException, aiohttp.ClientError, OSError, Unavailable) as error:
                log.warning("who is in the thread %d is not known: %s", thread.id, type(error).__name__)


def _is_new(now: ChannelChanged, then: KnownChannel | None) -> bool:
    if then is None:
        return True
    looks = (then.channel.name, then.channel.audience, then.description, then.archived)
    return looks != (now.channel.name, now.channel.audience, now.description, now.archived)


def find_gaps(guild: discord.Guild, known: Mapping[Ref, KnownChannel], held: Mapping[int, int]) -> list[Gap]:
    """Find where something was said on a server that is not stored; `held` is the first message told by now."""
    newest = [names.pair(one.latest).id for one in known.values() if one.latest is not None]
    if not newest:
        return []  # nothing was ever read here; old messages come by the back-fill
    gaps = []
    for channel in _readable(guild):
        then = known.get(names.ref(channel.id))
        after = names.pair(then.latest).id if then and then.latest else max(newest)
        last = min(channel.last_message_id or 0, held.get(channel.id, NEVER) - 1)
        if last > after:
            gaps.append(Gap(channel=channel, after=after, last=last))
    return gaps


async def read_on(client: Client, gaps: Sequence[Gap]) -> None:
    """Hand over what was said while the bot was away, to be learned from and never answered."""
    turns = asyncio.Semaphore(SIDE_BY_SIDE)
    async with asyncio.TaskGroup() as group:
        for gap in gaps:
            group.create_task(_close(client, gap, turns))


async def _close(client: Client, gap: Gap, turns: asyncio.Semaphore) -> None:
    try:
        await _read(client, gap, turns)
    finally:
        client.catch_up(gap.channel.id)


async def _read(client: Client, gap: Gap, turns: asyncio.Semaphore) -> None:
    """Read one channel; where Discord says to wait, or is out of order, go on after that from where it was."""
    pause, channel, after = FIRST_PAUSE, gap.channel, gap.after
    end = discord.Object(gap.last + 1)
    async with turns:
        while True:
            try:
                async for message in channel.history(
                    after=discord.Object(after), before=end, limit=None, oldest_first=True
                ):
                    await client.hand_over(channel.guild, client.incoming.posted(message, channel.guild), live=False)
                    after = message.id
            except Overloaded as busy:
                await asyncio.sleep(busy.after)
            except (discord.DiscordServerError, aiohttp.ClientError, OSError) as error:
                log.info("channel %d is read on in %g s: %s", channel.id, pause, type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            except discord.HTTPException as refused:
                log.warning("what was said in channel %d meanwhile cannot be read: %s", channel.id, refused.text)
                return
            else:
                return


def _readable(guild: discord.Guild) -> Iterable[Readable]:
    """Return the channels and threads whose past the bot may read."""
    for channel in (*rights.rooms(guild), *guild.threads):
        is_read = rights.reads(channel, rights.rights_in(channel, guild.me))
        if is_read and not isinstance(channel, discord.ForumChannel):
            yield channel
