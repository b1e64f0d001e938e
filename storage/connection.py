"""A connection in coroutines: inside a transaction no call waits, between reads each call is a trip to a thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Executor

    import sqlalchemy
    from sqlalchemy import CursorResult, Dialect, Executable, Result, Row, ScalarResult

    Parameters = Mapping[str, object] | Sequence[Mapping[str, object]] | None

T = TypeVar("T")
AT_ONCE = 500
"""Rows in memory at once where many are looked through."""


class Connection:
    """A transaction's connection, in its thread: every call is done when it returns, so that `drive` can run the work.

    What somebody remembers of rows must be forgotten when a failure takes those back: `if_undone`.
    """

    def __init__(self, inner: sqlalchemy.Connection) -> None:
        self._inner = inner
        self._undone: list[Callable[[], None]] = []

    @property
    def dialect(self) -> Dialect:
        """The database's dialect."""
        return self._inner.dialect

    def if_undone(self, forget: Callable[[], None]) -> None:
        """Have `forget` called, before anything else is written, should what is written here be taken back."""
        self._undone.append(forget)

    @contextlib.contextmanager
    def _undoing(self) -> Iterator[None]:
        before = len(self._undone)
        try:
            yield
        except BaseException:
            while len(self._undone) > before:
                self._undone.pop()()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is written inside, or take all of it back."""
        with self._undoing(), self._inner.begin():
            yield

    async def execute(self, statement: Executable, parameters: Parameters = None) -> Result[*tuple[Any, ...]]:
        """Execute a statement and return its rows."""
        return self._inner.execute(statement, parameters)

    async def scalars(self, statement: Executable, parameters: Parameters = None) -> ScalarResult[Any]:
        """Execute a statement and return the first column of its rows."""
        return (await self.execute(statement, parameters)).scalars()

    async def scalar(self, statement: Executable, parameters: Parameters = None) -> Any:  # noqa: ANN401 - as SQLAlchemy's own
        """Execute a statement and return the first column of its first row, None without one."""
        return (await self.execute(statement, parameters)).scalar()

    async def pick(
        self, statement: Executable, shows: Callable[[Row[*tuple[object, ...]]], bool]
    ) -> list[Row[*tuple[object, ...]]]:
        """Return the rows that show something, looked at in the database's thread and never all in memory."""
        result = self._inner.execute(statement, execution_options={"yield_per": AT_ONCE})
        return [row for row in result if shows(row)]

    async def run_sync(self, work: Callable[[sqlalchemy.Connection], T]) -> T:
        """Run `work` with SQLAlchemy's own connection."""
        return work(self._inner)

    @contextlib.asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[None]:
        """Keep what is written inside, or take it back alone."""
        with self._undoing(), self._inner.begin_nested():
            yield


class Visiting(Connection):
    """A connection between whose calls other things may be waited for: each call is made in a thread of `threads`."""

    def __init__(self, engine: sqlalchemy.Engine, threads: Executor) -> None:
        self._engine = engine
        self._threads = threads
        self._opened: sqlalchemy.Connection | None = None
        self._turn = threading.Lock()

    @property
    def dialect(self) -> Dialect:
        """The database's dialect."""
        return self._engine.dialect

    async def execute(self, statement: Executable, parameters: Parameters = None) -> Result[*tuple[Any, ...]]:
        """Execute a statement and return its rows, all read already."""
        return await self.run_sync(lambda inner: _read(inner.execute(statement, parameters)))

    async def pick(
        self, statement: Executable, shows: Callable[[Row[*tuple[object, ...]]], bool]
    ) -> list[Row[*tuple[object, ...]]]:
        """Return the rows that show something, looked at in the database's thread and never all in memory."""
        return await self.run_sync(lambda inner: drive(Connection(inner).pick(statement, shows)))

    async def run_sync(self, work: Callable[[sqlalchemy.Connection], T]) -> T:
        """Run `work` in a thread with SQLAlchemy's own connection; who is cut off waits for its end all the same."""
        trip = asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)
        try:
            return await asyncio.shield(trip)
        except asyncio.CancelledError:
            await asyncio.wait({trip})
            raise

    def _run(self, work: Callable[[sqlalchemy.Connection], T]) -> T:
        with self._turn:  # whoever was cut off twice may come to close it while a statement still runs
            if self._opened is None:
                self._opened = self._engine.connect()
            return work(self._opened)

    async def close(self) -> None:
        """Give the connection back."""
        if self._opened is not None:
            await self.run_sync(lambda inner: inner.close())


def _read(result: CursorResult[*tuple[Any, ...]]) -> Result[*tuple[Any, ...]]:
    return result.freeze()() if result.returns_rows else result


def drive(work: Awaitable[T]) -> T:
    """Run a coroutine to its end, here and now. Raises RuntimeError if it waits for more than its connection."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    steps.close()
    raise RuntimeError("A transaction may wait for nothing but its connection.")
