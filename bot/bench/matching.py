"""How long a suggestion takes in a large community, and learning it anew: real words and vectors, drawn behaviour.

Milliseconds by the clock, and those of this process's processors, which the machine's other work does not stretch.
"""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.app import App, open_app
from bot.bench import Figures
from bot.bench.crowd import Crowd, gather
from bot.bench.importing import scratch_settings
from brains.training.encoding import Progress, silent
from storage import members

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.core.ports import Vector, VectorStore
    from bot.core.settings import Settings
    from bot.core.things import Community, Member
    from brains.matching.matchmaker import Matchmaker

ASKED = 100
"""Suggestions of each kind."""
OFFERS = 3
MEGABYTE = 1e6
TICK = 0.005
"""Seconds between beats by which it is seen how long the loop is held up."""
SEED = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A learned community and who asks there: members, and texts with their vectors, row by row."""

    community: Community
    matchmaker: Matchmaker
    vectors: VectorStore
    members: Sequence[Member]
    texts: Sequence[str]
    encoded: Vector


async def bench_matching(
    texts: Sequence[str], *, settings: Settings, crowd: Crowd, progress: Progress = silent
) -> Figures:
    """Build a community, learn it, and time suggestions for members, texts and newcomers."""
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        async with open_app(scratch_settings(settings, Path(folder))) as app:
            distinct = list(dict.fromkeys(texts))
            community = await gather(app, distinct, crowd, progress=progress)
            return await measure(app, community, distinct, crowd)


async def measure(app: App, community: Community, texts: Sequence[str], crowd: Crowd) -> Figures:
    """Learn a community that is stored, and time suggestions in it."""
    figures = {"messages": crowd.messages, "members": crowd.members, "channels": crowd.channels}
    learned = await _learn(app, community)
    place = await _place(app, community, texts)
    newcomer, text, bare = _asking(place)
    await asyncio.gather(_member(place, 0), newcomer(0), text(0))
    kinds = {"member": lambda at: _member(place, at), "text": text, "newcomer": newcomer, "engine_search": bare}
    spread: dict[str, float] = {}
    for name, ask in kinds.items():
        spread |= await _timed(name, ask)
    spread |= await _timed("popularity", _popularity(app, place))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE
    ratios = {
        f"{peer}_p50": spread["member_p50_ms"] / spread[f"{peer}_p50_ms"] for peer in ("engine_search", "popularity")
    }
    return Figures(figures={**figures, **learned, **spread, "peak_memory_mb": peak}, ratios=ratios)


async def _learn(app: App, community: Community) -> dict[str, float]:
    """Learn it anew, and look how long the loop waits for anything meanwhile."""
    learning = await app.matching()
    began, busy, held = time.perf_counter(), time.process_time(), list[float]()
    beats = asyncio.create_task(_beat(held))
    learned = await learning.learn(community)
    beats.cancel()
    return {
        "learn_s": time.perf_counter() - began,
        "learn_cpu_s": time.process_time() - busy,
        "learned_messages": float(learned.messages),
        "loop_held_up_p99_ms": 1000 * float(np.percentile(held, 99)),
        "loop_held_up_most_ms": 1000 * max(held),
    }


async def _beat(held: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(TICK)
        held.append(time.perf_counter() - began - TICK)


async def _place(app: App, community: Community, texts: Sequence[str]) -> Place:
    chance = np.random.default_rng(SEED)
    every = await app.database.look(lambda connection: members.every(connection, community))
    asked = [texts[int(at)][:200] for at in chance.integers(0, len(texts), ASKED)]
    return Place(
        community=community,
        matchmaker=await app.matchmaker("en"),
        vectors=await app.vectors(),
        members=[every[int(at)] for at in chance.integers(0, len(every), ASKED)],
        texts=asked,
        encoded=await (await app.encoder()).encode(asked),
    )


async def _member(place: Place, at: int) -> None:
    await place.matchmaker.for_member(place.community, place.members[at], k=OFFERS)


def _asking(place: Place) -> tuple[Callable[[int], Awaitable[None]], ...]:
    """Return what a skill calls for a newcomer and for a text, and a search of the bare engine for the same text."""

    async def newcomer(at: int) -> None:
        await place.matchmaker.for_newcomer(place.community, place.members[at], k=OFFERS)

    async def text(at: int) -> None:
        settled = await place.matchmaker.settled(place.community, place.members[at])
        await place.matchmaker.for_text(place.community, place.texts[at], place.encoded[at], k=OFFERS, without=settled)

    async def bare(at: int) -> None:
        from bot.core.ports import Scope

        everywhere = Scope(community=place.community.id)
        await place.vectors.search(everywhere, vector=place.encoded[at], text=place.texts[at], limit=10)

    return newcomer, text, bare


def _popularity(app: App, place: Place) -> Callable[[int], Awaitable[None]]:
    """Return the least that a suggestion could be: the channels that most have found lately, whoever asks."""

    async def ask(at: int) -> None:
        joined = await app.database.look(lambda connection: members.joined(connection, place.members[at].id))
        learned = (await app.matching()).shelf.learned[place.community.id].profiles
        order = learned.channels[np.argsort(-learned.prior.newcomers)]
        order[~np.isin(order, list(joined))][:OFFERS]

    return ask


async def _timed(name: str, ask: Callable[[int], Awaitable[None]]) -> dict[str, float]:
    waits, busy = list[float](), time.process_time()
    for at in range(ASKED):
        began = time.perf_counter()
        await ask(at)
        waits.append(time.perf_counter() - began)
    middle, slow = (1000 * np.percentile(waits, (50, 95))).tolist()
    each = 1000 * (time.process_time() - busy) / ASKED
    return {f"{name}_p50_ms": middle, f"{name}_p95_ms": slow, f"{name}_cpu_ms": each}
