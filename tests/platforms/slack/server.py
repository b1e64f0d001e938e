"""The Slack server put together, on a port of this machine."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import web

from adapters.slack import needs
from tests.platforms.slack.methods import METHODS, SCOPES, ApiError, Call, check_blocks
from tests.platforms.slack.people import Asked, People
from tests.platforms.slack.sockets import Sockets
from tests.platforms.slack.world import APP, BOT, TEAM, Message, World

BOT_TOKEN, APP_TOKEN, ADMIN_TOKEN = "xoxb-harbour", "xapp-harbour", "xoxp-harbour"
ANSWERS, ANSWERED_FOR = 5, 1800


@dataclass(frozen=True, kw_only=True)
class Harbour:
    """Everybody and everything of a small community, by Slack's own ids."""

    anna: str
    ben: str
    mei: str
    pier: str
    office: str
    lanterns: str
    hello: str


@dataclass(kw_only=True)
class Limit:
    method: str
    seconds: float
    times: int
    after: int


@dataclass(kw_only=True)
class Fault:
    method: str
    code: str
    times: int
    given: dict[str, str]


@dataclass(kw_only=True)
class Server:
    """A workspace behind a port. `admin` is whose the admin's token is, `harbour` the small community, if there is."""

    address: str
    world: World
    sockets: Sockets
    people: People
    admin: str = ""
    harbour: Harbour | None = None
    scopes: set[str] = field(default_factory=set)
    limits: list[Limit] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    most: int = 1000
    faults: list[Fault] = field(default_factory=list)
    rejects: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    @property
    def api(self) -> str:
        return f"{self.address}/api/"

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that point a bot here."""
        tokens = {"KINFOLK_SLACK_BOT_TOKEN": BOT_TOKEN, "KINFOLK_SLACK_APP_TOKEN": APP_TOKEN}
        return {**tokens, "KINFOLK_SLACK_API": self.api}

    def limit(self, method: str, seconds: float, times: int = 1, after: int = 0) -> None:
        """Answer 429 to a method, so many times, after so many calls that are let through."""
        self.limits.append(Limit(method=method, seconds=seconds, times=times, after=after))

    def fail(self, method: str, code: str, times: int = 1, **given: str) -> None:
        """Answer a method with a code that says no, so many times; where it is `given` something, only then."""
        self.faults.append(Fault(method=method, code=code, times=times, given=given))

    # The Web API

    async def call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        given = {**request.query, **await _form(request)}
        self.asked[method] += 1
        self.calls.append((method, given))
        if method in self.broken:
            return web.Response(status=503, text="upstream connect error")
        for one in self.limits:
            if one.method == method and one.after:
                one.after -= 1
            elif one.method == method and one.times:
                one.times -= 1
                headers = {"Retry-After": f"{one.seconds:g}"}
                return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        try:
            body = {"ok": True, **self._answer(method, request, given)}
        except ApiError as error:
            body = error.body
        return web.json_response(body, headers={"x-oauth-scopes": ",".join(sorted(self.scopes))})

    def _answer(self, method: str, request: web.Request, given: dict[str, str]) -> dict:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token in self.rejects:
            raise ApiError(self.rejects[token])
        if method == "apps.connections.open":
            return self._open(token)
        who = self._who(token)
        for one in self.faults:
            if one.method == method and one.times and one.given.items() <= given.items():
                one.times -= 1
                raise ApiError(one.code)
        if who == BOT and (scope := SCOPES.get(method)) and scope not in self.scopes:
            raise ApiError("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))
        call = Call(world=self.world, who=who, given=given, base=self.address, most=self.most)
        if method == "views.open":
            return self._show_form(call)
        if method not in METHODS:
            raise ApiError("unknown_method")
        return METHODS[method](call)

    def _who(self, token: str) -> str:
        if not token:
            raise ApiError("not_authed")
        if token == APP_TOKEN:
            raise ApiError("not_allowed_token_type")
        found = {BOT_TOKEN: BOT, ADMIN_TOKEN: self.admin}.get(token)
        if not found:
            raise ApiError("invalid_auth")
        return found

    def _open(self, token: str) -> dict:
        if token != APP_TOKEN:
            raise ApiError("not_allowed_token_type" if token.startswith("xox") else "invalid_auth")
        return {"url": f"{self.address.replace('http', 'ws')}/link"}

    def _show_form(self, call: Call) -> dict:
        user, view = self.people.triggers.pop(call.text("trigger_id"), ""), call.parsed("view")
        if not user:
            raise ApiError("expired_trigger_id")
        assert isinstance(view, dict)
        if not 1 <= len(view["title"]["text"]) <= 24 or len(view.get("private_metadata", "")) > 3000:
            raise ApiError("invalid_arguments")
        check_blocks(view["blocks"], 100)
        self.people.forms[user] = view
        return {"view": {**view, "id": "V2"}}

    # Answers to what somebody asked

    async def respond(self, request: web.Request) -> web.Response:
        asked = self.people.asked.get(request.match_info["name"])
        if asked is None or time.time() - asked.made_at > ANSWERED_FOR or len(asked.answers) >= ANSWERS:
            return web.Response(status=404, text="used_url")
        body = await request.json()
        asked.answers.append(body)
        try:
            check_blocks(body.get("blocks", []))
        except ApiError:
            return web.Response(status=400, text="invalid_blocks")
        self._take(asked, body)
        return web.Response(text="ok")

    def _take(self, asked: Asked, body: dict) -> None:
        room = self.world.channels[asked.channel]
        if body.get("replace_original") and asked.message:
            message = room.messages[asked.message]
            message.text, message.blocks = body.get("text", ""), body.get("blocks", [])
            return
        only = "" if body.get("response_type") == "in_channel" else asked.user
        made = Message(
            ts=self.world.stamp(), user=BOT, text=body.get("text", ""), blocks=body.get("blocks", []), only=only
        )
        room.messages[made.ts] = made

    # Files

    async def upload(self, request: web.Request) -> web.Response:
        self.world.bytes[request.match_info["file"]] = await request.read()
        return web.Response(text=f"OK - {request.content_length}")

    async def file(self, request: web.Request) -> web.Response:
        """Give a file to whoever may read it; a bot without the scope is sent to a page where people sign in."""
        data = self.world.bytes.get(request.match_info["file"])
        if data is None:
            return web.Response(status=404)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token == BOT_TOKEN and "files:read" not in self.scopes:
            raise web.HTTPFound("https://harbour.slack.com/?redir=files")
        return web.Response(body=data)


async def _form(request: web.Request) -> dict[str, str]:
    if request.content_type == "application/json":
        body = json.loads(await request.text() or "{}")
        return {name: one if isinstance(one, str) else json.dumps(one) for name, one in body.items()}
    return {name: str(one) for name, one in (await request.post()).items()}


@contextlib.asynccontextmanager
async def slack_server(*, port: int = 0) -> AsyncIterator[Server]:
    """Open the server with an empty workspace, on a free port if none is named."""
    world, sockets = World(), Sockets()
    app = web.Application(client_max_size=1 << 26)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    people = People(world, sockets, "")
    server = Server(address="", world=world, sockets=sockets, people=people, scopes=set(needs.SCOPES))
    app.router.add_route("*", "/api/{method}", server.call)
    app.router.add_get("/link", sockets.serve)
    app.router.add_post("/respond/{name}", server.respond)
    app.router.add_post("/upload/{file}", server.upload)
    app.router.add_get("/files/{file}", server.file)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    server.address = people.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    world.tell = lambda event: sockets.event(event, team=TEAM, app=APP)
    try:
        yield server
    finally:
        await sockets.close()
        await runner.cleanup()
