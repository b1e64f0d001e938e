"""The topics of a forum, found again: an export tells of a message only which one it answers, and of a topic its first.

So a message's topic is that of the message it answers. What is known of them lies in a file of four bytes a message
that nobody else sees, so that the memory does not grow with a forum's age.
"""

from __future__ import annotations

import contextlib
import struct
import tempfile
from typing import IO, TYPE_CHECKING

from bot.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

NUMBER = struct.Struct("<I")
LARGEST = 2**31 - 1
"""The largest number of a message; what was said before a group became a supergroup has negative ones and no topic."""


class Topics:
    """Remembers which topic each message belongs to; `roots` are the messages that topics began with."""

    MOST = 100_000

    def __init__(self, roots: Container[int], file: IO[bytes]) -> None:
        self._roots = roots
        self._file = file

    @classmethod
    @contextlib.contextmanager
    def open(cls, roots: Container[int]) -> Iterator[Topics]:
        """Begin with nothing known but the roots."""
        with tempfile.TemporaryFile() as file:
            yield cls(roots, file)

    def place(self, message: int, answered: int) -> int:
        """Return the topic of a message by what it answers, and remember it; 0 for the general one.

        Raises Unavailable when the disk is full.
        """
        try:
            topic = answered if answered in self._roots else self._recall(answered)
            if topic and 0 < message <= LARGEST:
                self._file.seek(message * NUMBER.size)
                self._file.write(NUMBER.pack(topic))
        except OSError as error:
            why = f"{tempfile.gettempdir()} cannot be written to ({error.strerror}): TMPDIR names another folder."
            raise Unavailable(f"{why} The same command goes on from there.") from error
        return topic

    def _recall(self, message: int) -> int:
        if not 0 < message <= LARGEST:
            return 0
        self._file.seek(message * NUMBER.size)
        found = self._file.read(NUMBER.size)
        return NUMBER.unpack(found)[0] if len(found) == NUMBER.size else 0
