"""What staff do to members by hand, what of it is taken back, and upon whom nobody acts."""

from __future__ import annotations

import pytest

from adapters.playground.asked import Join
from adapters.playground.refusals import Refused
from bot.core.actions import Ban, OpenDirect, Timeout
from tests.story.town import MEMBER, OWNER, STAFF, Town

pytestmark = pytest.mark.slow

LOUD = "colm"
in_both = pytest.mark.parametrize("language", ["en", "zh_CN"])


async def test_a_warning_is_for_the_member_alone_and_says_what_for(harbour: Town) -> None:
    assert (await harbour.command(STAFF, "general", f"/mod warn {LOUD}")).startswith("Say what the warning is for")
    before = harbour.sees(MEMBER, "general")
    told = await harbour.command(STAFF, "general", f"/mod warn {LOUD} too many *boats* today")
    assert told.startswith("Done: warn")
    warning = harbour.last(LOUD, "general").text
    assert warning.startswith("**A warning from the staff**")
    assert "too many" in warning
    assert harbour.sees(MEMBER, "general") == before
    await harbour.command(STAFF, "general", "/undo")
    assert all(post.text != warning for post in harbour.sees(LOUD, "general"))


@in_both
async def test_a_time_out_lasts_as_long_as_staff_says_and_is_undone(harbour: Town, language: str) -> None:
    await harbour.speaks(STAFF, language)
    told = await harbour.command(STAFF, "general", f"/mod timeout {LOUD} 5 too loud")
    assert {"en": "for 5 minutes", "zh_CN": "5 分钟"}[language] in told
    with pytest.raises(Refused):
        await harbour.says(LOUD, "general", "but")
    trace = await harbour.latest("general")
    action = trace.verdict.rulings[0].action
    assert isinstance(action, Timeout)
    assert (action.reason, action.by) == ("too loud", (await harbour.member(STAFF)).ref)
    assert "too loud" in trace.verdict.decisions[0].reason
    await harbour.command(STAFF, "general", "/undo")
    await harbour.says(LOUD, "general", "thank you")
    assert harbour.last(MEMBER, "general").text == "thank you"


async def test_a_time_out_is_lifted_by_hand(harbour: Town) -> None:
    assert "for 60 minutes" in await harbour.command(STAFF, "general", f"/mod timeout {LOUD}")
    with pytest.raises(Refused):
        await harbour.says(LOUD, "general", "but")
    await harbour.command(STAFF, "general", f"/mod untimeout {LOUD}")
    await harbour.says(LOUD, "general", "thank you")
    assert harbour.last(MEMBER, "general").text == "thank you"


async def test_a_ban_holds_until_it_is_lifted(harbour: Town) -> None:
    await harbour.command(STAFF, "general", f"/mod ban {LOUD} selling things")
    kinds = [type(ruling.action) for ruling in (await harbour.latest("general")).verdict.rulings]
    assert kinds.index(OpenDirect) < kinds.index(Ban), "they are told while they can be"
    with pytest.raises(Refused):
        await harbour.does(Join(deed="join", by=LOUD))
    await harbour.command(STAFF, "general", f"/mod unban {LOUD}")
    assert harbour.page._space.account(LOUD).state == "out"
    await harbour.command(STAFF, "general", f"/mod ban {LOUD}")
    await harbour.command(STAFF, "general", "/undo")
    assert harbour.page._space.account(LOUD).state == "out"


async def test_who_is_sent_out_may_come_back_and_it_says_that_nothing_undoes_it(harbour: Town) -> None:
    told = await harbour.command(STAFF, "general", f"/mod kick {LOUD}")
    assert "/undo" not in told
    assert not harbour.is_in(LOUD, "general")
    undone = await harbour.command(STAFF, "general", "/undo")
    assert "Cannot be taken back:" in undone
    assert "kick" in undone.partition("Cannot be taken back:")[2], "the case is, and the kick is not"


async def test_nobody_acts_on_themselves_on_bots_or_on_whom_the_platform_protects(harbour: Town) -> None:
    assert (await harbour.command(STAFF, "general", f"/mod timeout {STAFF}")).startswith("That is you.")
    await harbour.says(STAFF, "general", "hello")
    assert "That did not work:" in await harbour.command(STAFF, "general", "/mod kick kinfolk")
    assert (await harbour.command(STAFF, "general", f"/mod ban {OWNER}")).startswith("That did not work:")
    assert harbour.page._space.account(OWNER).state == "here"
    assert (await harbour.command(STAFF, "general", f"/mod kick {LOUD}")).startswith("Done:")
