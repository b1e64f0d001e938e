"""Who may do and read what on a server, asked of the real library's objects."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.discord import rights
from bot.core.things import Audience, Rank
from tests.contract.on_discord import OnDiscord, on_discord, ref


@pytest.fixture
async def shore() -> AsyncIterator[OnDiscord]:
    async with on_discord() as driver:
        assert isinstance(driver, OnDiscord)
        yield driver


async def test_what_somebody_may_do_is_what_their_roles_say(shore: OnDiscord) -> None:
    server, who = shore.server, shore.town
    manager = server.town.newcomer(who.guild, "Ada", server.town.role(who.guild, "managers", "manage_guild"))
    tidy = server.town.newcomer(who.guild, "Tim", server.town.role(who.guild, "tidiers", "manage_messages"))
    await shore.settle()
    guild = shore.adapter.client.server(who.guild)
    ranks = {one: rights.rank(await shore.adapter.client.member(guild, one)) for one in (who.ben, who.mo, tidy)}
    assert ranks == {who.ben: Rank.MEMBER, who.mo: Rank.STAFF, tidy: Rank.STAFF}
    for one in (who.anna, manager):
        assert rights.rank(await shore.adapter.client.member(guild, one)) is Rank.OWNER


async def test_one_stands_above_whom_ones_highest_role_does(shore: OnDiscord) -> None:
    who, guild = shore.town, shore.adapter.client.server(shore.town.guild)
    anna, ben, mei, mo, noor = (guild.get_member(one) for one in (who.anna, who.ben, who.mei, who.mo, who.noor))
    for above, below in ((anna, noor), (anna, guild.me), (noor, guild.me), (guild.me, mo), (mo, ben)):
        assert rights.stands_above(above, below)
        assert not rights.stands_above(below, above)
    assert not rights.stands_above(ben, mei), "beside is not above"


async def test_a_channel_is_open_only_where_everybody_reads_its_past_too(shore: OnDiscord) -> None:
    server, who = shore.server, shore.town
    guild = shore.adapter.client.server(who.guild)
    assert rights.audience(guild.get_channel(who.pier)) is Audience.EVERYONE
    assert rights.audience(guild.get_channel(who.office)) is Audience.MEMBERS
    await server.staff.permit(who.anna, who.pier, who.guild, deny=["read_message_history"])
    await shore.settle()
    assert rights.audience(guild.get_channel(who.pier)) is Audience.MEMBERS
    await server.staff.permit(who.anna, who.pier, who.guild)
    await shore.settle()
    assert rights.audience(guild.get_channel(who.pier)) is Audience.EVERYONE


async def test_what_members_reach_follows_roles_names_and_closing(shore: OnDiscord) -> None:
    server, who = shore.server, shore.town
    guild, reach = shore.adapter.client.server(who.guild), shore.adapter.client.incoming.reach
    office, pier = ref(who.office), ref(who.pier)

    async def reads(user: int) -> set:
        await shore.settle()
        return set(reach.of(guild.get_member(user)))

    assert [await reads(one) for one in (who.anna, who.mo, who.ben)] == [{office}, {office}, set()]
    await server.staff.permit(who.anna, who.office, who.ben, allow=["view_channel", "read_message_history"])
    assert await reads(who.ben) == {office}
    assert await reads(who.mei) == set(), "who has the same roles and is not named"
    await server.staff.permit(who.anna, who.office, who.mo, deny=["view_channel"])
    assert await reads(who.mo) == set()
    await server.staff.close_channel(who.anna, who.pier)
    assert await reads(who.ben) == {office}
    assert await reads(who.anna) == {office, pier}
    await server.staff.change_role(who.anna, who.guild, who.moderators, allow=["administrator"])
    assert await reads(who.mo) == {office, pier}
