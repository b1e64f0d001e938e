"""Files of an export that is a ZIP archive or a folder, by their names: nothing of them is trusted, or written out.

An archive is refused for what no export has: names that lead out of it, links, secrets, far too many or far too large
files. How large they are is counted while they are read; what the archive says of that is not believed.
"""

from __future__ import annotations

import contextlib
import io
import stat
import struct
import zipfile
import zlib
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, TYPE_CHECKING, Protocol, cast

from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

MOST_ENTRIES = 300_000
"""A hundred channels over eight years; the list of them takes about half a kilobyte of memory each."""
LARGEST_LIST = 64 * 2**20
"""Bytes of the list at an archive's end."""
MOST_BYTES = 64 * 2**30
MOST_RATIO = 200
"""How many times its size an archive may grow to: messages of machines, all alike, come to a hundred times."""
FREE = 256 * 2**20
"""Bytes to which any archive may grow."""
TAIL = 65_535 + 22 + 76
"""Bytes at the end within which the list's own place and length stand, behind them a comment of any length."""
END, END_64, ENTRY = b"PK\x05\x06", b"PK\x06\x06", b"PK\x01\x02"
KNOWN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""All that the library raises for an archive that is not what it says."""


class Archive(Protocol):
    """Files by their names, with `/` between folders."""

    path: Path

    @property
    def names(self) -> Collection[str]:
        """Return the names of all files."""
        ...

    def open(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Open a file for reading. Raises Mistake, also while it is read."""
        ...


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a ZIP archive or a folder. Raises Mistake."""
    if path.is_dir():
        yield Folder(path)
        return
    with contextlib.ExitStack() as stack:
        try:
            _check_list(path)
            opened = stack.enter_context(zipfile.ZipFile(path))
        except OSError as error:
            raise Mistake(f"{path} cannot be read: {error.strerror or error}.") from None
        except DAMAGED as error:
            raise _refused(path, f"it is no ZIP archive, or a damaged one ({error})") from None
        yield Zipped(path, opened)


class Folder:
    """The files of a folder; links are passed over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = {
            one.relative_to(path).as_posix(): one
            for one in sorted(path.rglob("*.json"))
            if one.is_file() and path.resolve() / one.relative_to(path) == one.resolve()
        }

    @property
    def names(self) -> Collection[str]:
        """Return the names of all files in JSON."""
        return self._files.keys()

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file. Raises Mistake."""
        try:
            file = self._files[name].open("rb")
        except OSError as error:
            raise Mistake(f"{self._files[name]} cannot be read: {error.strerror or error}.") from None
        with file:
            yield file


class Zipped:
    """The files of a ZIP archive, counted while they are read. Raises Mistake for an archive that no export is."""

    def __init__(self, path: Path, opened: zipfile.ZipFile) -> None:
        self.path = path
        self._opened = opened
        self._left = min(MOST_BYTES, max(FREE, MOST_RATIO * path.stat().st_size))
        self._counted: set[str] = set()
        self._files: dict[str, zipfile.ZipInfo] = {}
        for info in opened.infolist():
            self._take(info)

    def _take(self, info: zipfile.ZipInfo) -> None:
        if reason := _unsafe(info):
            raise _refused(self.path, f"{info.orig_filename[:100]!r} {reason}")
        if info.is_dir():
            return
        if info.filename in self._files:
            raise _refused(self.path, f"{info.filename[:100]!r} is in it twice")
        self._files[info.filename] = info

    @property
    def names(self) -> Collection[str]:
        """Return the names of all files."""
        return self._files.keys()

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file. Raises Mistake, also while it is read."""
        try:
            file = self._opened.open(self._files[name])
        except (*DAMAGED, OSError) as error:
            raise self._broken(name, error) from None
        with file:
            yield cast("IO[bytes]", io.BufferedReader(_Unpacked(file, name, self)))
        self._counted.add(name)

    def read(self, file: IO[bytes], name: str, size: int) -> bytes:
        """Read on in a file, and count what it grows to."""
        try:
            found = file.read(size)
        except (*DAMAGED, OSError) as error:
            raise self._broken(name, error) from None
        if name not in self._counted:
            self._left -= len(found)
        if self._left < 0:
            raise _refused(
                self.path, f"it grows to more than {MOST_RATIO} times its size, or than {MOST_BYTES:,} bytes"
            )
        return found

    def _broken(self, name: str, error: Exception) -> Mistake:
        return _refused(self.path, f"{name[:100]!r} is damaged ({error})")


class _Unpacked(io.RawIOBase):
    """A file of an archive while it is read."""

    def __init__(self, file: IO[bytes], name: str, archive: Zipped) -> None:
        super().__init__()
        self._file = file
        self._name = name
        self._archive = archive

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        found = self._archive.read(self._file, self._name, len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _check_list(path: Path) -> None:
    """Refuse an archive whose list alone would fill the memory, before the library reads it."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - TAIL))
        tail = file.read()
        if (end := tail.rfind(END)) < 0:
            return
        length, *_rest = struct.unpack_from("<I", tail, end + 12)
        if (large := tail.rfind(END_64, 0, end)) >= 0:
            length, *_rest = struct.unpack_from("<Q", tail, large + 40)
            end = large
        if length <= LARGEST_LIST:
            file.seek(max(0, size - len(tail) + end - length))
            if file.read(length).count(ENTRY) <= MOST_ENTRIES:
                return
    raise _refused(path, f"it holds more than {MOST_ENTRIES:,} files; unpack it and import the folder instead")


def _unsafe(info: zipfile.ZipInfo) -> str:
    """Say what is wrong with an entry; nothing for one that an export may have."""
    name, windows = info.orig_filename, PureWindowsPath(info.orig_filename)
    if name.startswith(("/", "\\")) or windows.drive or "\0" in name or not name:
        return "is no name inside of an archive"
    if ".." in PurePosixPath(name).parts or ".." in windows.parts:
        return "leads out of the archive"
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "is a link or a device"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in KNOWN:
        return "is packed in a way that exports are not"
    return ""


def _refused(path: Path, reason: str) -> Mistake:
    return Mistake(f"{path}: {reason}. Nothing was imported.")
