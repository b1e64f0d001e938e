"""The worker's HTTP side: OpenAI-compatible `/v1/embeddings` and `/v1/models`, and `/health` and `/metrics`."""

from __future__ import annotations

import contextlib
import hmac
import time
from typing import TYPE_CHECKING

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import HTTPException
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException as StarletteHTTPException

from bot.core.errors import KinfolkError, Misconfigured, Overloaded, Unavailable
from brains.engines import wire
from brains.engines.wire import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from brains.engines.desk import Desk


def build_app(desk: Desk, *, key: str = "") -> FastAPI:
    """Build the application; with a key, `/v1` wants it as a bearer token."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with desk.open():
            yield

    app = FastAPI(title="Kinfolk worker", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    _add_routes(app, desk, key)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(KinfolkError, _refused)
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(Exception, _refused)
    return app


def _add_routes(app: FastAPI, desk: Desk, key: str) -> None:
    @app.post("/v1/embeddings")
    async def embeddings(request: Request) -> Response:
        _check_key(request, key)
        with _measured(desk):
            asked = wire.read_request(await _body(request), desk.model.size)
            vectors, tokens = await desk.embed(asked.texts)
        found = wire.answer(vectors, model=desk.model.name, tokens=tokens, encoding=asked.encoding_format)
        return _json(found, headers={wire.FINGERPRINT: desk.model.fingerprint})

    @app.get("/v1/models")
    async def models(request: Request) -> Response:
        _check_key(request, key)
        model = {"id": desk.model.name, "object": "model", "created": 0, "owned_by": "kinfolk"}
        return _json({"object": "list", "data": [model]})

    @app.get("/health")
    async def health() -> Response:
        found = desk.health()
        return _json(found, status=503 if found["status"] == "failed" else 200)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(desk.figures.registry), media_type=CONTENT_TYPE_LATEST)


@contextlib.contextmanager
def _measured(desk: Desk) -> Iterator[None]:
    started, status = time.perf_counter(), 200
    try:
        yield
    except Exception as error:
        status = _as_refusal(error).status
        raise
    finally:
        desk.figures.requests.labels(status).inc()
        desk.figures.seconds.observe(time.perf_counter() - started)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > wire.MOST_BYTES:
            raise Refusal(413, f"A request may have at most {wire.MOST_BYTES} bytes; send fewer inputs.")
    return bytes(body)


def _check_key(request: Request, key: str) -> None:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if key and not hmac.compare_digest(given.encode(), key.encode()):
        raise Refusal(401, "The API key is wrong or missing; the worker's is KINFOLK_ENCODER_KEY.")


def _json(document: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), status, headers, media_type="application/json")


def _refused(_: Request, error: Exception) -> Response:
    refusal = _as_refusal(error)
    retry = {"retry-after": "1"} if refusal.status == 429 else None  # noqa: PLR2004
    return _json(refusal.body(), status=refusal.status, headers=retry)


def _as_refusal(error: Exception) -> Refusal:
    match error:
        case Refusal():
            return error
        case Overloaded():
            return Refusal(429, str(error), code="overloaded")
        case Misconfigured():
            return Refusal(503, str(error), code="misconfigured")
        case Unavailable():
            return Refusal(503, str(error), code="unavailable")
        case HTTPException() | StarletteHTTPException():
            return Refusal(error.status_code, str(error.detail))
    return Refusal(500, f"The encoder failed on this request ({type(error).__name__}); the worker's log says more.")
