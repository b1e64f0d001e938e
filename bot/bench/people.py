"""How long it takes to say who would get on with somebody, and what they missed, in a community of many messages."""

from __future__ import annotations

import functools
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.app import open_app
from bot.bench import Figures
from bot.bench.importing import scratch_settings
from bot.bench.retrieval import fill
from brains.matching.unread import Unread
from brains.training.encoding import Progress, silent
from storage import communities, members, wishes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.app import App
    from bot.core.settings import Settings
    from bot.core.things import Community, Member
    from storage.connection import Connection

ASKERS = 100
SEED = 7


async def bench_people(
    texts: Sequence[str], *, settings: Settings, messages: int, progress: Progress = silent
) -> Figures:
    """Measure one `/people` and one `/foryou` where every member opted in; the first draws all of them."""
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        async with open_app(scratch_settings(settings, Path(folder))) as app:
            return await measure(app, texts, messages, progress)


async def measure(app: App, texts: Sequence[str], messages: int, progress: Progress = silent) -> Figures:
    """Fill an app's community and ask there."""
    await fill(app, texts, messages, progress)
    community = await app.database.look(functools.partial(communities.find, name="bench"))
    everybody = await app.database.write(functools.partial(_opt_in, community=community, now=app.clock.now()))
    drawn = np.random.default_rng(SEED).permutation(len(everybody))[:ASKERS]
    askers = [everybody[int(one)] for one in drawn]
    circle = await app.circle(community)
    first = await _timed(lambda one: circle.suggest(community, one), askers[:1])
    meet = await _timed(lambda one: circle.suggest(community, one), askers)
    unread = Unread(database=app.database, vectors=await app.vectors(), encoder=await app.encoder())
    missed = await _timed(lambda one: unread.look(community, one, now=app.clock.now()), askers)
    figures = {"messages": messages, "members": len(everybody), "people_first_s": float(first[0])}
    for name, taken in (("people", meet), ("foryou", missed)):
        figures |= {f"{name}_{of}_ms": float(np.percentile(taken, at)) * 1000 for of, at in (("p50", 50), ("p95", 95))}
    return Figures(figures=figures, ratios={})


async def _opt_in(connection: Connection, *, community: Community, now: datetime) -> list[Member]:
    every = await members.every(connection, community)
    for one in every:
        await wishes.keep(connection, member=one.id, wish="people", on=True, now=now)
    return every


async def _timed(work: Callable[[Member], Awaitable[object]], askers: Sequence[Member]) -> list[float]:
    taken = []
    for one in askers:
        began = time.perf_counter()
        await work(one)
        taken.append(time.perf_counter() - began)
    return taken
