"""The embedded engine: one qdrant-edge shard in one folder, open in one process at a time.

The engine holds the interpreter lock in every call, so whoever must not stall talks to it through
`storage.vectors.process`.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import numpy as np
import qdrant_edge as edge

from bot.core.errors import Misconfigured, Unavailable
from bot.core.ports import Hit, Page
from storage.vectors.layout import (
    AT,
    AUTHOR,
    COMMUNITY,
    DENSE,
    FUSION_K,
    LAST_ID,
    PLACE,
    TERMS,
    admits_nothing,
    candidates,
    channel,
    is_note,
    moment,
    next_id,
    payload,
    required,
    row,
    rows,
    seconds,
)
from storage.vectors.terms import Terms, document_terms, query_terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from uuid import UUID

    from bot.core.ports import Point, Scope, Vector

OPTIMIZE_AFTER = 10_000 * 384 * 4
"""Bytes of new vectors after which the shard should be optimized; left late, one `optimize` takes minutes."""

FREE_TO_WRITE = 160 * 2**20
FREE_TO_DELETE = 8 * 2**20
"""Bytes that must be free: the engine writes through memory maps, where a full disk kills the process."""

INDEXES = {
    COMMUNITY: edge.IntegerIndexParams(lookup=True, range=False, enable_hnsw=False),
    PLACE: edge.IntegerIndexParams(lookup=True, range=False, enable_hnsw=False),
    AUTHOR: edge.IntegerIndexParams(lookup=True, range=False, enable_hnsw=False),
    AT: edge.IntegerIndexParams(lookup=False, range=True, enable_hnsw=False),
}
"""No graph edges per field: in a segment of 10,000 points a filter leaves few enough to score one by one."""


class Shard:
    """A folder of points. Every call blocks; calls must not overlap."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self.size = size
        self._engine = _open(folder, size)
        self._waiting = _unindexed(self._engine.info())

    @property
    def untidy(self) -> float:
        """Say how much was written since the last `optimize`: at 1.0 it should not wait any longer."""
        return self._waiting * self.size * 4 / OPTIMIZE_AFTER

    def upsert(self, points: Sequence[Point]) -> None:
        """Store points, replacing those of the same id. Raises ValueError, or Unavailable when the disk is full."""
        if not points:
            return
        self._need(FREE_TO_WRITE)
        vectors = rows(points, self.size).tolist()
        self._write(edge.UpdateOperation.upsert_points([_stored(*pair) for pair in zip(points, vectors, strict=True)]))
        self._waiting += len(points)

    def delete(self, ids: Sequence[UUID]) -> None:
        """Remove points; unknown ids are ignored."""
        if ids:
            self._need(FREE_TO_DELETE)
            self._write(edge.UpdateOperation.delete_points(list(ids)))

    def search(self, scope: Scope, *, vector: Vector | None, text: str | None, limit: int) -> list[Hit]:
        """Find the nearest points by cosine, by BM25, or by both fused."""
        queries = _queries(None if vector is None else row(vector, self.size), text)
        if not queries or limit < 1 or admits_nothing(scope):
            return []
        with _engine_errors():
            return [_hit(found) for found in self._engine.query(_search(queries, _filter(scope), limit))]

    def scroll(self, scope: Scope, *, after: UUID | None, limit: int) -> Page:
        """Read points with their vectors, in the order of their ids."""
        if admits_nothing(scope) or after == LAST_ID:
            return _page([], None, self.size)
        asked = edge.ScrollRequest(
            offset=next_id(after), limit=limit, filter=_filter(scope), with_payload=True, with_vector=[DENSE]
        )
        with _engine_errors():
            records, following = self._engine.scroll(asked)
        return _page(records, following, self.size)

    def count(self, scope: Scope) -> int:
        """Count points."""
        if admits_nothing(scope):
            return 0
        with _engine_errors():
            return int(self._engine.count(edge.CountRequest(filter=_filter(scope))))

    def optimize(self) -> None:
        """Merge and index segments, then flush. Seconds pass, in which nothing else in this process runs."""
        self._waiting = 0
        self._need(FREE_TO_WRITE)
        with _engine_errors():
            self._engine.optimize()
            self._engine.flush()

    def clear(self) -> None:
        """Remove every point with its files, and begin anew; killed in between, there is none or all."""
        with _engine_errors():
            self._engine.close()
            gone = _gone(self._folder)
            shutil.rmtree(gone, ignore_errors=True)
            self._folder.rename(gone)
        self._engine = _open(self._folder, self.size)
        self._waiting = 0

    def close(self) -> None:
        """Flush and let go of the folder."""
        with _engine_errors():
            self._engine.flush()
            self._engine.close()

    def _write(self, operation: edge.UpdateOperation) -> None:
        with _engine_errors():
            self._engine.update(operation)
        for log in (self._folder / "wal").glob("open-*"):
            _sync(log)

    def _need(self, free: int) -> None:
        left = shutil.disk_usage(self._folder).free
        if left < free:
            raise Unavailable(
                f"The disk of {self._folder} is full: {left >> 20} MiB are free and {free >> 20} are needed. "
                "Nothing was stored; searches go on."
            )


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(f"The vector store cannot write: {error.strerror}") from error
    except Exception as error:  # the engine raises nothing narrower
        if type(error) is not Exception:
            raise
        raise Unavailable(f"The vector store failed: {error}") from error


def _sync(log: Path) -> None:
    """Put the write-ahead log on the disk: the engine leaves it in the page cache, which a power cut empties."""
    descriptor = os.open(log, os.O_RDWR)
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _gone(folder: Path) -> Path:
    """Return where files lie that are on their way out."""
    return folder.with_name(f"{folder.name}.gone")


def _open(folder: Path, size: int) -> edge.EdgeShard:
    shutil.rmtree(_gone(folder), ignore_errors=True)
    if not folder.exists():
        _create(folder, size)
    try:
        return edge.EdgeShard.load(str(folder), _config(size))
    except Exception as error:
        if "expected vector size" in str(error):
            raise Misconfigured(
                f"{folder} holds vectors of another size than the encoder's {size} dimensions. "
                "Name another folder in KINFOLK_VECTORS, or set KINFOLK_ENCODER back."
            ) from None
        raise Unavailable(f"The vectors in {folder} cannot be opened: {error}") from error


def _unindexed(info: edge.ShardInfo) -> int:
    """Count the points outside an index; the engine counts the dense vector and the terms of each."""
    return max(0, info.points_count - info.indexed_vectors_count // 2)


def _create(folder: Path, size: int) -> None:
    """Build the empty shard beside its place and move it there whole, so that a crash leaves no half of one."""
    unfinished = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    shard = edge.EdgeShard.create(str(unfinished), _config(size))
    for name, parameters in INDEXES.items():
        shard.update(edge.UpdateOperation.create_field_index(name, parameters))
    shard.flush()
    shard.close()
    unfinished.rename(folder)


def _config(size: int) -> edge.EdgeConfig:
    """Give the settings that `kinfolk bench vectors` measures; sizes are in KB: 10,666 points of 384 to a segment."""
    return edge.EdgeConfig(
        vectors={DENSE: edge.EdgeVectorParams(size=size, distance=edge.Distance.Cosine)},
        sparse_vectors={TERMS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        hnsw_config=edge.HnswIndexConfig(m=8, ef_construct=64, full_scan_threshold=10_000),
        optimizers=edge.EdgeOptimizersConfig(
            max_segment_size=16_000, indexing_threshold=8_000, default_segment_number=32
        ),
        wal_enabled=True,
    )


def _stored(point: Point, vector: list[float]) -> edge.Point:
    return edge.Point(point.id, {DENSE: vector, TERMS: _sparse(document_terms(point.text))}, payload(point))


def _sparse(terms: Terms) -> edge.SparseVector:
    return edge.SparseVector(terms.indices, terms.values)


def _queries(vector: Vector | None, text: str | None) -> list[edge.Query]:
    queries = []
    if vector is not None:
        queries.append(edge.Query.Nearest(vector.tolist(), using=DENSE))
    if text is not None and (terms := query_terms(text)).indices:
        queries.append(edge.Query.Nearest(_sparse(terms), using=TERMS))
    return queries


def _search(queries: list[edge.Query], scope: edge.Filter, limit: int) -> edge.QueryRequest:
    if len(queries) == 1:
        return edge.QueryRequest(limit, query=queries[0], filter=scope, with_payload=True)
    sides = [edge.Prefetch(candidates(limit), query=query, filter=scope) for query in queries]
    fusion = cast("edge.Fusion", edge.Fusion.Rrf(FUSION_K))
    return edge.QueryRequest(limit, prefetches=sides, query=fusion, with_payload=True)


def _filter(scope: Scope) -> edge.Filter:
    must: list[edge.ConditionType] = [
        edge.FieldCondition(name, match=edge.MatchAny(allowed)) for name, allowed in required(scope).items()
    ]
    if scope.since or scope.until:
        must.append(edge.FieldCondition(AT, range=_between(scope)))
    return edge.Filter(must=must, must_not=_excluded(scope))


def _excluded(scope: Scope) -> list[edge.ConditionType]:
    if not scope.not_authors:
        return []
    return [edge.FieldCondition(AUTHOR, match=edge.MatchAny(list(scope.not_authors)))]


def _between(scope: Scope) -> edge.RangeFloat:
    return edge.RangeFloat(
        gte=seconds(scope.since) if scope.since else None, lt=seconds(scope.until) if scope.until else None
    )


def _hit(found: edge.ScoredPoint) -> Hit:
    stored = cast("dict[str, int]", found.payload)
    return Hit(
        id=cast("UUID", found.id),
        score=found.score,
        channel=channel(stored[PLACE]),
        author=stored[AUTHOR],
        at=moment(stored[AT]),
        note=is_note(stored[PLACE]),
    )


def _page(records: list[edge.Record], following: edge.PointId | None, size: int) -> Page:
    stored = [cast("dict[str, int]", record.payload) for record in records]
    dense = [cast("dict[str, list[float]]", record.vector)[DENSE] for record in records]
    ids = tuple(cast("UUID", record.id) for record in records)
    return Page(
        ids=ids,
        channels=tuple(channel(one[PLACE]) for one in stored),
        authors=tuple(one[AUTHOR] for one in stored),
        at=tuple(moment(one[AT]) for one in stored),
        vectors=np.array(dense, dtype=np.float32).reshape(-1, size),
        after=ids[-1] if following is not None else None,
    )
