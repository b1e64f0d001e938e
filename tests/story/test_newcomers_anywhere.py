"""Somebody new on any platform: welcomed, asked, led and heard; and asked again a week later if nothing took."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.core.things import Ref
from storage import acts, feedback, interests, newcomers, traces, wishes
from tests.clocks import Ago
from tests.contract.platform import BUTTONS, COMMANDS, JOINING, Seen
from tests.story.any_town import AnyTown, in_mode, living, needs, wants
from tests.story.discord_town import PATIENCE, WICK
from tests.story.stages import Stage

pytestmark = pytest.mark.slow

WELCOME = {"en": "Welcome, ", "zh_CN": "欢迎，"}
REMEMBERED = {"en": "I remember this as yours", "zh_CN": "我会替你记住"}
TOLD = {"en": "You told me that you like", "zh_CN": "你告诉过我你喜欢"}
FORGET = {"en": "Forget: wax and bamboo for the…", "zh_CN": "忘掉：wax and bamboo for the…"}
NOT_FOR_ME = {"en": "Not for me", "zh_CN": "不感兴趣"}
AGAIN = {"en": "Offer #lanterns again", "zh_CN": "重新推荐 #lanterns"}
PLACE = {"en": "Did you find your place?", "zh_CN": "找到适合你的地方了吗？"}
STOP = {"en": "Stop asking", "zh_CN": "不要再问"}
STOPPED = {"en": "no more of my own accord", "zh_CN": "我不再主动写信给你"}
JOIN = {"en": "Join #", "zh_CN": "加入 #"}
SPOKEN = {"discord": "zh_CN", "telegram": "zh_CN", "slack": "en", "wire": "en"}
"""Which language is spoken in the longest of these stories: in both it would take twice as long."""
in_both = pytest.mark.parametrize("language", ["en", "zh_CN"])


async def likes(town: AnyTown, who: Ref) -> list[str]:
    member = await town.member(who)
    async with town.app.database.read() as connection:
        return [one.text for one in await interests.of(connection, member.id)]


async def opinions(town: AnyTown, who: Ref) -> set[str]:
    member = await town.member(who)
    async with town.app.database.read() as connection:
        return set((await feedback.of(connection, member.id)).values())


async def welcomed(town: AnyTown, language: str = "en") -> tuple[Ref, Seen]:
    """Let somebody arrive where newcomers are welcomed; return them and their welcome."""
    on = town.on
    await wants(town, welcome_channel=str(on.public), language=language)
    before = await town.sees(on.owner)
    newcomer = await on.arrive("Ida", language)
    await town.settled()
    if JOINING not in on.lacks:
        await on.join(newcomer, on.public)
    after = await town.sees(on.owner)
    [hello] = [one for ref, one in after.items() if ref not in before and one.author == on.bot]
    return newcomer, hello


def said(told: list[Seen]) -> str:
    return "\n".join(one.text for one in told)


@in_both
async def test_a_newcomer_answers_is_led_refuses_and_takes_it_back(town: AnyTown, language: str) -> None:
    needs(town, BUTTONS)
    on = town.on
    await town.talks()
    await in_mode(town, "welcome", "act")
    newcomer, hello = await welcomed(town, language)
    # Where commands are words, they are said where nobody keeps them.
    where = await town.stage.direct(newcomer) if COMMANDS in on.lacks else on.public
    assert WELCOME[language] in hello.text

    led = await town.told(newcomer, town.says(newcomer, on.public, WICK, reply_to=hello.message))
    assert town.stage.marks in said(led)
    assert REMEMBERED[language] in said(led)
    assert await likes(town, newcomer) == [WICK]

    shown = await town.told(newcomer, town.commands(newcomer, where, "/match"))
    assert TOLD[language] in said(shown)
    assert town.stage.marks in said(shown)
    buttons = next(one for one in shown if one.buttons)
    await town.press(newcomer, buttons.message, NOT_FOR_ME[language])
    assert await opinions(town, newcomer) == {"declined"}
    refused = await town.told(newcomer, town.commands(newcomer, where, f"/match {WICK}"))
    assert town.stage.marks not in said(refused), "a refusal changes the next answer"

    listed = await town.told(newcomer, town.commands(newcomer, where, "/match refused"))
    await town.press(newcomer, next(one for one in listed if one.buttons).message, AGAIN[language])
    assert await opinions(town, newcomer) == set()
    again = await town.told(newcomer, town.commands(newcomer, where, f"/match {WICK}"))
    assert town.stage.marks in said(again)

    shown = await town.told(newcomer, town.commands(newcomer, where, "/match"))
    await town.press(newcomer, next(one for one in shown if one.buttons).message, FORGET[language])
    assert await likes(town, newcomer) == []
    assert TOLD[language] not in said(await town.told(newcomer, town.commands(newcomer, where, "/match")))


async def test_who_did_not_settle_is_asked_once_after_a_week_and_may_stop_that(stage: Stage, home: Path) -> None:
    ago, language = timedelta(days=8), SPOKEN[stage.name]
    stage.turn_back(ago.total_seconds())
    async with living(stage, home, clock=Ago(ago)) as town:
        needs(town, BUTTONS)
        await town.talks()
        await in_mode(town, "welcome", "act")
        await wants(town, daily_hour=str(datetime.now(UTC).hour))
        newcomer, _hello = await welcomed(town, language)
        greeted = await town.told(newcomer, town.says(newcomer, await stage.direct(newcomer), "hello!"))
        assert "/match" in said(greeted), await told(town)
        direct = await stage.direct(newcomer)
    stage.turn_back(0)
    async with living(stage, home) as town:
        await swept(town)
        asked = [one for one in await town.on.sees(newcomer, direct) if PLACE[language] in one.text]
        assert len(asked) == 1, await told(town)
        assert any(label.startswith(JOIN[language]) for label in asked[0].buttons)
        stopped = await town.told(newcomer, town.press(newcomer, asked[0].message, STOP[language]))
        assert STOPPED[language] in said(stopped)
        member = await town.member(newcomer)
        async with town.app.database.read() as connection:
            met = await newcomers.of(connection, member.id)
            assert (met.met if met else "") == "followed"
            assert await wishes.word(connection, "reminders", member.id) is False
            assert await newcomers.due(connection, await town.community(), town.app.clock.now()) == []


async def told(town: AnyTown) -> list[str]:
    """Return what was made of the latest events, for whoever reads why a story failed."""
    async with town.app.database.read() as connection:
        found = await acts.told(connection, await traces.latest(connection, await town.community(), limit=3))
    return [
        f"{one.kind}: {[ruling.why for ruling in one.verdict.rulings]} {[done.error for done in one.receipts]}"
        for one in found
    ]


async def swept(town: AnyTown) -> None:
    """Wait until the day's sweep has come and all that followed is done."""
    async with asyncio.timeout(PATIENCE):
        while not await town._count(_sweeps):  # noqa: ASYNC110 - nothing tells when it is
            await asyncio.sleep(0.02)
    await town.settled()


async def _sweeps(connection) -> int:
    return (await connection.execute(text("SELECT count(*) FROM inbox WHERE key LIKE 'timer welcome.daily%'"))).scalar()
