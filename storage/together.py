"""Writes that are made together: whatever comes until the writer's turn shares one statement and one commit."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.core.errors import KinfolkError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.db import Database

T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """Writes items by `work`, which takes many at once and gives a result for each, in order."""

    def __init__(
        self, database: Database, work: Callable[[AsyncConnection, Sequence[T]], Awaitable[Sequence[R]]]
    ) -> None:
        self._database = database
        self._work = work
        self._waiting: list[T] = []
        self._turn: asyncio.Task[Sequence[R]] | None = None

    async def write(self, item: T) -> R:
        """Write an item and return its result once it is committed; one that cannot be written fails alone."""
        place = len(self._waiting)
        self._waiting.append(item)
        if self._turn is None:
            self._turn = asyncio.create_task(self._database.write(self._take_turn))
        turn = self._turn
        try:
            return (await asyncio.shield(turn))[place]
        except KinfolkError:
            self._give_up(turn)
            raise
        except Exception:  # noqa: BLE001 - one that cannot be written must not take the others with it
            self._give_up(turn)
            return (await self._database.write(functools.partial(self._work_alone, item=item)))[0]

    async def _take_turn(self, connection: AsyncConnection) -> Sequence[R]:
        """Write all that waits; what comes from now on needs a turn of its own."""
        items, self._waiting, self._turn = self._waiting, [], None
        return await self._work(connection, items)

    async def _work_alone(self, connection: AsyncConnection, item: T) -> Sequence[R]:
        return await self._work(connection, [item])

    def _give_up(self, turn: asyncio.Task[Sequence[R]]) -> None:
        """Let go of a turn that never came, because the database was away."""
        if self._turn is turn:
            self._waiting, self._turn = [], None
