"""The REST door: who may ask, what goes wrong, what is carried out, and the headers of the answer."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass, field
from urllib.parse import unquote

import orjson
from aiohttp import web
from simcord.backend.errors import BackendError
from simcord.http import routes as _routes  # noqa: F401  (registers them)

from tests.platforms.discord import routes
from tests.platforms.discord.faults import TOO_MANY, UNAUTHORISED, Asked, Fault, Faults
from tests.platforms.discord.gateway import TOKEN, Gateway
from tests.platforms.discord.town import Town

MISSING = 501
VIA = {"Via": "1.1 tests"}
"""discord.py takes a 429 without it for a ban by the network in front of Discord."""


@dataclass(slots=True)
class Upload:
    """A file of a request, as the model takes it."""

    filename: str
    fp: io.BytesIO
    description: str | None = None


@dataclass(slots=True, kw_only=True)
class Body:
    """What a request brought."""

    json: object = None
    files: list[Upload] = field(default_factory=list)


class Rest:
    """Everything under /api/v10."""

    def __init__(self, town: Town, gateway: Gateway, faults: Faults) -> None:
        self.town = town
        self.gateway = gateway
        self.faults = faults
        self._moved = asyncio.Condition()

    async def until(self, fits, seconds: float = 30) -> None:
        """Wait until something is so that requests bring about."""
        async with asyncio.timeout(seconds), self._moved:
            await self._moved.wait_for(fits)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        path = "/" + request.match_info["tail"]
        body = await _read(request)
        asked = self.faults.note(request.method, path, body.json)
        fault = self.faults.next(request.method, path)
        if fault and fault.torn == "before":
            return self._tear(request)
        answer = self._refuse(request, asked, fault) or self._carry_out(request, asked, body)
        if fault and fault.torn == "after":
            return self._tear(request)
        if fault and fault.delay:
            await asyncio.sleep(fault.delay)
        async with self._moved:
            self._moved.notify_all()
        return answer

    async def attachment(self, request: web.Request) -> web.Response:
        """Give a file that came with a message."""
        data = self.town.files.get(request.path)
        return web.Response(body=data) if data is not None else web.Response(status=404)

    def _refuse(self, request: web.Request, asked: Asked, fault: Fault | None) -> web.Response | None:
        if fault and fault.status:
            return self._fail(asked, fault, {})
        open_to_all = ("/gateway", "/interactions/", "/webhooks/")
        token = request.headers.get("Authorization")
        if token != f"Bot {TOKEN}" and not (asked.path.startswith(open_to_all) and asked.path != "/gateway/bot"):
            return self._json(asked, {"message": "401: Unauthorized", "code": 0}, UNAUTHORISED)
        return None

    def _fail(self, asked: Asked, fault: Fault, headers: dict[str, str]) -> web.Response:
        if fault.status != TOO_MANY:
            return self._json(asked, {"message": fault.message, "code": fault.code}, fault.status, headers)
        self.faults.close_window(asked.method, asked.path, fault.after, fault.scope)
        is_global = fault.scope == "global"
        told = {"Retry-After": str(fault.after), "X-RateLimit-Scope": fault.scope, **VIA, **headers}
        told |= {"X-RateLimit-Global": "true"} if is_global else {}
        said = {"message": "You are being rate limited.", "retry_after": fault.after, "global": is_global}
        self.faults.count(asked, TOO_MANY, fault.scope)
        return _json(said, TOO_MANY, told)

    def _carry_out(self, request: web.Request, asked: Asked, body: Body) -> web.Response:
        headers, waits = self.faults.pacing(asked.method, asked.path)
        if waits:
            return self._fail(asked, waits, headers)
        if asked.path in {"/gateway", "/gateway/bot"}:
            return self._json(asked, self._gateway())
        reason = request.headers.get("X-Audit-Log-Reason")
        call = routes.Call(
            town=self.town,
            method=asked.method,
            path=asked.path,
            json=body.json,
            params=dict(request.query),
            files=body.files,
            reason=unquote(reason) if reason else None,
        )
        try:
            made = routes.carry_out(call)
        except BackendError as error:
            if error.status == MISSING:
                self.faults.gaps.append(str(error))
            return self._json(asked, error.to_json(), error.status, headers)
        return self._json(asked, made, 204 if made is None else 200, headers)

    def _gateway(self) -> dict[str, object]:
        starts = {"total": 1000, "remaining": 999, "reset_after": 1000, "max_concurrency": 1}
        return {"url": self.gateway.url, "shards": self.gateway.shards, "session_start_limit": starts}

    def _json(
        self, asked: Asked, value: object, status: int = 200, headers: dict[str, str] | None = None
    ) -> web.Response:
        self.faults.count(asked, status)
        return web.Response(status=status, headers=headers) if status == 204 else _json(value, status, headers or {})

    def _tear(self, request: web.Request) -> web.Response:
        if request.transport:
            request.transport.abort()
        return web.Response(status=500)


async def _read(request: web.Request) -> Body:
    if request.content_type == "application/json":
        return Body(json=orjson.loads(await request.read() or b"null"))
    if not request.content_type.startswith("multipart/"):
        return Body()
    body, plain = Body(), {}
    async for part in await request.multipart():
        if part.name == "payload_json":
            body.json = orjson.loads(await part.text())
        elif part.filename:
            body.files.append(Upload(part.filename, io.BytesIO(await part.read())))
        else:
            plain[part.name] = await part.text()
    body.json = plain if body.json is None else body.json
    return body


def _json(value: object, status: int, headers: dict[str, str]) -> web.Response:
    """Answer with exactly `application/json`, which discord.py compares."""
    data = orjson.dumps(value, default=str)
    return web.Response(body=data, status=status, headers={"Content-Type": "application/json", **headers})
