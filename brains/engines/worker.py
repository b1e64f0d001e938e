"""The worker's process: serves the models on a Unix socket or on TCP until SIGTERM, or until nobody asked for long.

`python -m brains.engines.worker --encoder E --generator G --home H --socket S --idle SECONDS` is what the bot starts.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket as sockets
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from filelock import FileLock, Timeout

from bot.core.errors import KinfolkError, Misconfigured, Mistake, Unavailable
from bot.core.settings import Settings, load_settings, prepare_home
from brains.engines.encoder_service import Desk
from brains.engines.encoders import is_remote, parse_local
from brains.engines.generator_service import Slots
from brains.engines.generators import NONE, SLOTS, open_generation, parse_generator
from brains.engines.hardware import load_engine
from brains.engines.pictures.service import Eyes
from brains.engines.service import build_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fastapi import FastAPI
    from pydantic import SecretStr

log = logging.getLogger(__name__)

GRACE = 10
"""Seconds that callers have left when the worker is told to stop."""

ENDING = 15.0
"""Seconds to wait for a worker that is ending."""


class Server(uvicorn.Server):
    """uvicorn that ends with exit code 0 on SIGTERM, and by itself after `idle` seconds without a request."""

    def __init__(self, app: FastAPI, *parts: Desk | Slots | Eyes, idle: float | None) -> None:
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=GRACE)
        super().__init__(config)
        self._parts = parts
        self._idle = idle

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT, without raising them again afterwards."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def on_tick(self, counter: int) -> bool:
        """Say whether to stop; uvicorn asks ten times a second."""
        return await super().on_tick(counter) or (self._idle is not None and self._unused() > self._idle)

    def _unused(self) -> float:
        since = [part.idle_since for part in self._parts]
        # One that could not be loaded ends them all: the next worker may find what this one missed.
        return time.monotonic() - (min(since) if float("-inf") in since else max(since))


def serve(settings: Settings, *, socket: Path | None, host: str, port: int, idle: float | None) -> None:
    """Serve the models on a Unix socket, or else on TCP, until SIGTERM or `idle` seconds without a request.

    Raises Misconfigured when no weights are named, and Unavailable when the address is taken.
    """
    desk, slots = _desk(settings), _slots(settings)
    if not (socket or desk or slots):
        raise Misconfigured("KINFOLK_ENCODER and KINFOLK_GENERATOR name servers, so there is nothing to serve here.")
    # A Unix socket is for its owner alone by its rights; TCP is for whoever has the key.
    keys = ("", "") if socket else (_secret(settings.encoder_key), _secret(settings.generator_key))
    # One core is left to whoever encodes.
    eyes = Eyes(threads=max(1, settings.cores - 1))
    app = build_app(desk, slots, eyes, key=keys[0], generator_key=keys[1])
    parts = [part for part in (desk, slots, eyes) if part]
    with listen_unix(socket) if socket else listen_tcp(host, port) as listener:
        asyncio.run(Server(app, *parts, idle=idle).serve([listener]))


def _desk(settings: Settings) -> Desk | None:
    if is_remote(settings.encoder):
        return None
    model = parse_local(settings.encoder)
    return Desk(model, partial(load_engine, model, settings.encoder, settings.home, settings.cores))


def _slots(settings: Settings) -> Slots | None:
    if settings.generator == NONE or is_remote(settings.generator):
        return None
    model = parse_generator(settings.generator)
    return Slots(model.name, partial(open_generation, model, threads=settings.cores), slots=SLOTS)


def _secret(key: SecretStr) -> str:
    return key.get_secret_value()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a process of its own; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m brains.engines.worker", description=__doc__)
    parser.add_argument("--encoder", help="what KINFOLK_ENCODER says otherwise")
    parser.add_argument("--generator", help="what KINFOLK_GENERATOR says otherwise")
    parser.add_argument("--home", type=Path, help="what KINFOLK_HOME says otherwise")
    parser.add_argument("--threads", type=int, help="what KINFOLK_THREADS says otherwise")
    parser.add_argument("--socket", type=Path, help="Unix socket to serve")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8089)
    parser.add_argument("--idle", type=float, help="seconds without a request before it ends")
    asked = parser.parse_args(arguments)
    os.umask(0o077)
    logging.basicConfig(format="%(asctime)s %(message)s", stream=sys.stderr, level=logging.INFO)
    try:
        settings = _settings(asked)
        prepare_home(settings.home)
        serve(settings, socket=asked.socket, host=asked.host, port=asked.port, idle=asked.idle)
    except KinfolkError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _settings(asked: argparse.Namespace) -> Settings:
    given = {name: getattr(asked, name) for name in ("encoder", "generator", "home", "threads")}
    return load_settings().model_copy(update={name: value for name, value in given.items() if value is not None})


@contextlib.contextmanager
def listen_unix(path: Path) -> Iterator[sockets.socket]:
    """Bind a Unix socket for its owner alone, in place of one that a dead worker left; raises Unavailable."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and not path.is_socket():
        raise Mistake(f"{path} is no socket and is left alone. Name another one.")
    with _sole_owner(path), sockets.socket(sockets.AF_UNIX) as listener:
        path.unlink(missing_ok=True)
        try:
            listener.bind(str(path))
        except OSError as error:
            raise Mistake(f"{path} cannot be a socket: {error}.") from None
        path.chmod(0o600)
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _sole_owner(path: Path) -> Iterator[None]:
    # A worker that is ending answers no more, but keeps the lock until its last callers have their vectors.
    patience = 0.0 if _answers(path) else ENDING
    try:
        lock = FileLock(path.with_suffix(".lock")).acquire(timeout=patience)
    except Timeout:
        raise Unavailable(f"Another worker serves {path} already; use that one, or name another socket.") from None
    with lock:
        yield


def _answers(path: Path) -> bool:
    with sockets.socket(sockets.AF_UNIX) as probe:
        try:
            return probe.connect_ex(str(path)) == 0
        except OSError:  # a path too long for a socket; binding it says so
            return False


@contextlib.contextmanager
def listen_tcp(host: str, port: int) -> Iterator[sockets.socket]:
    """Bind a TCP port; raises Unavailable when it is taken."""
    family = sockets.AF_INET6 if ":" in host else sockets.AF_INET
    with sockets.socket(family) as listener:
        listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise Unavailable(f"The worker cannot listen on {host}:{port} ({error.strerror}); name another.") from None
        yield listener


if __name__ == "__main__":
    sys.exit(main())
