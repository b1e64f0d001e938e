"""The worker's HTTP side: OpenAI-compatible `/v1`, and `/health` and `/metrics`."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException as StarletteHTTPException

from bot.core.errors import KinfolkError
from brains.engines import embeddings_api
from brains.engines.completions import add_chat
from brains.engines.door import as_refusal, check_key, in_json, read_body, refused
from brains.engines.embeddings_api import Refusal
from brains.engines.generator_engine import Unfit
from brains.engines.pictures.api import add_pictures

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from brains.engines.encoder_service import Desk
    from brains.engines.generator_service import Slots
    from brains.engines.pictures.service import Eyes


def build_app(
    desk: Desk | None, slots: Slots | None = None, eyes: Eyes | None = None, *, key: str = "", generator_key: str = ""
) -> FastAPI:
    """Build the application for what there is to serve; with a key, `/v1` wants one as a bearer token."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for part in (desk, slots, eyes):
                if part:
                    await stack.enter_async_context(part.open())
            yield

    app = FastAPI(title="Kinfolk worker", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    keys = [each for each in (key, generator_key) if each]
    if desk:
        _add_embeddings(app, desk, keys)
    if slots:
        add_chat(app, slots, keys)
    if eyes:
        add_pictures(app, eyes, keys)
    _add_about(app, desk, slots, eyes, keys)
    for kind in (Refusal, Unfit, KinfolkError, StarletteHTTPException, Exception):
        app.add_exception_handler(kind, refused)
    return app


def _add_embeddings(app: FastAPI, desk: Desk, keys: Sequence[str]) -> None:
    @app.post("/v1/embeddings")
    async def embeddings(request: Request) -> Response:
        check_key(request, keys)
        with _measured(desk):
            asked = embeddings_api.read_request(await read_body(request), desk.model.size)
            vectors, tokens = await desk.embed(asked.texts)
        found = embeddings_api.answer(vectors, model=desk.model.name, tokens=tokens, encoding=asked.encoding_format)
        return in_json(found, headers={embeddings_api.FINGERPRINT: desk.model.fingerprint})


def _add_about(app: FastAPI, desk: Desk | None, slots: Slots | None, eyes: Eyes | None, keys: Sequence[str]) -> None:
    @app.get("/v1/models")
    async def models(request: Request) -> Response:
        check_key(request, keys)
        names = [*([desk.model.name] if desk else []), *([slots.name] if slots else [])]
        about = [{"id": name, "object": "model", "created": 0, "owned_by": "kinfolk"} for name in names]
        return in_json({"object": "list", "data": about})

    @app.get("/health")
    async def health() -> Response:
        # A running bot looks after its worker by asking, so that it is there when something is said.
        for part in (desk, slots, eyes):
            if part:
                part.last_used = time.monotonic()
        # The encoder's state is the worker's: a generator that cannot be loaded keeps nobody from encoding.
        found: dict[str, object] = desk.health() if desk else {"status": "ready"}
        if slots:
            found["generator"] = slots.health()
        if eyes:
            found["pictures"] = eyes.health()
        return in_json(found, status=503 if found["status"] == "failed" else 200)

    @app.get("/metrics")
    async def metrics() -> Response:
        parts = [part.figures.registry for part in (desk, slots, eyes) if part]
        return Response(b"".join(map(generate_latest, parts)), media_type=CONTENT_TYPE_LATEST)


@contextlib.contextmanager
def _measured(desk: Desk) -> Iterator[None]:
    started, status = time.perf_counter(), 200
    try:
        yield
    except Exception as error:
        status = as_refusal(error).status
        raise
    finally:
        desk.figures.requests.labels(status).inc()
        desk.figures.seconds.observe(time.perf_counter() - started)
