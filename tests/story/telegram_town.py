"""The living bot in a small community on Telegram: our server for the tests, the real library, all that is behind it.

People do something there, `settled` waits until the bot is done with it, and their clients show what came of it. The
encoder counts words.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from adapters.telegram.adapter import Telegram
from bot.app import App, open_app
from bot.core.settings import Settings
from bot.core.things import Ref
from bot.living import Living
from bot.platforms import telegram
from storage import inbox
from storage.encodings import CachedEncoder
from tests.hashing import HashingEncoder
from tests.platforms.telegram import Harbour, TelegramServer
from tests.platforms.telegram.town import BOT_NAME, Message

PATIENCE = 30.0
"""Seconds after which a story that stands still has failed."""


def ref(*parts: object) -> Ref:
    """Name something on Telegram by its parts."""
    return Ref("telegram", "/".join(str(part) for part in parts))


@dataclass(frozen=True, kw_only=True)
class TelegramTown:
    """The bot and Telegram while they live; `who` are the numbers of everybody and everything."""

    app: App
    living: Living
    adapter: Telegram
    server: TelegramServer
    who: Harbour

    async def says(self, user: int, words: str, *, topic: int | None = None, **more: object) -> list[Message]:
        """Write something in a topic, the pier by default, and return what the bot says anywhere thereupon."""
        where = self.who.pier.id if topic is None else topic
        post = self.server.people.post(user, self.who.group, words, topic=where, **more)
        return await self.after(post)

    async def asks(self, user: int, words: str, **more: object) -> list[Message]:
        """Write something that begins with the bot's name."""
        return await self.says(user, f"@{BOT_NAME} {words}", **more)

    async def writes(self, user: int, words: str) -> list[Message]:
        """Write to the bot alone."""
        return await self.after(self.server.people.write(user, words))

    async def presses(self, user: int, message: Message, label: str) -> list[Message]:
        """Press the first button that is called so."""
        found = (one for row in message.keyboard for one in row if one["text"] == label)
        data = next(found)["callback_data"]
        return await self.after(self.server.people.press(user, message, data))

    async def after(self, doing: object) -> list[Message]:
        """Return what the bot says anywhere after something is done."""
        before = self.heard()
        await doing
        await self.settled()
        return [one for one in self.heard() if one not in before]

    def heard(self) -> list[Message]:
        """Return all that the bot said and did not take back, in order."""
        every = [one for chat in self.server.town.chats.values() for one in chat.messages.values()]
        mine = [one for one in every if one.author == self.server.town.bot and not one.deleted and not one.more]
        return sorted(mine, key=lambda one: one.id)

    async def settled(self) -> None:
        """Wait until nothing moves: every update is confirmed, every event handled, its echo too."""
        async with asyncio.timeout(PATIENCE):
            while True:
                await self.server.updates.settled(PATIENCE)
                ears = self.adapter.ears
                while ears and ears.tasks:
                    await asyncio.wait(set(ears.tasks))
                calls = len(self.server.faults.called)
                while await self._count(inbox.waiting):
                    await self.living.lanes._empty.wait()
                    await asyncio.sleep(0)
                if not (self.server.updates.waiting or (ears and ears.tasks)) and calls == len(
                    self.server.faults.called
                ):
                    return

    async def _count(self, count: Callable) -> int:
        async with self.app.database.read() as connection:
            return await count(connection)

    async def stored(self) -> dict[str, str]:
        """Return the texts of all messages that are held, by their references."""
        return dict(await self.rows("SELECT ref, text FROM message ORDER BY id"))

    async def channels(self) -> dict[str, str]:
        """Return the names of all channels that are held, by their references."""
        return dict(await self.rows("SELECT ref, name FROM channel ORDER BY id"))

    async def rows(self, statement: str) -> list[tuple]:
        async with self.app.database.read() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]


@contextlib.asynccontextmanager
async def living(server: TelegramServer, who: Harbour, home: Path, **settings: str) -> AsyncIterator[TelegramTown]:
    """Let the bot live in a home until the story is told; what it left behind is there at the next time."""
    told = {name.removeprefix("KINFOLK_").lower(): value for name, value in server.environment.items()}
    every = {"home": home, "generator": "none", "playground": "off", **told, **settings}
    async with open_app(Settings(_env_file=None, **every)) as app:
        app._encoder = CachedEncoder(HashingEncoder(), app.database)
        adapter = telegram(app)
        life_of = await app.living([adapter])
        life = asyncio.create_task(life_of.run())
        try:
            await _ready(adapter, life)
            town = TelegramTown(app=app, living=life_of, adapter=adapter, server=server, who=who)
            await town.settled()
            yield town
        finally:
            life_of.stop()
            await life


async def _ready(adapter: Telegram, life: asyncio.Task[None]) -> None:
    ready = asyncio.create_task(adapter.ready.wait())
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait([ready, life], return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if life.done():
        life.result()
