"""Where members belong is learned in the background: daily, once much was said, at once where nothing may be used."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from bot.belonging import Belonging
from bot.core.errors import Gone, Unavailable
from bot.core.events import CommandGiven
from bot.core.ports import Page, Scope
from bot.core.things import Rank
from brains.matching.learning import Learning
from storage import channels, commons, communities, members, profiles
from storage.profiles import Label
from storage.rows import columns
from storage.tables import LedgerRow
from tests.clocks import HastyClock
from tests.hashing import HashingEncoder
from tests.unit.small_town import BAKING, CYCLING, sentence
from tests.unit.test_closed import BAKER, BREAD, ROOMS, Town, talking
from tests.words import named, said

pytestmark = pytest.mark.slow


class Interrupted:
    """A vector store in whose first page something happens: what members do while it is learned."""

    def __init__(self, inner, happens: Callable[[], Awaitable[None]]) -> None:
        self._inner, self._happens = inner, happens

    async def scroll(self, scope: Scope, *, after=None, limit: int = 1000) -> Page:
        page = await self._inner.scroll(scope, after=after, limit=limit)
        await self._happens()
        return page

    async def count(self, scope: Scope) -> int:
        return await self._inner.count(scope)


@pytest.fixture
async def town(home: Path) -> AsyncIterator[Town]:
    async with talking(home, HashingEncoder()) as opened:
        yield opened


def learning(town: Town, happens: Callable[[], Awaitable[None]] | None = None) -> Learning:
    maker = town.matchmaker
    vectors = Interrupted(maker.vectors, happens) if happens else maker.vectors
    parts = {"database": town.database, "encoder": maker.encoder, "clock": maker.clock, "shelf": maker.shelf}
    return Learning(vectors=vectors, **parts)


def belonging(town: Town, happens: Callable[[], Awaitable[None]] | None = None) -> Belonging:
    async def give() -> Learning:
        return learning(town, happens)

    return Belonging(database=town.database, clock=town.matchmaker.clock, learning=give)


async def label(town: Town) -> Label | None:
    return await town.database.look(lambda c: profiles.label(c, town.community.id))


def passes(town: Town, span: timedelta) -> None:
    clock = town.matchmaker.clock
    assert isinstance(clock, HastyClock)
    clock.pass_by(span.total_seconds())


async def test_it_learns_what_is_missing_then_each_day_and_once_much_was_said(town: Town) -> None:
    part = belonging(town)
    assert await part.look() == 1
    first = await label(town)
    assert await part.look() == 0, "nothing changed"
    passes(town, timedelta(hours=25))
    assert await part.look() == 1, "a day has gone by"
    second = await label(town)
    assert first is not None
    assert second is not None
    assert second.built_at > first.built_at
    talk = [
        replace(said(sentence(BAKING, 900 + n), by="new", minute=900 + n), channel=ROOMS[BAKING]) for n in range(12)
    ]
    await town.happens(*talk)
    await town.index.catch_up()
    assert await part.look() == 0, "how much was said is looked at each hour"
    passes(town, timedelta(hours=2))
    assert await part.look() == 1
    assert town.matchmaker.shelf.learned[town.community.id].messages == 132


async def test_what_is_asked_of_the_bot_is_no_talk_of_the_channel_where_it_is_asked(town: Town) -> None:
    rider, where = named("rider0"), ROOMS[CYCLING]
    aloud = [
        replace(said(f"{BREAD} number {n}?", by=rider.name, minute=200 + n), channel=where, mentioned=True)
        for n in range(20)
    ]
    in_words = replace(said(f"match {BREAD}", by=rider.name, minute=300), channel=where)
    command = CommandGiven(
        command="match",
        line=BREAD,
        aside=False,
        member=rider,
        rank=Rank.MEMBER,
        channel=where,
        at=in_words.at,
        invocation=in_words.message,
    )
    await town.happens(*aloud, in_words, command)
    await town.index.catch_up()
    part = belonging(town)
    assert await part.look() == 1
    shelf = town.matchmaker.shelf
    assert shelf.learned[town.community.id].messages == 120, "forty in each channel were talk"
    offers = await town.fits(BREAD)
    assert offers[0].channel.name == "baking"
    quoted = {message.text for offer in offers for pair in offer.evidence for message in pair}
    assert quoted
    assert not quoted & {one.text for one in (*aloud, in_words)}
    known = shelf.learned[town.community.id].label
    passes(town, timedelta(hours=2))
    assert await part.look() == 0, "the community has not grown by questions"
    assert shelf.learned[town.community.id].label == known


async def test_a_change_of_consent_is_learned_at_once(town: Town) -> None:
    part, baker = belonging(town), await town.member(BAKER)
    await part.look()
    await town.database.write(
        lambda c: members.set_consent(c, baker.id, collected=False, now=town.matchmaker.clock.now())
    )
    assert await part.look() == 1
    assert town.matchmaker.shelf.learned[town.community.id].messages == 100


async def test_what_was_learned_while_consent_changed_is_not_kept(town: Town) -> None:
    part, baker = belonging(town), await town.member(BAKER)
    await part.look()
    before = await label(town)
    passes(town, timedelta(hours=25))

    async def withdraw() -> None:
        at = town.matchmaker.clock.now()
        await town.database.write(lambda c: members.set_consent(c, baker.id, collected=False, now=at))

    await belonging(town, withdraw).look()
    assert await label(town) == before, "it was learned from what may not be used any more"
    common = await town.database.look(functools.partial(commons.read, community=town.community))
    assert before is not None
    assert before.version != common.mark, "nor does the former serve"
    offers = await town.fits(BREAD)
    quoted = {message.author for offer in offers for pair in offer.evidence for message in pair}
    assert offers
    assert baker.id not in quoted


async def test_nobody_is_quoted_who_withheld_consent_while_somebody_waited(town: Town) -> None:
    baker = await town.member(BAKER)

    async def withdraw() -> None:
        at = town.matchmaker.clock.now()
        await town.database.write(lambda c: members.set_consent(c, baker.id, collected=False, now=at))

    waiting = replace(town.matchmaker, vectors=Interrupted(town.matchmaker.vectors, withdraw))
    with pytest.raises(Unavailable):
        [_ async for _ in waiting.for_texts(town.community, [BREAD], k=3)]
    quoted = {message.author for offer in await town.fits(BREAD) for pair in offer.evidence for message in pair}
    assert quoted
    assert baker.id not in quoted


async def test_who_dies_between_learning_and_keeping_leaves_what_was_there(town: Town) -> None:
    await belonging(town).look()
    before = await label(town)
    passes(town, timedelta(hours=25))

    async def die() -> None:
        raise Gone("The vectors were cut off.")

    with pytest.raises(Gone):
        await belonging(town, die).look()
    assert await label(town) == before
    assert (await town.fits(BREAD))[0].channel.name == "baking", "the former serve meanwhile"
    assert await belonging(town).look() == 1


async def test_another_process_that_closes_a_channel_is_heeded_by_what_is_held_in_memory(town: Town) -> None:
    await belonging(town).look()
    assert (await town.fits(BREAD))[0].channel.name == "baking"
    held = town.matchmaker.shelf.learned[town.community.id]
    rooms = await town.database.look(lambda c: channels.every(c, town.community))
    baking = next(number for number, room in rooms.items() if room.name == "baking")
    await town.close(ROOMS[BAKING])
    assert "baking" not in {offer.channel.name for offer in await town.fits(BREAD)}
    after = town.matchmaker.shelf.learned[town.community.id]
    assert baking in held.profiles.channels
    assert baking not in after.profiles.channels


async def learned_lines(town: Town) -> list[dict]:
    async def look(connection) -> list[dict]:
        rows = await connection.execute(
            select(*columns(LedgerRow, "details")).where(col(LedgerRow.act) == "learn").order_by(col(LedgerRow.id))
        )
        return [row.details if isinstance(row.details, dict) else json.loads(row.details) for row in rows]

    return await town.database.look(look)


async def test_a_first_answer_waits_for_no_rehearsals_where_the_rest_is_learned_behind(town: Town) -> None:
    shelf = town.matchmaker.shelf
    shelf.behind = True
    assert (await town.fits(BREAD))[0].channel.name == "baking"
    first, *_ = await learned_lines(town)
    assert first["rehearsed"] is False

    async def again():
        return await learning(town).learn(town.community)

    learned = await shelf.learn_once(town.community.id, again)
    assert learned.profiles.rehearsed
    last = (await learned_lines(town))[-1]
    assert {"learned", "usual"} <= last["ndcg@10"].keys()
    assert last["messages"] == 120
    assert await belonging(town).look() == 0, "nothing is left to learn"


async def test_what_was_not_rehearsed_is_learned_whole_and_takes_nobody_s_place(town: Town) -> None:
    await learning(town).learn(town.community, rehearsed=False)
    assert not town.matchmaker.shelf.learned[town.community.id].profiles.rehearsed
    town.matchmaker.shelf.learned.clear()
    whole = None

    async def meanwhile() -> None:
        nonlocal whole
        passes(town, timedelta(seconds=1))
        whole = whole or await learning(town).learn(town.community)

    await learning(town, meanwhile).learn(town.community, rehearsed=False)
    assert whole is not None
    assert await label(town) == whole.label, "who was slower than the rehearsals keeps nothing"
    passes(town, timedelta(hours=1))
    assert await belonging(town).look() == 0


async def test_a_process_that_is_killed_leaves_what_was_there_and_the_next_one_learns(town: Town) -> None:
    await belonging(town).look()
    before = await label(town)
    passes(town, timedelta(hours=25))
    much = replace(learning(town), apart=1)

    async def give() -> Learning:
        return much

    part = Belonging(database=town.database, clock=town.matchmaker.clock, learning=give)
    looking = asyncio.create_task(part.look())
    os.kill(await asyncio.to_thread(learner), signal.SIGKILL)
    with pytest.raises(Unavailable, match="was cut off"):
        await looking
    assert await label(town) == before
    assert (await town.fits(BREAD))[0].channel.name == "baking", "the former serve meanwhile"
    assert await part.look() == 1
    assert await label(town) != before


async def test_a_community_that_cannot_be_learned_keeps_no_other_waiting(town: Town) -> None:
    await town.database.write(lambda c: communities.find_or_make(c, "another", town.matchmaker.clock.now()))
    asked = 0

    async def give() -> Learning:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise Gone("The encoder is away.")
        return learning(town)

    with pytest.raises(Gone):
        await Belonging(database=town.database, clock=town.matchmaker.clock, learning=give).look()
    assert asked == 2


def learner() -> int:
    """Wait for the process that learns for this one."""
    while True:
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                mine = int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid()
                if mine and b"study_process" in (folder / "cmdline").read_bytes():
                    return int(folder.name)
        time.sleep(0.01)


async def test_what_is_cut_off_again_and_again_is_tried_less_and_less_often(town: Town) -> None:
    tries, well = 0, False

    async def cut() -> None:
        nonlocal tries
        tries += not well
        if not well:
            raise Unavailable("Learning was cut off.")

    part = belonging(town, cut)

    async def minutes(count: int) -> None:
        for _ in range(count):
            passes(town, timedelta(minutes=1))
            with contextlib.suppress(Unavailable):
                await part.look()

    await minutes(2)
    assert tries == 2, "once it is tried again at once"
    await minutes(118)
    assert 5 <= tries <= 9
    well = True
    await minutes(60)
    assert await label(town) is not None


async def test_what_is_away_is_asked_for_each_minute(town: Town) -> None:
    tries = 0

    async def away() -> None:
        nonlocal tries
        tries += 1
        raise Gone("The vectors are away.")

    part = belonging(town, away)
    for _ in range(5):
        passes(town, timedelta(minutes=1))
        with pytest.raises(Gone):
            await part.look()
    assert tries == 5


async def test_a_clock_that_was_set_back_stops_no_learning(town: Town) -> None:
    part = belonging(town)
    assert await part.look() == 1
    passes(town, -timedelta(hours=2))
    assert await part.look() == 0, "a little is nothing"
    passes(town, -timedelta(days=30))
    assert await part.look() == 1
    found = await label(town)
    assert found is not None
    assert found.built_at == town.matchmaker.clock.now()
