"""The door of the page: only this machine, only the page itself, and no script but its own.

A page that anybody can open in their browser may send requests here, under our address (DNS rebinding) or from its own
(cross-site requests). The first is told by `Host`, the second by `Origin`, by `Sec-Fetch-Site`, and by a header that no
other site may set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HERE = ("127.0.0.1", "localhost")
MARK = "x-kinfolk"
"""The header that says that the page itself sends this."""

LARGEST = 12 << 20
"""Bytes of a request, in which a picture may be, written as letters."""

SAFE = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


class Guard:
    """Refuses what does not come from the page, and marks every answer as safe."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SAFE)
            await send(message)

        trouble = _trouble(scope["method"], Headers(scope=scope))
        if trouble:
            status, told = trouble
            await JSONResponse({"error": told}, status)(scope, receive, send_safely)
        else:
            await self._app(scope, receive, send_safely)


def _trouble(method: str, headers: Headers) -> tuple[int, str] | None:
    """Return the status and the reason why a request is refused, or None."""
    host = headers.get("host", "")
    if host.rpartition(":")[0] not in HERE and host not in HERE:
        return 403, "The playground answers to 127.0.0.1 and localhost alone."
    if headers.get("origin", f"http://{host}") != f"http://{host}":
        return 403, "The playground answers to its own page alone."
    return None if method in {"GET", "HEAD"} else _trouble_with_change(headers)


def _trouble_with_change(headers: Headers) -> tuple[int, str] | None:
    length = headers.get("content-length", "")
    if headers.get("sec-fetch-site", "same-origin") != "same-origin" or MARK not in headers:
        return 403, f"The playground answers to its own page alone, which sends {MARK}."
    if headers.get("content-type", "").partition(";")[0] != "application/json":
        return 415, "Say it in JSON."
    if not length.isdecimal() or int(length) > LARGEST:
        return 413, f"At most {LARGEST} bytes, and say how many."
    return None
