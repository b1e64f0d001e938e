"""Reads channel logs with reply links marked by hand, in the format of Kummerfeld et al. 2019 as JSON lines."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.errors import Mistake
from brains.knowledge.untangle_features import Said

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTEXT = 1000
"""Lines of a file that are context: links of theirs are not judged. Files as long as this have no context."""
_LINE = re.compile(
    r"(?:\S+ \d{4}-\d\d-\d\d )?\[(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d))?\]\s+"
    r"(?:<\s?(?P<who>[^>]+)>|\*\s+(?P<doer>\S+))\s*(?P<text>.*)",
    re.DOTALL,
)
DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One file: what was said, by which of its lines, and which lines (earlier, later) the links join."""

    name: str
    split: str
    size: int
    said: tuple[Said, ...]
    lines: tuple[int, ...]
    names: dict[int, str]
    links: frozenset[tuple[int, int]]
    start: int


def logs(path: Path, *splits: str) -> Iterator[Log]:
    """Yield the files of these splits. Raises Mistake for a row that lacks a column."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as rows:
        for number, row in enumerate(rows, 1):
            found = json.loads(row)
            for column in ("split", "file", "lines", "links"):
                if column not in found:
                    raise Mistake(f"{path}, line {number}: the column {column} is missing.")
            if found["split"] in splits or not splits:
                yield _log(found["file"], found["split"], found["lines"], found["links"])


def _log(name: str, split: str, lines: list[str], links: list[list[int]]) -> Log:
    authors: dict[str, int] = {}
    said, places, last, days = [], [], 0, 0
    for place, line in enumerate(lines):
        if (read := _LINE.match(line)) is None:
            continue
        who = (read["who"] or read["doer"]).strip()
        clock = int(read["hour"]) * 3600 + int(read["minute"]) * 60 + int(read["second"] or 0)
        days += clock < last - DAY // 2  # past midnight
        last = clock
        author = authors.setdefault(who, len(authors))
        said.append(Said(author=author, at=float(days * DAY + clock), text=read["text"]))
        places.append(place)
    return Log(
        name=name,
        split=split,
        size=len(lines),
        said=tuple(said),
        lines=tuple(places),
        names={number: who for who, number in authors.items()},
        links=frozenset((min(pair), max(pair)) for pair in map(tuple, links)),
        start=CONTEXT if len(lines) > CONTEXT else 0,
    )
