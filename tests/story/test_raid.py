"""A raid on the playground: many come in at once, are held, and the staff ends it or bans them all."""

from __future__ import annotations

import pytest

from adapters.playground.refusals import Refused
from tests.story.town import OWNER, STAFF, Town

pytestmark = pytest.mark.slow

MANY = 12


async def raided(town: Town) -> list[str]:
    """Have many come in within a moment, where staff is strict."""
    await town.command(OWNER, "staff-room", "/setup strictness strict")
    return [await town.arrives(f"Raider {number}") for number in range(MANY)]


async def writes(town: Town, who: str) -> bool:
    """Say whether somebody may write."""
    try:
        await town.says(who, "general", "hello")
    except Refused:
        return False
    return True


async def test_who_comes_in_with_a_raid_is_held_and_the_staff_is_told_once_and_ends_it(harbour: Town) -> None:
    came = await raided(harbour)
    cards = [one for one in harbour.sees(STAFF, "staff-room") if "A raid" in one.text]
    assert len(cards) == 1
    assert "came in within" in cards[0].text
    assert not any([await writes(harbour, one) for one in came])
    assert await writes(harbour, STAFF)
    told = await harbour.press(STAFF, "End it, let them write")
    assert f"Done for {MANY} members." in told
    assert all([await writes(harbour, one) for one in came])


async def test_the_staff_bans_whoever_took_part_in_a_raid(harbour: Town) -> None:
    came = await raided(harbour)
    assert f"Done for {MANY} members." in await harbour.press(STAFF, "Ban them all")
    assert not any([await writes(harbour, one) for one in came])
