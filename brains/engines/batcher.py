"""Gathers the rows of many callers into batches of like length for one model thread.

While a batch runs the next one gathers, so that batches grow with load and a lone caller never waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from bot.core.errors import Gone, Overloaded
from brains.engines.encoder_engine import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

Row = TypeVar("Row")
Result = TypeVar("Result")

WINDOW = 512
"""Waiting rows that a batch is chosen from: enough for little padding, few enough to sort in .1 ms."""


@dataclass(slots=True, kw_only=True)
class Call(Generic[Result]):
    """One caller: its results fill in any order, and its future is done when the last one is in."""

    done: asyncio.Future[list[Result]]
    results: dict[int, Result] = field(default_factory=dict)
    size: int

    def fill(self, index: int, result: Result) -> None:
        """Keep one result."""
        self.results[index] = result
        if len(self.results) == self.size and not self.done.done():
            self.done.set_result([self.results[at] for at in range(self.size)])

    def fail(self, error: Exception) -> None:
        """Give the caller an error, unless it has its answer or has left."""
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[Row, Result]):
    """One waiting row: its length, whose it is, and which of the caller's rows it is."""

    row: Row
    length: int
    call: Call[Result]
    index: int


class Batcher(Generic[Row, Result]):
    """Runs `run` on batches of rows whose padded length stays within `budget`. Use it as an async context.

    A batch is the oldest row, or in turn the one of the smallest call, with rows of like length among the `WINDOW`
    oldest. More than `limit` rows waiting raise Overloaded. A batch that fails is run again for each of its callers
    alone, so that an error reaches only the caller whose row it is. A caller that is cancelled takes its waiting
    rows along.
    """

    def __init__(
        self,
        run: Callable[[list[Row]], Sequence[Result]],
        *,
        length: Callable[[Row], int],
        budget: int,
        limit: int = 8192,
    ) -> None:
        self._run, self._length, self._budget, self._limit = run, length, budget, limit
        self._waiting: deque[Entry[Row, Result]] = deque()
        self._running: list[Entry[Row, Result]] = []
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._task: asyncio.Task[None] | None = None
        self._turn = False

    @property
    def waiting(self) -> int:
        """Return how many rows wait."""
        return len(self._waiting)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._serve())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for entry in (*self._running, *self._waiting):
            entry.call.fail(Gone("The encoder is being stopped; ask again in a moment."))
        self._thread.shutdown(wait=False)

    async def submit(self, rows: Sequence[Row]) -> list[Result]:
        """Wait for the results of rows, in their order. Raises Overloaded, or what the model raised."""
        if not rows:
            return []
        self._admit(len(rows))
        call = Call[Result](done=asyncio.get_running_loop().create_future(), size=len(rows))
        for index, row in enumerate(rows):
            self._waiting.append(Entry(row=row, length=self._length(row), call=call, index=index))
        self._arrived.set()
        return await call.done

    def _admit(self, count: int) -> None:
        # A call that is larger than the queue would never be let in, so an empty queue takes any.
        if self._waiting and len(self._waiting) + count > self._limit:
            raise Overloaded(
                f"{len(self._waiting)} texts wait for the encoder already; send fewer, or try again later."
            )

    async def _serve(self) -> None:
        while True:
            await self._arrived.wait()
            if batch := self._next():
                self._running = batch
                await self._carry_out(batch)
            else:
                self._arrived.clear()

    def _next(self) -> list[Entry[Row, Result]]:
        waiting = [entry for entry in self._waiting if not entry.call.done.done()]
        batch = self._around(self._anchor(waiting), waiting) if waiting else []
        chosen = set(map(id, batch))
        self._waiting = deque(entry for entry in waiting if id(entry) not in chosen)
        return batch

    def _anchor(self, waiting: list[Entry[Row, Result]]) -> Entry[Row, Result]:
        # Every second batch is for the smallest call, so that a question does not stand behind an import.
        self._turn = not self._turn
        return min(waiting, key=lambda entry: entry.call.size) if self._turn else waiting[0]

    def _around(self, anchor: Entry[Row, Result], waiting: list[Entry[Row, Result]]) -> list[Entry[Row, Result]]:
        window = [anchor, *(entry for entry in waiting[:WINDOW] if entry is not anchor)]
        batches = plan([entry.length for entry in window], self._budget)
        return [window[index] for index in next(batch for batch in batches if 0 in batch)]

    async def _carry_out(self, batch: list[Entry[Row, Result]]) -> None:
        try:
            await self._fill(batch)
        except Exception as error:  # noqa: BLE001 - whatever the model raised belongs to a caller
            await self._isolate(batch, error)

    async def _fill(self, batch: list[Entry[Row, Result]]) -> None:
        rows = [entry.row for entry in batch]
        results = await asyncio.get_running_loop().run_in_executor(self._thread, self._run, rows)
        for entry, result in zip(batch, results, strict=True):
            entry.call.fill(entry.index, result)

    async def _isolate(self, batch: list[Entry[Row, Result]], error: Exception) -> None:
        calls = {id(entry.call): entry.call for entry in batch}
        if len(calls) == 1:
            batch[0].call.fail(error)
            return
        for call in calls.values():
            await self._carry_out([entry for entry in batch if entry.call is call])
