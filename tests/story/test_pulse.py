"""Staff ask how the community is doing: three sentences and a picture, of what they may read, in their language."""

from __future__ import annotations

import re

import pytest

from adapters.playground.refusals import Refused
from bot.core.wording import unmarked
from tests.story.town import MEMBER, OWNER, STAFF, Town

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n"


def counted(told: str) -> int:
    """Return how many messages a pulse tells of."""
    return int(re.search(r"^(\d+) messages by", unmarked(told))[1])


async def test_staff_are_told_in_three_sentences_and_shown_a_picture(harbour: Town) -> None:
    await harbour.indexed()
    told = await harbour.command(STAFF, "staff-room", "/pulse days:90")
    assert re.search(r"messages by \d+ members in 90 days, .*; \d+% of them in #\w", unmarked(told))
    assert "I learned it with another encoder" in told, "the encoder of this story counts words"
    assert "topic stands out" in told or "This week" in told
    [file] = harbour.last(STAFF, "staff-room").files
    assert (file.name, file.data[:8]) == ("pulse.png", PNG)
    before = counted(told)
    await harbour.says(OWNER, "general", "the lanterns are lit again")
    assert counted(await harbour.command(STAFF, "staff-room", "/pulse days:90")) > before
    [one] = re.findall(
        r"^\d+", unmarked(await harbour.command(STAFF, "staff-room", "/pulse channel:#bread-and-ferments"))
    )
    assert 0 < int(one) < before
    assert harbour.last(STAFF, "staff-room").files


async def test_members_have_none(harbour: Town) -> None:
    with pytest.raises(Refused, match="for staff"):
        await harbour.command(MEMBER, "introductions", "/pulse")
    assert "messages by" in await harbour.command(STAFF, "staff-room", "/pulse days:90")


async def test_nothing_of_who_opted_out_is_counted(harbour: Town) -> None:
    before = counted(await harbour.command(STAFF, "staff-room", "/pulse channel:#bread-and-ferments days:90"))
    await harbour.command(MEMBER, "introductions", "/privacy off")
    after = counted(await harbour.command(STAFF, "staff-room", "/pulse channel:#bread-and-ferments days:90"))
    assert after < before
    await harbour.command(MEMBER, "introductions", "/privacy on")
    assert counted(await harbour.command(STAFF, "staff-room", "/pulse channel:#bread-and-ferments days:90")) == before
