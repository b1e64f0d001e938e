"""Trouble with Discord: floods, dropped connections, downtime, being told to wait, and what no client would send."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.budget import Urgency
from bot.core.actions import AskStaff, Say, Timeout
from tests.platforms.discord import DiscordServer
from tests.platforms.discord import harbour as community
from tests.story.discord_town import WICK, DiscordTown, buttons, living, offered, ref

pytestmark = pytest.mark.slow


async def answers(guild: DiscordTown, channel: int) -> list[str]:
    """Return what the bot said aloud."""
    return [one["content"] for one in await guild.heard(guild.who.anna, channel)]


async def test_two_hundred_messages_over_ten_channels_are_stored_once(guild: DiscordTown) -> None:
    who, server = guild.who, guild.server
    channels = [server.town.channel(who.guild, f"room-{number}") for number in range(10)]
    posted = {}
    for number in range(200):
        made = await server.people.post((who.ben, who.mei)[number % 2], channels[number % 10], f"number {number}")
        posted[str(ref(channels[number % 10], made))] = f"number {number}"
        await asyncio.sleep(0)
    await guild.settled()
    assert await guild.stored() == posted


@pytest.mark.parametrize("drop", ["ask_to_reconnect", "close", "cut", "invalidate"])
async def test_a_gateway_dropped_in_mid_answer_loses_nothing_and_says_nothing_twice(
    guild: DiscordTown, drop: str
) -> None:
    await guild.talks()
    who, server = guild.who, guild.server
    server.faults.slow("POST", f"/channels/{who.pier}/messages", 0.3)
    await server.people.post(who.ben, who.pier, f"<@{server.town.bot}> who else has {WICK}?")
    await server.gateway.settled()
    dropping = asyncio.create_task(guild.drops(drop))
    await asyncio.sleep(0)
    missed = await server.people.post(who.mei, who.lanterns, "said in between")
    await dropping
    await guild.settled()
    assert [offered(one) for one in await answers(guild, who.pier)] == [[who.lanterns]]
    assert (await guild.stored())[str(ref(who.lanterns, missed))] == "said in between"
    await guild.asks(who.ben, who.lanterns, "who else has larch for a keel and pintles for the rudder of a dinghy?")
    assert len(await answers(guild, who.lanterns)) == 1
    assert server.faults.invalid == 0


async def test_a_gateway_dropped_in_mid_stream_does_not_break_the_answer_off(guild: DiscordTown) -> None:
    who, server = guild.who, guild.server
    await guild.says(who.mo, who.pier, "oakum")
    await guild.indexed()
    asked = await guild.command(who.mo, who.pier, "privacy", choice="forget")
    server.faults.slow("POST", "/webhooks/*", 0.3)
    message = int(asked.messages[0]["id"])
    token = next(one["custom_id"] for one in buttons(asked.messages[0]) if one["label"] == "Erase everything")
    pressed = await server.uses.press(who.mo, who.pier, message, custom_id=token)
    await server.rest.until(lambda: server.faults.requests("POST", "/webhooks/*"))
    await guild.drops("close")
    await guild.settled()
    told = [one["content"] for one in (await server.uses.answer(pressed)).messages if int(one["id"]) != message]
    assert len(told) == 1
    assert told[0].endswith("I looked again, everywhere: 0 left.")
    assert len(server.faults.requests("PATCH", "/webhooks/*")) > 1, "it was said in pieces"


async def test_after_downtime_what_was_said_is_learned_and_none_of_it_answered(
    discord: DiscordServer, home: Path, ending: None
) -> None:
    who = community(discord.town)
    async with living(discord, who, home) as guild:
        await guild.talks()
        early = await guild.says(who.ben, who.pier, "first words")
    for number in range(30):
        await discord.people.post(
            who.ben, (who.pier, who.lanterns)[number % 2], f"<@{discord.town.bot}> number {number}"
        )
    late = await discord.people.post(who.ben, who.pier, "oakum")
    await discord.people.edit(who.ben, who.pier, late, "tar")
    new = await discord.staff.make_channel(who.anna, who.guild, "kites")
    await discord.people.post(who.mei, new, "a kite of silk")
    async with living(discord, who, home) as guild:
        texts = await guild.stored()
        assert sum("number" in text for text in texts.values()) == 30
        assert texts[str(ref(who.pier, late))] == "tar"
        assert texts[str(ref(who.pier, early))] == "first words"
        assert "a kite of silk" in texts.values()
        assert await answers(guild, who.pier) == await answers(guild, who.lanterns) == []
        await guild.asks(who.ben, who.pier, f"who else has {WICK}?")
        assert len(await answers(guild, who.pier)) == 1
    assert len(discord.faults.requests("PUT", "/applications/*/commands")) == 1


@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_a_storm_of_429_is_waited_out_and_the_answer_arrives(guild: DiscordTown, scope: str) -> None:
    await guild.talks()
    who, faults = guild.who, guild.server.faults
    faults.limit("POST", f"/channels/{who.pier}/messages", after=0.6, times=2, scope=scope)
    began = asyncio.get_running_loop().time()
    await guild.asks(who.ben, who.pier, f"who else has {WICK}?")
    assert asyncio.get_running_loop().time() - began > 1.2
    assert faults.hasty() == []
    assert len(await answers(guild, who.pier)) == 1
    assert faults.invalid == (0 if scope == "shared" else 2)
    [trace] = await guild.traces(who.pier, "MessagePosted")
    assert trace.receipts[0].state == "done"
    assert trace.receipts[0].waited_for == "paused"
    assert trace.receipts[0].waited >= 1.2


async def test_moderation_goes_before_what_else_waits(guild: DiscordTown) -> None:
    who, faults = guild.who, guild.server.faults
    faults.limit("POST", f"/channels/{who.pier}/messages", after=0.8, scope="global")
    sender = guild.living.lanes._pipeline.performer.sender
    send, everywhere = sender.send, sender._budget(ref(who.pier))._all
    first = asyncio.create_task(send(Say(to=ref(who.pier), text="one"), Urgency.REPLY))
    async with asyncio.timeout(30):
        while everywhere.opens_at <= guild.app.clock.now():  # noqa: ASYNC110 - nothing tells when the bot has heard
            await asyncio.sleep(0)
    second = asyncio.create_task(send(Say(to=ref(who.pier), text="two"), Urgency.REPLY))
    await asyncio.sleep(0)
    quiet = Timeout(member=ref(who.guild, who.ben), minutes=5)
    third = asyncio.create_task(send(quiet, Urgency.MODERATION))
    assert [one.state for one in await asyncio.gather(first, second, third)] == ["done"] * 3
    later = [one.method for one in faults.requests() if one.method in {"POST", "PATCH"}][-3:]
    assert later == ["PATCH", "POST", "POST"]
    assert faults.hasty() == []


async def test_what_another_kind_of_act_was_told_holds_for_the_same_route(guild: DiscordTown) -> None:
    who, faults = guild.who, guild.server.faults
    faults.limit("POST", f"/channels/{who.office}/messages", after=0.5)
    send = guild.living.lanes._pipeline.performer.sender.send
    first = asyncio.create_task(send(Say(to=ref(who.office), text="one"), Urgency.REPLY))
    await guild.server.rest.until(lambda: faults.requests("POST", f"/channels/{who.office}/messages"))
    asked = AskStaff(to=ref(who.office), text="two", skill="report", proposed=())
    assert [(await one).state for one in (first, asyncio.create_task(send(asked, Urgency.REPLY)))] == ["done", "done"]
    assert faults.hasty() == []
    assert len(faults.requests("POST", f"/channels/{who.office}/messages")) == 3


async def test_refusals_are_counted_and_the_brake_closes_at_a_tenth_of_what_discord_bears(guild: DiscordTown) -> None:
    who, faults = guild.who, guild.server.faults
    brake = guild.app.counts.brake("discord")
    for _ in range(998):
        brake.note()
    faults.fail("POST", f"/channels/{who.pier}/messages", 403, code=50013, times=3)
    say = Say(to=ref(who.pier), text="hello")
    for left in (1, 0):
        receipt = await guild.adapter.act(say)
        assert receipt.state == "failed"
        assert "lack a right" in receipt.error
        assert brake.holds is (left == 0)
    sent = len(faults.requests("POST", f"/channels/{who.pier}/messages"))
    with pytest.raises(Exception, match="hold back before it blocks me") as held:
        await guild.adapter.act(say)
    assert held.value.scope == "all"
    assert len(faults.requests("POST", f"/channels/{who.pier}/messages")) == sent
    assert faults.invalid == 2


STRANGE = [
    {"op": 0},
    {"op": 99, "d": None},
    {"op": 0, "t": "A_THING_OF_TOMORROW", "s": None, "d": {"x": 1}},
    {"op": 0, "t": "MESSAGE_CREATE", "s": None, "d": {}},
    {"op": 0, "t": "MESSAGE_CREATE", "s": None, "d": None},
    {"op": 0, "t": "INTERACTION_CREATE", "s": None, "d": {"id": "1"}},
    {"op": 0, "t": "GUILD_MEMBER_UPDATE", "s": None, "d": {"guild_id": "x", "user": None}},
]


async def test_frames_that_no_server_sends_are_passed_over(guild: DiscordTown) -> None:
    who, server = guild.who, guild.server
    for frame in STRANGE:
        server.gateway.frame(frame)
    made = await guild.says(who.ben, who.pier, "still there?")
    assert await guild.stored() == {str(ref(who.pier, made)): "still there?"}
    assert (server.gateway.identified, server.gateway.resumed) == (1, 0)


@pytest.mark.parametrize("frame", ["no json at all", "[]"])
async def test_after_what_is_no_frame_at_all_it_begins_anew_and_nothing_is_lost(guild: DiscordTown, frame: str) -> None:
    who, server = guild.who, guild.server
    before = await guild.says(who.ben, who.pier, "before")
    server.gateway.frame(frame)
    missed = await server.people.post(who.ben, who.pier, "meanwhile")
    async with asyncio.timeout(30), server.gateway._moved:
        await server.gateway._moved.wait_for(lambda: server.gateway.identified == 2)
    after = await guild.says(who.ben, who.pier, "after")
    assert set(await guild.stored()) == {str(ref(who.pier, one)) for one in (before, missed, after)}


async def test_a_message_with_absent_fields_and_endless_names_does_no_harm(guild: DiscordTown) -> None:
    who, server = guild.who, guild.server
    await guild.says(who.ben, who.pier, "whole")
    whole = await guild.last(who.anna, who.pier)
    for field in list(whole):
        broken = {key: value for key, value in whole.items() if key != field}
        server.gateway.event("MESSAGE_CREATE", broken | {"id": str(int(whole["id"]) + 1)} if field != "id" else broken)
    endless = {"author": whole["author"] | {"username": "x" * 10_000, "global_name": "@everyone " * 1_000}}
    server.gateway.event("MESSAGE_CREATE", whole | endless | {"id": str(int(whole["id"]) + 2)})
    await guild.settled()
    after = await guild.says(who.ben, who.pier, "and on")
    assert {"whole", "and on"} <= set((await guild.stored()).values())
    assert str(ref(who.pier, after)) in await guild.stored()
    assert (await guild.member(who.ben)).name in {"Ben", ("@everyone " * 1_000)[:100]}


async def test_forged_and_stale_buttons_are_refused_clearly(guild: DiscordTown) -> None:
    await guild.talks()
    who, uses = guild.who, guild.server.uses
    told = await guild.command(who.mo, who.pier, "match", interests=WICK)
    message = int(told.messages[0]["id"])
    for forged in ("x" * 100, "match.join", "menu-", "form/mod/1", "1' OR 1=1 --", "\u202e"):
        refused = await guild.answer(await uses.forge(who.mo, who.pier, message, forged))
        assert "This button is too old" in refused.text
    theirs = buttons(told.messages[0])[0]["custom_id"]
    stolen = await guild.answer(await uses.forge(who.noor, who.pier, guild.who.hello, theirs))
    assert "This button is somebody else's." in stolen.text
    assert "is open to you" in (await guild.press(who.mo, who.pier, message, "Join #lanterns")).text


def mod(*options: dict) -> dict:
    return {"id": "1", "name": "mod", "type": 1, "options": list(options)}


ACT = {"name": "action", "type": 3, "value": "timeout"}
WRONG = {
    "minutes that are no number": [ACT, {"name": "minutes", "type": 3, "value": "soon"}],
    "too many minutes": [ACT, {"name": "minutes", "type": 4, "value": 2**62}],
    "an act that is none": [{"name": "action", "type": 3, "value": "x" * 6000}],
    "an option that is none": [ACT, {"name": "sudo", "type": 5, "value": True}],
    "a list for an act": [{"name": "action", "type": 3, "value": ["ban", "kick"]}],
    "a member that is none": [ACT, {"name": "member", "type": 6, "value": "../../@me"}],
    "nothing": [],
}


@pytest.mark.parametrize("options", WRONG.values(), ids=WRONG)
async def test_options_that_are_wrong_are_refused(guild: DiscordTown, options: list[dict]) -> None:
    who, whom = guild.who, {"name": "member", "type": 6, "value": str(guild.who.ben)}
    given = options if any(one["name"] == "member" for one in options) or not options else [*options, whom]
    told = await guild.forges(who.mo, who.pier, mod(*given))
    assert told.ephemeral
    assert told.text.startswith(("/mod", "That did not work", "I do not know", "Nobody", "There is no"))
    assert not told.text.startswith("Done")
    assert (await guild.forges(who.mo, who.pier, mod(ACT, whom))).text.startswith("Done:")
    assert guild.server.faults.invalid == 0


async def test_a_command_without_the_right_to_it_is_refused(guild: DiscordTown) -> None:
    who, whom = guild.who, {"name": "member", "type": 6, "value": str(guild.who.mei)}
    told = await guild.forges(who.ben, who.pier, mod(ACT, whom))
    assert told.text == "/mod 只有管理员能用。"
    assert told.ephemeral
    unknown = await guild.forges(who.mo, who.pier, {"id": "1", "name": "sudo", "type": 1})
    assert unknown.text.startswith("There is no /sudo.")
    assert guild.server.faults.requests("PATCH", "/guilds/*") == []
    assert (await guild.forges(who.mo, who.pier, mod(ACT, whom))).text.startswith("Done:")


async def test_what_members_write_neither_pings_nor_formats(guild: DiscordTown) -> None:
    who, server = guild.who, guild.server
    name = "@everyone **x** `y`"
    await server.people.call_oneself(who.mei, who.guild, name[:32])
    for text in (
        f"@everyone {WICK} <@&{who.moderators}> ||x||",
        f"@here {WICK} [link](https://example.org) <@{who.anna}>",
    ):
        await guild.says(who.mei, who.lanterns, text)
    await guild.talks()
    await guild.asks(who.ben, who.pier, f"who else has {WICK}?")
    for one in server.faults.requests("POST", "/channels/*/messages"):
        assert one.body["allowed_mentions"]["parse"] == []
        assert one.body["allowed_mentions"]["users"] == []
    answer = await guild.last(who.anna, who.pier)
    assert answer["mention_everyone"] is False
    assert answer["mentions"] == []
