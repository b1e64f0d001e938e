"""Wire, a platform that can little, through what people do there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from bot.core.actions import Button
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS as EVERY
from bot.core.things import Ref
from tests.contract.platform import (
    AWAY,
    BRINGING,
    BUTTONS,
    COMMANDS,
    DESCRIBING,
    EDITING,
    LANGUAGE,
    OWN_BUTTONS,
    REACTING,
    REFUSING,
    SENDING,
    Platform,
    Recorder,
    Refused,
    Seen,
    SeenChannel,
    SeenMember,
)
from tests.platforms.wire import BOT, Wire, WireServer, wire_server

LACKS = {
    AWAY: "what was said on Wire is said once",
    BRINGING: "nobody is told who brought a bot to Wire",
    DESCRIBING: "rooms of Wire have a name and nothing else",
    BUTTONS: "there are no buttons on Wire",
    COMMANDS: "a command is the words of a message on Wire",
    EDITING: "what was said on Wire stays as it was said",
    LANGUAGE: "nobody has a language on Wire",
    OWN_BUTTONS: "there are no buttons on Wire",
    REACTING: "there are no reactions on Wire",
    SENDING: "there are no files on Wire",
    REFUSING: "Wire tells of what happened and asks nobody's leave",
}


def ref(name: str) -> Ref:
    return Ref("wire", name)


def number(message: Ref) -> int:
    return int(message.id.rpartition("/")[2])


class OnWire:
    """The small community on the server."""

    lacks: Mapping[str, str] = LACKS
    bot = ref(BOT)
    space = ref("harbour")
    owner = ref("anna")
    member = ref("ben")
    public = ref("#pier")
    private = ref("#office")
    greeter = ref("greeter")

    def __init__(self, adapter: Wire, heard: Recorder, server: WireServer) -> None:
        self.adapter = adapter
        self.heard = heard
        self.server = server
        self.message = ref(f"#pier/{server.say('ben', '#pier', 'Hello.')}")

    async def post(self, who: Ref, channel: Ref, text: str, reply_to: Ref | None = None) -> Ref:
        made = self.server.say(who.id, channel.id, text, number(reply_to) if reply_to else None)
        return ref(f"{channel.id}/{made}")

    async def send(self, who: Ref, channel: Ref, name: str, data: bytes, text: str = "") -> Ref:
        raise Refused(LACKS[SENDING])

    def lose_files(self) -> None:
        """There are none."""

    def to_bot(self, text: str) -> str:
        return f"{BOT}: {text}"

    async def edit(self, who: Ref, message: Ref, text: str) -> None:
        raise Refused(LACKS[EDITING])

    async def delete(self, who: Ref, message: Ref) -> None:
        self.server.delete(who.id, number(message))

    async def react(self, who: Ref, message: Ref, emoji: str, *, on: bool) -> None:
        raise Refused(LACKS[REACTING])

    async def join(self, who: Ref, channel: Ref | None) -> None:
        self.server.join(who.id, channel.id if channel else None)

    async def leave(self, who: Ref, channel: Ref | None) -> None:
        self.server.leave(who.id, channel.id if channel else None)

    async def arrive(self, name: str, language: str) -> Ref:
        for room in (None, self.public.id):
            self.server.join(name, room)
        return ref(name)

    async def command(self, who: Ref, channel: Ref, line: str) -> None:
        raise Refused(LACKS[COMMANDS])

    async def press(self, who: Ref, message: Ref, button: Button) -> None:
        raise Refused(LACKS[BUTTONS])

    async def describe(self, who: Ref, channel: Ref, description: str) -> None:
        raise Refused(LACKS[DESCRIBING])

    async def bring_bot(self, who: Ref) -> None:
        raise Refused(LACKS[BRINGING])

    async def settle(self) -> None:
        await self.server.settled()

    async def planned(self, who: Ref, made: Ref) -> str:
        return ""

    async def sees(self, who: Ref, channel: Ref) -> list[Seen]:
        return [
            Seen(
                message=ref(f"{one.room}/{one.number}"),
                author=ref(one.by),
                text=one.text,
                deleted=one.deleted,
                edited=False,
                only_me=one.room.startswith("@"),
                reply_to=ref(f"{one.room}/{one.reply_to}") if one.reply_to else None,
                reactions={},
                buttons=[],
                files={},
                options=[],
                event="",
            )
            for one in self.server.sees(who.id, channel.id)
        ]

    async def channels(self, who: Ref) -> dict[Ref, SeenChannel]:
        rooms = {name: inside for name, inside in self.server.rooms.items() if who.id in inside}
        if any(one.room == f"@{who.id}" for one in self.server.said.values()):
            rooms[f"@{who.id}"] = {who.id, BOT}
        return {
            ref(name): SeenChannel(
                ref=ref(name),
                name=name[1:],
                description="",
                archived=False,
                private=name == self.private.id,
                direct=name.startswith("@"),
                members=set(map(ref, inside)),
            )
            for name, inside in rooms.items()
        }

    async def who_is(self, member: Ref) -> SeenMember:
        return SeenMember(here=member.id in self.server.here, banned=False, quiet=False, roles=set())


@contextlib.asynccontextmanager
async def on_wire() -> AsyncIterator[Platform]:
    """Open Wire with the adapter connected."""
    async with wire_server() as server:
        heard = Recorder()
        adapter = Wire(address=server.address, clock=SystemClock())
        driver = OnWire(adapter, heard, server)
        running = asyncio.create_task(adapter.run(heard.put, EVERY))
        try:
            async with asyncio.timeout(30):
                await adapter.ready.wait()
            heard.arrivals.clear()
            yield driver
            heard.full = False
            await driver.settle()
        finally:
            running.cancel()
            await asyncio.wait([running])
