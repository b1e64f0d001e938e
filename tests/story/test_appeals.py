"""Appeals of those who were sent out: what the letter promises them works, and who is unknown learns nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path

import pytest
from simcord.backend import serializers

from adapters.playground.asked import Join
from bot.core.errors import Unavailable
from bot.core.ports import Appealable
from bot.core.things import Ref
from tests.platforms import Refused
from tests.platforms.telegram import TelegramServer
from tests.platforms.telegram import harbour as community
from tests.platforms.telegram.town import Chat, Message
from tests.story.discord_town import DiscordTown, labels
from tests.story.telegram_town import TelegramTown, living
from tests.story.town import MEMBER, OWNER, Town

pytestmark = pytest.mark.slow


@pytest.fixture
async def town(telegram: TelegramServer, home: Path, ending: None) -> AsyncIterator[TelegramTown]:
    async with living(telegram, community(telegram.town), home) as opened:
        who = opened.who
        assert "Done" in (await opened.says(who.anna, "/setup staff_channel #office", topic=who.office.id))[0].text
        yield opened


async def sent_out(town: TelegramTown, user: int, how: str = "ban") -> str:
    """Have Anna send somebody out; return the case that the letter to them names."""
    spam = await town.server.people.post(user, town.who.group, "Buy my lanterns!", topic=town.who.pier.id)
    heard = await town.says(town.who.anna, f"/mod {how} selling", reply_to=spam.id)
    [letter] = [one for one in heard if one.chat == user]
    assert town.server.town.status(town.who.group, user) == {"ban": "kicked", "kick": "left"}[how]
    return case_in(letter.text)


def case_in(letter: str) -> str:
    found = re.search(r"/appeal (\w{6})", letter)
    assert found, letter
    return found[1]


def card_in(heard: list[Message], group: Chat) -> Message:
    [card] = [one for one in heard if one.chat == group.id and one.keyboard]
    return card


@pytest.mark.parametrize("how", ["ban", "kick"])
async def test_who_was_sent_out_appeals_and_is_told_what_came_of_it(town: TelegramTown, how: str) -> None:
    who = town.who
    case = await sent_out(town, who.ben, how)
    heard = await town.writes(who.ben, f"/appeal {case} it was for the fair")
    card = card_in(heard, who.group)
    assert (card.topic, "it was for the fair" in card.text) == (who.office.id, True)
    [told] = [one for one in heard if one.chat == who.ben]
    assert told.text == f"Your appeal of case {case} is with the staff. I tell you what they say."
    [again] = await town.writes(who.ben, "/appeal please")
    assert (again.chat, again.text) == (who.ben, "Your appeal is with the staff already.")
    heard = await town.presses(who.anna, card, "Grant: take it back")
    [sorry] = [one for one in heard if one.chat == who.ben]
    assert f"looked at case {case} again" in sorry.text
    await town.server.people.join(who.ben, who.group)
    assert town.server.town.status(who.group, who.ben) == "member"


async def test_nothing_else_of_who_was_sent_out_is_heard(town: TelegramTown) -> None:
    who = town.who
    await sent_out(town, who.ben)
    handed = await town.rows("SELECT max(id) FROM inbox")
    [told] = await town.writes(who.ben, "/help")
    assert told.text.startswith("I share no group with you")
    assert await town.writes(who.ben, "let me in") == []
    assert await town.rows("SELECT max(id) FROM inbox") == handed
    heard = await town.writes(who.ben, "appeal it was for the fair")
    assert "it was for the fair" in card_in(heard, who.group).text, "an appeal needs neither a slash nor the case"


async def test_who_is_unknown_learns_nothing_of_a_case(town: TelegramTown) -> None:
    who = town.who
    case = await sent_out(town, who.ben)
    stranger = town.server.town.user("Stranger")
    [told] = await town.writes(stranger.id, f"/appeal {case} let him in")
    assert (told.chat, told.text.startswith("I share no group with you")) == (stranger.id, True)
    left = town.server.town.user("Ida", started=True)
    town.server.town.join(who.group, left.id)
    await town.says(left.id, "Hello.")
    await town.server.people.leave(left.id, who.group)
    [told] = await town.writes(left.id, f"/appeal {case} let him in")
    assert (told.chat, told.text.startswith("I share no group with you")) == (left.id, True)
    assert await town.rows("SELECT appeal_state FROM moderation_case") == [("",)]


async def test_an_appeal_goes_where_the_case_is_wherever_else_one_is_a_member(town: TelegramTown) -> None:
    who, server = town.who, town.server
    boats = server.town.group("Boat Club", who.mo)
    server.town.join(boats, who.ben)
    await server.people.post(who.mo, boats, "Ahoy.")
    case = await sent_out(town, who.ben)
    await server.people.post(who.ben, boats, "Ahoy, everybody.")
    await town.settled()
    [help_] = await town.writes(who.ben, "/help")
    assert "/match" in help_.text, "what else they write belongs to the group that they are in"
    heard = await town.writes(who.ben, f"/appeal {case.lower()} it was for the fair")
    assert "it was for the fair" in card_in(heard, who.group).text
    assert [one.text.startswith("Your appeal of case") for one in heard if one.chat == who.ben] == [True]


# The playground


async def test_who_was_kicked_from_the_playground_comes_back_and_appeals(harbour: Town) -> None:
    await harbour.command(OWNER, "general", "/setup staff_channel #staff-room")
    await harbour.speaks(MEMBER, "en")
    await harbour.command(OWNER, "general", f"/mod kick {MEMBER} selling")
    await harbour.does(Join(deed="join", by=MEMBER))
    [letter] = [one.text for one in harbour.sees(MEMBER, harbour.page._space.account(MEMBER).named.name)]
    assert "come back and tell the staff" in letter
    told = await harbour.command(MEMBER, "introductions", f"/appeal {case_in(letter)} it was for the fair")
    assert told.startswith("Your appeal of case"), told
    assert "it was for the fair" in harbour.last(OWNER, "staff-room").text


# Discord


async def staffed(guild: DiscordTown) -> None:
    await guild.wants(staff_channel=f"<#{guild.who.office}>", language="en")


async def letter_to(guild: DiscordTown, user: int, how: str) -> str:
    """Have Mo send somebody out; return the letter that came before."""
    who = guild.who
    told = await guild.command(who.mo, who.pier, "mod", action=how, member=user, reason="selling")
    assert told.text.startswith("Done:"), told.text
    assert await guild.server.views.member(user, who.guild) is None
    return (await guild.told_directly(user))[-1]["content"]


async def test_discord_carries_no_word_of_who_was_sent_out_and_the_letter_promises_none(guild: DiscordTown) -> None:
    await staffed(guild)
    who, people = guild.who, guild.server.people
    ida = await people.arrive(who.guild, "Ida")
    letter = await letter_to(guild, ida, "ban")
    assert "/appeal" not in letter
    assert re.search(r"write to somebody of the staff, and name case \w{6}", letter), letter
    with pytest.raises(Refused, match="share no server"):
        await people.post_directly(ida, "/appeal it was for the fair")
    await guild.says(who.mei, who.pier, "你好")
    chinese = await letter_to(guild, who.mei, "ban")
    assert ("/appeal" not in chinese, "管理员" in chinese) == (True, True), chinese


async def test_who_was_kicked_from_discord_comes_back_and_appeals(guild: DiscordTown) -> None:
    await staffed(guild)
    who = guild.who
    ida = await guild.server.people.arrive(who.guild, "Ida")
    letter = await letter_to(guild, ida, "kick")
    assert "come back and tell the staff" in letter
    await guild.server.people.join(ida, who.guild)
    await guild.settled()
    told = await guild.command(ida, who.pier, "appeal", case=case_in(letter), text="it was for the fair")
    assert told.text.startswith("Your appeal of case"), told.text


async def test_who_shares_another_server_with_the_bot_is_heard_where_they_were_banned(guild: DiscordTown) -> None:
    await staffed(guild)
    who, server = guild.who, guild.server
    boats = server.town.guild("Boat Club", who.mo)
    mei, ida = who.mei, await server.people.arrive(who.guild, "Ida")
    for one in (mei, ida):
        server.town.member(boats, one)
    await guild.says(mei, who.pier, "你好")
    for user, by_words in ((mei, True), (ida, False)):
        await letter_to(guild, user, "ban")
        before = len(await guild.heard(who.mo, who.office))
        if by_words:
            direct = await guild.writes(user, "/appeal it was for the fair")
            [*_before, told] = [one["content"] for one in await guild.told_directly(user)]
        else:
            direct = await server.people.direct(user)
            told = (await guild.command(user, direct, "appeal", text="it was for the fair")).text
        [card] = (await guild.heard(who.mo, who.office))[before:]
        assert ("it was for the fair" in card["content"], labels(card)) == (True, ["Grant: take it back", "Keep it"])
        assert "Your appeal of case" in told or "申诉" in told
        help_ = await guild.command(user, direct, "help")
        assert "/match" in help_.text, "what else they ask belongs to the server that they are on"


async def test_an_appeal_of_who_shares_no_server_is_heard_if_discord_brings_it(guild: DiscordTown) -> None:
    await staffed(guild)
    who, server = guild.who, guild.server
    ida, stranger = await server.people.arrive(who.guild, "Ida"), server.town.user("Stranger")
    await letter_to(guild, ida, "ban")
    for user, name, options, said in (
        (stranger, "appeal", {"text": "let her in"}, "share no server with you"),
        (ida, "help", {}, "share no server with you"),
        (ida, "appeal", {"text": "it was for the fair"}, "Your appeal of case"),
    ):
        told = await guild.command(user, await server.people.direct(user), name, **options)
        assert said in told.text, told.text


@pytest.fixture
async def ida(guild: DiscordTown) -> int:
    """Return who was banned from one server of the bot's and is a member of another."""
    await staffed(guild)
    boats = guild.server.town.guild("Boat Club", guild.who.mo)
    number = await guild.server.people.arrive(guild.who.guild, "Ida")
    guild.server.town.member(boats, number)
    await letter_to(guild, number, "ban")
    return number


async def pleads(guild: DiscordTown, user: int) -> str:
    """Have somebody appeal by a command in the direct conversation; return what they are told."""
    return (
        await guild.command(user, await guild.server.people.direct(user), "appeal", text="it was for the fair")
    ).text


@pytest.mark.parametrize(
    ("answer", "word"), [("Grant: take it back", "is taken back. Sorry."), ("Keep it", "keeps what it decided.")]
)
async def test_who_shares_another_server_is_told_what_the_staff_of_the_first_say(
    guild: DiscordTown, ida: int, answer: str, word: str
) -> None:
    who = guild.who
    told = await pleads(guild, ida)
    assert told.endswith("is with the staff. I tell you what they say."), told
    await guild.press(who.mo, who.office, int((await guild.last(who.mo, who.office))["id"]), answer)
    letter = (await guild.told_directly(ida))[-1]["content"]
    assert letter.endswith(word), letter


async def test_an_appeal_is_not_lost_while_its_case_cannot_be_looked_up(
    guild: DiscordTown, ida: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, client, away = guild.who, guild.adapter.client, [Unavailable("The disk is full.") for _time in range(2)]
    look_up = client._appeals

    async def appeals(accounts: Collection[Ref]) -> Sequence[Appealable]:
        if away:
            raise away.pop()
        return await look_up(accounts)

    monkeypatch.setattr(client, "_appeals", appeals)
    assert await pleads(guild, ida) == "The disk is full."
    await guild.writes(ida, "/appeal it was for the fair")
    assert (away, "it was for the fair" in (await guild.last(who.mo, who.office))["content"]) == ([], True)


async def test_while_a_server_is_out_of_sight_no_other_hears_an_appeal_to_it(guild: DiscordTown, ida: int) -> None:
    who, server = guild.who, guild.server
    shown = dict(serializers.guild_create_payload(server.town.backend, server.town.backend.guilds[who.guild]))
    server.gateway.event("GUILD_DELETE", {"id": str(who.guild), "unavailable": True})
    assert "share no server with you" in await pleads(guild, ida)
    before = len(await guild.heard(who.mo, who.office))
    await server.people.post_directly(ida, "/appeal it was for the fair")
    await server.gateway.settled()
    assert len(await guild.heard(who.mo, who.office)) == before
    server.gateway.event("GUILD_CREATE", shown)
    await guild.settled()
    [card] = (await guild.heard(who.mo, who.office))[before:]
    assert "it was for the fair" in card["content"]
