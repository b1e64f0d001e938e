"""Two communities become one: every row of the second belongs to the first, once, and so does every point."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.core.actions import KeepCode, KeepMeeting, LinkCommunities
from bot.core.clock import SystemClock
from bot.core.decisions import Receipt
from bot.core.events import Arrival, Named
from bot.core.ports import Scope
from bot.core.things import Audience, Community, Ref, point_id
from bot.keeping import Keeper
from storage import (
    channels,
    communities,
    erasure,
    feedback,
    ledger,
    linking,
    meetings,
    members,
    persons,
    policies,
    proofs,
    refusals,
    spaces,
)
from storage.db import Database
from storage.following import Followings
from storage.intake import Intake
from storage.rows import insert_rows
from storage.tables import (
    BackfillRow,
    CaseRow,
    ChannelRow,
    ConsentRow,
    GrowthRow,
    LessonRow,
    MeetingRow,
    MemberRow,
    MessageRow,
    OutboxRow,
    PersonRow,
    PolicyRow,
    TraceMemberRow,
    TraceRow,
    metadata,
)
from storage.trail import account_ref
from tests.unit.remembering import ANA, COLM, GENERAL, RIVETS, Harbour, harbour, posted
from tests.words import MONDAY

pytestmark = pytest.mark.slow

HILL = Named(ref=Ref("slack", "T1"), name="hill")
MEADOW = Named(ref=Ref("slack", "C1"), name="meadow")
ATTIC = Named(ref=Ref("slack", "C2"), name="attic", audience=Audience.MEMBERS)
WEI, NIA = Named(ref=Ref("slack", "U1"), name="Wei"), Named(ref=Ref("slack", "U2"), name="Nia")
SHEEP = "the sheep were shorn before the rain came down the valley"
ATTIC_WORDS = "the deed to the meadow is in the blue box upstairs"
TWICE = replace(posted("m1", COLM, RIVETS, 0), channel=GENERAL)
SAID_THERE = (
    replace(posted("s1", WEI, SHEEP, 10), channel=MEADOW),
    replace(posted("s2", NIA, ATTIC_WORDS, 11), channel=ATTIC),
    replace(posted("s3", COLM, "I also keep two goats up here", 12), channel=MEADOW),
)


async def second(town: Harbour, *, name: str = "hill", said=SAID_THERE, space: Named = HILL) -> Community:
    """Found a second community, in which Colm is too."""

    async def begin(connection) -> Community:
        community = await communities.find_or_make(connection, name, MONDAY)
        await spaces.belong(connection, space, community)
        intake = Intake(community, MONDAY)
        await intake.begin(connection)
        await intake.store(connection, said)
        await ledger.note(connection, community.id, at=MONDAY, actor="", act="warn", details={"messages": 2})
        row = {"community_id": community.id, "updated_at": MONDAY, "room": str(MEADOW.ref)}
        await insert_rows(connection, BackfillRow, [row], "room")
        return community

    return await town.database.write(begin)


@pytest.fixture
async def town(database: Database, home: Path) -> AsyncIterator[Harbour]:
    made = await harbour(database, home)
    yield made
    await made.index.vectors.close()


async def join(town: Harbour, other: Community) -> None:
    work = functools.partial(linking.join, community=town.community, other=other, now=MONDAY)
    await town.database.write(functools.partial(work, refusals=await refusals.load(town.home)))


async def rows(town: Harbour, model, *names: str) -> list[tuple[object, ...]]:
    async with town.database.read() as connection:
        found = await connection.execute(select(*(getattr(model, name) for name in names)))
        return sorted((tuple(row) for row in found), key=repr)


async def tally(town: Harbour) -> dict[str, int]:
    """Count the rows of every table."""
    async with town.database.read() as connection:
        return {name: len((await connection.execute(select(table))).all()) for name, table in metadata.tables.items()}


async def points(town: Harbour, community: int) -> int:
    return await town.index.vectors.count(Scope(community=community))


async def test_every_row_moves_and_none_is_lost_or_doubled(town: Harbour) -> None:
    hill = await second(town)

    async def meet(connection) -> str:
        wei = await members.by_ref(connection, hill, WEI.ref)
        assert wei is not None
        shown = KeepMeeting(meeting="h" * 32, member=WEI.ref, other=NIA.ref, said="shown")
        return await meetings.keep(connection, hill, wei, shown, now=MONDAY)

    assert await town.database.write(meet) == ""
    await town.index.catch_up()
    before = await tally(town)
    assert (await points(town, town.community.id), await points(town, hill.id)) == (6, 3)
    await join(town, hill)
    after = await tally(town)
    changed = {name: after[name] - before[name] for name in before if after[name] != before[name]}
    merged = {"member": -1, "person": -1}
    assert changed == merged | {"ledger": 1, "profile": -1, "learned_heads": -1, "outbox": 6}, (
        "Colm is one; 3 points go, and 3 come"
    )
    for model in (MemberRow, ChannelRow, MessageRow, BackfillRow, CaseRow, LessonRow, GrowthRow, MeetingRow):
        assert {number for (number,) in await rows(town, model, "community_id")} == {town.community.id}
    refs = await rows(town, MessageRow, "ref", "point")
    assert all(point == point_id(town.community.id, Ref.parse(ref)) for ref, point in refs)
    await town.index.catch_up()
    assert (await points(town, town.community.id), await points(town, hill.id)) == (9, 0)
    assert await rows(town, OutboxRow, "id") == []


async def test_whoever_is_in_both_is_one_with_what_they_said_in_both(town: Harbour) -> None:
    hill = await second(town)
    colm = await town.member(COLM)
    async with town.database.read() as connection:
        there = await members.by_ref(connection, hill, COLM.ref)
        nia = await members.by_ref(connection, hill, NIA.ref)
    assert there is not None
    assert nia is not None

    async def more(connection) -> None:
        await members.set_consent(connection, there.id, collected=False, now=MONDAY)
        await persons.link(connection, there, nia, MONDAY)
        await feedback.keep(connection, member=there.id, channel=1, opinion="joined", now=MONDAY)
        await proofs.make(connection, there, "AAAA2222", "person", MONDAY)
        told = [{"trace_id": "ana-again", "member": str(account_ref(number))} for number in (there.id, nia.id)]
        await insert_rows(connection, TraceMemberRow, told, "trace_id")

    await town.database.write(more)
    await join(town, hill)
    [one] = [row for row in await rows(town, MemberRow, "ref", "id", "person_id") if row[0] == str(COLM.ref)]
    assert one[1:] == (colm.id, colm.person)
    texts = {text for author, text in await rows(town, MessageRow, "author_id", "text") if author == colm.id}
    assert {RIVETS, SAID_THERE[2].text} <= texts
    assert {(member, said) for member, said in await rows(town, ConsentRow, "member_id", "collected")} >= {
        (colm.id, False),
        (nia.id, False),
    }, "the stricter holds, for the whole person"
    assert (await town.member(NIA)).person == colm.person
    async with town.database.read() as connection:
        assert await feedback.of(connection, colm.id) == {1: "declined"}, "what was said here stays"
    assert {person for (person,) in await rows(town, PersonRow, "id")} == {
        person for (person,) in await rows(town, MemberRow, "person_id")
    }
    forgotten = await erasure.forget(
        town.database, None, None, town.community, await town.member(COLM), home=town.home, now=MONDAY
    )
    assert forgotten.erased["member"] == 2
    assert "goats" not in await town.everything()
    traces = {trace for (trace,) in await rows(town, TraceRow, "id")}
    assert "ana-again" not in traces, "what tells of an account of theirs is found by the number that it has now"


async def test_a_channel_that_both_know_is_one_and_what_was_said_twice_is_kept_once(town: Harbour) -> None:
    closed = replace(TWICE, channel=replace(GENERAL, audience=Audience.MEMBERS))
    fresh = replace(posted("z1", ANA, "only the second has this", 20), channel=closed.channel)
    hill = await second(town, said=(closed, fresh))
    await join(town, hill)
    [(number, audience)] = [row for row in await rows(town, ChannelRow, "id", "audience") if row[0] == 1]
    assert (number, audience) == (1, Audience.MEMBERS), "whichever lets fewer read holds"
    messages = await rows(town, MessageRow, "ref", "channel_id")
    assert (len(messages), {channel for _ref, channel in messages}) == (8, {1})
    await town.index.catch_up()
    assert (await points(town, town.community.id), await points(town, hill.id)) == (7, 0)


async def test_closed_channels_stay_closed_and_open_ones_are_everybodys(town: Harbour) -> None:
    hill = await second(town)
    await join(town, hill)
    seen = {}
    async with town.database.read() as connection:
        for who in (ANA, NIA):
            member = await members.by_ref(connection, town.community, who.ref)
            reach = await channels.reach(connection, town.community, member)
            seen[who.name] = {one.name for one in reach.channels.values()}
    assert seen == {ANA.name: {"general", "meadow"}, NIA.name: {"general", "meadow", "attic"}}


async def test_settings_of_the_first_hold_and_channels_of_the_second_keep_theirs(town: Harbour) -> None:
    hill = await second(town)
    wanted = (
        (town.community, "confidence", "0.9", ""),
        (town.community, "staff_roles", "discord:h/&1", ""),
        (hill, "confidence", "0.5", ""),
        (hill, "contact", "the shepherds", ""),
        (hill, "staff_roles", "slack:admins", ""),
        (hill, "read", "no", ""),
        (hill, "read", "yes", str(MEADOW.ref)),
        (hill, "mode.welcome", "act", ""),
    )
    for community, name, value, channel in wanted:
        put = functools.partial(policies.put, community=community, name=name, value=value, channel=channel)
        await town.database.write(put)
    async with town.database.read() as connection:
        assert await linking.brings(connection, town.community, hill) == {
            "contact": "the shepherds",
            "staff_roles": "discord:h/&1, slack:admins",
        }
    await join(town, hill)
    async with town.database.read() as connection:
        rules = await policies.load(connection, town.community)
    assert (rules.policy.confidence, rules.policy.contact, rules.policy.read) == (0.9, "the shepherds", "yes")
    assert rules.policy.staff == {Ref("discord", "h/&1"), Ref("slack", "admins")}
    read = {room.name: rules.reads(room.ref) for room in (GENERAL, MEADOW, ATTIC)}
    assert read == {"general": True, "meadow": True, "attic": False}, "what was not read is not read now"
    assert {where for skill, where in rules.modes if skill == "welcome"} == {
        str(MEADOW.ref),
        str(ATTIC.ref),
        str(HILL.ref),
    }
    assert await rows(town, PolicyRow, "community_id") == [(town.community.id,)] * 9


async def test_a_channel_that_comes_later_is_read_as_its_space_was(town: Harbour) -> None:
    hill = await second(town)
    await town.database.write(functools.partial(policies.put, community=hill, name="read", value="no"))
    await join(town, hill)
    followings = Followings(SystemClock(), await refusals.load(town.home))
    shed, quay = (Named(ref=Ref("slack", one), name=one) for one in ("C7", "C8"))
    harbour_itself = Named(ref=Ref("plaza", "s"), name="harbour")
    await town.database.write(functools.partial(spaces.belong, space=harbour_itself, community=town.community))
    for space, where, key in ((HILL, shed, "n1"), (HILL, shed, "n2"), (harbour_itself, quay, "n3")):
        event = replace(posted(key, NIA, f"said in {where.name}", 30), channel=where)
        arrivals = [Arrival(space=space, event=event)]
        await town.database.write(functools.partial(followings.store, arrivals=arrivals))
    texts = {text for (text,) in await rows(town, MessageRow, "text")}
    assert "said in C8" in texts
    assert "said in C7" not in texts, "of that space nothing was read"


async def test_a_conversation_with_one_member_has_no_settings(town: Harbour) -> None:
    alone = Named(ref=Ref("slack", "D1"), name="direct", audience=Audience.DIRECT)
    hill = await second(town, said=(*SAID_THERE, replace(posted("s4", WEI, "to the bot", 13), channel=alone)))
    await town.database.write(functools.partial(policies.put, community=hill, name="read", value="no"))
    await join(town, hill)
    kept = {channel for (channel,) in await rows(town, PolicyRow, "channel")}
    assert str(ATTIC.ref) in kept
    assert str(alone.ref) not in kept


@pytest.mark.parametrize(("ours", "withheld"), [("opt_out", {WEI.name, NIA.name}), ("", {WEI.name, NIA.name})])
async def test_silence_that_meant_no_goes_on_meaning_no(town: Harbour, ours: str, withheld: set[str]) -> None:
    hill = await second(town)
    for community, value in ((town.community, ours), (hill, "opt_in")):
        put = functools.partial(policies.put, community=community, name="consent", value=value)
        await town.database.write(put)
    await join(town, hill)
    async with town.database.read() as connection:
        no = await members.withheld(connection, town.community)
        names = {one.name for one in await members.every(connection, town.community) if one.id in no}
    assert names >= withheld
    assert ANA.name not in names, "she agreed"


async def test_a_yes_here_is_no_silence_there(town: Harbour) -> None:
    hill = await second(town)
    for community, value in ((town.community, "opt_out"), (hill, "opt_in")):
        put = functools.partial(policies.put, community=community, name="consent", value=value)
        await town.database.write(put)
    await join(town, hill)
    async with town.database.read() as connection:
        colm = await members.by_ref(connection, town.community, COLM.ref)
        assert colm.id not in await members.withheld(connection, town.community)


async def test_who_was_forgotten_there_is_not_collected_here(town: Harbour) -> None:
    hill, known = await second(town), await refusals.load(town.home)
    async with town.database.read() as connection:
        wei = await members.by_ref(connection, hill, WEI.ref)
    await erasure.forget(town.database, None, None, hill, wei, home=town.home, now=MONDAY)
    await join(town, hill)
    async with town.database.read() as connection:
        assert await known.refused(connection, town.community, [WEI.ref, NIA.ref]) == {WEI.ref}
    await town.database.write(lambda c: known.lift(c, town.community, WEI.ref))
    async with town.database.read() as connection:
        assert await known.refused(connection, town.community, [WEI.ref]) == set()


@pytest.mark.parametrize("forgotten", ["harbour", "hill"])
async def test_who_was_forgotten_in_one_of_the_two_and_is_in_the_other_is_collected_in_neither(
    town: Harbour, forgotten: str
) -> None:
    hill = await second(town)
    where = hill if forgotten == hill.name else town.community
    async with town.database.read() as connection:
        colm = await members.by_ref(connection, where, COLM.ref)
    await erasure.forget(town.database, None, None, where, colm, home=town.home, now=MONDAY)
    await join(town, hill)
    async with town.database.read() as connection:
        colm = await members.by_ref(connection, town.community, COLM.ref)
        assert colm.id in await members.withheld(connection, town.community)


async def test_a_failure_on_the_way_leaves_everything_as_it_was(town: Harbour) -> None:
    hill = await second(town)
    await town.index.catch_up()
    before, known = await town.everything(), await refusals.load(town.home)

    async def broken(connection) -> None:
        await linking.join(connection, town.community, hill, MONDAY, refusals=known)
        raise RuntimeError("the power went out")

    with pytest.raises(RuntimeError):
        await town.database.write(broken)
    assert await town.everything() == before


async def test_done_twice_it_is_done_once(town: Harbour) -> None:
    hill = await second(town)
    await join(town, hill)
    before = await town.everything()
    keeper = Keeper(
        database=town.database,
        clock=SystemClock(),
        erase=None,  # type: ignore[arg-type]
        refusals=await refusals.load(town.home),
    )
    action = LinkCommunities(other=hill.id, code="AAAA2222")
    assert await keeper.act(town.community, action) == Receipt(state="done")
    assert await town.everything() == before
    assert (await keeper.act(hill, replace(action, other=town.community.id))).state == "failed"


async def test_without_both_owners_word_nothing_is_linked(town: Harbour) -> None:
    hill = await second(town)
    keeper = Keeper(
        database=town.database,
        clock=SystemClock(),
        erase=None,  # type: ignore[arg-type]
        refusals=await refusals.load(town.home),
    )
    code, action = "AAAA2222", LinkCommunities(other=hill.id, code="AAAA2222")
    steps = (
        (town.community, KeepCode(member=ANA.ref, code=code, subject="community", step="made")),
        (hill, KeepCode(member=WEI.ref, code=code, subject="community", step="entered")),
        (hill, KeepCode(member=WEI.ref, code=code, subject="community", step="confirmed")),
    )
    for community, step in steps:
        assert (await keeper.act(town.community, action)).state == "failed"
        assert (await keeper.act(community, step)).state == "done"
    assert (await keeper.act(town.community, action)).state == "done"
    async with town.database.read() as connection:
        assert [one.name for one in await communities.every(connection)] == ["harbour"]
        assert (await communities.find(connection, "hill")).name == "harbour", "its name means the other one now"


async def test_a_bot_that_runs_follows_the_new_community_at_once(town: Harbour) -> None:
    hill = await second(town)
    clock = SystemClock()
    followings = Followings(clock, await refusals.load(town.home))

    async def happens(text: str, key: str) -> Community:
        event = replace(posted(key, NIA, text, 30), channel=MEADOW)
        arrival = Arrival(space=HILL, event=event)
        [followed] = await town.database.write(functools.partial(followings.store, arrivals=[arrival]))
        return followed.community

    assert await happens("before", "n1") == hill
    await join(town, hill)
    assert await happens("after", "n2") == town.community
    assert {number for (number,) in await rows(town, MessageRow, "community_id")} == {town.community.id}


async def test_what_was_on_its_way_into_the_old_community_is_gathered(town: Harbour) -> None:
    hill = await second(town)
    await join(town, hill)
    late = replace(posted("late", NIA, "I was on my way", 40), channel=MEADOW)

    async def store(connection) -> None:
        intake = Intake(hill, MONDAY)
        await intake.begin(connection)
        await intake.store(connection, [late])
        await ledger.note(connection, hill.id, at=MONDAY, actor="", act="late", details={})

    await town.database.write(store)
    for _ in range(2):
        await town.database.write(functools.partial(linking.gather, now=MONDAY))
        numbers = await rows(town, MessageRow, "ref", "community_id", "channel_id", "author_id")
        assert {community for _ref, community, *_ in numbers} == {town.community.id}
        assert len(numbers) == 11
        assert len(await rows(town, MemberRow, "id")) == 5
    await town.index.catch_up()
    assert (await points(town, town.community.id), await points(town, hill.id)) == (10, 0)
