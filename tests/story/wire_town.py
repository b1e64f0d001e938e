"""The living bot on a platform that can little, and what its members do and see there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from bot.app import App, open_app
from bot.core.settings import Settings
from bot.living import Living
from storage import inbox, outbox
from storage.encodings import CachedEncoder
from tests.hashing import HashingEncoder
from tests.platforms.wire import BOT, Wire, WireServer, wire_server
from tests.story.discord_town import PATIENCE, TALK


@dataclass(frozen=True, kw_only=True)
class WireTown:
    """A small community on Wire: Anna owns it, Ben is in it."""

    app: App
    living: Living
    server: WireServer

    async def says(self, who: str, room: str, text: str) -> list[str]:
        """Let somebody say something, and return what the bot says thereupon: each as `ROOM: text`."""
        before = len(self.server.said)
        self.server.say(who, room, text)
        await self.settled()
        after = list(self.server.said.values())[before:]
        return [f"{one.room}: {one.text}" for one in after if one.by == BOT]

    async def settled(self) -> None:
        """Wait until nothing moves: every line is handed over, every event handled, its echo too."""
        async with asyncio.timeout(PATIENCE):
            before = -1
            while before != len(self.server.said):
                before = len(self.server.said)
                await self.server.settled()
                while await self._count(inbox.waiting):
                    await self.living.lanes._empty.wait()
                    await asyncio.sleep(0)

    async def talks(self) -> None:
        """Let Anna fill the rooms, and wait until the bot has read it."""
        for name, lines in TALK.items():
            for line in lines:
                self.server.say("anna", f"#{name}", line)
        await self.settled()
        async with asyncio.timeout(PATIENCE):
            while await self._count(outbox.count):  # noqa: ASYNC110 - nothing tells when it is
                await asyncio.sleep(0.02)

    async def _count(self, count: Callable) -> int:
        async with self.app.database.read() as connection:
            return await count(connection)


@contextlib.asynccontextmanager
async def wire_town(home: Path, **more: str) -> AsyncIterator[WireTown]:
    """Let the bot live on Wire until the story is told."""
    async with wire_server() as server:
        server.rooms["#lanterns"] = {"anna"}
        settings = Settings(_env_file=None, **{"home": home, "generator": "none", "playground": "off", **more})
        async with open_app(settings) as app:
            app._encoder = CachedEncoder(HashingEncoder(), app.database)
            wire = Wire(address=server.address, clock=app.clock)
            living = await app.living([wire])
            life = asyncio.create_task(living.run())
            try:
                async with asyncio.timeout(PATIENCE):
                    await wire.ready.wait()
                yield WireTown(app=app, living=living, server=server)
            finally:
                living.stop()
                await life
