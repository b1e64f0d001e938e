"""How long finding takes in a community of many messages: from an encoded question to conversations.

Seconds by the clock, and those of this process's processors, which the machine's other work does not stretch.
"""

from __future__ import annotations

import asyncio
import functools
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.app import App, open_app
from bot.bench import Figures
from bot.bench.importing import scratch_settings
from bot.core.events import MessagePosted, Named
from bot.core.ports import Point
from bot.core.sentences import parts
from bot.core.things import Ref
from brains.training.encoding import Progress, passages, silent
from storage import channels, communities, outbox
from storage.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from bot.core.ports import Vector, VectorStore
    from bot.core.settings import Settings
    from brains.knowledge.retrieval import Retrieval
    from storage.channels import Reach

CHANNELS, AUDIENCE, MEMBERS = 400, 60, 2_000
THREAD = 12
"""Messages in a thread."""
SPREAD = 0.35
"""How far, for a vector of length 1, what is said again lies from what it varies."""
TAIL = 80
"""Characters of another text behind one that is said again."""
PORTION = 2_000
QUESTIONS = 200
AT_ONCE = 10
FOUND = 10
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A community to be searched, and questions with their vectors, row by row."""

    retrieval: Retrieval
    vectors: VectorStore
    reach: Reach
    questions: Sequence[str]
    encoded: Vector


async def bench_retrieval(
    texts: Sequence[str], *, settings: Settings, messages: int, progress: Progress = silent
) -> Figures:
    """Measure `find` alone, ten at once and with the encoding of the question, beside the engine's bare search.

    The texts are encoded; so many they become by being said again, with some words more and a vector beside theirs,
    which their sentences get too: how long finding takes does not hang on where these lie.
    """
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        async with open_app(scratch_settings(settings, Path(folder))) as app:
            place = await fill(app, list(dict.fromkeys(texts)), messages, progress)
            return await _measure(place, messages)


async def fill(app: App, texts: Sequence[str], messages: int, progress: Progress) -> Place:
    """Fill a community with so many messages, whose points lie near those of the texts."""
    encoder, vectors = await app.encoder(), await app.vectors()
    made = dict(zip(texts, await passages(encoder, texts, progress=progress), strict=True))
    now = app.clock.now()
    community = await app.database.write(functools.partial(communities.find_or_make, name="bench", now=now))
    intake = Intake(community, now)
    await app.database.write(intake.begin)
    drawn = np.random.default_rng(SEED)
    for start in range(0, messages, PORTION):
        numbers = range(start, min(start + PORTION, messages))
        portion = [_posted(number, texts, drawn, now - timedelta(minutes=messages - number)) for number in numbers]
        await app.database.write(functools.partial(intake.store, events=portion), durable=False)
        await _index(app, vectors, made, drawn)
        progress(numbers.stop, messages)
    await vectors.optimize()
    whole = await app.database.look(functools.partial(channels.reach, community=community, reader=None))
    heard = frozenset(drawn.choice(sorted(whole.channels), min(AUDIENCE, len(whole.channels)), replace=False).tolist())
    mine = {number: one for number, one in whole.channels.items() if number in heard}
    asked = [texts[int(at)][:200] for at in drawn.integers(0, len(texts), QUESTIONS)]
    return Place(
        retrieval=await app.retrieval(),
        vectors=vectors,
        reach=replace(whole, scope=replace(whole.scope, channels=heard), channels=mine),
        questions=asked,
        encoded=await encoder.encode(asked, kind="query"),
    )


def _posted(number: int, texts: Sequence[str], drawn: np.random.Generator, at: datetime) -> MessagePosted:
    """Say a text again with the beginning of another behind it."""
    channel = f"c{number // THREAD % CHANNELS}"
    thread = Ref("bench", f"{channel}/{number // THREAD}")
    author = Ref("bench", f"m{int(drawn.integers(0, MEMBERS))}")
    other = " ".join(texts[int(drawn.integers(0, len(texts)))].split())
    return MessagePosted(
        message=Ref("bench", str(number)),
        channel=Named(ref=Ref("bench", channel), name=channel),
        author=Named(ref=author, name=author.id),
        text=f"{texts[number % len(texts)]}\n{other[:TAIL]}",
        at=at,
        thread=Named(ref=thread, name=thread.id),
        source="bench",
    )


async def _index(app: App, vectors: VectorStore, made: Mapping[str, Vector], drawn: np.random.Generator) -> None:
    """Write points and kept vectors of what waits, as the index does, without encoding it anew."""
    fingerprint = (await app.encoder()).fingerprint
    rows = await app.database.look(functools.partial(outbox.newest, limit=PORTION))
    near = _near([row.text or "" for row in rows], made, drawn)
    await vectors.upsert(
        [
            Point(
                id=row.point,
                vector=near[row.text or ""],
                text=row.text or "",
                community=row.community,
                channel=row.channel,
                author=row.author,
                at=row.at,
            )
            for row in rows
        ]
    )
    done = functools.partial(outbox.done, rows=rows, fingerprint=fingerprint, vectors=near)
    await app.database.write(done, durable=False)


def _near(texts: Sequence[str], made: Mapping[str, Vector], drawn: np.random.Generator) -> dict[str, Vector]:
    """Give what was said again, and its sentences, a vector beside that of what it varies."""
    found: dict[str, Vector] = {}
    for text in texts:
        first = made[text.rpartition("\n")[0]]
        noise = drawn.normal(size=first.shape)
        beside = first + SPREAD * noise / np.linalg.norm(noise)
        found[text] = np.asarray(beside / np.linalg.norm(beside), dtype=np.float32)
        found |= dict.fromkeys(parts(text), found[text])
    return found


async def _measure(place: Place, messages: int) -> Figures:
    def ours(number: int) -> Awaitable[object]:
        vector = place.encoded[number % QUESTIONS]
        asked = place.questions[number % QUESTIONS]
        return place.retrieval.find(asked, reach=place.reach, limit=FOUND, vector=vector)

    def whole(number: int) -> Awaitable[object]:
        return place.retrieval.find(place.questions[number % QUESTIONS], reach=place.reach, limit=FOUND)

    def bare(number: int) -> Awaitable[object]:
        vector, text = place.encoded[number % QUESTIONS], place.questions[number % QUESTIONS]
        return place.vectors.search(place.reach.scope, vector=vector, text=text, limit=FOUND)

    await whole(0)  # brings the mean of everyday questions
    figures = {"messages": float(messages), "channels": float(len(place.reach.channels))}
    figures |= _spread("find", await _timed(ours, 1))
    figures |= _spread("find_ten_at_once", await _timed(ours, AT_ONCE))
    figures |= _spread("find_with_encoding", await _timed(whole, 1))
    figures |= _spread("ten_askers_with_encoding", await _timed(whole, AT_ONCE))
    figures |= _spread("engine_hybrid", await _timed(bare, 1))
    ratios = {
        f"engine_{name}": figures[f"find_{name}_ms"] / figures[f"engine_hybrid_{name}_ms"] for name in ("p50", "p95")
    }
    return Figures(figures=figures, ratios=ratios)


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds that questions took: by the clock, and of the processors, each alone or on average of many at once."""

    waits: Sequence[float]
    worked: Sequence[float]


async def _timed(ask: Callable[[int], Awaitable[object]], at_once: int) -> Took:
    """Ask every question, so many under way at any moment."""
    numbers = iter(range(QUESTIONS))
    waits: list[float] = []
    worked: list[float] = []

    async def one_after_another() -> None:
        for number in numbers:
            began, busy = time.perf_counter(), time.process_time()
            await ask(number)
            waits.append(time.perf_counter() - began)
            worked.append(time.process_time() - busy)

    busy = time.process_time()
    async with asyncio.TaskGroup() as askers:
        for _asker in range(at_once):
            askers.create_task(one_after_another())
    each = (time.process_time() - busy) / QUESTIONS
    return Took(waits, worked if at_once == 1 else [each])


def _spread(name: str, took: Took) -> dict[str, float]:
    middle, slow = (1000 * np.percentile(took.waits, (50, 95))).tolist()
    figures = {f"{name}_p50_ms": middle, f"{name}_p95_ms": slow}
    busy, busiest = (1000 * np.percentile(took.worked, (50, 95))).tolist()
    if len(took.worked) == 1:
        return figures | {f"{name}_cpu_ms": busy}
    return figures | {f"{name}_cpu_p50_ms": busy, f"{name}_cpu_p95_ms": busiest}
