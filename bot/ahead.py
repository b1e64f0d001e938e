"""Encodes ahead: what is said goes to the encoder as it comes, in batches over all channels, whoever needs it later."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from bot.core.errors import KinfolkError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.core.ports import Encoder, Vector

log = logging.getLogger(__name__)

BATCH = 128
"""Texts encoded together at most."""
AT_ONCE = 4
"""Batches under way: one that is encoded, and others that wait for it at the worker."""
HELD = 2048
"""Texts that wait at most; beyond, a message does without a vector until the index has caught up."""

Waiting = tuple[str, "asyncio.Future[Vector | None]"]


class Ahead:
    """Encodes texts as they are handed in. Nobody is ever kept waiting by `ask`."""

    def __init__(self, encoder: Callable[[], Awaitable[Encoder]]) -> None:
        self._encoder = encoder
        self._waiting: deque[Waiting] = deque()
        self._came = asyncio.Event()

    def ask(self, text: str) -> asyncio.Future[Vector | None]:
        """Hand in a text; the vector comes as soon as it can, or None when there is no encoder now."""
        answer: asyncio.Future[Vector | None] = asyncio.get_running_loop().create_future()
        if not text.strip() or len(self._waiting) >= HELD:
            answer.set_result(None)
        else:
            self._waiting.append((text, answer))
            self._came.set()
        return answer

    async def run(self) -> None:
        """Encode until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._encode_forever())

    async def _encode_forever(self) -> None:
        while True:
            while not self._waiting:
                self._came.clear()
                await self._came.wait()
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            await self._encode(batch)

    async def _encode(self, batch: list[Waiting]) -> None:
        try:
            encoder = await self._encoder()
            vectors = await encoder.encode([text for text, _ in batch])
        except KinfolkError as error:
            log.warning("%d messages go without a vector for now: %s", len(batch), error)
            _answer(batch, [None] * len(batch))
        else:
            _answer(batch, list(vectors))


def _answer(batch: list[Waiting], vectors: list[Vector] | list[None]) -> None:
    for (_, answer), vector in zip(batch, vectors, strict=True):
        if not answer.done():
            answer.set_result(vector)
