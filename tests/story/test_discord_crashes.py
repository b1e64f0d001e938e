"""`kinfolk run` on Discord as a process: killed in mid-act and started again, and what it says when it cannot begin."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from tests.command import Kinfolk
from tests.forking import Forked
from tests.platforms.discord import DiscordServer
from tests.platforms.discord import harbour as community
from tests.proving.bot import free_port

pytestmark = pytest.mark.slow

NO_ENCODER = "openai:http://127.0.0.1:1#nobody"


class Process:
    """The bot as a process of its own on a server for the tests."""

    def __init__(self, home: Path, server: DiscordServer, **settings: str) -> None:
        told = {"KINFOLK_GENERATOR": "none", "KINFOLK_ENCODER": NO_ENCODER, "KINFOLK_PLAYGROUND": "off"}
        self.program = Kinfolk(home=home)
        self.server = server
        self.settings = {**server.environment, **told, **settings}
        self.process: Forked | None = None

    async def start(self) -> None:
        """Start, and wait until everything on the server is looked over."""
        begun = self.server.gateway.identified
        self.process = await asyncio.to_thread(self.program.start, "run", **self.settings)
        gateway = self.server.gateway
        async with asyncio.timeout(60), gateway._moved:
            await gateway._moved.wait_for(lambda: gateway.identified > begun)
        await gateway.settled(30)

    async def kill(self) -> None:
        """Kill -9, and have the server notice."""
        assert self.process is not None
        self.process.kill()
        await asyncio.to_thread(self.process.communicate)
        self.server.gateway.forget()

    async def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            await self.kill()
        await asyncio.to_thread(self.program.end_companions)


@pytest.fixture
async def bot(home: Path, discord: DiscordServer) -> AsyncIterator[Process]:
    bot = Process(home, discord)
    yield bot
    await bot.end()


async def told(server: DiscordServer, method: str, path: str, count: int = 1) -> None:
    """Wait until the bot has asked so often."""
    await server.rest.until(lambda: len(server.faults.requests(method, path)) >= count, 30)


async def test_killed_in_mid_act_it_says_nothing_twice_and_deletes_again(bot: Process) -> None:
    server = bot.server
    who = community(server.town)
    await bot.start()
    aloud = f"/channels/{who.pier}/messages"
    server.faults.slow("POST", aloud, 5)
    await server.uses.command(who.mo, who.pier, "privacy", {"choice": "notice"})
    await told(server, "POST", aloud)
    await bot.kill()
    await bot.start()
    asked = await server.uses.command(who.mo, who.pier, "why")
    why = await server.uses.answered(asked, 30)
    assert "unknown" in why.text
    said = [one for one in await server.views.sees(who.anna, who.pier) if int(one["author"]["id"]) == server.town.bot]
    assert len([one for one in said if not one["flags"]]) == 1
    assert len(server.faults.requests("POST", aloud)) == 1

    asked = await server.uses.command(who.mo, who.pier, "privacy", {"choice": "notice"})
    await server.uses.answered(asked, 30)
    server.faults.slow("DELETE", f"{aloud}/*", 5)
    await server.uses.command(who.mo, who.pier, "undo")
    await told(server, "DELETE", f"{aloud}/*")
    await bot.kill()
    await bot.start()
    await told(server, "DELETE", f"{aloud}/*", 2)
    assert server.faults.invalid == 0
    assert server.faults.gaps == []


@contextlib.asynccontextmanager
async def thinking() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Open an encoder that never answers; the event says that it was asked."""
    asked, port = asyncio.Event(), free_port()

    async def hang(_request: web.Request) -> web.Response:
        asked.set()
        await asyncio.sleep(60)
        return web.Response(status=503)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", hang)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"openai:http://127.0.0.1:{port}#slow", asked
    await runner.cleanup()


async def test_a_command_that_a_kill_interrupted_is_answered_by_the_next_process(bot: Process) -> None:
    server = bot.server
    who = community(server.town)
    async with thinking() as (encoder, asked):
        bot.settings["KINFOLK_ENCODER"] = encoder
        await bot.start()
        command = await server.uses.command(who.ben, who.pier, "match", {"interests": "oakum"})
        await server.uses.acknowledged(command)
        await asyncio.wait_for(asked.wait(), 30)
        await bot.kill()
    assert (await server.uses.answer(command)).text == ""
    bot.settings["KINFOLK_ENCODER"] = NO_ENCODER
    await bot.start()
    answer = await server.uses.answered(command, 60)
    assert answer.text
    assert answer.ephemeral
    assert len(answer.messages) == 1
    assert server.faults.gaps == []


@pytest.mark.parametrize(
    ("token", "approved", "words"),
    [
        ("wrong", {"members", "message_content"}, "KINFOLK_DISCORD_TOKEN: Discord refuses it. Make a new one:"),
        ("", {"members"}, "this bot may not see members or what they write. Switch on Server Members Intent"),
    ],
)
async def test_what_only_its_owner_can_mend_ends_it_with_one_line(
    bot: Process, token: str, approved: set[str], words: str
) -> None:
    community(bot.server.town)
    bot.server.town.approved = approved
    settings = bot.settings | ({"KINFOLK_DISCORD_TOKEN": token} if token else {})
    ended = await asyncio.to_thread(bot.program.run, "run", expect=2, **settings)
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("kinfolk: ")
    assert words in last
    assert "Traceback" not in ended.stderr
    assert len(bot.server.faults.requests("GET", "/users/@me")) == 1


async def test_while_discord_cannot_be_reached_it_goes_on_trying_and_the_rest_lives(bot: Process) -> None:
    server, page = bot.server, free_port()
    who = community(server.town)
    server.faults.fail("GET", "/users/@me", 503, times=6)
    bot.settings |= {"KINFOLK_PLAYGROUND": "on", "KINFOLK_PLAYGROUND_PORT": str(page)}
    bot.process = await asyncio.to_thread(bot.program.start, "run", **bot.settings)
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=8), timeout=30) as visitor:
        assert (await visitor.get(f"http://127.0.0.1:{page}/api/ready")).status_code == 200
    assert server.gateway.identified == 0
    server.faults.clear()
    await server.gateway.connected(seconds=30)
    asked = await server.uses.command(who.ben, who.pier, "help")
    assert (await server.uses.answered(asked, 30)).text
