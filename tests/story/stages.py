"""The platforms that every story is played on: how a bot comes to live there, and what people do and see."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from adapters.discord import Discord
from adapters.slack import Slack
from adapters.telegram.adapter import Telegram
from bot.app import App
from bot.core.ports import Adapter
from bot.core.things import Ref
from bot.platforms import EVERY
from tests.contract.on_discord import OnDiscord, _connected
from tests.contract.on_slack import OnSlack
from tests.contract.on_telegram import OnTelegram
from tests.contract.on_wire import OnWire
from tests.contract.on_wire import ref as on_wire
from tests.contract.platform import Platform, Recorder, until_ready
from tests.platforms.discord import discord_server, harbour
from tests.platforms.slack import slack_server
from tests.platforms.telegram import telegram_server
from tests.platforms.wire import Wire, wire_server


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One platform: the settings that point a bot there, its adapter, and its people once the adapter is connected.

    `outside` are the same people where the bot is another process, so that nobody can wait for it by its adapter.
    `lanterns` is an open channel beside those of the driver, which owner and member have not joined; `marks` is what
    its name looks like in an answer. `direct` is where somebody is alone with the bot. `alive` is what would ping or be
    a link, were it there in what the bot quotes. `troubles` makes trouble: `limit`, where the server can.

    `ended` tells the server that the bot is gone, `found_at` by which address it is to be called from now on, and
    `turn_back` how long ago it is, where an adapter goes by the platform's clock.
    """

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    open: Callable[[App], Adapter]
    people: Callable[[App, Adapter, asyncio.Task[None]], AbstractAsyncContextManager[Platform]]
    outside: Platform
    lanterns: Ref
    direct: Callable[[Ref], Awaitable[Ref]]
    marks: str = "lanterns"
    alive: str = "(?!)"
    troubles: Mapping[str, Callable[..., Awaitable[None]]] = field(default_factory=dict)
    ended: Callable[[], None] = lambda: None
    found_at: Callable[[str], None] = lambda _address: None
    turn_back: Callable[[float], None] = lambda _seconds: None


def opened(name: str) -> Callable[[App], Adapter]:
    """Return what opens the adapter of a row of the table of platforms."""
    row = next(one for one in EVERY if one.name == name)
    assert row.open is not None
    return row.open


@contextlib.asynccontextmanager
async def discord() -> AsyncIterator[Stage]:
    async with discord_server() as server:
        town = harbour(server.town)

        @contextlib.asynccontextmanager
        async def people(app: App, adapter: Adapter, life: asyncio.Task[None]) -> AsyncIterator[Platform]:
            assert isinstance(adapter, Discord)
            await _connected(adapter, life)
            yield OnDiscord(adapter, Recorder(), app.counts, server, town)

        async def limit(channel: Ref) -> None:
            server.faults.limit("POST", f"/channels/{channel.id}/messages", after=0.6, times=2)

        async def direct(who: Ref) -> Ref:
            return Ref("discord", str(await server.people.direct(int(who.id.partition("/")[2]))))

        yield Stage(
            name="discord",
            direct=direct,
            settings=server.environment,
            open=opened("discord"),
            people=people,
            outside=OnDiscord(None, Recorder(), None, server, town),  # type: ignore[arg-type]
            lanterns=Ref("discord", str(town.lanterns)),
            marks=f"<#{town.lanterns}>",
            alive=r"@(everyone|here)|\]\(https://example.org\)",
            troubles={"limit": limit},
            ended=server.gateway.forget,
            found_at=lambda address: setattr(server.gateway, "url", f"ws://{address}/gw"),
        )
        assert server.faults.gaps == []


@contextlib.asynccontextmanager
async def telegram() -> AsyncIterator[Stage]:
    ago = 0.0

    def turn_back(seconds: float) -> None:
        nonlocal ago
        ago = seconds

    async with telegram_server(clock=lambda: time.time() - ago) as server:
        outside = OnTelegram(None, Recorder(), server)  # type: ignore[arg-type]
        town = outside.who

        @contextlib.asynccontextmanager
        async def people(_app: App, adapter: Adapter, life: asyncio.Task[None]) -> AsyncIterator[Platform]:
            assert isinstance(adapter, Telegram)
            await until_ready(adapter.ready, life)
            yield OnTelegram(adapter, Recorder(), server, town)

        async def direct(who: Ref) -> Ref:
            server.town.private(int(who.id))
            return who

        async def limit(_channel: Ref) -> None:
            server.faults.limit("sendMessage", after=1)

        yield Stage(
            name="telegram",
            settings=server.environment,
            open=opened("telegram"),
            people=people,
            outside=outside,
            lanterns=Ref("telegram", f"{town.group.id}/t{town.lanterns.id}"),
            direct=direct,
            troubles={"limit": limit},
            turn_back=turn_back,
        )
        assert server.faults.gaps == []


@contextlib.asynccontextmanager
async def slack() -> AsyncIterator[Stage]:
    async with slack_server() as server:
        outside = OnSlack(None, Recorder(), server)  # type: ignore[arg-type]
        town = outside.town
        server.people.leave(town.anna, town.lanterns)

        @contextlib.asynccontextmanager
        async def people(_app: App, adapter: Adapter, life: asyncio.Task[None]) -> AsyncIterator[Platform]:
            assert isinstance(adapter, Slack)
            await until_ready(adapter.ready, life)
            yield OnSlack(adapter, Recorder(), server)

        async def direct(who: Ref) -> Ref:
            return Ref("slack", server.world.direct(who.id).id)

        async def limit(_channel: Ref) -> None:
            server.limit("chat.postMessage", 1)

        yield Stage(
            name="slack",
            settings=server.environment,
            open=opened("slack"),
            people=people,
            outside=outside,
            lanterns=Ref("slack", town.lanterns),
            direct=direct,
            marks=town.lanterns,
            troubles={"limit": limit},
            found_at=lambda address: setattr(server, "address", f"http://{address}"),
            turn_back=server.world.turn_back,
        )


@contextlib.asynccontextmanager
async def wire() -> AsyncIterator[Stage]:
    async with wire_server() as server:
        server.rooms["#lanterns"] = set()

        @contextlib.asynccontextmanager
        async def people(_app: App, adapter: Adapter, _life: asyncio.Task[None]) -> AsyncIterator[Platform]:
            assert isinstance(adapter, Wire)
            await adapter.ready.wait()
            yield OnWire(adapter, Recorder(), server)

        async def direct(who: Ref) -> Ref:
            return on_wire(f"@{who.id}")

        yield Stage(
            name="wire",
            direct=direct,
            open=lambda app: Wire(address=server.address, clock=app.clock),
            people=people,
            outside=OnWire(None, Recorder(), server),  # type: ignore[arg-type]
            lanterns=on_wire("#lanterns"),
        )


STAGES: dict[str, Callable[[], AbstractAsyncContextManager[Stage]]] = {
    "discord": discord,
    "telegram": telegram,
    "slack": slack,
    "wire": wire,
}
"""Every platform of others: its stories are told in `test_anywhere.py`. The playground has a town of its own."""
