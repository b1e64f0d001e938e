"""What staff steer the bot with: why, undo, mode; and that members cannot."""

from __future__ import annotations

import pytest

from adapters.playground.refusals import Refused
from bot.core.errors import Mistake
from tests.story.town import MEMBER, STAFF, Town

pytestmark = pytest.mark.slow

QUIET = "colm"
RYE = "/match sourdough rye flour dough starter"
in_both = pytest.mark.parametrize("language", ["en", "zh_CN"])


@in_both
async def test_why_tells_who_proposed_what_and_what_came_of_it(harbour: Town, language: str) -> None:
    await harbour.command(QUIET, "general", RYE)
    await harbour.press(QUIET, "Join #bread-and-ferments")
    await harbour.speaks(STAFF, language)
    told = await harbour.command(STAFF, "general", "/why")
    words = {
        "en": (
            "**Button pressed** at",
            "- **match** (act,",
            "wants to join #bread-and-ferments",
            "- done: bring [@colm]",
        ),
        "zh_CN": ("**点击按钮**，", "- **match**（act，", "wants to join #bread", "- 已完成：让 [@colm]"),
    }[language]
    for part in words:
        assert part in told
    assert "You are in" not in told, "what was said to one alone is told to no other"


async def test_why_of_a_message_and_of_a_trace_tell_the_same(harbour: Town) -> None:
    newcomer = await harbour.arrives("Mo")
    welcome = harbour.last(newcomer, "introductions")
    by_message = await harbour.command(STAFF, "general", f"/why {welcome.id}")
    number = by_message.partition("(trace ")[2].partition(")")[0]
    assert await harbour.command(STAFF, "general", f"/why {number}") == by_message
    assert "Mo is new here" in by_message


@in_both
async def test_what_nobody_knows_anything_about_is_said(harbour: Town, language: str) -> None:
    await harbour.speaks(STAFF, language)
    nothing = {"en": "I know nothing about nowhere/1.", "zh_CN": "我没有关于 nowhere/1 的记录。"}[language]
    assert (await harbour.command(STAFF, "garden", "/why nowhere/1")).startswith(nothing)
    no_undo = {"en": "There is nothing here that I could take back.", "zh_CN": "这里没有可以撤回的操作。"}[language]
    assert await harbour.command(STAFF, "garden", "/undo") == no_undo


async def test_undo_takes_back_once_and_the_trace_names_who(harbour: Town) -> None:
    newcomer = await harbour.arrives("Mo")
    welcome = harbour.last(newcomer, "introductions")
    await harbour.command(STAFF, "general", f"/undo {welcome.id}")
    undo = await harbour.latest("general")
    assert undo.verdict.decisions[0].reason.startswith("Sam Okafor took back acts ")
    assert undo.member is not None
    assert undo.member.id == STAFF
    told = await harbour.command(STAFF, "general", f"/why {welcome.id}")
    assert "(taken back by act " in told
    again = await harbour.command(STAFF, "general", f"/undo {welcome.id}")
    assert again == "There is nothing here that I could take back."


@in_both
async def test_a_mode_may_hold_in_one_channel_only(harbour: Town, language: str) -> None:
    await harbour.speaks(STAFF, language)
    newcomer = await harbour.arrives("Mo", language)
    await harbour.joins(newcomer, "introductions")
    welcome = harbour.last(newcomer, "introductions")
    done = await harbour.command(STAFF, "staff-room", "/mode welcome off introductions")
    assert "[#introductions]" in done
    await harbour.says(newcomer, "introductions", "sourdough rye bread", reply_to=welcome)
    assert harbour.last(newcomer, "introductions").author == newcomer
    listed = await harbour.command(STAFF, "staff-room", "/mode")
    assert "**welcome**: act" in listed
    assert "introductions): off" in listed
    await harbour.command(STAFF, "staff-room", "/undo")
    await harbour.says(newcomer, "introductions", "sourdough rye bread", reply_to=welcome)
    assert harbour.last(newcomer, "introductions").author == "kinfolk"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/mode help act", "help does nothing unasked. These do: people, digest, answer, growing"),
        ("/mode welcome", "Say which mode: off, watch, ask or act."),
    ],
)
async def test_a_wrong_mode_is_explained(harbour: Town, line: str, told: str) -> None:
    assert (await harbour.command(STAFF, "staff-room", line)).startswith(told)


async def test_the_platform_itself_refuses_what_it_can_see_is_wrong(harbour: Town) -> None:
    with pytest.raises(Mistake, match="mode is one of off, watch, ask, act"):
        await harbour.command(STAFF, "staff-room", "/mode welcome loudly")
    for line in ("/mode welcome act", "/undo", "/why", "/setup", "/mod warn colm tut"):
        with pytest.raises(Refused, match="staff"):
            await harbour.command(MEMBER, "general", line)
    with pytest.raises(Refused, match="staff"):
        await harbour.command(STAFF, "general", "/setup")
