"""How quick and how exact the vector store is, through its process, beside qdrant-client's local mode.

The points are drawn with a fixed seed: vectors around 400 centres, texts from a Zipf vocabulary, spread over
400 channels and 2,000 authors. An audience is 60 of the channels.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from bot.bench import Figures
from bot.core.errors import Mistake
from bot.core.ports import Point, Scope
from storage.vectors import open_folder
from storage.vectors.layout import slug

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from bot.core.ports import Vector, VectorStore

SIZE = 384
CENTRES, CHANNELS, AUTHORS, AUDIENCE = 400, 400, 2_000, 60
VOCABULARY, WORDS = 20_000, 14
SPREAD = 0.6
"""How far a vector lies from its centre, which is 1 long."""

BATCH = 256
QUERIES = 400
PEER_QUERIES = 10
PEER_POINTS = 20_000
NEIGHBOURS = 10
FEWEST = 1_000
WATCHED = 12_800
"""Points that are written while somebody searches: enough for the store to tidy itself once."""

KINDS = ("dense", "channel", "audience", "audience_hybrid", "words")
PEER_KINDS = ("dense", "audience", "audience_hybrid")
FINGERPRINT = "bench"
BRIEFLY = 0.2
PATIENCE = 60.0
SEED = 20_260_301
EVERYTHING = Scope(community=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Points with their vectors as rows, questions in the same space, and the audience that asks."""

    vectors: Vector
    channels: Sequence[int]
    texts: Sequence[str]
    questions: Vector
    words: Sequence[str]
    audience: frozenset[int]

    def scope(self, kind: str, number: int) -> Scope:
        """Give the scope of a question: one channel, the audience's channels, or all."""
        if kind == "channel":
            return replace(EVERYTHING, channels=frozenset({number % CHANNELS}))
        return replace(EVERYTHING, channels=self.audience) if kind.startswith("audience") else EVERYTHING

    def points(self, start: int, stop: int) -> list[Point]:
        """Give the points of some rows; a row's number plus one is its id."""
        return [self._point(row) for row in range(start, min(stop, len(self.texts)))]

    def _point(self, row: int) -> Point:
        return Point(
            id=UUID(int=row + 1),
            vector=self.vectors[row],
            text=self.texts[row],
            community=1,
            channel=self.channels[row],
            author=row % AUTHORS,
            at=START + timedelta(seconds=row),
        )

    def nearest(self, question: Vector, scope: Scope) -> set[int]:
        """Find the true neighbours by comparing with every row."""
        cosines = self.vectors @ question
        if scope.channels is not None:
            cosines[~np.isin(self.channels, list(scope.channels))] = -2
        return set(np.argpartition(-cosines, NEIGHBOURS)[:NEIGHBOURS].tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One search."""

    scope: Scope
    vector: Vector | None
    text: str | None


def draw(points: int) -> Corpus:
    """Draw a corpus; the same for the same number of points."""
    drawn = np.random.default_rng(SEED)
    centres = _normal(drawn, CENTRES)
    return Corpus(
        vectors=_around(drawn, centres, points),
        channels=drawn.integers(0, CHANNELS, points).tolist(),
        texts=[_text(drawn, WORDS) for _ in range(points)],
        questions=_around(drawn, centres, QUERIES),
        words=[_text(drawn, 4) for _ in range(QUERIES)],
        audience=frozenset(drawn.choice(CHANNELS, AUDIENCE, replace=False).tolist()),
    )


def _normal(drawn: np.random.Generator, rows: int) -> Vector:
    vectors = drawn.normal(size=(rows, SIZE)).astype(np.float32)
    return _normed(vectors)


def _around(drawn: np.random.Generator, centres: Vector, rows: int) -> Vector:
    vectors = centres[drawn.integers(0, CENTRES, rows)] + SPREAD * _normal(drawn, rows)
    return _normed(vectors)


def _normed(vectors: npt.NDArray[np.floating]) -> Vector:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _text(drawn: np.random.Generator, words: int) -> str:
    ranks = np.minimum(drawn.zipf(1.3, words), VOCABULARY)
    return " ".join(f"w{rank}" for rank in ranks.tolist())


def question(corpus: Corpus, kind: str, number: int) -> Question:
    """Give one question of a kind: what it asks for and within what."""
    vector = corpus.questions[number % QUERIES] if kind != "words" else None
    text = corpus.words[number % QUERIES] if kind in {"words", "audience_hybrid"} else None
    return Question(scope=corpus.scope(kind, number), vector=vector, text=text)


async def bench_vectors(home: Path, *, points: int = 50_000) -> Figures:
    """Measure the embedded store with that many points; beside it the bare engine, and qdrant-client's local mode.

    Names end in their unit. Local mode gets at most 20,000 points. Raises Mistake for too few points.
    """
    if points < FEWEST:
        raise Mistake(f"bench vectors: {points} points are too few to measure; give {FEWEST} or more.")
    folder = home / "bench-vectors"
    try:
        return await _bench(folder, points)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _bench(folder: Path, points: int) -> Figures:
    corpus = await asyncio.to_thread(draw, points)
    figures = await _through_the_process(folder / "ours", corpus)
    bare = await asyncio.to_thread(_bare, folder / "ours", corpus)
    small = await asyncio.to_thread(draw, min(points, PEER_POINTS))
    ours, peer = await _ours_and_local_mode(folder / "small", small)
    local = {name.replace("_ms", ""): ours[name] / peer[name] for name in peer}
    return Figures(
        figures=figures | _named("bare_edge", bare) | _named("qdrant_local", peer),
        ratios={"edge_p50": figures["audience_p50_ms"] / bare["audience_p50_ms"]}
        | {"edge_p99": figures["audience_p99_ms"] / bare["audience_p99_ms"]}
        | _named("qdrant_local", local),
    )


def _named(prefix: str, figures: dict[str, float]) -> dict[str, float]:
    return {f"{prefix}_{name}": figure for name, figure in figures.items()}


async def _through_the_process(folder: Path, corpus: Corpus) -> dict[str, float]:
    vectors = open_folder(folder, FINGERPRINT, SIZE, idle=BRIEFLY)
    figures = await _fill(vectors, corpus)
    start = time.perf_counter()
    await vectors.optimize()
    figures["optimize_s"] = time.perf_counter() - start
    figures |= await _speed(vectors, corpus, KINDS, QUERIES)
    for kind in ("dense", "audience"):
        figures[f"{kind}_recall_at_10"] = await _recall(vectors, corpus, kind)
    await vectors.close()
    return figures


async def _fill(vectors: VectorStore, corpus: Corpus) -> dict[str, float]:
    """Write most of the corpus alone and the rest while somebody searches."""
    total = len(corpus.texts)
    alone = max(total - WATCHED, total // 2)
    start = time.perf_counter()
    await _write(vectors, corpus, 0, alone)
    rate = alone / (time.perf_counter() - start)
    writing = asyncio.create_task(_write(vectors, corpus, alone, total))
    waits: list[float] = []
    while not writing.done():
        waits.append(await _timed(vectors, question(corpus, "audience", len(waits))))
    await writing
    return {"points": total, "inserted_per_s": rate} | _spread("audience_while_writing", waits)


async def _write(vectors: VectorStore, corpus: Corpus, start: int, stop: int) -> None:
    for at in range(start, stop, BATCH):
        await vectors.upsert(corpus.points(at, min(at + BATCH, stop)))


async def _speed(vectors: VectorStore, corpus: Corpus, kinds: Sequence[str], queries: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    for kind in kinds:
        await _timed(vectors, question(corpus, kind, 0))
        waits = [await _timed(vectors, question(corpus, kind, number)) for number in range(queries)]
        figures |= _spread(kind, waits)
    return figures


async def _timed(vectors: VectorStore, asked: Question) -> float:
    start = time.perf_counter()
    await vectors.search(asked.scope, vector=asked.vector, text=asked.text, limit=NEIGHBOURS)
    return time.perf_counter() - start


def _spread(name: str, waits: Sequence[float]) -> dict[str, float]:
    middle, slow = (1000 * np.percentile(waits, (50, 99))).tolist()
    return {f"{name}_p50_ms": middle, f"{name}_p99_ms": slow, f"{name}_max_ms": 1000 * max(waits)}


async def _recall(vectors: VectorStore, corpus: Corpus, kind: str) -> float:
    found = 0
    for number in range(QUERIES):
        asked = question(corpus, kind, number)
        hits = await vectors.search(asked.scope, vector=asked.vector, limit=NEIGHBOURS)
        truth = await asyncio.to_thread(corpus.nearest, corpus.questions[number], asked.scope)
        found += len({hit.id.int - 1 for hit in hits} & truth)
    return found / (QUERIES * NEIGHBOURS)


def _bare(folder: Path, corpus: Corpus) -> dict[str, float]:
    """Ask the same of the engine itself, once the process let go of it: what is left is the cost of the socket."""
    from storage.vectors.process import sole_owner
    from storage.vectors.shard import Shard

    place = folder / slug(FINGERPRINT)
    with sole_owner(place, PATIENCE):
        shard = Shard(place / "shard", SIZE)
        waits: list[float] = []
        for number in range(-1, QUERIES):
            asked = question(corpus, "audience", number)
            start = time.perf_counter()
            shard.search(asked.scope, vector=asked.vector, text=asked.text, limit=NEIGHBOURS)
            waits.append(time.perf_counter() - start)
        shard.close()
    return _spread("audience", waits[1:])


async def _ours_and_local_mode(folder: Path, corpus: Corpus) -> tuple[dict[str, float], dict[str, float]]:
    from storage.vectors.server import ServerVectorStore, in_memory

    taken = []
    ours = open_folder(folder, FINGERPRINT, SIZE, idle=BRIEFLY)
    for store in (ours, ServerVectorStore(in_memory, collection="bench", size=SIZE)):
        await _write(store, corpus, 0, len(corpus.texts))
        await store.optimize()
        figures = await _speed(store, corpus, PEER_KINDS, PEER_QUERIES)
        taken.append({f"{kind}_p50_ms": figures[f"{kind}_p50_ms"] for kind in PEER_KINDS})
        await store.close()
    return taken[0], taken[1]
