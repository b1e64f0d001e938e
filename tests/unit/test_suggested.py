"""What was suggested to members: counted once, taken back, worn lately or after twice; words that say when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.actions import KeepSubscription, KeepSuggested, inverse
from bot.core.decisions import Receipt
from bot.core.i18n import catalogue
from bot.core.things import Channel
from bot.core.wording import describe
from brains.skills.weekly import meant
from storage import channels, members, persons, suggested
from storage.exporting import export
from tests.recording import ANA, GENERAL, STAFF, WEI, SmallBot, small_bot
from tests.words import MONDAY

DONE = Receipt(state="done")
FIRST = KeepSuggested(member=ANA.ref, channels=(GENERAL.ref,), at=MONDAY)
MONTH = timedelta(days=31)


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home) as opened:
        await opened.follow(opened.posted("hello"))
        await opened.follow(opened.posted("good morning", by=WEI))
        yield opened


async def keep(bot: SmallBot, *actions) -> list[Receipt]:
    return [await bot.performer.keeper.act(bot.community, action) for action in actions]


async def times(bot: SmallBot, *who) -> list[int]:
    async with bot.database.read() as connection:
        found = [await members.by_ref(connection, bot.community, one.ref) for one in who or (ANA,)]
        told = await suggested.of(connection, *(one.id for one in found if one))
    return [one.times for one in told.values()]


async def worn(bot: SmallBot, moment) -> frozenset[int]:
    async with bot.database.read() as connection:
        rooms: dict[int, Channel] = dict(await channels.every(connection, bot.community))
        ana = await members.by_ref(connection, bot.community, ANA.ref)
        assert ana is not None
        mine = await members.alike(connection, bot.community, ana)
        return await suggested.worn(connection, bot.community, rooms, accounts=mine, refs=[ANA.ref], now=moment)


async def test_what_was_suggested_is_counted_once_however_often_it_is_kept_and_taken_back_once(bot: SmallBot) -> None:
    assert await keep(bot, FIRST, FIRST) == [DONE, DONE]
    assert await times(bot) == [1], "a crash repeats what is kept"
    second = replace(FIRST, at=MONDAY + MONTH)
    await keep(bot, second)
    assert await times(bot) == [2]
    await keep(bot, inverse(second, DONE), inverse(second, DONE))
    assert await times(bot) == [1]
    await keep(bot, inverse(FIRST, DONE))
    assert await times(bot) == [1], "what was counted last is what is taken back"


async def test_a_channel_is_worn_for_a_month_and_after_the_second_time_for_good_by_any_account(bot: SmallBot) -> None:
    assert await worn(bot, MONDAY) == frozenset()
    await keep(bot, FIRST)
    assert len(await worn(bot, MONDAY + timedelta(days=29))) == 1
    assert await worn(bot, MONDAY + MONTH) == frozenset()
    await keep(bot, replace(FIRST, member=WEI.ref))
    assert await worn(bot, MONDAY + MONTH) == frozenset(), "what others were shown is theirs"

    async def link(connection) -> None:
        ana, wei = [await members.by_ref(connection, bot.community, one.ref) for one in (ANA, WEI)]
        await persons.link(connection, ana, wei, bot.clock.now())

    await bot.database.write(link)
    assert len(await worn(bot, MONDAY + MONTH)) == 1, "and one human's accounts are one"


async def test_nothing_is_counted_of_a_channel_that_is_gone_and_an_export_tells_what_was(bot: SmallBot) -> None:
    await keep(bot, replace(FIRST, channels=(STAFF.ref, GENERAL.ref)))
    assert await times(bot) == [1]
    async with bot.database.read() as connection:
        ana = await members.by_ref(connection, bot.community, ANA.ref)
    assert ana is not None
    [told] = (await export(bot.database, bot.community, ana))["suggested"]
    assert told["times"] == 1


async def test_it_is_told_in_words() -> None:
    say = await catalogue("en")
    assert describe(FIRST, say).startswith("note which channels were suggested to")
    assert describe(inverse(FIRST, DONE), say).startswith("note that channels were not suggested to")
    off = KeepSubscription(member=ANA.ref, about="suggestions", when="off")
    assert "no suggestions" in describe(off, say)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("weekly", ""),
        ("Weekly off", "off"),
        ("weekly mon 9 Europe/Berlin", "mon 9 Europe/Berlin"),
        ("weekly 9 berlin", "9 berlin"),
        ("weekly sunday", "sunday"),
        ("每周 周一 9点", "周一 9点"),
        ("weekly sunday roast", None),
        ("weekly board games", None),
        ("weekly monopoly", None),
        ("board games weekly", None),
        ("sourdough", None),
    ],
)
def test_what_says_when_is_no_interest(said: str, expected: str | None) -> None:
    assert meant(said) == expected
