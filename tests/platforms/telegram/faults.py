"""What may go wrong with calls of the Bot API, and the log of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch

MINUTE = 60.0
COUNTED = ("send*", "edit*", "delete*", "setMessageReaction")
"""Calls that count in a group."""


@dataclass(slots=True, kw_only=True)
class Called:
    """One call: when it came, and how it was answered."""

    method: str
    args: dict
    at: float
    status: int = 0


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens to the next `times` calls of a method."""

    method: str
    times: int
    status: int = 0
    words: str = ""
    after: int = 0
    delay: float = 0.0
    torn: str = ""
    held: asyncio.Event | None = None


class Faults:
    """Everything that tests have go wrong, and every call that came; `clock` tells the seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.called: list[Called] = []
        self.most = 20
        """Calls that a group takes in a minute."""
        self.gaps: list[str] = []
        """What was called and is missing from this server."""
        self._clock = clock
        self._faults: list[Fault] = []
        self._counted: defaultdict[int, deque[float]] = defaultdict(deque)

    def limit(self, method: str = "*", *, after: int = 1, times: int = 1) -> None:
        """Answer 429 that says to wait for so many seconds."""
        self._faults.append(Fault(method=method, times=times, status=429, after=after))

    def fail(self, method: str, status: int, words: str = "Internal Server Error", *, times: int = 1) -> None:
        """Answer with an error, and do nothing."""
        self._faults.append(Fault(method=method, times=times, status=status, words=words))

    def slow(self, method: str, seconds: float, *, times: int = 1) -> None:
        """Do as asked, and answer late."""
        self._faults.append(Fault(method=method, times=times, delay=seconds))

    def hold(self, method: str, until: asyncio.Event, *, times: int = 1) -> None:
        """Do as asked, and answer once a test lets it."""
        self._faults.append(Fault(method=method, times=times, held=until))

    def tear(self, method: str, *, when: str, times: int = 1) -> None:
        """Tear the connection `before` or `after` doing as asked."""
        self._faults.append(Fault(method=method, times=times, torn=when))

    def calls(self, method: str = "*") -> list[Called]:
        """Return the calls of a method, oldest first."""
        return [one for one in self.called if fnmatch(one.method, method)]

    def note(self, method: str, args: dict) -> Called:
        """Write a call down."""
        self.called.append(Called(method=method, args=args, at=self._clock()))
        return self.called[-1]

    def next(self, method: str) -> Fault | None:
        """Return what is to go wrong with this call."""
        found = next((one for one in self._faults if fnmatch(method, one.method)), None)
        if found is not None:
            found.times -= 1
            if found.times <= 0:
                self._faults.remove(found)
        return found

    def too_many(self, method: str, chat: object) -> int:
        """Count a call in a group; return the seconds to wait where it is one too many, else 0."""
        if not isinstance(chat, int) or chat > 0 or not any(fnmatch(method, one) for one in COUNTED):
            return 0
        now, counted = self._clock(), self._counted[chat]
        while counted and counted[0] <= now - MINUTE:
            counted.popleft()
        if len(counted) >= self.most:
            return max(1, int(counted[0] + MINUTE - now) + 1)
        counted.append(now)
        return 0
