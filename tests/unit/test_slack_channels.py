"""What becomes of channels on Slack, told by its server for the tests and heard by the adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.slack.catching_up import Gap
from bot.core.events import (
    BotAdded,
    ChannelChanged,
    MemberChanged,
    MemberJoined,
    MessageDeleted,
    MessagePosted,
)
from bot.core.things import Audience
from tests.contract.on_slack import OnSlack, on_slack, ref
from tests.platforms.slack.world import BOT

pytestmark = pytest.mark.slow

AT = "1700000000.000100"


@pytest.fixture
async def slack() -> AsyncIterator[OnSlack]:
    async with on_slack() as opened:
        assert isinstance(opened, OnSlack)
        yield opened


async def heard(slack: OnSlack, event: dict) -> list[ChannelChanged]:
    slack.server.world.tell({"event_ts": AT, **event})
    await slack.settle()
    return [one.event for one in slack.heard.arrivals if isinstance(one.event, ChannelChanged)]


async def test_a_new_name_arrives(slack: OnSlack) -> None:
    told = {"type": "channel_rename", "channel": {"id": slack.public.id, "name": "quay", "created": 1}}
    [event] = await heard(slack, told)
    assert (event.channel.ref, event.channel.name, event.archived) == (slack.public, "quay", False)
    [_, again] = await heard(slack, {"type": "channel_archive", "channel": slack.public.id, "user": "U1"})
    assert (again.channel.name, again.archived) == ("quay", True), "what was learned is kept"


async def test_a_channel_is_put_away_taken_back_and_deleted(slack: OnSlack) -> None:
    for kind, archived, gone in (
        ("channel_archive", True, False),
        ("channel_unarchive", False, False),
        ("channel_deleted", True, True),
    ):
        event = (await heard(slack, {"type": kind, "channel": slack.public.id}))[-1]
        assert (event.archived, event.gone) == (archived, gone)


async def test_a_channel_of_another_id_is_the_same_one(slack: OnSlack) -> None:
    told = {"type": "channel_id_changed", "old_channel_id": slack.public.id, "new_channel_id": "C0000MOVED"}
    [event] = await heard(slack, told)
    assert (event.channel.ref, event.formerly, event.channel.name) == (ref("C0000MOVED"), slack.public, "pier")


async def test_what_becomes_closed_is_closed_to_all_until_each_is_told_of(slack: OnSlack) -> None:
    slack.server.world.channels[slack.public.id].private = True
    told = {"type": "message", "subtype": "channel_convert_to_private", "user": slack.owner.id, "ts": AT}
    [event] = await heard(slack, {**told, "channel": slack.public.id, "channel_type": "group"})
    assert (event.channel.audience, event.unconfirmed) == (Audience.MEMBERS, True)
    words = [one.event.member for one in slack.heard.arrivals if isinstance(one.event, MemberChanged)]
    assert slack.member in {one.ref for one in words if slack.public in (one.reads or ())}


async def test_out_of_a_closed_channel_the_bot_knows_no_readers(slack: OnSlack) -> None:
    slack.server.people.leave(BOT, slack.private.id)
    await slack.settle()
    [event] = [one.event for one in slack.heard.arrivals]
    assert isinstance(event, ChannelChanged)
    assert (event.channel.ref, event.archived, event.unconfirmed) == (slack.private, True, True)
    slack.server.people.leave(BOT, slack.public.id)
    await slack.settle()
    assert len(slack.heard.arrivals) == 1, "an open one stays what it is"


async def test_into_a_closed_channel_the_bot_learns_who_reads_it(slack: OnSlack) -> None:
    closed = slack.server.world.channel("council", {slack.owner.id, slack.member.id}, private=True)
    slack.server.people.join(BOT, closed, inviter=slack.owner.id)
    await slack.settle()
    events = [one.event for one in slack.heard.arrivals]
    assert isinstance(events[0], ChannelChanged)
    assert (events[0].channel.name, events[0].channel.audience) == ("council", Audience.MEMBERS)
    readers = {
        one.member.ref for one in events if isinstance(one, MemberChanged) and ref(closed) in (one.member.reads or ())
    }
    assert readers == {slack.owner, slack.member}
    assert not any(isinstance(one, BotAdded | MemberJoined) for one in events)


async def test_of_a_thread_whose_beginning_is_deleted_the_beginning_alone_is_gone(slack: OnSlack) -> None:
    await slack.post(slack.owner, slack.public, "An answer.", reply_to=slack.message)
    await slack.delete(slack.member, slack.message)
    await slack.settle()
    [event] = [one.event for one in slack.heard.arrivals if isinstance(one.event, MessageDeleted)]
    assert event.message == slack.message
    left = [one.text for one in await slack.sees(slack.owner, slack.public) if not one.deleted]
    assert left == ["An answer."]


async def test_a_channel_that_is_read_on_holds_up_no_other(slack: OnSlack) -> None:
    assert slack.adapter.ears
    gap = Gap(channel=slack.public.id, after=AT)
    slack.adapter.ears.arriving._catching_up._gaps[slack.public.id] = gap
    await slack.post(slack.member, slack.public, "waits")
    await slack.post(ref(slack.town.mei), ref(slack.town.lanterns), "does not")
    await slack.settle()
    assert [one.event.text for one in slack.heard.arrivals if isinstance(one.event, MessagePosted)] == [
        "does not",
        "waits",
    ]


async def test_who_leaves_while_the_members_are_read_reads_it_no_more(
    slack: OnSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    ears, closed = slack.adapter.ears, slack.private.id
    assert ears
    slack.server.people.join(slack.member.id, closed, inviter=slack.owner.id)
    await slack.settle()
    directory, pages = ears.arriving._directory, ears.arriving._pages
    read = pages.texts

    async def read_while_they_leave(*what: str, **given: object) -> AsyncIterator[str]:
        async for user in read(*what, **given):
            yield user
        if slack.member.id in slack.server.world.channels[closed].members:
            slack.server.people.leave(slack.member.id, closed)
            await slack.server.sockets.settled()

    monkeypatch.setattr(pages, "texts", read_while_they_leave)
    room = directory.known_room(closed)
    assert room
    await ears.arriving.count_members([room])
    assert directory.inside(closed) == {slack.owner.id, slack.bot.id}


async def test_a_closed_channel_that_cannot_be_read_hides_no_other(slack: OnSlack) -> None:
    arriving = slack.adapter.ears.arriving
    directory = arriving._directory
    lost = replace(directory.known_room(slack.private.id), id="C0000LOST")
    directory.uncount()
    await arriving._learn_members([lost, directory.known_room(slack.private.id)])
    assert directory.inside(slack.private.id) == {slack.owner.id, slack.bot.id}
    assert directory.inside("C0000LOST") == frozenset()


async def test_brought_to_two_channels_at_once_it_is_brought_to_the_workspace_once(slack: OnSlack) -> None:
    rooms = (slack.public.id, slack.town.lanterns)
    for room in rooms:
        slack.server.people.leave(BOT, room)
    await slack.settle()
    slack.heard.arrivals.clear()
    slack.known = None
    for room in rooms:
        slack.server.people.join(BOT, room, inviter=slack.owner.id)
    await slack.settle()
    events = [one.event for one in slack.heard.arrivals]
    assert len([one for one in events if isinstance(one, BotAdded)]) == 1
    assert {one.channel.ref.id for one in events if isinstance(one, ChannelChanged)} == set(rooms)
