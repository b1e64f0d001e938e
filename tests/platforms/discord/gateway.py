"""The gateway: sessions, what each is told, dropped connections and how they go on, and frames that no server sends."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import Mapping

import discord
import orjson
from aiohttp import WSMsgType, web
from simcord import intents as gates
from simcord.backend import serializers

from tests.platforms.discord.sessions import Session
from tests.platforms.discord.town import Town

TOKEN = "simcord.socket.token"
HEARTBEAT = 41_250
CHUNK = 1_000
PRIVILEGED = ("members", "presences", "message_content")
BEAT, IDENTIFY, RESUME, RECONNECT, MEMBERS, INVALID, HELLO, BEATEN = 1, 2, 6, 7, 8, 9, 10, 11
AUTHENTICATION_FAILED, DISALLOWED_INTENTS = 4004, 4014


class Gateway:
    """Every connection of the bot."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self.identified = self.resumed = 0
        """How often clients began, and went on."""
        self.refuses = 0
        """The close code with which every new session ends, 0 for none."""
        self.shards = 1
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._moved = asyncio.Condition()
        town.backend.subscribers.append(self.tell)

    # What clients are told

    def tell(self, event: str, payload: Mapping[str, object]) -> None:
        """Tell each session that wants to hear of it."""
        for session in list(self.sessions.values()):
            if session.wants(event, payload):
                session.tell(event, self._for(session, event, payload))

    def _for(self, session: Session, event: str, payload: Mapping[str, object]) -> dict[str, object]:
        shown = copy.deepcopy(dict(payload))
        if event == "GUILD_CREATE":
            gates.prune_guild_create(shown, session.intents, self.town.bot)
        if event == "INTERACTION_CREATE":
            shown.update(self._locales(shown))
        if event in {"MESSAGE_CREATE", "MESSAGE_UPDATE"} and not session.intents.message_content:
            gates.censor_message(shown, self.town.bot, backend=self.town.backend)
        return shown

    def _locales(self, shown: Mapping[str, object]) -> dict[str, str]:
        person = shown.get("user") or shown["member"]["user"]  # type: ignore[index]
        user = {"locale": self.town.locales.get(int(person["id"]), "en-US")}  # type: ignore[index]
        guild = shown.get("guild_id")
        return (
            user if guild is None else {**user, "guild_locale": self.town.backend.guilds[int(guild)].preferred_locale}
        )  # type: ignore[call-overload]

    # What tests do to connections

    def frame(self, payload: object) -> None:
        """Send every session a frame as it is, text or what becomes JSON: malformed, unknown, with absent fields."""
        text = payload if isinstance(payload, str) else orjson.dumps(payload).decode()
        for session in self.sessions.values():
            session.send(text)

    def event(self, name: str, payload: object) -> None:
        """Send every session an event whatever its intents, numbered as the next one."""
        for session in self.sessions.values():
            session.tell(name, payload)

    async def ask_to_reconnect(self) -> None:
        """Ask every client to come again and resume (op 7)."""
        self.frame({"op": RECONNECT, "d": None})

    async def close(self, code: int = 4000) -> None:
        """Close every connection with a code; sessions may be resumed."""
        for name, socket in list(self._sockets.items()):
            self._part(name)
            await socket.close(code=code)

    async def cut(self) -> None:
        """Tear every connection without a word, as a network does."""
        for name, socket in list(self._sockets.items()):
            self._part(name)
            if socket._req and socket._req.transport:
                socket._req.transport.abort()

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Tell every client that its session is over (op 9)."""
        sessions = list(self.sessions.values())
        if not resumable:
            self.sessions.clear()
        for session in sessions:
            session.send(orjson.dumps({"op": INVALID, "d": resumable}).decode())

    def forget(self) -> None:
        """Forget every session, so that resuming is refused and clients begin again."""
        self.sessions.clear()

    async def settled(self, seconds: float = 30) -> None:
        """Wait until every client has read all that it was told; a heartbeat that is asked for says how far it is."""
        told = {name: session.sequence for name, session in self.sessions.items()}
        for session in self.sessions.values():
            self._ask_for_beat(session)
        async with asyncio.timeout(seconds), self._moved:
            await self._moved.wait_for(lambda: all(self._heard(name) >= number for name, number in told.items()))

    async def connected(self, count: int = 1, seconds: float = 30) -> None:
        """Wait until so many clients listen."""
        async with asyncio.timeout(seconds), self._moved:
            await self._moved.wait_for(lambda: len(self._sockets) >= count)

    def _heard(self, name: str) -> float:
        return self.sessions[name].heard if name in self.sessions else float("inf")

    def _ask_for_beat(self, session: Session) -> None:
        session.send(orjson.dumps({"op": BEAT, "d": None}).decode())

    # Connections

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Speak with one client until it goes."""
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        outbox: asyncio.Queue[str] = asyncio.Queue()
        writing = asyncio.create_task(self._write(socket, outbox))
        outbox.put_nowait(orjson.dumps({"op": HELLO, "d": {"heartbeat_interval": HEARTBEAT}}).decode())
        session: Session | None = None
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    session = await self._answer(socket, outbox, session, orjson.loads(message.data))
        finally:
            writing.cancel()
            if session and session.outbox is outbox:
                self._part(session.name)
        return socket

    async def _write(self, socket: web.WebSocketResponse, outbox: asyncio.Queue[str]) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            while True:
                await socket.send_str(await outbox.get())

    async def _answer(
        self, socket: web.WebSocketResponse, outbox: asyncio.Queue[str], session: Session | None, frame: dict
    ) -> Session | None:
        given = frame.get("d")
        if frame["op"] == IDENTIFY:
            return await self._identify(socket, outbox, given)
        if frame["op"] == RESUME:
            return await self._resume(socket, outbox, given)
        if frame["op"] == BEAT:
            outbox.put_nowait(orjson.dumps({"op": BEATEN}).decode())
            await self._note_beat(session, given)
        if frame["op"] == MEMBERS and session:
            self._tell_members(session, given)
        return session

    async def _identify(self, socket: web.WebSocketResponse, outbox: asyncio.Queue[str], asked: dict) -> Session | None:
        refused = self._refusal(asked)
        if refused:
            await socket.close(code=refused)
            return None
        self.identified += 1
        session = Session(f"s{self.identified}", asked)
        session.outbox = outbox
        self._welcome(session)
        self.sessions[session.name] = session
        await self._meet(session, socket)
        return session

    def _refusal(self, asked: dict) -> int:
        intents = discord.Intents._from_value(asked["intents"])
        if asked["token"] != TOKEN:
            return AUTHENTICATION_FAILED
        if any(getattr(intents, one) and one not in self.town.approved for one in PRIVILEGED):
            return DISALLOWED_INTENTS
        return self.refuses

    def _welcome(self, session: Session) -> None:
        backend = self.town.backend
        guilds = [one for one in backend.guilds.values() if (one.id >> 22) % session.shards == session.shard]
        ready = {
            "v": 10,
            "user": serializers.user_payload(backend.bot_user),
            "guilds": [{"id": str(one.id), "unavailable": True} for one in guilds],
            "session_id": session.name,
            "resume_gateway_url": self.url,
            "shard": [session.shard, session.shards],
            "application": {"id": str(backend.application_id), "flags": 0},
        }
        session.tell("READY", ready)
        for one in guilds:
            payload = serializers.guild_create_payload(backend, one)
            session.tell("GUILD_CREATE", self._for(session, "GUILD_CREATE", payload))

    async def _resume(self, socket: web.WebSocketResponse, outbox: asyncio.Queue[str], asked: dict) -> Session | None:
        session = self.sessions.get(asked["session_id"])
        if not session or asked["token"] != TOKEN:
            outbox.put_nowait(orjson.dumps({"op": INVALID, "d": False}).decode())
            return None
        self.resumed += 1
        for number, frame in session.told:
            if number > asked["seq"]:
                outbox.put_nowait(frame)
        session.outbox = outbox
        session.tell("RESUMED", {})
        self._ask_for_beat(session)
        await self._meet(session, socket)
        return session

    async def _meet(self, session: Session, socket: web.WebSocketResponse) -> None:
        async with self._moved:
            self._sockets[session.name] = socket
            self._moved.notify_all()

    def _part(self, name: str) -> None:
        self._sockets.pop(name, None)
        if name in self.sessions:
            self.sessions[name].outbox = None

    async def _note_beat(self, session: Session | None, number: int | None) -> None:
        async with self._moved:
            if session and number:
                session.heard = max(session.heard, number)
            self._moved.notify_all()

    def _tell_members(self, session: Session, asked: dict) -> None:
        wanted = asked["guild_id"][0] if isinstance(asked["guild_id"], list) else asked["guild_id"]
        guild = self.town.backend.guilds.get(int(wanted))
        if guild is None:
            return
        members = list(guild.members.values())
        users = asked.get("user_ids") or []
        numbers = {int(one) for one in (users if isinstance(users, list) else [users])}
        if numbers:
            members = [one for one in members if one.user_id in numbers]
        elif asked.get("query"):
            members = [one for one in members if self._called(one.user_id, one.nick, asked["query"])]
        members = members[: asked.get("limit") or None]
        missing = [str(one) for one in sorted(numbers - {member.user_id for member in members})]
        parts = [members[start : start + CHUNK] for start in range(0, len(members), CHUNK)] or [[]]
        for number, part in enumerate(parts):
            payloads = [serializers.member_payload(self.town.backend, guild, one) for one in part]
            chunk = {"guild_id": str(guild.id), "members": payloads, "chunk_index": number, "chunk_count": len(parts)}
            session.tell("GUILD_MEMBERS_CHUNK", {**chunk, "nonce": asked.get("nonce"), "not_found": missing})

    def _called(self, user: int, nick: str | None, query: str) -> bool:
        names = (self.town.backend.users[user].name, nick or "")
        return any(name.lower().startswith(query.lower()) for name in names)
