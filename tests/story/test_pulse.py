"""Staff ask how the community is doing: three sentences and a picture, of what they may read, in their language."""

from __future__ import annotations

import re

import pytest

from bot.core.wording import unmarked
from tests.story.town import STAFF, Town

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n"


async def test_staff_are_told_in_three_sentences_and_shown_a_picture(harbour: Town) -> None:
    await harbour.indexed()
    told = await harbour.command(STAFF, "staff-room", "/pulse")
    assert re.search(r"\d+ messages by \d+ members in 30 days", unmarked(told))
    [file] = harbour.last(STAFF, "staff-room").files
    assert (file.name, file.data[:8]) == ("pulse.png", PNG)
    assert "asked how the community is doing" in await harbour.command(STAFF, "staff-room", "/why")
