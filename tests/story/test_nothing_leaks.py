"""Two thousand random histories: nothing that is derived reaches anybody who may not read what it was made of.

Leaks that are planted must be found by the same test, or it would prove nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from blockbuster import BlockBuster
from hypothesis import HealthCheck, Phase, example, given, settings

from brains.moderation import undisguise
from storage.tables import metadata
from tests.at_once import Start
from tests.story.histories import HISTORY, Play
from tests.story.wirings import PLANTED, Bot, living

HISTORIES, PARTS = 2000, 4
UNTIL_FOUND = HISTORIES
"""Histories within which a planted leak must be found: as many as find none in the bot as it is."""


A_GUEST_COMES = [
    ("post", "ana", "hall"),
    ("post", "ana", "yard"),
    ("ask", "ana", "den", "aloud", False),
    ("read", "den", False),
    ("roles", "gus", frozenset({"yard", "den", "hall"})),
    ("ask", "ana", "hall", "aloud", False),
]
"""What leaked once: an answer stood in a room that the bot reads no more, when a guest came in."""


@dataclass(slots=True)
class Played:
    """How many histories were played, and how many answers were looked at."""

    histories: int = 0
    answers: int = 0


def play_all(kind: type[Bot], played: Played, histories: int, *, phases: Sequence[Phase]) -> None:
    """Play random histories, each from the same start. Raises AssertionError for a leak."""
    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()
        runner.run(asyncio.to_thread(undisguise.ready))
        bot = runner.run(stack.enter_async_context(living(kind)))
        runner.run(Play(bot=bot).settle())
        start = Start(bot.small.database, list(metadata.sorted_tables))
        gc.freeze()  # what lives as long as the bot need not be looked through again and again

        @settings(
            max_examples=histories,
            deadline=None,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        @example(A_GUEST_COMES)
        @given(HISTORY)
        def plays(history: Sequence[tuple]) -> None:
            async def one() -> int:
                await start.again()
                bot.begin()
                play = Play(bot=bot)
                await play.run(history)
                return len(play.shown)

            played.histories += 1
            played.answers += runner.run(one())

        try:
            plays()
        finally:
            gc.unfreeze()
            runner.run(stack.aclose())


@pytest.fixture(autouse=True)
def the_loop_may_be_blocked(nobody_blocks_the_loop: BlockBuster) -> None:
    """Let the tables be read in the loop itself: going to a thread and back is most of what small steps cost."""
    nobody_blocks_the_loop.deactivate()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.long
def test_nothing_derived_reaches_anybody_who_may_not_read_its_sources(part: int) -> None:
    played = Played()
    play_all(Bot, played, HISTORIES // PARTS, phases=(Phase.explicit, Phase.generate, Phase.shrink))
    assert played.answers > HISTORIES // PARTS, f"part {part} looked at too few answers to say anything"


@pytest.mark.slow
@pytest.mark.parametrize("planted", PLANTED)
def test_a_leak_that_was_planted_is_found(planted: type[Bot]) -> None:
    with pytest.raises(AssertionError):
        play_all(planted, Played(), UNTIL_FOUND, phases=(Phase.generate,))
