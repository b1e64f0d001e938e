"""Who may read closed channels by the platform's word on each member, and where nothing is read at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.core.events import (
    ChannelChanged,
    CommandGiven,
    Event,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MessageEdited,
    MessagePosted,
    Named,
    ReactionAdded,
)
from bot.core.ports import Followed
from bot.core.things import Audience, Channel, Community, Member, Rank, Ref
from storage import channels, communities, members, messages, policies, refusals
from storage.db import Database
from storage.following import Following
from storage.tables import MemberRow, MembershipRow, MessageRow, OutboxRow, ReactionRow
from tests.words import MONDAY, named, said

OFFICE = replace(named("office"), audience=Audience.MEMBERS)
VAULT = replace(named("vault"), audience=Audience.MEMBERS)
GENERAL = replace(named("general"), audience=Audience.EVERYONE)
ANA, WEI = named("ana"), named("wei")


def reading(*rooms: Named, who: Named = ANA) -> Named:
    """Name a member who may read these closed channels."""
    return replace(who, reads=frozenset(room.ref for room in rooms))


def wrote(text: str, by: Named, where: Named = GENERAL, *, minute: int = 0, **more) -> MessagePosted:
    return replace(said(text, minute=minute), author=by, channel=where, **more)


def changed(by: Named, *, minute: int = 0) -> MemberChanged:
    return MemberChanged(member=by, at=MONDAY + timedelta(minutes=minute), revision=minute)


def closed(room: Named, *, minute: int = 0, unconfirmed: bool = True, **more) -> ChannelChanged:
    at = MONDAY + timedelta(minutes=minute)
    return ChannelChanged(channel=replace(room, **more), at=at, revision=minute, unconfirmed=unconfirmed)


@dataclass(kw_only=True)
class Town:
    """A community that one process follows."""

    database: Database
    community: Community
    following: Following

    async def happens(self, *events: Event) -> list[Followed]:
        return await self.database.write(lambda connection: self.following.follow(connection, events))

    async def member(self, who: Named = ANA) -> Member:
        async with self.database.read() as connection:
            found = await members.by_ref(connection, self.community, who.ref)
        assert found is not None
        return found

    async def may_read(self, who: Named = ANA) -> set[str]:
        async with self.database.read() as connection:
            found = await members.by_ref(connection, self.community, who.ref)
            rooms = await channels.every(connection, self.community)
            scope = await channels.readable(connection, self.community, found)
        return names(rooms, scope.channels)

    async def texts(self) -> list[str]:
        async with self.database.read() as connection:
            shown = await messages.since(connection, self.community, MONDAY)
        return [one.message.text for one in shown]

    async def count(self, model) -> int:
        async with self.database.read() as connection:
            return len((await connection.execute(model.__table__.select())).all())

    async def tune(self, name: str, value: str, channel: Named | None = None) -> None:
        where = str(channel.ref) if channel else ""
        await self.database.write(lambda c: policies.put(c, self.community, name=name, value=value, channel=where))


def names(rooms: dict[int, Channel], some: Iterable[int] | None) -> set[str]:
    return {rooms[number].name for number in some or ()}


@pytest.fixture
async def town(database: Database, home: Path) -> Town:
    community = await database.write(lambda c: communities.find_or_make(c, "harbour", MONDAY))
    following = Following(community, MONDAY, await refusals.load(home))
    made = Town(database=database, community=community, following=following)
    await database.write(following.begin)
    await made.happens(*(closed(room, unconfirmed=False) for room in (OFFICE, VAULT, GENERAL)))
    return made


async def test_members_may_read_what_the_platform_says_and_no_more(town: Town) -> None:
    await town.happens(wrote("hello", reading(OFFICE)))
    assert await town.may_read() == {"general", "office"}
    await town.happens(changed(reading(VAULT), minute=1))
    assert await town.may_read() == {"general", "vault"}
    await town.happens(changed(ANA, minute=2))
    assert await town.may_read() == {"general", "vault"}, "no word changes nothing"
    await town.happens(changed(reading(), minute=3))
    assert await town.may_read() == {"general"}


@pytest.mark.parametrize(
    "event",
    [
        wrote("hello", reading(OFFICE)),
        CommandGiven(
            command="help",
            member=reading(OFFICE),
            rank=Rank.MEMBER,
            channel=GENERAL,
            at=MONDAY,
            invocation=Ref("import", "i"),
        ),
        MemberJoined(member=reading(OFFICE), at=MONDAY),
        changed(reading(OFFICE)),
        replace(
            wrote("hello", reading(OFFICE)), channel=replace(named("dm"), audience=Audience.DIRECT), mentioned=True
        ),
    ],
    ids=lambda event: type(event).__name__,
)
async def test_every_event_of_a_member_tells_what_they_may_read(town: Town, event: Event) -> None:
    await town.happens(event)
    assert await town.may_read() == {"general", "office"}


async def test_the_same_word_again_costs_nothing_and_anything_new_is_looked_at(town: Town) -> None:
    await town.happens(wrote("hello", reading(OFFICE)))
    before = await town.count(MembershipRow)
    # Behind its back, so that a second look would be seen.
    member = await town.member()
    await town.database.write(
        lambda c: c.execute(MembershipRow.__table__.delete().where(MembershipRow.member_id == member.id))
    )
    await town.happens(changed(reading(OFFICE), minute=1))
    assert (before, await town.count(MembershipRow)) == (2, 0)
    attic = replace(named("attic"), audience=Audience.MEMBERS)
    await town.happens(wrote("who is there?", named("wei"), attic, minute=2), changed(reading(OFFICE), minute=3))
    assert await town.may_read() == {"general", "office"}, "a new channel is a reason to look again"


async def test_a_channel_that_is_not_known_yet_is_passed_over_and_found_when_it_is(town: Town) -> None:
    attic = replace(named("attic"), audience=Audience.MEMBERS)
    await town.happens(changed(reading(attic, OFFICE)))
    assert await town.may_read() == {"general", "office"}
    await town.happens(closed(attic, minute=1), changed(reading(attic, OFFICE), minute=2))
    assert await town.may_read() == {"general", "office", "attic"}


async def test_a_channel_that_others_may_read_now_is_read_by_nobody_until_the_platform_says_so(town: Town) -> None:
    wei = named("wei")
    await town.happens(changed(reading(OFFICE)), changed(reading(OFFICE, who=wei)))
    await town.happens(closed(OFFICE, minute=1))
    assert (await town.may_read(), await town.may_read(wei)) == ({"general"}, {"general"})
    await town.happens(changed(reading(OFFICE), minute=2))
    assert (await town.may_read(), await town.may_read(wei)) == ({"general", "office"}, {"general"})


async def test_a_public_channel_that_is_closed_is_read_by_those_the_platform_names(town: Town) -> None:
    wei = named("wei")
    await town.happens(wrote("hello", reading()), wrote("hi", reading(who=wei), minute=1))
    await town.happens(closed(GENERAL, minute=2, audience=Audience.MEMBERS))
    assert await town.may_read() == set(), "having written there proves nothing"
    await town.happens(changed(reading(GENERAL), minute=3), changed(reading(who=wei), minute=3))
    assert (await town.may_read(), await town.may_read(wei)) == ({"general"}, set())


async def test_on_a_platform_without_that_word_members_stay_in_a_channel_that_is_closed(town: Town) -> None:
    await town.happens(wrote("hello", ANA), wrote("hi", named("wei"), minute=1))
    await town.happens(closed(GENERAL, minute=2, audience=Audience.MEMBERS, unconfirmed=False))
    assert await town.may_read() == {"general"}
    await town.happens(MemberLeft(member=ANA, channel=GENERAL, at=MONDAY + timedelta(minutes=3)))
    assert (await town.may_read(), await town.may_read(named("wei"))) == (set(), {"general"})


async def test_old_words_in_a_closed_channel_prove_nothing_where_the_platform_has_the_word(town: Town) -> None:
    await town.happens(wrote("long ago", reading(), OFFICE), wrote("I was here too", named("wei"), OFFICE, minute=1))
    assert (await town.may_read(), await town.may_read(named("wei"))) == ({"general"}, {"general", "office"})


async def test_an_older_word_that_comes_again_gives_back_nothing_that_was_lost_since(town: Town) -> None:
    earlier, later = wrote("hello", reading(OFFICE, VAULT), minute=1), changed(reading(VAULT), minute=2)
    await town.happens(earlier, later, earlier)
    assert await town.may_read() == {"general", "vault"}
    await town.happens(wrote("still here", reading(OFFICE, VAULT), minute=3))
    assert await town.may_read() == {"general", "vault", "office"}, "the next word is heeded"


async def test_who_leaves_the_space_leaves_its_closed_channels_and_comes_back_by_the_platforms_word(town: Town) -> None:
    await town.happens(changed(reading(OFFICE)), MemberLeft(member=reading(OFFICE), at=MONDAY + timedelta(minutes=1)))
    assert await town.may_read() == {"general"}
    await town.happens(MemberJoined(member=reading(OFFICE), at=MONDAY + timedelta(minutes=2)))
    assert await town.may_read() == {"general", "office"}


async def test_who_is_called_otherwise_now_is(town: Town) -> None:
    await town.happens(wrote("hello", ANA), changed(replace(ANA, name="Ana Ferreira"), minute=1))
    assert (await town.member()).name == "Ana Ferreira"


async def test_who_was_forgotten_and_comes_back_is_looked_at_anew(town: Town) -> None:
    await town.happens(changed(reading(OFFICE)))
    member = await town.member()

    async def forget(connection) -> None:
        for model, column in ((MembershipRow, "member_id"), (MemberRow, "id")):
            await connection.execute(model.__table__.delete().where(getattr(model, column) == member.id))

    await town.database.write(forget)
    await town.happens(changed(reading(OFFICE), minute=1))
    assert await town.may_read() == {"general", "office"}


async def test_who_is_given_the_number_of_somebody_forgotten_is_in_the_channels_they_write_in(town: Town) -> None:
    await town.happens(wrote("hello", ANA))
    ana = await town.member()

    async def forget(connection) -> None:
        await connection.execute(OutboxRow.__table__.delete())
        for model, column in ((MessageRow, "author_id"), (MembershipRow, "member_id"), (MemberRow, "id")):
            await connection.execute(model.__table__.delete().where(getattr(model, column) == ana.id))
        if connection.dialect.name == "postgresql":
            await connection.execute(text(f"ALTER SEQUENCE member_id_seq RESTART WITH {ana.id}"))

    await town.database.write(forget)
    await town.happens(wrote("good morning", WEI, minute=1))
    wei = await town.member(WEI)
    assert wei.id == ana.id
    async with town.database.read() as connection:
        assert len(await members.joined(connection, wei.id)) == 1


# Where nothing is read


async def test_of_a_channel_that_is_not_read_nothing_is_kept_and_what_was_is_in_no_ones_scope(town: Town) -> None:
    first = wrote("before", ANA)
    await town.happens(first)
    await town.tune("read", "no", GENERAL)
    heart = ReactionAdded(message=first.message, channel=GENERAL, member=ANA, emoji="👍", at=MONDAY, sequence=1)
    [after, _heart] = await town.happens(wrote("after", ANA, minute=1), heart)
    assert await town.texts() == ["before"]
    assert (await town.may_read(), await town.count(ReactionRow)) == (set(), 0)
    assert not after.collected
    await town.tune("read", "", GENERAL)
    [again, _heart] = await town.happens(wrote("again", ANA, minute=2), heart)
    assert await town.texts() == ["before", "again"]
    assert (await town.may_read(), await town.count(ReactionRow)) == ({"general"}, 1)
    assert again.collected


async def test_an_edit_where_nothing_is_read_takes_the_old_words_away(town: Town) -> None:
    first, other = wrote("before", ANA), wrote("elsewhere", ANA, named("garden"))
    await town.happens(first, other)
    await town.tune("read", "no", GENERAL)
    edit = MessageEdited(message=first.message, channel=GENERAL, author=ANA, text="after", at=MONDAY, revision=1)
    await town.happens(edit, replace(edit, message=other.message, channel=named("garden"), text="elsewhere too"))
    assert await town.texts() == ["elsewhere too"]


async def test_a_community_may_name_the_only_channels_that_are_read(town: Town) -> None:
    await town.tune("read", "no")
    await town.tune("read", "yes", OFFICE)
    await town.happens(wrote("aloud", reading(OFFICE)), wrote("in the office", reading(OFFICE), OFFICE, minute=1))
    assert await town.texts() == ["in the office"]
    assert await town.may_read() == {"office"}


async def test_who_turns_to_the_bot_where_nothing_is_read_is_met_and_nobody_else(town: Town) -> None:
    await town.tune("read", "no", GENERAL)
    await town.happens(wrote("@Kinfolk hello", ANA, mentioned=True), wrote("hello", named("wei"), minute=1))
    assert ((await town.member()).name, await town.texts(), await town.count(MemberRow)) == ("ana", [], 1)


async def test_a_guest_reads_the_open_channels_that_they_are_in_and_no_other(town: Town) -> None:
    guest, lobby = replace(ANA, guest=True), replace(named("lobby"), audience=Audience.EVERYONE)
    await town.happens(wrote("hello", WEI), wrote("hello there", WEI, lobby, minute=1))
    await town.happens(wrote("I am new", guest, lobby, minute=2))
    assert await town.may_read() == {"lobby"}
    await town.happens(wrote("me too", WEI, minute=3))
    assert await town.may_read(WEI) == {"general", "lobby"}
    asked = CommandGiven(
        command="match",
        member=replace(guest, guest=False),
        rank=Rank.MEMBER,
        channel=lobby,
        at=MONDAY + timedelta(minutes=4),
        invocation=Ref("slack", "i1"),
    )
    [followed] = await town.happens(asked)
    assert followed.member is not None
    assert not followed.member.guest, "what the platform says holds at once"
    assert await town.may_read() == {"general", "lobby"}
    await town.happens(changed(ANA, minute=5))
    assert await town.may_read() == {"general", "lobby"}, "without a word, nothing changes"
    [followed] = await town.happens(wrote("and again", guest, lobby, minute=6))
    assert followed.member is not None
    assert followed.member.guest
    assert await town.may_read() == {"lobby"}
