"""How long one look for what is unusual takes in a community of many messages: when nothing is, and when something is.

Seconds by the clock, and those of this process's processors, which the machine's other work does not stretch.
"""

from __future__ import annotations

import functools
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.bench import Figures
from bot.core.actions import KeepWatchword
from bot.core.events import MessagePosted, Named
from bot.core.things import Ref
from brains.rhythm.lookout import Lookout
from brains.rhythm.spikes import WEEK, WEEKS
from brains.training.encoding import Progress, silent
from storage import alerts, channels, communities, lately, members, watchlists
from storage.db import Database
from storage.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.core.things import Community
    from brains.rhythm.lookout import Seen
    from storage.connection import Connection

MEMBERS, DAYS = 5_000, 60
SPIKE, WORDS = 60, 10
"""Messages of a spike within 20 minutes, and watched words."""
PORTION, LOOKS, SEED = 5_000, 40, 7
PLATFORM = "bench"
STAFF = Ref(PLATFORM, "staff")


async def bench_pulse(texts: Sequence[str], *, messages: int, rooms: int, progress: Progress = silent) -> Figures:
    """Measure looks beside counting all messages of eight weeks by hour, which a look that reads all would do first."""
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        home = Path(folder)
        async with Database.open(f"sqlite:///{home / 'kinfolk.db'}", home=home) as database:
            now = datetime.now(UTC).replace(microsecond=0)
            community = await _filled(database, texts, messages=messages, rooms=rooms, now=now, progress=progress)
            calm = await _timed(functools.partial(_look, database, community, now))
            await database.write(functools.partial(_excite, community=community, texts=texts, now=now))
            busy = await _timed(functools.partial(_look, database, community, now))
            seen = await _look(database, community, now)
            whole = await _timed(functools.partial(_count_all, database, community, now))
    figures = {"messages": float(messages), "channels": float(rooms), "found": float(len(seen.sightings))}
    for name, taken in (("calm", calm), ("spike", busy), ("count_all", whole)):
        clock, spent = np.array(taken).T * 1000
        figures |= {f"{name}_p50_ms": float(np.median(clock)), f"{name}_p95_ms": float(np.percentile(clock, 95))}
        figures |= {f"{name}_processor_ms": float(np.median(spent))}
    ratio = figures["calm_processor_ms"] / figures["count_all_processor_ms"]
    return Figures(figures=figures, ratios={"count_all": ratio})


async def _filled(
    database: Database, texts: Sequence[str], *, messages: int, rooms: int, now: datetime, progress: Progress
) -> Community:
    """Spread messages over channels, of which few have most, and over the hours of the days."""
    community = await database.write(functools.partial(communities.find_or_make, name="bench", now=now))
    intake, drawn = Intake(community, now), np.random.default_rng(SEED)
    await database.write(intake.begin)
    share = 1 / (5 + np.arange(rooms))
    ages = np.sort(drawn.uniform(0, DAYS * 24 * 3600, messages))[::-1]
    places = drawn.choice(rooms, messages, p=share / share.sum())
    for start in range(0, messages, PORTION):
        numbers = range(start, min(start + PORTION, messages))
        said = [
            _posted(n, texts, f"c{places[n]}", int(drawn.integers(MEMBERS)), now - timedelta(seconds=float(ages[n])))
            for n in numbers
        ]
        await database.write(functools.partial(intake.store, events=said), durable=False)
        progress(numbers.stop, messages)
    keep = [KeepWatchword(word=f"word{number}") for number in range(WORDS)]
    for one in keep:
        await database.write(functools.partial(watchlists.keep, community=community, action=one, now=now))
    return community


def _posted(number: int, texts: Sequence[str], channel: str, author: int, at: datetime) -> MessagePosted:
    return MessagePosted(
        message=Ref(PLATFORM, f"m{number}"),
        channel=Named(ref=Ref(PLATFORM, channel), name=channel),
        author=Named(ref=Ref(PLATFORM, f"u{author}"), name=f"u{author}"),
        text=texts[number % len(texts)],
        at=at,
        source=PLATFORM,
    )


async def _excite(connection: Connection, community: Community, texts: Sequence[str], now: datetime) -> None:
    """Let much be said in a quiet channel."""
    intake = Intake(community, now)
    await intake.begin(connection)
    step = timedelta(minutes=20) / SPIKE
    said = [_posted(-1 - n, texts, "c200", n % 30, now - step * (SPIKE - n)) for n in range(SPIKE)]
    await intake.store(connection, said)


async def _look(database: Database, community: Community, now: datetime) -> Seen:
    """Read all that the skill reads, and look."""
    async with database.read() as connection:
        reach = await channels.aloud(connection, community, STAFF, None)
        bots = await members.bots(connection, community)
        await alerts.since(connection, community, now - timedelta(days=7))
        await alerts.muted(connection, community, now)
        words = [one.word for one in await watchlists.every(connection, community)]
    scope = replace(reach.scope, not_authors=reach.scope.not_authors | bots)
    return await Lookout(database=database, scope=scope, rooms=reach.channels).look(now, watched=words)


async def _count_all(database: Database, community: Community, now: datetime) -> object:
    async with database.read() as connection:
        scope = (await channels.reach(connection, community, None)).scope
        return await lately.by_hour(connection, scope, now.replace(minute=0, second=0), WEEKS * WEEK)


async def _timed(work: Callable[[], Awaitable[object]]) -> list[tuple[float, float]]:
    """Return the seconds of each look, by the clock and of the processors."""
    await work()  # what is read and imported once
    taken = []
    for _look_number in range(LOOKS):
        began, spent = time.perf_counter(), time.process_time()
        await work()
        taken.append((time.perf_counter() - began, time.process_time() - spent))
    return taken
