"""What may go wrong with requests, and the log of them: waits, refusals, failures, paces, torn connections."""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import dataclass, field
from fnmatch import fnmatch
from hashlib import sha256
from typing import Literal

Scope = Literal["user", "global", "shared"]
GENEROUS = (1_000, 1.0)
"""The pace of a route that no test paces: requests and seconds."""
TOO_MANY, UNAUTHORISED, FORBIDDEN = 429, 401, 403
MAJOR = re.compile(r"^/(?:channels|guilds|webhooks)/(\d+)")


@dataclass(slots=True, kw_only=True)
class Asked:
    """One request: when it came by the monotonic clock, how it was answered, whether it was told to wait before."""

    method: str
    path: str
    body: object
    at: float
    status: int = 0
    hasty: bool = False


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens to the next `times` requests of this method and path."""

    method: str
    path: str
    times: int
    status: int = 0
    code: int = 0
    message: str = ""
    after: float = 0.0
    scope: Scope = "user"
    delay: float = 0.0
    torn: Literal["", "before", "after"] = ""

    def fits(self, method: str, path: str) -> bool:
        """Say whether this request is meant."""
        return self.method in {method, "*"} and fnmatch(path, self.path)


@dataclass(slots=True, kw_only=True)
class RequestWatch:
    """How many requests of this method and path may be made in so many seconds, by their major parameter."""

    method: str
    path: str
    count: int
    seconds: float
    scope: Scope = "user"
    made: dict[str, deque[float]] = field(default_factory=dict)

    def fits(self, method: str, path: str) -> bool:
        """Say whether this request is meant."""
        return self.method in {method, "*"} and fnmatch(path, self.path)

    def take(self, whose: str, now: float) -> tuple[int, float]:
        """Count a request; return how many more may be made, -1 for none, and the seconds until more may be."""
        made = self.made.setdefault("" if self.scope == "global" else whose, deque())
        while made and made[0] <= now - self.seconds:
            made.popleft()
        if len(made) >= self.count:
            return -1, made[0] + self.seconds - now
        made.append(now)
        return self.count - len(made), made[0] + self.seconds - now


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time in which nobody may ask again."""

    fault: Fault
    until: float


class Faults:
    """Everything that tests have go wrong, and every request that came."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.headers = True
        """Whether answers carry X-RateLimit-* headers."""
        self.invalid = 0
        """Answers that count towards Discord's 10,000 in 10 minutes: 401, 403, and 429 that is not of shared scope."""
        self.gaps: list[str] = []
        """What was asked for and is missing from this server."""
        self._faults: list[Fault] = []
        self._paces: list[RequestWatch] = []
        self._windows: list[Window] = []

    # What tests have happen

    def limit(
        self, method: str = "*", path: str = "*", *, after: float = 1.0, times: int = 1, scope: Scope = "user"
    ) -> None:
        """Answer 429 that says to wait for so many seconds."""
        self._faults.append(Fault(method=method, path=path, times=times, status=TOO_MANY, after=after, scope=scope))

    def fail(
        self, method: str, path: str, status: int, *, code: int = 0, message: str = "It failed", times: int = 1
    ) -> None:
        """Answer with this status and code, and do nothing."""
        self._faults.append(Fault(method=method, path=path, times=times, status=status, code=code, message=message))

    def slow(self, method: str, path: str, seconds: float, *, times: int = 1) -> None:
        """Do as asked, and answer late."""
        self._faults.append(Fault(method=method, path=path, times=times, delay=seconds))

    def tear(self, method: str, path: str, *, when: Literal["before", "after"], times: int = 1) -> None:
        """Tear the connection before or after doing as asked."""
        self._faults.append(Fault(method=method, path=path, times=times, torn=when))

    def pace(self, method: str, path: str, count: int, seconds: float, *, scope: Scope = "user") -> None:
        """Let so many requests be made in so many seconds; more are answered 429."""
        self._paces.append(RequestWatch(method=method, path=path, count=count, seconds=seconds, scope=scope))

    def clear(self) -> None:
        """Let everything go well again; the log stays."""
        self._faults.clear()
        self._paces.clear()

    # What tests ask

    def requests(self, method: str = "*", path: str = "*", since: float = 0.0) -> list[Asked]:
        """Return the requests of this method and path, oldest first."""
        wanted = Fault(method=method, path=path, times=0)
        return [one for one in self.asked if wanted.fits(one.method, one.path) and one.at >= since]

    def hasty(self) -> list[Asked]:
        """Return the requests that came in a time in which they had been told to wait."""
        return [one for one in self.asked if one.hasty]

    # What the server asks

    def note(self, method: str, path: str, body: object) -> Asked:
        """Write a request down."""
        now = time.monotonic()
        self._windows = [one for one in self._windows if one.until > now]
        hasty = any(one.fault.fits(method, path) for one in self._windows)
        one = Asked(method=method, path=path, body=body, at=now, hasty=hasty)
        self.asked.append(one)
        return one

    def next(self, method: str, path: str) -> Fault | None:
        """Return what is to go wrong with this request, once."""
        found = next((one for one in self._faults if one.fits(method, path)), None)
        if found:
            found.times -= 1
            if found.times <= 0:
                self._faults.remove(found)
        return found

    def close_window(self, method: str, path: str, after: float, scope: Scope) -> None:
        """Remember that this route, or everything when the scope is global, was told to wait."""
        told = Fault(method=method, path=path, times=0) if scope != "global" else Fault(method="*", path="*", times=0)
        self._windows.append(Window(fault=told, until=time.monotonic() + after))

    def count(self, one: Asked, status: int, scope: Scope = "user") -> None:
        """Note how a request was answered."""
        one.status = status
        if status in {UNAUTHORISED, FORBIDDEN} or (status == TOO_MANY and scope != "shared"):
            self.invalid += 1

    def pacing(self, method: str, path: str) -> tuple[dict[str, str], Fault | None]:
        """Count a request against its pace; return the headers that tell of it, and the wait when it was too much."""
        major = MAJOR.match(path)
        whose = major.group(1) if major else ""
        fitting = [one for one in self._paces if one.fits(method, path)]
        for pace in fitting or [RequestWatch(method=method, path=path, count=GENEROUS[0], seconds=GENEROUS[1])]:
            left, after = pace.take(whose, time.monotonic())
            headers = self._headers(method, path, pace, max(left, 0), after)
            if left < 0:
                waits = Fault(
                    method=method, path=path, times=0, status=TOO_MANY, after=round(after, 3), scope=pace.scope
                )
                return headers, waits
        return headers, None

    def _headers(self, method: str, path: str, pace: RequestWatch, left: int, after: float) -> dict[str, str]:
        if not self.headers:
            return {}
        route = MAJOR.sub("", path)
        bucket = sha256(f"{method} {re.sub(r'[0-9]+', '', route)}".encode()).hexdigest()[:16]
        return {
            "X-RateLimit-Bucket": bucket,
            "X-RateLimit-Limit": str(pace.count),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": f"{time.time() + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
        }
