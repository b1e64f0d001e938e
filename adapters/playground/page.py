"""What the page asks for: its files, the space as a member sees it, a stream of changes, and deeds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from adapters.playground import views
from adapters.playground.asked import Asked
from adapters.playground.guard import Guard
from adapters.playground.pictures import kind_of
from adapters.playground.refusals import Refused
from bot.core.errors import KinfolkError, Mistake, NotAllowed, Unavailable
from bot.core.i18n import LANGUAGES, translator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from starlette.requests import Request

    from adapters.playground.feed import Batch
    from adapters.playground.space import Space
    from bot.core.commands import Command
    from bot.core.decisions import Trace
    from bot.core.i18n import Translate
    from bot.core.things import Ref

TYPES = {
    ".html": "text/html",
    ".json": "application/json",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
ASKED: TypeAdapter[Asked] = TypeAdapter(Asked)


class Doing(Protocol):
    """What the page needs of whoever runs the playground."""

    async def __call__(self, asked: Asked) -> str:
        """Do a deed and return the name of what it made."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of the page."""

    data: bytes
    type: str
    tag: str


def read_files() -> dict[str, File]:
    """Read the files of the page, and the catalogues, from the package: few, and small, so that serving reads none."""
    for language in LANGUAGES:
        translator(language)
    found = {}
    for one in files(__package__).joinpath("static").iterdir():
        kind = TYPES.get("." + one.name.rpartition(".")[2])
        if kind:
            data = one.read_bytes()
            found[one.name] = File(data=data, type=kind, tag=f'"{sha256(data).hexdigest()[:16]}"')
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page's requests and what answers them."""

    space: Space
    commands: Sequence[Command]
    files: dict[str, File]
    do: Doing
    why: Callable[[Ref], Awaitable[Sequence[Trace]]]
    ready: Callable[[], str]

    def app(self) -> Starlette:
        """Return the application, behind its guard."""
        routes = [
            Route("/", self._index),
            Route("/static/{name}", self._file),
            Route("/api/state", self._state),
            Route("/api/ready", self._ready),
            Route("/api/messages", self._messages),
            Route("/api/stream", self._stream),
            Route("/api/why", self._why),
            Route("/api/attachment", self._attachment),
            Route("/api/do", self._do, methods=["POST"]),
        ]
        told = {Mistake: _refuse, NotAllowed: _refuse, Unavailable: _refuse}
        return Starlette(routes=routes, middleware=[Middleware(Guard)], exception_handlers=told)

    async def _index(self, request: Request) -> Response:
        return self._send(request, self.files["index.html"])

    async def _file(self, request: Request) -> Response:
        file = self.files.get(request.path_params["name"])
        return self._send(request, file) if file else Response("There is no such file.", 404)

    def _send(self, request: Request, file: File) -> Response:
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers={"etag": file.tag})
        return Response(file.data, media_type=file.type, headers={"etag": file.tag})

    async def _state(self, request: Request) -> Response:
        viewer = request.query_params.get("as", "")
        shown = views.state(self.space, viewer, self.commands, _translate(request))
        return JSONResponse(shown | {"banner": self.ready()})

    async def _ready(self, _request: Request) -> Response:
        return JSONResponse({"banner": self.ready()})

    async def _messages(self, request: Request) -> Response:
        asked = request.query_params
        found = views.messages(self.space, asked.get("as", ""), asked.get("room", ""), asked.get("before", ""))
        return JSONResponse(found)

    async def _why(self, request: Request) -> Response:
        viewer, name = request.query_params.get("as", ""), request.query_params.get("message", "")
        if views.message(self.space, viewer, name) is None:
            raise Refused("no_message", name=name)
        thought = self.space.thoughts.get(name)
        traces = await self.why(self.space.posts[name].ref) or ([thought] if thought else [])
        return JSONResponse({"traces": [views.trace(self.space, viewer, one) for one in traces]})

    async def _attachment(self, request: Request) -> Response:
        viewer, name = request.query_params.get("as", ""), request.query_params.get("message", "")
        number = request.query_params.get("number", "")
        if views.message(self.space, viewer, name) is None:
            raise Refused("no_message", name=name)
        post = self.space.post(name)
        if not number.isdecimal() or int(number) >= len(post.files):
            raise Refused("no_message", name=f"{name} {number}")
        file = post.files[int(number)]
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"}
        return Response(file.data, media_type=kind_of(file.data), headers=headers)

    async def _stream(self, request: Request) -> Response:
        viewer = request.query_params.get("as", "")
        after = request.headers.get("last-event-id") or request.query_params.get("after", "")
        return StreamingResponse(self._changes(viewer, after), media_type="text/event-stream")

    async def _changes(self, viewer: str, after: str) -> AsyncIterator[str]:
        async for batch in self.space.feed.follow(after):
            yield self._lines(viewer, batch)

    def _lines(self, viewer: str, batch: Batch) -> str:
        if batch.over:
            return _line("over", {}, batch.position)
        lines = [": alive\n\n"]
        for change in batch.changes:
            if change.kind == "space":
                lines.append(_line("space", {}))
            elif (seen := views.message(self.space, viewer, change.id)) is not None:
                lines.append(_line("message", seen))
        return "".join(lines) + f"id: {batch.position}\nevent: position\ndata: {{}}\n\n"

    async def _do(self, request: Request) -> Response:
        try:
            asked = ASKED.validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": _first(error)}, 422)
        return JSONResponse({"made": await self.do(asked)})


def _translate(request: Request) -> Translate:
    language = request.query_params.get("language", "")
    return translator(language if language in LANGUAGES else LANGUAGES[0])


def _line(event: str, data: views.View, position: str = "") -> str:
    name = f"id: {position}\n" if position else ""
    return f"{name}event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _first(error: ValidationError) -> str:
    told = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in told['loc'])}: {told['msg']}"


async def _refuse(request: Request, error: Exception) -> Response:
    status = 503 if isinstance(error, Unavailable) else 422
    said = error.say(_translate(request)) if isinstance(error, KinfolkError) else str(error)
    told: views.View = {"error": said}
    if isinstance(error, Refused):
        told |= {"code": error.code, "details": error.values}
    return JSONResponse(told, status)
