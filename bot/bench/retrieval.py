"""How long finding takes in a community of many messages: from an encoded question to conversations."""

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
from sqlalchemy import select
from sqlmodel import col

from bot.app import App, open_app
from bot.bench import Figures
from bot.bench.importing import scratch_settings
from bot.core.events import MessagePosted, Named
from bot.core.ports import Point
from bot.core.sentences import parts
from bot.core.things import Ref
from storage import channels, communities, encodings
from storage.intake import Intake
from storage.rows import columns
from storage.tables import MessageRow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from bot.core.ports import Vector, VectorStore
    from bot.core.settings import Settings
    from brains.knowledge.retrieval import Retrieval
    from storage.channels import Reach
    from storage.connection import Connection

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


async def bench_retrieval(texts: Sequence[str], *, settings: Settings, messages: int) -> Figures:
    """Measure `find` alone, ten at once and with the encoding of the question, beside the engine's bare search.

    The texts are encoded; so many they become by being said again, with some words more and a vector beside theirs.
    """
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        async with open_app(scratch_settings(settings, Path(folder))) as app:
            place = await _fill(app, list(dict.fromkeys(texts)), messages)
            return await _measure(place, messages)


async def _fill(app: App, texts: Sequence[str], messages: int) -> Place:
    encoder, vectors = await app.encoder(), await app.vectors()
    sentences = list(dict.fromkeys(one for text in texts for one in (text, *parts(text))))
    made = dict(zip(sentences, await encoder.encode(sentences), strict=True))
    now = app.clock.now()
    community = await app.database.write(functools.partial(communities.find_or_make, name="bench", now=now))
    intake = Intake(community, now)
    await app.database.write(intake.begin)
    drawn = np.random.default_rng(SEED)
    for start in range(0, messages, PORTION):
        numbers = range(start, min(start + PORTION, messages))
        portion = [_posted(number, texts, drawn, now - timedelta(minutes=messages - number)) for number in numbers]
        await app.database.write(functools.partial(intake.store, events=portion), durable=False)
        await _index(app, vectors, made, drawn, last=numbers[0])
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


async def _index(
    app: App, vectors: VectorStore, made: Mapping[str, Vector], drawn: np.random.Generator, *, last: int
) -> None:
    """Write points and kept vectors of the messages after one, as the index does, without encoding them anew."""
    fingerprint = (await app.encoder()).fingerprint
    rows = await app.database.look(functools.partial(_stored, after=last))
    near = _near(rows, made, drawn)
    await vectors.upsert(
        [
            Point(
                id=row.point,
                vector=near[row.text],
                text=row.text,
                community=row.community_id,
                channel=row.channel_id,
                author=row.author_id,
                at=row.sent_at,
            )
            for row in rows
        ]
    )
    keep = functools.partial(encodings.keep, fingerprint=fingerprint, vectors=near)
    await app.database.write(keep, durable=False)


async def _stored(connection: Connection, after: int) -> Sequence[Row[*tuple[object, ...]]]:
    wanted = columns(MessageRow, "id", "point", "text", "community_id", "channel_id", "author_id", "sent_at")
    return (await connection.execute(select(*wanted).where(col(MessageRow.id) > after))).all()


def _near(
    rows: Sequence[Row[*tuple[object, ...]]], made: Mapping[str, Vector], drawn: np.random.Generator
) -> dict[str, Vector]:
    """Give what was said again a vector beside that of what it varies, and its sentences their own or that."""
    found: dict[str, Vector] = {}
    for row in rows:
        first = made[row.text.rpartition("\n")[0]]
        noise = drawn.normal(size=first.shape)
        beside = first + SPREAD * noise / np.linalg.norm(noise)
        found[row.text] = np.asarray(beside / np.linalg.norm(beside), dtype=np.float32)
        found |= {one: made.get(one, found[row.text]) for one in parts(row.text)}
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


async def _timed(ask: Callable[[int], Awaitable[object]], at_once: int) -> list[float]:
    """Return seconds for each question, so many under way at any moment."""
    numbers = iter(range(QUESTIONS))
    waits: list[float] = []

    async def one_after_another() -> None:
        for number in numbers:
            began = time.perf_counter()
            await ask(number)
            waits.append(time.perf_counter() - began)

    async with asyncio.TaskGroup() as askers:
        for _asker in range(at_once):
            askers.create_task(one_after_another())
    return waits


def _spread(name: str, waits: Sequence[float]) -> dict[str, float]:
    middle, slow = (1000 * np.percentile(waits, (50, 95))).tolist()
    return {f"{name}_p50_ms": middle, f"{name}_p95_ms": slow}
