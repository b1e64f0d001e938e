"""Reads channel logs with reply links marked by hand, in the format of Kummerfeld et al. 2019 as JSON lines."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from brains.knowledge.untangle_features import Said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

CONTEXT = 1000
"""Lines of a file that are context: links of theirs are not judged. Files as long as this have no context."""
_LINE = re.compile(
    r"(?:\S+ \d{4}-\d\d-\d\d )?\[(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d))?\]\s+"
    r"(?:<\s?(?P<who>[^>]+)>|\*\s+(?P<doer>\S+))\s*(?P<text>.*)",
    re.DOTALL,
)
DAY = 86_400
KEPT = (0.15, 0.7)
"""Share of a log's conversations that stay where it is thinned, from and to."""
SLOWEST = 10.0
"""How many times slower a thinned channel is at most, beside what its thinning makes of it."""


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


def joined(size: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """Return a label for each of `size` places: those that links join, in one step or many, have the same."""
    label = list(range(size))

    def root(at: int) -> int:
        while label[at] != at:
            label[at] = label[label[at]]
            at = label[at]
        return at

    for one, other in links:
        label[max(root(one), root(other))] = min(root(one), root(other))
    return [root(at) for at in range(size)]


def thinned(log: Log, random: np.random.Generator) -> Log:
    """Return a log as of a quieter channel: some of its conversations and people, and more time between the messages.

    Of what is judged, whole conversations stay or go, so that links stay true; of the context, the people's words.
    """
    share = float(random.uniform(*KEPT))
    slower = float(np.exp(random.uniform(0, np.log(SLOWEST)))) / share
    labels = dict(enumerate(joined(log.size, log.links)))
    stays = {label: bool(random.random() < share) for label in set(labels.values())}
    known = {author: bool(random.random() < share) for author in log.names}
    linked = {line for link in log.links for line in link}
    kept = [
        at
        for at, line in enumerate(log.lines)
        if (stays[labels[line]] if line >= log.start or line in linked else known[log.said[at].author])
    ]
    instants = _spread([one.at for one in log.said])
    return replace(
        log,
        said=tuple(replace(log.said[at], at=slower * instants[at]) for at in kept),
        lines=tuple(log.lines[at] for at in kept),
    )


def _spread(instants: Sequence[float]) -> list[float]:
    """Return instants of a whole minute's precision spread over their minutes, in order."""
    found: list[float] = []
    for minute, some in itertools.groupby(instants, key=lambda at: int(at // 60)):
        many = len(list(some))
        found += [60 * (minute + rank / many) for rank in range(many)]
    return found
