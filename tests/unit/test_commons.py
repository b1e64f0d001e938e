"""What was learned stays in use until whose words or which channels it rests on changes, and no longer."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.core.things import Community
from storage import commons, communities, members, policies, refusals
from storage.commons import Common, Commons
from storage.db import Database
from storage.following import Following
from tests.tables import open_database
from tests.words import MONDAY, named, said


@dataclass(frozen=True, kw_only=True)
class Place:
    """A community of which things happen."""

    database: Database
    community: Community
    following: Following
    seen: Commons

    async def happens(self, *events) -> None:
        await self.database.write(lambda connection: self.following.follow(connection, events))

    async def number(self, name: str) -> int:
        found = await self.database.look(lambda c: members.by_ref(c, self.community, named(name).ref))
        assert found is not None
        return found.id

    async def consents(self, name: str, *, collected: bool | None) -> None:
        number = await self.number(name)
        await self.database.write(lambda c: members.set_consent(c, number, collected=collected, now=MONDAY))

    async def common(self) -> Common:
        remembered = await self.database.look(functools.partial(self.seen.of, community=self.community))
        anew = await self.database.look(functools.partial(commons.read, community=self.community))
        assert remembered == anew
        return anew


@pytest.fixture
async def place(home: Path) -> AsyncIterator[Place]:
    async with open_database(home) as database:
        community = await database.write(lambda c: communities.find_or_make(c, "harbour", MONDAY))
        following = Following(community, MONDAY, await refusals.load(home))
        await database.write(following.begin)
        made = Place(database=database, community=community, following=following, seen=Commons())
        await made.happens(said("hello", by="ana"), said("good morning", by="ben", minute=1))
        yield made


async def test_where_silence_means_no_who_comes_makes_nothing_old_and_who_agrees_or_withdraws_does(
    place: Place,
) -> None:
    await place.database.write(lambda c: policies.put(c, place.community, name="consent", value="opt_in"))
    await place.consents("ana", collected=True)
    before = await place.common()
    await place.happens(said("I am new", by="cem", minute=2))
    after = await place.common()
    assert await place.number("cem") in after.scope.not_authors - before.scope.not_authors
    assert after.mark == before.mark, "nothing of theirs was ever used"
    await place.consents("cem", collected=True)
    agreed = await place.common()
    assert agreed.mark != before.mark
    await place.consents("ana", collected=None)
    assert (await place.common()).mark not in {before.mark, agreed.mark}


async def test_where_silence_means_yes_who_withholds_makes_it_old(place: Place) -> None:
    before = await place.common()
    await place.happens(said("I am new", by="cem", minute=2))
    assert (await place.common()).mark == before.mark
    await place.consents("ben", collected=False)
    assert (await place.common()).mark != before.mark
    await place.consents("ben", collected=None)
    assert (await place.common()).mark == before.mark
    await place.database.write(lambda c: policies.put(c, place.community, name="consent", value="opt_in"))
    assert (await place.common()).mark != before.mark
