"""The living bot in a small community on Discord: our server for the tests, the real library, all that is behind it.

People do something there, `settled` waits until the bot is done with it, and their clients show what came of it. The
encoder counts words.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from simcord import actors
from simcord.backend.models import EPHEMERAL_FLAG
from simcord.enums import InteractionType
from sqlalchemy import text

from adapters.discord import Discord
from bot.app import App, open_app
from bot.core.decisions import Trace
from bot.core.settings import Settings
from bot.core.things import Community, Member, Ref
from bot.living import Living
from bot.platforms import discord
from storage import acts, channels, communities, inbox, members, outbox, traces
from storage.encodings import CachedEncoder
from tests.hashing import HashingEncoder
from tests.platforms.discord import DiscordServer, Harbour
from tests.platforms.discord.uses import Answer

PATIENCE = 30.0
"""Seconds after which a story that stands still has failed."""
ARRIVE_AT_ONCE = 0.05
"""Seconds that the library waits for more servers before it says that it is ready."""
COMMUNITY = "Harbour Makers"
WICK = "wax and bamboo for the wick of a lantern"
"""What leads to the lanterns."""
TALK = {
    "pier": (
        "a keel of larch, and the rudder needs new pintles",
        "caulk the hull before the tide, then the mast goes in",
        "my dinghy leaks at the transom, which caulk for larch",
        "the rudder is off the dinghy again, new pintles and a keel band",
    ),
    "lanterns": (
        "paper and bamboo for the lantern frames, wax for the wick",
        "a wick of cotton burns brighter in the lantern",
        "bamboo splits when the lantern frame is bent dry, soak it",
        "the wax drips on the paper, trim the wick of the lantern",
    ),
}
"""What was said in the open channels, so that each has words of its own."""


def ref(*parts: object) -> Ref:
    """Name something on Discord by its parts."""
    return Ref("discord", "/".join(str(part) for part in parts))


@dataclass(frozen=True, kw_only=True)
class DiscordTown:
    """The bot and Discord while they live; `who` are the numbers of everybody and everything."""

    app: App
    living: Living
    adapter: Discord
    server: DiscordServer
    who: Harbour

    # What people do

    async def says(self, user: int, channel: int, text: str, *, reply_to: int = 0) -> int:
        """Write something, and wait until the bot is done with it."""
        made = await self.server.people.post(user, channel, text, reply_to=reply_to)
        await self.settled()
        return made

    async def asks(self, user: int, channel: int, text: str) -> int:
        """Write something that begins with the bot's name."""
        return await self.says(user, channel, f"<@{self.server.town.bot}> {text}")

    async def writes(self, user: int, text: str) -> int:
        """Write to the bot alone; return the conversation."""
        await self.server.people.post_directly(user, text)
        await self.settled()
        return await self.server.people.direct(user)

    async def command(self, user: int, where: int, name: str, /, **options: str | int) -> Answer:
        """Use a command and return all that was answered."""
        return await self.answer(await self.server.uses.command(user, where, name, options))

    async def press(self, user: int, channel: int, message: int, label: str) -> Answer:
        """Press the first button that is called so; return what was answered, the message it stands under left out."""
        shown = next(one for one in await self.sees(user, channel) if int(one["id"]) == message)
        token = next(button["custom_id"] for button in buttons(shown) if button["label"] == label)
        told = await self.answer(await self.server.uses.press(user, channel, message, custom_id=token))
        more = tuple(one for one in told.messages if int(one["id"]) != message)
        return replace(told, messages=more, ephemeral=all(is_aside(one) for one in more))

    async def answer(self, asked: int) -> Answer:
        """Return what the bot answered to a command or a button, once it is done with it."""
        await self.server.uses.acknowledged(asked)
        await self.settled()
        return await self.server.uses.answer(asked)

    async def forges(self, user: int, channel: int, data: dict) -> Answer:
        """Use a command past all that a client and Discord check, and return what was answered."""
        acting = self.server.uses.acting
        kind, room = InteractionType.APPLICATION_COMMAND, acting.room(channel)
        made = await actors._dispatch_actor_interaction(acting.actor(user, channel), kind, room, data)
        return await self.answer(made._interaction.id)

    async def talks(self) -> None:
        """Have the open channels be talked in, and all of it be learned."""
        for name, lines in TALK.items():
            for number, line in enumerate(lines):
                speaker = (self.who.anna, self.who.mei)[number % 2]
                await self.server.people.post(speaker, getattr(self.who, name), line)
        await self.indexed()

    async def wants(self, **settings: str) -> None:
        """Have the owner set things up."""
        for setting, value in settings.items():
            told = await self.command(self.who.anna, self.who.office, "setup", setting=setting, value=value)
            assert told.text.startswith("Done:"), told.text

    async def drops(self, how: str) -> None:
        """Have the gateway drop its connection in one of its ways, until the client is back."""
        gateway = self.server.gateway
        begun = gateway.identified + gateway.resumed
        await getattr(gateway, how)()
        async with asyncio.timeout(PATIENCE), gateway._moved:
            await gateway._moved.wait_for(lambda: gateway.identified + gateway.resumed > begun)

    async def in_mode(self, skill: str, mode: str) -> None:
        """Have the owner let a skill do something unasked, or not."""
        told = await self.command(self.who.anna, self.who.office, "mode", skill=skill, mode=mode)
        assert told.text.startswith("Done:"), told.text

    # What people see

    async def sees(self, user: int, channel: int) -> list[dict]:
        """Return what a member's client shows in a channel, oldest first."""
        return await self.server.views.sees(user, channel)

    async def last(self, user: int, channel: int) -> dict:
        return (await self.sees(user, channel))[-1]

    async def heard(self, user: int, channel: int) -> list[dict]:
        """Return what the bot said in a channel, as a member's client shows it."""
        return [one for one in await self.sees(user, channel) if int(one["author"]["id"]) == self.server.town.bot]

    async def told_directly(self, user: int) -> list[dict]:
        """Return what the bot wrote to somebody alone."""
        direct = await self.server.views.direct_channel(user)
        return await self.heard(user, direct) if direct else []

    # What is behind it

    async def settled(self) -> None:
        """Wait until nothing moves: every frame is read and handed over, every event handled, its echo too."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self._bury()
                told = self._told()
                await self.server.gateway.settled(PATIENCE)
                while busy := self._busy():
                    await asyncio.wait(busy)
                await self._handled()
                if told == self._told() and not self._busy():
                    return

    def _bury(self) -> None:
        """Forget the sessions that nobody comes back to, since the client began another."""
        sessions = self.server.gateway.sessions
        if any(one.outbox for one in sessions.values()):
            for name in [name for name, one in sessions.items() if one.outbox is None]:
                del sessions[name]

    def _told(self) -> list[int]:
        return [session.sequence for session in self.server.gateway.sessions.values()]

    def _busy(self) -> set[asyncio.Task[None]]:
        client, tasks = self.adapter.client, asyncio.all_tasks()
        handlers = {one for one in tasks if one.get_name().startswith("discord.py: on_")}
        fetching = {one for one in tasks if re.search("_chunk_and_dispatch|_delay_ready", str(one.get_coro()))}
        return handlers | fetching | (client._tasks if client else set())

    async def _handled(self) -> None:
        while await self._count(inbox.waiting):
            await self.living.lanes._empty.wait()
            await asyncio.sleep(0)

    async def _count(self, count: Callable) -> int:
        async with self.app.database.read() as connection:
            return await count(connection)

    async def indexed(self) -> None:
        """Wait until the bot has written everything that waits to the vectors: it looks twice a second."""
        await self.settled()
        async with asyncio.timeout(PATIENCE):
            while await self._count(outbox.count):  # noqa: ASYNC110 - nothing tells when it is
                await asyncio.sleep(0.02)

    async def community(self) -> Community:
        async with self.app.database.read() as connection:
            return await communities.find(connection, COMMUNITY)

    async def member(self, user: int) -> Member:
        async with self.app.database.read() as connection:
            return await members.find(connection, await self.community(), str(ref(self.who.guild, user)))

    async def reads(self, user: int) -> set[str]:
        """Return the names of the channels that the bot takes a member to read."""
        member, community = await self.member(user), await self.community()
        async with self.app.database.read() as connection:
            scope = await channels.readable(connection, community, member)
            every = await channels.every(connection, community)
        return {every[number].name for number in scope.channels or ()}

    async def stored(self) -> dict[str, str]:
        """Return the texts of all messages that are held, by their references."""
        async with self.app.database.read() as connection:
            rows = await connection.execute(text("SELECT ref, text FROM message ORDER BY id"))
            return {row.ref: row.text for row in rows}

    async def traces(self, channel: int, kind: str = "") -> list[Trace]:
        """Return the latest traces of a channel, newest first."""
        async with self.app.database.read() as connection:
            latest = await traces.latest(connection, await self.community(), channel=ref(channel), limit=50)
            found = await acts.told(connection, latest)
        return [one for one in found if not kind or one.kind == kind]


def offered(text: str) -> list[int]:
    """Return the channels that an answer offers."""
    return [int(number) for number in re.findall(r"^\*\*<#(\d+)>\*\*$", text, re.MULTILINE)]


def buttons(message: Mapping) -> list[dict]:
    """Return the buttons of a message."""
    return [button for row in message["components"] for button in row["components"]]


def labels(message: Mapping) -> list[str]:
    """Return what is written on the buttons of a message."""
    return [button["label"] for button in buttons(message)]


def is_aside(message: Mapping) -> bool:
    """Say whether one member alone is shown a message."""
    return bool(message["flags"] & EPHEMERAL_FLAG)


def settings_for(home: Path, server: DiscordServer, **more: str) -> Settings:
    """Return the settings of a bot that lives on a server for the tests."""
    told = {name.removeprefix("KINFOLK_").lower(): value for name, value in server.environment.items()}
    return Settings(_env_file=None, **{"home": home, "generator": "none", **told, **more})


@contextlib.asynccontextmanager
async def living(server: DiscordServer, who: Harbour, home: Path, **settings: str) -> AsyncIterator[DiscordTown]:
    """Let the bot live in a home until the story is told; what it left behind is there at the next time."""
    async with open_app(settings_for(home, server, **settings)) as app:
        app._encoder = CachedEncoder(HashingEncoder(), app.database)
        adapter = discord(app)
        life_of = await app.living([adapter])
        life = asyncio.create_task(life_of.run())
        try:
            await _ready(adapter, life)
            town = DiscordTown(app=app, living=life_of, adapter=adapter, server=server, who=who)
            await town.settled()
            yield town
        finally:
            life_of.stop()
            await life
            server.gateway.forget()


async def _ready(adapter: Discord, life: asyncio.Task[None]) -> None:
    """Wait until the servers are there, without the two seconds in which the library waits for more of them."""
    async with asyncio.timeout(PATIENCE):
        while adapter.client is None and not life.done():
            await asyncio.wait([life], timeout=0.005)
        if adapter.client:
            adapter.client._connection.guild_ready_timeout = ARRIVE_AT_ONCE
        ready = asyncio.create_task(adapter.ready.wait())
        await asyncio.wait([ready, life], return_when=asyncio.FIRST_COMPLETED)
        if life.done():
            life.result()
