"""The generator as the bot sees it: streamed requests to the worker of its home, or to any OpenAI-compatible server."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from bot.core.errors import Gone, Misconfigured, Overloaded
from brains.engines import chat_api, embeddings_api
from brains.engines.generators import languages_of
from brains.engines.line import UNAUTHORISED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from bot.core.companion import Companion
    from bot.core.ports import Turn

ATTEMPTS = 3
"""Tries to be heard at all; what has begun is never asked for again, since its pieces were used."""


class Talker:
    """`Generator` over HTTP. With a companion, the worker is started by the first conversation that finds none."""

    def __init__(self, http: httpx.AsyncClient, name: str, *, companion: Companion | None = None) -> None:
        self._http, self._companion = http, companion
        self.name = name
        self.languages = languages_of(name)

    async def generate(
        self,
        turns: Sequence[Turn],
        *,
        most: int = 200,
        schema: Mapping[str, object] | None = None,
        temperature: float = 0.0,
    ) -> AsyncGenerator[str, None]:
        """Give the next turn in pieces as they come, `most` tokens at most; with a JSON schema, a document of it.

        `aclose()` ends the writing. Raises Overloaded, Gone, or Misconfigured.
        """
        body = chat_api.write_prompt(turns, model=self.name, most=most, schema=schema, temperature=temperature)
        async with contextlib.AsyncExitStack() as stack:
            response = await self._ask(body, stack)
            pieces = await stack.enter_async_context(contextlib.aclosing(self._pieces(response)))
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _ask(self, body: bytes, stack: contextlib.AsyncExitStack) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = await stack.enter_async_context(self._http.stream("POST", "chat/completions", content=body))
                if not response.is_success:
                    await response.aread()
            except httpx.HTTPError as error:
                if attempt == ATTEMPTS or not self._companion:
                    raise self._gone(error) from None
                await self._companion.ensure()
            else:
                return self._granted(response)
        raise AssertionError("unreachable")

    async def _pieces(self, response: httpx.Response) -> AsyncGenerator[str, None]:
        ended = False
        try:
            async for line in response.aiter_lines():
                if not line.startswith("data:") or line[5:].strip() == "[DONE]":
                    ended = ended or line.startswith("data:")
                    continue
                piece, last = self._read(line[5:])
                ended = ended or last
                if piece:
                    yield piece
        except httpx.HTTPError as error:
            raise self._gone(error) from None
        if not ended:
            raise Gone(f"{self._who} broke off in the middle of an answer; ask again.")

    def _read(self, data: str) -> tuple[str, bool]:
        """Read one event: its piece of text, and whether it says that the answer is whole."""
        try:
            document = orjson.loads(data)
            if "error" in document:
                raise Gone(f"{self._who} failed in the middle of an answer ({document['error'].get('message')}).")
            return _piece(document)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise Gone(f"{self._who} answered with something else ({type(error).__name__}).") from None

    def _granted(self, response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        message, code = embeddings_api.error_message(response.content)
        status = f"{response.status_code}: {message}"
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise Overloaded(f"The generator is busy ({message}); do without it, or ask again later.")
        if response.status_code in UNAUTHORISED:
            raise Misconfigured(
                f"KINFOLK_GENERATOR_KEY: {response.url} refuses it ({status}). Set the server's API key."
            )
        if response.status_code == httpx.codes.NOT_FOUND:
            raise Misconfigured(f"KINFOLK_GENERATOR: {response.url} does not know the address or the model ({status}).")
        if code == "misconfigured":
            raise Misconfigured(message)
        raise Gone(f"{self._who} refused or failed ({status}).")

    def _gone(self, error: httpx.HTTPError) -> Gone:
        what = f"{type(error).__name__} {error}".strip()
        seen = f"its log is {self._companion.log}" if self._companion else "see KINFOLK_GENERATOR"
        return Gone(f"{self._who} cannot be reached, or died ({what}); {seen}.")

    @property
    def _who(self) -> str:
        return "The generator's worker" if self._companion else f"The generator's server {self._http.base_url}"


def _piece(document: Mapping[str, Any]) -> tuple[str, bool]:
    # A server may send events that carry no choice, such as the count of tokens.
    if not document.get("choices"):
        return "", False
    choice = document["choices"][0]
    return choice["delta"].get("content") or "", choice.get("finish_reason") is not None
