"""Staff on Discord: asking why, taking back, reports by the message menu, sanctions, and above whom nobody acts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.platforms import Refused
from tests.story.discord_town import WICK, DiscordTown, labels

pytestmark = pytest.mark.slow


async def is_quiet(guild: DiscordTown, user: int) -> bool:
    found = await guild.server.views.member(user, guild.who.guild)
    until = found and found["communication_disabled_until"]
    return bool(until and datetime.fromisoformat(until) > datetime.now(UTC))


async def test_staff_learn_why_and_take_back_and_members_do_neither(guild: DiscordTown) -> None:
    await guild.talks()
    who = guild.who
    await guild.asks(who.ben, who.pier, f"who else has {WICK}?")
    for command in ("why", "undo"):
        with pytest.raises(Refused, match="for staff"):
            await guild.server.uses.command(who.ben, who.pier, command)
    why = await guild.command(who.mo, who.pier, "why")
    assert "These fit best: #lanterns" in why.text
    assert why.ephemeral
    await guild.asks(who.ben, who.pier, "undo")
    assert "/undo is for the staff." in (await guild.told_directly(who.ben))[-1]["content"]
    assert len(await guild.heard(who.ben, who.pier)) == 1
    assert (await guild.command(who.mo, who.pier, "undo")).text.startswith("Taken back:")
    assert await guild.heard(who.ben, who.pier) == []


async def test_the_message_menu_asks_why_about_that_message(guild: DiscordTown) -> None:
    await guild.talks()
    who = guild.who
    await guild.asks(who.ben, who.pier, f"who else has {WICK}?")
    answer = int((await guild.last(who.anna, who.pier))["id"])
    await guild.asks(who.mei, who.pier, "help match")
    told = await guild.answer(await guild.server.uses.menu(who.mo, who.pier, "Why?", answer))
    assert "#lanterns" in told.text
    link = f"https://discord.com/channels/{who.guild}/{who.pier}/{answer}"
    undone = await guild.command(who.mo, who.pier, "undo", message=link)
    assert undone.text.startswith("Taken back:")
    assert str(answer) not in [one["id"] for one in await guild.sees(who.anna, who.pier)]


async def test_a_report_by_the_menu_reaches_the_staff_who_settle_it(guild: DiscordTown) -> None:
    who, server = guild.who, guild.server
    await guild.wants(staff_channel=f"<#{who.office}>", language="en")
    rude = await guild.says(who.mei, who.pier, "you are *all* idiots @everyone")
    asked = await server.uses.menu(who.ben, who.pier, "Report to staff", rude)
    form = await server.uses.acknowledged(asked)
    assert form.modal["title"] == "举报给管理员"
    sent = await server.uses.submit(who.ben, asked, {"reason": "this is unkind"})
    thanks = await guild.answer(sent)
    assert thanks.text.startswith("谢谢")
    assert thanks.ephemeral
    report = await guild.last(who.mo, who.office)
    for part in ("idiots", "Ben", "this is unkind", f"/channels/{who.guild}/{who.pier}/{rude}"):
        assert part in report["content"]
    assert report["mention_everyone"] is False
    assert labels(report) == ["Spam", "Hacked account", "Off-topic", "Rude", "Fine"]
    await guild.press(who.mo, who.office, int(report["id"]), "Hacked account")
    assert await is_quiet(guild, who.mei)
    assert rude not in [int(one["id"]) for one in await guild.sees(who.ben, who.pier)]
    [now] = [one for one in await guild.heard(who.noor, who.office) if one["id"] == report["id"]]
    assert "Hacked account, decided by Mo." in now["content"]
    assert labels(now) == []


async def test_a_member_is_timed_out_by_staff_and_it_is_undone(guild: DiscordTown) -> None:
    who = guild.who
    told = await guild.command(who.mo, who.pier, "mod", action="timeout", member=who.ben, minutes=5, reason="too loud")
    assert "for 5 minutes" in told.text
    with pytest.raises(Refused, match="timed out"):
        await guild.server.people.post(who.ben, who.pier, "but")
    logged = [one.body for one in guild.server.faults.requests("PATCH", f"/guilds/*/members/{who.ben}")]
    assert len(logged) == 1
    await guild.command(who.mo, who.pier, "undo")
    await guild.says(who.ben, who.pier, "thank you")
    assert (await guild.last(who.mei, who.pier))["content"] == "thank you"
    assert guild.server.faults.invalid == 0


@pytest.mark.parametrize("act", ["timeout", "kick", "ban", "warn"])
async def test_nobody_acts_on_who_stands_above_or_beside_them(guild: DiscordTown, act: str) -> None:
    who, server = guild.who, guild.server
    beside = server.town.newcomer(who.guild, "Olu", who.moderators)
    for whom, why in ((who.noor, "stands above"), (who.anna, "stands above"), (beside, "or beside them")):
        told = await guild.command(who.mo, who.pier, "mod", action=act, member=whom, reason="so")
        assert "That did not work" in told.text
        assert why in told.text
        assert told.ephemeral
        assert not await is_quiet(guild, whom)
        assert await server.views.member(whom, who.guild)
    assert server.faults.invalid == 0
    told = await guild.command(who.mo, who.pier, "mod", action=act, member=who.ben, reason="so")
    assert told.text.startswith("Done:")
    assert server.faults.invalid == 0


async def test_a_right_that_the_bot_lacks_is_named_and_never_tried(guild: DiscordTown) -> None:
    who = guild.who
    guild.server.town.take_rights(who.guild, "moderate_members", "administrator")
    await guild.settled()
    told = await guild.command(who.mo, who.pier, "mod", action="timeout", member=who.ben)
    assert "I lack Timeout Members" in told.text
    assert guild.server.faults.requests("PATCH", "/guilds/*/members/*") == []
    guild.server.town.give_rights(who.guild, "moderate_members")
    await guild.settled()
    assert (await guild.command(who.mo, who.pier, "mod", action="timeout", member=who.ben)).text.startswith("Done:")
    assert guild.server.faults.invalid == 0
