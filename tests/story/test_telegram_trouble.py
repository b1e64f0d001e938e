"""The adapter and Telegram in trouble: torn lines, rivals, hostile updates, groups that move, limits that hold."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from adapters.telegram import polling
from adapters.telegram.adapter import Telegram
from bot.budget import Urgency
from bot.core.actions import Attachment, Ban, Button, Delete, Edit, Invite, Kick, OpenDirect, React, Say, Timeout, Warn
from bot.core.clock import Clock, SystemClock
from bot.core.commands import COMMANDS
from bot.core.counts import Counts
from bot.core.errors import Gone, Misconfigured, Overloaded
from bot.core.events import (
    BotAdded,
    ButtonPressed,
    ChannelChanged,
    CommandGiven,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    Named,
)
from bot.core.things import Ref
from bot.metrics import Figures
from bot.sending import Sender
from bot.streaming import say_in_pieces
from tests.clocks import HastyClock, PatientClock
from tests.contract.on_telegram import OnTelegram, _never, _nothing, ref
from tests.contract.platform import Recorder, no_appeals
from tests.platforms.telegram import TelegramServer, harbour, telegram_server

pytestmark = pytest.mark.slow


@dataclass(kw_only=True)
class Connected:
    """An adapter that runs, and what it handed over."""

    adapter: Telegram
    heard: Recorder
    running: asyncio.Task[None]
    on: OnTelegram

    def events(self, kind: type) -> list:
        return [one.event for one in self.heard.arrivals if isinstance(one.event, kind)]


def adapter_for(server: TelegramServer, clock: Clock, on: Callable | None = None, **more: object) -> Telegram:
    """Return an adapter that was not started."""

    async def spaces(member: Ref) -> list:
        return await on().spaces(member) if on else []

    given = {"known": _nothing, "spaces": spaces, "appeals": no_appeals, "latest": _never, "api": server.api}
    given |= {"clock": clock, **more}
    return Telegram(token=SecretStr(server.token), counts=Counts(clock), **given)


@contextlib.asynccontextmanager
async def connected(
    server: TelegramServer, who: object = None, clock: Clock | None = None, **more: object
) -> AsyncIterator[Connected]:
    """Connect an adapter to a server."""
    heard = Recorder()
    adapter = adapter_for(server, clock or SystemClock(), lambda: on, **more)
    on = OnTelegram(adapter, heard, server, who)
    running = asyncio.create_task(adapter.run(heard.put, COMMANDS))
    try:
        async with asyncio.timeout(30):
            await adapter.ready.wait()
        yield Connected(adapter=adapter, heard=heard, running=running, on=on)
    finally:
        running.cancel()
        await asyncio.wait([running])


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with telegram_server() as opened:
        yield opened


@pytest.fixture
async def line(server: TelegramServer) -> AsyncIterator[Connected]:
    async with connected(server) as opened:
        yield opened


async def in_turns(adapter: Telegram, action: object) -> object:
    """Carry out an action that takes a turn for each of its calls; each turn makes one."""
    while True:
        with contextlib.suppress(Overloaded):
            return await adapter.act(action)


# What happens there


async def test_nothing_is_confirmed_before_it_is_stored_and_a_kill_between_loses_nothing(
    server: TelegramServer,
) -> None:
    who = harbour(server.town)
    reached = asyncio.Event()

    async def never(_arrival: object) -> bool:
        reached.set()
        await asyncio.Event().wait()
        return True

    adapter = adapter_for(server, SystemClock())
    killed = asyncio.create_task(adapter.run(never, COMMANDS))
    made = await server.people.post(who.ben, who.group, "Kept?", topic=who.pier.id)
    async with asyncio.timeout(30):
        await reached.wait()
    killed.cancel()
    await asyncio.wait([killed])
    assert max(server.updates.offsets) <= server.updates.waiting[0]["update_id"]

    async with connected(server, who) as line:
        await line.on.settle()
        assert [one.message for one in line.events(MessagePosted)] == [ref(who.group.id, made.id)]
        assert server.updates.waiting == []


async def test_each_chat_is_in_order_and_a_slow_one_holds_up_no_other(server: TelegramServer) -> None:
    who = harbour(server.town)
    other = server.town.group("Boat Club", who.mo)
    free = asyncio.Event()
    order: list[str] = []

    async def put(arrival: object) -> bool:
        if arrival.space.ref == ref(who.group.id):
            await free.wait()
        order.append(arrival.event.text)
        return True

    for number in range(3):
        await server.people.post(who.ben, who.group, f"slow {number}")
        await server.people.post(who.mo, other, f"quick {number}")
    adapter = adapter_for(server, SystemClock())
    running = asyncio.create_task(adapter.run(put, COMMANDS))
    async with asyncio.timeout(30):
        while len(order) < 3:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.005)
    assert order == ["quick 0", "quick 1", "quick 2"]
    assert len(server.updates.waiting) == 6, "the slow ones are not confirmed, so nothing of the answer is"
    free.set()
    await server.updates.settled()
    assert order[3:] == ["slow 0", "slow 1", "slow 2"]
    running.cancel()
    await asyncio.wait([running])


async def test_torn_and_failing_questions_lose_nothing(line: Connected, server: TelegramServer) -> None:
    server.faults.tear("getUpdates", when="after", times=2)
    server.faults.fail("getUpdates", 502, "Bad Gateway")
    for number in range(3):
        await line.on.post(line.on.member, line.on.public, f"line {number}")
    await line.on.settle()
    assert [one.text for one in line.events(MessagePosted)] == ["line 0", "line 1", "line 2"]


HOSTILE = (
    {},
    {"message": {}},
    {"message": "not a message"},
    {"message": {"message_id": 1, "date": 10**30, "chat": {"id": 5, "type": "supergroup"}, "text": "x"}},
    {"message": {"message_id": 10**40, "date": 1, "chat": {"id": -(10**40), "type": "supergroup"}, "text": "x"}},
    {"a_kind_of_tomorrow": {"chat": {"id": 1}}},
    {"callback_query": {"id": "1", "from": {"id": 1, "is_bot": False, "first_name": "x"}, "chat_instance": "1"}},
    {"chat_member": {"chat": {"id": -5, "type": "group"}, "new_chat_member": {"status": "wizard"}}},
    {"message_reaction": {"chat": None, "old_reaction": [{}], "new_reaction": [{"type": "emoji"}]}},
    {"my_chat_member": [1, 2, 3]},
)


async def test_hostile_updates_are_passed_over_and_the_rest_arrives(line: Connected, server: TelegramServer) -> None:
    for one in HOSTILE:
        await server.updates.push_raw(one)
    await line.on.post(line.on.member, line.on.public, "Still here?")
    await line.on.settle()
    assert [one.text for one in line.events(MessagePosted)][-1] == "Still here?"
    assert server.updates.waiting == []
    assert not line.running.done()


async def test_names_are_cut_and_entities_beyond_the_text_do_no_harm(line: Connected, server: TelegramServer) -> None:
    people, who = server.people, line.on.who
    server.town.users[who.ben].name = "<b>&amp; \n" + "n" * 100_000
    beyond = [{"type": "text_link", "offset": 5000, "length": 9, "url": "https://example.org"}]
    beyond.append({"type": "text_mention", "offset": -3, "length": 2})
    await people.post(who.ben, who.group, "😀 short", entities=beyond)
    await line.on.settle()
    [event] = line.events(MessagePosted)
    assert (len(event.author.name), event.author.name[:10]) == (100, "<b>&amp; n")
    assert event.text.startswith("😀 short")


async def test_who_is_called_otherwise_is_so_from_their_next_word_on(line: Connected, server: TelegramServer) -> None:
    for name in ("Ben", "Ben", "Benjamin", "Benjamin"):
        server.town.users[line.on.who.ben].name = name
        await line.on.post(line.on.member, line.on.public, "Hello.")
    await line.on.settle()
    assert [one.member.name for one in line.events(MemberChanged)] == ["Benjamin"]


async def test_a_group_that_becomes_a_supergroup_is_followed(server: TelegramServer) -> None:
    who = harbour(server.town)
    small = server.town.group("Boat Club", who.anna, kind="group")
    async with connected(server, who) as line:
        ahoy = await server.people.post(who.anna, small, "Ahoy.")
        await line.on.settle()
        big = await server.people.upgrade(who.anna, small)
        await line.on.settle()
        changed = line.events(ChannelChanged)
        assert {(one.channel.ref, one.formerly, one.revision) for one in changed} == {
            (ref(big.id), ref(small.id), changed[0].revision)
        }
        receipt = await line.adapter.act(Say(to=ref(small.id), text="Still the same group."))
        assert receipt.made == ref(big.id, max(big.messages))
        gone = await line.adapter.act(Delete(message=ref(small.id, ahoy.id), channel=ref(small.id)))
        assert (gone.state, "before the group became" in gone.error) == ("failed", True)


async def test_a_move_that_only_a_refusal_tells_is_followed_too(server: TelegramServer) -> None:
    who = harbour(server.town)
    small = server.town.group("Boat Club", who.anna, kind="group")
    async with connected(server, who) as line:
        big = await server.people.upgrade(who.anna, small)
        server.updates.waiting.clear()
        say = Say(to=ref(small.id), text="Ahoy.")
        with pytest.raises(Overloaded):
            await line.adapter.act(say)
        receipt = await line.adapter.act(say)
        await line.on.settle()
        assert receipt.made == ref(big.id, max(big.messages))
        assert [(one.channel.ref, one.formerly) for one in line.events(ChannelChanged)] == [
            (ref(big.id), ref(small.id))
        ]


async def test_in_a_supergroup_that_was_a_group_the_bot_is_not_new(server: TelegramServer) -> None:
    who = harbour(server.town)
    small = server.town.group("Boat Club", who.anna, kind="group")
    server.town.users[who.anna].started = False
    async with connected(server, who) as line:
        await server.people.upgrade(who.anna, small)
        await line.on.settle()
        assert len(line.events(ChannelChanged)) > 0
        assert (line.events(BotAdded), server.faults.calls("sendMessage")) == ([], [])


async def test_buttons_and_links_of_a_group_that_moved_speak_for_the_supergroup(server: TelegramServer) -> None:
    who = harbour(server.town)
    small = server.town.group("Boat Club", who.anna, kind="group")
    server.town.join(small, who.ben)
    async with connected(server, who) as line:
        button = Button(label="Why?", press="test.why", token="t-1")
        answer = OpenDirect(member=ref(who.ben), text="Boats.", buttons=(button,), space=ref(small.id))
        shown = line.on._message((await line.adapter.act(answer)).made)
        big = await server.people.upgrade(who.anna, small)
        await line.on.settle()

        async def spaces(_member: Ref) -> list[Named]:
            return [Named(ref=ref(big.id), name="Boat Club")]

        line.on.spaces = spaces
        await server.people.press(who.ben, shown, f"t-1@{small.id}")
        await line.on.settle()
        assert [one.space.ref for one in line.heard.arrivals if isinstance(one.event, ButtonPressed)] == [ref(big.id)]
        found = await line.adapter.ears.homes.find(who.ben, line.adapter.ears.chats.now(small.id))
        assert found == Named(ref=ref(big.id), name="Boat Club")


async def test_what_is_done_under_the_old_number_of_a_group_is_done_in_the_supergroup(server: TelegramServer) -> None:
    who = harbour(server.town)
    small = server.town.group("Boat Club", who.anna, kind="group")
    server.town.join(small, who.ben)
    big = await server.people.upgrade(who.anna, small)
    server.updates.waiting.clear()
    async with connected(server, who) as line:
        ban = Ban(member=ref(who.ben), space=ref(small.id))
        assert (await in_turns(line.adapter, ban)).state == "done"
        assert big.members[who.ben].status == "kicked"


async def test_a_post_waits_until_it_is_known_which_group_discusses_the_channel(server: TelegramServer) -> None:
    who = harbour(server.town)
    news = server.town.group("Harbour News", who.anna, kind="channel")
    news.linked = who.group.id
    async with connected(server, who, clock=HastyClock(datetime.now(UTC))) as line:
        server.faults.fail("getChat", 500)
        post = await server.people.post(news.id, news, "The regatta is on Sunday.")
        await line.on.settle()
        assert server.faults._faults == []
        told = {(one.space.ref, one.event.message) for one in line.heard.arrivals}
        assert told == {(ref(who.group.id), ref(news.id, post.id))}


async def test_what_is_asked_of_a_channel_is_not_asked_again_while_telegram_says_to_wait(
    server: TelegramServer,
) -> None:
    who, start = harbour(server.town), datetime.now(UTC)
    news = server.town.group("Harbour News", who.anna, kind="channel")
    news.linked = who.group.id
    clock = HastyClock(start)
    async with connected(server, who, clock=clock) as line:
        server.faults.limit("getChat", after=40)
        before = clock.now()
        await server.people.post(news.id, news, "The regatta is on Sunday.")
        await line.on.settle()
        assert {one.space.ref for one in line.heard.arrivals} == {ref(who.group.id)}
        assert (clock.now() - before).total_seconds() >= 40


async def test_coming_and_going_is_told_once_whether_the_bot_is_an_administrator_or_not(
    server: TelegramServer,
) -> None:
    who = harbour(server.town)
    plain = server.town.group("Boat Club", who.anna, bot="member")
    async with connected(server, who) as line:
        for group in (who.group, plain):
            ida = await server.people.arrive(group, "Ida")
            await server.people.leave(ida.id, group)
        await line.on.settle()
        spaces = [one.space.ref for one in line.heard.arrivals if isinstance(one.event, MemberJoined | MemberLeft)]
        assert sorted(spaces) == sorted([ref(who.group.id)] * 2 + [ref(plain.id)] * 2)


async def test_who_becomes_an_administrator_is_staff_from_then_on(line: Connected, server: TelegramServer) -> None:
    who, ears = line.on.who, line.adapter.ears
    ranks = [await ears.chats.rank(who.group.id, one) for one in (who.anna, who.mo, who.ben, who.group.id)]
    assert [one.name for one in ranks] == ["OWNER", "STAFF", "MEMBER", "STAFF"]
    asked = len(server.faults.calls("getChatAdministrators"))
    await server.people.promote(who.anna, who.ben, who.group)
    await line.on.settle()
    assert (await ears.chats.rank(who.group.id, who.ben)).name == "STAFF"
    assert len(server.faults.calls("getChatAdministrators")) == asked, "what Telegram told need not be asked"


async def test_what_is_forwarded_gives_no_command(line: Connected, server: TelegramServer) -> None:
    who, alone = line.on.who, server.town.private(line.on.who.mo)
    origin = {"type": "hidden_user", "date": server.town.now(), "sender_user_name": "Somebody"}
    for chat, topic in ((who.group, who.pier.id), (alone, 0)):
        for more in ({"forward_origin": origin}, {}):
            await server.people.post(who.mo, chat, "/mod ban @ben", topic=topic, more=more)
    await line.on.settle()
    assert len(line.events(MessagePosted)) == 4
    assert [one.channel.ref for one in line.events(CommandGiven)] == [line.on.public, ref(who.mo)]


async def test_whoever_writes_in_a_channel_is_no_staff_of_the_group_that_discusses_it(
    line: Connected, server: TelegramServer
) -> None:
    who = line.on.who
    news = server.town.group("Harbour News", who.ben, kind="channel")
    news.linked = who.group.id
    alone = server.town.group("Gazette", who.ben, kind="channel")
    for channel in (news, alone):
        await server.people.post(channel.id, channel, "/mod ban @mei")
    await line.on.settle()
    ranks = {one.channel.ref: {one.rank.name} for one in line.events(CommandGiven)}
    assert ranks == {ref(news.id): {"MEMBER"}, ref(alone.id): {"STAFF"}}


async def test_who_left_a_group_is_not_answered_for_it_where_the_bot_is_no_administrator(
    server: TelegramServer,
) -> None:
    who = harbour(server.town)
    plain = server.town.group("Boat Club", who.anna, bot="member")
    server.town.join(plain, who.ben)
    async with connected(server, who) as line:
        await server.people.post(who.ben, plain, "Ahoy.")
        await line.on.settle()
        here = line.adapter.ears.homes.is_here
        assert await here(who.ben, plain.id)
        await server.people.leave(who.ben, plain)
        await line.on.settle()
        assert not await here(who.ben, plain.id)
        await server.people.join(who.ben, plain)
        await line.on.settle()
        assert await here(who.ben, plain.id)


async def test_an_edit_of_long_ago_is_learned_and_answered_by_nobody(line: Connected, server: TelegramServer) -> None:
    await line.on.edit(line.on.member, line.on.message, "Hello now.")
    await line.on.settle()
    old = server.town.now() - 600
    await server.people.post(line.on.who.ben, line.on.who.group, "Long ago.", date=old)
    await line.on.settle()
    assert [(type(one.event), one.live) for one in line.heard.arrivals] == [
        (MessageEdited, True),
        (MessagePosted, False),
    ]


async def test_what_the_tables_cannot_tell_at_once_is_not_lost(server: TelegramServer) -> None:
    who, asked = harbour(server.town), []

    async def known(_space: Ref) -> None:
        asked.append(1)
        if len(asked) < 4:
            raise Gone("The tables are away.")

    async with connected(server, who, clock=HastyClock(datetime.now(UTC)), known=known) as line:
        await server.people.post(who.ben, who.group, "Kept.")
        await line.on.settle()
        assert ([one.text for one in line.events(MessagePosted)], len(asked)) == (["Kept."], 4)


async def test_neither_words_nor_the_token_are_logged(server: TelegramServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    who = harbour(server.town)
    async with connected(server, who) as line:
        await line.on.post(line.on.member, line.on.public, "between-us-alone")
        await line.adapter.act(Say(to=line.on.public, text="between-us-alone"))
        await server.updates.push_raw({"message": {"text": "between-us-alone"}})
        server.faults.fail("sendMessage", 400, "Bad Request: something")
        await line.adapter.act(Say(to=line.on.public, text="between-us-alone"))
        await line.on.settle()
    ours = [one.getMessage() for one in caplog.records if not one.name.startswith(("httpx", "httpcore", "asyncio"))]
    assert any("passed over" in one for one in ours)
    assert not any("between-us-alone" in one or server.token in one for one in ours)


# What keeps it from hearing


async def test_a_token_that_is_refused_and_one_that_is_missing_say_what_to_do(server: TelegramServer) -> None:
    for token, words in (("7000000001:wrong", "BotFather"), ("", "docs/platforms/telegram.md")):
        adapter = adapter_for(server, SystemClock())
        adapter._token = SecretStr(token)
        with pytest.raises(Misconfigured, match=f"KINFOLK_TELEGRAM_TOKEN.*{words}"):
            await adapter.run(Recorder().put, COMMANDS)


async def test_a_webhook_and_another_program_are_named(server: TelegramServer) -> None:
    server.town.webhook = "https://elsewhere.example/hook"
    with pytest.raises(Misconfigured, match="webhook"):
        await adapter_for(server, SystemClock()).run(Recorder().put, COMMANDS)
    server.town.webhook = ""
    server.faults.fail("getUpdates", 409, "Conflict: terminated by other getUpdates request", times=polling.TRIES)
    with pytest.raises(Gone, match="another program"):
        await adapter_for(server, HastyClock()).run(Recorder().put, COMMANDS)


async def test_of_two_that_ask_one_is_refused(line: Connected, server: TelegramServer) -> None:
    await server.updates.polled()
    async with connected(server, line.on.who):
        async with asyncio.timeout(30):
            while not any(one.status == 409 for one in server.faults.calls("getUpdates")):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert not line.running.done()


async def test_a_long_absence_is_said_in_the_log(server: TelegramServer, caplog: pytest.LogCaptureFixture) -> None:
    who = harbour(server.town)
    await server.people.post(who.ben, who.group, "Anybody?")
    now = datetime.now(UTC)
    for hours, said in ((30, True), (2, False)):
        caplog.clear()

        async def latest(ago: int = hours) -> datetime:
            return now - timedelta(hours=ago)

        async with connected(server, who, latest=latest) as line:
            assert ("24 hours" in caplog.text) is said
            if not said:
                await line.on.settle()
        await server.people.post(who.ben, who.group, "Still nobody?")


# What the bot does


async def test_each_menu_is_set_once_for_each_language(line: Connected, server: TelegramServer) -> None:
    menus = server.town.menus
    names = {place: [one["command"] for one in menu] for place, menu in menus.items()}
    assert set(names) == {
        (scope, language)
        for scope in ("all_private_chats", "all_group_chats", "all_chat_administrators")
        for language in ("", "zh")
    }
    assert "mod" not in names["all_group_chats", ""]
    assert "mod" in names["all_chat_administrators", "zh"]
    assert menus["all_group_chats", ""][0]["description"] != menus["all_group_chats", "zh"][0]["description"]
    assert len(server.faults.calls("setMyCommands")) == 6
    async with connected(server, line.on.who):
        assert len(server.faults.calls("setMyCommands")) == 6


async def test_the_refusals_of_telegram_are_in_words(line: Connected, server: TelegramServer) -> None:
    on, who = line.on, line.on.who
    space, old = on.space, server.town.keep(who.group, who.ben, text="Old.", date=server.town.now() - 3 * 86_400)
    reasons = {
        "48 hours": Delete(message=ref(who.group.id, old.id), channel=on.public),
        "administrator here": Ban(member=ref(who.mo), space=space),
        "do not act on myself": Timeout(member=on.bot, minutes=5, space=space),
        "no reaction": React(message=on.message, channel=on.public, emoji="🛶"),
        "never were in this group": Ban(member=ref(999_999), space=space),
        "not in that chat": Say(to=ref(-1_000_999_999_999), text="Hello?"),
    }
    for words, action in reasons.items():
        receipt = await line.adapter.act(action)
        assert (receipt.state, words in receipt.error) == ("failed", True), receipt.error
    who.group.members[server.town.bot].rights.discard("can_restrict_members")
    line.adapter.ears.chats.forget(who.group.id)
    receipt = await line.adapter.act(Timeout(member=on.member, minutes=5, space=space))
    assert "Ban Users" in receipt.error
    assert not who.group.members[who.ben].muted


@pytest.mark.parametrize("kind", ["supergroup", "group"])
async def test_a_kick_that_telegram_delays_is_no_ban(server: TelegramServer, kind: str) -> None:
    who = harbour(server.town)
    club = server.town.group("Boat Club", who.anna, kind=kind)
    server.town.join(club, who.ben)
    async with connected(server, who) as line:
        server.faults.limit("*banChatMember", after=1)
        kick = Kick(member=ref(who.ben), space=ref(club.id))
        with pytest.raises(Overloaded):
            await line.adapter.act(kick)
        server.faults.tear("unbanChatMember", when="before")
        with contextlib.suppress(Gone):
            assert (await line.adapter.act(kick)).state == "done"
        assert (await line.adapter.act(kick)).state == "done"
        assert club.members[who.ben].status == "left"


async def test_who_never_wrote_is_warned_in_the_channel_by_name(line: Connected, server: TelegramServer) -> None:
    who, group = line.on.who, line.on.who.group
    ida = await server.people.arrive(group, "Ida <3")
    receipt = await line.adapter.act(Warn(member=ref(ida.id), channel=line.on.public, text="Please be **kind**."))
    said = group.messages[int(receipt.made.id.rpartition("/")[2])]
    assert (said.text, said.topic) == ("Ida <3: Please be kind.", who.pier.id)
    assert any(one["type"] == "text_mention" and one["user"]["id"] == ida.id for one in said.entities)
    refused = await line.adapter.act(OpenDirect(member=ref(ida.id), text="Hello?", space=line.on.space))
    assert (refused.state, refused.opens) == ("failed", f"https://t.me/kinfolk_bot?start=g{group.id}")


async def test_an_answer_with_buttons_is_not_shown_without_them(line: Connected, server: TelegramServer) -> None:
    on, people = line.on, server.people
    ida = await people.arrive(on.who.group, "Ida")
    button = Button(label="Erase", press="test.erase", token="t-1")
    asked = await line.adapter.act(Say(to=on.public, text="Shall I?", buttons=(button,)))
    shown = on._message(asked.made)
    first = await people.press(ida.id, shown, "t-1")
    await server.updates.settled()
    alone = OpenDirect(member=ref(ida.id), text="Are you sure?", buttons=(button,), space=on.space)
    refused = await line.adapter.act(alone)
    assert (refused.state, refused.opens) == ("failed", f"https://t.me/kinfolk_bot?start=g{on.who.group.id}")
    await on.settle()
    assert (server.methods.alerts[first], server.methods.led[first]) == ("", refused.opens)
    second = await people.press(ida.id, shown, "t-1")
    await server.updates.settled()
    assert (await line.adapter.act(replace(alone, buttons=()))).state == "done"
    assert server.methods.alerts[second] == "Are you sure?"


async def test_a_press_while_another_is_answered_is_answered_too(line: Connected, server: TelegramServer) -> None:
    on, people, held = line.on, server.people, asyncio.Event()
    ida = await people.arrive(on.who.group, "Ida")
    button = Button(label="Why?", press="test.why", token="t-1")
    shown = on._message((await line.adapter.act(Say(to=on.public, text="Hello.", buttons=(button,)))).made)
    await people.press(ida.id, shown, "t-1")
    await server.updates.settled()
    server.faults.hold("answerCallbackQuery", held)
    answer = OpenDirect(member=ref(ida.id), text="Because.", space=on.space)
    first = asyncio.create_task(line.adapter.act(answer))
    while not server.methods.answered:  # noqa: ASYNC110 - the server rings no bell for a call
        await asyncio.sleep(0)
    second = await people.press(ida.id, shown, "t-1")
    await server.updates.settled()
    held.set()
    assert (await first).state == "done"
    assert (await line.adapter.act(answer)).state == "done"
    await on.settle()
    assert server.methods.alerts[second] == "Because."


async def test_files_go_with_their_words_under_them_or_before_them(line: Connected, server: TelegramServer) -> None:
    who = line.on.who
    one, two = Attachment(name="数据.json", data=b"{}"), Attachment(name="map.png", data=b"\x89PNG")
    button = Button(label="Thanks", press="test.thanks", token="t-1")
    for text, files, shown in (
        ("Here.", (one,), [("Here.", {"数据.json"})]),
        ("Here.", (one, two), [("Here.", set()), ("", {"数据.json"}), ("", {"map.png"})]),
        ("w " * 600, (two,), [("w " * 599 + "w", set()), ("", {"map.png"})]),
    ):
        before = set(server.town.private(who.ben).messages)
        action = OpenDirect(member=line.on.member, text=text, attachments=files, buttons=(button,))
        assert (await in_turns(line.adapter, action)).state == "done"
        made = [one for number, one in server.town.private(who.ben).messages.items() if number not in before]
        assert [(one.text or one.caption, set(one.files)) for one in made] == shown
        assert [bool(one.keyboard) for one in made] == [False] * (len(made) - 1) + [True]


async def test_a_long_text_goes_in_pieces_and_is_changed_and_taken_back_whole(
    line: Connected, server: TelegramServer
) -> None:
    on, group = line.on, line.on.who.group
    text = "\n\n".join(f"**{number}** 😀 & <tag> `code` " + "word " * 300 for number in range(6))
    receipt = await in_turns(line.adapter, Say(to=on.public, text=text))
    pieces = [one for one in group.messages.values() if one.author == server.town.bot]
    assert len(pieces) > 1
    assert "5 😀 & <tag> code" in pieces[-1].text
    edits = len(server.faults.calls("edit*"))
    longer = Edit(message=receipt.made, channel=on.public, text=f"{text}\n\nAnd an end.")
    assert (await in_turns(line.adapter, longer)).state == "done"
    assert len(server.faults.calls("edit*")) == edits + 1, "what is shown already is not changed into the same"
    edit = Edit(message=receipt.made, channel=on.public, text="Short.")
    assert (await in_turns(line.adapter, edit)).state == "done"
    assert [one.text for one in pieces if not one.deleted] == ["Short."]
    assert (await line.adapter.act(Delete(message=receipt.made, channel=on.public))).state == "done"
    assert all(one.deleted for one in pieces)


async def test_a_picture_after_a_long_text_stays_when_the_text_is_changed(
    line: Connected, server: TelegramServer
) -> None:
    on, group = line.on, line.on.who.group
    picture = Attachment(name="digest.png", data=b"\x89PNG")
    receipt = await in_turns(line.adapter, Say(to=on.public, text="word " * 1200, attachments=(picture,)))
    made = [one for one in group.messages.values() if one.author == server.town.bot]
    assert [bool(one.files) for one in made] == [False, False, True]
    for text in ("word " * 1100, "word " * 1200, "Short."):
        assert (await in_turns(line.adapter, Edit(message=receipt.made, channel=on.public, text=text))).state == "done"
        assert not made[2].deleted
    left = [one for one in group.messages.values() if one.author == server.town.bot and not one.deleted]
    assert [(one.text or "", bool(one.files)) for one in left] == [("Short.", False), ("", True)]
    assert (await line.adapter.act(Delete(message=receipt.made, channel=on.public))).state == "done"
    assert all(one.deleted for one in made)


async def test_a_long_text_is_taken_back_whole_though_telegram_says_to_wait(
    line: Connected, server: TelegramServer
) -> None:
    on, group = line.on, line.on.who.group
    receipt = await in_turns(line.adapter, Say(to=on.public, text="word " * 1200))
    pieces = [one for one in group.messages.values() if one.author == server.town.bot]
    server.faults.limit("deleteMessage*")
    with pytest.raises(Overloaded):
        await line.adapter.act(Delete(message=receipt.made, channel=on.public))
    assert (await line.adapter.act(Delete(message=receipt.made, channel=on.public))).state == "done"
    assert [one.deleted for one in pieces] == [True, True]
    await on.settle()
    gone = {one.message for one in line.events(MessageDeleted)}
    assert gone == {ref(group.id, one.id) for one in pieces}, "what is held of each is taken away too"


async def test_what_somebody_took_away_before_is_known_to_be_gone(line: Connected, server: TelegramServer) -> None:
    on = line.on
    await server.people.delete(on.who.ben, on.who.hello)
    assert (await line.adapter.act(Delete(message=on.message, channel=on.public))).state == "done"
    await on.settle()
    assert [one.message for one in line.events(MessageDeleted)] == [on.message]


async def test_pieces_that_a_shorter_text_leaves_over_are_told_to_be_gone(
    line: Connected, server: TelegramServer
) -> None:
    on, group = line.on, line.on.who.group
    receipt = await in_turns(line.adapter, Say(to=on.public, text="word " * 1200))
    rest = max(group.messages)
    assert (await in_turns(line.adapter, Edit(message=receipt.made, channel=on.public, text="Short."))).state == "done"
    await on.settle()
    assert [one.message for one in line.events(MessageDeleted)] == [ref(group.id, rest)]


async def test_what_telegram_says_to_wait_for_is_handed_on_and_nothing_is_said_twice(
    line: Connected, server: TelegramServer
) -> None:
    server.faults.limit("sendMessage", after=7)
    say = Say(to=line.on.public, text="Once.")
    with pytest.raises(Overloaded) as busy:
        await line.adapter.act(say)
    assert (busy.value.after, busy.value.scope) == (7.0, "chat")
    assert (await line.adapter.act(say)).state == "done"
    server.faults.tear("sendMessage", when="after")
    with pytest.raises(Gone):
        await line.adapter.act(Say(to=line.on.public, text="Twice?"))
    texts = [one.text for one in line.on.who.group.messages.values()]
    assert (texts.count("Once."), texts.count("Twice?")) == (1, 1)


async def test_somebody_is_led_into_another_group_by_a_link_for_them_alone(
    line: Connected, server: TelegramServer
) -> None:
    who = line.on.who
    club = server.town.group("Boat Club", who.mo)
    assert (await line.adapter.act(Invite(member=line.on.member, channel=line.on.private))).made is None
    receipt = await line.adapter.act(Invite(member=line.on.member, channel=ref(club.id)))
    [told] = server.town.private(who.ben).messages.values()
    [link] = [one["url"] for one in told.entities if one["type"] == "text_link"]
    assert (receipt.made, server.town.links[link]) == (ref(who.ben, told.id), club.id)


async def test_the_bot_brought_into_a_group_hears_who_did_it(line: Connected, server: TelegramServer) -> None:
    who = line.on.who
    club = server.town.group("Boat Club", who.mo, bot=None)
    await server.people.bring_bot(who.mo, club)
    await line.on.settle()
    [added] = line.events(BotAdded)
    assert added.by
    assert added.by.ref == ref(who.mo)


async def test_a_text_grows_as_a_draft_alone_and_by_edits_in_a_group(line: Connected, server: TelegramServer) -> None:
    clock, on = PatientClock(), line.on
    sender = Sender(adapters={"telegram": line.adapter}, clock=clock, figures=Figures(Counts(clock)))

    async def pieces() -> AsyncIterator[str]:
        for piece in ("One", " **two**", " three."):
            yield piece
            await clock.let_pass(10)

    async def attempt(action: object) -> object:
        return await sender.send(action, Urgency.REPLY)

    for place, texts in ((on.member, ["One", "One two", "One two three."]), (on.public, [])):
        server.methods.drafts.clear()
        say = Say(to=place, text="Nothing came.", stream="handle")
        said, receipt = await say_in_pieces(say, pieces(), sender=sender, attempt=attempt)
        assert (said.text, receipt.state) == ("One **two** three.", "done")
        made = on._message(receipt.made)
        assert (made.text, bool(made.edited)) == ("One two three.", place == on.public)
        assert [text for _chat, _number, text in server.methods.drafts] == texts
        assert len({number for _chat, number, _text in server.methods.drafts}) == len(texts[:1])


async def test_a_text_in_pieces_takes_a_turn_for_each(server: TelegramServer) -> None:
    clock = HastyClock(datetime.now(UTC))
    async with connected(server, clock=clock) as line:
        sender = Sender(adapters={"telegram": line.adapter}, clock=clock, figures=Figures(Counts(clock)))
        begun = clock.now()
        receipt = await sender.send(Say(to=line.on.public, text="word " * 3000), Urgency.REPLY)
        pieces = [one for one in line.on.who.group.messages.values() if one.author == server.town.bot]
        assert (receipt.state, len(pieces)) == ("done", 4)
        assert (clock.now() - begun).total_seconds() >= 3, "one a second, as for messages of their own"


# Limits


class Watched:
    """An adapter of which it is known how many acts it is at."""

    def __init__(self, adapter: Telegram) -> None:
        self.adapter = adapter
        self.limits, self.can = adapter.limits, adapter.can
        self.busy = 0

    async def act(self, action: object) -> object:
        self.busy += 1
        try:
            return await self.adapter.act(action)
        finally:
            self.busy -= 1


async def test_forty_acts_in_ten_seconds_keep_to_the_limit_of_a_group_and_all_replies_come() -> None:
    clock = PatientClock()
    async with telegram_server(clock=lambda: clock.now().timestamp()) as server:
        who = harbour(server.town)
        async with connected(server, who, clock=clock) as line:
            watched, on = Watched(line.adapter), line.on
            sender = Sender(adapters={"telegram": watched}, clock=clock, figures=Figures(Counts(clock)))
            spam = [server.town.keep(who.group, who.ben, text="spam", topic=who.pier.id) for _ in range(12)]
            edits: list[bool] = []
            tasks: list[asyncio.Task] = []

            async def pass_time(seconds: int) -> None:
                for _ in range(seconds):
                    await clock.let_pass(1)
                    while watched.busy:  # noqa: ASYNC110 - time stands still while the socket works
                        await asyncio.sleep(0.001)

            def send(action: object, urgency: Urgency) -> None:
                tasks.append(asyncio.create_task(sender.send(action, urgency)))

            first = await sender.send(Say(to=on.public, text="Thinking"), Urgency.REPLY)
            for second in range(10):
                for place in (on.public, on.private):
                    send(Say(to=place, text=f"reply {second} in {place.id}"), Urgency.REPLY)
                edit = Edit(message=first.made, channel=on.public, text=f"Thinking {second}")
                edits.append(await sender.show_if_spare(edit))
                if second >= 5:
                    for one in (spam.pop(), spam.pop()):
                        send(Delete(message=ref(who.group.id, one.id), channel=on.public), Urgency.MODERATION)
                await pass_time(1)
            begun = clock.now().timestamp()
            await pass_time(150)
            receipts = await asyncio.gather(*tasks)

    calls = [one for one in server.faults.called if one.args.get("chat_id") == who.group.id and one.status]
    counted = [one for one in calls if one.method in {"sendMessage", "deleteMessage", "editMessageText"}]
    assert len(counted) == 1 + 20 + 10
    assert [one.status for one in counted] == [200] * len(counted)
    assert [one.state for one in receipts] == ["done"] * 30
    for one in counted:
        assert sum(one.at <= other.at < one.at + 60 for other in counted) <= 18
    assert edits == [False] * 10, "what is only for show is left out while others wait"
    deleted = [one.at for one in counted if one.method == "deleteMessage"]
    later = [one.at for one in counted if one.method == "sendMessage" and one.at > begun]
    assert max(deleted) < min(later), "what keeps the place safe goes first"
