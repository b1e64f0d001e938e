"""The bot's own answers follow what they rest on: what is changed or taken away is quoted no longer, within seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from adapters.playground.asked import Arrange, Change, Remove
from adapters.playground.space import Post
from bot.app import open_app
from bot.core.wording import unmarked
from storage import erasure
from tests.answering import WordAnswerer
from tests.story.conftest import Opening
from tests.story.town import MEMBER, OWNER, STAFF, Town

pytestmark = pytest.mark.slow

GLUE = ("what glue holds the broken teapot spout?", "Two-part epoxy holds the spout, clamp it overnight.")
LAMP = ("which bulb fits the crooked lighthouse lantern?", "A brass bayonet bulb of forty watts fits the lantern.")
SAIL = ("where were torn spinnaker sails mended?", "Old Rasmus mended spinnaker sails behind the ropewalk.")
SOON = 5.0
"""Seconds in which an answer follows its sources."""


@pytest.fixture
async def harbour(opening: Opening) -> AsyncIterator[Town]:
    """Give the town with what answers there."""
    async with opening() as opened:
        opened.app._answerer = WordAnswerer(app=opened.app)
        yield opened


async def answered(town: Town, about: tuple[str, str]) -> tuple[str, Post]:
    """Have a question answered aloud from what somebody of the staff said; returns that and the answer."""
    asked, words = about
    first = await town.says(OWNER, "general", asked)
    told = await town.says(STAFF, "general", words, reply_to=town.page._space.posts[first])
    await town.indexed()
    await town.says(MEMBER, "introductions", f"@Kinfolk {asked}")
    answer = town.last(MEMBER, "introductions")
    assert words in unmarked(answer.text)
    return told, answer


async def follows(town: Town, answer: Post) -> str:
    """Wait until an answer says something else, and return that; fails where it does not in time."""
    began = time.monotonic()
    async with asyncio.timeout(SOON):
        while answer.text == town.page._space.posts[answer.id].text:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.05)
    print(f"the answer followed within {time.monotonic() - began:.1f} s")  # noqa: T201
    return town.page._space.posts[answer.id].text


async def test_an_answer_follows_an_edit_a_deletion_and_a_channel_that_is_closed(harbour: Town) -> None:
    told, answer = await answered(harbour, GLUE)
    await harbour.page._do(Change(deed="change", by=STAFF, message=told, text="No glue holds that spout for long."))
    assert "Two-part epoxy" not in await follows(harbour, answer)
    told, answer = await answered(harbour, LAMP)
    await harbour.page._do(Remove(deed="remove", by=STAFF, message=told))
    assert "bayonet" not in await follows(harbour, answer)
    _told, answer = await answered(harbour, SAIL)
    await harbour.page._do(Arrange(deed="arrange", by=OWNER, room="general", name="general", private=True))
    assert "Rasmus" not in await follows(harbour, answer)


async def test_an_answer_follows_a_forget_by_another_process(harbour: Town) -> None:
    _told, answer = await answered(harbour, GLUE)
    community, member = await harbour.community(), await harbour.member(STAFF)
    async with open_app(harbour.app.settings) as beside:
        home, now = harbour.app.settings.home, harbour.app.clock.now()
        await erasure.forget(beside.database, None, None, community, member, home=home, now=now)
    assert "Two-part epoxy" not in await follows(harbour, answer)
