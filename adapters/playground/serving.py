"""The page's server: uvicorn on this machine's own address, inside of a program that minds its own signals."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn

from bot.core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

HOST = "127.0.0.1"
ENDING = 2
"""Seconds that open requests have left when the playground ends."""


@contextlib.contextmanager
def listen(port: int) -> Iterator[socket.socket]:
    """Bind the port, 0 for any; raises Misconfigured when it is somebody else's."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(128)
        except OSError as error:
            raise Misconfigured(
                f"KINFOLK_PLAYGROUND_PORT: the playground cannot listen on {HOST}:{port} ({error.strerror}). "
                "End what uses it, or name another port."
            ) from None
        yield listener


async def serve(app: ASGIApp, listener: socket.socket, *, ending: Callable[[], None]) -> None:
    """Serve until cancelled; `ending` is called first then, to end what would stay open for ever."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=ENDING,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        await asyncio.shield(serving)
    finally:
        ending()
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield
