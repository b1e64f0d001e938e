"""A line to a server on loopback that goes dead or silent when a test wants it to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

CHUNK = 1 << 16


class Line:
    """Passes on what comes. `cut` ends what there is and takes no other, `hush` passes nothing on, `mend` ends both."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._dead = False
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.address = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join somebody who calls to the server."""
        if self._dead:
            writer.close()
            return
        there, back = await asyncio.open_connection(*self._target)
        ends = {writer, back}
        self._writers |= ends
        try:
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        finally:
            self._writers -= ends
            for one in ends:
                one.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(CHUNK):
                await self._open.wait()
                writer.write(piece)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        self._dead = True
        for writer in self._writers:
            writer.transport.abort()

    def hush(self) -> None:
        self._open.clear()

    def mend(self) -> None:
        self._dead = False
        self._open.set()


@contextlib.asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    """Open a line to the server of a URL."""
    there = urlsplit(url)
    assert there.hostname
    assert there.port
    line = Line(there.hostname, there.port)
    listening = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.address = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        listening.close()
        line.cut()
