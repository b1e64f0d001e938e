"""The bot on Telegram: commands in words, answers alone, topics, groups that move, and what only Telegram has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.telegram import pressing
from tests.platforms.telegram import TelegramServer, harbour
from tests.platforms.telegram.town import BOT_NAME
from tests.story.telegram_town import TelegramTown, living, ref

pytestmark = pytest.mark.slow


@pytest.fixture
async def town(telegram: TelegramServer, home: Path, ending: None) -> AsyncIterator[TelegramTown]:
    async with living(telegram, harbour(telegram.town), home) as opened:
        yield opened


async def test_a_command_in_a_group_is_answered_to_who_gave_it_alone(town: TelegramTown) -> None:
    who = town.who
    [alone] = await town.says(who.ben, "/help")
    assert (alone.chat, "/match" in alone.text) == (who.ben, True)
    [named] = await town.says(who.ben, f"/help@{BOT_NAME}")
    assert (named.chat, named.text) == (who.ben, alone.text)
    assert await town.says(who.ben, "/help@another_bot") == []
    assert await town.says(who.ben, "/nothing of ours") == []


async def test_who_never_wrote_to_the_bot_is_told_where_to_begin(town: TelegramTown) -> None:
    who, people = town.who, town.server.people
    ida = await people.arrive(who.group, "Ida")
    [told] = await town.says(ida.id, "/help")
    link = f"https://t.me/{BOT_NAME}?start=g{who.group.id}"
    assert (told.chat, told.topic) == (who.group.id, who.pier.id)
    assert told.text == f"I may not write to you first. Open a conversation with me, and use /help there: {link}"
    [help_] = await town.writes(ida.id, f"/start g{who.group.id}")
    assert (help_.chat, "/match" in help_.text) == (ida.id, True)
    [setup] = await town.writes(who.anna, f"/start g{who.group.id}")
    assert "/setup" in setup.text


async def test_staff_act_on_a_member_by_answering_them_and_take_it_back(town: TelegramTown) -> None:
    who, group = town.who, town.who.group
    spam = await town.server.people.post(who.ben, group, "Buy my lanterns!", topic=who.pier.id)
    told, letter = await town.says(who.anna, "/mod timeout too loud", reply_to=spam.id)
    assert (letter.chat, "too loud" in letter.text, "/appeal" in letter.text) == (who.ben, True, True)
    assert (told.chat, "Done" in told.text, group.members[who.ben].muted) == (who.anna, True, True)
    [refused] = await town.says(who.mei, "/mod kick", reply_to=spam.id)
    assert ("staff" in refused.text or "管理" in refused.text, town.server.town.status(group, who.ben)) == (
        True,
        "restricted",
    )
    undone, _letter = await town.says(who.mo, "/undo")
    assert (undone.chat, group.members[who.ben].muted) == (who.mo, False), undone.text
    [no] = await town.says(who.anna, "/mod ban @Mo")
    assert ("administrator" in no.text, town.server.town.status(group, who.mo)) == (True, "administrator")


async def test_what_is_reported_comes_to_the_staff_with_buttons(town: TelegramTown) -> None:
    who = town.who
    await town.says(who.anna, "Between us.", topic=who.office.id)
    [done] = await town.says(who.anna, "/setup staff_channel #office", topic=who.office.id)
    assert "Done" in done.text
    spam = await town.server.people.post(who.ben, who.group, "Buy my lanterns!", topic=who.pier.id)
    heard = await town.says(who.mei, "/report it is spam", reply_to=spam.id)
    asked = next(one for one in heard if one.topic == who.office.id)
    assert "it is spam" in asked.text
    labels = [one["text"] for row in asked.keyboard for one in row]
    assert labels
    pressed = len(town.server.methods.answered)
    await town.presses(who.mo, asked, labels[0])
    assert len(town.server.methods.answered) == pressed + 1, "the client of who pressed hears that it arrived"


async def test_who_never_wrote_to_the_bot_and_presses_a_button_is_answered_all_the_same(
    town: TelegramTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, methods = town.who, town.server.methods
    assert "Done" in (await town.says(who.anna, "/setup welcome_channel #pier"))[0].text
    assert "Done" in (await town.says(who.anna, "/mode welcome act"))[0].text
    for number in range(8):
        await town.says(who.mei, f"wax and bamboo for lantern number {number}", topic=who.lanterns.id)
    newcomer = await town.server.people.arrive(who.group, "Ida", "en")
    await town.settled()
    hello = town.heard()[-1]
    labels = [one["text"] for row in hello.keyboard for one in row]
    assert await town.presses(newcomer.id, hello, next(one for one in labels if one.startswith("Join"))) == []
    assert "is open to you" in methods.alerts[methods.answered[-1]]
    monkeypatch.setattr(pressing, "ALERT", 60)
    assert await town.presses(newcomer.id, hello, "Why?") == []
    assert methods.led[methods.answered[-1]] == f"https://t.me/{BOT_NAME}?start=g{who.group.id}"
    assert await town.presses(who.mei, hello, "Why?") != [], "who has a conversation finds it there, and is told so"
    assert methods.alerts[methods.answered[-1]] == "我直接写信给你了。"


async def test_a_button_in_a_conversation_speaks_for_the_group_it_came_from(town: TelegramTown) -> None:
    who = town.who
    [told] = await town.says(who.ben, "/privacy")
    assert told.chat == who.ben
    data = [one["callback_data"] for row in told.keyboard for one in row]
    assert all(one.endswith(f"@{who.group.id}") and len(one.encode()) <= 64 for one in data)
    labels = [one["text"] for row in told.keyboard for one in row]
    [off] = await town.presses(who.ben, told, labels[0])
    assert (off.chat, "This button" not in off.text) == (who.ben, True)


async def test_topics_are_channels_that_keep_their_names(town: TelegramTown, home: Path) -> None:
    who, people = town.who, town.server.people
    kites = await people.make_topic(who.ben, who.group, "kites")
    await town.says(who.ben, "The wind is right today.", topic=kites.id)
    place, name = ref(who.group.id, f"t{kites.id}"), "SELECT name, archived FROM channel WHERE ref = '{}'"
    assert await town.rows(name.format(place)) == [("kites", 0)]
    await people.rename_topic(who.anna, who.group, kites, "Kites and wind")
    await people.close_topic(who.anna, who.group, kites)
    await town.settled()
    assert await town.rows(name.format(place)) == [("Kites and wind", 1)]
    general = await people.post(who.ben, who.group, "In general.")
    await town.settled()
    said = await town.rows("SELECT m.ref, c.ref FROM message m JOIN channel c ON c.id = m.channel_id")
    assert (str(ref(who.group.id, general.id)), str(ref(who.group.id))) in said


async def test_an_album_is_one_text_and_a_message_for_each_picture(town: TelegramTown) -> None:
    who = town.who
    album = await town.server.people.album(who.ben, who.group, "Our kites on the beach", 3, topic=who.pier.id)
    await town.settled()
    stored = await town.stored()
    assert [stored[str(ref(who.group.id, one.id))] for one in album] == ["Our kites on the beach", "", ""]


async def test_a_post_of_a_channel_is_heard_once_and_answers_to_it_find_it(town: TelegramTown) -> None:
    who, server = town.who, town.server
    news = server.town.group("Harbour News", who.anna, kind="channel")
    news.linked = who.group.id
    post = await server.people.post(news.id, news, "The regatta is on Sunday.")
    await town.settled()
    copy = next(one for one in who.group.messages.values() if one.more.get("is_automatic_forward"))
    comment = await server.people.post(who.ben, who.group, "I will be there.", reply_to=copy.id)
    await town.settled()
    stored = await town.stored()
    assert [one for one, text in stored.items() if "regatta" in text] == [str(ref(news.id, post.id))]
    answered = await town.rows("SELECT reply_to FROM message WHERE text = 'I will be there.'")
    assert answered == [(str(ref(news.id, post.id)),)]
    assert (str(ref(news.id)), "Harbour News") in (await town.channels()).items()
    assert await town.rows("SELECT name FROM community") == [("Harbour Makers",)]
    assert str(ref(who.group.id, comment.id)) in stored


async def test_who_is_in_two_groups_is_answered_for_the_one_they_chose(town: TelegramTown) -> None:
    who, server = town.who, town.server
    boats = server.town.group("Boat Club", who.mo)
    server.town.join(boats, who.ben)
    await server.people.post(who.mo, boats, "Ahoy.")
    await town.says(who.ben, "Hello from the pier.")
    link = f"/start g{boats.id}"
    await town.writes(who.ben, link)
    [told] = await town.writes(who.ben, "/privacy")
    assert {one["callback_data"].partition("@")[2] for row in told.keyboard for one in row} == {str(boats.id)}
    await town.says(who.ben, "And again from the pier.")
    [told] = await town.writes(who.ben, "/privacy")
    assert {one["callback_data"].partition("@")[2] for row in told.keyboard for one in row} == {str(who.group.id)}


async def test_a_stranger_is_told_why_they_are_not_answered_in_their_language(town: TelegramTown) -> None:
    await town.says(town.who.ben, "Hello.")
    stranger, other = town.server.town.user("陌生人", language="zh-hans"), town.server.town.user("Stranger")
    [chinese] = await town.writes(stranger.id, "/match boats")
    [english] = await town.writes(other.id, f"/start g{town.who.group.id}")
    assert "群" in chinese.text
    assert english.text.startswith("I share no group with you")
    assert await town.rows("SELECT count(*) FROM member WHERE name = 'Stranger'") == [(0,)]


async def test_whoever_brings_a_bot_that_hears_little_is_told_once(telegram: TelegramServer, home: Path) -> None:
    telegram.town.hears_all = False
    who = harbour(telegram.town)
    async with living(telegram, who, home) as town:
        club = telegram.town.group("Boat Club", who.mo, bot=None)
        heard = await town.after(telegram.people.bring_bot(who.mo, club, admin=False))
        told = [one for one in heard if "privacy mode" in one.text]
        assert [one.chat for one in told] == [who.mo]
        ida = telegram.town.user("Ida")
        telegram.town.join(club, ida.id)
        await telegram.people.leave(telegram.town.bot, club)
        [said] = await town.after(telegram.people.bring_bot(ida.id, club, admin=False))
        assert (said.chat, "privacy mode" in said.text, f"start=g{club.id}" in said.text) == (club.id, True, True)
        await telegram.people.leave(telegram.town.bot, club)
        assert "privacy mode" not in str(await town.after(telegram.people.bring_bot(who.mo, club, admin=True)))


async def test_what_was_said_while_it_was_away_is_learned_and_not_answered(
    telegram: TelegramServer, home: Path
) -> None:
    who = harbour(telegram.town)
    async with living(telegram, who, home) as town:
        await town.says(who.ben, "Before.")
    old = telegram.town.now() - 3600
    await telegram.people.post(who.ben, who.group, "/help", topic=who.pier.id, date=old)
    await telegram.people.post(who.ben, who.group, "Meanwhile.", topic=who.pier.id, date=old)
    async with living(telegram, who, home) as town:
        assert town.heard() == []
        assert "Meanwhile." in (await town.stored()).values()
        assert len(await town.says(who.ben, "/help")) == 1


async def test_what_was_stored_and_not_confirmed_comes_again_and_happens_once(
    telegram: TelegramServer, home: Path
) -> None:
    who = harbour(telegram.town)
    async with living(telegram, who, home) as town:
        await telegram.updates.polled()
        telegram.faults.fail("getUpdates", 500, times=1000)
        await telegram.people.post(who.ben, who.group, "/help", topic=who.pier.id)
        while not town.heard():  # noqa: ASYNC110 - the update is stored and answered, and no question confirms it
            await asyncio.sleep(0.01)
        assert telegram.updates.waiting
    telegram.faults._faults.clear()
    async with living(telegram, who, home) as town:
        assert telegram.updates.waiting == []
        assert len(town.heard()) == 1
        assert await town.rows("SELECT count(*) FROM message WHERE text = '/help'") == [(1,)]


async def test_an_unnamed_administrator_is_staff_and_nothing_for_them_alone_is_said_to_all(town: TelegramTown) -> None:
    who = town.who
    who.group.members[who.mo].anonymous = True
    [told] = await town.says(who.mo, "/mode")
    assert told.text.startswith("I may not write to you first.")
    assert (told.chat, told.topic) == (who.group.id, who.pier.id)
    aloud = await town.asks(who.mo, "privacy notice")
    assert {one.chat for one in aloud} == {who.group.id}
    assert any("/privacy off" in one.text for one in aloud), "what is for all is said, for who may have it said"
    who.group.members[who.mo].anonymous = False
    [alone] = await town.says(who.mo, "/mode")
    assert (alone.chat, "welcome" in alone.text) == (who.mo, True)


async def test_a_stranger_who_goes_on_writing_is_told_once(town: TelegramTown) -> None:
    stranger = town.server.town.user("Stranger")
    heard = [await town.writes(stranger.id, words) for words in ("/help", "/help", "hello?")]
    assert [len(one) for one in heard] == [1, 0, 0]


async def test_what_is_reported_may_come_to_the_owner_alone(town: TelegramTown) -> None:
    who = town.who
    spam = await town.server.people.post(who.ben, who.group, "Buy my lanterns!", topic=who.pier.id)
    town.server.town.users[who.anna].username = "anna_boats"
    [done] = await town.writes(who.anna, "/setup staff_channel @anna_boats")
    assert "Done" in done.text, done.text
    heard = await town.says(who.mei, "/report it is spam", reply_to=spam.id)
    [asked] = [one for one in heard if one.chat == who.anna]
    assert "it is spam" in asked.text
    assert {one.chat for one in heard} == {who.anna, who.mei}
    labels = [one["text"] for row in asked.keyboard for one in row]
    pressed = await town.presses(who.anna, asked, "Fine")
    assert pressed, labels
    assert {one.chat for one in pressed} == {who.anna, who.mei}, "and who reported it hears that it was looked into"


async def test_who_adds_the_bot_before_it_is_started_is_led_to_it_all_the_same(
    telegram: TelegramServer, home: Path
) -> None:
    who = harbour(telegram.town)
    telegram.town.users[who.mo].started = False
    club = telegram.town.group("Boat Club", who.mo, bot=None)
    await telegram.people.bring_bot(who.mo, club)
    telegram.updates.waiting[0]["my_chat_member"]["date"] -= 3600
    async with living(telegram, who, home) as town:
        [said] = town.heard()
        assert (said.chat, f"start=g{club.id}" in said.text) == (club.id, True)
        [setup] = await town.writes(who.mo, f"/start g{club.id}")
        assert "/setup" in setup.text
