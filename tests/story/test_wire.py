"""The bot on a platform that can little: commands are words, and answers for one alone are said directly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.story.discord_town import WICK
from tests.story.wire_town import WireTown, wire_town

pytestmark = pytest.mark.slow


@pytest.fixture
async def wire(home: Path, ending: None) -> AsyncIterator[WireTown]:
    async with wire_town(home) as opened:
        yield opened


async def test_a_command_in_words_is_answered_to_who_gave_it_alone(wire: WireTown) -> None:
    await wire.talks()
    [alone] = await wire.says("ben", "@ben", f"/match {WICK}")
    assert alone.startswith("@ben: ")
    assert "#lanterns" in alone
    assert await wire.says("ben", "#pier", f"kinfolk: match {WICK}") == [alone]
    assert await wire.says("ben", "#pier", f"/match {WICK}") == [], "what is said to others is no command"


async def test_staff_send_somebody_out_who_comes_back(wire: WireTown) -> None:
    [refused] = await wire.says("ben", "@ben", "/mod kick @anna")
    assert ("staff" in refused, "anna" in wire.server.here) == (True, True)
    [told] = await wire.says("anna", "@anna", "/mod kick ben spam")
    assert ("Done" in told, "ben" in wire.server.here) == (True, False)
    wire.server.join("ben", None)
    assert (await wire.says("ben", "@ben", "/match boats"))[0].startswith("@ben: ")
