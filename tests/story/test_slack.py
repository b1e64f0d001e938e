"""Members and the bot on Slack: what only Slack has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.events import CommandGiven, key
from tests.contract.on_slack import OnSlack, on_slack
from tests.platforms.slack import ADMIN_TOKEN, Server, harbour, slack_server
from tests.platforms.slack.sockets import Envelope
from tests.platforms.slack.world import BOT, Message
from tests.story.discord_town import WICK
from tests.story.slack_town import SlackTown, buttons, living, offered

pytestmark = pytest.mark.slow


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with slack_server() as opened:
        yield opened


@pytest.fixture
async def slack(server: Server, home: Path, ending: None) -> AsyncIterator[SlackTown]:
    async with living(server, harbour(server), home) as opened:
        await opened.settled()
        yield opened


def labels(message: Message) -> list[str]:
    return [one["text"]["text"] for one in buttons(message)]


def envelope_ts(envelope: Envelope) -> str:
    return envelope.frame["payload"]["event"]["ts"]


# Asking


async def test_a_slash_command_is_answered_to_who_gave_it_alone(slack: SlackTown) -> None:
    await slack.talks()
    [answer] = await slack.command(slack.who.ben, slack.who.pier, f"/match {WICK}")
    assert (answer.only, offered(answer)[:1]) == (slack.who.ben, [slack.who.lanterns])
    assert answer not in slack.server.people.sees(slack.who.anna, slack.who.pier)
    assert [one.payload for one in slack.server.people.asked.values() if one.answers] == []


async def test_a_guest_is_shown_nothing_of_channels_that_they_are_not_in(slack: SlackTown) -> None:
    await slack.talks()
    world = slack.server.world
    world.users[slack.who.ben].guest = True
    world.user_changed(world.users[slack.who.ben])
    [answer] = await slack.command(slack.who.ben, slack.who.pier, f"/match {WICK}")
    assert answer.text.startswith("You are a guest here")
    world.users[slack.who.ben].guest = False
    world.user_changed(world.users[slack.who.ben])
    [answer] = await slack.command(slack.who.ben, slack.who.pier, f"/match {WICK}")
    assert offered(answer)[:1] == [slack.who.lanterns]


async def test_where_the_bot_is_not_the_answer_goes_to_the_address_of_the_command(slack: SlackTown) -> None:
    closed = slack.server.world.channel("council", {slack.who.ben}, private=True)
    [answer] = await slack.command(slack.who.ben, closed, "/kinfolk privacy")
    assert (answer.only, "I collect" in answer.text or "privacy" in answer.text.lower()) == (slack.who.ben, True)
    [again] = await slack.command(slack.who.ben, closed, "/kinfolk-help")
    assert "/match" in again.text


async def test_in_a_conversation_of_others_the_answer_is_for_who_asked_alone(slack: SlackTown) -> None:
    who = slack.who
    theirs = slack.server.world.channel("", {who.ben, who.mei}, private=True)
    room = slack.server.world.channels[theirs]
    slack.server.world.channels[f"D{theirs}"] = room
    room.id = f"D{theirs}"
    [answer] = await slack.command(who.ben, room.id, "/kinfolk help")
    assert (answer.only, "/match" in answer.text) == (who.ben, True)


async def test_a_command_in_a_thread_is_answered_in_the_thread(slack: SlackTown) -> None:
    await slack.talks()
    who, people = slack.who, slack.server.people
    began = people.post(who.anna, who.pier, "Who knows about light?")
    people.post(who.mei, who.pier, "I do.", thread=began)
    [answer] = await slack.asks(who.ben, who.pier, f"match {WICK}", thread=began)
    assert (answer.thread, answer.only, offered(answer)[:1]) == (began, who.ben, [who.lanterns])


async def test_who_names_the_bot_is_answered_in_a_thread(slack: SlackTown) -> None:
    [answer] = await slack.asks(slack.who.ben, slack.who.pier, "what can you do?")
    asked = next(one for one in slack.server.people.sees(slack.who.ben, slack.who.pier) if "what can" in one.text)
    assert (answer.thread, answer.only) == (asked.ts, "")


async def test_a_private_channel_is_not_named_where_others_read(slack: SlackTown) -> None:
    who = slack.who
    await slack.says(
        who.anna, who.pier, f"see <#{who.office}|office> and <#{who.lanterns}|lanterns>, <@{who.mei}> &amp; all"
    )
    assert (await slack.stored())[-1] == "see #… and #lanterns, @Mei & all"


async def test_the_shortcut_asks_why_and_the_staff_hears_of_it(slack: SlackTown) -> None:
    who, people = slack.who, slack.server.people
    await slack.command(who.anna, who.office, f"/setup staff_channel <#{who.office}|office>")
    bad = people.post(who.mei, who.pier, "buy my coins")
    await slack.done(people.menu(who.ben, who.pier, bad, "report"))
    assert people.forms[who.ben]["title"]["text"] == "Report to staff"
    people.submit(who.ben, {"reason": "spam <!channel>"})
    await slack.settled()
    report = slack.heard(who.anna, who.office)[-1]
    assert "buy my coins" in report.text.replace("\u200b", "")
    assert "<!channel>" not in report.text
    assert labels(report) == ["Spam", "Hacked account", "Off-topic", "Rude", "Fine"]

    [thanks] = [one for one in slack.heard(who.ben, who.pier) if one.only == who.ben]
    assert thanks.text.startswith("Thank you.")
    told = await slack.press(who.anna, report, who.office, "Fine")
    assert [one.only for one in told] == [who.anna]
    assert "Fine, decided by" in slack.server.world.channels[who.office].messages[report.ts].text


async def test_why_stands_in_the_menu_of_a_message_and_answers_staff_alone(slack: SlackTown) -> None:
    who, people = slack.who, slack.server.people
    [answer] = await slack.asks(who.ben, who.pier, "what can you do?")
    await slack.done(people.menu(who.anna, who.pier, answer.ts, "why"))
    [told] = [one for one in slack.heard(who.anna, who.pier) if one.only == who.anna]
    assert "- done: say: No channel fits" in told.text
    assert who.anna not in people.forms
    await slack.done(people.menu(who.ben, who.pier, answer.ts, "why"))
    [refused] = [one for one in slack.heard(who.ben, who.pier) if one.only == who.ben]
    assert "staff" in refused.text


async def test_the_home_tab_offers_what_members_may_ask_and_a_press_is_answered(slack: SlackTown) -> None:
    who, people = slack.who, slack.server.people
    people.open_home(who.mei)
    await slack.settled()
    home = slack.server.world.homes[who.mei]
    values = [one["value"] for block in home["blocks"] for one in block.get("elements", ())]
    assert {"/match", "/privacy", "/privacy off", "/help"} <= set(values)
    assert not any("/setup" in one or "/mod" in one for one in values)
    await slack.done(people.press_home(who.mei, "/privacy"))
    [answer] = people.told_directly(who.mei)
    assert "收集" in answer.text


# Nothing lost, nothing twice


async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again_as_the_same_event() -> None:
    async with on_slack() as platform:
        assert isinstance(platform, OnSlack)
        sockets, heard = platform.server.sockets, platform.heard
        sockets.patience, heard.full = 0.6, True
        await platform.post(platform.member, platform.public, "Is this lost?")
        [envelope] = sockets.envelopes
        async with asyncio.timeout(30), sockets._moved:
            await sockets._moved.wait_for(lambda: envelope.sent > 1)
        assert not envelope.acknowledged.is_set()
        heard.full = False
        await platform.settle()
        assert envelope.acknowledged.is_set()
        assert {key(one.event) for one in heard.arrivals} == {
            f"posted slack:{platform.public.id}/{envelope_ts(envelope)}"
        }


async def test_a_command_that_cannot_be_stored_is_refused_to_who_gave_it() -> None:
    async with on_slack() as platform:
        assert isinstance(platform, OnSlack)
        people, who, where = platform.server.people, platform.member.id, platform.public.id
        platform.heard.full = True
        asked = people.command(who, where, "/match", "boats")
        await asked.envelope.acknowledged.wait()
        assert asked.envelope.payload == {"response_type": "ephemeral", "text": "The disk is full. Make room."}
        platform.heard.full = False
        again = people.command(who, where, "/match", "boats")
        await again.envelope.acknowledged.wait()
        assert (again.envelope.payload, [type(one.event) for one in platform.heard.arrivals]) == (None, [CommandGiven])


async def test_an_event_that_is_told_again_is_one(slack: SlackTown) -> None:
    sockets = slack.server.sockets
    slack.server.people.post(slack.who.ben, slack.who.pier, "Only once.")
    [envelope] = sockets.envelopes
    await slack.settled()
    for attempt in (1, 2):
        await sockets._put({**envelope.frame, "retry_attempt": attempt, "retry_reason": "timeout"})
    await slack.says(slack.who.ben, slack.who.pier, "After.")
    assert (await slack.stored()).count("Only once.") == 1


@pytest.mark.parametrize("reason", ["refresh_requested", "warning", "too_many_websockets"])
async def test_a_new_line_takes_over_before_the_old_one_ends(slack: SlackTown, reason: str) -> None:
    sockets = slack.server.sockets
    turning = asyncio.create_task(sockets.disconnect(reason))
    for number in range(20):
        slack.server.people.post(slack.who.ben, slack.who.pier, f"word {number}")
        await asyncio.sleep(0)
    await turning
    await slack.settled()
    assert [one for one in await slack.stored() if one.startswith("word")] == [f"word {number}" for number in range(20)]
    assert (sockets.opened, slack.adapter.ready.is_set()) == (2, True)


async def test_a_line_that_breaks_is_dialled_again_and_what_was_said_meanwhile_is_read(slack: SlackTown) -> None:
    who, sockets, world = slack.who, slack.server.sockets, slack.server.world
    await slack.says(who.ben, who.pier, "Before.")
    await sockets.cut()
    world.seed(who.pier, who.ben, "Into the hole.")
    await sockets.connected(2)
    [answer] = await slack.asks(who.ben, who.pier, "what can you do?")
    assert answer
    await slack.settled()
    assert "Into the hole." in await slack.stored()


async def test_an_answer_reaches_them_though_the_line_broke_in_the_middle_of_it(slack: SlackTown) -> None:
    who, sockets = slack.who, slack.server.sockets
    slack.server.limit("chat.postMessage", 0.5)
    slack.server.people.post(who.ben, who.pier, f"<@{BOT}> what can you do?")
    [envelope] = sockets.envelopes
    await envelope.acknowledged.wait()
    await sockets.cut()
    await sockets.connected(2)
    await slack.settled()
    assert len(slack.heard(who.ben, who.pier)) == 1


async def test_a_press_in_what_they_alone_are_shown_is_answered_to_them_alone(slack: SlackTown) -> None:
    await slack.talks()
    who = slack.who
    [answer] = await slack.command(who.ben, who.pier, f"/match {WICK}")
    told = await slack.press(who.ben, answer, who.pier, "Join #lanterns")
    assert who.ben in slack.server.world.channels[who.lanterns].members
    assert [one.only for one in told] == [who.ben]


async def test_a_file_for_one_alone_comes_in_a_direct_conversation(slack: SlackTown) -> None:
    who = slack.who
    await slack.says(who.ben, who.pier, "My words.")
    await slack.command(who.ben, who.pier, "/privacy export")
    [sent] = slack.server.people.told_directly(who.ben)
    [file] = sent.files
    assert b"My words." in slack.server.world.bytes[file["id"]]


async def test_who_was_sent_out_of_a_closed_channel_meanwhile_reads_it_no_more(
    server: Server, home: Path, ending: None
) -> None:
    who = harbour(server)
    server.world.channels[who.office].members.add(who.mei)
    async with living(server, who, home) as slack:
        await slack.settled()
        assert await slack.reads(who.mei) == {"pier", "office", "lanterns"}
        assert await slack.reads(who.anna) == {"pier", "office", "lanterns"}
        server.people.leave(who.mei, who.office)
        await slack.settled()
        assert await slack.reads(who.mei) == {"pier", "lanterns"}
        server.people.join(who.mei, who.office)
        await slack.settled()
        assert await slack.reads(who.mei) == {"pier", "office", "lanterns"}
    await server.sockets.left()
    server.world.channels[who.office].members.discard(who.mei)
    async with living(server, who, home) as slack:
        await slack.settled()
        assert await slack.reads(who.mei) == {"pier", "lanterns"}
        assert await slack.reads(who.anna) == {"pier", "office", "lanterns"}


# Large, and away


@pytest.mark.long
async def test_a_workspace_of_5000_channels_keeps_nobody_waiting(server: Server, home: Path, ending: None) -> None:
    who = harbour(server)
    for number in range(5000):
        server.world.channel(f"room-{number}")
    server.limit("conversations.list", 0.5, times=1)
    async with living(server, who, home) as slack:
        server.people.post(who.ben, who.pier, f"<@{BOT}> what can you do?")
        async with asyncio.timeout(20):
            while not slack.heard(who.ben, who.pier):  # noqa: ASYNC110 - nothing tells when it is
                await asyncio.sleep(0.01)
        assert slack.adapter.ears
        listed = slack.adapter.ears.arriving.listed
        answered_first = not listed.is_set()
        async with asyncio.timeout(120):
            await listed.wait()
        assert answered_first
        assert server.asked["conversations.list"] >= 7
        assert server.asked["conversations.history"] == 0


async def test_after_an_absence_it_reads_on_and_answers_nothing_late(server: Server, home: Path, ending: None) -> None:
    who = harbour(server)
    async with living(server, who, home) as slack:
        await slack.settled()
        old = server.world.seed(who.pier, who.anna, "Long ago.", ts="1700000000.000100")
        server.people.post(who.ben, who.pier, "Answered then.", thread=old)
        await slack.says(who.ben, who.pier, "Before.")
        began = server.people.post(who.anna, who.pier, "A thread.")
        changed = server.people.post(who.mei, who.pier, "A tyop.")
        await slack.settled()
    await server.sockets.left()
    server.world.seed(who.pier, who.ben, f"<@{BOT}> what can you do?")
    server.world.seed(who.pier, who.mei, "An answer.", thread=began)
    server.world.seed(who.pier, who.mei, "A late answer.", thread=old)
    message = server.world.channels[who.pier].messages[changed]
    message.text, message.edited = "A typo.", server.world.stamp()
    await asyncio.sleep(1.1)  # Slack's clock, by which it is read on, tells whole seconds
    server.limit("conversations.history", 0.1)
    async with living(server, who, home) as slack:
        await slack.says(who.ben, who.pier, "After.")
        await slack.settled()
        stored = await slack.stored()
        assert {"what can you do?", "A typo.", "After.", "An answer.", "A late answer."} <= set(stored)
        assert ("A tyop." in stored, len(stored)) == (False, len(set(stored)))
        assert slack.heard(who.ben, who.pier) == []


# What is not Slack's own


HOSTILE = (
    {"type": "events_api"},
    {"type": "events_api", "payload": None},
    {"type": "events_api", "payload": {"event": None}},
    {"type": "events_api", "payload": {"event": {"type": "message"}}},
    {"type": "events_api", "payload": {"event": {"type": "message", "channel": "C1", "ts": "yesterday", "user": "U1"}}},
    {"type": "events_api", "payload": {"event": {"type": "message", "channel": 7, "ts": 7, "user": {}, "text": []}}},
    {"type": "events_api", "payload": {"event": {"type": "reaction_added", "item": {"type": "message"}}}},
    {"type": "events_api", "payload": {"event": {"type": "user_change", "user": None}}},
    {"type": "events_api", "payload": {"event": {"type": "a_thing_of_tomorrow", "x": {"y": 1}}}},
    {"type": "events_api", "payload": {"event": {"type": "message", "channel": "C" * 9000, "ts": "1.1", "user": "U1"}}},
    {"type": "events_api", "payload": {"event": {"type": "message", "channel": "C1", "ts": "1.1", "user": "../U1"}}},
    {
        "type": "events_api",
        "payload": {"event": {"type": "message", "channel": "C1", "ts": "9" * 12 + ".0", "user": "U1"}},
    },
    {"type": "slash_commands", "payload": {"command": None}},
    {"type": "slash_commands", "payload": {"command": "/x", "user_id": "U" * 9000, "channel_id": "C1"}},
    {"type": "interactive", "payload": {"type": "block_actions", "actions": None}},
    {"type": "interactive", "payload": {"type": "view_submission", "view": {"private_metadata": "{"}}},
    {"type": "interactive", "payload": {"type": "message_action", "callback_id": "report"}},
    {"type": "tomorrow", "payload": {"a": 1}},
)


async def test_envelopes_that_are_not_as_they_should_be_are_acknowledged_and_passed_over(slack: SlackTown) -> None:
    sockets = slack.server.sockets
    await sockets.raw("not even JSON")
    await sockets.raw('["a list"]')
    sent = [sockets.send(one["type"], one.get("payload")) for one in HOSTILE]
    async with asyncio.timeout(20):
        await asyncio.gather(*(one.acknowledged.wait() for one in sent))
    assert [one.sent for one in sent] == [1] * len(HOSTILE)
    await slack.says(slack.who.ben, slack.who.pier, "Still here.")
    assert (await slack.stored())[-1] == "Still here."
    assert sockets.opened == 1


async def test_endless_names_and_marks_come_to_nothing(slack: SlackTown) -> None:
    who, world = slack.who, slack.server.world
    mallory = world.user("M" * 5000)
    world.join(mallory, world.channels[who.pier])
    await slack.says(mallory, who.pier, "half \ud83d of it")
    assert (await slack.stored())[-1] == "half ? of it"
    await slack.says(mallory, who.pier, "<!channel> <!subteam^S1|@all> <http://evil.test|pay>" + "<" * 500)
    assert (await slack.stored())[-1].startswith("@channel @all pay (http://evil.test)")
    async with slack.app.database.read() as connection:
        from sqlalchemy import text

        names = [row.name for row in await connection.execute(text("SELECT name FROM member"))]
    assert max(map(len, names)) <= 100


# Deleting


async def _report(slack: SlackTown) -> tuple[str, Message]:
    who, people = slack.who, slack.server.people
    await slack.command(who.anna, who.office, f"/setup staff_channel <#{who.office}|office>")
    bad = people.post(who.mei, who.pier, "buy my coins")
    await slack.settled()
    await slack.command(
        who.ben, who.pier, f"/report https://harbour.slack.com/archives/{who.pier}/p{bad.replace('.', '')} spam"
    )
    return bad, slack.heard(who.anna, who.office)[-1]


async def test_without_an_admin_what_others_wrote_stays_and_the_staff_is_told_where_it_is(slack: SlackTown) -> None:
    bad, report = await _report(slack)
    assert f"<https://harbour.slack.com/archives/{slack.who.pier}/p{bad.replace('.', '')}|this message>" in report.text
    [told] = await slack.press(slack.who.anna, report, slack.who.office, "Hacked account")
    for part in ("does not let me delete", "does not let me time", "by hand"):
        assert part in told.text
    settled = slack.server.world.channels[slack.who.office].messages[report.ts].text
    assert ("Hacked account, decided by" in settled, "by hand" in settled) == (True, True), "the others see it too"
    assert bad in slack.server.world.channels[slack.who.pier].messages


async def test_by_an_admins_token_what_others_wrote_is_deleted(server: Server, home: Path, ending: None) -> None:
    async with living(server, harbour(server), home, slack_admin_token=ADMIN_TOKEN) as slack:
        await slack.settled()
        bad, report = await _report(slack)
        await slack.press(slack.who.anna, report, slack.who.office, "Spam")
        assert bad not in server.world.channels[slack.who.pier].messages
        assert "buy my coins" not in await slack.stored()


async def test_what_a_bot_may_not_do_is_said_and_not_tried(slack: SlackTown) -> None:
    who = slack.who
    for what in ("kick", "ban", "timeout"):
        [told] = await slack.command(who.anna, who.office, f"/mod {what} <@{who.ben}|ben>")
        assert "Slack does not let a bot do this" in told.text
    [warned] = await slack.command(who.anna, who.office, f"/mod warn <@{who.ben}|ben> be kind")
    assert warned.text.startswith("Done")
    assert "be kind" in slack.server.people.told_directly(who.ben)[-1].text
    [refused] = await slack.command(who.ben, who.pier, f"/mod warn <@{who.mei}|mei> be kind")
    assert "staff" in refused.text


async def test_what_the_bot_said_itself_it_takes_back_without_an_admin(slack: SlackTown) -> None:
    who = slack.who
    [answer] = await slack.asks(who.ben, who.pier, "what can you do?")
    link = f"https://harbour.slack.com/archives/{who.pier}/p{answer.ts.replace('.', '')}"
    await slack.command(who.anna, who.pier, f"/undo {link}")
    assert answer.ts not in slack.server.world.channels[who.pier].messages
