"""What dies is started again, later and later; what is misconfigured ends it all."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.core.errors import Gone, Misconfigured
from bot.supervisor import Supervisor
from tests.clocks import HastyClock


class Part:
    """A part of a bot that dies as it is told, then lives until it is cancelled."""

    def __init__(self, clock: HastyClock, *deaths: Exception, lives: float = 0.0) -> None:
        self.clock = clock
        self.deaths = list(deaths)
        self.lives = lives
        self.starts: list[float] = []
        self.well = asyncio.Event()
        self.began = clock.now()

    async def run(self) -> None:
        self.starts.append((self.clock.now() - self.began).total_seconds())
        if not self.deaths:
            self.well.set()
            await asyncio.Event().wait()
        self.clock.pass_by(self.lives)
        raise self.deaths.pop(0)


async def until_well(clock: HastyClock, *parts: Part) -> None:
    running = asyncio.create_task(Supervisor(clock).run({str(number): part.run for number, part in enumerate(parts)}))
    async with asyncio.timeout(30):
        await asyncio.gather(*(part.well.wait() for part in parts))
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()


async def test_a_part_that_dies_again_and_again_is_started_later_and_later() -> None:
    clock = HastyClock()
    part = Part(clock, *[Gone("away")] * 8)
    await until_well(clock, part)
    assert clock.slept == [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(part.starts) == 9


async def test_a_part_that_had_been_well_is_started_at_once_again() -> None:
    clock = HastyClock()
    await until_well(clock, Part(clock, *[Gone("away")] * 5, lives=121))
    assert clock.slept == [1, 1, 1, 1, 1]


async def test_a_part_that_dies_within_two_minutes_was_not_well_however_long_it_was_waited_for() -> None:
    clock = HastyClock()
    await until_well(clock, Part(clock, *[Gone("away")] * 8, lives=80))
    assert clock.slept == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_the_other_parts_live_on() -> None:
    clock = HastyClock()
    well, ill = Part(clock), Part(clock, ValueError("a bug"), Gone("away"))
    await until_well(clock, well, ill)
    assert (len(well.starts), len(ill.starts)) == (1, 3)


async def test_misconfiguration_ends_it_all_and_is_told() -> None:
    clock = HastyClock()
    with pytest.raises(Misconfigured, match="KINFOLK_DISCORD_TOKEN"):
        await Supervisor(clock).run(
            {"well": Part(clock).run, "ill": Part(clock, Misconfigured("KINFOLK_DISCORD_TOKEN is wrong")).run}
        )
    assert clock.slept == []


async def test_the_log_says_where_a_bug_is_and_repeats_no_word_of_it(caplog: pytest.LogCaptureFixture) -> None:
    clock = HastyClock()
    with caplog.at_level(logging.WARNING):
        await until_well(clock, Part(clock, ValueError("my marmalade never sets")))
    assert "0 stopped" in caplog.text
    assert "ValueError" in caplog.text
    assert "test_supervisor.py" in caplog.text
    assert "marmalade" not in caplog.text
