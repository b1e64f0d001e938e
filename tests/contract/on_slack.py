"""Slack, through what people do in its clients: our server for the tests, the real libraries, the adapter."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Mapping

import httpx
from pydantic import SecretStr

from adapters.slack import Slack, Tokens, emoji
from bot.core.actions import Button
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS as EVERY
from bot.core.counts import Counts
from bot.core.ports import KnownChannel
from bot.core.things import Ref
from tests.contract.platform import (
    COMMANDS,
    OWN_BUTTONS,
    REFUSING,
    Platform,
    Recorder,
    Refused,
    Seen,
    SeenChannel,
    SeenMember,
    until_ready,
)
from tests.platforms.slack import ADMIN_TOKEN, Server, harbour, slack_server
from tests.platforms.slack.world import BOT, TEAM, Channel, Message

LACKS = {
    COMMANDS: "Slack knows a command by its name alone, and sends what stands after it as a line",
    REFUSING: "Slack tells of what happened and asks nobody's leave; it tells again what was not acknowledged",
    OWN_BUTTONS: "Slack's buttons are for everybody; whose a press is, is judged by whoever answers it",
}


def ref(*parts: str) -> Ref:
    return Ref("slack", "/".join(parts))


class OnSlack:
    """The small community on the server for the tests."""

    lacks: Mapping[str, str] = LACKS

    def __init__(self, adapter: Slack, heard: Recorder, server: Server) -> None:
        self.adapter = adapter
        self.heard = heard
        self.server = server
        self.town = town = server.harbour or harbour(server)
        self.known: dict[Ref, KnownChannel] | None = {}
        self.bot, self.space = ref(BOT), ref(TEAM)
        self.owner, self.member = ref(town.anna), ref(town.ben)
        self.public, self.private = ref(town.pier), ref(town.office)
        self.message = ref(town.pier, town.hello)
        self.greeter = ref("S0000GREET")

    async def what_is_known(self, _space: Ref) -> dict[Ref, KnownChannel] | None:
        """Answer the adapter as if everything was seen before, but for a workspace that the bot was just brought to."""
        return self.known

    async def settle(self) -> None:
        """Wait until every envelope was acknowledged, and the adapter has done all that they gave it to do."""
        while True:
            await self.server.sockets.settled()
            busy = {
                one for one in (*(self.adapter.ears.tasks if self.adapter.ears else ()), self.adapter.looking) if one
            }
            busy = {one for one in busy if not one.done()}
            if not busy and not self.server.sockets.open:
                return
            if busy:
                await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)

    # What people do

    async def post(self, who: Ref, channel: Ref, text: str, reply_to: Ref | None = None) -> Ref:
        thread = self._thread(reply_to) if reply_to else ""
        return ref(channel.id, self.server.people.post(who.id, channel.id, text, thread=thread))

    def _thread(self, answered: Ref) -> str:
        channel, ts = answered.id.split("/")
        return self.server.world.find(channel, ts)[1].thread or ts

    async def send(self, who: Ref, channel: Ref, name: str, data: bytes, text: str = "") -> Ref:
        return ref(channel.id, self.server.people.send(who.id, channel.id, name, data, text))

    def lose_files(self) -> None:
        self.server.world.bytes.clear()

    def to_bot(self, text: str) -> str:
        return f"<@{BOT}> {text}"

    async def edit(self, who: Ref, message: Ref, text: str) -> None:
        self.server.people.edit(who.id, *message.id.split("/"), text)

    async def delete(self, who: Ref, message: Ref) -> None:
        self.server.people.delete(who.id, *message.id.split("/"))

    async def react(self, who: Ref, message: Ref, name: str, *, on: bool) -> None:
        self.server.people.react(who.id, *message.id.split("/"), emoji.name_of(name) or name, on=on)

    async def join(self, who: Ref, channel: Ref | None) -> None:
        if channel is None:
            self.server.people.close_account(who.id, closed=False)
        else:
            self.server.people.join(who.id, channel.id)

    async def leave(self, who: Ref, channel: Ref | None) -> None:
        if channel is None:
            self.server.people.close_account(who.id, closed=True)
        else:
            self.server.people.leave(who.id, channel.id)

    async def arrive(self, name: str, language: str) -> Ref:
        return ref(self.server.people.arrive(name, language.replace("_", "-")))

    async def command(self, who: Ref, channel: Ref, line: str) -> None:
        raise Refused(LACKS[COMMANDS])

    async def press(self, who: Ref, message: Ref, button: Button) -> None:
        asked = self.server.people.press(who.id, *message.id.split("/"), button.token)
        await asked.envelope.acknowledged.wait()

    async def describe(self, who: Ref, channel: Ref, description: str) -> None:
        self.server.people.describe(who.id, channel.id, description)

    async def bring_bot(self, who: Ref) -> None:
        for channel in (self.public, self.private, ref(self.town.lanterns)):
            self.server.people.leave(BOT, channel.id)
        await self.settle()
        self.heard.arrivals.clear()
        self.known = None
        self.server.people.join(BOT, self.public.id, inviter=who.id)

    # What people see

    async def sees(self, who: Ref, channel: Ref) -> list[Seen]:
        room = self.server.world.channels.get(channel.id)
        return [await self._seen(one, room) for one in self.server.people.sees(who.id, channel.id) if room]

    async def _seen(self, one: Message, room: Channel) -> Seen:
        elements = [element for block in one.blocks for element in block.get("elements", ())]
        return Seen(
            message=ref(room.id, one.ts),
            author=ref(one.user),
            text="" if one.subtype == "tombstone" else one.text,
            deleted=one.subtype == "tombstone",
            edited=bool(one.edited),
            only_me=bool(one.only or room.im),
            reply_to=ref(room.id, one.thread) if one.thread else None,
            reactions={
                emoji.read(name): {ref(user) for user in users} for name, users in one.reactions.items() if users
            },
            buttons=[element["text"]["text"] for element in elements],
            files={file["name"]: await _fetched(file["url_private"]) for file in one.files},
            options=[],
            event="",
        )

    async def channels(self, who: Ref) -> dict[Ref, SeenChannel]:
        return {ref(one.id): _channel(one) for one in self.server.people.channels(who.id)}

    async def who_is(self, member: Ref) -> SeenMember:
        return SeenMember(here=not self.server.world.users[member.id].deleted, banned=False, quiet=False, roles=set())

    async def planned(self, _who: Ref, made: Ref) -> str:
        return ""


def _channel(one: Channel) -> SeenChannel:
    return SeenChannel(
        ref=ref(one.id),
        name=one.name or "direct",
        description=one.purpose,
        archived=one.archived,
        private=one.private,
        direct=bool(one.im),
        members={ref(user) for user in one.members},
    )


async def _fetched(url: str) -> bytes:
    # Without certificates, which take a quarter of a second to read.
    async with httpx.AsyncClient(verify=False, trust_env=False) as client:
        return (await client.get(url)).content


@contextlib.asynccontextmanager
async def on_slack(*, admin: str = "") -> AsyncIterator[Platform]:
    """Open Slack with the adapter connected, which has looked over the workspace and handed that over already."""
    async with slack_server() as server:
        heard, clock = Recorder(), SystemClock()
        harbour(server)
        environment = server.environment
        tokens = Tokens(
            bot=SecretStr(environment["KINFOLK_SLACK_BOT_TOKEN"]),
            app=SecretStr(environment["KINFOLK_SLACK_APP_TOKEN"]),
            admin=SecretStr(admin),
        )
        adapter = Slack(
            tokens=tokens,
            clock=clock,
            counts=Counts(clock),
            known=lambda space: driver.what_is_known(space),
            api=server.api,
        )
        driver = OnSlack(adapter, heard, server)
        running = asyncio.create_task(adapter.run(heard.put, EVERY))
        try:
            await until_ready(adapter.ready, running)
            await driver.settle()
            heard.arrivals.clear()
            yield driver
            heard.full = False
            await driver.settle()
        finally:
            running.cancel()
            await asyncio.wait([running])


on_slack_by_an_admin = functools.partial(on_slack, admin=ADMIN_TOKEN)
"""The same where an admin's token is set as well."""
