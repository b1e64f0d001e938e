"""Kill -9 of each process of a living bot while people use it: nothing is lost, nothing is said twice."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.command import Kinfolk
from tests.proving.bot import PARTS, Bot
from tests.proving.rounds import Proving
from tests.watching import until

pytestmark = pytest.mark.slow


@pytest.fixture
def bot(kinfolk_lived_in: Kinfolk) -> Iterator[Bot]:
    bot = Bot(program=kinfolk_lived_in)
    bot.start()
    until(bot.is_ready, 120)
    yield bot
    bot.end()


@pytest.mark.long
async def test_whichever_process_is_killed_all_that_was_taken_is_done_once(bot: Bot) -> None:
    proving = Proving(bot=bot, chance=random.Random(3))
    for part in PARTS:
        before = proving.record.acknowledged
        found, _seconds = await proving.round(part)
        assert (found.lost, found.twice, found.unanswered, found.silent) == ([], [], [], 0), part
        assert proving.record.acknowledged > before, "people were heard meanwhile"
