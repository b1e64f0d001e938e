"""The worker's own state: the engine once it is loaded, the queue before it, and what it has done so far."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.core.errors import Misconfigured, Overloaded
from bot.core.ports import Vector
from brains.engines.batcher import Batcher
from brains.engines.encoder_engine import Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from brains.engines.encoder_engine import Engine
    from brains.engines.encoders import Model

log = logging.getLogger(__name__)

PATIENT_CALLERS = 64
"""Requests that may wait while the engine loads."""


class Figures:
    """What `/metrics` shows."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("kinfolk_requests", "Requests by status.", ["status"], registry=registry)
        self.texts = Counter("kinfolk_texts", "Texts encoded.", registry=registry)
        self.tokens = Counter("kinfolk_tokens", "Tokens encoded.", registry=registry)
        self.seconds = Histogram("kinfolk_request_seconds", "Seconds of a request.", registry=registry)
        self.busy = Counter("kinfolk_model_seconds", "Seconds that the model ran.", registry=registry)
        self.batches = Histogram(
            "kinfolk_batch_texts", "Texts of a batch.", buckets=[2**n for n in range(12)], registry=registry
        )
        self.queue = Gauge("kinfolk_queue", "Texts that wait.", registry=registry)


class Desk:
    """Takes texts and gives vectors, from the first moment: callers wait while the engine is being prepared."""

    def __init__(self, model: Model, opening: Callable[[Callable[[str], None]], Awaitable[Engine]]) -> None:
        self.model = model
        self.figures = Figures()
        self.step = "starting"
        self.last_used = time.monotonic()
        self.busy = 0
        self._opening = opening
        self._engine: asyncio.Future[Engine] | None = None
        self._batcher: Batcher[Tokens, Vector] | None = None

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Load the engine beside the requests, and serve the queue."""
        self._engine = asyncio.get_running_loop().create_future()
        async with contextlib.AsyncExitStack() as stack:
            loading = asyncio.create_task(self._load(self._engine, stack))
            try:
                yield
            finally:
                loading.cancel()
                self._engine.cancel()
                await asyncio.gather(loading, return_exceptions=True)

    async def embed(self, texts: Sequence[str]) -> tuple[Vector, int]:
        """Encode texts: float32, shape (texts, size), and how many tokens they were.

        Raises Overloaded, or Misconfigured when the engine could not be loaded.
        """
        self.busy += 1
        try:
            return await self._embed(texts)
        finally:
            self.busy -= 1
            self.last_used = time.monotonic()

    def health(self) -> dict[str, object]:
        """Say what is served, by what, and whether it is ready."""
        engine = self._loaded()
        return {
            "status": self._status(),
            "step": self.step,
            "model": self.model.name,
            "fingerprint": self.model.fingerprint,
            "size": self.model.size,
            "engine": engine.name if engine else None,
            "queue": self._batcher.waiting if self._batcher else 0,
        }

    @property
    def idle_since(self) -> float:
        """Return the monotonic time of the last use; now, while there is work or the engine is being prepared.

        A worker whose engine failed is of no use to anybody: the next one may find what this one missed.
        """
        if self._status() == "failed" and not self.busy:
            return float("-inf")
        return time.monotonic() if self.busy or self._status() == "preparing" else self.last_used

    async def _embed(self, texts: Sequence[str]) -> tuple[Vector, int]:
        engine = await self._wait_for_engine()
        rows = await asyncio.to_thread(engine.tokenise, texts)
        assert self._batcher is not None  # noqa: S101 - it is there before the engine is
        vectors = await self._batcher.submit(rows)
        tokens = sum(map(len, rows))
        self.figures.texts.inc(len(rows))
        self.figures.tokens.inc(tokens)
        return np.stack(vectors), tokens

    async def _wait_for_engine(self) -> Engine:
        assert self._engine is not None  # noqa: S101 - requests come after `open`
        if not self._engine.done() and self.busy > PATIENT_CALLERS:
            raise Overloaded(f"The encoder is being prepared ({self.step}); try again in a minute.")
        return await asyncio.shield(self._engine)

    async def _load(self, engine: asyncio.Future[Engine], stack: contextlib.AsyncExitStack) -> None:
        try:
            loaded = await self._opening(self._progress)
            await self._start_queue(loaded, stack)
            self.last_used = time.monotonic()
            engine.set_result(loaded)
            self._progress("ready")
        except Exception as error:
            log.exception("The encoder could not be loaded.")
            engine.set_exception(error if isinstance(error, Misconfigured) else Misconfigured(f"The encoder: {error}"))
            engine.exception()
            self.step = str(error)

    async def _start_queue(self, engine: Engine, stack: contextlib.AsyncExitStack) -> None:
        def run(rows: list[Tokens]) -> list[Vector]:
            started = time.perf_counter()
            vectors = engine.infer(rows)
            self.figures.busy.inc(time.perf_counter() - started)
            self.figures.batches.observe(len(rows))
            return list(vectors)

        batcher = Batcher[Tokens, Vector](run, length=len, budget=engine.budget)
        self.figures.queue.set_function(lambda: batcher.waiting)
        self._batcher = await stack.enter_async_context(batcher)

    def _progress(self, step: str) -> None:
        self.step = step
        log.info("Encoder: %s", step)

    def _loaded(self) -> Engine | None:
        done = self._engine is not None and self._engine.done() and not self._engine.cancelled()
        return self._engine.result() if self._engine and done and not self._engine.exception() else None

    def _status(self) -> str:
        if self._loaded():
            return "ready"
        return "failed" if self._engine and self._engine.done() else "preparing"
