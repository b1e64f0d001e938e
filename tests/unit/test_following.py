"""What happens on a platform, followed in the tables of both databases."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.event import listen, remove

from bot.core.actions import KeepMute, Subject
from bot.core.errors import KinfolkError, Unavailable
from bot.core.events import (
    Arrival,
    ButtonPressed,
    ChannelChanged,
    CommandGiven,
    Event,
    MemberJoined,
    MemberLeft,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    Named,
    ReactionAdded,
    ReactionRemoved,
)
from bot.core.things import Audience, Community, Rank, Ref
from storage import alerts, channels, communities, members, outbox, policies, refusals
from storage.db import Database
from storage.following import Following, Followings
from storage.inbox import Inbox
from storage.refusals import Refusals
from storage.rows import insert_rows
from storage.tables import (
    AlertMuteRow,
    BackfillRow,
    ChannelRow,
    CommunityRow,
    MemberRow,
    MessageRow,
    OutboxRow,
    PolicyRow,
    ReactionRow,
    ThreadRow,
)
from tests.clocks import HastyClock
from tests.words import MONDAY, named, said

ANA, WEI = named("ana"), replace(named("wei"), language="zh-CN")
GENERAL, GARDEN = named("general"), named("garden")
DIRECT = Named(ref=Ref("import", "dm"), name="ana", audience=Audience.DIRECT)
HELLO = said("hello", key="m1")
M1 = HELLO.message
LATER = MONDAY + timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A community that is followed."""

    database: Database
    community: Community
    refused: Refusals

    async def happens(self, *events: Event) -> None:
        following = Following(self.community, MONDAY, self.refused)

        async def work(connection) -> None:
            await following.begin(connection)
            await following.follow(connection, events)

        await self.database.write(work)

    async def rows(self, model, *names: str) -> list[tuple[object, ...]]:
        async with self.database.read() as connection:
            found = await connection.execute(select(*(getattr(model, name) for name in names)))
            return sorted((tuple(row) for row in found), key=repr)

    async def texts(self) -> list[str]:
        return [text for (text,) in await self.rows(MessageRow, "text")]

    async def inside(self, channel: Named) -> set[str]:
        async with self.database.read() as connection:
            room = await channels.by_ref(connection, self.community, channel.ref)
            assert room is not None
            ids = await members.inside(connection, room.id)
            return {one.name for one in await members.every(connection, self.community) if one.id in ids}

    async def withhold(self, who: Named) -> None:
        async with self.database.read() as connection:
            member = await members.by_ref(connection, self.community, who.ref)
        assert member is not None
        await self.database.write(lambda c: members.set_consent(c, member.id, collected=False, now=MONDAY))

    async def indexed(self) -> None:
        async with self.database.read() as connection:
            rows = await outbox.newest(connection, 100)
        await self.database.write(lambda connection: outbox.done(connection, rows))


@pytest.fixture
async def followed(database: Database, home: Path) -> Followed:
    refused = await refusals.load(home)
    community = await database.write(lambda c: communities.find_or_make(c, "harbour", MONDAY))
    return Followed(database=database, community=community, refused=refused)


def edited(text: str, revision: int = 1, *, by: Named = ANA) -> MessageEdited:
    return MessageEdited(message=M1, channel=GENERAL, author=by, text=text, at=LATER, revision=revision)


def reacted(kind: type, emoji: str = "👍", *, by: Named = WEI, message: Ref = M1) -> Event:
    return kind(message=message, channel=GENERAL, member=by, emoji=emoji, at=LATER, sequence=1)


DELETED = MessageDeleted(message=M1, channel=GENERAL, at=LATER)


async def test_an_edit_changes_the_text_and_lets_it_be_encoded_anew(followed: Followed) -> None:
    await followed.happens(HELLO)
    await followed.indexed()
    await followed.happens(edited("hello again"))
    assert await followed.rows(MessageRow, "text", "edited_at") == [("hello again", LATER)]
    assert len(await followed.rows(OutboxRow, "message_id")) == 1
    await followed.indexed()
    await followed.happens(edited("hello again", 2))
    assert await followed.rows(OutboxRow, "message_id") == [], "the same words are not encoded again"


async def test_an_edit_to_nothing_takes_the_point_away(followed: Followed) -> None:
    await followed.happens(HELLO)
    await followed.indexed()
    await followed.happens(edited("  "))
    assert await followed.rows(OutboxRow, "message_id") == [(None,)]


async def test_what_bots_say_is_never_encoded_however_often_they_change_it(followed: Followed) -> None:
    robot = replace(named("robot"), bot=True)
    await followed.happens(replace(HELLO, author=robot), edited("hello again", by=robot))
    assert await followed.texts() == ["hello again"]
    assert await followed.rows(OutboxRow, "message_id") == []
    await followed.happens(said("hello", key="m2"))
    assert len(await followed.rows(OutboxRow, "message_id")) == 1


async def test_no_message_makes_the_writer_look_through_a_table(followed: Followed) -> None:
    await followed.happens(HELLO)
    engine = followed.database.engine
    if engine.dialect.name != "sqlite":
        return  # its planner looks through small tables whatever indices there are
    asked: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement: str, parameters: object, *_rest: object) -> None:
        asked.append((statement, parameters))

    listen(engine, "before_cursor_execute", note)
    known = Following(followed.community, MONDAY, followed.refused)
    await followed.database.write(known.begin)
    asked.clear()
    for one in (said("more", key="m2"), edited("hello again"), DELETED):
        await followed.database.write(lambda c, one=one: known.follow(c, [one]))
    remove(engine, "before_cursor_execute", note)
    assert len(asked) > 10

    def plans_of(connection) -> set[str]:
        return {
            step[3]
            for statement, parameters in asked
            if statement.startswith(("SELECT", "UPDATE", "DELETE"))
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        }

    plans = await followed.database.look(lambda connection: connection.run_sync(plans_of))
    scanned = {plan for plan in plans if plan.startswith("SCAN") and "INDEX" not in plan}
    assert scanned <= {"SCAN collection"}, "one row"


async def test_an_edit_of_what_is_not_there_changes_nothing(followed: Followed) -> None:
    await followed.happens(edited("hello again"))
    assert await followed.texts() == []


async def test_a_deletion_takes_message_reactions_and_point_away_and_comes_twice_in_peace(followed: Followed) -> None:
    await followed.happens(HELLO, reacted(ReactionAdded), said("stays", key="m2"))
    await followed.indexed()
    await followed.happens(DELETED, DELETED)
    assert await followed.texts() == ["stays"]
    assert await followed.rows(ReactionRow, "emoji") == []
    assert await followed.rows(OutboxRow, "message_id") == [(None,)]


async def test_what_is_posted_and_deleted_in_one_breath_leaves_nothing(followed: Followed) -> None:
    await followed.happens(HELLO, edited("secret"), DELETED)
    assert await followed.texts() == []
    assert {message for (message,) in await followed.rows(OutboxRow, "message_id")} <= {None}


async def test_reactions_come_and_go_and_coming_twice_count_once(followed: Followed) -> None:
    await followed.happens(HELLO, reacted(ReactionAdded), reacted(ReactionAdded), reacted(ReactionAdded, "⚓"))
    assert await followed.rows(ReactionRow, "emoji") == [("⚓",), ("👍",)]
    await followed.happens(reacted(ReactionRemoved), reacted(ReactionRemoved))
    assert await followed.rows(ReactionRow, "emoji") == [("⚓",)]
    await followed.happens(reacted(ReactionAdded, message=Ref("import", "nowhere")))
    assert await followed.rows(ReactionRow, "emoji") == [("⚓",)]


async def test_members_join_and_leave_channels_and_come_back(followed: Followed) -> None:
    join = MemberJoined(member=WEI, channel=GARDEN, at=MONDAY)
    await followed.happens(join, join, MemberJoined(member=ANA, channel=GARDEN, at=MONDAY))
    assert await followed.inside(GARDEN) == {"ana", "wei"}
    await followed.happens(MemberLeft(member=WEI, channel=GARDEN, at=LATER))
    assert await followed.inside(GARDEN) == {"ana"}
    await followed.happens(replace(join, at=LATER))
    assert await followed.inside(GARDEN) == {"ana", "wei"}


async def test_who_leaves_the_space_leaves_every_channel_of_it(followed: Followed) -> None:
    rooms = [MemberJoined(member=WEI, channel=room, at=MONDAY) for room in (GENERAL, GARDEN)]
    await followed.happens(*rooms, MemberJoined(member=ANA, channel=GARDEN, at=MONDAY))
    await followed.happens(MemberLeft(member=WEI, at=LATER))
    assert (await followed.inside(GENERAL), await followed.inside(GARDEN)) == (set(), {"ana"})


async def test_who_comes_into_the_space_is_met_with_their_language(followed: Followed) -> None:
    await followed.happens(MemberJoined(member=WEI, at=MONDAY))
    assert await followed.rows(MemberRow, "name", "language") == [("wei", "zh-CN")]
    await followed.happens(reacted(ReactionAdded, by=replace(WEI, language="en")))
    assert await followed.rows(MemberRow, "name", "language") == [("wei", "en")]
    await followed.happens(reacted(ReactionAdded, by=replace(WEI, language="")))
    assert await followed.rows(MemberRow, "name", "language") == [("wei", "en")]


async def test_a_channel_is_described_renamed_closed_and_put_away(followed: Followed) -> None:
    change = ChannelChanged(channel=GARDEN, description="Seeds", at=MONDAY, revision=1)
    await followed.happens(change)
    assert await followed.rows(ChannelRow, "name", "description", "audience") == [("garden", "Seeds", "everyone")]
    closed = replace(GARDEN, name="allotment", audience=Audience.MEMBERS)
    await followed.happens(replace(change, channel=closed, revision=2))
    assert await followed.rows(ChannelRow, "name", "audience") == [("allotment", "members")]
    await followed.happens(replace(change, channel=replace(closed, audience=None), archived=True, revision=3))
    assert await followed.rows(ChannelRow, "audience", "archived") == [("members", True)]
    async with followed.database.read() as connection:
        assert await channels.every(connection, followed.community) == {}


async def test_what_was_said_in_a_deleted_thread_or_channel_is_gone_with_it(followed: Followed) -> None:
    inside = said("in the thread", key="m3", thread="knots")
    thread = inside.thread
    assert thread is not None
    await followed.happens(HELLO, inside, said("elsewhere", key="m4", where="garden"))
    gone = ChannelChanged(channel=thread, archived=True, gone=True, at=LATER, revision=1)
    await followed.happens(gone, gone)
    assert await followed.texts() == ["elsewhere", "hello"]
    assert [name for (name,) in await followed.rows(ChannelRow, "name")] == ["garden", "general"]

    await followed.happens(replace(gone, channel=GENERAL, revision=2))
    assert await followed.texts() == ["elsewhere"]
    assert await followed.rows(ChannelRow, "name", "archived") == [("garden", False), ("general", True)]


async def test_of_a_direct_conversation_nothing_is_kept(followed: Followed) -> None:
    secret = replace(HELLO, channel=DIRECT, text="between us")
    await followed.happens(secret, replace(edited("still between us"), channel=DIRECT))
    assert await followed.texts() == []
    assert await followed.rows(OutboxRow, "message_id") == []
    await followed.happens(HELLO)
    assert await followed.texts() == ["hello"]


async def test_of_who_was_forgotten_nothing_is_kept_until_they_ask(followed: Followed) -> None:
    await followed.database.write(lambda c: followed.refused.refuse(c, followed.community, WEI.ref))
    wrote = replace(HELLO, author=WEI, message=Ref("import", "w1"))
    await followed.happens(wrote, MemberJoined(member=WEI, channel=GARDEN, at=MONDAY), reacted(ReactionAdded))
    assert await followed.rows(MemberRow, "name") == []
    asks = CommandGiven(
        command="help", member=WEI, rank=Rank.MEMBER, channel=GENERAL, at=MONDAY, invocation=Ref("import", "i")
    )
    await followed.happens(asks, replace(wrote, message=Ref("import", "w2")), HELLO)
    assert await followed.rows(MemberRow, "name") == [("ana",), ("wei",)]
    assert await followed.texts() == ["hello"], "who asks is answered, and still not collected"


async def test_of_who_withheld_consent_nothing_new_is_kept_and_an_edit_takes_the_old_away(followed: Followed) -> None:
    await followed.happens(HELLO, said("older", key="m2"))
    await followed.withhold(ANA)
    await followed.happens(said("new", key="m3"), edited("changed"))
    assert await followed.texts() == ["older"]


async def test_of_who_is_not_collected_no_title_of_a_thread_is_kept_and_of_others_it_is(followed: Followed) -> None:
    await followed.happens(said("hello", by="wei"), HELLO)
    await followed.withhold(WEI)
    await followed.database.write(lambda c: followed.refused.refuse(c, followed.community, named("eve").ref))
    for minute, who in enumerate(("wei", "eve", "ana")):
        begun = said("first", by=who, minute=minute, thread=f"begun by {who}")
        answer = said("second", by="wei" if who == "ana" else "ana", minute=9, thread=f"begun by {who}")
        await followed.happens(begun)
        await followed.happens(answer)
    newer, older = (said("and", by=who, minute=at, thread="read backwards") for who, at in (("ana", 5), ("wei", 3)))
    await followed.happens(newer)
    await followed.happens(older)
    kept = [title for (title,) in await followed.rows(ThreadRow, "title")]
    assert sorted(kept) == ["", "", "", "begun by ana"]


async def test_what_comes_again_changes_nothing(followed: Followed) -> None:
    events: tuple[Event, ...] = (
        HELLO,
        replace(said("a reply", key="m2", thread="help"), reply_to=M1),
        edited("hello again"),
        reacted(ReactionAdded),
        MemberJoined(member=WEI, channel=GARDEN, at=MONDAY),
        ChannelChanged(channel=GARDEN, description="Seeds", at=MONDAY, revision=1),
        ButtonPressed(
            button="t", message=M1, member=WEI, rank=0, channel=GENERAL, at=MONDAY, invocation=Ref("import", "i")
        ),
    )
    await followed.happens(*events)

    async def everything() -> list[object]:
        rooms = await followed.rows(ChannelRow, "ref", "description")
        people = await followed.rows(MemberRow, "ref", "name")
        words = await followed.rows(MessageRow, "ref", "text", "reply_to", "thread_id")
        return [rooms, people, words, await followed.rows(ReactionRow, "emoji"), await followed.inside(GARDEN)]

    before = await everything()
    await followed.happens(*events[1:])
    assert await everything() == before
    assert isinstance(events[0], MessagePosted)


GROUP, SUPERGROUP = Ref("import", "-123"), Ref("import", "-100456")
MIGRATED = ChannelChanged(channel=replace(named("harbour"), ref=SUPERGROUP), formerly=GROUP, at=LATER, revision=1)
BEFORE = replace(said("before it grew", key="g1"), channel=replace(named("harbour"), ref=GROUP))
AFTER = replace(said("after it grew", key="g2"), channel=MIGRATED.channel)


async def test_a_channel_that_is_called_otherwise_takes_everything_along(followed: Followed) -> None:
    await followed.happens(BEFORE, replace(HELLO, message=Ref("import", "m9")))
    for name, value, channel in (
        ("read", "yes", str(GROUP)),
        ("mode.match", "ask", str(GROUP)),
        ("mode.match", "off", str(GENERAL.ref)),
        ("staff_channel", str(GROUP), ""),
    ):
        put = functools.partial(policies.put, community=followed.community, name=name, value=value, channel=channel)
        await followed.database.write(put)
    row = {"community_id": followed.community.id, "updated_at": MONDAY}
    rooms = [{**row, "room": str(ref)} for ref in (GROUP, GENERAL.ref)]
    await followed.database.write(lambda c: insert_rows(c, BackfillRow, rooms, "room"))
    for name, until in ((f"channel {GROUP}", MONDAY), (f"mood {GROUP}", MONDAY), (f"mood {SUPERGROUP}", LATER)):
        mute = KeepMute(subject=Subject.parse(name), until=until)
        await followed.database.write(functools.partial(alerts.mute, community=followed.community, action=mute))
    for _ in range(2):
        await followed.happens(MIGRATED)
        assert await followed.rows(AlertMuteRow, "subject", "until") == [
            (f"channel {SUPERGROUP}", MONDAY),
            (f"mood {SUPERGROUP}", LATER),
        ]
        assert await followed.rows(ChannelRow, "ref", "name") == [
            (str(SUPERGROUP), "harbour"),
            (str(GENERAL.ref), "general"),
        ]
        assert await followed.rows(PolicyRow, "channel", "name", "value") == [
            ("", "staff_channel", str(SUPERGROUP)),
            (str(SUPERGROUP), "mode.match", "ask"),
            (str(SUPERGROUP), "read", "yes"),
            (str(GENERAL.ref), "mode.match", "off"),
        ]
        assert await followed.rows(BackfillRow, "room") == [(str(SUPERGROUP),), (str(GENERAL.ref),)]
    assert (str(BEFORE.message), BEFORE.text) in await followed.rows(MessageRow, "ref", "text")
    await followed.happens(AFTER)
    assert len(await followed.rows(ChannelRow, "ref")) == 2


async def test_what_came_under_the_new_name_first_is_put_together_and_written_anew(followed: Followed) -> None:
    await followed.happens(BEFORE, AFTER)
    assert len(await followed.rows(ChannelRow, "ref")) == 2
    await followed.database.write(lambda c: c.execute(OutboxRow.__table__.delete()))
    await followed.happens(MIGRATED)
    [(number, ref)] = await followed.rows(ChannelRow, "id", "ref")
    assert ref == str(SUPERGROUP)
    assert await followed.rows(MessageRow, "text", "channel_id") == [(AFTER.text, number), (BEFORE.text, number)]
    assert len(await followed.rows(OutboxRow, "message_id")) == 1, "its point said another channel"


async def test_whoever_follows_on_knows_the_channel_by_its_new_number(followed: Followed) -> None:
    following = Following(followed.community, MONDAY, followed.refused)
    await followed.database.write(following.begin)
    later = replace(AFTER, message=Ref("import", "g3"), author=WEI)
    for event in (BEFORE, AFTER, MIGRATED, later, replace(HELLO, message=Ref("import", "m8"))):
        await followed.database.write(functools.partial(following.follow, events=[event]))
    assert len(await followed.rows(ChannelRow, "id")) == 2
    assert await followed.inside(MIGRATED.channel) == {"ana", "wei"}
    assert await followed.inside(GENERAL) == {"ana"}


@pytest.mark.parametrize("first", [(), (AFTER,)], ids=["told in time", "told late"])
async def test_a_space_that_is_called_otherwise_stays_in_its_community(
    database: Database, home: Path, first: Sequence[Event]
) -> None:
    followings = Followings(HastyClock(), await refusals.load(home))
    old, new = (Named(ref=ref, name="harbour") for ref in (GROUP, SUPERGROUP))

    async def happen(space: Named, *events: Event) -> set[str]:
        arrivals = [Arrival(space=space, event=event) for event in events]
        done = await database.write(functools.partial(followings.store, arrivals=arrivals))
        return {one.community.name for one in done}

    assert await happen(old, BEFORE) == {"harbour"}
    for event in first:
        assert await happen(new, event) == {"harbour 2"}
    assert await happen(new, MIGRATED) == {"harbour"}
    assert await happen(new, AFTER, MIGRATED) == {"harbour"}
    assert await happen(old, replace(BEFORE, message=Ref("import", "late"))) == {"harbour"}
    async with database.read() as connection:
        assert [one.name for one in await communities.every(connection)] == ["harbour"]


async def test_what_no_database_keeps_is_left_out_and_the_rest_arrives(followed: Followed) -> None:
    stream = Inbox(followed.database, clock=HastyClock(), holder="test")
    half = "\ud83d"
    posted = replace(HELLO, text=f"he\x00llo {half}you", author=replace(ANA, name=f"a{half}na"))
    for number, event in enumerate((posted, replace(posted, message=Ref("import", "m2")))):
        assert await stream.put(Arrival(space=named("s"), event=event)), number
    while len(await followed.texts()) < 2:
        deliveries = await stream.claim(10)
        await followed.happens(*(delivery.arrival.event for delivery in deliveries))
    assert await followed.texts() == ["hello you", "hello you"]
    assert await followed.rows(MemberRow, "name") == [("ana",)]


async def test_data_that_is_refused_is_no_reason_to_wait(followed: Followed) -> None:
    row = {"name": "harbour", "created_at": MONDAY}
    with pytest.raises(KinfolkError, match="The database refused") as caught:
        await followed.database.write(lambda connection: insert_rows(connection, CommunityRow, [row], "id"))
    assert not isinstance(caught.value, Unavailable)
    assert await followed.texts() == []
