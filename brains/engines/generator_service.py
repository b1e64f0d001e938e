"""The worker's generator: a few conversations at once, a short queue before them, a model loaded only while wanted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.core.errors import Misconfigured, Overloaded
from brains.engines.generator_engine import Finish, Unfit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from brains.engines.generator_engine import GenerationEngine, Prompt

log = logging.getLogger(__name__)

QUEUE = 16
"""Conversations that may wait. One takes seconds, so that a longer queue would answer nobody in time."""

IDLE = 600.0
"""Seconds without a conversation after which the model's memory is given back; loading it again takes one."""

Word: TypeAlias = str | Finish
"""A piece of text; the last one says how it ended."""
Heard: TypeAlias = asyncio.Queue[Word | Exception]


class Figures:
    """What `/metrics` shows of the generator."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("kinfolk_generations", "Conversations by status.", ["status"], registry=registry)
        self.tokens = Counter("kinfolk_generated_tokens", "Tokens written.", registry=registry)
        self.seconds = Histogram("kinfolk_generation_seconds", "Seconds that an answer was written.", registry=registry)
        self.busy = Gauge("kinfolk_generation_slots_busy", "Conversations under way.", registry=registry)
        self.queue = Gauge("kinfolk_generation_queue", "Conversations that wait.", registry=registry)


class Slots:
    """Runs `slots` conversations at once in threads of its own, so that nothing else in the worker waits for them.

    The engine is opened by the first conversation and closed after `idle` seconds without one. One that could not be
    opened is tried again by the next.
    """

    def __init__(
        self,
        name: str,
        opening: Callable[[], GenerationEngine],
        *,
        slots: int,
        limit: int = QUEUE,
        idle: float = IDLE,
    ) -> None:
        self.name = name
        self.figures = Figures()
        self.last_used = time.monotonic()
        self._opening, self._limit, self._idle = opening, limit, idle
        self._threads = ThreadPoolExecutor(max_workers=slots + 1, thread_name_prefix="generator")
        self._free = asyncio.Semaphore(slots)
        self._waiting = self._talking = 0
        self._engine: asyncio.Task[GenerationEngine] | None = None
        self._closing: asyncio.TimerHandle | None = None
        self.figures.busy.set_function(lambda: self._talking)
        self.figures.queue.set_function(lambda: self._waiting)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Serve until left; the model is let go then."""
        try:
            yield
        finally:
            self._let_go()
            self._threads.shutdown(wait=False)

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Word, None]:
        """Give an answer piece by piece, and how it ended; closing it ends the writing.

        Raises Overloaded, Unfit, or Misconfigured when the model cannot be loaded.
        """
        await self._take_slot()
        try:
            engine = await self._loaded()
        except BaseException:
            self._leave_slot()
            raise
        async with contextlib.aclosing(self._listen(engine, prompt)) as words:
            async for word in words:
                yield word

    def health(self) -> dict[str, object]:
        """Say what writes, whether it is loaded, and how many wait."""
        engine = self._ready()
        return {
            "status": self._status(),
            "model": self.name,
            "engine": engine.name if engine else None,
            "busy": self._talking,
            "queue": self._waiting,
        }

    @property
    def idle_since(self) -> float:
        """Return the monotonic time of the last use; now, while somebody waits or is answered."""
        return time.monotonic() if self._talking or self._waiting else self.last_used

    async def _take_slot(self) -> None:
        if self._free.locked() and self._waiting >= self._limit:
            raise Overloaded(f"{self._waiting} conversations wait for the generator already; try again later.")
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        self._talking += 1
        if self._closing:
            self._closing.cancel()

    def _leave_slot(self) -> None:
        self._free.release()
        self._talking -= 1
        self.last_used = time.monotonic()
        if not self._talking:
            self._closing = asyncio.get_running_loop().call_later(self._idle, self._let_go)

    async def _listen(self, engine: GenerationEngine, prompt: Prompt) -> AsyncGenerator[Word, None]:
        loop = asyncio.get_running_loop()
        heard: Heard = asyncio.Queue()
        wanted = True

        def tell(word: Word | Exception) -> bool:
            loop.call_soon_threadsafe(heard.put_nowait, word)
            return wanted

        written = loop.run_in_executor(self._threads, self._write, engine, prompt, tell)
        # The thread may outlive a caller who left: its slot is free when it has noticed.
        written.add_done_callback(lambda _: self._leave_slot())
        try:
            while not isinstance(word := await heard.get(), Finish):
                if isinstance(word, Exception):
                    raise word
                yield word
            yield word
        finally:
            wanted = False

    def _write(self, engine: GenerationEngine, prompt: Prompt, tell: Callable[[Word | Exception], bool]) -> None:
        started = time.perf_counter()
        try:
            finish = engine.generate(prompt, tell)
        except Unfit as error:
            tell(error)
        except Exception as error:
            log.exception("The generator failed on a conversation.")
            tell(error)
        else:
            self.figures.tokens.inc(finish.written)
            self.figures.seconds.observe(time.perf_counter() - started)
            tell(finish)

    async def _loaded(self) -> GenerationEngine:
        if self._engine is None or self._failed():
            self._engine = asyncio.create_task(self._load())
        return await asyncio.shield(self._engine)

    async def _load(self) -> GenerationEngine:
        started = time.monotonic()
        try:
            engine = await asyncio.get_running_loop().run_in_executor(self._threads, self._opening)
        except Misconfigured as error:
            log.warning("%s", error)
            raise
        except Exception as error:
            log.exception("The generator could not be loaded.")
            raise Misconfigured(f"KINFOLK_GENERATOR: it cannot be loaded ({type(error).__name__}: {error}).") from error
        log.info("Generator: %s on %s, loaded in %.1f s", self.name, engine.name, time.monotonic() - started)
        return engine

    def _let_go(self) -> None:
        task, self._engine = self._engine, None
        if task and not task.done():
            task.cancel()
        elif task and not task.cancelled() and not task.exception():
            log.info("Generator: let go")
            self._threads.submit(task.result().close)

    def _failed(self) -> bool:
        task = self._engine
        return task is not None and task.done() and (task.cancelled() or task.exception() is not None)

    def _ready(self) -> GenerationEngine | None:
        return self._engine.result() if self._engine and self._engine.done() and not self._failed() else None

    def _status(self) -> Literal["resting", "loading", "ready", "failed"]:
        if self._engine is None:
            return "resting"
        if not self._engine.done():
            return "loading"
        return "failed" if self._failed() else "ready"
