"""What matching reads with every question: what everyone may read, who asks, what they were offered, who is there."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.actions import Button, Say
from bot.core.decisions import Receipt
from bot.core.things import Audience, Channel, Community, Member, Ref
from brains.matching.evidence import _shared
from brains.matching.terms import words
from storage import acts, channels, communities, company, impressions, ledger, members, persons, refusals, wishes
from storage.acts import Intent
from storage.askers import elsewhere
from storage.commons import Commons
from storage.db import Database
from storage.following import Following
from storage.rows import insert_new
from storage.tables import TraceRow
from tests.tables import open_database
from tests.unit.small_town import BAKING, CYCLING, profiles, sentence
from tests.words import MONDAY, named, said


@dataclass(frozen=True, kw_only=True)
class Place:
    """A community in which three members wrote."""

    database: Database
    community: Community
    following: Following

    async def happens(self, *events) -> None:
        await self.database.write(lambda connection: self.following.follow(connection, events))

    async def member(self, name: str) -> Member:
        found = await self.database.look(lambda c: members.by_ref(c, self.community, named(name).ref))
        assert found is not None
        return found

    async def withdraws(self, name: str) -> None:
        number = (await self.member(name)).id
        await self.database.write(lambda c: members.set_consent(c, number, collected=False, now=MONDAY))


@pytest.fixture
async def place(home: Path) -> AsyncIterator[Place]:
    async with open_database(home) as database:
        community = await database.write(lambda c: communities.find_or_make(c, "harbour", MONDAY))
        following = Following(community, MONDAY, await refusals.load(home))
        await database.write(following.begin)
        made = Place(database=database, community=community, following=following)
        await made.happens(*(said(f"hello from {name}", by=name, where="rye") for name in ("ana", "ben", "cem")))
        yield made


async def test_what_everyone_may_read_is_remembered_until_anything_of_it_changes(place: Place) -> None:
    memory, elsewhere_ = Commons(), Commons()

    async def seen():
        now = await place.database.look(functools.partial(memory.of, community=place.community))
        again = await place.database.look(functools.partial(memory.of, community=place.community))
        assert now is again, "nothing changed"
        fresh = await place.database.look(functools.partial(elsewhere_.of, community=place.community))
        assert (now.scope, now.channels, now.doubles, now.mark) == (
            fresh.scope,
            fresh.channels,
            fresh.doubles,
            fresh.mark,
        )
        return now

    marks = [(await seen()).mark]
    await place.happens(said("more", by="ana", where="rye", minute=5))
    assert (await seen()).mark == marks[0], "messages change nothing of it"
    await place.withdraws("ben")
    marks.append((await seen()).mark)
    room = next(iter((await seen()).channels))
    await place.database.write(lambda c: channels.describe(c, room, description="bread", audience=Audience.EVERYONE))
    marks.append((await seen()).mark)
    one, other = await place.member("ana"), await place.member("cem")
    await place.database.write(functools.partial(persons.link, one=one, other=other, now=MONDAY))
    marks.append((await seen()).mark)
    assert (await seen()).doubles
    forgotten = functools.partial(ledger.note, at=MONDAY, actor="", act="forget", details={})
    await place.database.write(lambda c: forgotten(c, place.community.id))
    marks.append((await seen()).mark)
    await place.database.write(lambda c: channels.describe(c, room, description="", audience=Audience.MEMBERS))
    assert not (await seen()).channels
    assert len(set(marks)) == len(marks), "each change is another state to learn from"


async def test_an_offer_that_nobody_answers_is_counted_for_its_member_alone(place: Place) -> None:
    ana, ben = await place.member("ana"), await place.member("ben")
    first = await _offer(place, ana, "rye", "1")
    await _offer(place, ana, "rye", "2")
    await _offer(place, ben, "rye", "3")

    async def counted(*whom: Member) -> Counter[str]:
        refs = [one.ref for one in whom]
        look = functools.partial(impressions.unanswered, since=MONDAY - timedelta(days=1))
        return await place.database.look(lambda c: look(c, place.community, *refs))

    rye = str(named("rye").ref)
    assert await counted(ana) == {rye: 2}
    assert await counted(ana, ben) == {rye: 3}, "the accounts of one human count together"
    pressed = await place.database.look(lambda c: acts.button(c, place.community, first))
    assert pressed is not None
    await place.database.write(lambda c: acts.press(c, pressed, now=MONDAY))
    assert await counted(ana) == {rye: 1}
    every = await place.database.look(functools.partial(impressions.every, community=place.community))
    assert [(one.member, one.score, one.answered) for one in every] == [
        (str(ana.ref), 0.5, True),
        (str(ana.ref), 0.5, False),
        (str(ben.ref), 0.5, False),
    ]


async def _offer(place: Place, member: Member, room: str, key: str) -> str:
    """Offer a channel as a skill does, and return the token of its Join."""
    ref = str(named(room).ref)
    data = {"channel": ref, "score": "0.5000"}
    join = Button(token=f"join{key}", label="Join", press=impressions.JOIN, data=data, only=member.ref, choice=ref)
    why = Button(token=f"why{key}", label="Why?", press="match.why", data=data, only=member.ref)
    say = Say(to=named(room).ref, text="You may belong here:", buttons=(join, why))

    async def work(connection) -> None:
        row = {"id": key, "community_id": place.community.id, "event": key, "at": MONDAY, "story": "{}"}
        await insert_new(connection, TraceRow, [row])
        intent = Intent(position=0, skill="match", action=say)
        [number] = await acts.intend(
            connection, place.community, key, [intent], now=MONDAY, expires_at=MONDAY + timedelta(days=7)
        )
        await acts.record_outcome(connection, number, say, Receipt(state="done"), now=MONDAY)

    await place.database.write(work)
    return join.token


async def test_who_is_named_writes_there_where_everyone_reads_it_and_did_not_opt_out(place: Place) -> None:
    await place.happens(replace(said("beep", by="robot", where="rye", bot=True), text="beep"))
    ana, ben, cem = [(await place.member(name)).id for name in ("ana", "ben", "cem")]
    robot = (await place.member("robot")).id
    memory = Commons()

    async def there(*people: int) -> list[tuple[str, str]]:
        async def look(connection) -> dict[int, list[company.Companion]]:
            common = await memory.of(connection, place.community)
            room = next(number for number, one in common.channels.items() if one.name == "rye")
            return await company.of(connection, common, {room: people}, most=2)

        [found] = (await place.database.look(look)).values()
        return [(one.name, one.said.text) for one in found]

    assert await there(cem, ben, ana) == [("cem", "hello from cem"), ("ben", "hello from ben")]
    assert await there(robot) == []
    await place.withdraws("cem")
    assert await there(cem, ben) == [("ben", "hello from ben")]
    await place.happens(said("only in oat", by="dee", where="oat"))
    dee = (await place.member("dee")).id
    assert await there(dee) == [], "who writes elsewhere is not there"
    one, other = await place.member("ben"), await place.member("dee")
    await place.database.write(lambda c: persons.link(c, one, other, MONDAY))
    assert await there(ben) == [], "nobody learns by a name that two accounts are one human's"
    await place.database.write(lambda c: wishes.keep(c, member=dee, wish="across", on=True, now=MONDAY))
    assert await there(ben) == [("ben", "hello from ben")]


def test_channels_on_platforms_without_an_account_of_theirs_are_not_theirs() -> None:
    rooms = {
        number: Channel(id=number, ref=Ref(platform, "1"), name="a", description="", audience=Audience.EVERYONE)
        for number, platform in enumerate(("discord", "slack", "import"))
    }
    assert elsewhere(rooms, {"discord"}) == {1}
    assert elsewhere(rooms, {"discord", "slack"}) == frozenset()
    assert elsewhere(rooms, {"import"}) == frozenset(), "nobody knows where who was imported is"


def test_a_few_documents_are_compared_as_the_sparse_rows_would_be() -> None:
    told = [words(sentence(BAKING, 1)), words(sentence(BAKING, 2)), []]
    others = [words(sentence(BAKING, 3)), words(sentence(CYCLING, 4))]
    vocabulary = profiles().topics.terms.vocabulary
    expected = (vocabulary.weigh(told) @ vocabulary.weigh(others).T).toarray()
    assert expected.any()
    assert _shared(vocabulary, told, others) == pytest.approx(expected, abs=1e-6)
