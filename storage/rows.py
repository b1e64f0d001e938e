"""The two bulk statements that every repository shares, for both databases."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Column, Table, insert
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Executable, Row
    from sqlmodel import SQLModel

    from storage.connection import Connection

T = TypeVar("T")
MOST_PARAMETERS = 900
"""Below SQLite's oldest limit (999) for values in one statement."""


def table(model: type[SQLModel]) -> Table:
    """Return the table of a model."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


def columns(model: type[SQLModel], *names: str) -> list[Column[object]]:
    """Return columns of a model by name, for selecting more of them than SQLModel's own `select` has types for."""
    return [table(model).c[name] for name in names]


async def insert_rows(
    connection: Connection, model: type[SQLModel], rows: Sequence[Mapping[str, object]], *returning: str
) -> Sequence[Row[*tuple[object, ...]]]:
    """Insert rows and return the columns named, in the order of the rows."""
    target = table(model)
    statement = insert(target).returning(*columns(model, *returning), sort_by_parameter_order=True)
    return (await connection.execute(statement, [dict(row) for row in rows])).all()


async def insert_new(
    connection: Connection, model: type[SQLModel], rows: Sequence[Mapping[str, object]], *returning: str
) -> Sequence[Row[*tuple[object, ...]]]:
    """Insert the rows that break no unique key and return the columns named of those, in any order."""
    if not rows:
        return []
    statement = _insert_new(model, connection.dialect.name, returning)
    result = await connection.execute(statement, [dict(row) for row in rows])
    return result.all() if returning else []


@functools.cache
def _insert_new(model: type[SQLModel], dialect: str, returning: tuple[str, ...]) -> Executable:
    """Build a statement once: that costs more than executing it."""
    insert_into = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert_into(table(model)).on_conflict_do_nothing()
    return statement.returning(*columns(model, *returning)) if returning else statement


def portions(items: Sequence[T], size: int = MOST_PARAMETERS) -> Iterator[Sequence[T]]:
    """Cut a sequence into pieces that fit into one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
