"""A community is stored and indexed; its members ask where they belong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.core.clock import SystemClock
from bot.core.errors import Mistake, NotAllowed
from bot.core.i18n import translator
from bot.core.ports import Scope
from bot.core.things import Audience, Community, Member
from bot.indexing import Index
from brains.knowledge.retrieval import Retrieval
from brains.matching.matchmaker import Matchmaker, Offer
from storage import channels, communities, members
from storage.db import Database
from storage.encodings import CachedEncoder, key
from storage.intake import Intake
from storage.tables import EncodingRow
from storage.vectors import open_folder
from tests.finding import find
from tests.hashing import HashingEncoder
from tests.tables import open_database
from tests.words import MONDAY, said

ENGLISH = translator("en")
TALK = {
    "sourdough": [
        "my rye starter smells sour and the dough rises slowly overnight",
        "kombucha scoby needs a second fermentation with ginger",
        "bake the sourdough loaf in a hot iron pot",
        "which flour for a rye starter, whole grain or white",
        "the fermentation of my dough stopped, starter too cold",
    ],
    "cycling": [
        "my bicycle chain keeps slipping on the small cog",
        "night ride along the river on friday, bring lights",
        "winter tyres with spikes for the bicycle commute",
        "brake pads squeal when the rims are wet",
        "who can true a wheel, two spokes are loose",
    ],
    "staff": [
        "kombucha talk: ban the spammer who sells fermentation starter kits",
        "rye starter seller reported again, time him out",
    ],
}


class House:
    """A stored community with everything that answers questions about it."""

    def __init__(self, database: Database, index: Index, matchmaker: Matchmaker, retrieval: Retrieval) -> None:
        self.database, self.index, self.matchmaker, self.retrieval = database, index, matchmaker, retrieval

    async def hear(self, *events) -> None:
        async def store(connection) -> None:
            intake = Intake(await communities.find_or_make(connection, "harbour", MONDAY), MONDAY)
            await intake.begin(connection)
            await intake.store(connection, events)

        await self.database.write(store)
        await self.index.catch_up()

    async def community(self) -> Community:
        async with self.database.read() as connection:
            return await communities.find(connection, None)

    async def member(self, name: str) -> Member:
        async with self.database.read() as connection:
            return await members.find(connection, await communities.find(connection, None), name)

    async def make_private(self, name: str) -> None:
        async with self.database.read() as connection:
            channel = await channels.find(connection, await communities.find(connection, None), name)
        await self.database.write(lambda c: channels.describe(c, channel.id, description="", audience=Audience.MEMBERS))

    async def match(self, name: str, k: int = 3) -> list[Offer]:
        return await self.matchmaker.for_member(await self.community(), await self.member(name), k=k)

    async def match_text(self, text: str, k: int = 3) -> list[Offer]:
        [offers] = [one async for one in self.matchmaker.for_texts(await self.community(), [text], k=k)]
        return offers

    async def search(self, query: str, *, by: str | None = None) -> list[str]:
        reader = await self.member(by) if by else None
        found = await find(self.retrieval, await self.community(), query, reader=reader)
        return [one.message.text for one in found]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder whose process serves every house in turn: to start one takes longer than all else here."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
async def house(home: Path, shelf: Path) -> AsyncIterator[House]:
    async with open_database(home) as database:
        inner = HashingEncoder()
        encoder = CachedEncoder(inner, database)
        vectors = open_folder(shelf, encoder.fingerprint, encoder.size, idle=5)
        parts = {"database": database, "vectors": vectors, "encoder": encoder}
        house = House(
            database,
            Index(**parts),
            Matchmaker(**parts, clock=SystemClock(), translate=ENGLISH),
            Retrieval(**parts),
        )
        await house.hear(*TALKS)
        await house.make_private("staff")
        yield house
        every = await vectors.scroll(Scope(community=(await house.community()).id))
        await vectors.delete(every.ids)
        await vectors.close()


TALKS = [
    said(text, by=f"{channel[:2]}{number % 3}", where=channel, minute=number)
    for channel, texts in TALK.items()
    for number, text in enumerate(texts * 1)
] + [
    said("second fermentation of my kombucha is slow, the rye starter too", by="colm", minute=60),
    said("does a kombucha scoby rise like a sourdough starter does", by="colm", minute=61),
    said("hello everyone", by="ana", minute=62),
]


async def test_a_member_is_sent_where_others_talk_as_they_do_and_is_told_why(house: House) -> None:
    first = (await house.match("colm"))[0]
    assert first.channel.name == "sourdough"
    assert any("kombucha" in reason or "starter" in reason or "fermentation" in reason for reason in first.reasons)
    assert first.evidence
    for mine, theirs in first.evidence:
        assert "kombucha" in mine.text
        assert theirs.text in TALK["sourdough"]


async def test_a_channel_one_is_in_is_not_suggested(house: House) -> None:
    assert "sourdough" in {offer.channel.name for offer in await house.match("colm")}
    await house.hear(said("my first loaf", by="colm", where="sourdough", minute=70))
    assert "sourdough" not in {offer.channel.name for offer in await house.match("colm")}


async def test_a_private_channel_is_never_suggested_nor_quoted(house: House) -> None:
    offers = await house.match_text("rye starter kombucha fermentation spammer ban", k=9)
    assert offers
    assert "staff" not in {offer.channel.name for offer in offers}
    quoted = {message.text for offer in offers for pair in offer.evidence for message in pair}
    assert not quoted & set(TALK["staff"])


async def test_search_shows_a_private_channel_to_its_members_alone(house: House) -> None:
    assert TALK["staff"][0] in await house.search("ban the spammer", by="st0")
    assert not set(await house.search("ban the spammer", by="colm")) & set(TALK["staff"])
    assert not set(await house.search("ban the spammer")) & set(TALK["staff"])
    with pytest.raises(Mistake, match="search is empty"):
        await house.search("  ")


async def test_who_withholds_consent_is_neither_quoted_nor_matched(house: House) -> None:
    before = {message.text for offer in await house.match("colm") for pair in offer.evidence for message in pair}
    authors = {name: {text for n, text in enumerate(TALK["sourdough"]) if n % 3 == name} for name in range(3)}
    quoted = next(name for name, texts in authors.items() if texts & before)
    member = await house.member(f"so{quoted}")
    await house.database.write(lambda c: members.set_consent(c, member.id, collected=False, now=MONDAY))
    after = {message.text for offer in await house.match("colm") for pair in offer.evidence for message in pair}
    assert not after & authors[quoted]
    assert not set(await house.search("rye starter")) & authors[quoted]
    with pytest.raises(NotAllowed, match="has not agreed to be collected"):
        await house.match(f"so{quoted}")


async def test_what_is_asked_is_kept_nowhere(house: House) -> None:
    asked = "the rye starter for my sourdough is too cold"
    assert await house.match_text(asked)
    async with house.database.read() as connection:
        kept = set(await connection.scalars(select(EncodingRow.__table__.c.key)))
    assert key(house.matchmaker.encoder.fingerprint, asked) not in kept
    assert len(kept) >= len(TALKS), "what was said is kept"


async def test_profiles_are_learned_once_and_again_when_something_new_was_said(house: House) -> None:
    inner = house.matchmaker.encoder._encoder
    await house.match("colm")
    asked = len(inner.asked)
    await house.match("colm")
    assert len(inner.asked) == asked
    assert (await house.match_text("a juggling workshop with clubs and diabolo")) == []
    await house.hear(
        *(
            said(f"juggling {word} with clubs and a diabolo at the workshop", by="zoe", where="circus", minute=80 + n)
            for n, word in enumerate(("basics", "evening", "practice", "tricks"))
        )
    )
    assert (await house.match_text("a juggling workshop with clubs and diabolo"))[0].channel.name == "circus"


async def test_whoever_has_said_nothing_of_substance_hears_that_nothing_fits(house: House) -> None:
    assert await house.match("ana") == []
    assert await house.match_text("ok thanks!") == []
    assert await house.match_text("   ") == []


async def test_where_every_channel_is_private_nothing_fits(house: House) -> None:
    for name in ("general", "sourdough", "cycling"):
        await house.make_private(name)
    assert await house.match("colm") == []
    assert await house.match_text("rye starter kombucha fermentation") == []


async def test_the_index_holds_every_text_once(house: House) -> None:
    community = await house.community()
    every = Scope(community=community.id)
    assert await house.index.vectors.count(every) == len(TALKS)
    await house.hear(*TALKS)
    assert await house.index.vectors.count(every) == len(TALKS)
    recent = Scope(community=community.id, since=MONDAY + timedelta(minutes=60))
    assert await house.index.vectors.count(recent) == 3


async def test_points_that_got_lost_are_written_again(house: House) -> None:
    every = Scope(community=(await house.community()).id)
    page = await house.index.vectors.scroll(every)
    await house.index.vectors.delete(page.ids[:5])
    assert await house.index.catch_up() == len(TALKS)
    assert await house.index.vectors.count(every) == len(TALKS)
    assert await house.index.catch_up() == 0
