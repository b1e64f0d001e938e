"""Looking at a running program from outside: what is in its tables, and waiting until something is true."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path


def count(home: Path, table: str) -> int:
    """Count rows from outside; 0 while the table is not there yet."""
    try:
        with sqlite3.connect(f"file:{home}/kinfolk.db?mode=ro", uri=True) as connection:
            return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def until(condition: Callable[[], bool], patience: float = 60.0) -> None:
    """Look until something is true; the processes watched are not ours to wait for."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)
