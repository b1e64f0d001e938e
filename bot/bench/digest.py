"""How long personal digests take in a large community: a digest of a week for each of many members, one by one."""

from __future__ import annotations

import functools
import resource
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.app import open_app
from bot.bench import Figures
from bot.bench.crowd import gather
from bot.bench.importing import scratch_settings
from brains.matching.unread import Unread
from brains.training.encoding import Progress, silent
from storage import channels, members

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.app import App
    from bot.bench.crowd import Crowd
    from bot.core.settings import Settings
    from bot.core.things import Community, Member
    from brains.rhythm.digest import Digest

COMPARED = 50
"""Readers whose `/foryou`, which reads everything anew, is timed as the peer."""
MEGABYTE = 1e6
SEED = 7


async def bench_digest(
    texts: Sequence[str], *, settings: Settings, crowd: Crowd, readers: int, days: int, progress: Progress = silent
) -> Figures:
    """Build a community, tell its conversations apart, and make a digest of its last days for each reader."""
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        async with open_app(scratch_settings(settings, Path(folder))) as app:
            community = await gather(app, list(dict.fromkeys(texts)), crowd, progress=progress)
            began = time.perf_counter()
            await app.untangling().catch_up(progress)
            untangled = time.perf_counter() - began
            figures = await measure(app, community, readers=readers, days=days, progress=progress)
    size = {"messages": crowd.messages, "members": crowd.members, "channels": crowd.channels}
    return Figures(figures={**size, "untangle_s": untangled, **figures.figures}, ratios=figures.ratios)


async def measure(app: App, community: Community, *, readers: int, days: int, progress: Progress = silent) -> Figures:
    """Time digests for readers drawn by chance, the first of which reads the span for all; beside as many `/foryou`."""
    everybody = await app.database.look(functools.partial(members.every, community=community))
    drawn = np.random.default_rng(SEED).permutation(len(everybody))[:readers]
    asked = [everybody[int(one)] for one in drawn]
    until = app.clock.now()
    waits, told, busy, began = list[float](), 0, time.process_time(), time.perf_counter()
    for number, reader in enumerate(asked):
        start = time.perf_counter()
        found = await _one(app, community, reader, since=until - timedelta(days=days), until=until)
        told += not found.is_empty
        waits.append(time.perf_counter() - start)
        progress(number + 1, len(asked))
    took, cpu = time.perf_counter() - began, time.process_time() - busy
    unread = Unread(database=app.database, vectors=await app.vectors(), encoder=await app.encoder())
    start = time.perf_counter()
    for reader in asked[:COMPARED]:
        await unread.look(community, reader, now=until)
    peer = (time.perf_counter() - start) / len(asked[:COMPARED])
    middle, slow = (1000 * np.percentile(waits[1:] or waits, (50, 95))).tolist()
    figures = {
        "digests": float(len(asked)),
        "told": float(told),
        "days": float(days),
        "first_s": waits[0],
        "digest_p50_ms": middle,
        "digest_p95_ms": slow,
        "all_s": took,
        "all_cpu_s": cpu,
        "foryou_ms": 1000 * peer,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE,
    }
    return Figures(figures=figures, ratios={"foryou": took / len(asked) / peer})


async def _one(app: App, community: Community, reader: Member, *, since: datetime, until: datetime) -> Digest:
    """Make one personal digest as the sweep does: what they may read now, by any account of theirs."""
    async with app.database.read() as connection:
        reach = await channels.reach(connection, community, reader, alone=True)
        mine = await members.alike(connection, community, reader)
    return await (await app.digester()).look(community, reach, since=since, until=until, accounts=mine)
