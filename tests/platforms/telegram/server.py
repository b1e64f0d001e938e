"""The Bot API put together, on a port of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from aiohttp import web

from tests.platforms.telegram.control import control
from tests.platforms.telegram.faults import Called, Fault, Faults
from tests.platforms.telegram.methods import Methods, Wrong
from tests.platforms.telegram.people import People
from tests.platforms.telegram.town import Town
from tests.platforms.telegram.updates import WEBHOOK, Conflict, Updates

TOKEN = "7000000001:AAE-for-the-tests-and-nothing-else-000"
LARGEST = 50 * 2**20
NUMBERS = ("chat_id", "user_id", "message_id", "message_thread_id", "offset", "limit", "timeout", "draft_id")
WORDS = ("text", "caption", "question", "name", "language_code", "parse_mode", "callback_query_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramServer:
    """Telegram: where it is, what it is made of, and everybody who does something there."""

    api: str
    town: Town
    people: People
    methods: Methods
    updates: Updates
    faults: Faults
    token: str = TOKEN

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings that point a bot here."""
        return {"KINFOLK_TELEGRAM_TOKEN": self.token, "KINFOLK_TELEGRAM_API": self.api}


class Calls:
    """Reads calls, lets them go wrong where a test wants it, and answers them."""

    def __init__(self, town: Town, methods: Methods, updates: Updates, faults: Faults) -> None:
        self.town = town
        self.methods = methods
        self.updates = updates
        self.faults = faults

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != TOKEN:
            return _refused(Wrong(401, "Unauthorized"))
        name = request.match_info["method"]
        args = await _arguments(request)
        called = self.faults.note(name, args)
        fault = self.faults.next(name)
        try:
            answer = await self._answer(name, args, fault, request)
        except Wrong as wrong:
            called.status = wrong.code
            return _refused(wrong)
        except Conflict as conflict:
            called.status = 409
            return _refused(Wrong(409, str(conflict)))
        return _done(called, answer)

    async def file(self, request: web.Request) -> web.Response:
        """Give a file that came with a message."""
        data = self.town.files.get(request.match_info["name"])
        found = data is not None and request.match_info["token"] == TOKEN
        return web.Response(body=data) if found else web.Response(status=404)

    async def _answer(self, name: str, args: dict, fault: Fault | None, request: web.Request) -> object:
        if fault is not None and fault.torn == "before":
            _tear(request)
        if fault is not None and fault.status:
            parameters = {"retry_after": fault.after} if fault.status == 429 else {}
            raise Wrong(fault.status, fault.words or "Too Many Requests: retry later", **parameters)
        if (after := self.faults.too_many(name, args.get("chat_id"))) > 0:
            raise Wrong(429, f"Too Many Requests: retry after {after}", retry_after=after)
        if name == "getUpdates":
            return await self._updates(args)
        method = self.methods.named(name)
        if method is None:
            self.faults.gaps.append(name)
            raise Wrong(404, "Not Found")
        answer = await method(args)
        if fault is not None and fault.held is not None:
            await fault.held.wait()
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.torn == "after":
            _tear(request)
        return answer

    async def _updates(self, args: dict) -> list[dict]:
        if self.town.webhook:
            raise Conflict(WEBHOOK)
        return await self.updates.fetch(
            args.get("offset", 0), args.get("limit", 100), args.get("timeout", 0), args.get("allowed_updates")
        )


async def _arguments(request: web.Request) -> dict:
    """Read a form whose fields hold JSON where they are not words or numbers."""
    args: dict = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            args[name] = (value.filename, value.file.read())
        elif name in NUMBERS:
            args[name] = int(value) if value.lstrip("-").isdigit() else value
        elif name in WORDS:
            args[name] = value
        else:
            try:
                args[name] = json.loads(value)
            except ValueError:
                args[name] = value
    return args


def _tear(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("torn")


def _done(called: Called, answer: object) -> web.Response:
    called.status = 200
    return web.json_response({"ok": True, "result": answer})


def _refused(wrong: Wrong) -> web.Response:
    body = {"ok": False, "error_code": wrong.code, "description": wrong.words}
    if wrong.parameters:
        body["parameters"] = wrong.parameters
    return web.json_response(body, status=wrong.code)


@contextlib.asynccontextmanager
async def telegram_server(port: int = 0, clock: Callable[[], float] = time.time) -> AsyncIterator[TelegramServer]:
    """Open the server on a port, any free one for 0."""
    town, updates = Town(clock), Updates()
    people, faults = People(town, updates), Faults(clock)
    methods = Methods(town, people)
    calls = Calls(town, methods, updates, faults)
    app = web.Application(client_max_size=LARGEST)
    app.router.add_post("/bot{token}/{method}", calls.serve)
    app.router.add_get("/file/bot{token}/documents/{name}", calls.file)
    parts = {"town": town, "people": people, "updates": updates, "faults": faults}
    app.router.add_post("/_ctl/{verb}", control(town, parts))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    api = "http://{}:{}".format(*runner.addresses[0][:2])
    try:
        yield TelegramServer(api=api, town=town, people=people, methods=methods, updates=updates, faults=faults)
    finally:
        await runner.cleanup()
