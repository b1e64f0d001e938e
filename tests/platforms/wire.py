"""Wire, a chat platform that can little: its server on loopback, and its adapter. A line of JSON for each thing told.

People talk in rooms and alone with the bot, come and go; a bot may answer, delete and send out. There are no edits,
buttons, reactions, files or private replies, and a command is the words of a message.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.fetching import CANNOT
from adapters.hearing import Handover, said
from adapters.markup import plain
from bot.core.actions import Action, Delete, Kick, OpenDirect, Say, target
from bot.core.clock import Clock
from bot.core.commands import Command
from bot.core.decisions import Receipt
from bot.core.errors import Gone, Mistake, Overloaded
from bot.core.events import (
    Arrival,
    Event,
    File,
    MemberJoined,
    MemberLeft,
    MessageDeleted,
    MessagePosted,
    Named,
)
from bot.core.ports import Limits
from bot.core.things import Audience, Rank, Ref
from tests.platforms import Refused

BOT = "kinfolk"
LONGEST = 2000
FOUNDED = 1_700_000_000.0
SPACE = Named(ref=Ref("wire", "harbour"), name="harbour")


@dataclass(kw_only=True)
class Said:
    number: int
    room: str
    by: str
    text: str
    reply_to: int | None
    deleted: bool = False


class WireServer:
    """A room `#pier` for everyone, `#office` for who is in it, and `@NAME` for somebody alone with the bot."""

    def __init__(self) -> None:
        self.rooms = {"#pier": {"anna", "ben"}, "#office": {"anna"}}
        self.ranks = {"anna": 2, BOT: 1}
        self.here = {"anna", "ben", BOT}
        self.said: dict[int, Said] = {}
        self.address = ""
        self._numbers = itertools.count(1)
        self._bot: asyncio.StreamWriter | None = None
        self._pongs: dict[int, asyncio.Event] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._bot = writer
        while line := await reader.readline():
            asked = json.loads(line)
            if asked["verb"] == "pong":
                self._pongs.pop(asked["number"]).set()
                continue
            try:
                answer = {"made": self._answer(asked)}
            except Refused as refused:
                answer = {"error": str(refused)}
            writer.write(json.dumps({"answer": answer}).encode() + b"\n")
        writer.close()

    def _answer(self, asked: dict) -> object:
        match asked["verb"]:
            case "hello":
                return {room: sorted(members) for room, members in self.rooms.items()}
            case "say":
                return self.say(BOT, asked["room"], asked["text"], asked["reply_to"])
            case "delete":
                return self.delete(BOT, asked["number"])
            case "kick":
                return self.kick(asked["who"])
        raise Refused(f"there is no verb {asked['verb']}")

    def _tell(self, event: str, by: str, room: str | None, **more: object) -> None:
        if self._bot is not None:
            told = {"event": event, "by": by, "rank": self.ranks.get(by, 0), "room": room, "at": time.time(), **more}
            self._bot.write(json.dumps(told).encode() + b"\n")

    async def settled(self) -> None:
        """Wait until the bot has handed over all that it was told."""
        number, pong = next(self._numbers), asyncio.Event()
        self._pongs[number] = pong
        self._tell("ping", BOT, None, number=number)
        async with asyncio.timeout(30):
            await pong.wait()

    def say(self, by: str, room: str, text: str, reply_to: int | None = None) -> int:
        self._look(by, room)
        if not text.strip() or len(text) > LONGEST:
            raise Refused(f"a message has 1 to {LONGEST} characters")
        one = Said(number=next(self._numbers), room=room, by=by, text=text, reply_to=reply_to)
        self.said[one.number] = one
        answered = [self.said[reply_to].room, reply_to] if reply_to else None
        self._tell("said", by, room, number=one.number, text=text, reply_to=answered)
        return one.number

    def _look(self, who: str, room: str) -> None:
        """Refuse a room that somebody is not in; the bot is in all there are."""
        inside = {room[1:], BOT} & self.here if room[1:] in self.here else self.rooms.get(room)
        if inside is None:
            raise Refused(f"there is no {room}")
        if who not in inside | {BOT} or who not in self.here:
            raise Refused(f"{who} is not in {room}")

    def delete(self, by: str, number: int) -> None:
        one = self.said.get(number)
        if one is None:
            raise Refused(f"there is no message {number}")
        if one.by != by and not self.ranks.get(by):
            raise Refused("only its author and moderators may")
        if not one.deleted:
            one.deleted, one.text = True, ""
            self._tell("deleted", by, one.room, number=number)

    def join(self, who: str, room: str | None) -> None:
        (self.rooms[room] if room else self.here).add(who)
        self._tell("joined", who, room)

    def leave(self, who: str, room: str | None) -> None:
        (self.rooms[room] if room else self.here).discard(who)
        self._tell("left", who, room)

    def kick(self, who: str) -> None:
        if who not in self.here | set().union(*self.rooms.values()):
            raise Refused(f"there is no {who}")
        if self.ranks.get(who, 0) >= self.ranks[BOT]:
            raise Refused(f"{who} cannot be sent out")
        if who in self.here:
            self.leave(who, None)

    def sees(self, who: str, room: str) -> list[Said]:
        self._look(who, room)
        return [one for one in self.said.values() if one.room == room]


@contextlib.asynccontextmanager
async def wire_server() -> AsyncIterator[WireServer]:
    """Open the server."""
    server = WireServer()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 20)
    server.address = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()


class Wire:
    """The bot on one server."""

    platform = "wire"
    can = frozenset({"Say", "Delete", "OpenDirect", "Kick"})
    limits = Limits(chat=((50, 1.0),), overall=(200, 1.0))

    def __init__(self, *, address: str, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._asking = asyncio.Lock()
        self.ready = asyncio.Event()

    async def run(self, put: Callable[[Arrival], Awaitable[bool]], commands: Sequence[Command]) -> None:
        host, _, port = self._address.partition(":")
        reader, self._writer = await asyncio.open_connection(host, int(port), limit=1 << 20)
        self._answers, told = asyncio.Queue(), asyncio.Queue()
        reading, handover = asyncio.create_task(self._read(reader, told)), Handover(put, clock=self._clock)
        try:
            rooms = (await self._ask(verb="hello"))["made"]
            for event in _found(rooms):
                await handover.give(Arrival(space=SPACE, event=event, live=False))
            self.ready.set()
            while one := await told.get():
                if one["event"] == "ping":
                    self._send(verb="pong", number=one["number"])
                    continue
                for event in _events(one, commands):
                    await handover.give(Arrival(space=SPACE, event=event))
        finally:
            self.ready.clear()
            reading.cancel()
            self._writer.close()
        raise Gone("The server ended the connection.")

    async def act(self, action: Action) -> Receipt:
        where = target(action)
        beyond = [part for part in ("only", "attachments", "buttons") if getattr(action, part, ())]
        if type(action).__name__ not in self.can or beyond:
            return Receipt(state="failed", error=f"Wire cannot {type(action).__name__} like this")
        if where is None or where.platform != self.platform:
            return Receipt(state="failed", error=f"{where} is not on Wire")
        if not self.ready.is_set():
            raise Overloaded("Wire is not connected.", after=1.0, scope="all")
        match action:
            case Say(to=to, text=text, reply_to=reply_to):
                answered = _number(reply_to) if reply_to else None
                answer = await self._ask(verb="say", room=to.id, text=plain(text), reply_to=answered)
            case OpenDirect(member=member, text=text):
                answer = await self._ask(verb="say", room=f"@{member.id}", text=plain(text), reply_to=None)
            case Delete(message=message):
                answer = await self._ask(verb="delete", number=_number(message))
            case Kick(member=member):
                answer = await self._ask(verb="kick", who=member.id)
        if error := answer.get("error"):
            return Receipt(state="failed", error=error)
        room = f"@{where.id}" if isinstance(action, OpenDirect) else where.id
        return Receipt(state="done", made=_ref(f"{room}/{answer['made']}") if answer["made"] else None)

    async def fetch(self, file: File, *, limit: int) -> bytes:
        raise Mistake(CANNOT, platform="Wire")

    async def _read(self, reader: asyncio.StreamReader, told: asyncio.Queue) -> None:
        while line := await reader.readline():
            one = json.loads(line)
            (self._answers if "answer" in one else told).put_nowait(one.get("answer", one))
        told.put_nowait(None)

    async def _ask(self, **what: object) -> dict:
        async with self._asking:
            self._send(**what)
            return await self._answers.get()

    def _send(self, **what: object) -> None:
        self._writer.write(json.dumps(what).encode() + b"\n")


def _found(rooms: dict) -> list[Event]:
    """Tell who is where: at the same time whenever it is told, so that it is one event however often."""
    since = datetime.fromtimestamp(FOUNDED, UTC)
    return [
        MemberJoined(member=_named(who), channel=_room(room), at=since)
        for room, inside in rooms.items()
        for who in inside
    ]


def _events(told: dict, commands: Sequence[Command]) -> Sequence[Event]:
    at, who = datetime.fromtimestamp(told["at"], UTC), _named(told["by"])
    room = _room(told["room"]) if told["room"] else None
    match told["event"], room:
        case "said", Named():
            return said(_posted(told, who, room, at), rank=Rank(told["rank"]), commands=commands)
        case "deleted", Named():
            return [MessageDeleted(message=_ref(f"{room.ref.id}/{told['number']}"), channel=room, at=at)]
        case "joined", _:
            return [MemberJoined(member=who, channel=room, at=at)]
    return [MemberLeft(member=who, channel=room, at=at)]


def _posted(told: dict, who: Named, room: Named, at: datetime) -> MessagePosted:
    first, _, rest = told["text"].partition(" ")
    named = first == f"{BOT}:"
    return MessagePosted(
        message=_ref(f"{room.ref.id}/{told['number']}"),
        channel=room,
        author=who,
        text=rest.strip() if named else told["text"],
        at=at,
        reply_to=_ref("/".join(map(str, told["reply_to"]))) if told["reply_to"] else None,
        source="wire",
        mentioned=not who.bot and (named or room.audience is Audience.DIRECT),
    )


def _named(who: str) -> Named:
    return Named(ref=_ref(who), name=who, bot=who == BOT)


def _room(name: str) -> Named:
    kinds = {"@": Audience.DIRECT, "#": Audience.MEMBERS if name == "#office" else Audience.EVERYONE}
    return Named(ref=_ref(name), name=name[1:], audience=kinds[name[0]])


def _ref(name: str) -> Ref:
    return Ref("wire", name)


def _number(message: Ref) -> int:
    last = message.id.rpartition("/")[2]
    return int(last) if last.isdecimal() else 0
