"""The pipeline's own time and order, in a short run with generous bounds: machines that test are busy."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app import open_app
from bot.bench.traffic import InstantEncoder, running
from bot.core.settings import Settings
from storage.inbox import LOOK

pytestmark = pytest.mark.slow


async def test_a_verdict_follows_soon_and_in_order(home: Path) -> None:
    settings = Settings(home=home, generator="none")
    async with open_app(settings) as app, running(app, InstantEncoder()) as traffic:
        await traffic.paced([f"warm {number}" for number in range(40)], 40)
        own = sorted(await traffic.paced([f"the tide comes in at {number}" for number in range(60)], 10))
    assert traffic.times.out_of_order() == 0
    assert len(traffic.times.ruled) == 100
    assert 0 < own[len(own) // 2] < LOOK.total_seconds() / 4, "nobody waits for a look into the table"
