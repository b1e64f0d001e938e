"""SQLite statements in one trip to the connection's thread each, where aiosqlite's own cursor makes four.

A trip costs more than what SQLite does in it: opening a cursor, executing, fetching and closing go together here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor
from sqlalchemy.util import EMPTY_DICT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect

Rows = list[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Done:
    """What a cursor knows once its statement was executed."""

    description: object = None
    rowcount: int = -1
    lastrowid: int | None = None


class OneTripCursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that goes to the thread once a statement and holds nothing open there."""

    __slots__ = ()

    def __init__(self, adapt_connection: AsyncAdapt_aiosqlite_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection  # noqa: SLF001 - this completes SQLAlchemy's own class
        self._cursor = Done()  # type: ignore[assignment] # all that is asked of one
        self._rows = deque()
        self._soft_closed_memoized = EMPTY_DICT

    async def _execute_async(self, operation: str, parameters: object) -> None:
        await self._go(_execute, operation, parameters or ())

    async def _executemany_async(self, operation: str, seq_of_parameters: object) -> None:
        await self._go(_execute_many, operation, seq_of_parameters)

    async def _go(self, work: object, operation: str, parameters: object) -> None:
        async with self._adapt_connection._execute_mutex:  # noqa: SLF001
            connection = self._connection
            trip = connection._execute(work, connection._conn, operation, parameters)  # noqa: SLF001
            self._cursor, rows = await trip
        self._rows = deque(rows)

    async def _async_soft_close(self) -> None:
        """Do nothing: what was open is closed already."""

    def close(self) -> None:
        """Let go of the rows."""
        self._rows.clear()


class OneTripConnection(AsyncAdapt_aiosqlite_connection):
    """aiosqlite's connection with such cursors."""

    __slots__ = ()
    _cursor_cls = OneTripCursor  # type: ignore[assignment]


def connect(
    dialect: Dialect, _record: object, arguments: Sequence[object], options: dict[str, object]
) -> DBAPIConnection:
    """Open a connection, in place of what the dialect itself would open."""
    dbapi = dialect.loaded_dbapi
    return OneTripConnection(dbapi, dbapi.connect(*arguments, **options)._connection)  # type: ignore[return-value] # noqa: SLF001


def _execute(connection: sqlite3.Connection, operation: str, parameters: Sequence[object]) -> tuple[Done, Rows]:
    return _finish(connection.execute(operation, parameters))


def _execute_many(
    connection: sqlite3.Connection, operation: str, parameters: Sequence[Sequence[object]]
) -> tuple[Done, Rows]:
    return _finish(connection.executemany(operation, parameters))


def _finish(cursor: sqlite3.Cursor) -> tuple[Done, Rows]:
    rows = cursor.fetchall() if cursor.description else []
    done = Done(cursor.description, cursor.rowcount, cursor.lastrowid)
    cursor.close()
    return done, rows
