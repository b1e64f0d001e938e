"""The vectors of tokens, in a file of their own: rows are read as they are met, and none stays in memory.

A vocabulary of 250,000 pieces is four fifths of a small multilingual encoder, and a community meets a few thousand.
"""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy.typing as npt

Rows: TypeAlias = "npt.NDArray[np.float32]"

PRECISION = np.dtype("<f2")
"""Half of float32's size, at a thousandth of the error that int8 layers make."""


class Table:
    """A table that `write_table` wrote.

    It is read and not mapped: the system maps 16 pages for each that is touched, and nearly all of the file would count
    as the worker's memory. The system's cache holds what is read often.
    """

    def __init__(self, path: Path) -> None:
        header = np.load(path, mmap_mode="r")
        self._begin: int = header.offset
        self._width: int = header.shape[1]
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def look_up(self, ids: npt.NDArray[np.int64]) -> Rows:
        """Give each id its row: float32, the shape of `ids` and the table's width behind it."""
        met, places = np.unique(ids, return_inverse=True)
        rows = np.frombuffer(b"".join(map(self._row, met.tolist())), PRECISION).reshape(len(met), self._width)
        return rows.astype(np.float32)[places.reshape(ids.shape)]

    def _row(self, number: int) -> bytes:
        size = self._width * PRECISION.itemsize
        return os.pread(self._file, size, self._begin + number * size)


def write_table(path: Path, portions: Iterable[Rows], *, rows: int, width: int) -> None:
    """Write a table in portions of rows, so that it is never in memory twice."""
    header = {"descr": PRECISION.str, "fortran_order": False, "shape": (rows, width)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for portion in portions:
            file.write(portion.astype(PRECISION).tobytes())
