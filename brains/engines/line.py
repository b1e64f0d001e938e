"""The line to an embeddings server: requests with retries, and HTTP's refusals as our errors."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import numpy as np
import orjson

from bot.core.errors import Gone, Misconfigured, Overloaded
from brains.engines import embeddings_api

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.companion import Companion
    from bot.core.ports import Vector
    from brains.engines.encoders import Remote

TIMEOUT = httpx.Timeout(600, connect=10, pool=None)
"""A request may stand behind the export of a first start; a worker that dies closes the line at once."""

ATTEMPTS = 4
"""Encoding changes nothing, so a request that a dying worker swallowed is made again; the first may find none there."""

PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between the tries of a request that a busy server refused."""

UNAUTHORISED = {401, 403}
TOO_LARGE = {400, 413, 422}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Vectors of length 1, shape (texts, size), and the fingerprint where the server is a worker of ours."""

    vectors: Vector
    fingerprint: str | None


class Line:
    """Requests to one server. With a companion, a worker that died is started again."""

    def __init__(
        self, http: httpx.AsyncClient, *, companion: Companion | None = None, pauses: Sequence[float] = PAUSES
    ) -> None:
        self._http = http
        self._companion = companion
        self._pauses = pauses
        self._encoding: embeddings_api.Encoding = "base64"

    async def embed(self, texts: Sequence[str], *, model: str) -> Answer:
        """Encode texts in one request, or in smaller ones where the server wants that.

        Raises Overloaded, Gone or Misconfigured.
        """
        body = {"input": texts, "model": model, "encoding_format": self._encoding}
        response = await self._patiently("POST", "embeddings", orjson.dumps(body))
        if response.is_success:
            return _read(response)
        if response.status_code in TOO_LARGE:
            return await self._embed_otherwise(texts, model, response)
        raise _refusal(response)

    async def health(self) -> Mapping[str, object]:
        """Return what `/health` says; nothing where the server has none. Raises Gone."""
        response = await self._patiently("GET", "../health")
        try:
            found = response.json()
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _embed_otherwise(self, texts: Sequence[str], model: str, response: httpx.Response) -> Answer:
        if self._encoding == "base64" and len(texts) == 1:
            # Some servers know float alone.
            self._encoding = "float"
            return await self.embed(texts, model=model)
        if len(texts) == 1:
            raise _refusal(response)
        half = len(texts) // 2
        parts = [await self.embed(part, model=model) for part in (texts[:half], texts[half:])]
        vectors = np.concatenate([part.vectors for part in parts])
        return Answer(vectors=vectors, fingerprint=parts[0].fingerprint)

    async def _patiently(self, method: str, path: str, body: bytes | None = None) -> httpx.Response:
        for pause in (*self._pauses, None):
            response = await self._again(method, path, body)
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return response
            if pause is not None:
                await asyncio.sleep(pause)
        message, _ = embeddings_api.error_message(response.content)
        raise Overloaded(f"The encoder is busy ({message}); what was asked can be asked again later.")

    async def _again(self, method: str, path: str, body: bytes | None) -> httpx.Response:
        for attempt in itertools.count(1):
            try:
                return await self._http.request(method, path, content=body)
            except httpx.HTTPError as error:
                if attempt == ATTEMPTS:
                    raise self._gone(error) from None
            await self._revive()
        raise AssertionError("unreachable")

    async def _revive(self) -> None:
        if self._companion:
            await self._companion.ensure()
        else:
            await asyncio.sleep(self._pauses[0])

    def _gone(self, error: httpx.HTTPError) -> Gone:
        what = f"{type(error).__name__} {error}".strip()
        if self._companion:
            return Gone(f"The encoder's worker cannot be reached ({what}); its log is {self._companion.log}.")
        return Gone(f"The embeddings server {self._http.base_url} cannot be reached ({what}). See KINFOLK_ENCODER.")


def to_worker(companion: Companion) -> Line:
    """Open the line to the worker of a home, which is started when it is first needed."""
    return Line(http_to_worker(companion), companion=companion)


def to_server(remote: Remote, key: str) -> Line:
    """Open the line to a server that runs already."""
    return Line(http_to_server(remote, key))


def http_to_worker(companion: Companion) -> httpx.AsyncClient:
    """Speak HTTP over a worker's socket."""
    transport = httpx.AsyncHTTPTransport(uds=str(companion.socket), limits=_limits())
    return httpx.AsyncClient(transport=transport, base_url="http://worker/v1", timeout=TIMEOUT, headers=JSON)


def http_to_server(remote: Remote, key: str) -> httpx.AsyncClient:
    """Speak HTTP to a server, with its key."""
    headers = JSON | ({"authorization": f"Bearer {key}"} if key else {})
    return httpx.AsyncClient(base_url=remote.url, timeout=TIMEOUT, headers=headers, limits=_limits())


JSON = {"content-type": "application/json"}


def _limits() -> httpx.Limits:
    return httpx.Limits(max_connections=64, max_keepalive_connections=16)


def _read(response: httpx.Response) -> Answer:
    try:
        data = sorted(orjson.loads(response.content)["data"], key=lambda each: each["index"])
        vectors = np.stack([embeddings_api.unpack(each["embedding"]) for each in data])
    except (ValueError, KeyError, TypeError) as error:
        raise Gone(f"The embeddings server {response.url} answered with something else ({error!r}).") from None
    return Answer(vectors=_unit(vectors), fingerprint=response.headers.get(embeddings_api.FINGERPRINT))


def _unit(vectors: Vector) -> Vector:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vector = (vectors / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
    return unit


def _refusal(response: httpx.Response) -> Exception:
    message, code = embeddings_api.error_message(response.content)
    status = f"{response.status_code}: {message}"
    if response.status_code in UNAUTHORISED:
        return Misconfigured(f"KINFOLK_ENCODER_KEY: {response.url} refuses it ({status}). Set the server's API key.")
    if response.status_code == httpx.codes.NOT_FOUND:
        return Misconfigured(f"KINFOLK_ENCODER: {response.url} does not know the address or the model ({status}).")
    if code == "misconfigured":
        return Misconfigured(message)
    return Gone(f"The embeddings server {response.url} failed ({status}).")
