"""A database for tests of many thousand small steps: each is done where it is asked for, in no thread of its own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from storage.connection import Connection, drive
from storage.db import Database, Work
from tests.tables import lay, url

if TYPE_CHECKING:
    from sqlalchemy import Table

T = TypeVar("T")


class AtOnce(Database):
    """The program's own database without its threads: going to one and back costs more than a small statement.

    It holds up the loop, which the program never does.
    """

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """Give a connection that sees one consistent state."""
        with self.engine.connect() as inner:
            yield Connection(inner)

    async def look(self, work: Work[T]) -> T:
        """Run `work`, which only reads."""
        return self._look(work)

    async def write(self, work: Work[T], *, durable: bool = True, begins: Callable[[], None] | None = None) -> T:
        """Run `work` in a transaction; what it raises takes back all of it."""
        if begins:
            begins()
        with self.engine.execution_options(writes=True, durable=False).connect() as inner:
            connection = Connection(inner)
            with connection.transaction():
                return drive(work(connection))


@contextlib.asynccontextmanager
async def open_at_once(home: Path) -> AsyncIterator[AtOnce]:
    """Open a home's own database; a new one has no rows."""
    lay(home)
    async with AtOnce.open(url(home), home=home) as database:
        yield database


class Start:
    """The rows of a moment, to which a database can be brought back again and again."""

    def __init__(self, database: AtOnce, tables: list[Table]) -> None:
        self._database = database
        self._rows: dict[str, list[tuple[object, ...]]] = {}
        with database.engine.connect() as inner:
            cursor = inner.connection.cursor()
            for table in tables:
                cursor.execute(f'SELECT * FROM "{table.name}"')
                self._rows[table.name] = cursor.fetchall()

    async def again(self) -> None:
        """Put the rows of that moment in place of what is there."""

        def work(inner) -> None:
            cursor = inner.connection.cursor()
            cursor.execute("PRAGMA defer_foreign_keys=ON")
            for name, rows in self._rows.items():
                cursor.execute(f'DELETE FROM "{name}"')
                if rows:
                    places = ", ".join("?" * len(rows[0]))
                    cursor.executemany(f'INSERT INTO "{name}" VALUES ({places})', rows)

        await self._database.write(lambda connection: connection.run_sync(work))
