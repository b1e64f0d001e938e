"""`kinfolk run` on each platform as a process of its own, killed again and again: nothing is lost or said twice."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.command import Kinfolk
from tests.contract.platform import AWAY
from tests.forking import Forked
from tests.story.stages import STAGES, Stage

pytestmark = pytest.mark.slow

TOGETHER = [name for name in STAGES if name != "wire"]
NO_ENCODER = "openai:http://127.0.0.1:1#nobody"
ROUNDS = 3
PATIENCE = 60.0
LONGEST = 0.4
"""Seconds at most until it is killed after somebody asked: before it heard, while it answers, or after that."""


@pytest.fixture(params=TOGETHER)
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with STAGES[request.param]() as opened:
        yield opened


class Killed:
    """The bot as a process on a stage."""

    def __init__(self, stage: Stage, home: Path) -> None:
        self.stage = stage
        self.program = Kinfolk(home=home)
        self.process: Forked | None = None

    async def start(self) -> None:
        told = {"KINFOLK_GENERATOR": "none", "KINFOLK_ENCODER": NO_ENCODER, "KINFOLK_PLAYGROUND": "off"}
        self.process = await asyncio.to_thread(self.program.start, "run", **self.stage.settings, **told)

    async def ready(self) -> None:
        """Wait until it says so."""
        assert self.process is not None
        async with asyncio.timeout(PATIENCE):
            while "Ready." not in self.process.printed():  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        await asyncio.to_thread(self.process.communicate)
        self.stage.ended()

    async def asks(self, number: int) -> str:
        """Have the member ask for help, and say who asked what so that the answer is known by what it replies to."""
        on = self.stage.outside
        return str(await on.post(on.member, on.public, on.to_bot(f"who could help me with number {number}?")))

    async def answers(self) -> Counter[str]:
        """Count the answers to each question, as the owner sees them."""
        on = self.stage.outside
        seen = await on.sees(on.owner, on.public)
        return Counter(str(one.reply_to) for one in seen if one.author == on.bot and one.reply_to)

    async def answered(self, question: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while not (await self.answers())[question]:  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.05)

    def stored(self) -> set[str]:
        with sqlite3.connect(f"file:{self.program.home}/kinfolk.db?mode=ro", uri=True) as connection:
            return {ref for (ref,) in connection.execute("SELECT ref FROM message")}


@pytest.mark.long
async def test_killed_again_and_again_it_loses_nothing_and_says_nothing_twice(stage: Stage, home: Path) -> None:
    bot, chance = Killed(stage, home), random.Random(7)
    try:
        await bot.start()
        await bot.ready()
        asked = [await bot.asks(0)]
        await bot.answered(asked[0])
        for number in range(1, ROUNDS):
            asked.append(await bot.asks(number))
            await asyncio.sleep(chance.uniform(0, LONGEST))
            await bot.kill()
            if AWAY not in stage.outside.lacks:
                asked.append(await bot.asks(100 + number))
            await bot.start()
            await bot.ready()
        asked.append(await bot.asks(ROUNDS))
        await bot.answered(asked[-1])
        assert set(asked) <= bot.stored()
        answers = await bot.answers()
        assert max(answers.values()) == 1, answers
        assert answers[asked[0]] == answers[asked[-1]] == 1
    finally:
        await bot.kill()
        await asyncio.to_thread(bot.program.end_companions)
