"""What members did is read from the tables: who came and stayed, who left soon, who answered and reacted to whom."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.events import Arrival, CommandGiven, MemberLeft, ReactionAdded
from bot.core.things import Audience, Community, Rank, Ref
from brains.matching.deeds import behaviour_of
from storage import behaviour, channels, communities, feedback, members, refusals, spaces
from storage.behaviour import Deeds
from storage.db import Database
from storage.following import Following
from storage.inbox import Inbox
from tests.clocks import HastyClock
from tests.tables import open_database
from tests.words import MONDAY, named, said

LATER = MONDAY + timedelta(days=60)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A community of which things happen."""

    database: Database
    community: Community
    following: Following

    async def happens(self, *events) -> None:
        await self.database.write(lambda connection: self.following.follow(connection, events))

    async def number(self, name: str) -> int:
        found = await self.database.look(lambda c: members.by_ref(c, self.community, named(name).ref))
        assert found is not None
        return found.id

    async def room(self, name: str) -> int:
        return (await self.database.look(lambda c: channels.find(c, self.community, name))).id

    async def deeds(self) -> Deeds:
        async def look(connection) -> Deeds:
            scope = (await channels.reach(connection, self.community, None)).scope
            return await behaviour.read(connection, self.community, scope, now=LATER)

        return await self.database.look(look)


@pytest.fixture
async def place(home: Path) -> AsyncIterator[Place]:
    async with open_database(home) as database:
        community = await database.write(lambda c: communities.find_or_make(c, "harbour", MONDAY))
        following = Following(community, MONDAY, await refusals.load(home))
        await database.write(following.begin)
        yield Place(database=database, community=community, following=following)


async def test_who_leaves_again_soon_never_truly_joined(place: Place) -> None:
    await place.happens(said("here", by="ana", where="rye"), said("here", by="ben", where="rye"))
    room = named("rye")
    soon, late = MONDAY + timedelta(days=2), MONDAY + timedelta(days=30)
    await place.happens(MemberLeft(member=named("ana"), channel=room, at=soon))
    await place.happens(MemberLeft(member=named("ben"), channel=room, at=late))
    deeds, ana, ben = await place.deeds(), await place.number("ana"), await place.number("ben")
    assert [one.member for one in deeds.joins] == [ben]
    assert [one.member for one in deeds.offers] == [ana]
    assert {one.member for one in deeds.leaves} == {ana, ben}


async def test_an_offer_that_was_taken_in_silence_was_in_vain(place: Place) -> None:
    await place.happens(said("loud", by="ana", where="rye"), said("quiet", by="ben", where="oat"))
    await place.happens(said("hello", by="ben", where="rye", minute=1))
    ana, ben, rye = await place.number("ana"), await place.number("ben"), await place.room("rye")
    for member, at in ((ana, MONDAY - timedelta(days=1)), (ben, MONDAY + timedelta(days=1))):
        keep = functools.partial(feedback.keep, member=member, channel=rye, opinion=feedback.JOINED, now=at)
        await place.database.write(keep)
    deeds = await place.deeds()
    assert [(one.member, one.channel) for one in deeds.offers] == [(ben, rye)], "said nothing since"
    assert (ana, rye) in {(one.member, one.channel) for one in deeds.joins}


async def test_who_answered_and_reacted_to_whom(place: Place) -> None:
    first = said("who bakes?", by="ana", where="rye")
    answer = replace(said("I do", by="ben", where="rye", minute=1), reply_to=first.message)
    own = replace(said("and I", by="ana", where="rye", minute=2), reply_to=first.message)
    await place.happens(first, answer, own)
    where, at = first.channel, MONDAY + timedelta(minutes=3)
    heart = ReactionAdded(message=first.message, channel=where, member=named("cem"), emoji="❤️", at=at, sequence=1)
    await place.happens(heart)
    deeds, ana, ben = await place.deeds(), await place.number("ana"), await place.number("ben")
    assert [(one.member, one.other) for one in deeds.replies] == [(ben, ana)], "nobody answers themselves"
    assert [(one.member, one.other) for one in deeds.reactions] == [(await place.number("cem"), ana)]


async def test_nobody_who_withheld_consent_and_no_closed_channel(place: Place) -> None:
    first = said("who bakes?", by="ana", where="rye")
    await place.happens(first, replace(said("I do", by="ben", where="rye", minute=1), reply_to=first.message))
    await place.happens(said("hidden", by="ana", where="staff", minute=2))
    ana, rye, staff = await place.number("ana"), await place.room("rye"), await place.room("staff")
    before = await place.deeds()
    assert {one.channel for one in before.joins} == {rye, staff}
    assert len(before.replies) == 1
    await place.database.write(lambda c: channels.describe(c, staff, description="", audience=Audience.MEMBERS))
    assert {one.channel for one in (await place.deeds()).joins} == {rye}
    await place.database.write(lambda c: members.set_consent(c, ana, collected=False, now=MONDAY))
    after = await place.deeds()
    assert ana not in {one.member for one in after.joins}
    assert not after.replies


async def test_what_members_searched_is_read_from_their_words_and_from_their_arguments(place: Place) -> None:
    await place.happens(said("hello", by="ana"))
    inbox = Inbox(place.database, clock=HastyClock(), holder="one")
    for minute, (command, more) in enumerate(
        [
            ("search", {"line": "rye flour"}),
            ("search", {"arguments": {"words": "黑麦面粉", "channel": "#rye"}}),
            ("ask", {"arguments": {"question": "which oven?"}}),
            ("foryou", {}),
            ("privacy", {"arguments": {"words": "off"}}),
        ]
    ):
        given = CommandGiven(
            command=command,
            member=named("ana"),
            rank=Rank.MEMBER,
            channel=named("general"),
            at=MONDAY + timedelta(minutes=minute),
            invocation=Ref("import", f"c{minute}"),
            **more,
        )
        await inbox.put(Arrival(space=named("harbour"), event=given))
    ana = await place.number("ana")
    found = {(one.member, one.text) for one in (await place.deeds()).wanted}
    assert found == {(ana, "rye flour"), (ana, "黑麦面粉"), (ana, "which oven?")}


async def test_accounts_of_one_human_are_one_and_do_not_answer_each_other(place: Place) -> None:
    first = said("who bakes?", by="ana", where="rye")
    await place.happens(first, replace(said("I do", by="ben", where="rye", minute=1), reply_to=first.message))
    deeds, ana, ben = await place.deeds(), await place.number("ana"), await place.number("ben")
    apart = behaviour_of(deeds, [], _nothing(), {})
    assert len(apart.replies) == 1
    one = behaviour_of(deeds, [], _nothing(), {ana: ana, ben: ana})
    assert not len(one.replies)
    assert set(one.joins.members.tolist()) == {ana}


def _nothing():
    import numpy as np

    return np.zeros((0, 4), dtype=np.float32)


async def test_a_search_is_found_behind_whatever_other_commands_came_after_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behaviour, "MOST", 3)
    await place.happens(said("hello", by="ana"))
    inbox = Inbox(place.database, clock=HastyClock(), holder="one")
    quoting = {"arguments": {"words": '"command":"search"'}}
    for number, (command, more) in enumerate([("search", {"line": "rye flour"}), *[("privacy", quoting)] * 9]):
        given = CommandGiven(
            command=command,
            member=named("ana"),
            rank=Rank.MEMBER,
            channel=named("general"),
            at=MONDAY,
            invocation=Ref("import", f"c{number}"),
            **more,
        )
        await inbox.put(Arrival(space=named("harbour"), event=given))
    assert [one.text for one in (await place.deeds()).wanted] == ["rye flour"]


async def test_what_somebody_searched_in_another_community_teaches_nothing_here(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behaviour, "MOST", 3)
    await place.happens(said("hello", by="ana"))
    other = await place.database.write(lambda c: communities.find_or_make(c, "hill", MONDAY))
    for space, whose in (("harbour", place.community), ("hill", other)):
        put = functools.partial(spaces.belong, space=named(space), community=whose)
        await place.database.write(put)
    inbox = Inbox(place.database, clock=HastyClock(), holder="one")
    for number, (space, line) in enumerate([("harbour", "rye flour"), *[("hill", "secret plans")] * 4]):
        given = CommandGiven(
            command="search",
            line=line,
            member=named("ana"),
            rank=Rank.MEMBER,
            channel=named("general"),
            at=MONDAY,
            invocation=Ref("import", f"c{number}"),
        )
        await inbox.put(Arrival(space=named(space), event=given))
    assert [one.text for one in (await place.deeds()).wanted] == ["rye flour"]
