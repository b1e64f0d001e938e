"""Two accounts of one human in one community: what either said, joined, declined and may read counts for both."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.events import MemberJoined
from storage import channels, feedback, persons
from tests.hashing import HashingEncoder
from tests.unit.small_town import BAKING, CYCLING, sentence
from tests.unit.test_closed import BAKER, ROOMS, Town, talking
from tests.words import MONDAY, named, said

pytestmark = pytest.mark.slow

QUIET, SECOND = named("quiet"), named("second")
"""Two accounts: the one never writes, the other speaks of bicycles among the bakers."""


@pytest.fixture
async def town(home: Path) -> AsyncIterator[Town]:
    async with talking(home, HashingEncoder()) as opened:
        rides = [
            replace(said(sentence(CYCLING, 500 + n), by=SECOND.name, minute=100 + n), channel=ROOMS[BAKING])
            for n in range(6)
        ]
        await opened.happens(MemberJoined(member=QUIET, at=MONDAY), *rides)
        await opened.index.catch_up()
        yield opened


async def link(town: Town) -> None:
    quiet, second = await town.member(QUIET), await town.member(SECOND)
    await town.database.write(functools.partial(persons.link, one=quiet, other=second, now=MONDAY))


async def offered(town: Town) -> list[str]:
    found = await town.matchmaker.for_member(town.community, await town.member(QUIET), k=3)
    return [one.channel.name for one in found]


async def test_what_either_wrote_joined_and_declined_counts(town: Town) -> None:
    assert await offered(town) == []
    await link(town)
    assert await offered(town) == ["cycling"]
    quiet, second = await town.member(QUIET), await town.member(SECOND)
    rooms = {room.name: number for number, room in (await every(town)).items()}
    assert await town.matchmaker.settled(town.community, quiet) == {rooms["baking"]}, "the other is in there"
    no = functools.partial(feedback.keep, member=second.id, channel=rooms["cycling"], opinion="declined", now=MONDAY)
    await town.database.write(no)
    assert await offered(town) == []


async def test_habits_count_one_human_once(town: Town) -> None:
    before = await newcomers(town)
    await link(town)
    assert await newcomers(town) == before, "who never wrote adds nothing"
    baker, second = await town.member(BAKER), await town.member(SECOND)
    await town.database.write(functools.partial(persons.link, one=baker, other=second, now=MONDAY))
    assert sum(await newcomers(town)) == pytest.approx(sum(before) - 1), "the two who came to the bakers are one"


async def newcomers(town: Town) -> list[float]:
    known = await town.matchmaker._know(town.community, await town.matchmaker._see(town.community))
    assert known is not None
    return [float(one) for one in known.profiles.prior.newcomers]


async def every(town: Town):
    async with town.database.read() as connection:
        return await channels.every(connection, town.community)


async def test_evidence_quotes_neither_account_to_the_other(town: Town) -> None:
    await link(town)
    [offer] = await town.matchmaker.for_member(town.community, await town.member(QUIET), k=3)
    theirs = {pair[-1].author for pair in offer.evidence}
    accounts = {(await town.member(who)).id for who in (QUIET, SECOND)}
    assert theirs
    assert not theirs & accounts


async def test_a_closed_channel_that_one_account_reads_is_in_what_is_shown_to_them_alone(town: Town) -> None:
    await town.close(ROOMS[BAKING])
    await town.admit(SECOND, ROOMS[BAKING])

    async def reads(*, alone: bool) -> set[str]:
        async with town.database.read() as connection:
            quiet = await town.member(QUIET)
            found = await channels.reach(connection, town.community, quiet, alone=alone)
        return {one.name for one in found.channels.values()}

    assert "baking" not in await reads(alone=True)
    await link(town)
    assert "baking" in await reads(alone=True)
    assert "baking" not in await reads(alone=False), "what others may hear is bound to the account that asks"
    quiet = await town.member(QUIET)
    await town.database.write(functools.partial(persons.unlink, member=quiet, now=MONDAY))
    assert "baking" not in await reads(alone=True)
    assert (await town.member(BAKER)).person != quiet.person
