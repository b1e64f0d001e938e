"""Somebody new: welcomed where newcomers are met, asked one question, matched by the answer; as staff want it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from adapters.playground.asked import Write
from adapters.playground.space import HARBOUR, Post
from bot.core.actions import Say
from bot.core.decisions import Trace
from bot.core.events import Arrival, MemberJoined, MemberLeft, Named, TimerFired
from bot.core.things import Ref
from storage import interests, traces
from storage.tables import NewcomerRow
from tests.story.conftest import Opening
from tests.story.town import MEMBER, OWNER, STAFF, Town

pytestmark = pytest.mark.slow

LOBBY = "introductions"
in_both = pytest.mark.parametrize("language", ["en", "zh_CN"])
HELLO = {"en": "Welcome, **Mo**!", "zh_CN": "欢迎，**Mo**！"}
QUESTION = {"en": "What do you like to make or do?", "zh_CN": "你喜欢做什么？"}
THEN = {"en": "Then you may belong here:", "zh_CN": "那么这些频道可能适合你："}
JOIN = {"en": "Join #{}", "zh_CN": "加入 #{}"}
LIKES = "sourdough rye flour dough starter, and kombucha"


def offered(answer: str) -> list[str]:
    return re.findall(r"^\*\*\[#(.+)\]\(kinfolk:channel:\S+\)\*\*$", answer, re.MULTILINE)


def welcomes(town: Town, who: str, channel: str = LOBBY) -> list[Post]:
    return [post for post in town.sees(who, channel) if post.text.startswith(tuple(HELLO.values()))]


async def arrival(town: Town) -> Trace:
    """Return what was decided about the latest newcomer."""
    async with town.app.database.read() as connection:
        found = await traces.latest(connection, await town.community(), limit=20)
    return next(trace for trace in found if trace.kind == "MemberJoined" and trace.channel is None)


@in_both
async def test_a_newcomer_is_met_with_three_channels_and_a_question(harbour: Town, language: str) -> None:
    newcomer = await harbour.arrives("Mo", language)
    [welcome] = welcomes(harbour, newcomer)
    assert QUESTION[language] in welcome.text
    assert len(offered(welcome.text)) == 3
    assert "staff-room" not in welcome.text
    assert welcomes(harbour, OWNER) == [welcome], "it is said to everybody who is there"
    assert {button.only.id for button in welcome.buttons if button.only} == {newcomer}
    name = offered(welcome.text)[0]
    await harbour.press(newcomer, JOIN[language].format(name))
    assert harbour.is_in(newcomer, name)


@in_both
async def test_who_answers_by_replying_gets_a_match_aloud(harbour: Town, language: str) -> None:
    newcomer = await harbour.arrives("Mo", language)
    await harbour.joins(newcomer, LOBBY)
    [welcome] = welcomes(harbour, newcomer)
    await harbour.says(newcomer, LOBBY, LIKES, reply_to=welcome)
    answer = harbour.last(OWNER, LOBBY)
    assert answer.text.startswith(THEN[language])
    assert offered(answer.text)[0] == "bread-and-ferments"
    assert (answer.author, answer.only) == ("kinfolk", "")
    assert harbour.sees(newcomer, LOBBY)[-2].id == answer.reply_to
    await harbour.press(newcomer, JOIN[language].format("bread-and-ferments"))
    assert harbour.is_in(newcomer, "bread-and-ferments")


async def test_where_a_guest_reads_along_a_welcome_names_no_channels_and_the_answer_says_how(harbour: Town) -> None:
    guest = await harbour.arrives("Gus")
    await harbour.joins(guest, LOBBY)
    await harbour.is_guest(guest)
    newcomer = await harbour.arrives("Mo")
    await harbour.joins(newcomer, LOBBY)
    [welcome] = welcomes(harbour, guest)
    assert welcome.text.startswith("Welcome, **Mo**!")
    assert QUESTION["en"] in welcome.text
    assert offered(welcome.text) == []
    await harbour.says(newcomer, LOBBY, LIKES, reply_to=welcome)
    answer = harbour.last(guest, LOBBY).text
    assert answer.startswith("Not everybody here may read the channels that fit. /match answers you alone.")
    assert "I remember this as yours" in answer
    assert offered(await harbour.command(newcomer, LOBBY, f"/match {LIKES}"))[0] == "bread-and-ferments"


async def test_nobody_elses_reply_is_answered_and_no_word_that_is_no_reply(harbour: Town) -> None:
    newcomer = await harbour.arrives("Mo")
    await harbour.joins(newcomer, LOBBY)
    [welcome] = welcomes(harbour, newcomer)
    await harbour.says(MEMBER, LOBBY, LIKES, reply_to=welcome)
    await harbour.says(newcomer, LOBBY, LIKES)
    assert [post.author for post in harbour.sees(OWNER, LOBBY)[-2:]] == [MEMBER, newcomer]
    await harbour.says(newcomer, LOBBY, LIKES, reply_to=welcome)
    assert harbour.last(OWNER, LOBBY).author == "kinfolk"


async def test_the_second_answer_belongs_to_the_newcomer_too(harbour: Town) -> None:
    newcomer = await harbour.arrives("Mo")
    await harbour.joins(newcomer, LOBBY)
    [welcome] = welcomes(harbour, newcomer)
    await harbour.says(newcomer, LOBBY, LIKES, reply_to=welcome)
    second = harbour.last(OWNER, LOBBY)
    await harbour.says(MEMBER, LOBBY, "telescopes", reply_to=second)
    assert harbour.last(OWNER, LOBBY).author == MEMBER
    await harbour.says(newcomer, LOBBY, "compost, seeds and tomatoes on the balcony", reply_to=second)
    assert offered(harbour.last(OWNER, LOBBY).text)[0] == "garden"


async def test_staff_choose_where_newcomers_are_met(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", "/setup welcome_channel garden")
    newcomer = await harbour.arrives("Mo")
    assert welcomes(harbour, newcomer) == []
    assert len(welcomes(harbour, newcomer, "garden")) == 1


@in_both
async def test_in_watch_nothing_is_said_and_the_trace_says_what_would_have_been(harbour: Town, language: str) -> None:
    await harbour.command(STAFF, "staff-room", "/mode welcome watch")
    newcomer = await harbour.arrives("Mo", language)
    assert welcomes(harbour, newcomer) == []
    trace = await arrival(harbour)
    ruling, noted = trace.verdict.rulings
    assert not noted.kept, "who is not welcomed is not noted either"
    assert isinstance(ruling.action, Say)
    assert ruling.action.text.startswith(HELLO[language])
    assert (ruling.kept, ruling.why) == (False, "I only watch here, so this is what I would have done.")
    told = await harbour.command(STAFF, "staff-room", f"/why {trace.id}")
    assert "not done: say" in told
    assert "I only watch here" in told


async def proposal(town: Town) -> Post:
    """Let the welcome ask the staff, and somebody arrive; return the proposal."""
    await town.command(STAFF, "staff-room", "/mode welcome ask")
    await town.arrives("Mo")
    post = town.last(STAFF, "staff-room")
    assert post.text.startswith("**welcome** proposes: Mo is new here\n- say: Welcome, Mo!")
    assert [button.label for button in post.buttons] == ["Approve", "Decline"]
    return post


async def test_a_proposal_that_staff_approve_happens_and_says_who_did(harbour: Town) -> None:
    await proposal(harbour)
    assert welcomes(harbour, OWNER) == []
    await harbour.press(STAFF, "Approve")
    assert len(welcomes(harbour, OWNER)) == 1
    post = harbour.last(OWNER, "staff-room")
    assert post.text.endswith("_approved by Sam Okafor_")
    assert post.buttons == ()


async def test_a_proposal_that_staff_decline_does_not_happen_and_says_who_did(harbour: Town) -> None:
    await proposal(harbour)
    await harbour.press(OWNER, "Decline")
    assert welcomes(harbour, OWNER) == []
    post = harbour.last(OWNER, "staff-room")
    assert post.text.endswith("_declined by Ana Ferreira_")
    assert post.buttons == ()


async def test_two_of_the_staff_at_once_settle_a_proposal_once(harbour: Town) -> None:
    post = await proposal(harbour)
    await harbour.page._do(harbour.pressing(STAFF, post, "Approve"))
    await harbour.page._do(harbour.pressing(OWNER, post, "Decline"))
    await harbour.settled()
    assert len(welcomes(harbour, OWNER)) == 1
    assert "approved by Sam Okafor" in harbour.sees(OWNER, "staff-room")[-2].text
    late = harbour.last(OWNER, "staff-room")
    assert (late.text, late.only) == ("This was settled already.", OWNER)


async def test_a_newcomer_answers_a_welcome_that_staff_approved(harbour: Town) -> None:
    await proposal(harbour)
    await harbour.press(STAFF, "Approve")
    await harbour.command(STAFF, "staff-room", "/mode welcome act")
    [welcome] = welcomes(harbour, OWNER)
    [newcomer] = {button.only.id for button in welcome.buttons if button.only}
    await harbour.joins(newcomer, LOBBY)
    await harbour.says(newcomer, LOBBY, LIKES, reply_to=welcome)
    assert offered(harbour.last(OWNER, LOBBY).text)[0] == "bread-and-ferments"


async def test_a_welcome_is_taken_back(harbour: Town) -> None:
    newcomer = await harbour.arrives("Mo")
    [welcome] = welcomes(harbour, newcomer)
    told = await harbour.command(STAFF, "staff-room", f"/undo {welcome.id}")
    assert told.startswith("Taken back:")
    assert welcomes(harbour, newcomer) == []


async def test_without_a_worker_nobody_is_welcomed_and_nothing_is_lost(opening: Opening) -> None:
    async with opening(model=True, encoder="openai:http://127.0.0.1:1#nobody") as town:
        newcomer = await town.arrives("Mo")
        assert welcomes(town, newcomer) == []
        [step] = [step for step in (await arrival(town)).steps if step.skill == "welcome"]
        assert step.failed
        await town.says(newcomer, "general", "hello?")
        assert town.last(OWNER, "general").text == "hello?"


async def likes(town: Town, who: str) -> list[str]:
    member = await town.member(who)
    async with town.app.database.read() as connection:
        return [one.text for one in await interests.of(connection, member.id)]


async def alone(town: Town, who: str, words: str) -> str:
    """Write to the bot in private, and return the last that was said there."""
    space = town.page._space
    room = space.direct(space.account(who))
    await town.does(Write(deed="write", by=who, room=room.id, text=words))
    return in_private(town, who)[-1].text


def in_private(town: Town, who: str) -> list[Post]:
    space = town.page._space
    room = space.direct(space.account(who))
    return [post for post in town._posts(who) if post.room == room.id]


async def test_who_comes_again_within_a_month_is_not_welcomed_again(harbour: Town) -> None:
    newcomer = await harbour.arrives("Mo")
    [welcome] = welcomes(harbour, newcomer)
    again = Named(ref=Ref("playground", newcomer), name="Mo")
    for days, expected in ((10, 1), (40, 2)):
        at = harbour.app.clock.now() + timedelta(days=days)
        await harbour.living.inbox.put(Arrival(space=HARBOUR, event=MemberJoined(member=again, at=at)))
        await harbour.settled()
        assert len(welcomes(harbour, newcomer)) == expected
    assert welcomes(harbour, newcomer)[0] == welcome


async def test_who_returns_after_a_month_is_welcomed_once_and_asked_once_more(harbour: Town) -> None:
    newcomer = await harbour.arrives("Mo")
    again = Named(ref=Ref("playground", newcomer), name="Mo")
    now = harbour.app.clock.now()
    await harbour.living.inbox.put(Arrival(space=HARBOUR, event=MemberLeft(member=again, at=now)))
    await harbour.settled()
    back = update(NewcomerRow).values(welcomed_at=now - timedelta(days=40))
    await harbour.app.database.write(lambda connection: connection.execute(back))
    for minutes in (1, 2):
        at = now + timedelta(minutes=minutes)
        await harbour.living.inbox.put(Arrival(space=HARBOUR, event=MemberJoined(member=again, at=at)))
        await harbour.settled()
        assert len(welcomes(harbour, newcomer)) == 2, "not at every later coming"
    await sweep(harbour)
    assert asked(harbour, newcomer) == 1


async def test_in_a_raid_nobody_is_welcomed(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", "/setup strictness strict")
    for number in range(12):
        await harbour.arrives(f"Raider {number}")
    greeted = [post for post in harbour.sees(OWNER, LOBBY) if post.text.startswith("Welcome, **Raider")]
    assert 0 < len(greeted) < 12
    assert not any("Raider 11" in post.text for post in greeted)


async def test_where_consent_is_asked_for_the_newcomer_is_asked_first_and_nothing_is_kept_before(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", "/setup consent opt_in")
    newcomer = await harbour.arrives("Mo")
    await harbour.joins(newcomer, LOBBY)
    found = welcomes(harbour, newcomer)
    assert found, (await arrival(harbour)).steps
    [welcome] = found
    assert "Here I learn from nobody who has not agreed." in welcome.text
    await harbour.says(newcomer, LOBBY, LIKES, reply_to=welcome)
    answer = harbour.last(OWNER, LOBBY)
    assert "I collect nothing of yours, so I do not remember this." in answer.text
    assert await likes(harbour, newcomer) == []
    await harbour.press(newcomer, "You may read what I write")
    await harbour.says(newcomer, LOBBY, LIKES, reply_to=welcome)
    assert "I remember this as yours" in harbour.last(OWNER, LOBBY).text
    assert await likes(harbour, newcomer) == [LIKES]


@in_both
async def test_welcomed_in_private_the_answer_there_is_kept_once_and_no_other_word(
    harbour: Town, language: str
) -> None:
    await harbour.command(OWNER, "staff-room", "/setup welcome private")
    newcomer = await harbour.arrives("Mo", language)
    assert welcomes(harbour, newcomer) == []
    assert QUESTION[language] in in_private(harbour, newcomer)[-1].text
    assert offered(await alone(harbour, newcomer, LIKES))[0] == "bread-and-ferments"
    await alone(harbour, newcomer, "compost, seeds and tomatoes on the balcony")
    assert await likes(harbour, newcomer) == [LIKES]


PLACE = {"en": "Did you find your place?", "zh_CN": "找到适合你的地方了吗？"}


async def sweep(town: Town, *, late: timedelta = timedelta(0)) -> None:
    """Let a week pass for all newcomers, and the hour come at which they are asked."""
    now = town.app.clock.now()
    back = update(NewcomerRow).values(welcomed_at=now - timedelta(days=8))
    await town.app.database.write(lambda connection: connection.execute(back))
    event = TimerFired(schedule="welcome.daily", planned=now - late, at=now)
    await town.living.inbox.put(Arrival(space=HARBOUR, event=event))
    await town.settled()


def asked(town: Town, who: str, language: str = "en") -> int:
    return sum(PLACE[language] in post.text for post in in_private(town, who))


async def test_only_who_has_not_settled_is_asked_again_once_in_their_language(harbour: Town) -> None:
    silent, talker, private, done, joiner = [
        await harbour.arrives(name, language)
        for name, language in (("Mo", "zh_CN"), ("Li", "en"), ("Wu", "en"), ("Al", "en"), ("Jo", "en"))
    ]
    [theirs] = [
        post for post in harbour.sees(joiner, LOBBY) if {one.only and one.only.id for one in post.buttons} == {joiner}
    ]
    await harbour._answer(joiner, harbour.pressing(joiner, theirs, theirs.buttons[0].label))
    assert harbour.is_in(joiner, theirs.buttons[0].label.removeprefix("Join #"))
    await harbour.joins(talker, "general")
    for words in ("good morning all", "does anybody have a spare kettle"):
        await harbour.says(talker, "general", words)
    await harbour.command(private, "general", "/privacy off")
    await harbour.command(STAFF, "staff-room", "/mode welcome watch")
    await sweep(harbour)
    everybody = (silent, talker, private, joiner, done)
    assert [asked(harbour, one) + asked(harbour, one, "zh_CN") for one in everybody] == [0] * 5, "only watched"
    await harbour.command(STAFF, "staff-room", "/mode welcome act")
    await sweep(harbour, late=timedelta(hours=9))
    assert asked(harbour, silent, "zh_CN") == 0, "not at night"
    await sweep(harbour)
    assert [asked(harbour, one) + asked(harbour, one, "zh_CN") for one in everybody] == [1, 0, 0, 0, 1]
    question = in_private(harbour, silent)[-1]
    assert len(offered(question.text)) == 3
    assert question.buttons[-1].label == "不要再问"
    await sweep(harbour)
    assert [asked(harbour, silent, "zh_CN"), asked(harbour, done)] == [1, 1]
    answer = await alone(harbour, done, LIKES)
    assert "I remember this as yours" in answer
    assert "I write to you no more" in await harbour.press(done, "Stop asking")
