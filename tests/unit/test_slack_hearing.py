"""What Slack tells, as events: a table of what comes in, and what each thing becomes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest

from adapters.slack import catching_up, names
from adapters.slack.catching_up import CatchingUp, find_gaps
from adapters.slack.directory import Directory, Person, person_of, room_of
from adapters.slack.incoming import Incoming
from adapters.slack.pages import Pages
from adapters.slack.reading import words
from adapters.slack.web import Api
from bot.core.clock import SystemClock
from bot.core.counts import Counts
from bot.core.events import MemberChanged, MemberJoined, MemberLeft, MessageEdited, MessagePosted, Named, ReactionAdded
from bot.core.ports import KnownChannel
from bot.core.things import Audience, Rank, Ref

TS = "1700000000.000100"
LATER = "1700000009.000000"


@pytest.fixture
async def incoming() -> AsyncIterator[Incoming]:
    """Give what reads, in a workspace of which everything is known and nothing has to be asked."""
    async with aiohttp.ClientSession() as session:
        clock = SystemClock()
        api = Api(tokens={"bot": "x"}, counts=Counts(clock), session=session, address="http://127.0.0.1:1/api/")
        directory = Directory(api, me="UBOT", team=Named(ref=names.ref("T1"), name="Harbour"))
        for own, name, bot in (("U1", "Anna", False), ("U2", "Ben", False), ("UBOT", "Kinfolk", True)):
            directory.learn_person({"id": own, "name": name, "is_bot": bot})
        directory.learn_room(room_of({"id": "C1", "name": "pier", "is_channel": True, "is_private": False}))
        directory.learn_room(room_of({"id": "C2", "name": "office", "is_private": True}))
        directory.learn_room(room_of({"id": "D1", "is_im": True}))
        yield Incoming(directory=directory, clock=clock)


def said(text: str = "hi", **more: object) -> dict:
    return {"type": "message", "ts": TS, "user": "U1", "text": text, **more}


async def posted(incoming: Incoming, channel: str = "C1", **more: object) -> MessagePosted:
    event = await incoming.posted(said(**more), channel)
    assert event is not None
    return event


async def test_a_machine_is_one_though_slack_did_not_tell_of_it(incoming: Incoming) -> None:
    for user, more, bot in (("U77", {"bot_id": "B77"}, True), ("U78", {}, False), ("U1", {"bot_id": "B77"}, False)):
        event = await posted(incoming, channel="D1", user=user, **more)
        assert (event.author.bot, event.mentioned) == (bot, not bot)
    incoming.directory._people.clear()
    assert (await posted(incoming, channel="D1", user="UBOT")).mentioned is False, "the bot answers itself for ever"


@pytest.mark.parametrize("subtype", ["", "me_message", "thread_broadcast", "file_share"])
async def test_what_somebody_says_is_a_message(incoming: Incoming, subtype: str) -> None:
    event = await posted(incoming, subtype=subtype)
    assert (event.message, event.text, event.author.name) == (names.message("C1", TS), "hi", "Anna")
    assert event.at == datetime(2023, 11, 14, 22, 13, 20, 100, tzinfo=UTC)


@pytest.mark.parametrize(
    "subtype",
    ["channel_join", "channel_leave", "channel_topic", "pinned_item", "tombstone", "huddle_thread", "tomorrow"],
)
async def test_what_nobody_says_is_none(incoming: Incoming, subtype: str) -> None:
    assert await incoming.posted(said(subtype=subtype), "C1") is None
    assert await incoming.posted(said(user=None), "C1") is None


async def test_a_machine_goes_by_the_name_it_was_given(incoming: Incoming) -> None:
    told = {
        "type": "message",
        "subtype": "bot_message",
        "bot_id": "B1",
        "username": "Weather",
        "ts": TS,
        "text": "rain",
    }
    event = await incoming.posted(told, "C1")
    assert event
    assert (event.author.name, event.author.bot, event.mentioned) == ("Weather", True, False)


@pytest.mark.parametrize(
    ("channel", "more", "mentioned"),
    [
        ("C1", {"text": "<@UBOT> hello"}, True),
        ("C1", {"text": "hello"}, False),
        ("D1", {"text": "hello"}, True),
        ("C1", {"text": "yes", "thread_ts": "1699999999.000000", "parent_user_id": "UBOT"}, True),
        ("C1", {"text": "<@U2> yes", "thread_ts": "1699999999.000000", "parent_user_id": "UBOT"}, False),
        ("C1", {"text": "yes", "thread_ts": "1699999999.000000", "parent_user_id": "U2"}, False),
    ],
)
async def test_what_is_said_to_the_bot(incoming: Incoming, channel: str, more: dict, *, mentioned: bool) -> None:
    assert (await posted(incoming, channel, **more)).mentioned is mentioned


async def test_an_answer_says_which_thread_it_is_in(incoming: Incoming) -> None:
    began = "1699999999.000000"
    event = await posted(incoming, thread_ts=began)
    assert event.thread
    assert (event.thread.ref, event.reply_to) == (names.message("C1", began), names.message("C1", began))
    assert incoming.thread_of("C1", TS) == began
    first = await posted(incoming, ts=LATER, thread_ts=LATER)
    assert (first.thread, first.reply_to, incoming.thread_of("C1", LATER)) == (None, None, LATER)


async def test_files_are_noted_and_not_read(incoming: Incoming) -> None:
    one = {"name": "n" * 300, "mimetype": "text/plain", "size": 5, "url_private": "https://files.test/a"}
    event = await posted(incoming, files=[one, None, {"size": "big"}])
    assert [(len(file.name), file.kind, file.size) for file in event.files] == [(100, "text/plain", 5), (0, "", 0)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<@UBOT>, what now?", "what now?"),
        ("ask <@U2> or <@UBOT>", "ask @Ben or @Kinfolk"),
        ("<@UNOBODY|mo> and <@UNOWHERE>", "@mo and @…"),
        ("in <#C1|pier> and <#C2|office>, <#C404|x>", "in #pier and #…, #…"),
        ("<!here> <!subteam^S1|@crew> <!date^1^{date}|today>", "@here @crew today"),
        (
            "<http://a.test|words> <http://b.test> <mailto:a@b.test|a@b.test>",
            "words (http://a.test) http://b.test a@b.test",
        ),
        ("1 &lt; 2 &amp;&amp; &lt;@U1&gt;", "1 < 2 && <@U1>"),
        ("a <b> <", "a b <"),
    ],
)
async def test_marks_become_what_people_see(incoming: Incoming, text: str, shown: str) -> None:
    assert await words({"text": text}, incoming.directory) == shown


async def test_what_has_blocks_alone_is_read_from_them(incoming: Incoming) -> None:
    section = {
        "type": "rich_text_section",
        "elements": [{"type": "text", "text": "hi "}, {"type": "user", "user_id": "U2"}],
    }
    assert await words({"blocks": [{"type": "rich_text", "elements": [section]}]}, incoming.directory) == "hi @Ben"
    deep: dict = {"type": "text", "text": "never"}
    for _ in range(50):
        deep = {"type": "rich_text", "elements": [deep]}
    assert await words({"blocks": [deep, None, 7]}, incoming.directory) == ""


async def test_an_edit_is_what_was_said_otherwise(incoming: Incoming) -> None:
    now = said("now", edited={"user": "U1", "ts": LATER})
    event = await incoming.edited(now, said("then"), "C1", LATER)
    assert isinstance(event, MessageEdited)
    assert (event.text, event.revision) == ("now", names.revision(LATER))
    assert await incoming.edited(said("same"), said("same"), "C1", LATER) is None, "a preview"
    assert await incoming.edited(now, {**now, "text": "x"}, "C1", LATER) is None, "a thread"


async def test_a_reaction_is_told_by_its_emoji(incoming: Incoming) -> None:
    told = {"type": "reaction_added", "user": "U1", "reaction": "tada", "event_ts": LATER}
    event = await incoming.reaction({**told, "item": {"type": "message", "channel": "C1", "ts": TS}})
    assert isinstance(event, ReactionAdded)
    assert (event.emoji, event.sequence) == ("🎉", names.revision(LATER))
    assert await incoming.reaction({**told, "item": {"type": "file", "file": "F1"}}) is None


async def test_who_is_in_a_closed_channel_reads_it_and_no_other(incoming: Incoming) -> None:
    directory = incoming.directory
    anna = directory.known_person("U1")
    assert anna
    assert directory.named(anna).reads is None, "nobody counted yet"
    directory.counted = True
    moved = {"user": "U1", "channel": "C2", "event_ts": LATER}
    joined = await incoming.moved({"type": "member_joined_channel", **moved})
    assert isinstance(joined, MemberJoined)
    assert joined.member.reads == frozenset({names.ref("C2")})
    left = await incoming.moved({"type": "member_left_channel", **moved})
    assert isinstance(left, MemberLeft)
    assert left.member.reads == frozenset()


async def test_of_a_member_only_what_concerns_us_is_told(incoming: Incoming) -> None:
    def told(kind: str = "user_change", **more: object) -> object:
        return incoming.person({"type": kind, "user": {"id": "U1", "name": "Anna", **more}, "event_ts": LATER})

    assert told(status="busy") is None
    changed = told(name="Annika")
    assert isinstance(changed, MemberChanged)
    assert changed.member.name == "Annika"
    assert told(name="Annika", is_admin=True) is None
    assert incoming.directory.known_person("U1").rank is Rank.STAFF
    assert isinstance(told(name="Annika", deleted=True), MemberLeft)
    assert told(name="Annika", deleted=True) is None
    assert isinstance(told(name="Annika"), MemberJoined)
    assert isinstance(incoming.person({"type": "team_join", "user": {"id": "U9"}, "event_ts": LATER}), MemberJoined)


@pytest.mark.parametrize(
    ("channel", "audience"),
    [
        ({"id": "C1", "is_channel": True, "is_private": False}, Audience.EVERYONE),
        ({"id": "C1", "is_channel": True, "is_private": True}, Audience.MEMBERS),
        ({"id": "G1", "is_mpim": True}, Audience.MEMBERS),
        ({"id": "D1", "is_im": True}, Audience.DIRECT),
        ({"id": "D1"}, Audience.DIRECT),
        ({"id": "C1"}, Audience.MEMBERS),
        ({"id": "C1", "is_channel": "yes", "is_private": None}, Audience.MEMBERS),
    ],
)
def test_in_doubt_a_channel_is_closed(channel: dict, audience: Audience) -> None:
    assert room_of(channel).audience is audience


def test_what_a_channel_is_for_is_read_as_people_see_it() -> None:
    marked = {"value": "Q&amp;A, see <http://a.test|the list> and <#C2|office>"}
    assert room_of({"id": "C1", "purpose": marked}).purpose == "Q&A, see the list (http://a.test) and #…"


def test_ranks_are_slacks_own() -> None:
    assert person_of({"id": "U1"}).rank is Rank.MEMBER
    assert person_of({"id": "U1", "is_admin": True}).rank is Rank.STAFF
    assert person_of({"id": "U1", "is_admin": True, "is_owner": True}).rank is Rank.OWNER
    assert person_of({"id": "U1", "is_owner": "yes"}).rank is Rank.MEMBER


def test_guests_are_slacks_own_and_somebody_unknown_is_neither() -> None:
    assert [person_of({"id": "U1", one: True}).guest for one in ("is_restricted", "is_ultra_restricted")] == [True] * 2
    assert person_of({"id": "U1", "is_restricted": False}).guest is False
    assert Person(id="U1", name="U1").guest is None


def test_somebody_of_another_organisation_is_a_guest_whatever_they_are_at_home() -> None:
    theirs = {"id": "U1", "team_id": "T2", "is_admin": True, "is_owner": True}
    here, there = person_of(theirs, team="T2"), person_of(theirs, team="T1")
    assert (here.rank, here.guest) == (Rank.OWNER, False)
    assert (there.rank, there.guest) == (Rank.MEMBER, True)


def known(own: str, latest: str = "", *, thread: bool = False, **more: object) -> tuple[Ref, KnownChannel]:
    ref = Ref("slack", own)
    named = Named(ref=ref, name="", audience=more.pop("audience", Audience.EVERYONE))
    last = Ref("slack", latest) if latest else None
    return ref, KnownChannel(channel=named, archived=bool(more.pop("archived", False)), latest=last, thread=thread)


def test_where_something_may_have_been_missed() -> None:
    gaps = find_gaps(
        dict(
            [
                known("C1", f"C1/{TS}"),
                known(f"C1/{TS}", f"C1/{LATER}", thread=True),
                known("C2"),
                known("C3", f"C3/{TS}", archived=True),
                known("D1", f"D1/{LATER}", audience=Audience.DIRECT),
                known("imported:1", "hash"),
            ]
        )
    )
    assert [(one.channel, one.after, one.threads) for one in gaps] == [("C1", TS, {TS: LATER}), ("C2", LATER, {})]
    assert find_gaps(dict([known("C1")])) == []


def catching(incoming: Incoming) -> CatchingUp:
    api, clock = incoming.directory._api, SystemClock()
    then = dict([known("C1", f"C1/{TS}")])
    return CatchingUp(api=api, pages=Pages(api, clock), incoming=incoming, clock=clock, then=then)


async def test_who_speaks_where_something_was_missed_waits_for_it_once(
    incoming: Incoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "WAITS", 0.2)
    reading, now = catching(incoming), asyncio.get_running_loop().time
    began = now()
    await reading.wait_for("C1")
    assert now() - began >= 0.2
    began = now()
    for _ in range(20):
        await reading.wait_for("C1")
    assert now() - began < 2, "the twenty behind it would each have waited as long again"


async def test_what_is_told_again_hides_nothing_that_came_after_it(incoming: Incoming) -> None:
    reading = catching(incoming)
    reading.note("C1", LATER)
    [gap] = reading._gaps.values()
    assert gap.before == "", "it is from before the line was there"
    new = f"{incoming.directory._api.time}.000100"
    reading.note("C1", new)
    assert gap.before == new


async def test_an_odd_message_keeps_no_other_from_being_read(incoming: Incoming) -> None:
    reading, given = catching(incoming), []

    async def give(event: object) -> None:
        given.append(event)

    reading._give = give
    [gap] = reading._gaps.values()
    for odd in ({"user": "../U1"}, {"thread_ts": "yesterday"}, {}):
        await reading._tell({**said(), "ts": LATER, **odd}, gap)
    assert len(given) == 1
