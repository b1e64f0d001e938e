"""The encoder as the bot sees it: requests to the worker of its home, or to any OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Gone
from brains.engines.text import clean, is_prefixed, prefix

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping, Sequence

    from bot.core.ports import Kind, Vector
    from brains.engines.line import Line

CHUNK = 128
"""Texts of one request."""

IN_FLIGHT = 4
"""Requests under way for one call: together as many texts as the worker's batcher chooses from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a server encodes with."""

    model: str
    fingerprint: str
    size: int


class WorkerEncoder:
    """`Encoder` over HTTP. Prefixes are added here, so that any server will do."""

    def __init__(self, line: Line, identity: Identity) -> None:
        self._line = line
        self._identity = identity

    @property
    def fingerprint(self) -> str:
        """Name the weights and the recipe."""
        return self._identity.fingerprint

    @property
    def size(self) -> int:
        """Return the number of dimensions."""
        return self._identity.size

    @property
    def model(self) -> str:
        """Return the model's name."""
        return self._identity.model

    async def encode(self, texts: Sequence[str], *, kind: Kind = "passage") -> Vector:
        """Encode texts: float32, shape (texts, size), rows of length 1, in order. Any `str` will do.

        Raises Overloaded when the server stays busy, Gone when it cannot be reached or started again, and
        Misconfigured when it refuses the key or does not know the model.
        """
        words = prefix(self.model, kind)
        whole = np.empty((len(texts), self.size), np.float32)
        room = asyncio.Semaphore(IN_FLIGHT)

        async def encode_some(start: int) -> None:
            async with room:
                part = [words + clean(text) for text in texts[start : start + CHUNK]]
                whole[start : start + CHUNK] = await self._some(part)

        await _together(encode_some(start) for start in range(0, len(texts), CHUNK))
        return whole

    async def health(self) -> Mapping[str, object]:
        """Say how the worker is: `status` (ready, preparing, failed), `step`, `engine`, `queue`. Raises Gone."""
        return await self._line.health()

    async def close(self) -> None:
        """Let go of the connections; the worker ends when nobody has asked for a while."""
        await self._line.close()

    async def _some(self, texts: list[str]) -> Vector:
        answer = await self._line.embed(texts, model=self.model)
        if answer.fingerprint not in {None, self.fingerprint}:
            raise Gone(f"The worker encodes with {answer.fingerprint} now, not {self.fingerprint}; start again.")
        if answer.vectors.shape != (len(texts), self.size):
            raise Gone(f"The server gave vectors of shape {answer.vectors.shape} for {len(texts)} x {self.size}.")
        return answer.vectors


async def identify(line: Line, model: str = "") -> Identity:
    """Ask a server what it encodes with: a worker of ours says so, another one is asked for a vector of `model`.

    Raises Gone or Misconfigured.
    """
    match await line.health():
        case {"fingerprint": str(fingerprint), "model": str(name), "size": int(size)}:
            return Identity(model=name, fingerprint=fingerprint, size=size)
    size = (await line.embed([prefix(model, "passage") + "size"], model=model)).vectors.shape[1]
    slug = re.sub(r"[^a-z0-9.-]+", "-", model.lower())
    return Identity(model=model, fingerprint=f"{slug}-{size}{'-e5' if is_prefixed(model) else ''}", size=size)


async def _together(parts: Iterable[Coroutine[None, None, None]]) -> None:
    # A group of errors would hide Overloaded and Gone from callers; the first one says enough.
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
