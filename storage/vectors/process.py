"""The process that owns the embedded shard: `python -m storage.vectors.process --folder F --size N --socket S`.

It holds a lock on the folder for life, and ends on SIGTERM or after `--idle` seconds without a client.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from filelock import FileLock, Timeout

from bot.core.errors import KinfolkError, Unavailable
from storage.vectors import wire
from storage.vectors.shard import Shard
from storage.vectors.turns import Turns
from storage.vectors.wire import Body, Request, Verb

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Iterator, Sequence

log = logging.getLogger(__name__)

PIPELINE = 32
"""Calls that one client may have under way; then its socket is not read until one is answered."""

LARGEST_PAGE = 16 * 2**20
"""Bytes of vectors in one page of a scroll."""

MOST_HITS = 10_000
Question: TypeAlias = Literal[Verb.HELLO, Verb.SEARCH, Verb.SCROLL, Verb.COUNT]
URGENCY = {Verb.HELLO: 0, Verb.SEARCH: 0, Verb.COUNT: 0, Verb.SCROLL: 1}
"""What goes first; everything else, writes above all, is 2."""


class Service:
    """The clients of one shard."""

    def __init__(self, shard: Shard, *, idle: float) -> None:
        self._shard = shard
        self._turns: Turns[Body] = Turns(shard)
        self._idle = idle
        self._clients: dict[asyncio.Task[None] | None, StreamWriter] = {}
        self._stop = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None

    async def run(self, path: Path) -> None:
        """Serve the socket until told to stop or idle for too long."""
        server = await asyncio.start_unix_server(self._client, path)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        self._mind_idleness()
        turns = asyncio.create_task(self._turns.run())
        await self._stop.wait()
        server.close()
        turns.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await turns
        await self._hang_up()

    async def _client(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._clients[asyncio.current_task()] = writer
        self._mind_idleness()
        try:
            await self._converse(reader, writer)
        except* ValueError as errors:
            log.warning("a client was let go: %s", errors.exceptions[0])
        except* (OSError, EOFError):
            pass
        finally:
            writer.close()
            del self._clients[asyncio.current_task()]
            self._mind_idleness()

    async def _converse(self, reader: StreamReader, writer: StreamWriter) -> None:
        room = asyncio.Semaphore(PIPELINE)
        async with asyncio.TaskGroup() as calls:
            while True:
                asked = wire.request(await wire.read_frame(reader))
                await room.acquire()
                calls.create_task(self._answer(asked, writer)).add_done_callback(lambda _: room.release())

    async def _answer(self, asked: Request, writer: StreamWriter) -> None:
        try:
            body = await self._turns.take(lambda: perform(self._shard, asked), urgency=URGENCY.get(asked.verb, 2))
            answer = wire.frame([asked.number, body])
        except Exception as error:  # noqa: BLE001 it belongs to the client, and the others go on
            answer = wire.frame(wire.refusal(asked.number, error))
        writer.write(answer)
        with contextlib.suppress(OSError):
            await writer.drain()

    async def _hang_up(self) -> None:
        for writer in self._clients.values():
            writer.transport.abort()
        await asyncio.gather(*filter(None, self._clients))

    def _mind_idleness(self) -> None:
        if self._alarm:
            self._alarm.cancel()
        later = asyncio.get_running_loop().call_later
        self._alarm = None if self._clients else later(self._idle, self._stop.set)


def perform(shard: Shard, asked: Request) -> Body:
    """Carry out one request on the shard."""
    match asked.verb:
        case Verb.UPSERT:
            shard.upsert(wire.unpack_points(asked.body, shard.size))
        case Verb.DELETE:
            shard.delete(wire.unpack_ids(cast("bytes", asked.body)))
        case Verb.OPTIMIZE:
            shard.optimize()
        case Verb.CLEAR:
            shard.clear()
        case question:
            return _reply(shard, question, asked.body)
    return None


def _reply(shard: Shard, question: Question, body: Body) -> Body:
    match question:
        case Verb.HELLO:
            return [wire.VERSION, shard.size, os.getpid()]
        case Verb.SEARCH:
            return _search(shard, body)
        case Verb.SCROLL:
            return _scroll(shard, body)
        case Verb.COUNT:
            return shard.count(wire.unpack_scope(body))


def _search(shard: Shard, body: Body) -> Body:
    scope, floats, text, limit = cast("tuple[Body, bytes | None, str | None, int]", body)
    vector = None if floats is None else wire.unpack_rows(floats, shard.size)
    found = shard.search(wire.unpack_scope(scope), vector=vector, text=text, limit=min(limit, MOST_HITS))
    return wire.pack_hits(found)


def _scroll(shard: Shard, body: Body) -> Body:
    scope, after, limit = cast("tuple[Body, bytes, int]", body)
    most = max(1, LARGEST_PAGE // (4 * shard.size))
    start = wire.unpack_ids(after)[0] if after else None
    return wire.pack_page(shard.scroll(wire.unpack_scope(scope), after=start, limit=min(limit, most)))


@contextlib.contextmanager
def sole_owner(folder: Path, patience: float) -> Iterator[None]:
    """Hold the folder's lock; raises Unavailable when another process still has it after `patience` seconds."""
    holder = folder / "owner"
    try:
        lock = FileLock(folder / "lock").acquire(timeout=patience)
    except Timeout:
        owner = holder.read_text() if holder.exists() else "?"
        raise Unavailable(f"The vectors in {folder} are in use by process {owner}; end it or share its home.") from None
    with lock:
        holder.write_text(str(os.getpid()))
        yield


def clear(path: Path) -> None:
    """Remove a socket file that nobody serves any longer; raises Unavailable when somebody does."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return path.unlink(missing_ok=True)
    raise Unavailable(f"Another vector process serves {path}.")


def serve(folder: Path, size: int, path: Path, *, idle: float, patience: float) -> None:
    """Open the shard and serve it. Raises Unavailable or Misconfigured when it cannot be opened."""
    folder.mkdir(parents=True, exist_ok=True)
    with sole_owner(folder, patience):
        clear(path)
        shard = Shard(folder / "shard", size)
        try:
            asyncio.run(_serve(shard, path, idle))
        finally:
            path.unlink(missing_ok=True)
            shard.close()


async def _serve(shard: Shard, path: Path, idle: float) -> None:
    await Service(shard, idle=idle).run(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m storage.vectors.process", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="folder of the shard")
    parser.add_argument("--size", type=int, required=True, help="dimensions of a vector")
    parser.add_argument("--socket", type=Path, required=True, help="Unix socket to serve")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds without a client before it ends")
    parser.add_argument("--patience", type=float, default=30.0, help="seconds to wait for a process that is ending")
    asked = parser.parse_args(arguments)
    os.umask(0o077)
    logging.basicConfig(format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        serve(asked.folder, asked.size, asked.socket, idle=asked.idle, patience=asked.patience)
    except KinfolkError as error:
        log.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
