"""JSON of any size, read piece by piece: one value is held at a time, and what is not wanted is passed over.

Telegram Desktop writes control characters as `\\x1F`, which JSON does not know: they are read all the same.
"""

from __future__ import annotations

import io
import json
import re
from typing import IO, TYPE_CHECKING

from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 2**18
"""Characters read at once."""
LONGEST_VALUE = 16 * 2**20
"""Characters of one value: a message with all that belongs to it takes a few hundred."""
LONGEST_NUMBER = 20
"""Digits; a longer one names nothing and counts nothing, and turning it into a number would take its time."""
DEEPEST = 20
"""Objects within each other that are passed over without being held."""
LONGEST_TOKEN = 12
"""Characters: what a cut word or escape is complained of may begin that far from the end."""
BLANK = re.compile(r"[ \t\r\n]*")
CUT_NUMBER = re.compile(r"\.|[eE][-+]?|")
"""What stands behind the part of a number that is read, where the rest of it may be in the next piece."""
ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= LONGEST_NUMBER else None


DECODER = json.JSONDecoder(strict=False, parse_int=_whole, parse_constant=lambda _name: None)


class JsonStream:
    """Reads a JSON document from its beginning to its end; `name` is what complaints call it. Raises Mistake."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
        self._name = name
        self._held = ""
        self._at = 0
        self._line = 1
        self._counted = 0

    @property
    def line(self) -> int:
        """Return the number of the line that is read next."""
        self._line += self._held.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def kind(self) -> str:
        """Return the character that the next value begins with, and nothing at the end."""
        while True:
            blank = BLANK.match(self._held, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more(PIECE):
                return ""

    def value(self) -> object:
        """Read the next value."""
        self.kind()
        size = PIECE
        while True:
            try:
                value, end = DECODER.raw_decode(self._held, self._at)
            except RecursionError:
                raise self.broken("nested too deeply") from None
            except json.JSONDecodeError as error:
                if self._mended():
                    continue
                if not self._may_go_on(error):
                    raise self.broken(f"not JSON ({error.msg})") from None
                if not self._longer(size):
                    raise self.broken(f"it ends in the middle; is it cut off? ({error.msg})") from None
            else:
                # What is not held yet may belong to a number.
                is_cut = type(value) is not str and CUT_NUMBER.fullmatch(self._held, end)
                if not (is_cut and self._longer(size)):
                    self._at = end
                    return value
            size *= 2

    def entries(self) -> Iterator[str]:
        """Go through an object: each key, whose value is to be read or passed over before the next."""
        self._expect("{")
        if self._taken("}"):
            return
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise self.broken("a key of an object is no text")
            self._expect(":")
            yield key
            if self._taken("}"):
                return
            self._expect(",")

    def items(self) -> Iterator[int]:
        """Go through a list: the number of each item, which is to be read or passed over before the next."""
        self._expect("[")
        if self._taken("]"):
            return
        number = 0
        while True:
            number += 1
            yield number
            if self._taken("]"):
                return
            self._expect(",")

    def skip(self, depth: int = 0) -> None:
        """Pass over the next value without holding more of it than an item."""
        kind = self.kind()
        if kind == "{" and depth < DEEPEST:
            for _key in self.entries():
                self.skip(depth + 1)
        elif kind == "[" and depth < DEEPEST:
            for _number in self.items():
                self.value()
        else:
            self.value()

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.kind():
            raise self.broken("something follows after the end")

    def broken(self, reason: str) -> Mistake:
        """Say what is wrong, and where."""
        return Mistake(f"{self._name}, line {self.line}: {reason}. Nothing was imported.")

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Say whether what is wrong may only be that the rest is not read yet."""
        return error.msg.startswith("Unterminated") or error.pos >= len(self._held) - LONGEST_TOKEN

    def _more(self, size: int) -> bool:
        if piece := self._file.read(size):
            self._hold(self._held[self._at :] + piece)
        return bool(piece)

    def _longer(self, size: int) -> bool:
        """Read on in one value; False at the end."""
        if len(self._held) - self._at > LONGEST_VALUE:
            raise self.broken("a single value is longer than 16 MiB, or a quotation mark is missing")
        return self._more(size)

    def _mended(self) -> bool:
        """Put what is held into JSON's own escapes; False where it is already."""
        before = self._held[self._at :]
        after = ESCAPE.sub(lambda found: f"\\u00{found[1]}" if found[1] else found[0], before)
        self._hold(after)
        return after != before

    def _hold(self, rest: str) -> None:
        """Let go of what was read."""
        self._line, self._counted = self.line, 0
        self._held, self._at = rest, 0

    def _expect(self, mark: str) -> None:
        if not self._taken(mark):
            found = self.kind()
            raise self.broken(f"{mark!r} is missing" if found else "it ends in the middle; is it cut off?")

    def _taken(self, mark: str) -> bool:
        if self.kind() != mark:
            return False
        self._at += 1
        return True
