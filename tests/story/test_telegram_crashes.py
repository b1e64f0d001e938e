"""`kinfolk run` on Telegram as a process: killed while people write and in mid-act, and what ends it with one line."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.command import Kinfolk
from tests.forking import Forked
from tests.platforms.telegram import TelegramServer, harbour, telegram_server

pytestmark = pytest.mark.slow

NO_ENCODER = "openai:http://127.0.0.1:1#nobody"
LINES, KILLS = 120, 4


class Process:
    """The bot as a process of its own on a server for the tests."""

    def __init__(self, home: Path, server: TelegramServer) -> None:
        told = {"KINFOLK_GENERATOR": "none", "KINFOLK_ENCODER": NO_ENCODER, "KINFOLK_PLAYGROUND": "off"}
        self.program = Kinfolk(home=home)
        self.server = server
        self.settings = {**server.environment, **told}
        self.process: Forked | None = None

    async def start(self) -> None:
        """Start, and wait until it asks what happened."""
        begun = len(self.server.updates.offsets)
        self.process = await asyncio.to_thread(self.program.start, "run", **self.settings)
        updates = self.server.updates
        async with asyncio.timeout(60), updates._moved:
            await updates._moved.wait_for(lambda: len(updates.offsets) > begun)

    async def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        await asyncio.to_thread(self.process.communicate)

    async def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            await self.kill()
        await asyncio.to_thread(self.program.end_companions)

    def stored(self) -> list[str]:
        with sqlite3.connect(self.program.home / "kinfolk.db") as tables:
            return [text for (text,) in tables.execute("SELECT text FROM message ORDER BY sent_at, id")]


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with telegram_server() as opened:
        yield opened


@pytest.fixture
async def bot(home: Path, server: TelegramServer) -> AsyncIterator[Process]:
    bot = Process(home, server)
    yield bot
    await bot.end()


async def called(server: TelegramServer, method: str, count: int = 1) -> None:
    """Wait until the bot has called a method so often."""
    async with asyncio.timeout(30):
        while len(server.faults.calls(method)) < count:  # noqa: ASYNC110 - nothing tells when it does
            await asyncio.sleep(0.01)


@pytest.mark.long
async def test_killed_again_and_again_while_people_write_it_loses_and_doubles_nothing(bot: Process) -> None:
    server, who, chance = bot.server, harbour(bot.server.town), random.Random(7)
    wanted = [f"line {number}" for number in range(LINES)]

    async def write() -> None:
        for number, line in enumerate(wanted):
            await server.people.post((who.ben, who.mei)[number % 2], who.group, line, topic=who.pier.id)
            await asyncio.sleep(0.02)

    await bot.start()
    writing = asyncio.create_task(write())
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.05, 0.4))
        await bot.kill()
        await bot.start()
    await writing
    await server.updates.settled(30)
    await bot.kill()
    assert sorted(bot.stored()) == sorted(wanted)


async def test_killed_in_mid_act_it_says_nothing_twice(bot: Process) -> None:
    server, who = bot.server, harbour(bot.server.town)
    await bot.start()
    await server.people.post(who.ben, who.group, "Hello", topic=who.pier.id)
    server.faults.slow("sendMessage", 5)
    await server.people.write(who.ben, "/help")
    await called(server, "sendMessage")
    await bot.kill()
    await bot.start()
    await server.people.write(who.ben, "/privacy")
    await called(server, "sendMessage", 2)
    said = [one.text for one in server.town.private(who.ben).messages.values() if one.author == server.town.bot]
    assert len(said) == 2
    assert said[0] != said[1]


async def test_what_only_its_owner_can_mend_ends_it_with_one_line(bot: Process) -> None:
    harbour(bot.server.town)
    wrong = bot.settings | {"KINFOLK_TELEGRAM_TOKEN": "7000000001:wrong"}
    ended = await asyncio.to_thread(bot.program.run, "run", expect=2, **wrong)
    assert ended.stderr.splitlines()[-1].startswith("kinfolk: KINFOLK_TELEGRAM_TOKEN: Telegram refuses it.")
    assert "Traceback" not in ended.stderr


async def test_the_doctor_looks_at_telegram_beside_a_running_bot(bot: Process) -> None:
    server, who = bot.server, harbour(bot.server.town)
    await bot.start()
    await server.people.post(who.ben, who.group, "Hello")
    await server.updates.settled(30)
    program = bot.program.start("doctor", "--json", **bot.settings)
    out, _err = await asyncio.to_thread(program.communicate)
    checks = [one for one in json.loads(out)["checks"] if one["check"] == "telegram"]
    assert [one["state"] for one in checks] == ["ok"] * 4, checks
    assert "Harbour Makers" in checks[-1]["words"]
