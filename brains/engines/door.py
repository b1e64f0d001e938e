"""What every address of the worker does alike: the key, the body, and refusals in OpenAI's words."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import orjson
from fastapi import Request, Response
from starlette.exceptions import HTTPException

from bot.core.errors import Misconfigured, Mistake, Overloaded, Unavailable
from brains.engines.embeddings_api import MOST_BYTES, Refusal
from brains.engines.generator_engine import Unfit

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_key(request: Request, keys: Sequence[str]) -> None:
    """Let in whoever has one of the keys, and everybody where there is none; raises Refusal."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
    if keys and not any([hmac.compare_digest(given, key.encode()) for key in keys]):  # noqa: C419 - in constant time
        raise Refusal(
            401, "The API key is wrong or missing; the worker's are KINFOLK_ENCODER_KEY and KINFOLK_GENERATOR_KEY."
        )


async def read_body(request: Request, *, most: int = MOST_BYTES) -> bytes:
    """Read a request's body; raises Refusal when it is too large."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise Refusal(413, f"A request may have at most {most} bytes; send less.")
    return bytes(body)


def in_json(document: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with a document."""
    return Response(orjson.dumps(document), status, headers, media_type="application/json")


def refused(_: Request, error: Exception) -> Response:
    """Answer with an error."""
    refusal = as_refusal(error)
    retry = {"retry-after": "1"} if refusal.status == 429 else None  # noqa: PLR2004
    return in_json(refusal.body(), status=refusal.status, headers=retry)


def as_refusal(error: Exception) -> Refusal:
    """Say what an error is to a caller; what is nobody's fault is a 500 without its text."""
    match error:
        case Refusal():
            return error
        case Unfit():
            return Refusal(400, str(error), code=error.code, param=error.param)
        case Overloaded():
            return Refusal(429, str(error), code="overloaded")
        case Misconfigured() | Unavailable() | Mistake():
            status = 422 if isinstance(error, Mistake) else 503
            return Refusal(status, str(error), code=type(error).__name__.lower())
        case HTTPException():
            return Refusal(error.status_code, str(error.detail))
    return Refusal(500, f"The model failed on this request ({type(error).__name__}); the worker's log says more.")
