"""What is closed, or not read any more, is left out at once of everything that was derived from it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.events import ChannelChanged, Event, MemberChanged, Named
from bot.core.i18n import translator
from bot.core.things import Audience, Community, Member
from bot.indexing import Index
from brains.knowledge.retrieval import Retrieval
from brains.matching.matchmaker import Matchmaker, Offer
from storage import communities, members, policies, refusals
from storage.db import Database
from storage.encodings import CachedEncoder
from storage.following import Following
from storage.vectors import open_folder
from tests.clocks import HastyClock
from tests.finding import find
from tests.hashing import HashingEncoder
from tests.tables import open_database
from tests.unit.small_town import ASTRONOMY, BAKING, CYCLING, sentence
from tests.words import MONDAY, named, said

ROOMS = {
    number: replace(named(name), audience=Audience.EVERYONE)
    for number, name in ((BAKING, "baking"), (CYCLING, "cycling"), (ASTRONOMY, "astronomy"))
}
ENGLISH = translator("en")
BREAD = "my rye starter and the sourdough crumb, which flour for the dough"
BAKER = named("baker0")
WHO = {BAKING: "baker", CYCLING: "rider", ASTRONOMY: "gazer"}


@dataclass(frozen=True, kw_only=True)
class Town:
    """Three channels and who talks there, ready to be asked."""

    database: Database
    community: Community
    following: Following
    index: Index
    matchmaker: Matchmaker
    retrieval: Retrieval

    async def happens(self, *events: Event) -> None:
        await self.database.write(lambda connection: self.following.follow(connection, events))

    async def close(self, room: Named) -> None:
        change = replace(room, audience=Audience.MEMBERS)
        at = MONDAY + timedelta(days=2)
        await self.happens(ChannelChanged(channel=change, at=at, revision=2, unconfirmed=True))

    async def admit(self, who: Named, *rooms: Named) -> None:
        reads = replace(who, reads=frozenset(room.ref for room in rooms))
        await self.happens(MemberChanged(member=reads, at=MONDAY + timedelta(days=3), revision=3))

    async def ignore(self, room: Named) -> None:
        where = str(room.ref)
        await self.database.write(lambda c: policies.put(c, self.community, name="read", value="no", channel=where))

    async def member(self, who: Named) -> Member:
        async with self.database.read() as connection:
            found = await members.by_ref(connection, self.community, who.ref)
        assert found is not None
        return found

    async def fits(self, text: str) -> list[Offer]:
        return [one async for some in self.matchmaker.for_texts(self.community, [text], k=3) for one in some]

    async def found(self, reader: Member | None) -> set[str]:
        return {one.channel.name for one in await find(self.retrieval, self.community, BREAD, reader=reader, limit=50)}


@pytest.fixture
async def town(home: Path) -> AsyncIterator[Town]:
    async with talking(home, HashingEncoder()) as opened:
        yield opened


@contextlib.asynccontextmanager
async def talking(home: Path, inner: HashingEncoder) -> AsyncIterator[Town]:
    """Open the town after forty messages in each channel."""
    async with open_database(home) as database:
        community = await database.write(lambda c: communities.find_or_make(c, "harbour", MONDAY))
        following = Following(community, MONDAY, await refusals.load(home))
        await database.write(following.begin)
        encoder = CachedEncoder(inner, database)
        vectors = open_folder(home / "vectors", inner.fingerprint, inner.size, idle=0.5)
        matchmaker = Matchmaker(
            database=database,
            vectors=vectors,
            encoder=encoder,
            clock=HastyClock(),
            translate=ENGLISH,
        )
        made = Town(
            database=database,
            community=community,
            following=following,
            index=Index(database=database, encoder=encoder, vectors=vectors),
            matchmaker=matchmaker,
            retrieval=Retrieval(database=database, vectors=vectors, encoder=encoder),
        )
        talk = [
            replace(said(sentence(number, n), by=f"{WHO[number]}{n % 2}", minute=n), channel=room)
            for number, room in ROOMS.items()
            for n in range(40)
        ]
        await made.happens(*talk)
        await made.index.catch_up()
        yield made


async def test_a_closed_channel_is_offered_quoted_and_found_no_more(town: Town) -> None:
    [first, *_] = await town.fits(BREAD)
    assert (first.channel.name, bool(first.evidence)) == ("baking", True)
    assert "baking" in await town.found(None)
    await town.close(ROOMS[BAKING])
    offers = await town.fits(BREAD)
    quoted = {message.channel for offer in offers for pair in offer.evidence for message in pair}
    assert "baking" not in {offer.channel.name for offer in offers}
    assert first.channel.id not in quoted
    assert "baking" not in await town.found(None)
    await town.admit(BAKER, ROOMS[BAKING])
    assert "baking" in await town.found(await town.member(BAKER)), "who may read it finds it"
    assert "baking" not in await town.found(await town.member(named("baker1")))


async def test_what_one_said_in_a_closed_channel_speaks_for_nothing(town: Town) -> None:
    baker = await town.member(BAKER)
    await town.happens(
        *(
            replace(said(sentence(CYCLING, 500 + n), by=BAKER.name, minute=100 + n), channel=ROOMS[BAKING])
            for n in range(6)
        )
    )
    await town.index.catch_up()
    assert "cycling" in [one.channel.name for one in await town.matchmaker.for_member(town.community, baker, k=3)]
    await town.close(ROOMS[BAKING])
    assert await town.matchmaker.for_member(town.community, baker, k=3) == []


async def test_a_channel_that_is_not_read_any_more_is_left_out_and_comes_back_whole(town: Town) -> None:
    before = await town.fits(BREAD)
    await town.ignore(ROOMS[BAKING])
    assert "baking" not in {offer.channel.name for offer in await town.fits(BREAD)}
    assert "baking" not in await town.found(await town.member(BAKER))
    await town.database.write(
        lambda c: policies.put(c, town.community, name="read", value="", channel=str(ROOMS[BAKING].ref))
    )
    assert [offer.channel for offer in await town.fits(BREAD)] == [offer.channel for offer in before]
