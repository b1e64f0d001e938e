"""What adapters report of their platforms: requests that were refused or put off, and whether they are connected."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bot.core.circuit_breaker import CircuitBreaker

if TYPE_CHECKING:
    from bot.core.clock import Clock


class Counts:
    """One for the whole bot; `/metrics` reads it. A route is a name out of few, never one with an id in it."""

    def __init__(self, clock: Clock) -> None:
        self.put_off: Counter[tuple[str, str]] = Counter()
        self.connections: Counter[str] = Counter()
        self.links: dict[str, bool] = {}
        self.brakes: dict[str, CircuitBreaker] = {}
        self._clock = clock

    def limited(self, platform: str, route: str) -> None:
        """Count a 429."""
        self.put_off[platform, route] += 1

    def invalid(self, platform: str) -> None:
        """Count an invalid request, which the platform's brake notes."""
        self.brake(platform).note()

    def brake(self, platform: str) -> CircuitBreaker:
        """Return the platform's brake, to be asked before each request."""
        if platform not in self.brakes:
            self.brakes[platform] = CircuitBreaker(platform=platform, clock=self._clock)
        return self.brakes[platform]

    def connected(self, platform: str, now: bool) -> None:  # noqa: FBT001 - it is the state itself
        """Say whether a platform is connected now; each time it comes to be so is a connection more."""
        if now and not self.links.get(platform):
            self.connections[platform] += 1
        self.links[platform] = now
