"""Whom a message names: `@name` anywhere, `name:` or `name,` in front, or the bare name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ADDRESS = re.compile(r"\s*@?([^\s:,：，@]{1,40})\s?[:,：，](?!//)")
"""What stands in front of a colon or comma at the beginning, as in `ana: yes` or `小明，好的`."""
_WORD = re.compile(r"[^\s:,;!?()<>\[\]{}\"'，。：；！？（）@*]+")
BARE = 4
"""Letters that a name needs to count where nothing says that it is one: shorter ones are words too often."""
FIRST = 3
"""Letters of a first name that stands for the whole one."""

Names = tuple[frozenset[int], frozenset[int]]
"""Whom a message is addressed to, and whom it mentions otherwise."""


class Roll:
    """The people of a channel by name; a name that two of them have names neither."""

    def __init__(self, names: Mapping[int, str]) -> None:
        full = {number: " ".join(name.split()).lower() for number, name in names.items()}
        called = {**_once({n: first(name) for n, name in full.items()}), **_once(full)}
        self._called = {name: number for name, number in called.items() if name}
        self._spelled = _once({n: name.strip() for n, name in names.items() if len(name.strip()) >= BARE})
        self._initials: dict[str, list[str]] = {}
        for name in sorted(self._called, key=len, reverse=True):
            self._initials.setdefault(name[0], []).append(name)

    def named(self, text: str) -> Names:
        """Return whom a text is addressed to, and whom it mentions in passing."""
        lowered = text.lower()
        addressed = {found for at in _signs(lowered) if (found := self._after(lowered, at)) is not None}
        front = _ADDRESS.match(lowered)
        if front and (whom := self._called.get(front[1])) is not None:
            addressed.add(whom)
        mentioned = {self._spelled[word] for word in _WORD.findall(text) if word in self._spelled}
        return frozenset(addressed), frozenset(mentioned - addressed)

    def _after(self, text: str, at: int) -> int | None:
        """Return whose name stands after a sign; markup around it is passed over."""
        while at < len(text) and text[at] in "*_|":
            at += 1
        for name in self._initials.get(text[at : at + 1], ()):
            end = at + len(name)
            if text.startswith(name, at) and not (_is_latin(name[-1]) and _is_latin(text[end : end + 1])):
                return self._called[name]
        return None


def seems_addressed(text: str) -> bool:
    """Return whether a text turns to somebody, whoever that may be."""
    front = _ADDRESS.match(text)
    return "@" in text[:2] or bool(front and " " not in front[1] and len(text) > front.end())


def first(name: str) -> str:
    """Return the first of several names where it can stand for all, else nothing."""
    head, _, rest = name.partition(" ")
    return head if rest and len(head) >= FIRST else ""


def _once(names: Mapping[int, str]) -> dict[str, int]:
    found: dict[str, list[int]] = {}
    for number, name in names.items():
        found.setdefault(name, []).append(number)
    return {name: numbers[0] for name, numbers in found.items() if len(numbers) == 1 and name}


def _signs(text: str) -> list[int]:
    """Return the places behind each `@` that begins a word."""
    found = re.finditer(r"(?<![\w.])@|(?<=[\u3040-\u9fff])@", text)
    return [one.end() for one in found]


def _is_latin(letter: str) -> bool:
    return letter.isascii() and (letter.isalnum() or letter == "_")
