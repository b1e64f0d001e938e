"""Who may be introduced: what bars one account of a human bars them, and no words betray which accounts are one's."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.actions import KeepMeeting, Wish
from bot.core.events import MessagePosted
from bot.core.ports import VectorStore
from bot.core.things import Community, Member
from brains.matching import circle
from brains.matching.circle import Circle
from storage import communities, interests, meetings, members, persons, refusals, wishes
from storage.db import Database
from storage.following import Following
from tests.clocks import HastyClock
from tests.hashing import HashingEncoder
from tests.tables import open_database
from tests.unit.test_closed import BAKER, talking
from tests.words import MONDAY, named, said

HERE = "I bake rye bread with caraway every Sunday"
ELSEWHERE = "I bake rye bread in the small kitchen behind the theatre where I work"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A community in which Ben also is as Bea, which he told the bot alone."""

    database: Database
    community: Community
    circle: Circle
    following: Following

    async def happens(self, *events: MessagePosted) -> None:
        await self.database.write(lambda connection: self.following.follow(connection, events))

    async def member(self, name: str) -> Member:
        found = await self.database.look(lambda c: members.by_ref(c, self.community, named(name).ref))
        assert found is not None
        return found

    async def wants(self, name: str, wish: Wish) -> None:
        number = (await self.member(name)).id
        await self.database.write(lambda c: wishes.keep(c, member=number, wish=wish, on=True, now=MONDAY))

    async def example(self) -> str:
        ana, ben = await self.member("ana"), await self.member("ben")
        common = await self.circle.common(self.community, ana, ben)
        assert common.example is not None
        return common.example.text


async def _encoder() -> HashingEncoder:
    return HashingEncoder()


async def _no_vectors() -> None:
    """Stand for vectors that nobody looks in: without interests, words alone are compared."""


@pytest.fixture
async def place(home: Path) -> AsyncIterator[Place]:
    async with open_database(home) as database:
        community = await database.write(lambda c: communities.find_or_make(c, "harbour", MONDAY))
        following = Following(community, MONDAY, await refusals.load(home))
        await database.write(following.begin)
        talk = [said("rye bread with caraway", by="ana"), said(HERE, by="ben", minute=1)]
        talk.append(said(ELSEWHERE, by="bea", minute=2))
        await database.write(lambda connection: following.follow(connection, talk))
        suggesting = Circle(database=database, vectors=_no_vectors, encoder=_encoder, clock=HastyClock())
        made = Place(database=database, community=community, circle=suggesting, following=following)
        ben, bea = await made.member("ben"), await made.member("bea")
        await database.write(lambda c: persons.link(c, ben, bea, MONDAY))
        await made.wants("ana", "people")
        await made.wants("ben", "people")
        yield made


async def test_nobody_learns_from_an_introduction_which_other_account_is_theirs(place: Place) -> None:
    assert await place.example() == HERE
    await place.wants("bea", "across")
    assert await place.example() == ELSEWHERE, "they want to be met by all of what they say"


async def test_what_bars_one_account_bars_the_human(place: Place) -> None:
    ana, ben, bea = [await place.member(name) for name in ("ana", "ben", "bea")]
    now = await place.circle._now(place.community, ana)
    assert (now.accounts[ben.person], now.humans[ben.person]) == ({ben.id}, {ben.id, bea.id})
    never = KeepMeeting(meeting="a" * 32, member=ana.ref, other=bea.ref, said="never")
    assert await place.database.write(lambda c: meetings.keep(c, place.community, ana, never, now=MONDAY)) == ""
    now = await place.circle._now(place.community, ana)
    between = meetings.paired(now.met, now.mine)
    assert [one.said for account in now.humans[ben.person] for one in between.get(account, [])] == ["never"]
    await place.database.write(lambda c: members.set_consent(c, bea.id, collected=False, now=MONDAY))
    assert ben.person not in (await place.circle._now(place.community, ana)).accounts


async def test_what_somebody_told_the_bot_leads_them_to_others_and_is_shown_to_none(place: Place) -> None:
    await place.happens(said("hello all", by="cem", minute=3))
    ben, cem = await place.member("ben"), await place.member("cem")
    keep = functools.partial(interests.keep, member=cem.id, text="rye bread and pottery", source="match", now=MONDAY)
    before = await place.circle.common(place.community, cem, ben)
    assert (before.terms, before.told) == ((), False)
    await place.database.write(keep)
    mine = await place.circle.common(place.community, cem, ben)
    assert (set(mine.terms), mine.told) == ({"rye", "bread"}, True)
    theirs = await place.circle.common(place.community, ben, cem)
    assert (theirs.terms, theirs.told) == ((), False)


@pytest.mark.parametrize(("enough", "lasts"), [(100, timedelta(days=1)), (200, timedelta(minutes=15))])
async def test_what_is_usual_is_learned_anew_after_a_day_and_much_sooner_from_few_messages(
    home: Path, monkeypatch: pytest.MonkeyPatch, enough: int, lasts: timedelta
) -> None:
    monkeypatch.setattr(circle, "SAMPLED", enough)
    clock = HastyClock(MONDAY + timedelta(days=1))
    async with talking(home, HashingEncoder()) as town:

        async def vectors() -> VectorStore:
            return town.index.vectors

        asker = await town.member(BAKER)
        keep = functools.partial(wishes.keep, member=asker.id, wish="people", on=True, now=MONDAY)
        await town.database.write(keep)
        here = Circle(database=town.database, vectors=vectors, encoder=_encoder, clock=clock)

        async def learned() -> tuple[int, int]:
            """Return from how many messages it is known what is usual, and how many portraits are drawn by it."""
            await here.suggest(town.community, asker)
            held = here._held[town.community.id]
            return held.usual.messages, len(held.portraits)

        assert await learned() == (120, 1)
        await town.happens(said("one more loaf of rye", by=BAKER.name, minute=90))
        await town.index.catch_up()
        clock.pass_by((lasts - timedelta(seconds=1)).total_seconds())
        assert await learned() == (120, 1)
        clock.pass_by(1)
        assert await learned() == (121, 1)
