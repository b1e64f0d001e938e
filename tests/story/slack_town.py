"""The living bot in a small community on Slack: our server for the tests, the real libraries, all that is behind it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from adapters.slack import Slack
from bot.app import App, open_app
from bot.core.settings import Settings
from bot.living import Living
from bot.platforms import slack
from storage import channels, communities, inbox, members, outbox
from storage.encodings import CachedEncoder
from tests.hashing import HashingEncoder
from tests.platforms.slack import Asked, Harbour, Server
from tests.platforms.slack.world import BOT, Message
from tests.story.discord_town import PATIENCE, TALK


@dataclass(frozen=True, kw_only=True)
class SlackTown:
    """The bot and Slack while they live; `who` are the ids of everybody and everything."""

    app: App
    living: Living
    adapter: Slack
    server: Server
    who: Harbour

    # What people do

    async def says(self, user: str, channel: str, words: str, *, thread: str = "") -> list[Message]:
        """Write something; return what whoever wrote it sees of the bot thereupon, there."""
        before = len(self.heard(user, channel))
        self.server.people.post(user, channel, words, thread=thread)
        await self.settled()
        return self.heard(user, channel)[before:]

    async def asks(self, user: str, channel: str, words: str, *, thread: str = "") -> list[Message]:
        """Write something that begins with the bot's name."""
        return await self.says(user, channel, f"<@{BOT}> {words}", thread=thread)

    async def command(self, user: str, channel: str, line: str) -> list[Message]:
        """Use a slash command; return what they see of the bot thereupon."""
        before = len(self.heard(user, channel))
        name, _space, rest = line.partition(" ")
        await self.done(self.server.people.command(user, channel, name, rest))
        return self.heard(user, channel)[before:]

    async def press(self, user: str, message: Message, channel: str, label: str) -> list[Message]:
        """Press the first button that is called so; return what they see of the bot thereupon."""
        before = len(self.heard(user, channel))
        value = next(one["value"] for one in buttons(message) if one["text"]["text"] == label)
        await self.done(self.server.people.press(user, channel, message.ts, value))
        return self.heard(user, channel)[before:]

    async def done(self, asked: Asked) -> None:
        """Wait until the bot is done with what somebody asked."""
        await asyncio.wait_for(asked.envelope.acknowledged.wait(), PATIENCE)
        await self.settled()

    async def talks(self) -> None:
        """Have the open channels be talked in, and all of it be learned."""
        for name, lines in TALK.items():
            for number, line in enumerate(lines):
                speaker = (self.who.anna, self.who.mei)[number % 2]
                self.server.people.post(speaker, getattr(self.who, name), line)
        await self.settled()
        async with asyncio.timeout(PATIENCE):
            while await self._count(outbox.count):  # noqa: ASYNC110 - nothing tells when it is
                await asyncio.sleep(0.02)

    # What people see

    def heard(self, user: str, channel: str) -> list[Message]:
        """Return what the bot said in a channel, as a member's client shows it."""
        return [one for one in self.server.people.sees(user, channel) if one.user == BOT]

    # What is behind it

    async def settled(self) -> None:
        """Wait until nothing moves: every envelope is acknowledged, every event handled, its echo too."""
        async with asyncio.timeout(PATIENCE):
            while True:
                await self.server.sockets.settled(PATIENCE)
                while busy := self._busy():
                    await asyncio.wait(busy)
                while await self._count(inbox.waiting):
                    await self.living.lanes._empty.wait()
                    await asyncio.sleep(0)
                if not self.server.sockets.envelopes and not self._busy():
                    return

    def _busy(self) -> set[asyncio.Task[None]]:
        tasks = {*(self.adapter.ears.tasks if self.adapter.ears else ()), self.adapter.looking}
        return {one for one in tasks if one and not one.done()}

    async def _count(self, count: Callable) -> int:
        async with self.app.database.read() as connection:
            return await count(connection)

    async def reads(self, user: str) -> set[str]:
        """Return the names of the channels that the bot takes a member to read."""
        async with self.app.database.read() as connection:
            [community] = await communities.every(connection)
            member = await members.find(connection, community, f"slack:{user}")
            scope = await channels.readable(connection, community, member)
            every = await channels.every(connection, community)
        return {every[number].name for number in scope.channels or ()}

    async def stored(self) -> list[str]:
        """Return the texts of all messages that are held, oldest first."""
        async with self.app.database.read() as connection:
            rows = await connection.execute(text("SELECT text FROM message ORDER BY sent_at, id"))
            return [row.text for row in rows]


def buttons(message: Message) -> list[dict]:
    """Return the buttons of a message."""
    return [one for block in message.blocks for one in block.get("elements", ())]


def offered(message: Message) -> list[str]:
    """Return the channels that an answer offers."""
    return re.findall(r"<#(C\d+)>", message.text)


@contextlib.asynccontextmanager
async def living(server: Server, who: Harbour, home: Path, **more: str) -> AsyncIterator[SlackTown]:
    """Let the bot live in a home until the story is told; what it left behind is there at the next time."""
    told = {name.removeprefix("KINFOLK_").lower(): value for name, value in server.environment.items()}
    settings = Settings(_env_file=None, **{"home": home, "generator": "none", **told, **more})
    async with open_app(settings) as app:
        app._encoder = CachedEncoder(HashingEncoder(), app.database)
        adapter = slack(app)
        life_of = await app.living([adapter])
        life = asyncio.create_task(life_of.run())
        try:
            async with asyncio.timeout(PATIENCE):
                ready = asyncio.create_task(adapter.ready.wait())
                await asyncio.wait([ready, life], return_when=asyncio.FIRST_COMPLETED)
            if life.done():
                life.result()
            town = SlackTown(app=app, living=life_of, adapter=adapter, server=server, who=who)
            yield town
        finally:
            life_of.stop()
            await life
