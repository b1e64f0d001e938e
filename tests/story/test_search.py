"""Members search what was said: by words and days, in both languages, and nothing that they may not read."""

from __future__ import annotations

import re

import pytest

from bot.core.wording import unmarked
from tests.story.town import MEMBER, STAFF, Town

pytestmark = pytest.mark.slow


async def search(town: Town, who: str, line: str) -> str:
    """Search in #general and return what is told, with its marks."""
    return await town.command(who, "general", f"/search {line}")


async def test_what_was_said_is_found_with_where_when_and_by_whom(harbour: Town) -> None:
    told = await search(harbour, MEMBER, "cake at the repair day")
    assert "Colm Doherty" in told
    assert "**cake**" in told
    assert re.search(r"\[2026-09-21\]\(kinfolk:message:", told)
    assert harbour.labels(MEMBER, "general")[-1:] == ["More"]
    first = set(unmarked(told).splitlines())
    more = await harbour.press(MEMBER, "More")
    assert not (set(unmarked(more).splitlines()) & first) - {""}


async def test_a_closed_channel_is_searched_by_its_readers_alone(harbour: Town) -> None:
    said = "I do October, Fatima had September"
    assert "October, Fatima" in unmarked(await search(harbour, STAFF, said)).replace("**", "")
    assert "Fatima had" not in unmarked(await search(harbour, MEMBER, said)).replace("**", "")


async def test_filters_narrow_what_is_found(harbour: Town) -> None:
    told = await search(harbour, MEMBER, "repair day cake by:colm since:2026-09-21 until:2026-09-21 channel:general")
    heads = [line for line in unmarked(told).splitlines() if line.startswith("#")]
    assert heads
    assert all("Colm Doherty" in line and "2026-09-21" in line and line.startswith("#general") for line in heads)
    assert "I found nothing" in await search(harbour, MEMBER, "cake until:2001-01-01")
    assert "cake" in await search(harbour, MEMBER, "repair day cake until:9999-12-31")
    assert "is no day" in await search(harbour, MEMBER, "cake since:yesterday")


async def test_chinese_is_searched_and_answered_in_chinese(harbour: Town) -> None:
    await harbour.speaks(MEMBER, "zh_CN")
    told = await search(harbour, MEMBER, "维修日")
    assert re.search("[\u4e00-\u9fff]", told)
    assert "没有" in await search(harbour, MEMBER, "蛋糕 until:2001-01-01")
