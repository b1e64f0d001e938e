"""Moderation on the playground, in Chinese: spam is held, judged and known again, and its author appeals."""

from __future__ import annotations

import pytest

from tests.story.town import OWNER, STAFF, Town

pytestmark = pytest.mark.slow

SPAM = "加微信领红包，每天五百元，名额有限，私聊我马上发"
HIDDEN = "加.微.信.领.红.包，每天五百元，名额有限，私聊我马上发"


async def test_spam_is_held_judged_and_known_again_in_chinese(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", "/setup language zh_CN")
    await harbour.speaks(STAFF, "zh_CN")
    spammer = await harbour.arrives("发财", "zh_CN")
    await harbour.joins(spammer, "general")
    await harbour.says(spammer, "general", SPAM)
    card = harbour.last(STAFF, "staff-room")
    assert [button.label for button in card.buttons] == ["垃圾信息", "账号被盗", "跑题", "粗鲁", "没问题"]
    assert SPAM in card.text
    assert any(post.text == SPAM for post in harbour.sees(STAFF, "general")), "deleting waits for a human"

    await harbour.press(STAFF, "垃圾信息")
    assert all(post.text != SPAM for post in harbour.sees(STAFF, "general"))
    notice = "\n".join(post.text for post in harbour._posts(spammer))
    assert "/appeal" in notice
    assert "垃圾信息" in notice

    other = await harbour.arrives("Sue", "en")
    await harbour.joins(other, "introductions")
    await harbour.says(other, "introductions", HIDDEN)
    assert "memory" in harbour.last(STAFF, "staff-room").text
    await harbour.press(STAFF, "没问题")

    told = await harbour.command(spammer, "general", "/appeal 我的账号被盗了，那不是我写的")
    assert "申诉" in told
    await harbour.press(STAFF, "同意：撤销处理")
    assert "发财" not in await harbour.command(STAFF, "staff-room", "/mod queue")
