"""Proposals about channels as they are kept: how they stand, what is known of what came of them, and when they go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.core import wording
from bot.core.actions import MADE, KeepGrowth, Say, following, inverse
from bot.core.decisions import Receipt
from bot.core.things import Ref
from storage import channels, growth
from tests.recording import GENERAL, PLATFORM, SmallBot, small_bot

DONE = Receipt(state="done")
NEW, THERE = Ref(PLATFORM, MADE), Ref(PLATFORM, "20/901")
TOPIC = KeepGrowth(
    growth="1" * 32,
    about="topic",
    name="sourdough",
    description="Bread and what it needs",
    terms=("sourdough", "starter"),
    fingerprint="hashing-words",
    centre="ADwAPA==",
    channels=(GENERAL.ref,),
    made=THERE,
)


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home) as opened:
        await opened.follow(opened.posted("hello"))
        yield opened


async def keep(bot: SmallBot, action: KeepGrowth) -> Receipt:
    return await bot.performer.keeper.act(bot.community, action)


async def kept(bot: SmallBot, *, after: timedelta = timedelta(0)) -> dict[str, str]:
    now = bot.performer.clock.now() + after
    async with bot.database.read() as connection:
        return {one.name: one.standing for one in await growth.every(connection, bot.community, now=now)}


async def test_a_proposal_is_kept_settled_and_set_back(bot: SmallBot) -> None:
    assert [await keep(bot, TOPIC), await keep(bot, TOPIC)] == [DONE, DONE]
    assert await kept(bot) == {"sourdough": "proposed"}
    refuse = replace(TOPIC, standing="never", before="proposed")
    await keep(bot, refuse)
    assert await kept(bot) == {"sourdough": "never"}
    await keep(bot, inverse(refuse, DONE))
    assert await kept(bot) == {"sourdough": "proposed"}
    await keep(bot, inverse(TOPIC, DONE))
    assert await kept(bot) == {}


async def test_what_is_open_is_over_after_a_while_and_what_was_refused_never(bot: SmallBot) -> None:
    await keep(bot, TOPIC)
    await keep(bot, replace(TOPIC, growth="2" * 32, name="kites", standing="never"))
    assert await kept(bot, after=timedelta(days=80)) == {"sourdough": "proposed", "kites": "never"}
    assert await kept(bot, after=timedelta(days=100)) == {"kites": "never"}


async def test_what_was_made_is_known_at_once_with_what_it_is_for(bot: SmallBot) -> None:
    await keep(bot, TOPIC)
    async with bot.database.read() as connection:
        assert await channels.by_ref(connection, bot.community, THERE) is None
        assert await growth.made_by(connection, bot.community, TOPIC.growth) is None
    await keep(bot, replace(TOPIC, standing="done"))
    async with bot.database.read() as connection:
        room = await channels.by_ref(connection, bot.community, THERE)
        assert await growth.made_by(connection, bot.community, TOPIC.growth) == THERE
    assert room is not None
    assert (room.name, room.description) == ("sourdough", "Bread and what it needs")


async def test_a_channel_that_never_came_to_be_is_not_known(bot: SmallBot) -> None:
    await keep(bot, replace(TOPIC, standing="done", made=NEW))
    async with bot.database.read() as connection:
        assert await channels.by_ref(connection, bot.community, NEW) is None


async def test_a_centre_is_read_as_it_was_kept_and_dropped_by_a_forget(bot: SmallBot) -> None:
    await keep(bot, replace(TOPIC, standing="never"))
    now = bot.performer.clock.now()
    async with bot.database.read() as connection:
        [one] = await growth.every(connection, bot.community, now=now)
    assert one.centre.tolist() == np.ones(2).tolist()
    assert one.channels == {GENERAL.ref}
    await bot.database.write(lambda connection: growth.blur(connection, bot.community))
    async with bot.database.read() as connection:
        [one] = await growth.every(connection, bot.community, now=now)
    assert (one.centre.tolist(), one.terms) == ([], ("sourdough", "starter"))


def test_what_follows_a_channel_that_was_made_goes_there() -> None:
    first = Say(to=NEW, text=f"See {wording.channel(NEW, 'bread')}")
    assert following(first, THERE) == Say(to=THERE, text=f"See {wording.channel(THERE, 'bread')}")
    elsewhere = Say(to=GENERAL.ref, text="nothing of it")
    assert following(elsewhere, THERE) == elsewhere
    keeping = replace(TOPIC, made=NEW)
    assert following(keeping, THERE) == TOPIC
    assert following(replace(TOPIC, made=None), THERE) == replace(TOPIC, made=None)
