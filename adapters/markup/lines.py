"""A text as a chat shows it: lines of runs, each line in its place in quotes, lists and code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Style(StrEnum):
    """How words stand out."""

    STRUCK = "struck"
    BOLD = "bold"
    ITALIC = "italic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Characters of one look. With a `target`, they are a link to it: an address, or a reference of ours."""

    text: str
    styles: frozenset[Style] = frozenset()
    code: bool = False
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, and where it stands.

    `gap` says that an empty line comes before it. Lines of one `quote`, or of one `fence` of code, have its number, and
    0 is none. `depth` counts the lists around it, and `mark` is what its item begins with (`-`, `2.`): its first line
    has it, later ones do not.
    """

    runs: tuple[Run, ...] = ()
    gap: bool = False
    quote: int = 0
    fence: int = 0
    language: str = ""
    depth: int = 0
    mark: str = ""
    heading: int = 0

    @property
    def text(self) -> str:
        """Return its characters."""
        return "".join(run.text for run in self.runs)


def cut(line: Line, offset: int) -> tuple[Line, Line]:
    """Cut a line after so many characters; outside of code, spaces at the cut go."""
    left, right = _cut(line.runs, offset)
    if not line.fence:
        left, right = _stripped(left, last=True), _stripped(right, last=False)
    return replace(line, runs=left), replace(line, runs=right, gap=False, mark="")


def _cut(runs: tuple[Run, ...], offset: int) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    left: list[Run] = []
    for number, run in enumerate(runs):
        if offset < len(run.text):
            left += [replace(run, text=run.text[:offset])] if offset else []
            return tuple(left), (replace(run, text=run.text[offset:]), *runs[number + 1 :])
        left.append(run)
        offset -= len(run.text)
    return tuple(left), ()


def _stripped(runs: tuple[Run, ...], *, last: bool) -> tuple[Run, ...]:
    """Take the spaces from the end of the last run, or from the beginning of the first."""
    rest = list(runs)
    while rest:
        place = -1 if last else 0
        run = rest.pop(place)
        text = run.text.rstrip() if last else run.text.lstrip()
        if text or run.target:
            rest.insert(len(rest) if last else 0, replace(run, text=text))
            break
    return tuple(rest)
