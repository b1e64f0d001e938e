"""One outbound budget for each chat and each route in it, shared by all: moderation first, then replies, then digests.

A route is one kind of act in one chat. Who waits sleeps until the next turn is due; there is no looking in between.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
from collections import defaultdict, deque
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.clock import Clock
    from bot.core.ports import Limits

SPARE = 0.5
"""Share of a limit that unimportant sends may use up."""
FEW = 64
"""Gates that are kept without looking which of them are idle."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)

Reason = Literal["chat", "route", "all", "paused"]
"""Why somebody waited: a limit of the chat, of the route or of all together, or the platform said to wait."""
Scope = Literal["chat", "route", "all"]


class Urgency(IntEnum):
    """Who goes first."""

    MODERATION = 0
    REPLY = 1
    DIGEST = 2


class Window:
    """At most `count` sends within any `seconds`."""

    def __init__(self, count: int, seconds: float) -> None:
        self._length = timedelta(seconds=seconds)
        self._sent: deque[datetime] = deque(maxlen=count)

    @property
    def opens_at(self) -> datetime:
        """Return when the next send is allowed, which may be long ago."""
        return self._sent[0] + self._length if len(self._sent) == self._sent.maxlen else LONG_AGO

    @property
    def idle_at(self) -> datetime:
        """Return when nothing that was sent counts any more."""
        return self._sent[-1] + self._length if self._sent else LONG_AGO

    def has_spare(self, now: datetime) -> bool:
        """Say whether less than half is used, so that nobody would miss one send."""
        assert self._sent.maxlen is not None  # noqa: S101 - it was made with one
        return sum(at + self._length > now for at in self._sent) < self._sent.maxlen * SPARE

    def note(self, now: datetime) -> None:
        """Count a send."""
        self._sent.append(now)


class Gate:
    """What a send has to pass: some windows, and the platform's word to wait. `opens_at` may be long ago."""

    def __init__(self, scope: Scope, limits: Sequence[tuple[int, float]]) -> None:
        self.opens_at = LONG_AGO
        self._scope = scope
        self._windows = [Window(*limit) for limit in limits]
        self._paused = LONG_AGO

    @property
    def reason(self) -> Reason:
        """Say what keeps it shut."""
        return "paused" if self._paused >= self.opens_at else self._scope

    def note(self, now: datetime) -> None:
        """Count a send."""
        for window in self._windows:
            window.note(now)
        self._settle()

    def pause(self, until: datetime) -> None:
        """Stay shut for a while, since the platform said so; of two such words the longer one holds."""
        self._paused = max(self._paused, until)
        self._settle()

    def has_spare(self, now: datetime) -> bool:
        """Say whether it is open, and less than half used."""
        return self.opens_at <= now and all(window.has_spare(now) for window in self._windows)

    def is_idle(self, now: datetime) -> bool:
        """Say whether a new one would do as well."""
        return max(self._paused, *(window.idle_at for window in self._windows), LONG_AGO) <= now

    def _settle(self) -> None:
        self.opens_at = max(self._paused, *(window.opens_at for window in self._windows), LONG_AGO)


class Turn:
    """Somebody's wish to send, until it is `come`; `held` says for how many seconds what held it up."""

    def __init__(self, chat: str, rank: tuple[Urgency, int], way: Sequence[Gate], now: datetime) -> None:
        self.chat = chat
        self.rank = rank
        self.way = way
        self.come: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.held: defaultdict[Reason, float] = defaultdict(float)
        self._reason: Reason = "chat"
        self._since = now

    def due_at(self, now: datetime) -> datetime:
        """Return when every gate is open, and keep in mind what held it up until now."""
        last = max(self.way, key=lambda gate: gate.opens_at)
        if self._since < now:
            self.held[self._reason] += (now - self._since).total_seconds()
        self._reason, self._since = last.reason, now
        return last.opens_at


class Budget:
    """What may be sent on one platform."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._all = Gate("all", [limits.overall])
        self._gates: dict[tuple[str, str | None], Gate] = {}
        self._enough = FEW
        self._waiting: list[Turn] = []
        self._numbers = itertools.count()
        self._bell: asyncio.Task[None] | None = None
        self._rings_at: datetime | None = None

    async def take(self, chat: str, urgency: Urgency, *, route: str = "") -> Mapping[Reason, float]:
        """Wait for a turn in a chat and take it; the more urgent goes first, then who came first.

        Returns for how many seconds it was held up by what.
        """
        now = self._clock.now()
        turn = Turn(chat, (urgency, next(self._numbers)), self._way(chat, route), now)
        bisect.insort(self._waiting, turn, key=lambda one: one.rank)
        if (due := turn.due_at(now)) > now:
            self._wake_at(min(due, self._rings_at or due), now)
        else:
            self._serve()
        try:
            await turn.come
        except asyncio.CancelledError:
            self._serve()
            raise
        return turn.held

    def take_spare(self, chat: str, *, route: str = "") -> bool:
        """Take a turn for what may as well not be sent; False when somebody waits or a limit is near."""
        now, way = self._clock.now(), self._way(chat, route)
        if any(turn.chat == chat for turn in self._waiting) or not all(gate.has_spare(now) for gate in way):
            return False
        for gate in way:
            gate.note(now)
        return True

    def pause(self, seconds: float, *, chat: str, route: str = "", scope: Scope = "chat") -> None:
        """Send nothing on a route, in a chat or anywhere for a while, since the platform said so."""
        overall, one_chat, one_route = self._way(chat, route)
        gate = {"all": overall, "chat": one_chat, "route": one_route}[scope]
        gate.pause(self._clock.now() + timedelta(seconds=seconds))
        self._serve()

    def _way(self, chat: str, route: str) -> tuple[Gate, Gate, Gate]:
        """Return the gates on the way of a send."""
        if len(self._gates) > self._enough:
            self._forget_idle()
        return self._all, self._gate(chat, None), self._gate(chat, route)

    def _gate(self, chat: str, route: str | None) -> Gate:
        """Return the gate of a route in a chat, or that of the chat itself, making it where it is missing."""
        gate = self._gates.get((chat, route))
        if gate is None:
            if route is None:
                gate = Gate("chat", self._limits.in_chat(chat))
            else:
                gate = Gate("route", self._limits.routes.get(route, ()))
            self._gates[chat, route] = gate
        return gate

    def _forget_idle(self) -> None:
        now, used = self._clock.now(), {gate for turn in self._waiting for gate in turn.way}
        self._gates = {name: gate for name, gate in self._gates.items() if gate in used or not gate.is_idle(now)}
        self._enough = max(FEW, 2 * len(self._gates))

    def _serve(self) -> None:
        """Give their turns to all who may send now, the most urgent first, and wake up for the next."""
        now, waiting = self._clock.now(), []
        for turn in self._waiting:
            if turn.come.done():
                continue
            if (due := turn.due_at(now)) > now:
                waiting.append((due, turn))
                continue
            for gate in turn.way:
                gate.note(now)
            turn.come.set_result(None)
        self._waiting = [turn for _, turn in waiting]
        self._wake_at(min((due for due, _ in waiting), default=None), now)

    def _wake_at(self, due: datetime | None, now: datetime) -> None:
        if due == self._rings_at:
            return
        if self._bell is not None:
            self._bell.cancel()
        self._rings_at = due
        self._bell = asyncio.create_task(self._ring((due - now).total_seconds())) if due else None

    async def _ring(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._bell = self._rings_at = None
        self._serve()
