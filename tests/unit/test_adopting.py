"""A tuned encoder that was adopted: built beside the base, serving matching, following every change, cleared away."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from bot.adopting import Adoptions
from bot.core.errors import Unavailable
from bot.core.events import MessageDeleted, MessageEdited
from bot.core.ports import Scope, VectorStore
from bot.indexing import Beside, Index
from brains.matching.matchmaker import Matchmaker
from storage import adopted, communities, encodings, erasure, linking, outbox, refusals
from storage.vectors.everywhere import Everywhere
from tests.hashing import HashingEncoder
from tests.tuned import FOLDER, TunedEncoder, adoptions, weights
from tests.unit.small_town import ASTRONOMY, BAKING, sentence
from tests.unit.test_closed import BAKER, BREAD, ROOMS, Town, talking
from tests.words import MONDAY, named, said

pytestmark = pytest.mark.slow

GAZER = named("gazer0")
NEW = replace(said("a comet near saturn by the eyepiece tonight", by="gazer1", minute=500), channel=ROOMS[ASTRONOMY])


@dataclass(frozen=True, kw_only=True)
class Adopting:
    """The town, what is adopted there, and the index and matchmaker that know of it."""

    town: Town
    home: Path
    adoptions: Adoptions
    encoder: TunedEncoder
    index: Index
    matchmaker: Matchmaker

    async def adopt(self) -> None:
        await self.adoptions.begin(self.town.community, folder=FOLDER, encoder=self.encoder)

    async def serves(self) -> bool:
        return await self.adoptions.serving(self.town.community) is not None

    async def fits(self) -> list[str]:
        found = self.matchmaker.for_texts(self.town.community, [BREAD], k=3)
        return [one.channel.name async for some in found for one in some]

    async def store(self) -> VectorStore:
        [store] = await self.adoptions.stores()
        return store

    async def counted(self) -> int:
        return await (await self.store()).count(Scope(community=self.town.community.id))

    async def kept(self, text: str) -> int:
        kept = functools.partial(encodings.kept, fingerprint=self.encoder.fingerprint, texts=[text])
        return len(await self.town.database.look(kept))

    async def waiting(self) -> int:
        return await self.town.database.look(outbox.count)


@pytest.fixture
async def place(home: Path) -> AsyncIterator[Adopting]:
    async with talking(home, HashingEncoder()) as town:
        encoder = TunedEncoder()
        known = [await town.member(named(f"{who}{n}")) for who in ("baker", "rider") for n in (0, 1)]
        weights(home, [one.id for one in known])
        made = adoptions(home, town.database, encoder)
        yield Adopting(
            town=town,
            home=home,
            adoptions=made,
            encoder=encoder,
            index=replace(town.index, adoptions=made),
            matchmaker=replace(town.matchmaker, tuned=made.serving),
        )
        await made.close()


async def test_the_base_serves_until_all_is_there_then_the_tuned_one_and_the_base_again_once_it_is_dropped(
    place: Adopting,
) -> None:
    before = await place.fits()
    await place.adopt()
    assert not await place.serves()
    assert (await place.fits(), place.encoder.asked) == (before, []), "it is not asked before it is built"
    await place.index.catch_up()
    assert await place.serves()
    assert await place.counted() == 120
    place.encoder.asked.clear()
    assert (await place.fits())[0] == before[0]
    assert BREAD in place.encoder.asked
    label = next(iter(place.matchmaker.shelf.learned.values())).label
    assert label.fingerprint == place.encoder.fingerprint, "what was learned is of its vectors"

    assert await place.adoptions.drop(place.town.community) == 1
    assert not await place.serves()
    assert await place.counted() == 120, "what is there goes with the next pass"
    store = await place.store()
    await place.index.catch_up()
    assert await store.count(Scope(community=place.town.community.id)) == 0
    assert await place.kept(sentence(BAKING, 3)) == 0
    assert not (place.home / "encoders" / FOLDER).exists()
    assert await place.town.database.look(adopted.every) == []
    assert await place.fits() == before
    assert await place.adoptions.drop(place.town.community) == 0


async def test_what_is_said_changed_and_deleted_reaches_the_second_vector(place: Adopting) -> None:
    await place.adopt()
    await place.index.catch_up()
    await place.town.happens(NEW)
    await place.index.catch_up()
    [wanted] = await place.encoder.encode([NEW.text])
    page = await (await place.store()).scroll(Scope(community=place.town.community.id), limit=500)
    assert len(page.ids) == 121
    assert np.isclose(page.vectors @ wanted, 1, atol=1e-5).sum() == 1
    assert await place.kept(NEW.text) == 1

    changed = "an eclipse with the tripod on a galaxy night"
    edit = MessageEdited(
        message=NEW.message, channel=NEW.channel, author=NEW.author, text=changed, at=NEW.at, revision=1
    )
    await place.town.happens(edit)
    assert await place.kept(NEW.text) == 0
    await place.index.catch_up()
    [now] = await place.encoder.encode([changed])
    page = await (await place.store()).scroll(Scope(community=place.town.community.id), limit=500)
    assert not np.isclose(page.vectors @ wanted, 1, atol=1e-5).any()
    assert np.isclose(page.vectors @ now, 1, atol=1e-5).sum() == 1

    await place.town.happens(MessageDeleted(message=NEW.message, channel=NEW.channel, at=NEW.at))
    await place.index.catch_up()
    assert await place.counted() == 120
    assert await place.kept(changed) == 0


async def test_a_forget_takes_second_vectors_too_and_the_encoder_only_where_it_learned_from_them(
    place: Adopting,
) -> None:
    await place.adopt()
    await place.index.catch_up()

    async def forget(who) -> erasure.Forgotten:
        everywhere = Everywhere([place.town.index.vectors, *await place.adoptions.stores()])
        return await erasure.forget(
            place.town.database,
            everywhere,
            place.town.index.encoder.fingerprint,
            place.town.community,
            await place.town.member(who),
            home=place.home,
            now=MONDAY,
            settled=place.index.settled,
        )

    gazer = await place.town.member(GAZER)
    done = await forget(GAZER)
    assert (done.left, done.erased["vectors"], done.erased.get("encoders")) == (0, 20, None)
    theirs = Scope(community=place.town.community.id, authors=frozenset({gazer.id}))
    assert await (await place.store()).count(theirs) == 0
    assert await place.kept(sentence(ASTRONOMY, 0)) == 0
    assert await place.serves()

    done = await forget(BAKER)
    assert (done.left, done.erased["encoders"]) == (0, 1)
    assert not await place.serves()
    await place.index.catch_up()
    assert await place.town.database.look(adopted.every) == []
    assert await place.fits()


async def test_what_was_read_before_an_adoption_is_written_once_more(place: Adopting) -> None:
    await place.adopt()
    async with place.town.database.read() as connection:
        rows = await outbox.newest(connection, 500)
    await place.index._write(rows, Beside())
    assert await place.waiting() == 120, "nothing leaves that lacks its second vector"
    await place.index.catch_up()
    assert (await place.waiting(), await place.counted()) == (0, 120)


async def test_while_the_tuned_one_is_away_the_base_goes_ahead_and_the_rest_waits(place: Adopting) -> None:
    await place.adopt()
    await place.index.catch_up()
    place.encoder.away = True
    await place.town.happens(NEW)
    with pytest.raises(Unavailable):
        await place.index.catch_up()
    scope = Scope(community=place.town.community.id)
    assert (await place.town.index.vectors.count(scope), await place.waiting()) == (121, 1)
    place.encoder.away = False
    await place.index.catch_up()
    assert (await place.counted(), await place.waiting()) == (121, 0)


async def test_lost_points_are_written_again_while_the_base_serves(place: Adopting) -> None:
    await place.adopt()
    await place.index.catch_up()
    await (await place.store()).clear()
    await place.index.prepare()
    assert not await place.serves()
    await place.index.catch_up()
    assert (await place.serves(), await place.counted()) == (True, 120)


async def test_an_encoder_that_cannot_be_opened_any_more_is_dropped_and_the_base_serves(place: Adopting) -> None:
    await place.adoptions.begin(place.town.community, folder="adopted-nothing", encoder=place.encoder)
    await place.index.catch_up()
    assert await place.town.database.look(adopted.every) == []
    assert await place.fits()


async def test_who_is_killed_while_it_is_built_goes_on_and_the_base_serves_until_then(place: Adopting) -> None:
    await place.adopt()
    async with place.town.database.read() as connection:
        rows = await outbox.newest(connection, 50)
    await place.index._write(rows, await place.index._beside())
    assert (await place.counted(), await place.serves()) == (50, False)
    again = adoptions(place.home, place.town.database, place.encoder)
    await replace(place.index, adoptions=again).catch_up()
    assert (await place.counted(), await place.serves()) == (120, True)
    await again.close()


async def test_a_community_that_becomes_part_of_another_adopts_nothing_any_more(place: Adopting) -> None:
    await place.adopt()
    await place.index.catch_up()
    hill = await place.town.database.write(lambda c: communities.find_or_make(c, "hill", MONDAY))
    known = await refusals.load(place.home)
    assert await place.serves()
    await place.town.database.write(
        lambda connection: linking.join(connection, hill, place.town.community, MONDAY, refusals=known)
    )
    assert not await place.serves()
    await place.index.catch_up()
    assert await place.town.database.look(adopted.every) == []
    assert await place.kept(sentence(BAKING, 3)) == 0, "nothing is kept that nobody would find any more"


async def test_one_that_two_communities_go_by_is_cleared_away_with_the_last_of_them(place: Adopting) -> None:
    hill = await place.town.database.write(lambda c: communities.find_or_make(c, "hill", MONDAY))
    await place.adopt()
    await place.adoptions.begin(hill, folder=FOLDER, encoder=place.encoder)
    await place.index.catch_up()
    assert await place.serves()
    await place.adoptions.drop(hill)
    await place.adoptions.settle()
    assert (await place.counted(), await place.kept(sentence(BAKING, 3))) == (120, 1)
    await place.adoptions.begin(hill, folder=FOLDER, encoder=place.encoder)
    await place.adoptions.drop(place.town.community)
    await place.adoptions.drop(hill)
    await place.adoptions.settle()
    assert await place.town.database.look(adopted.every) == []
    assert await place.kept(sentence(BAKING, 3)) == 0
    assert not (place.home / "encoders" / FOLDER).exists()


async def test_one_that_became_the_base_keeps_its_points_when_it_is_dropped(place: Adopting) -> None:
    await place.adopt()
    await place.index.catch_up()
    store = await place.store()
    await place.town.database.write(functools.partial(outbox.serve, fingerprint=place.encoder.fingerprint))
    assert await place.adoptions.drop(place.town.community) == 1
    await place.adoptions.settle()
    assert await place.town.database.look(adopted.every) == []
    assert await store.count(Scope(community=place.town.community.id)) == 120
    assert (place.home / "encoders" / FOLDER).exists()


async def test_of_what_was_dropped_while_it_was_encoded_nothing_is_kept(place: Adopting) -> None:
    await place.adopt()
    async with place.town.database.read() as connection:
        rows = await outbox.newest(connection, 500)
    beside = await place.index._beside()
    await place.adoptions.drop(place.town.community)
    await place.adoptions.settle()
    await place.index._write(rows, beside)
    [made] = {one.vectors for one in beside.places.values()}
    assert await made.count(Scope(community=place.town.community.id)) == 0
    assert (await place.waiting(), await place.kept(rows[0].text)) == (0, 0)
