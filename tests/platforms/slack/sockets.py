"""Socket Mode: lines, envelopes, and what becomes of those that nobody acknowledges."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

RETRIES = 3


@dataclass(kw_only=True)
class Envelope:
    id: str
    frame: dict
    sent: int = 0
    payload: dict | None = None
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: bool = False


class Sockets:
    """The lines that are open. `patience` is after how many seconds an envelope is sent again."""

    def __init__(self) -> None:
        self.patience = 3.0
        self.lines: list[web.WebSocketResponse] = []
        self.envelopes: list[Envelope] = []
        self.opened = 0
        self.refuses = ""
        self.says_hello = True
        self._moved = asyncio.Condition()
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        line = web.WebSocketResponse(max_msg_size=0)
        await line.prepare(request)
        if self.refuses:
            await line.send_json({"type": "disconnect", "reason": self.refuses, "debug_info": {"host": "loopback"}})
            await line.close()
            return line
        if self.says_hello:
            info = {"app_id": "A0000KINF"}
            await line.send_json({"type": "hello", "num_connections": len(self.lines) + 1, "connection_info": info})
        self.lines.append(line)
        await self._note(opened=1)
        try:
            async for frame in line:
                if frame.type is WSMsgType.TEXT:
                    await self._acknowledge(json.loads(frame.data))
        finally:
            self.lines.remove(line)
            await self._note()
        return line

    async def _note(self, opened: int = 0) -> None:
        async with self._moved:
            self.opened += opened
            self._moved.notify_all()

    async def _acknowledge(self, told: dict) -> None:
        for one in self.envelopes:
            if one.id == told.get("envelope_id"):
                one.payload = told.get("payload")
                one.acknowledged.set()
        await self._note()

    # What is told

    def event(self, event: dict, *, team: str, app: str) -> Envelope:
        """Tell of an event."""
        payload = {
            "token": "t",
            "team_id": team,
            "api_app_id": app,
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{next(self._numbers):09}",
            "event_time": 1_700_000_000,
            "authorizations": [{"team_id": team, "user_id": "U0000KINF", "is_bot": True}],
        }
        return self.send("events_api", payload)

    def send(self, kind: str, payload: object, *, answers: bool = False) -> Envelope:
        """Send an envelope, and again until it is acknowledged: only events are told more than once."""
        frame = {
            "envelope_id": str(uuid.uuid4()),
            "type": kind,
            "payload": payload,
            "accepts_response_payload": answers,
        }
        one = Envelope(id=frame["envelope_id"], frame=frame)
        self.envelopes.append(one)
        task = asyncio.create_task(self._deliver(one, RETRIES if kind == "events_api" else 0))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return one

    async def _deliver(self, one: Envelope, retries: int) -> None:
        for attempt in range(retries + 1):
            reason = "timeout" if attempt else ""
            await self._put({**one.frame, "retry_attempt": attempt, "retry_reason": reason})
            one.sent += 1
            await self._note()
            try:
                async with asyncio.timeout(self.patience):
                    await one.acknowledged.wait()
            except TimeoutError:
                continue
            return
        one.given_up = True
        await self._note()

    async def _put(self, frame: dict) -> None:
        """Send a frame over the newest line, or when there is one again."""
        async with self._turn:
            async with asyncio.timeout(30), self._moved:
                await self._moved.wait_for(lambda: bool(self.lines))
            await self.lines[-1].send_json(frame)

    async def raw(self, text: str) -> None:
        """Send a frame as it is."""
        await self.lines[-1].send_str(text)

    async def disconnect(self, reason: str = "refresh_requested", *, close: bool = True) -> None:
        """Ask for another line and, in a moment, cut this one."""
        line = self.lines[-1]
        await line.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "loopback"}})
        if close:
            before = self.opened
            await self.connected(before + 1)
            await line.close()

    async def cut(self) -> None:
        """Cut every line without a word."""
        for line in list(self.lines):
            transport = line._req.transport if line._req else None
            if transport:
                transport.abort()

    # Waiting

    async def connected(self, count: int = 1) -> None:
        """Wait until so many lines were opened, all in all."""
        async with asyncio.timeout(20), self._moved:
            await self._moved.wait_for(lambda: self.opened >= count and bool(self.lines))

    async def left(self) -> None:
        """Wait until no line is open any more."""
        async with asyncio.timeout(20), self._moved:
            await self._moved.wait_for(lambda: not self.lines)

    async def settled(self, patience: float = 30.0) -> None:
        """Wait until every envelope was acknowledged, or given up."""
        async with asyncio.timeout(patience), self._moved:
            await self._moved.wait_for(lambda: not self.open)
        self.envelopes.clear()

    @property
    def open(self) -> list[Envelope]:
        """Return what is not acknowledged yet."""
        return [one for one in self.envelopes if not (one.acknowledged.is_set() or one.given_up)]

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        for line in list(self.lines):
            await line.close()
