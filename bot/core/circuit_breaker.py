"""Holds all sending to a platform before its refusals add up to the number at which it blocks the bot."""

from __future__ import annotations

import logging
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.clock import Clock

log = logging.getLogger(__name__)


class CircuitBreaker:
    """Counts invalid requests; closes when `share` of the `most` that a platform bears in `seconds` is reached.

    It opens once half of those that closed it are out of the window, so that it does not close again at the next one.
    The defaults are Discord's: 10,000 in 10 minutes.
    """

    def __init__(
        self, *, platform: str, clock: Clock, most: int = 10_000, seconds: float = 600.0, share: float = 0.1
    ) -> None:
        self.total = 0
        self._platform = platform
        self._clock = clock
        self._length = timedelta(seconds=seconds)
        self._latest: deque[datetime] = deque(maxlen=max(1, int(most * share)))
        self._opens_at: datetime | None = None

    def note(self) -> None:
        """Count an invalid request: 401, 403, or a 429 that is not of shared scope."""
        now = self._clock.now()
        self.total += 1
        self._latest.append(now)
        if len(self._latest) == self._latest.maxlen and self._latest[0] + self._length > now:
            self._close(now)

    def free_after(self) -> float:
        """Return the seconds until something may be sent again; 0 while the brake is open."""
        if self._opens_at is None:
            return 0.0
        left = (self._opens_at - self._clock.now()).total_seconds()
        if left > 0:
            return left
        self._opens_at = None
        log.warning("%s is sent to again: few of the latest requests were refused", self._platform)
        return 0.0

    @property
    def holds(self) -> bool:
        """Say whether nothing may be sent now."""
        return self._opens_at is not None and self._opens_at > self._clock.now()

    def _close(self, now: datetime) -> None:
        told = self._opens_at is not None
        self._opens_at = self._latest[len(self._latest) // 2] + self._length
        if told:
            return
        log.error(
            "%s refused %d requests within %g s; nothing is sent there for %.0f s, before it blocks the bot. "
            "Look for what is refused: kinfolk doctor tells which rights are missing.",
            self._platform,
            len(self._latest),
            self._length.total_seconds(),
            (self._opens_at - now).total_seconds(),
        )
