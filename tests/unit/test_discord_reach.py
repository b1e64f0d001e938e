"""Who may read what on Discord, in the corners: locked calls, private threads, new sessions, who left."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator

import discord
import pytest
from simcord.backend.models import Overwrite
from simcord.enums import ChannelType, OverwriteType

from bot.core.events import ChannelChanged, MemberChanged, MemberJoined, MessagePosted, Named
from bot.core.things import Audience
from tests.contract.on_discord import OnDiscord, on_discord, ref
from tests.platforms.discord.town import rights

pytestmark = pytest.mark.slow


@pytest.fixture
async def platform() -> AsyncIterator[OnDiscord]:
    async with on_discord() as opened:
        assert isinstance(opened, OnDiscord)
        yield opened


async def anew(platform: OnDiscord) -> None:
    """Have the session end and another begin, in which the bot looks the server over again."""
    platform.heard.arrivals.clear()
    await platform.server.gateway.invalidate()
    office = ref(platform.town.office)
    await platform.heard.wait_for(lambda one: isinstance(one, ChannelChanged) and one.channel.ref == office)
    await platform.settle()


async def posted(platform: OnDiscord, user: int, channel: int, text: str) -> MessagePosted:
    """Have somebody write, and return what the adapter made of it."""
    made = await platform.server.people.post(user, channel, text)
    event = await platform.heard.wait_for(
        lambda one: isinstance(one, MessagePosted) and one.message.id.endswith(f"/{made}")
    )
    assert isinstance(event, MessagePosted)
    return event


def call(platform: OnDiscord, name: str, *walls: Overwrite) -> int:
    """Make a voice channel."""
    backend = platform.server.town.backend
    return backend.create_channel(platform.town.guild, name, type=ChannelType.VOICE, overwrites=list(walls)).id


def private_thread(platform: OnDiscord, user: int, channel: int, name: str) -> int:
    """Open a private thread, whoever may."""
    backend = platform.server.town.backend
    return backend.create_thread(channel, name, user, type=ChannelType.PRIVATE_THREAD).id


def locked(platform: OnDiscord) -> list[Overwrite]:
    """Let moderators alone enter, and everybody see that it is there."""
    nobody = Overwrite(target_id=platform.town.guild, type=OverwriteType.ROLE, deny=rights("connect"))
    roles = (platform.town.moderators, platform.server.town.bot_role(platform.town.guild).id)
    return [nobody, *(Overwrite(target_id=one, type=OverwriteType.ROLE, allow=rights("connect")) for one in roles)]


async def test_what_is_written_beside_a_call_is_for_those_who_may_enter_it(platform: OnDiscord) -> None:
    who = platform.town
    lounge, bridge = call(platform, "lounge"), call(platform, "bridge", *locked(platform))

    assert (await posted(platform, who.anna, lounge, "Anybody here?")).channel.audience is Audience.EVERYONE
    told = await posted(platform, who.mo, bridge, "The plan.")
    assert told.channel.audience is Audience.MEMBERS
    assert ref(bridge) in (told.author.reads or ())
    assert ref(bridge) not in ((await posted(platform, who.ben, who.pier, "Hm.")).author.reads or ())


async def test_a_call_that_is_locked_later_closes_what_is_written_beside_it(platform: OnDiscord) -> None:
    bridge = call(platform, "bridge")
    await platform.settle()
    for wall in locked(platform):
        platform.server.town.backend.set_overwrite(bridge, wall)
    await platform.settle()

    changes = [one.event for one in platform.heard.arrivals if getattr(one.event, "channel", None)]
    last = [one for one in changes if one.channel.ref == ref(bridge)][-1]
    assert (last.channel.audience, last.unconfirmed) == (Audience.MEMBERS, True)


async def test_after_a_new_session_nobody_reads_by_what_was_so_before(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    assert ref(who.office) in ((await posted(platform, who.mo, who.pier, "Before.")).author.reads or ())
    with server.town.quietly():
        server.town.backend.delete_overwrite(who.office, who.moderators)
    await anew(platform)

    assert (await posted(platform, who.mo, who.pier, "After.")).author.reads == frozenset()
    assert ref(who.office) in ((await posted(platform, who.noor, who.pier, "I am there.")).author.reads or ())


async def test_who_may_not_read_a_channel_reads_no_private_thread_in_it(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    thread = private_thread(platform, who.mo, who.office, "keys")
    server.town.backend.add_thread_member(thread, server.town.bot)
    await platform.settle()
    assert ref(thread) in ((await posted(platform, who.mo, thread, "Here.")).author.reads or ())

    await server.staff.give_role(who.anna, who.guild, who.mo, who.moderators, on=False)
    changed = await platform.heard.wait_for(lambda one: isinstance(one, MemberChanged))
    assert isinstance(changed, MemberChanged)
    assert changed.member.reads == frozenset()


async def test_who_is_in_a_private_thread_is_known_after_a_new_session(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    thread = private_thread(platform, who.ben, who.pier, "surprise")
    for one in (server.town.bot, who.mei):
        server.town.backend.add_thread_member(thread, one)
    await platform.settle()
    await anew(platform)

    assert (await posted(platform, who.mei, who.pier, "Shh.")).author.reads == {ref(thread)}
    assert (await posted(platform, who.noor, who.pier, "What?")).author.reads == {ref(who.office)}


async def test_who_is_not_on_the_server_any_more_reads_nothing(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    client = platform.adapter.client
    assert client is not None
    said = await server.people.post(who.mo, who.office, "Goodbye.")
    await server.people.leave(who.mo, who.guild)
    await platform.settle()
    message = await client.get_channel(who.office).fetch_message(said)

    author = client.incoming.author(message, client.get_guild(who.guild))
    assert isinstance(author, Named)
    assert (author.ref, author.reads) == (ref(who.guild, who.mo), frozenset())
    await server.people.join(who.mo, who.guild)
    back = await platform.heard.wait_for(lambda one: isinstance(one, MemberJoined))
    assert isinstance(back, MemberJoined)
    assert back.member.reads == frozenset()


async def test_a_server_that_the_bot_is_taken_from_is_let_go_of(platform: OnDiscord) -> None:
    """Who is on it and may read what is nothing to keep in memory."""
    who, server = platform.town, platform.server
    client = platform.adapter.client
    assert client is not None
    assert ref(who.office) in ((await posted(platform, who.mo, who.pier, "Before.")).author.reads or ())
    await platform.settle()
    guild = id(client.get_guild(who.guild))
    assert guild in servers()

    await server.people.take_bot(who.anna, who.guild)
    await platform.settle()
    assert guild not in servers()


def servers() -> set[int]:
    """Return where the servers lie that something still holds."""
    gc.collect()
    return {id(one) for one in gc.get_objects() if type(one) is discord.Guild}
