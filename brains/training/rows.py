"""Reading files of data: JSON lines, gzip allowed. What is wrong is a Mistake naming file, line and column."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Value = str | int | float | bool | list[object] | dict[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a file, which knows where it stands."""

    path: Path
    line: int
    values: dict[str, Value]

    def text(self, column: str, *, default: str | None = None) -> str:
        """Return a column of text, a number as written. Raises Mistake without it, unless there is a default."""
        value = self.values.get(column)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.wrong(column, "text")
        return str(value)

    def moment(self, column: str) -> float:
        """Return a column of time as seconds since the epoch: seconds, or ISO 8601, in UTC where no zone is given."""
        value = self.values.get(column)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        try:
            return moment(str(value))
        except ValueError as trouble:
            raise self.wrong(column, "a time in seconds or ISO 8601") from trouble

    def wrong(self, column: str, wanted: str) -> Mistake:
        """Name what a column should have held."""
        found = "is missing" if column not in self.values else f"holds {self.values[column]!r:.60}"
        return Mistake(f"{self.path}, line {self.line}: the column `{column}` {found}; it needs {wanted}.")


def moment(text: str) -> float:
    """Read seconds since the epoch or ISO 8601, in UTC where no zone is given. Raises ValueError."""
    try:
        return float(text)
    except ValueError:
        when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def rows(path: Path) -> Iterator[Row]:
    """Read the rows of a file, skipping empty lines. Raises Mistake."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            yield from (_row(path, at, line) for at, line in enumerate(lines, 1) if line.strip())
    except FileNotFoundError as trouble:
        raise Mistake(f"{path}: there is no such file.") from trouble
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as trouble:
        raise Mistake(f"{path} cannot be read: {trouble}") from trouble


def beside(folder: Path, name: str) -> Path | None:
    """Find `name` or `name.gz` in a folder."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.exists()), None)


def needed(folder: Path, name: str) -> Path:
    """Find `name` or `name.gz` in a folder. Raises Mistake when neither is there."""
    if (path := beside(folder, name)) is None:
        raise Mistake(f"{folder}: there is neither {name} nor {name}.gz.")
    return path


def _row(path: Path, line: int, text: str) -> Row:
    try:
        values = json.loads(text)
    except ValueError as trouble:
        raise Mistake(f"{path}, line {line}: this is not JSON ({trouble}).") from trouble
    if not isinstance(values, dict):
        raise Mistake(f"{path}, line {line}: a row is an object, such as {{...}}.")
    return Row(path=path, line=line, values=values)
