"""Undoes disguise: brings a message into the form in which its words are what their readers take them for."""

from __future__ import annotations

import functools
import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import re2

from brains.moderation import characters, lookalikes, spacing, spelling
from brains.moderation.unigrams import unigrams

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 10_000
"""Characters that are examined: of a longer message its first four fifths of these and its last fifth."""
TAIL = LONGEST // 5
ROUNDS = 8
"""Times that a text is gone through until nothing changes: one disguise may hide another."""

_MAYBE_ASCII = re2.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
    r"|\s\S\s+\S\s"
    r"|[.\-_*|~+/,][A-Za-z][.\-_*|~+/,][A-Za-z]"
    r"|[0-9@$][A-Za-z]|[A-Za-z][0-9@$]|[A-Za-z][!+][A-Za-z]"
    r"|[A-Za-z](?:\*|\|\||~~|__|`)[A-Za-z]|" + "|".join(one * 3 for one in string.ascii_letters)
)
"""What an ASCII text has somewhere if any trick but a broken word is played in it."""
_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_MARKS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Undisguised:
    """A message, its `plain` form, and the names of the tricks that were undone; the plain form is the text if none.

    Tricks: `turned`, `invisible`, `marks`, `styled`, `markup`, `lookalikes`, `spread`, `figures`, `repeats`, `broken`.
    """

    text: str
    plain: str
    tricks: frozenset[str]


def undisguise(text: str) -> Undisguised:
    """Return the plain form of a message, in spaces, sentence marks and case as it was; the same again for its result.

    Linear in the first `LONGEST` characters; nothing behind them is examined but the end.
    """
    plain = text if len(text) <= LONGEST else f"{text[: LONGEST - TAIL - 1]}\n{text[-TAIL:]}"
    plain = plain if plain.isascii() else plain.encode("utf-8", "replace").decode()  # half a character breaks RE2
    tricks: set[str] = set()
    for _round in range(ROUNDS):
        after, found = _through(plain)
        tricks |= found
        if after == plain:
            break
        plain = after
    return Undisguised(text, plain, frozenset(tricks))


def skeleton(plain: str) -> str:
    """Return nothing but the letters and digits of a plain form, in lower case: what words are compared by."""
    return _MARKS.sub("", plain.casefold())


def _through(text: str) -> tuple[str, set[str]]:
    """Undo each trick once."""
    tricks: set[str] = set()
    if not text.isascii():
        text, tricks = characters.seen(text)
    elif not _MAYBE_ASCII.search(text):
        return _step(text, spacing.whole, "broken", tricks), tricks
    elif text.isprintable() is False:
        text, tricks = characters.seen(text)
    if spelling.MARKS.search(text):
        text = _step(text, spelling.without_marks, "markup", tricks)
    if not text.isascii():
        recognised, mixed = lookalikes.recognised(text)
        tricks |= {"lookalikes"} if mixed else set()
        text = _simplified(recognised)
    text = _step(text, spacing.together, "spread", tricks)
    if spelling.HINT.search(text):
        text = _step(text, spelling.without_figures, "figures", tricks)
    if spelling.REPEATED.search(text):
        text = _step(text, spelling.without_repeats, "repeats", tricks)
    return _step(text, spacing.whole, "broken", tricks), tricks


def _step(text: str, undo: Callable[[str], str], name: str, tricks: set[str]) -> str:
    """Undo one trick, and note its name where it was played."""
    after = undo(text)
    if after != text:
        tricks.add(name)
    return after


def _simplified(text: str) -> str:
    """Write traditional Chinese in simplified characters; Japanese stays as it is. It is no trick."""
    if not _HAN.search(text) or _KANA.search(text):
        return text
    return _converter().convert(text)


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


@functools.cache
def _converter() -> _Converter:
    import opencc

    return opencc.OpenCC("t2s")


def ready() -> None:
    """Read what is needed, so that the first message does not wait for it (about .4 s; call it in a thread)."""
    unigrams()
    undisguise("漢字 пpимep")
