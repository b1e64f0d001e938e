"""Writes that are made together: whatever comes until the turn shares one statement."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from storage.connection import Connection
    from storage.db import Database

T = TypeVar("T")
R = TypeVar("R")


class Coalescer(Generic[T, R]):
    """Writes items by `work`, which takes many at once and gives a result for each, in order.

    `alone` writes one that could not be written with others. With `linger`, a turn is taken so many seconds after its
    first item: for what nobody waits for.
    """

    def __init__(
        self,
        database: Database,
        work: Callable[[Connection, Sequence[T]], Awaitable[Sequence[R]]],
        *,
        alone: Callable[[Connection, T], Awaitable[R]] | None = None,
        durable: bool = True,
        linger: float = 0.0,
    ) -> None:
        self._database = database
        self._alone = alone
        self._durable = durable
        self._linger = linger
        self._work = work
        self._waiting: list[T] = []
        self._turn: asyncio.Task[Sequence[R]] | None = None

    async def write(self, item: T) -> R:
        """Write an item and return its result once it is committed; one that cannot be written fails alone."""
        place = len(self._waiting)
        self._waiting.append(item)
        if self._turn is None:
            self._turn = asyncio.create_task(self._write())
        turn = self._turn
        try:
            return (await asyncio.shield(turn))[place]
        except Unavailable:
            self._give_up(turn)
            raise
        except Exception:  # noqa: BLE001 - one that cannot be written must not take the others with it
            self._give_up(turn)
            return await self._database.write(functools.partial(self._work_alone, item=item), durable=self._durable)

    async def _write(self) -> Sequence[R]:
        if self._linger:
            await asyncio.sleep(self._linger)
        items: list[T] = []

        def take_turn() -> None:
            """Take all that waits; what comes from now on needs a turn of its own."""
            items[:], self._waiting, self._turn = self._waiting, [], None

        return await self._database.write(
            lambda connection: self._work(connection, items), durable=self._durable, begins=take_turn
        )

    async def _work_alone(self, connection: Connection, item: T) -> R:
        return await self._alone(connection, item) if self._alone else (await self._work(connection, [item]))[0]

    def _give_up(self, turn: asyncio.Task[Sequence[R]]) -> None:
        """Let go of a turn that never came, because the database was away."""
        if self._turn is turn:
            self._waiting, self._turn = [], None
