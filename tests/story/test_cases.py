"""Cases from a report to an appeal: what staff decide, what members are told, and all of it taken back."""

from __future__ import annotations

import pytest

from adapters.playground.asked import Change, Join
from adapters.playground.refusals import Refused
from adapters.playground.space import Post
from bot.core.wording import unmarked
from storage import cases
from storage.cases import Case
from tests.story.town import MEMBER, OWNER, STAFF, Town

pytestmark = pytest.mark.slow

RUDE, OTHER = "colm", "petra"
RUDER = "you are all *idiots* @everyone"
GRANT = "Grant: take it back"


async def rude(town: Town, words: str = RUDER) -> str:
    """Let somebody be rude, and return the reference of it."""
    await town.says(RUDE, "general", words)
    return f"playground:{town.last(MEMBER, 'general').id}"


def heard(town: Town, who: str) -> str:
    """Return all that the bot said to a member alone."""
    space = town.page._space
    own = [post for post in town._posts(who) if post.author == "kinfolk"]
    alone = [post for post in own if post.only == who or len(space.room(post.room).members) <= 2]
    return "\n".join(unmarked(post.text) for post in alone)


def cards(town: Town) -> list[Post]:
    return [post for post in town.sees(STAFF, "staff-room") if post.author == "kinfolk" and not post.only]


async def the_case(town: Town, who: str = RUDE) -> Case:
    """Return the latest case about a member."""
    member = await town.member(who)
    async with town.app.database.read() as connection:
        return (await cases.of_member(connection, await town.community(), member.id))[0]


async def points(town: Town, who: str = RUDE) -> int:
    member = await town.member(who)
    async with town.app.database.read() as connection:
        return await cases.points(connection, member.id, town.app.clock.now())


async def test_a_report_is_judged_the_member_told_and_an_appeal_takes_all_back(harbour: Town) -> None:
    await harbour.speaks(RUDE, "zh_CN")
    await harbour.command(RUDE, "general", "/help")
    message = await rude(harbour)
    await harbour.command(MEMBER, "general", f"/report {message} unkind")
    await harbour.command(OTHER, "general", f"/report {message} me too")
    [card] = cards(harbour)[-1:]
    for part in ("Colm Doherty", "idiots", "unkind", "me too", message):
        assert part in card.text, "both reports are on one card"
    assert (await the_case(harbour)).points == 0, "reports alone count nothing"
    await harbour.press(STAFF, "Spam")
    case = await the_case(harbour)
    assert (case.verdict, case.step, await points(harbour)) == ("spam", "warn", 3)
    assert all(post.text != RUDER for post in harbour.sees(MEMBER, "general"))
    letter = heard(harbour, RUDE)
    for part in ("管理员认为你写的内容是垃圾信息", "这是一次警告", "计 3 分", f"/appeal {case.id}"):
        assert part in letter, letter
    assert "looked into" in heard(harbour, MEMBER)
    assert "looked into" in heard(harbour, OTHER)
    assert "Sam Okafor" in cards(harbour)[-1].text
    assert cards(harbour)[-1].buttons == ()
    await harbour.command(RUDE, "general", f"/appeal {case.id} 只是开玩笑")
    appeal = cards(harbour)[-1]
    assert ("只是开玩笑" in appeal.text, "Sam Okafor" in appeal.text) == (True, True)
    assert "已经在管理员那里" in await harbour.command(RUDE, "general", "/appeal again")
    await harbour.press(OWNER, GRANT)
    assert "Ana Ferreira" in cards(harbour)[-1].text
    assert await points(harbour) == 0
    assert f"重新看了案件 {case.id}" in heard(harbour, RUDE)
    assert "只能申诉一次" in await harbour.command(RUDE, "general", "/appeal again")
    await harbour.press(OWNER, "Post the words again")
    again = harbour.last(MEMBER, "general")
    assert ("idiots" in again.text, "Colm Doherty" in again.text) == (True, True)
    why = await harbour.command(STAFF, "staff-room", f"/why {case.id}")
    for part in ("settle case", "Spam", "granted", case.id):
        assert part in why


async def test_the_first_verdict_wins_and_an_undo_opens_the_case_again(harbour: Town) -> None:
    message = await rude(harbour)
    await harbour.command(MEMBER, "general", f"/report {message}")
    card = cards(harbour)[-1]
    late = harbour.pressing(OWNER, card, "Fine")
    queue = await harbour.command(OWNER, "staff-room", "/mod queue")
    assert (await the_case(harbour)).id in queue
    shown = harbour.last(OWNER, "staff-room")
    await harbour.press(STAFF, "Rude")
    harbour.page._space.keep(card)
    for pressing in (late, harbour.pressing(OWNER, shown, "Spam")):
        told = await harbour._answer(OWNER, pressing)
        assert "settled already" in told, told
    case = await the_case(harbour)
    assert (case.verdict, case.verdict_by) == ("rude", (await harbour.member(STAFF)).ref)
    assert "Taken back:" in await harbour.command(OWNER, "staff-room", f"/undo {case.id}")
    again = await the_case(harbour)
    assert (again.standing, again.verdict, await points(harbour)) == ("open", "", 0)
    assert case.id in await harbour.command(OWNER, "staff-room", "/mod queue")


async def test_a_wrong_ban_is_undone_with_everything_restored(harbour: Town) -> None:
    told = await harbour.command(STAFF, "general", f"/mod ban {RUDE} selling things")
    case = await the_case(harbour)
    assert (case.id in told, case.step, case.standing, await points(harbour)) == (True, "ban", "settled", 10)
    with pytest.raises(Refused):
        await harbour.does(Join(deed="join", by=RUDE))
    shown = await harbour.command(STAFF, "staff-room", f"/mod case {case.id}")
    assert ("selling things" in shown, "Sam Okafor" in shown, "ban" in shown) == (True, True, True)
    told = await harbour.command(OWNER, "staff-room", f"/undo {case.id}")
    assert ("Taken back:" in told, "I could not write to" in told) == (True, True), "who is out cannot be told"
    assert harbour.page._space.account(RUDE).state == "out"
    assert (await the_case(harbour)).standing == "withdrawn"
    assert await points(harbour) == 0
    await harbour.does(Join(deed="join", by=RUDE))
    assert "sent out for good" in heard(harbour, RUDE)
    assert "Cases: 1" in await harbour.command(STAFF, "staff-room", f"/mod case {RUDE}")


async def test_who_stands_above_is_not_acted_on_and_it_is_told(harbour: Town) -> None:
    await harbour.says(OWNER, "general", "buy my boats, all of you")
    message = f"playground:{harbour.last(MEMBER, 'general').id}"
    told = await harbour.command(STAFF, "general", f"/mod ban {OWNER}")
    assert told.startswith("That did not work:"), told
    assert await points(harbour, OWNER) == 0, "what was not done opens no case"
    await harbour.command(MEMBER, "general", f"/report {message}")
    told = await harbour.press(STAFF, "Hacked account")
    assert "That did not work:" in told
    assert harbour.page._space.account(OWNER).quiet_until is None
    await harbour.says(OWNER, "general", "still here")
    assert harbour.last(MEMBER, "general").text == "still here"


async def test_who_reports_what_is_fine_again_and_again_waits_and_teaches_nothing(harbour: Town) -> None:
    for number in range(5):
        message = await rude(harbour, f"good morning number {number}")
        await harbour.command(MEMBER, "general", f"/report {message}")
        await harbour.press(STAFF, "Fine")
    before = cards(harbour)
    message = await rude(harbour, "good night")
    told = await harbour.command(MEMBER, "general", f"/report {message}")
    assert "later" in told
    assert cards(harbour) == before, "no card of their own"
    assert "good night" in await harbour.command(STAFF, "staff-room", "/mod queue")
    await harbour.command(OTHER, "general", f"/report {message} really")
    assert len(cards(harbour)) == len(before) + 1, "another member is heard at once"
    assert "Marta Kowal" in cards(harbour)[-1].text


async def test_the_author_is_who_wrote_it_whoever_edits_and_whatever_it_says_later(harbour: Town) -> None:
    message = await rude(harbour)
    await harbour.command(MEMBER, "general", f"/report {message}")
    post = next(one for one in harbour.sees(RUDE, "general") if one.text == RUDER)
    await harbour.does(Change(deed="change", by=RUDE, message=post.id, text="what a lovely day"))
    await harbour.press(STAFF, "Rude")
    case = await the_case(harbour)
    assert [(one.text, one.author) for one in case.exhibits] == [(RUDER, (await harbour.member(RUDE)).ref)]
    assert all(one.id != post.id for one in harbour.sees(MEMBER, "general"))
