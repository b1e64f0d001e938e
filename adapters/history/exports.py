"""What the exports of all platforms share: what one holds, what cannot be read of it, the bounds of its columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from adapters.history.jsonl import AHEAD, EARLIEST, LONGEST_TEXT, storable
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bot.core.events import ChannelChanged, MessagePosted, Named

MOST_NAMED = 20
"""Records that could not be read and are named; of a damaged export all of them would fill the memory."""
LONGEST_NAME = 100
"""Characters of a name that are kept, as of one that is heard."""
BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRecord:
    """A message that cannot be read: where it stands, and why."""

    place: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Tally:
    """How many messages an export holds, and how many of them cannot be read, the first of them by name.

    `elsewhere` counts those that another export holds, under the number that they are known by.
    """

    good: int = 0
    bad: int = 0
    elsewhere: int = 0
    named: list[BadRecord] = field(default_factory=list)

    def miss(self, place: str, reason: str) -> None:
        """Count a message that cannot be read."""
        self.bad += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(BadRecord(place=place, reason=reason))

    def check(self, path: Path, part: str = "") -> None:
        """Raise Mistake where nothing is there, or most of it cannot be read; `part` of a file is named beside it."""
        what = f"{path}, {part!r}," if part else f"{path}"
        if not self.good and not self.bad:
            raise Mistake(f"{what} holds no messages: nothing was imported.")
        if self.bad > self.good:
            first = self.named[0]
            raise Mistake(
                f"{what} does not look like an export: {self.bad:,} of {self.good + self.bad:,} messages cannot be "
                f"read, the first at {first.place}: {first.reason}. Nothing was imported."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A channel of an export, and of one that is not open to everyone who could read it when the export was made."""

    told: ChannelChanged
    readers: tuple[Named, ...] = ()


class Export(Protocol):
    """An export of one space that was read through once, without anything being stored."""

    @property
    def path(self) -> Path:
        """Return the file or folder that it was read from."""
        ...

    @property
    def space(self) -> Named:
        """Name the space."""
        ...

    @property
    def homes(self) -> tuple[Home, ...]:
        """Return its channels."""
        ...

    @property
    def tally(self) -> Tally:
        """Return how much there is to be read."""
        ...

    def messages(self) -> Iterator[MessagePosted]:
        """Read the messages again, those that can be read."""
        ...


def row(found: object) -> Mapping[str, object]:
    """Return a JSON object. Raises ValueError for anything else."""
    if not isinstance(found, dict):
        raise ValueError(f"it is no object, but {type(found).__name__}")
    return found


def rows(found: object) -> list[Mapping[str, object]]:
    """Return the objects of a list, and none of anything else."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def inner(told: Mapping[str, object], key: str) -> Mapping[str, object]:
    """Return the object that stands in another, and an empty one where there is none."""
    found = told.get(key)
    return found if isinstance(found, dict) else {}


def words(found: object) -> str:
    """Return a text as it can be stored, and nothing of anything else."""
    return storable(found).strip() if isinstance(found, str) else ""


def name(*found: object) -> str:
    """Return the first name that is one, on a line of its own and cut."""
    return next((BLANKS.sub(" ", told)[:LONGEST_NAME] for one in found if (told := words(one))), "")


def text(told: str) -> str:
    """Return a message's text as it can be stored. Raises ValueError for one that no platform has."""
    if len(told) > LONGEST_TEXT:
        raise ValueError(f"its text has {len(told):,} characters; at most {LONGEST_TEXT:,} are kept")
    return storable(told)


def instant(seconds: float) -> datetime:
    """Return a moment since 1970. Raises ValueError for one at which nothing was said."""
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        raise ValueError(f"its time is none: {str(seconds)[:40]}") from None
    return possible(at)


def possible(at: datetime) -> datetime:
    """Return a moment at which something may have been said. Raises ValueError for others."""
    if at < EARLIEST:
        raise ValueError(f"its time lies in the year {at.year}")
    if at > datetime.now(UTC) + AHEAD:
        raise ValueError(f"its time lies in the future: {at:%Y-%m-%d}")
    return at
