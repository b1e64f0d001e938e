"""The Telegram server against the real python-telegram-bot: what the tests of our adapter rely on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from telegram import Bot, ChatMemberRestricted, ChatPermissions, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter
from telegram.request import HTTPXRequest

from tests.platforms import Refused
from tests.platforms.telegram import Harbour, TelegramServer, harbour, telegram_server

pytestmark = pytest.mark.slow


def bot_for(server: TelegramServer, token: str = "") -> Bot:
    def request() -> HTTPXRequest:
        return HTTPXRequest(httpx_kwargs={"verify": False, "trust_env": False})

    return Bot(token or server.token, base_url=f"{server.api}/bot", request=request(), get_updates_request=request())


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with telegram_server() as opened:
        yield opened
        assert opened.faults.gaps == []


@pytest.fixture
def who(server: TelegramServer) -> Harbour:
    return harbour(server.town)


@pytest.fixture
async def bot(server: TelegramServer) -> AsyncIterator[Bot]:
    async with bot_for(server) as opened:
        yield opened


async def test_an_update_comes_again_until_a_later_question_confirms_it(
    server: TelegramServer, bot: Bot, who: Harbour
) -> None:
    await server.people.post(who.ben, who.group, "Hello", topic=who.pier.id)
    [first] = await bot.get_updates(timeout=5)
    [again] = await bot.get_updates(timeout=5)
    assert (first.update_id, first.message.text) == (again.update_id, "Hello")
    waiting = asyncio.create_task(bot.get_updates(first.update_id + 1, timeout=5))
    await server.updates.polled()
    await server.people.post(who.ben, who.group, "More", topic=who.pier.id)
    assert [one.message.text for one in await waiting] == ["More"]


async def test_only_what_was_asked_for_is_told(server: TelegramServer, bot: Bot, who: Harbour) -> None:
    await bot.get_updates(timeout=0, allowed_updates=[Update.MESSAGE])
    await server.people.react(who.ben, who.hello, "👍", on=True)
    assert await bot.get_updates(timeout=0, allowed_updates=[Update.MESSAGE, Update.MESSAGE_REACTION]) == ()
    await server.people.react(who.ben, who.hello, "👍", on=False)
    [told] = await bot.get_updates(timeout=0)
    assert [one.emoji for one in told.message_reaction.old_reaction] == ["👍"]


async def test_of_two_questions_the_first_is_refused(server: TelegramServer, bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=5))
    await server.updates.polled()
    async with bot_for(server) as other:
        second = asyncio.create_task(other.get_updates(timeout=0))
        with pytest.raises(Conflict):
            await first
        await second
    with pytest.raises(InvalidToken):
        await bot_for(server, "7000000001:wrong").get_me()


async def test_a_restricted_member_cannot_write_and_no_administrator_is_restricted(
    server: TelegramServer, bot: Bot, who: Harbour
) -> None:
    group = who.group.id
    await bot.restrict_chat_member(group, who.ben, ChatPermissions.no_permissions(), until_date=2**31 - 1)
    told = await bot.get_chat_member(group, who.ben)
    assert isinstance(told, ChatMemberRestricted)
    assert not told.can_send_messages
    with pytest.raises(Refused, match="timed out"):
        await server.people.post(who.ben, who.group, "But")
    with pytest.raises(BadRequest, match="administrator"):
        await bot.ban_chat_member(group, who.mo)
    await bot.restrict_chat_member(group, who.ben, ChatPermissions.all_permissions())
    assert await server.people.post(who.ben, who.group, "Thanks")
    server.town.chats[group].members[server.town.bot].rights.clear()
    with pytest.raises(BadRequest, match="[Nn]ot enough rights"):
        await bot.ban_chat_member(group, who.ben)


async def test_nobody_is_written_to_who_did_not_begin(server: TelegramServer, bot: Bot) -> None:
    ida = server.town.user("Ida")
    with pytest.raises(Forbidden, match="initiate"):
        await bot.send_message(ida.id, "Hello?")
    await server.people.write(ida.id, "/start")
    assert (await bot.send_message(ida.id, "Hello!")).text == "Hello!"
    ida.blocked = True
    with pytest.raises(Forbidden, match="blocked"):
        await bot.send_message(ida.id, "Still there?")


async def test_html_is_read_strictly_and_limits_are_counted_in_utf_16(bot: Bot, who: Harbour) -> None:
    group = who.group.id
    said = await bot.send_message(group, "<b>😀 a</b> &lt; b", parse_mode="HTML")
    assert (said.text, [(one.type, one.offset, one.length) for one in said.entities]) == ("😀 a < b", [("bold", 0, 4)])
    for wrong in ("<b>a", "a < b", "<x>a</x>", "<b>a</i>", "</b>"):
        with pytest.raises(BadRequest, match="parse entities"):
            await bot.send_message(group, wrong, parse_mode="HTML")
    await bot.send_message(group, "😀" * 2048)
    with pytest.raises(BadRequest, match="too long"):
        await bot.send_message(group, "😀" * 2049)
    with pytest.raises(BadRequest, match="[Bb]utton_data_invalid"):
        await bot.send_message(
            group, "x", reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="x" * 65)]])
        )


async def test_old_messages_stay_and_a_press_is_answered_once(server: TelegramServer, bot: Bot, who: Harbour) -> None:
    old = server.town.keep(who.group, who.ben, text="Old.", date=server.town.now() - 49 * 3600)
    with pytest.raises(BadRequest, match="can't be deleted"):
        await bot.delete_message(who.group.id, old.id)
    assert await bot.delete_message(who.group.id, who.hello.id)
    marks = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="x")]])
    said = await bot.send_message(who.group.id, "Press", reply_markup=marks)
    query = await server.people.press(who.ben, who.group.messages[said.message_id], "x")
    assert await bot.answer_callback_query(query)
    with pytest.raises(BadRequest, match="too old"):
        await bot.answer_callback_query(query)


async def test_a_group_takes_twenty_calls_a_minute_and_then_says_how_long_to_wait(
    server: TelegramServer, bot: Bot, who: Harbour
) -> None:
    for _ in range(10):
        said = await bot.send_message(who.group.id, "x")
        await bot.edit_message_text("y", who.group.id, said.message_id)
    with pytest.raises(RetryAfter) as busy:
        await bot.send_message(who.group.id, "one too many")
    assert 50 < busy.value._retry_after.total_seconds() <= 61
    assert await bot.send_message(who.ben, "elsewhere it goes on")


async def test_other_processes_have_people_do_the_same(server: TelegramServer, bot: Bot, who: Harbour) -> None:
    async with httpx.AsyncClient(base_url=server.api, verify=False, trust_env=False) as client:
        given = {"who": who.ben, "chat": who.group.id, "text": "Hello", "topic": who.pier.id}
        made = (await client.post("/_ctl/people.post", json=given)).json()["made"]
        edit = {"who": who.ben, "chat": who.group.id, "message": made["id"], "text": "Hello!"}
        assert (await client.post("/_ctl/people.edit", json=edit)).status_code == 200
        refused = await client.post("/_ctl/people.edit", json={**edit, "who": who.mei})
        assert (refused.status_code, (await client.post("/_ctl/people.fly")).status_code) == (403, 404)
        closed = {"who": who.anna, "chat": who.group.id, "topic": who.pier.id}
        assert (await client.post("/_ctl/people.close_topic", json=closed)).status_code == 200
    told = await bot.get_updates(timeout=5)
    assert [type(one.effective_message.text) for one in told] == [str, str, type(None)]
    assert who.pier.closed
