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

LONGEST = 5_000
"""Characters that are examined: of a longer message its first four fifths of these and its last fifth. A platform's
longest ordinary message has 4,000 or so; what is longest here decides how long the worst one holds everybody up."""
TAIL = LONGEST // 5
ROUNDS = 8
"""Times that a text is gone through until nothing changes: one disguise may hide another."""

_KINDS = {
    "odd": characters.ODD,
    "markup": r"[\pL\pN](?:\*|\|\||~~|__|`)\pL",
    "strange": lookalikes.STRANGE,
    "han": "[\u3400-\u9fff]",
    "spread": rf"(?:^|{spacing.GAP})\S{spacing.GAP}+\S{spacing.GAP}+\S{spacing.GAP}+\S(?:{spacing.GAP}|$)",
    "wrapped": r"[)\]}>'\"\x60|*~_][(\[{<'\"\x60|*~_]\pL[)\]}>'\"\x60|*~_]",
    "dotted": rf"{spacing.DOT}\pL{spacing.DOT}[\pL\pN]",
    "figures": r"[0-9@$€£+!¡¢][A-Za-z\p{Cyrillic}]|[A-Za-z\p{Cyrillic}][0-9@$€£]",
    "repeats": "|".join(one * 3 for one in string.ascii_letters + spelling.CYRILLIC),
}
"""What a text has somewhere before any one trick is looked into: all are looked for in one pass."""
_KANA = re.compile(r"[\u3040-\u30ff]")
_NO_MARKS = {point: None for point in range(128) if not chr(point).isalnum()}
_NAMES = tuple(_KINDS)


def _compiled() -> re2.Set:
    """Join the patterns into one automaton."""
    signs = re2.Set.SearchSet()
    for pattern in _KINDS.values():
        signs.Add(pattern)
    signs.Compile()
    return signs


_SIGNS = _compiled()


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
    plain = whole_characters(plain)
    tricks: set[str] = set()
    for _round in range(ROUNDS):
        after, found = _through(plain)
        tricks |= found
        if after == plain:
            break
        plain = after
    return Undisguised(text, plain, frozenset(tricks))


def whole_characters(text: str) -> str:
    """Return a text with `?` for every half of a character, which RE2 and files cannot take."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def skeleton(plain: str) -> str:
    """Return nothing but the letters and digits of a plain form, in lower case: what words are compared by."""
    if plain.isascii():
        return plain.lower().translate(_NO_MARKS)
    return "".join(filter(str.isalnum, plain.casefold()))


def _through(text: str) -> tuple[str, set[str]]:
    """Undo each trick once. What an earlier one brings to light waits for the next round."""
    tricks: set[str] = set()
    kinds = {_NAMES[at] for at in _SIGNS.Match(text) or ()}
    if not kinds:
        return _step(text, spacing.whole, "broken", tricks), tricks
    if "odd" in kinds:
        text, tricks = characters.seen(text)
    if "markup" in kinds:
        text = _step(text, spelling.without_marks, "markup", tricks)
    if "strange" in kinds:
        text = _step(text, lookalikes.recognised, "lookalikes", tricks)
    if "han" in kinds:
        text = _simplified(text)
        text = _step(text, spacing.han_together, "spread", tricks)
    if kinds & {"spread", "wrapped"}:
        text = _step(text, spacing.together, "spread", tricks)
    if "dotted" in kinds:
        text = _step(text, spacing.undotted, "spread", tricks)
    if "figures" in kinds:
        text = _step(text, spelling.without_figures, "figures", tricks)
    if "repeats" in kinds:
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
    return text if _KANA.search(text) else _converter().convert(text)


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
