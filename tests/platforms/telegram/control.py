"""The same verbs for other processes: `POST /_ctl/PART.VERB` with arguments as JSON, what was made as JSON.

Chats are given by their numbers, and messages and topics by theirs within the chat: `{"chat": -100, "message": 7}`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, is_dataclass

from aiohttp import web

from tests.platforms import Refused
from tests.platforms.telegram.town import Town

REFUSED, WRONG, UNKNOWN = 403, 400, 404


def control(town: Town, parts: Mapping[str, object]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return what carries verbs out: every public method of every part, as `people.post`."""

    async def serve(request: web.Request) -> web.Response:
        part, _dot, verb = request.match_info["verb"].partition(".")
        method = getattr(parts.get(part), verb, None)
        if verb.startswith("_") or not inspect.ismethod(method):
            return _json({"error": f"There is no {part}.{verb}."}, UNKNOWN)
        try:
            given = _things(town, json.loads(await request.read() or b"{}"), method)
            made = method(**given)
            return _json({"made": await made if inspect.isawaitable(made) else made})
        except Refused as error:
            return _json({"error": str(error)}, REFUSED)
        except (KeyError, TypeError, ValueError, TimeoutError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, WRONG)

    return serve


def _things(town: Town, given: dict, method: object) -> dict:
    """Put things in the place of their numbers, where a verb takes things."""
    takes = inspect.signature(method).parameters
    chat = town.chats[given["chat"]] if "chat" in given else None
    for name, where in (("message", "messages"), ("topic", "topics")):
        if chat and name in given and takes[name].annotation not in {"int"}:
            given[name] = getattr(chat, where)[given[name]]
    if chat and "chat" in takes:
        given["chat"] = chat
    else:
        given.pop("chat", None)
    return given


def _json(value: object, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, dumps=lambda told: json.dumps(told, default=_plain))


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
