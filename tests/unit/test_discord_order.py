"""What Discord tells, in the order in which it told it and nothing left out, whatever is in the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from simcord.backend import serializers

from bot.core.events import ChannelChanged, Event, MemberChanged, MessageDeleted, MessagePosted, Named
from bot.core.ports import KnownChannel
from bot.core.things import Audience
from tests.contract.on_discord import OnDiscord, on_discord, ref

pytestmark = pytest.mark.slow


@pytest.fixture
async def platform() -> AsyncIterator[OnDiscord]:
    async with on_discord() as opened:
        assert isinstance(opened, OnDiscord)
        yield opened


def told(platform: OnDiscord, fits: Callable[[Event], bool]) -> list[Event]:
    return [one.event for one in platform.heard.arrivals if fits(one.event)]


async def anew(platform: OnDiscord) -> None:
    """Have the session end and another begin, in which the bot looks the server over again."""
    platform.heard.arrivals.clear()
    await platform.server.gateway.invalidate()
    office = ref(platform.town.office)
    await platform.heard.wait_for(lambda one: isinstance(one, ChannelChanged) and one.channel.ref == office)
    await platform.settle()


async def test_a_deletion_does_not_overtake_its_message_while_nothing_can_be_stored(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    platform.heard.full = True
    made = await server.people.post(who.ben, who.pier, "Oh no.")
    await server.gateway.settled()
    platform.heard.full = False
    await server.people.delete(who.ben, who.pier, made)
    later = await server.people.post(who.mei, who.pier, "What was it?")
    await platform.settle()

    kinds = [
        (type(one), one.message) for one in told(platform, lambda one: isinstance(one, MessagePosted | MessageDeleted))
    ]
    message = ref(who.pier, made)
    assert kinds == [(MessagePosted, message), (MessageDeleted, message), (MessagePosted, ref(who.pier, later))]


async def test_what_is_deleted_in_a_thread_that_was_put_away_is_told(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    thread = await server.people.thread(who.ben, who.pier, "old rope")
    made = await server.people.post(who.ben, thread, "Mine.")
    await server.people.archive_thread(who.ben, thread)
    await platform.settle()
    server.town.backend.delete_message(thread, made)
    await platform.settle()

    assert [one.message for one in told(platform, lambda one: isinstance(one, MessageDeleted))] == [ref(thread, made)]


async def test_what_was_said_while_a_server_was_out_of_sight_is_read(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    before = await server.people.post(who.ben, who.pier, "Before.")
    await platform.settle()

    async def known(_space: object) -> dict[object, KnownChannel]:
        every = told(platform, lambda one: isinstance(one, MessagePosted) and one.channel.ref == ref(who.pier))
        return {ref(who.pier): KnownChannel(channel=every[-1].channel, archived=False, latest=every[-1].message)}

    platform.what_is_known = known  # type: ignore[method-assign, assignment]
    guild = server.town.backend.guilds[who.guild]
    server.gateway.event("GUILD_DELETE", {"id": str(who.guild), "unavailable": True})
    with server.town.quietly():
        missed = await server.people.post(who.ben, who.pier, "Meanwhile.")
    server.faults.slow("GET", f"/channels/{who.pier}/messages", seconds=0.3)
    server.gateway.event("GUILD_CREATE", dict(serializers.guild_create_payload(server.town.backend, guild)))
    after = await server.people.post(who.ben, who.pier, "After.")
    elsewhere = await server.people.post(who.ben, who.lanterns, "Elsewhere.")
    await platform.settle()

    posted = [one for one in platform.heard.arrivals if isinstance(one.event, MessagePosted)]
    pier = [(one.event.message, one.live) for one in posted if one.event.channel.ref == ref(who.pier)]
    assert pier == [(ref(who.pier, number), live) for number, live in ((before, True), (missed, False), (after, True))]
    order = [one.event.message for one in posted]
    assert order.index(ref(who.lanterns, elsewhere)) < order.index(ref(who.pier, missed))


async def test_what_is_told_of_older_messages_meanwhile_hides_nothing_that_was_missed(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    first = await server.people.post(who.ben, who.pier, "First.")
    await platform.settle()

    async def known(_space: object) -> dict[object, KnownChannel]:
        every = told(platform, lambda one: isinstance(one, MessagePosted) and one.channel.ref == ref(who.pier))
        return {ref(who.pier): KnownChannel(channel=every[-1].channel, archived=False, latest=every[-1].message)}

    platform.what_is_known = known  # type: ignore[method-assign, assignment]
    guild, missed = server.town.backend.guilds[who.guild], []
    for outage in range(2):
        server.gateway.event("GUILD_DELETE", {"id": str(who.guild), "unavailable": True})
        await server.people.edit(who.ben, who.pier, first, f"First, of {outage}.")
        await server.people.post(who.ben, who.lanterns, "Told at once.")
        with server.town.quietly():
            missed.append(await server.people.post(who.ben, who.pier, "Meanwhile."))
            missed.append(await server.people.post(who.ben, who.lanterns, "Here too."))
        await server.gateway.settled()
        server.gateway.event("GUILD_CREATE", dict(serializers.guild_create_payload(server.town.backend, guild)))
        await platform.settle()
        await server.people.post(who.ben, who.lanterns, "And after.")
        await platform.settle()

    said = [one.message for one in told(platform, lambda one: isinstance(one, MessagePosted))]
    assert {ref(who.pier, missed[0]), ref(who.pier, missed[2])} <= set(said)


async def test_who_calls_themselves_otherwise_everywhere_is_told(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    backend = server.town.backend
    backend.users[who.ben].global_name = "Benedikt"
    guild = backend.guilds[who.guild]
    payload = dict(serializers.member_payload(backend, guild, guild.members[who.ben]))
    server.gateway.event("GUILD_MEMBER_UPDATE", {**payload, "guild_id": str(who.guild)})
    await platform.settle()

    changed = told(platform, lambda one: isinstance(one, MemberChanged))
    assert [one.member.name for one in changed] == ["Benedikt"]


async def test_a_channel_that_was_deleted_meanwhile_is_gone_and_one_out_of_sight_is_not(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    client = platform.adapter.client
    assert client is not None
    there = client.incoming.channel(client.get_channel(who.lanterns))
    hidden = Named(ref=ref(77), name="cellar", audience=Audience.MEMBERS)
    platform.known = {
        one.ref: KnownChannel(channel=one, archived=False, latest=None) for one in (there.channel, hidden)
    }
    server.faults.fail("GET", "/channels/77", 403, code=50001)
    with server.town.quietly():
        server.town.backend.delete_channel(who.lanterns)
    await anew(platform)

    changes = told(platform, lambda one: isinstance(one, ChannelChanged) and one.archived)
    assert [(one.channel.name, one.gone) for one in changes] == [("lanterns", True), ("cellar", False)]


async def test_channels_of_another_server_of_the_same_community_are_left_alone(platform: OnDiscord) -> None:
    who, town = platform.town, platform.server.town
    with town.quietly():
        hill = town.guild("Hill", who.anna)
        meadow = town.channel(hill, "meadow")
    there, gone = (Named(ref=ref(one), name="meadow", audience=Audience.EVERYONE) for one in (meadow, 78))
    platform.known = {
        one.ref: KnownChannel(channel=one, archived=False, latest=None) for one in (there, replace(gone, name="well"))
    }
    await anew(platform)

    changes = told(platform, lambda one: isinstance(one, ChannelChanged) and one.archived)
    assert {one.channel.name for one in changes} == {"well"}
