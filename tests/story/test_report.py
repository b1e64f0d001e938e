"""Members report a message: what the staff reads, what it does about it, and what is refused."""

from __future__ import annotations

import pytest

from bot.core.wording import unmarked
from tests.story.town import MEMBER, OWNER, STAFF, Town

pytestmark = pytest.mark.slow

RUDE, RUDER = "colm", "you are all *idiots* @everyone"
in_both = pytest.mark.parametrize("language", ["en", "zh_CN"])


async def rude(town: Town) -> str:
    """Let somebody be rude, and return the reference of it."""
    await town.says(RUDE, "general", RUDER)
    return f"playground:{town.last(MEMBER, 'general').id}"


@in_both
async def test_the_staff_reads_the_message_and_who_reports_it_and_nobody_else_does(
    harbour: Town, language: str
) -> None:
    await harbour.speaks(MEMBER, language)
    message = await rude(harbour)
    seen = harbour.sees(RUDE, "general")
    thanks = await harbour.command(MEMBER, "general", f"/report {message} this is unkind")
    assert thanks.startswith({"en": "Thank you.", "zh_CN": "谢谢。"}[language])
    report = harbour.last(STAFF, "staff-room").text
    for part in ("Colm Doherty", "idiots", "Marta Kowal", "this is unkind", message):
        assert part in report
    assert "all *idiots*" not in report, "what a member writes is no markup in the bot's mouth"
    assert harbour.sees(RUDE, "general") == seen
    again = await harbour.command(MEMBER, "general", f"/report {message}")
    assert again.startswith({"en": "You reported this", "zh_CN": "你已经举报过"}[language])
    reports = len(harbour.sees(STAFF, "staff-room"))
    await harbour.command("petra", "general", f"/report {message}")
    assert len(harbour.sees(STAFF, "staff-room")) == reports, "another member is heard on the same card"
    assert "Petra" in harbour.last(STAFF, "staff-room").text


async def test_what_the_staff_decides_is_done_and_written_under_it(harbour: Town) -> None:
    message = await rude(harbour)
    await harbour.command(MEMBER, "general", f"/report {message}")
    assert harbour.labels(STAFF, "staff-room") == ["Spam", "Hacked account", "Off-topic", "Rude", "Fine"]
    report = harbour.last(STAFF, "staff-room").id
    told = await harbour.press(STAFF, "Hacked account")
    assert "Messages taken away: 1." in told
    assert harbour.page._space.account(RUDE).quiet_until is not None
    assert all(post.text != RUDER for post in harbour.sees(MEMBER, "general"))
    [settled] = [post for post in harbour.sees(STAFF, "staff-room") if post.id == report]
    assert settled.text.endswith("_Hacked account, decided by Sam Okafor._")
    assert settled.buttons == ()
    assert "looked at this message already" in await harbour.command("petra", "general", f"/report {message}")


async def test_what_a_verdict_did_is_undone_and_the_message_may_be_judged_again(harbour: Town) -> None:
    message = await rude(harbour)
    await harbour.command(MEMBER, "general", f"/report {message}")
    report = harbour.last(STAFF, "staff-room")
    await harbour.press(STAFF, "Hacked account")
    assert "Taken back:" in await harbour.command(STAFF, "staff-room", "/undo")
    await harbour.says(RUDE, "general", "sorry everybody")
    assert harbour.last(MEMBER, "general").text == "sorry everybody"
    [now] = [post for post in harbour.sees(STAFF, "staff-room") if post.id == report.id]
    assert now.text == report.text
    assert [one.label for one in now.buttons] == [one.label for one in report.buttons], "it may be judged anew"
    await harbour.press(OWNER, "Fine")
    assert "Fine, decided by Ana Ferreira." in harbour.page._space.posts[report.id].text


async def test_what_cannot_be_reported_is_refused_with_what_to_do(harbour: Town) -> None:
    message = await rude(harbour)
    before = harbour.sees(STAFF, "staff-room")
    private = next(post for post in harbour.sees(STAFF, "staff-room") if post.author == OWNER)
    unknown = "I do not know this message, or you cannot read it"
    assert (await harbour.command(MEMBER, "general", "/report nowhere/1")).startswith(unknown)
    assert (await harbour.command(MEMBER, "general", f"/report playground:{private.id}")).startswith(unknown)
    assert (await harbour.command(RUDE, "general", f"/report {message}")).startswith("This is your own message")
    await harbour.command(OWNER, "staff-room", "/setup staff_channel default")
    nobody = await harbour.command(MEMBER, "general", f"/report {message}")
    assert "/setup staff_channel" in unmarked(nobody)
    assert [post for post in harbour.sees(STAFF, "staff-room") if not post.only] == before
    await harbour.command(OWNER, "staff-room", "/setup staff_channel staff-room")
    assert (await harbour.command(MEMBER, "general", f"/report {message}")).startswith("Thank you.")


async def test_of_who_is_not_collected_the_staff_gets_the_link_and_no_word(harbour: Town) -> None:
    message = await rude(harbour)
    await harbour.command(RUDE, "general", "/privacy off")
    assert (await harbour.command(MEMBER, "general", f"/report {message} unkind")).startswith("Thank you.")
    report = harbour.last(STAFF, "staff-room").text
    assert "idiots" not in report
    for part in ("Colm Doherty", "unkind", message, "behind the link"):
        assert part in report
    await harbour.press(STAFF, "Rude")
    assert all(post.text != RUDER for post in harbour.sees(MEMBER, "general"))


async def test_of_who_was_forgotten_nothing_is_kept_and_the_staff_may_delete_it(harbour: Town) -> None:
    await harbour.says(RUDE, "general", "hello")
    await harbour.command(RUDE, "general", "/privacy forget sure:yes")
    message = await rude(harbour)
    assert (await harbour.command(MEMBER, "general", f"/report {message} unkind")).startswith("Thank you.")
    report = harbour.last(STAFF, "staff-room")
    assert ("unkind" in report.text, "idiots" in report.text, "Case" in report.text) == (True, False, False)
    assert "has this message already" in await harbour.command("petra", "general", f"/report {message}")
    await harbour.press(STAFF, "Delete message")
    assert all(post.text != RUDER for post in harbour.sees(MEMBER, "general"))
