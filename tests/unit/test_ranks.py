"""Whether somebody is staff, as far as their latest events tell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.events import Arrival, Named
from bot.core.things import Rank
from storage import members, ranks
from storage.inbox import Inbox
from tests.recording import ANA, SPACE, WEI, SmallBot, small_bot


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home) as opened:
        yield opened


async def seen(bot: SmallBot, who: Named) -> Rank:
    async with bot.database.read() as connection:
        member = await members.by_ref(connection, bot.community, who.ref)
        assert member is not None
        return await ranks.last_seen(connection, bot.community, member)


async def test_a_rank_is_what_the_latest_events_show(bot: SmallBot) -> None:
    await bot.follow(bot.posted("hi"), bot.posted("嗨", by=WEI))
    stream = Inbox(bot.database, clock=bot.clock, holder="test")
    for event in (
        bot.posted("hello"),
        bot.posted("你好", by=WEI),
        bot.command("why", by=WEI, rank=Rank.STAFF),
        bot.posted("again", by=WEI),
    ):
        await stream.put(Arrival(space=SPACE, event=event))
    assert (await seen(bot, ANA), await seen(bot, WEI)) == (Rank.MEMBER, Rank.STAFF)
    await stream.put(Arrival(space=SPACE, event=bot.posted("mine", by=replace(ANA, rank=Rank.OWNER))))
    assert await seen(bot, ANA) is Rank.OWNER
    for _each in range(ranks.LOOKED_AT):
        await stream.put(Arrival(space=SPACE, event=bot.posted("later", by=ANA)))
    assert await seen(bot, ANA) is Rank.MEMBER, "who was staff once need not be staff now"
