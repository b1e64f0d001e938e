"""Databases that have their tables: the migrations make them once for a process of tests, and each test has a copy."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from storage.db import Database, make_engine, migrate


def url(home: Path) -> str:
    """Return the URL of a home's own database."""
    return f"sqlite:///{home / 'kinfolk.db'}"


def lay(home: Path) -> None:
    """Put a database without rows into a home that has none."""
    if not (home / "kinfolk.db").exists():
        (home / "kinfolk.db").write_bytes(_empty())


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory(prefix="kinfolk-tables-") as folder:
        make(url(Path(folder)), Path(folder))
        return (Path(folder) / "kinfolk.db").read_bytes()


def make(where: str, home: Path) -> None:
    """Make the tables as the program does, and leave."""
    engine = make_engine(where)
    migrate(engine, home)
    engine.dispose()


@contextlib.asynccontextmanager
async def open_database(home: Path) -> AsyncIterator[Database]:
    """Open a home's own database; a new one has no rows."""
    await asyncio.to_thread(lay, home)
    async with Database.open(url(home), home=home) as database:
        yield database
