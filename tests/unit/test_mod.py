"""Whom `/mod` means: found by name, or named by the platform, and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.actions import Ban, Exhibit, KeepCase, OpenDirect, Timeout, Warn
from bot.core.decisions import Receipt
from bot.core.events import Named
from bot.core.things import Rank, Ref
from brains.skills import mod
from storage import cases
from tests.recording import ANA, GENERAL, PLATFORM, SPACE, STAFF, WEI, SmallBot, small_bot

ROBOT = Named(ref=Ref(PLATFORM, "robot"), name="Robot", bot=True)


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home, skills=(mod.SKILL,)) as opened:
        await opened.follow(opened.posted("hello"), opened.posted("你好", by=WEI), opened.posted("beep", by=ROBOT))
        yield opened


async def mods(bot: SmallBot, act: str, member: str, **more: str) -> str:
    """Let Wei of the staff do something, and return the answer."""
    await bot.happens(bot.command("mod", by=WEI, rank=Rank.STAFF, action=act, member=member, **more))
    return bot.plaza.said[-1]


@pytest.mark.parametrize("member", ["Ana", "@ana", "plaza:ana"])
async def test_a_member_is_found_however_staff_calls_them(bot: SmallBot, member: str) -> None:
    await mods(bot, "timeout", member, minutes="5", reason="too loud")
    assert bot.plaza.done[0] == Timeout(member=ANA.ref, minutes=5, by=WEI.ref, reason="too loud", space=SPACE.ref)


async def test_who_was_never_met_is_named_by_the_platform_alone(bot: SmallBot) -> None:
    await mods(bot, "ban", "plaza:lurker")
    assert bot.plaza.done[0] == Ban(member=Ref(PLATFORM, "lurker"), by=WEI.ref, space=SPACE.ref)
    assert "李伟" not in await mods(bot, "ban", "elsewhere:lurker")
    assert len([one for one in bot.plaza.done if isinstance(one, Ban)]) == 1, "another platform's member is not ours"


async def test_nobody_of_that_name_is_met_with_near_ones_and_nothing_is_done(bot: SmallBot) -> None:
    assert (await mods(bot, "ban", "Anna")).startswith("plaza 里没有成员 'Anna'。你是想说 Ana")
    assert not any(isinstance(one, Ban) for one in bot.plaza.done)


@pytest.mark.parametrize("member", ["robot", "wei"])
async def test_bots_and_oneself_are_left_alone(bot: SmallBot, member: str) -> None:
    await mods(bot, "kick", member)
    assert [type(one).__name__ for one in bot.plaza.done] == ["Say"]
    await mods(bot, "kick", "ana")
    assert [type(one).__name__ for one in bot.plaza.done] == ["Say", "OpenDirect", "Kick", "Say"], (
        "they hear of it first"
    )


async def test_members_may_not(bot: SmallBot) -> None:
    await bot.happens(bot.command("mod", action="ban", member="wei"))
    assert bot.plaza.said == ["/mod is for the staff."]
    await mods(bot, "ban", "ana")
    assert isinstance(bot.plaza.done[-2], Ban)


async def test_a_warning_is_said_aloud_only_where_its_place_is_known(bot: SmallBot) -> None:
    await bot.follow(replace(bot.posted("hello", by=WEI), channel=STAFF))
    await bot.tune("staff_channel", str(STAFF.ref))

    async def warns(where: Named) -> list[object]:
        before = len(bot.plaza.done)
        given = bot.command("mod", by=WEI, rank=Rank.STAFF, action="warn", member="ana", reason="no selling")
        await bot.happens(replace(given, channel=where))
        return bot.plaza.done[before:]

    async def held() -> int:
        async with bot.database.read() as connection:
            return await cases.points(connection, 1, bot.clock.now())

    [aloud, _told] = await warns(GENERAL)
    assert isinstance(aloud, Warn)
    assert aloud.channel == GENERAL.ref
    [letter, done] = await warns(STAFF)
    assert isinstance(letter, OpenDirect), "the staff talks among itself"
    assert "/undo" not in done.text
    points = await held()
    bot.plaza.script.append(Receipt(state="failed", error="they never wrote to me"))
    [told] = await warns(STAFF)
    assert "they never wrote to me" in told.text
    assert await held() == points > 0, "what nobody heard counts for nothing"

    said = Exhibit(message=Ref(PLATFORM, "m1"), channel=GENERAL.ref, text="hello", at=bot.clock.now())
    waits = KeepCase(case="WAITS2", member=ANA.ref, about="reported", reason="", exhibits=(said,))
    await bot.performer.keeper.act(bot.community, waits)
    [aloud, _told] = await warns(STAFF)
    assert isinstance(aloud, Warn)
    assert aloud.channel == GENERAL.ref, "where they wrote what the case rests on"
