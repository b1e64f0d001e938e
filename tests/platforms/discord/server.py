"""The Discord server put together, on a port of this machine."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from tests.platforms.discord.control import control
from tests.platforms.discord.faults import Faults
from tests.platforms.discord.gateway import TOKEN, Gateway
from tests.platforms.discord.people import People
from tests.platforms.discord.rest import Rest
from tests.platforms.discord.staff import Staff
from tests.platforms.discord.town import Town
from tests.platforms.discord.uses import Uses
from tests.platforms.discord.views import Views

LARGEST = 32 * 2**20
"""Bytes that a request may have."""
GOING_AWAY = 1001


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordServer:
    """Discord: where it is, what it is made of, and everybody who does something there."""

    api: str
    gateway_url: str
    town: Town
    people: People
    staff: Staff
    uses: Uses
    views: Views
    gateway: Gateway
    rest: Rest
    faults: Faults
    token: str = TOKEN

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings that point a bot here."""
        return {
            "KINFOLK_DISCORD_TOKEN": self.token,
            "KINFOLK_DISCORD_API": self.api,
            "KINFOLK_DISCORD_GATEWAY": self.gateway_url,
        }


@contextlib.asynccontextmanager
async def discord_server(port: int = 0, town: Town | None = None) -> AsyncIterator[DiscordServer]:
    """Open the server on a port, any free one for 0."""
    town = town or Town()
    gateway, faults = Gateway(town), Faults()
    rest = Rest(town, gateway, faults)
    app = web.Application(client_max_size=LARGEST)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    for path in ("/gw", "/gw/"):
        app.router.add_get(path, gateway.serve)
    app.router.add_route("*", "/api/v10/{tail:.*}", rest.serve)
    app.router.add_get("/attachments/{tail:.*}", rest.attachment)
    parts = {
        "town": town,
        "people": People(town),
        "staff": Staff(town),
        "uses": Uses(town, rest),
        "views": Views(town),
        "gateway": gateway,
        "rest": rest,
        "faults": faults,
    }
    app.router.add_post("/_ctl/{verb}", control(parts))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    base = "http://{}:{}".format(*runner.addresses[0][:2])
    town.files.base, gateway.url = base, base.replace("http", "ws") + "/gw"
    try:
        yield DiscordServer(api=f"{base}/api/v10", gateway_url=gateway.url, **parts)  # type: ignore[arg-type]
    finally:
        await gateway.close(GOING_AWAY)
        await runner.cleanup()
