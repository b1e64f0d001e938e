"""One outbound budget for each chat, shared by all senders: moderation first, then replies, then digests."""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict, deque
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.clock import Clock
    from bot.core.ports import Limits

GLANCE = 0.02
"""Seconds after which somebody who waits behind others looks again."""
SPARE = 0.5
"""Share of a limit that unimportant sends may use up."""


class Urgency(IntEnum):
    """Who goes first."""

    MODERATION = 0
    REPLY = 1
    DIGEST = 2


class Window:
    """At most `count` sends within any `seconds`."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count = count
        self.length = timedelta(seconds=seconds)
        self._sent: deque[datetime] = deque()

    def free_at(self, now: datetime) -> datetime:
        """Return when the next send is allowed."""
        self._pass(now)
        return now if len(self._sent) < self.count else self._sent[-self.count] + self.length

    def has_spare(self, now: datetime) -> bool:
        """Say whether less than half is used, so that nobody would miss one send."""
        self._pass(now)
        return len(self._sent) < self.count * SPARE

    def note(self, now: datetime) -> None:
        """Count a send."""
        self._sent.append(now)

    def _pass(self, now: datetime) -> None:
        while self._sent and self._sent[0] + self.length <= now:
            self._sent.popleft()


class Budget:
    """What may be sent on one platform."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._clock = clock
        self._chats: dict[str, list[Window]] = defaultdict(lambda: [Window(*limit) for limit in limits.chat])
        self._overall = Window(*limits.overall)
        self._waiting: dict[str, list[tuple[Urgency, int]]] = defaultdict(list)
        self._paused: dict[str, datetime] = {}
        self._numbers = itertools.count()

    async def take(self, chat: str, urgency: Urgency) -> None:
        """Wait for a turn in a chat and take it; the more urgent goes first, then who came first."""
        queue, ticket = self._waiting[chat], (urgency, next(self._numbers))
        heapq.heappush(queue, ticket)
        try:
            while (wait := self._wait(chat)) > 0 or queue[0] != ticket:
                await self._clock.sleep(max(wait, GLANCE))
            self._note(chat)
        finally:
            queue.remove(ticket)
            heapq.heapify(queue)
            if not queue:
                del self._waiting[chat]

    def take_spare(self, chat: str) -> bool:
        """Take a turn for what may as well not be sent; False when somebody waits or the limit is near."""
        now = self._clock.now()
        if self._waiting.get(chat) or self._wait(chat) > 0:
            return False
        if not all(window.has_spare(now) for window in (*self._chats[chat], self._overall)):
            return False
        self._note(chat)
        return True

    def pause(self, chat: str, seconds: float) -> None:
        """Send nothing in a chat for a while, since the platform said so; of two such words the longer one holds."""
        now = self._clock.now()
        self._paused[chat] = max(self._paused.get(chat, now), now + timedelta(seconds=seconds))

    def _wait(self, chat: str) -> float:
        now = self._clock.now()
        free = [window.free_at(now) for window in (*self._chats[chat], self._overall)]
        return (max(*free, self._paused.get(chat, now)) - now).total_seconds()

    def _note(self, chat: str) -> None:
        now = self._clock.now()
        for window in (*self._chats[chat], self._overall):
            window.note(now)
