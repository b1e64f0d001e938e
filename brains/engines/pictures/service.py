"""The worker's eyes: one process that looks at pictures, one after another, with a short queue and little time.

The process is started by the first picture, ended after a while without one, and killed by one that takes too long.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.core.errors import Mistake, Overloaded
from bot.core.ports import Line, Picture
from brains.engines.confinement import LENGTH, environment
from brains.engines.pictures import reads

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Sequence

log = logging.getLogger(__name__)

QUEUE = 16
"""Pictures that may wait; each takes about a second."""
LOADING = 120.0
"""Seconds until the process is ready: two, but beside the export of an encoder's first start many more."""
PATIENCE = 30.0
"""Seconds for a picture: a page full of text takes eight on two busy cores."""
IDLE = 300.0
"""Seconds without a picture after which the process is ended, and with it all that it holds."""
COMMAND = (sys.executable, "-P", "-m", "brains.engines.pictures.process")
TOO_LONG = "That picture takes longer than the {seconds:.0f} s that I give it."
BREAKS = "That picture breaks what looks at it."


class Figures:
    """What `/metrics` shows of pictures."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.pictures = Counter("kinfolk_pictures", "Pictures by what became of them.", ["state"], registry=registry)
        self.seconds = Histogram("kinfolk_picture_seconds", "Seconds that a picture took.", registry=registry)
        self.queue = Gauge("kinfolk_picture_queue", "Pictures that wait.", registry=registry)


class Eyes:
    """Looks at pictures. What a picture does to the process is told to its own caller, and the next has a new one."""

    def __init__(
        self,
        *,
        threads: int = 1,
        command: Sequence[str] = COMMAND,
        limit: int = QUEUE,
        patience: float = PATIENCE,
        idle: float = IDLE,
    ) -> None:
        self.figures = Figures()
        self.last_used = time.monotonic()
        self._command = (*command, "--threads", str(threads))
        self._limit, self._patience, self._idle = limit, patience, idle
        self._turn = asyncio.Lock()
        self._asked = 0
        self._process: Process | None = None
        self._killed: list[Process] = []
        self._closing: asyncio.TimerHandle | None = None
        self.figures.queue.set_function(lambda: max(0, self._asked - 1))

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Serve until left."""
        try:
            yield
        finally:
            self._rest()
            await asyncio.gather(*(process.wait() for process in self._killed))

    async def look(self, data: bytes) -> Picture:
        """Look at a picture. Raises Mistake for what is none, breaks the process or takes too long, and Overloaded."""
        if self._asked > self._limit:
            raise Overloaded(f"{self._asked} pictures wait already; try again later.")
        self._asked += 1
        try:
            async with self._turn:
                return await self._look(data)
        finally:
            self._asked -= 1
            self.last_used = time.monotonic()

    def health(self) -> dict[str, object]:
        """Say whether text is read here, whether the process runs, and how many wait."""
        status: Literal["ready", "resting"] = "ready" if self._process else "resting"
        return {"status": status, "reads": reads(), "queue": max(0, self._asked - 1)}

    @property
    def idle_since(self) -> float:
        """Return the monotonic time of the last use; now, while somebody waits."""
        return time.monotonic() if self._asked else self.last_used

    async def _look(self, data: bytes) -> Picture:
        if self._closing:
            self._closing.cancel()
        started, state = time.perf_counter(), "killed"
        try:
            picture = await self._ask(data)
            state = "read" if picture.read else "told apart"
            return picture
        except Mistake:
            state = "refused"
            raise
        finally:
            if state == "killed":  # also where the caller left: its answer would be taken for the next one's
                self._kill()
            self.figures.pictures.labels(state).inc()
            self.figures.seconds.observe(time.perf_counter() - started)
            self._closing = asyncio.get_running_loop().call_later(self._idle, self._rest)

    async def _ask(self, data: bytes) -> Picture:
        picture: Picture | None = None
        try:
            process = await self._started()
            assert process.stdin and process.stdout  # noqa: S101, PT018 - both are pipes
            async with asyncio.timeout(self._patience):
                process.stdin.write(LENGTH.pack(len(data)) + data)
                await process.stdin.drain()
                picture = _picture(await _answer(process.stdout))
                return _with_text(picture, await _answer(process.stdout))
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            self._kill()
            log.warning("a picture ended what looks at it: %s", type(error).__name__)
            if picture is not None:
                return picture  # it is recognised all the same
            if isinstance(error, TimeoutError):
                raise Mistake(TOO_LONG, seconds=self._patience) from None
            raise Mistake(BREAKS) from None

    async def _started(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            pipe = asyncio.subprocess.PIPE
            told = {**environment(), "ORT_DISABLE_TELEMETRY": "1"}
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, env=told
            )
            assert self._process.stdout  # noqa: S101 - it is a pipe
            async with asyncio.timeout(LOADING):
                await _answer(self._process.stdout)
        return self._process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            self._killed = [*(one for one in self._killed if one.returncode is None), process]

    def _rest(self) -> None:
        """End the process, which waits for a picture or is not wanted any more."""
        if self._closing:
            self._closing.cancel()
        self._kill()


async def _answer(out: asyncio.StreamReader) -> dict[str, object]:
    (length,) = LENGTH.unpack(await out.readexactly(LENGTH.size))
    told: dict[str, object] = orjson.loads(await out.readexactly(length))
    return told


def _picture(told: dict[str, object]) -> Picture:
    match told:
        case {"width": int(width), "height": int(height), "hashes": list(hashes)}:
            return Picture(width=width, height=height, hashes=tuple(map(str, hashes)))
        case _:
            raise Mistake(str(told.get("refused") or BREAKS))


def _with_text(picture: Picture, told: dict[str, object]) -> Picture:
    match told:
        case {"lines": list(lines)}:
            read = tuple(Line(text=str(text), confidence=float(confidence)) for text, confidence in lines)
            return replace(picture, lines=read, read=True)
        case {"trouble": str(trouble)}:
            log.warning("a picture could not be read: %s", trouble)
    return picture
