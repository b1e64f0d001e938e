"""Pictures as the bot sees them: requests to the worker of its home, which is started by the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from bot.core.errors import Gone, Misconfigured, Mistake, Overloaded
from brains.engines import embeddings_api
from brains.engines.pictures import MOST_BYTES
from brains.engines.pictures.api import read_picture

if TYPE_CHECKING:
    from bot.core.companion import Companion
    from bot.core.ports import Picture

ATTEMPTS = 3
"""Tries to be heard; the first may find no worker there. A picture ends no worker, so that it is safe to repeat."""
REFUSED = {400, 413, 422}
LARGER = "That picture is larger than the {limit} bytes that I look at."


class WorkerPictures:
    """`Pictures` over HTTP."""

    def __init__(self, http: httpx.AsyncClient, *, companion: Companion | None = None) -> None:
        self._http, self._companion = http, companion

    async def look(self, data: bytes) -> Picture:
        """Look at a picture. Raises Mistake for what is none or too large, Overloaded, Gone, or Misconfigured."""
        if len(data) > MOST_BYTES:
            raise Mistake(LARGER, limit=MOST_BYTES)
        response = await self._ask(data)
        if response.is_success:
            return read_picture(_document(response))
        message, code = embeddings_api.error_message(response.content)
        if response.status_code in REFUSED:
            raise Mistake(message)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise Overloaded(message)
        if code == "misconfigured":
            raise Misconfigured(message)
        raise Gone(f"The worker could not look at a picture ({response.status_code}: {message}).")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _ask(self, data: bytes) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._http.post(
                    "pictures", content=data, headers={"content-type": "application/octet-stream"}
                )
            except httpx.HTTPError as error:
                if attempt == ATTEMPTS or not self._companion:
                    raise Gone(f"The worker cannot be reached to look at pictures ({type(error).__name__}).") from None
            await self._companion.ensure()
        raise AssertionError("unreachable")


def _document(response: httpx.Response) -> object:
    try:
        told: object = response.json()
    except ValueError:
        return None
    return told
