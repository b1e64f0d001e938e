"""The embedded vector store as the bot sees it: calls to the vector process, which is started when needed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import TYPE_CHECKING, Self, cast

from bot.core.errors import Gone, Misconfigured, Unavailable
from storage.vectors import wire
from storage.vectors.layout import BATCH, clip, row
from storage.vectors.wire import Verb

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Sequence
    from pathlib import Path
    from uuid import UUID

    from bot.core.companion import Companion
    from bot.core.ports import Hit, Page, Point, Scope, Vector
    from storage.vectors.wire import Body

ATTEMPTS = 3
"""Every call is idempotent, so one that a dying process swallowed is made again."""

PATIENCE = 120.0
"""Seconds to wait for an answer: a call may stand behind an `optimize`."""


class EmbeddedVectorStore:
    """`Vectors` in the vector process of a home."""

    def __init__(self, companion: Companion, *, size: int, patience: float = PATIENCE) -> None:
        self._companion = companion
        self._size = size
        self._patience = patience
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()

    async def upsert(self, points: Sequence[Point]) -> None:
        """Store points, replacing those of the same id. Raises ValueError for a vector of another size."""
        for start in range(0, len(points), BATCH):
            await self._call(Verb.UPSERT, wire.pack_points(points[start : start + BATCH], self._size))

    async def delete(self, ids: Sequence[UUID]) -> None:
        """Remove points; unknown ids are ignored."""
        await self._call(Verb.DELETE, wire.pack_ids(ids))

    async def search(
        self, scope: Scope, *, vector: Vector | None = None, text: str | None = None, limit: int = 10
    ) -> list[Hit]:
        """Find the nearest points: by cosine, by BM25, or by both fused."""
        floats = None if vector is None else row(vector, self._size).tobytes()
        words = None if text is None else clip(text)
        return wire.unpack_hits(await self._call(Verb.SEARCH, (wire.pack_scope(scope), floats, words, limit)))

    async def scroll(self, scope: Scope, *, after: UUID | None = None, limit: int = 1000) -> Page:
        """Read points with their vectors, in the order of their ids; a page may hold fewer than `limit`."""
        start = after.bytes if after else b""
        return wire.unpack_page(await self._call(Verb.SCROLL, (wire.pack_scope(scope), start, limit)), self._size)

    async def count(self, scope: Scope) -> int:
        """Count points."""
        return cast("int", await self._call(Verb.COUNT, wire.pack_scope(scope)))

    async def optimize(self) -> None:
        """Merge and index segments now; other calls wait meanwhile."""
        await self._call(Verb.OPTIMIZE, None)

    async def clear(self) -> None:
        """Remove every point, with the files that held them."""
        await self._call(Verb.CLEAR, None)

    async def close(self) -> None:
        """Let go of the connection; the process ends when nobody is left."""
        if self._connection:
            await self._connection.close()

    async def pid(self) -> int:
        """Return the id of the process that serves this store."""
        connection = await self._connected()
        return connection.pid

    async def _call(self, verb: Verb, body: Body) -> Body:
        for attempt in itertools.count(1):
            try:
                return await (await self._connected()).ask(verb, body, self._patience)
            except Gone:
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def _connected(self) -> Connection:
        async with self._connecting:
            if self._connection is None or self._connection.lost:
                await self._companion.ensure()
                self._connection = await Connection.open(self._companion.socket, self._size)
            return self._connection


class Connection:
    """One connection to the vector process; calls on it may overlap."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Body]] = {}
        self._listening = asyncio.create_task(self._listen())
        self.pid = 0

    @classmethod
    async def open(cls, socket: Path, size: int) -> Self:
        """Connect and compare notes. Raises Gone, Misconfigured for another size, Unavailable for another release."""
        try:
            connection = cls(*await asyncio.open_unix_connection(socket))
        except OSError as error:
            raise Gone(f"The vector process does not answer: {error.strerror}") from None
        try:
            await connection._compare(size)
        except BaseException:
            await connection.close()
            raise
        return connection

    @property
    def lost(self) -> bool:
        """Say whether the process hung up."""
        return self._listening.done()

    async def ask(self, verb: Verb, body: Body, patience: float) -> Body:
        """Make one call. Raises Gone when the process goes away, and whatever it refuses with."""
        number = next(self._numbers)
        content = wire.frame([number, verb.value, body])
        answer: asyncio.Future[Body] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(patience):
                await self._send(content)
                return await answer
        except TimeoutError:
            raise Unavailable(f"The vector process did not answer in {patience:.0f} s.") from None
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        """Hang up."""
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _compare(self, size: int) -> None:
        version, theirs, self.pid = cast("list[int]", await self.ask(Verb.HELLO, None, PATIENCE))
        if version != wire.VERSION:
            raise Unavailable(f"Process {self.pid} serves the vectors for another release; end it and try again.")
        if theirs != size:
            raise Misconfigured(
                f"The stored vectors have {theirs} dimensions and the encoder gives {size}. "
                "Set KINFOLK_ENCODER back, or name another folder in KINFOLK_VECTORS."
            )

    async def _send(self, content: bytes) -> None:
        if self.lost:
            raise Gone("The vector process went away.")
        with contextlib.suppress(OSError):
            self._writer.write(content)
            await self._writer.drain()

    async def _listen(self) -> None:
        try:
            while True:
                self._hear(await wire.read_frame(self._reader))
        except (OSError, EOFError, ValueError):
            pass
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(Gone("The vector process went away; it is started again with the next call."))

    def _hear(self, message: Body) -> None:
        match message:
            case [int(number), body] if self._awaits(number):
                self._waiting[number].set_result(body)
            case [int(number), str(kind), str(words)] if self._awaits(number):
                self._waiting[number].set_exception(wire.refused(kind, words))

    def _awaits(self, number: int) -> bool:
        """Say whether somebody still waits: who was cancelled a moment ago is yet listed."""
        return number in self._waiting and not self._waiting[number].done()
