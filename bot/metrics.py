"""What the bot does and waits for, in figures, and `/metrics` on this machine's own address for Prometheus."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from bot.core.errors import Misconfigured, Unavailable
from storage import inbox, ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from bot.core.clock import Clock
    from bot.core.counts import Counts
    from bot.core.decisions import Obstacle, Receipt
    from bot.core.events import Arrival
    from storage.db import Database
    from storage.ledger import Entry

HOST = "127.0.0.1"
GLANCE = 5.0
"""Seconds between looks at how much waits in the inbox."""
LEARNED = "learn"
"""What the ledger calls that it was learned where members belong: whichever process did it."""
VERDICTS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120, 600)
"""Seconds: from what a verdict costs when nothing is in the way to what came while the bot was away."""
WAITS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)


class Figures:
    """What `/metrics` shows. The figures that adapters report are read from `counts`."""

    def __init__(self, counts: Counts) -> None:
        self.registry = registry = CollectorRegistry()
        self.waiting = Gauge("kinfolk_inbox_waiting", "Events that were not handled yet.", registry=registry)
        self._events = Counter("kinfolk_events", "Events that arrived.", ["platform", "kind"], registry=registry)
        self._acts = Counter(
            "kinfolk_acts", "Acts by what came of them.", ["platform", "kind", "state"], registry=registry
        )
        self._dropped = Counter(
            "kinfolk_edits_dropped",
            "Edits that streamed answers did without on their way.",
            ["platform"],
            registry=registry,
        )
        self._waits = Histogram(
            "kinfolk_wait_seconds",
            "Seconds that acts were held up, by what.",
            ["platform", "reason"],
            buckets=WAITS,
            registry=registry,
        )
        self._verdicts = Histogram(
            "kinfolk_verdict_seconds",
            "Seconds from an event's arrival to the verdict.",
            ["platform"],
            buckets=VERDICTS,
            registry=registry,
        )
        self._learned_at = Gauge(
            "kinfolk_learned_timestamp_seconds",
            "When it was last learned where members belong, in seconds since 1970.",
            ["community"],
            registry=registry,
        )
        self._learned_in = Gauge("kinfolk_learned_in_seconds", "How long that took.", ["community"], registry=registry)
        self._learned_serves = Gauge(
            "kinfolk_learned_promoted",
            "1 where what was learned last serves, 0 where the weights before did better.",
            ["community"],
            registry=registry,
        )
        registry.register(Reported(counts))

    def counting(self, put: Callable[[Arrival], Awaitable[bool]]) -> Callable[[Arrival], Awaitable[bool]]:
        """Return a `put` that counts what is new."""

        async def put_and_count(arrival: Arrival) -> bool:
            new = await put(arrival)
            if new:
                self._events.labels(arrival.space.ref.platform, type(arrival.event).__name__).inc()
            return new

        return put_and_count

    def decided(self, platform: str, seconds: float) -> None:
        """Note how long after its arrival the verdict on an event was reached."""
        self._verdicts.labels(platform).observe(max(0.0, seconds))

    def waited(self, platform: str, held: Mapping[Obstacle, float]) -> None:
        """Note for how many seconds an act was held up by what."""
        for reason, seconds in held.items():
            self._waits.labels(platform, reason).observe(seconds)

    def learned(self, entry: Entry) -> None:
        """Show what the ledger tells of where members belong, when it was learned last."""
        community = str(entry.community)
        self._learned_at.labels(community).set(entry.at.timestamp())
        if isinstance(took := entry.details.get("seconds"), int | float):
            self._learned_in.labels(community).set(took)
        if isinstance(serves := entry.details.get("promoted"), bool):  # nothing is compared without rehearsals
            self._learned_serves.labels(community).set(serves)

    def acted(self, platform: str, kind: str, receipt: Receipt) -> None:
        """Note what came of an act."""
        self._acts.labels(platform, kind, receipt.state).inc()
        if receipt.dropped:
            self._dropped.labels(platform).inc(receipt.dropped)


class Reported(Collector):
    """Reads what adapters report, each time somebody asks."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Yield each figure. It is another thread that asks: what is read is copied first."""
        yield from self._put_off()
        yield from self._refused()
        yield from self._connected()

    def _put_off(self) -> Iterator[Metric]:
        limited = CounterMetricFamily(
            "kinfolk_rate_limited", "Requests that a platform put off (429).", labels=["platform", "route"]
        )
        for (platform, route), times in dict(self._counts.put_off).items():
            limited.add_metric([platform, route], times)
        yield limited

    def _refused(self) -> Iterator[Metric]:
        invalid = CounterMetricFamily(
            "kinfolk_invalid_requests", "Requests that count against the bot (401, 403, 429).", labels=["platform"]
        )
        holds = GaugeMetricFamily(
            "kinfolk_circuit_open", "1 while nothing is sent because of them.", labels=["platform"]
        )
        for platform, brake in dict(self._counts.brakes).items():
            invalid.add_metric([platform], brake.total)
            holds.add_metric([platform], brake.holds)
        yield invalid
        yield holds

    def _connected(self) -> Iterator[Metric]:
        connections = CounterMetricFamily(
            "kinfolk_connections", "Times that a platform came to be connected.", labels=["platform"]
        )
        connected = GaugeMetricFamily("kinfolk_connected", "1 while a platform is connected.", labels=["platform"])
        for platform, now in dict(self._counts.links).items():
            connections.add_metric([platform], self._counts.connections[platform])
            connected.add_metric([platform], now)
        yield connections
        yield connected


async def show(figures: Figures, *, port: int, database: Database, clock: Clock) -> None:
    """Serve `/metrics` until cancelled, and keep an eye on what waits, and on what was learned.

    Raises Misconfigured when the port is taken.
    """
    seen = 0
    async with _served(figures, port):
        while True:
            with contextlib.suppress(Unavailable):
                async with database.read() as connection:
                    figures.waiting.set(await inbox.waiting(connection))
                    learned = await ledger.entries(connection, LEARNED, after=seen)
                for one in learned:
                    figures.learned(one)
                    seen = one.id
            await clock.sleep(GLANCE)


@contextlib.asynccontextmanager
async def _served(figures: Figures, port: int) -> AsyncIterator[None]:
    """Answer on a thread of its own, which also answers while the bot is busy."""
    try:
        server, thread = await asyncio.to_thread(start_http_server, port, HOST, figures.registry)
    except OSError as error:
        raise Misconfigured(
            f"KINFOLK_METRICS_PORT: /metrics cannot be served on {HOST}:{port} ({error.strerror}). "
            "End what uses it, or name another port."
        ) from None
    try:
        yield
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        await asyncio.to_thread(thread.join)
