"""Members and the bot on Discord: a newcomer, /match by every way there is to ask, and when nothing is said."""

from __future__ import annotations

import pytest

from tests.story.discord_town import WICK, DiscordTown, is_aside, labels, offered, ref

pytestmark = pytest.mark.slow

DEFERRED_ALONE = {"type": 5, "data": {"flags": 64}}
"""What tells Discord within three seconds that an answer comes, for one member alone."""


def deferrals(guild: DiscordTown) -> list[object]:
    return [one.body for one in guild.server.faults.requests("POST", "/interactions/*/callback")]


async def welcome(guild: DiscordTown, name: str = "Ida", locale: str = "en-US") -> tuple[int, dict]:
    """Let somebody arrive; return them and what greets them."""
    newcomer = await guild.server.people.arrive(guild.who.guild, name, locale)
    await guild.settled()
    return newcomer, await guild.last(guild.who.anna, guild.who.pier)


@pytest.fixture
async def welcoming(guild: DiscordTown) -> DiscordTown:
    """Give the community with a welcome for newcomers."""
    await guild.talks()
    await guild.wants(welcome_channel=f"<#{guild.who.pier}>")
    await guild.in_mode("welcome", "act")
    return guild


async def test_a_newcomer_is_welcomed_and_joins_and_asks_why(welcoming: DiscordTown) -> None:
    who = welcoming.who
    newcomer, hello = await welcome(welcoming, locale="zh-CN")
    assert hello["content"].startswith("Welcome, **Ida**!")
    assert who.lanterns in offered(hello["content"])
    assert who.office not in offered(hello["content"])
    message = int(hello["id"])
    assert labels(hello)[1:3] == ["Not for me", "Why?"]

    joined = await welcoming.press(newcomer, who.pier, message, "Join #lanterns")
    assert joined.text == f"**<#{who.lanterns}>** 对你开放：过去打个招呼吧！"
    why = await welcoming.press(newcomer, who.pier, message, "Why?")
    for told in (joined, why):
        assert told.ephemeral
        assert told.text in [one["content"] for one in await welcoming.sees(newcomer, who.pier)]
        assert told.text not in [one["content"] for one in await welcoming.sees(who.anna, who.pier)]


async def test_nobody_elses_button_answers_and_the_welcome_stays(welcoming: DiscordTown) -> None:
    who = welcoming.who
    newcomer, hello = await welcome(welcoming)
    refused = await welcoming.press(who.mo, who.pier, int(hello["id"]), "Join #lanterns")
    assert (refused.text, refused.ephemeral) == ("This button is somebody else's.", True)
    told = await welcoming.press(newcomer, who.pier, int(hello["id"]), "Not for me")
    assert "I do not suggest" in told.text
    assert told.ephemeral
    again = await welcoming.press(newcomer, who.pier, int(hello["id"]), "Not for me")
    assert again.text == "This was settled already."


async def test_a_newcomer_who_replies_is_answered_aloud(welcoming: DiscordTown) -> None:
    who = welcoming.who
    newcomer, hello = await welcome(welcoming)
    said = await welcoming.says(newcomer, who.pier, WICK, reply_to=int(hello["id"]))
    answer = await welcoming.last(who.anna, who.pier)
    assert offered(answer["content"]) == [who.lanterns]
    assert answer["message_reference"]["message_id"] == str(said)
    assert not is_aside(answer)


async def test_match_thinks_aside_and_answers_in_the_members_language(guild: DiscordTown) -> None:
    await guild.talks()
    who = guild.who
    for member, head, join in (
        (who.mo, "You may belong here:", "Join #lanterns"),
        (who.ben, "这些频道可能适合你：", "加入 #lanterns"),
    ):
        told = await guild.command(member, who.pier, "match", interests=WICK)
        assert told.text.startswith(head)
        assert offered(told.text) == [who.lanterns]
        assert told.ephemeral
        assert labels(told.messages[0])[0] == join
        assert (await guild.last(member, who.pier))["id"] == told.messages[0]["id"]
    assert [one for one in await guild.sees(who.anna, who.pier) if is_aside(one)] == []
    assert deferrals(guild) == [DEFERRED_ALONE] * 2


async def test_alone_with_the_bot_a_command_and_a_question_are_answered(guild: DiscordTown) -> None:
    await guild.talks()
    direct = await guild.server.people.direct(guild.who.mo)
    told = await guild.command(guild.who.mo, direct, "match", interests=WICK)
    assert (offered(told.text), told.ephemeral) == ([guild.who.lanterns], False)
    [command] = await guild.traces(direct, "CommandGiven")
    assert command.receipts[-1].made == ref(direct, told.messages[0]["id"])
    assert await guild.traces(direct, "MessagePosted") == [], "nobody wonders why the bot does not answer itself"
    before = len(await guild.told_directly(guild.who.mo))
    await guild.writes(guild.who.mo, f"I want {WICK}")
    answers = await guild.told_directly(guild.who.mo)
    assert len(answers) == before + 1
    assert offered(answers[-1]["content"]) == [guild.who.lanterns]
    assert not any(WICK in text for text in (await guild.stored()).values())


async def test_a_command_in_words_is_answered_directly_or_told_how(guild: DiscordTown) -> None:
    await guild.talks()
    who, before = guild.who, await guild.heard(guild.who.mo, guild.who.pier)
    await guild.asks(who.mo, who.pier, f"match {WICK}")
    [answer] = await guild.told_directly(who.mo)
    assert offered(answer["content"]) == [who.lanterns]
    assert await guild.heard(who.mo, who.pier) == before
    await guild.server.people.take_direct_messages(who.noor, on=False)
    asked = await guild.asks(who.noor, who.pier, f"match {WICK}")
    told = await guild.last(who.anna, who.pier)
    assert "I cannot write to you directly" in told["content"]
    assert "/match" in told["content"]
    assert told["message_reference"]["message_id"] == str(asked)
    assert offered(told["content"]) == []


async def test_no_machine_is_ever_answered(guild: DiscordTown) -> None:
    await guild.talks()
    who, server = guild.who, guild.server
    machine = server.town.user("Other bot", bot=True)
    server.town.member(who.guild, machine)
    asked = await guild.asks(machine, who.pier, f"who else has {WICK}?")
    hook = dict((await guild.last(who.anna, who.pier)), id=str(asked + 1), webhook_id=str(machine + 1))
    server.gateway.event("MESSAGE_CREATE", hook | {"author": hook["author"] | {"bot": False, "id": str(machine + 1)}})
    await guild.settled()
    assert await guild.heard(who.anna, who.pier) == []
    machines = await guild.traces(who.pier, "MessagePosted")
    assert [one.steps[0].outcome for one in machines] == ["I never answer a bot."] * 2
    assert {one.event for one in machines} == {f"posted {ref(who.pier, number)}" for number in (asked, asked + 1)}
    await guild.asks(who.ben, who.pier, f"who else has {WICK}?")
    assert len(await guild.heard(who.anna, who.pier)) == 1


async def test_commands_are_registered_once_within_what_discord_takes(guild: DiscordTown) -> None:
    registered = await guild.server.uses.commands()
    assert len(guild.server.faults.requests("PUT", "/applications/*/commands")) == 1
    slashes = {one["name"]: one for one in registered if one.get("type", 1) == 1}
    assert {"match", "why", "mod"} < set(slashes)
    assert {one["name"] for one in registered if one.get("type") == 3} == {"Report to staff", "Why?"}
    assert slashes["match"]["description_localizations"]["zh-CN"] == "适合你的频道，以及原因"
