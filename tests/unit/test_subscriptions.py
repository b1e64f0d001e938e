"""What members want to be sent: kept, set back, due at their hour, by one human's last word, never after a no."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.actions import KeepSubscription, SetConsent, inverse
from bot.core.decisions import Receipt
from bot.core.events import MemberLeft
from bot.core.i18n import catalogue
from bot.core.things import Ref
from bot.core.wording import describe
from storage import members, persons, subscriptions
from storage.exporting import export
from storage.subscriptions import Due
from tests.recording import ANA, GENERAL, WEI, SmallBot, small_bot

DONE = Receipt(state="done")
DAILY = KeepSubscription(member=ANA.ref, about="digest", when="daily 8 Europe/Berlin")
WEEKLY = replace(DAILY, when="weekly mon 9 Asia/Shanghai", before=DAILY.when)
OFF = replace(DAILY, when="off", before=DAILY.when)


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home) as opened:
        await opened.follow(opened.posted("hello"))
        await opened.follow(opened.posted("good morning", by=WEI))
        yield opened


async def keep(bot: SmallBot, *actions) -> list[Receipt]:
    return [await bot.performer.keeper.act(bot.community, action) for action in actions]


async def due(bot: SmallBot, when: datetime, about="digest") -> list[Due]:
    async with bot.database.read() as connection:
        return await subscriptions.due(connection, bot.community, when, about=about)


async def said(bot: SmallBot, who=ANA) -> str | None:
    async with bot.database.read() as connection:
        member = await members.by_ref(connection, bot.community, who.ref)
        assert member is not None
        held = await subscriptions.of(connection, "digest", member.id)
    return held.when if held else None


def tomorrow(bot: SmallBot) -> datetime:
    return bot.clock.now() + timedelta(days=1)


async def test_a_wish_is_kept_changed_ended_and_taken_back(bot: SmallBot) -> None:
    assert await said(bot) is None
    assert await keep(bot, DAILY, DAILY, WEEKLY) == [DONE] * 3
    assert await said(bot) == WEEKLY.when
    await keep(bot, inverse(WEEKLY, DONE))
    assert await said(bot) == DAILY.when
    await keep(bot, OFF)
    assert await said(bot) == "off"
    assert await due(bot, tomorrow(bot)) == []
    await keep(bot, inverse(OFF, DONE), inverse(DAILY, DONE))
    assert await said(bot) is None
    stranger = replace(DAILY, member=Ref("plaza", "nobody"))
    assert [one.state for one in await keep(bot, stranger)] == ["failed"]


async def test_it_is_due_at_their_hour_once(bot: SmallBot) -> None:
    await keep(bot, DAILY)
    [first] = await due(bot, tomorrow(bot))
    local = first.planned.astimezone(UTC)
    assert (first.when, first.last_at, local.minute) == (DAILY.when, None, 0)
    assert await due(bot, first.planned - timedelta(seconds=1)) == []
    assert await due(bot, tomorrow(bot), about="suggestions") == []
    await keep(bot, replace(DAILY, before=DAILY.when, served=first.planned))
    again = await due(bot, tomorrow(bot) + timedelta(days=1))
    assert [one.last_at for one in again] == [first.planned]
    late = replace(DAILY, when="daily 9 Europe/Berlin", before="daily 9 Europe/Berlin", served=again[0].planned)
    await keep(bot, late)
    assert [one.last_at for one in await due(bot, tomorrow(bot) + timedelta(days=1))] == [first.planned]


async def test_of_two_accounts_of_one_human_the_last_word_counts(bot: SmallBot) -> None:
    await keep(bot, DAILY, replace(DAILY, member=WEI.ref))
    assert len(await due(bot, tomorrow(bot))) == 2
    async with bot.database.read() as connection:
        ana, wei = [await members.by_ref(connection, bot.community, one.ref) for one in (ANA, WEI)]
    now = bot.clock.now()
    await bot.database.write(lambda c: persons.link(c, ana, wei, now))
    assert [one.member.ref for one in await due(bot, tomorrow(bot))] == [WEI.ref]
    bot.clock.pass_by(5)
    await keep(bot, replace(OFF, member=ANA.ref))
    assert await due(bot, tomorrow(bot)) == [], "who says no with one account gets nothing with the other"


async def test_where_two_rows_become_one_a_no_holds(bot: SmallBot) -> None:
    await keep(bot, DAILY, replace(OFF, member=WEI.ref))
    async with bot.database.read() as connection:
        ana, wei = [await members.by_ref(connection, bot.community, one.ref) for one in (ANA, WEI)]
    await bot.database.write(lambda c: subscriptions.move(c, wei.id, into=ana.id))
    assert (await said(bot), await said(bot, WEI)) == ("off", None)
    await keep(bot, replace(DAILY, member=WEI.ref, about="suggestions"))
    await bot.database.write(lambda c: subscriptions.move(c, wei.id, into=ana.id))
    assert [one.member.ref for one in await due(bot, tomorrow(bot), about="suggestions")] == [ANA.ref]


async def test_nothing_goes_to_who_refuses_or_leaves_and_a_no_outlives_that(bot: SmallBot) -> None:
    await keep(bot, DAILY, replace(OFF, member=WEI.ref), SetConsent(member=ANA.ref, collected=False))
    assert await due(bot, tomorrow(bot)) == []
    await keep(bot, SetConsent(member=ANA.ref, collected=True))
    assert len(await due(bot, tomorrow(bot))) == 1
    now = bot.clock.now()
    await bot.follow(MemberLeft(member=ANA, channel=GENERAL, at=now))
    assert await said(bot) == DAILY.when, "a channel is not the space"
    await bot.follow(MemberLeft(member=ANA, at=now), MemberLeft(member=WEI, at=now))
    assert (await said(bot), await said(bot, WEI)) == (None, "off")


async def test_it_is_told_and_exported(bot: SmallBot) -> None:
    await keep(bot, DAILY)
    english = await catalogue("en")
    served = replace(DAILY, served=datetime(2026, 3, 29, 6, tzinfo=UTC))
    assert [describe(one, english) for one in (DAILY, OFF, served)] == [
        "send ana a digest: daily 8 Europe/Berlin",
        "send ana no digest",
        "note that the turn of ana came: 2026-03-29 06:00 UTC",
    ]
    async with bot.database.read() as connection:
        member = await members.by_ref(connection, bot.community, ANA.ref)
    assert member is not None
    [held] = (await export(bot.database, bot.community, member))["subscription"]
    assert (held["about"], held["hour"], held["zone"]) == ("digest", 8, "Europe/Berlin")
