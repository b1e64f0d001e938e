"""What changed on the playground, in order, so that a page that lost its connection catches up.

Only names of what changed are kept; whoever reads shows each thing as it is by then, so that a change that comes twice
is harmless.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEPT = 5_000
"""Changes a page may be behind; one further behind starts over."""

QUIET = 15.0
"""Seconds after which a silent stream says that it is alive."""


@dataclass(frozen=True, slots=True)
class Change:
    """A message or the space (its channels and members) is new or otherwise."""

    kind: Literal["message", "space"]
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Changes up to a position; `over` says that what is missing is forgotten and the page has to start over."""

    position: str
    changes: tuple[Change, ...] = ()
    over: bool = False


class Feed:
    """A short memory of changes, and everybody who waits for the next."""

    def __init__(self) -> None:
        self._epoch = token_hex(4)
        self._changes: deque[Change] = deque(maxlen=KEPT)
        self._count = 0
        self._woken = asyncio.Event()
        self._closed = False

    @property
    def position(self) -> str:
        """Return where the newest change is."""
        return f"{self._epoch}-{self._count}"

    def publish(self, change: Change) -> None:
        """Tell everybody who follows."""
        self._changes.append(change)
        self._count += 1
        self._wake()

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        self._wake()

    async def follow(self, after: str) -> AsyncIterator[Batch]:
        """Yield what changed after a position, and an empty batch now and then; ends when the feed is closed."""
        read = self._read_up_to(after)
        if read is None:
            yield Batch(position=self.position, over=True)
            return
        while not self._closed:
            woken = self._woken
            fresh = self._since(read)
            read = self._count
            yield Batch(position=self.position, changes=fresh)
            if read == self._count:
                await _wait(woken)

    def _read_up_to(self, position: str) -> int | None:
        epoch, _, number = position.rpartition("-")
        count = int(number) if number.isdecimal() else -1
        return count if epoch == self._epoch and self._count - len(self._changes) <= count <= self._count else None

    def _since(self, read: int) -> tuple[Change, ...]:
        fresh = list(self._changes)[len(self._changes) - (self._count - read) :] if read < self._count else []
        return tuple(dict.fromkeys(fresh))

    def _wake(self) -> None:
        self._woken.set()
        self._woken = asyncio.Event()


async def _wait(woken: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(QUIET):
            await woken.wait()
    except TimeoutError:
        return
