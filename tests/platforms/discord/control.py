"""The same verbs for other processes: `POST /_ctl/PART.VERB` with arguments as JSON, what was made as JSON."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, is_dataclass

import orjson
from aiohttp import web
from pydantic import ValidationError, validate_call
from simcord.backend.errors import BackendError, SetupError

from tests.platforms import Refused

REFUSED, WRONG, UNKNOWN = 403, 400, 404


def control(parts: Mapping[str, object]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return what carries verbs out: every public method of every part, as `people.post`."""

    async def serve(request: web.Request) -> web.Response:
        part, _dot, verb = request.match_info["verb"].partition(".")
        method = getattr(parts.get(part), verb, None)
        if verb.startswith("_") or not inspect.ismethod(method):
            return _json({"error": f"There is no {part}.{verb}."}, UNKNOWN)
        given = orjson.loads(await request.read() or b"{}")
        try:
            made = validate_call(method)(**given)
            return _json({"made": await made if inspect.isawaitable(made) else made})
        except Refused as error:
            return _json({"error": str(error)}, REFUSED)
        except (ValidationError, BackendError, SetupError, KeyError, TypeError, TimeoutError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, WRONG)

    return serve


def _json(value: object, status: int = 200) -> web.Response:
    body = orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    return web.Response(body=body, status=status, headers={"Content-Type": "application/json"})


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
