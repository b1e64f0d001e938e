"""Watches every request to Discord: a 429 goes to the bot's budget at once, and what is refused is counted.

The library itself would wait and try again, out of sight of the budget, with everything more urgent behind it. Until
its time is up nothing more is asked of what said to wait, whoever wants it.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Literal

import aiohttp

from adapters.discord.names import PLATFORM
from bot.core.errors import Overloaded

if TYPE_CHECKING:
    from types import SimpleNamespace

    from bot.core.counts import Counts

REFUSED = frozenset({401, 403})
"""Answers that count as invalid requests, 10,000 of which in ten minutes block a bot; a 429 does too unless shared."""
TOO_MANY = 429
ALL = "all"
EVERYTHING = "everything"
"""What has to wait where the network in front of Discord shuts this machine out, which names no scope."""
DEFAULT_WAIT = 1.0
"""Seconds to wait where a 429 does not say."""
NAMED = re.compile(r"(?<=/webhooks)/\d+/[^/]+|(?<=/interactions)/\d+/[^/]+|(?<=/reactions)/[^/]+|/\d{2,}")
"""The parts of a path that name one thing or hold a token."""
WHOSE = re.compile(r"/(?:(?:channels|guilds|interactions)/\d+|webhooks/\d+/[^/]+)")
"""The part of a path by which Discord tells apart what must wait."""
APART = re.compile(r"/(?:interactions|webhooks)/")
"""What the limit of all requests together does not hold for."""


class RequestWatch:
    """Counts what Discord refuses to one bot, and holds everything back when that comes near what it bears."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._shut: dict[str, float] = {}

    def trace(self) -> aiohttp.TraceConfig:
        """Return what the library's session is to be watched with."""
        config = aiohttp.TraceConfig()
        config.on_request_start.append(self._begins)
        config.on_request_end.append(self._ended)
        return config

    def check(self) -> None:
        """Raise Overloaded while nothing may be sent, lest Discord block the bot."""
        if (after := self._counts.brake(PLATFORM).free_after()) > 0:
            raise Overloaded(
                "Discord refused so many requests that I hold back before it blocks me. kinfolk doctor tells why.",
                after=after,
                scope="all",
            )

    async def _begins(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, told: aiohttp.TraceRequestStartParams
    ) -> None:
        if (left := self._left(EVERYTHING)) > 0:
            raise Overloaded("Discord lets nothing from this machine through for a while.", after=left, scope="all")
        if (left := self._left(_bucket(told.method, told.url.path))) > 0:
            raise Overloaded("Discord asked me to wait.", after=left, scope="route")
        if (left := self._left(ALL)) > 0 and not APART.search(told.url.path):
            raise Overloaded("Discord asked me to wait.", after=left, scope="all")

    def _left(self, bucket: str) -> float:
        return self._shut.get(bucket, 0.0) - time.monotonic()

    def _shut_for(self, bucket: str, seconds: float) -> None:
        now = time.monotonic()
        self._shut = {name: until for name, until in self._shut.items() if until > now}
        self._shut[bucket] = max(self._shut.get(bucket, 0.0), now + seconds)

    async def _ended(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, told: aiohttp.TraceRequestEndParams
    ) -> None:
        status, headers = told.response.status, told.response.headers
        if status in REFUSED:
            self._counts.invalid(PLATFORM)
        if status != TOO_MANY:
            return
        scope = headers.get("X-RateLimit-Scope", "")
        self._counts.limited(PLATFORM, kind(told.method, told.url.path))
        if scope != "shared":
            self._counts.invalid(PLATFORM)
        told.response.close()
        after, bucket = _seconds(headers.get("Retry-After", "")), _bucket(told.method, told.url.path)
        if "X-RateLimit-Global" in headers or scope == "global":
            bucket = ALL
        elif not scope:
            bucket = EVERYTHING
        self._shut_for(bucket, after)
        scope_of_wait: Literal["all", "route"] = "all" if bucket in {ALL, EVERYTHING} else "route"
        raise Overloaded("Discord asks me to wait.", after=after, scope=scope_of_wait)


def _seconds(told: str) -> float:
    try:
        return float(told)
    except ValueError:
        return DEFAULT_WAIT


def kind(method: str, path: str) -> str:
    """Name a route without anybody's number or token in it."""
    return f"{method} {NAMED.sub('/…', path.partition('/api/v10')[2] or path)}"


def _bucket(method: str, path: str) -> str:
    """Name what has to wait together: the same route of the same channel or server."""
    found = WHOSE.search(path)
    return f"{kind(method, path)} {found[0] if found else ''}"
