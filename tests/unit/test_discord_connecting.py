"""The bot on Discord before it is there, while it is shut out, and where something breaks off: nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from adapters.discord import Discord, names
from adapters.discord.request_watch import RequestWatch
from bot.core.actions import Action, ArchiveChannel, Invite, React, Say, Timeout
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS
from bot.core.counts import Counts
from bot.core.decisions import Receipt
from bot.core.errors import Overloaded
from bot.core.events import ChannelChanged, CommandGiven
from tests.contract.on_discord import OnDiscord, _connected, on_discord, ref
from tests.contract.platform import Recorder, Refused, no_appeals
from tests.platforms.discord import discord_server, harbour
from tests.platforms.discord.town import rights

pytestmark = pytest.mark.slow


@pytest.fixture
async def platform() -> AsyncIterator[OnDiscord]:
    async with on_discord() as opened:
        assert isinstance(opened, OnDiscord)
        yield opened


async def in_the_end(adapter: Discord, action: Action) -> Receipt:
    """Do something as the budget does it, which tries the same act again after each word to wait."""
    while True:
        try:
            return await adapter.act(action)
        except Overloaded as busy:
            await asyncio.sleep(min(busy.after, 0.05))


async def test_what_is_to_be_done_before_it_is_connected_is_done_then() -> None:
    async def nothing(_space: object) -> dict[object, object]:
        return {}

    async with discord_server() as server:
        who, heard, clock = harbour(server.town), Recorder(), SystemClock()
        adapter = Discord(
            token=SecretStr(server.token),
            clock=clock,
            counts=Counts(clock),
            known=nothing,  # type: ignore[arg-type]
            appeals=no_appeals,
            api=server.api,
            gateway=server.gateway_url,
        )
        acts = (Say(to=ref(who.pier), text="I am back."), Timeout(member=ref(who.guild, who.ben), minutes=5))
        waiting = [asyncio.create_task(in_the_end(adapter, one)) for one in acts]
        running = asyncio.create_task(adapter.run(heard.put, COMMANDS))
        try:
            await _connected(adapter, running)
            receipts = await asyncio.gather(*waiting)
            refused = await adapter.act(Timeout(member=ref(who.guild, who.anna), minutes=5))
        finally:
            running.cancel()
            await asyncio.wait([running])
    assert [(one.state, one.error) for one in receipts] == [("done", ""), ("done", "")]
    assert refused.state == "failed"


async def test_a_connection_that_is_gone_and_comes_again_is_counted(platform: OnDiscord) -> None:
    counts, server, client = platform.counts, platform.server, platform.adapter.client
    assert client is not None
    assert (counts.links, counts.connections) == ({"discord": True}, {"discord": 1})
    resumed = asyncio.create_task(client.wait_for("shard_resumed", timeout=30))
    await asyncio.sleep(0)
    await server.gateway.cut()
    await resumed
    await platform.settle()
    assert (server.gateway.identified, server.gateway.resumed) == (1, 1)
    assert (counts.links, counts.connections) == ({"discord": True}, {"discord": 2})


async def test_who_is_shut_out_by_the_network_asks_nothing_more_of_any_kind() -> None:
    came: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        came.append(request.path)
        shut = request.path.endswith("/1/messages")
        return web.Response(status=429, headers={"Retry-After": "30"}) if shut else web.Response()

    app, clock = web.Application(), SystemClock()
    app.router.add_route("*", "/{tail:.*}", answer)
    pace = RequestWatch(Counts(clock))
    async with TestServer(app) as server, aiohttp.ClientSession(trace_configs=[pace.trace()]) as session:
        await session.post(server.make_url("/api/v10/channels/2/messages"))
        with pytest.raises(Overloaded) as told:
            await session.post(server.make_url("/api/v10/channels/1/messages"))
        assert (told.value.after, told.value.scope) == (30, "all")
        for path in ("channels/2/messages", "webhooks/3/token", "interactions/4/token/callback"):
            with pytest.raises(Overloaded):
                await session.post(server.make_url(f"/api/v10/{path}"))
    assert came == ["/api/v10/channels/2/messages", "/api/v10/channels/1/messages"]


async def test_a_channel_that_was_put_away_in_two_goes_comes_back_as_it_was(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    server.faults.limit("PATCH", f"/channels/{who.pier}", after=0.05)
    with pytest.raises(Overloaded):
        await platform.adapter.act(ArchiveChannel(channel=ref(who.pier)))
    await platform.settle()  # what the first go changed is known
    await asyncio.sleep(0.05)
    receipt = await platform.adapter.act(ArchiveChannel(channel=ref(who.pier)))
    assert receipt.made is not None
    await platform.heard.wait_for(lambda one: isinstance(one, ChannelChanged) and one.archived)

    await platform.adapter.act(ArchiveChannel(channel=ref(who.pier), on=False, was=receipt.made))
    await platform.settle()
    assert await server.people.post(who.ben, who.pier, "Open again.")


async def test_a_form_of_another_channel_points_to_nothing(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    secret = await server.people.post(who.mo, who.office, "Between us.")
    await platform.settle()

    async def send(about: str) -> CommandGiven:
        platform.heard.arrivals.clear()
        asked = await server.uses.menu(who.ben, who.pier, "Report to staff", who.hello)
        opened = await server.uses.acknowledged(asked)
        assert opened.modal is not None
        opened.modal["custom_id"] = f"form/report/{about}"
        field = opened.modal["components"][0]["component"]["custom_id"]
        await server.uses.submit(who.ben, asked, {field: "Look."})
        event = await platform.heard.wait_for(lambda one: isinstance(one, CommandGiven))
        assert isinstance(event, CommandGiven)
        return event

    meant = await send(f"{who.pier}/{who.hello}/{who.ben}")
    assert meant.pointed is not None
    assert meant.pointed.message == ref(who.pier, who.hello)
    forged = await send(f"{who.office}/{secret}/{who.mo}")
    assert forged.pointed is None
    assert str(secret) not in str(forged.arguments)


async def test_no_refusal_tells_the_token_of_an_interaction(platform: OnDiscord) -> None:
    alone = names.ref("i", 31, "sekrit", 900)
    receipt = await platform.adapter.act(React(message=alone, channel=platform.public, emoji="🎉"))
    assert (receipt.state, receipt.error) == ("failed", "the interaction 31 is nothing that Discord has")
    other = await platform.adapter.act(React(message=names.ref("x", 1), channel=platform.public, emoji="🎉"))
    assert "discord:x/1" in other.error


async def test_who_is_let_out_of_a_channel_keeps_what_else_was_said_of_them_there(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    await server.staff.permit(who.anna, who.office, who.ben, deny=["send_messages"])
    await platform.settle()
    invite = Invite(member=ref(who.guild, who.ben), channel=ref(who.office))
    assert (await platform.adapter.act(invite)).state == "done"
    await platform.settle()
    assert await server.views.sees(who.ben, who.office) == []

    assert (await platform.adapter.act(replace(invite, on=False))).state == "done"
    with pytest.raises(Refused, match="do not see"):
        await server.views.sees(who.ben, who.office)
    walls = [one for one in server.town.backend.channels[who.office].overwrites if one.target_id == who.ben]
    assert [(one.allow, one.deny) for one in walls] == [(0, rights("send_messages"))]
