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
    [aloud] = await wire.says("ben", "#pier", f"kinfolk: match {WICK}")
    assert aloud.startswith("@ben: "), "to Ben alone here, too"
    assert aloud.splitlines()[:3] == alone.splitlines()[:3], "what is learned meanwhile may word the reason otherwise"
    assert await wire.says("ben", "#pier", f"/match {WICK}") == [], "what is said to others is no command"


async def test_staff_send_somebody_out_who_comes_back(wire: WireTown) -> None:
    [refused] = await wire.says("ben", "@ben", "/mod kick @anna")
    assert ("staff" in refused, "anna" in wire.server.here) == (True, True)
    letter, told = await wire.says("anna", "@anna", "/mod kick ben spam")
    assert (letter.startswith("@ben: "), "spam" in letter, "/appeal" in letter) == (True, True, True)
    assert ("Done" in told, "ben" in wire.server.here) == (True, False)
    wire.server.join("ben", None)
    assert (await wire.says("ben", "@ben", "/match boats"))[0].startswith("@ben: ")


async def test_what_the_platform_cannot_do_is_not_called_done(wire: WireTown) -> None:
    [told] = await wire.says("anna", "@anna", "/mod timeout ben 5")
    cannot = "That did not work: Wire does not let a bot do this: "
    assert told == f"@anna: {cannot}time ben out for 5 minutes."
    [done] = await wire.says("anna", "@anna", "/setup staff_channel #office")
    assert "Done" in done
    spam = wire.server.say("anna", "#pier", "Buy my lanterns!")
    [told] = await wire.says("ben", "@ben", f"/report #pier/{spam}")
    assert told.startswith(f"@ben: {cannot}ask the staff: ")


async def test_what_the_platform_cannot_do_is_said_in_the_language_of_who_asks(wire: WireTown) -> None:
    await wire.says("anna", "#pier", "大家好，今天我们一起做灯笼，欢迎来看看。")
    [told] = await wire.says("anna", "@anna", "/mod timeout ben 5")
    assert told == "@anna: 没有成功：Wire 不允许机器人这样做：禁言 ben 5 分钟。"
    await wire.says("anna", "@anna", "/setup staff_channel #office")
    await wire.says("ben", "#pier", "我也想学做灯笼，请问在哪里集合？")
    spam = wire.server.say("anna", "#pier", "Buy my lanterns!")
    [told] = await wire.says("ben", "@ben", f"/report #pier/{spam}")
    assert told.startswith("@ben: 没有成功：Wire 不允许机器人这样做：")


async def test_without_buttons_and_files_words_lead_everywhere(wire: WireTown) -> None:
    await wire.says("ben", "#pier", "I would like to build a lantern.")
    [told] = await wire.says("ben", "@ben", "/privacy")
    assert "- Collect nothing: /privacy off" in told
    assert "- Send me everything: /privacy export" in told
    [export] = await wire.says("ben", "@ben", "/privacy export")
    assert export.startswith("@ben: I cannot send you a file here.")
    [asked] = await wire.says("ben", "@ben", "/privacy forget")
    assert ("cannot be undone" in asked, "- Erase everything: /privacy forget yes" in asked) == (True, True)
    [erased] = await wire.says("ben", "@ben", "/privacy forget yes")
    assert erased.endswith("I looked again, everywhere: 0 left.")


async def test_words_stand_for_buttons_in_the_language_of_who_asks(wire: WireTown) -> None:
    await wire.says("ben", "#pier", "我想学做灯笼，请问在哪里集合？")
    [asked] = await wire.says("ben", "@ben", "/privacy forget")
    assert ": /privacy forget yes" in asked
    assert (await wire.says("ben", "@ben", "/privacy export"))[0].startswith("@ben: 我在这里不能给你发文件。")
