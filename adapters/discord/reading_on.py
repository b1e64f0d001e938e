"""Reads on after an absence: what was said in each channel since the newest message that is stored."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import discord

from adapters.discord import names, rights
from bot.core.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.discord.client import Client
    from bot.core.ports import Known
    from bot.core.things import Ref

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 3
"""Channels read at once, so that what is said now is not held up by what was said then."""

Readable = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


async def read_on(client: Client, guild: discord.Guild, known: Mapping[Ref, Known]) -> None:
    """Hand over what was said on a server while the bot was away, to be learned from and never answered."""
    newest = [names.pair(one.latest).id for one in known.values() if one.latest is not None]
    if not newest:
        return  # nothing was ever read here; old messages come by the back-fill
    turns = asyncio.Semaphore(SIDE_BY_SIDE)
    async with asyncio.TaskGroup() as group:
        for channel in _readable(guild):
            then = known.get(names.ref(channel.id))
            after = names.pair(then.latest).id if then and then.latest else max(newest)
            if (channel.last_message_id or 0) > after:
                group.create_task(_read(client, channel, after, turns))


async def _read(client: Client, channel: Readable, after: int, turns: asyncio.Semaphore) -> None:
    """Read one channel; where Discord says to wait, go on after that from where it was."""
    async with turns:
        while True:
            try:
                async for message in channel.history(after=discord.Object(after), limit=None, oldest_first=True):
                    await client.hand_over(channel.guild, client.incoming.posted(message, channel.guild), live=False)
                    after = message.id
            except Overloaded as busy:
                await asyncio.sleep(busy.after)
            except discord.HTTPException as refused:
                log.warning("what was said in channel %d meanwhile cannot be read: %s", channel.id, refused.text)
                return
            else:
                return


def _readable(guild: discord.Guild) -> Iterable[Readable]:
    """Return the channels and threads whose past the bot may read."""
    for channel in (*rights.rooms(guild), *guild.threads):
        if not isinstance(channel, discord.ForumChannel):
            held = channel.permissions_for(guild.me)
            if held.view_channel and held.read_message_history:
                yield channel
