"""Fetches a file that came with a message: piece by piece, so many bytes and no more, from the platform's own hosts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from bot.core.errors import Gone, Mistake, Overloaded

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10, sock_read=10)
"""Seconds that a file may take; who sends it drop by drop shall hold nobody up."""
PIECE = 1 << 16
HOPS = 3
"""Redirects that are followed, each to a host that is trusted too."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
FINE, TOO_MANY, BROKEN = 200, 429, 500
DEFAULT_WAIT = 1.0
"""Seconds to wait where a 429 does not say."""

LARGER = "That file is larger than the {limit} bytes that I look at."
AWAY = "That file is not there any more, or not for me."
STRANGE = "That file does not lie where this platform keeps files, so that I do not fetch it."
CANNOT = "{platform} has no files that I could fetch."


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a platform keeps files: its `hosts`, by https, or the server at `address`; and what it wants to be told.

    No header goes anywhere else.
    """

    hosts: frozenset[str] = frozenset()
    address: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def trusts(self, url: URL) -> bool:
        """Say whether a file may be fetched from there; not from an address that cannot be made out."""
        try:
            return self._trusts(url)
        except ValueError:  # of yarl, which reads some parts of an address only when it is asked for them
            return False

    def _trusts(self, url: URL) -> bool:
        if url.user is not None or url.password is not None or not url.host:
            return False
        if self.address and url.scheme and url.origin() == URL(self.address).origin():
            return True
        return url.scheme == "https" and url.is_default_port() and url.host in self.hosts


async def fetch(source: Source, address: str, *, limit: int) -> bytes:
    """Return the bytes of a file, `limit` at most. Raises Mistake, Overloaded and Gone, none of which says where."""
    url = _read(address)
    async with aiohttp.ClientSession(
        timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar(), trust_env=True, auto_decompress=False
    ) as session:
        try:
            for _ in range(HOPS + 1):
                if not source.trusts(url):
                    raise Mistake(STRANGE)
                # Compressed on the way, a few bytes could become any number of them here.
                headers = {**source.headers, "Accept-Encoding": "identity"}
                async with session.get(url, headers=headers, allow_redirects=False) as answer:
                    if answer.status not in REDIRECTS:
                        return await _body(answer, limit)
                    url = url.join(_read(answer.headers.get("Location", "")))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Gone(f"The file cannot be fetched: {type(error).__name__}.") from None
    raise Mistake(STRANGE)


def _read(address: str) -> URL:
    try:
        return URL(address)
    except ValueError:
        raise Mistake(STRANGE) from None


async def _body(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    if answer.status == TOO_MANY:
        raise Overloaded("The platform asks me to wait.", after=_seconds(answer.headers.get("Retry-After")))
    if answer.status >= BROKEN:
        raise Gone(f"The platform is out of order (status {answer.status}).")
    if answer.status != FINE or answer.headers.get("Content-Encoding", "identity") != "identity":
        raise Mistake(AWAY)
    if (answer.content_length or 0) > limit:
        raise too_large(limit)
    found = bytearray()
    async for piece in answer.content.iter_chunked(PIECE):
        found += piece
        if len(found) > limit:
            raise too_large(limit)
    return bytes(found)


def too_large(limit: int) -> Mistake:
    """Return what to raise for a file that is larger than it may be."""
    return Mistake(LARGER, limit=limit)


def _seconds(told: str | None) -> float:
    try:
        return max(float(told or DEFAULT_WAIT), 0.0)
    except ValueError:
        return DEFAULT_WAIT
