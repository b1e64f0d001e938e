"""Questions and answers in the sample town: asked alone and aloud, unknown, passed on to the staff, judged."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.core.wording import unmarked
from tests.answering import WordAnswerer
from tests.story.conftest import Opening
from tests.story.town import MEMBER, OWNER, STAFF, Town

pytestmark = pytest.mark.slow

ASKED = {"en": "what glue holds the broken teapot spout?", "zh_CN": "断了的茶壶嘴用什么胶粘？"}
TOLD = {"en": "Two-part epoxy holds the spout, clamp it overnight.", "zh_CN": "茶壶嘴用双组分环氧胶粘，夹一夜。"}
UNKNOWN = {"en": "how deep is zanzibar quartz mining?", "zh_CN": "祖鲁矿井挖了多深？"}
LABELS = {
    "en": ("Helpful", "Not this", "Ask staff"),
    "zh_CN": ("有帮助", "不是这个", "问管理员"),
}
in_both = pytest.mark.parametrize("language", ["en", "zh_CN"])


@pytest.fixture
async def harbour(opening: Opening) -> AsyncIterator[Town]:
    """Give the town with what answers there."""
    async with opening() as opened:
        opened.app._answerer = WordAnswerer(app=opened.app)
        yield opened


async def learned(town: Town, language: str) -> None:
    """Have a question asked and answered in the open."""
    first = await town.says(OWNER, "general", ASKED[language])
    post = town.page._space.posts[first]
    await town.says(STAFF, "general", TOLD[language], reply_to=post)
    await town.indexed()


@in_both
async def test_a_question_is_answered_alone_with_its_source(harbour: Town, language: str) -> None:
    await learned(harbour, language)
    await harbour.speaks(MEMBER, language)
    answer = await harbour.command(MEMBER, "introductions", f"/ask {ASKED[language]}")
    assert TOLD[language] in unmarked(answer), answer
    assert "kinfolk:message:playground:" in answer
    assert "Sam" in answer
    assert tuple(harbour.labels(MEMBER, "introductions")) == LABELS[language]
    assert answer not in [post.text for post in harbour.sees(OWNER, "introductions")]
