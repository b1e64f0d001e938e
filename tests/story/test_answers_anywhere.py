"""Answers on every platform: asked alone and aloud, followed up, unknown, passed on to the staff and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.wording import unmarked
from tests.answering import WordAnswerer
from tests.contract.platform import BUTTONS, Seen
from tests.story.any_town import AnyTown, living, needs, wants
from tests.story.stages import Stage

pytestmark = pytest.mark.slow

ASKED = "what glue holds the broken teapot spout?"
TOLD = "Two-part epoxy holds the spout, clamp it overnight."
ASKED_IN_CHINESE, TOLD_IN_CHINESE = "断了的茶壶嘴用什么胶粘？", "茶壶嘴用双组分环氧胶粘，夹一夜。"
UNKNOWN = "how deep is zanzibar quartz mining?"


@pytest.fixture
async def town(stage: Stage, home: Path, ending: None) -> AsyncIterator[AnyTown]:
    """Give the bot on each platform, with what answers there, where a question was answered in the open."""
    async with living(stage, home) as opened:
        opened.app._answerer = WordAnswerer(app=opened.app)
        on = opened.on
        for asked, told in ((ASKED, TOLD), (ASKED_IN_CHINESE, TOLD_IN_CHINESE)):
            first = await on.post(on.owner, on.public, asked)
            await on.post(on.member, on.public, told, first)
        await opened.indexed()
        yield opened


def words(told: list[Seen]) -> str:
    return unmarked("\n".join(one.text for one in told)).replace("\u200b", "")


async def test_a_question_is_answered_alone_and_aloud_and_followed_up(town: AnyTown) -> None:
    on = town.on
    before = await town.sees(on.owner)
    told = await town.told(on.member, town.commands(on.member, on.public, f"/ask {ASKED}"))
    assert "Two-part epoxy" in words(told)
    after = await town.sees(on.owner)
    assert not {one.message for one in told} & (set(after) - set(before)), "nobody else is shown it"
    [aloud] = await town.told(on.owner, town.asks(on.member, on.public, ASKED_IN_CHINESE))
    assert "双组分环氧胶" in words([aloud])
    assert not aloud.only_me
    thanks = on.post(on.member, on.public, "thanks!", aloud.message)
    assert await town.told(on.owner, thanks) == []
    await town.indexed()  # a thread that began is told apart anew, and its messages are on their way meanwhile
    again = on.post(on.member, on.public, on.to_bot("那要多久？"), aloud.message)
    assert "双组分环氧胶" in words(await town.told(on.owner, again))


async def test_what_nobody_knows_the_staff_is_asked_and_the_asker_is_told(town: AnyTown) -> None:
    needs(town, BUTTONS, "AskStaff")
    on = town.on
    await wants(town, staff_channel=str(on.private), language="en")
    [answer] = await town.told(on.member, town.asks(on.member, on.public, UNKNOWN))
    assert "no sure answer" in words([answer])
    assert answer.buttons == ["Ask staff"]
    asked = await town.told(on.owner, town.press(on.member, answer.message, "Ask staff"))
    [card] = [one for one in asked if "zanzibar" in one.text]
    reply = on.post(on.owner, on.private, "Four hundred metres.", card.message)
    told = await town.told(on.member, reply)
    assert "Four hundred metres" in words(told), [one.text for one in told]
