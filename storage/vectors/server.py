"""`Vectors` on a Qdrant server or cluster. The only module that imports qdrant-client."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast
from uuid import UUID

import numpy as np

from bot.core.errors import Gone, Misconfigured, Unavailable
from bot.core.ports import Hit, Page
from storage.vectors.layout import (
    AT,
    AUTHOR,
    BATCH,
    DENSE,
    FIELDS,
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
    from collections.abc import Callable, Iterator, Sequence

    from qdrant_client import AsyncQdrantClient, models

    from bot.core.ports import Point, Scope, Vector

UNAUTHORISED = (401, 403)
ALREADY_THERE = 409
PATIENCE = 60
"""Seconds to wait for the server."""


def connect(url: str, key: str) -> AsyncQdrantClient:
    """Make a client of a server; nothing is sent yet. Raises Misconfigured without the `qdrant` extra.

    Call it in a thread: the import takes seconds.
    """
    try:
        from qdrant_client import AsyncQdrantClient
    except ImportError:
        raise Misconfigured("KINFOLK_VECTORS is a URL: run `pip install kinfolk[qdrant]` first.") from None
    return AsyncQdrantClient(url=url, api_key=key or None, timeout=PATIENCE, check_compatibility=False)


def in_memory() -> AsyncQdrantClient:
    """Make a client of qdrant-client's own small engine, for tests and for comparing: it compares with every point."""
    from qdrant_client import AsyncQdrantClient

    return AsyncQdrantClient(location=":memory:")


class ServerVectorStore:
    """One collection of a Qdrant server, created with its indexes at the first call."""

    def __init__(self, connect: Callable[[], AsyncQdrantClient], *, collection: str, size: int) -> None:
        self._connect = connect
        self._client: AsyncQdrantClient | None = None
        self._name = collection
        self._size = size
        self._ready = False
        self._preparing = asyncio.Lock()

    async def upsert(self, points: Sequence[Point]) -> None:
        """Store points, replacing those of the same id. Raises ValueError for a vector of another size."""
        client = await self._prepared()
        for start in range(0, len(points), BATCH):
            with _server_errors():
                await client.upsert(self._name, _stored(points[start : start + BATCH], self._size), wait=True)

    async def delete(self, ids: Sequence[UUID]) -> None:
        """Remove points; unknown ids are ignored."""
        client = await self._prepared()
        if ids:
            with _server_errors():
                await client.delete(self._name, list(ids), wait=True)

    async def search(
        self, scope: Scope, *, vector: Vector | None = None, text: str | None = None, limit: int = 10
    ) -> list[Hit]:
        """Find the nearest points: by cosine, by BM25, or by both fused."""
        client = await self._prepared()
        sides = _sides(None if vector is None else row(vector, self._size), text, _filter(scope), candidates(limit))
        if not sides or limit < 1 or admits_nothing(scope):
            return []
        with _server_errors():
            return await _query(client, self._name, sides, limit)

    async def scroll(self, scope: Scope, *, after: UUID | None = None, limit: int = 1000) -> Page:
        """Read points with their vectors, in the order of their ids."""
        client = await self._prepared()
        if admits_nothing(scope) or after == LAST_ID:
            return _page([], more=False, size=self._size)
        start = None if after is None else str(next_id(after))
        with _server_errors():
            records, following = await client.scroll(
                self._name, _filter(scope), limit=limit, offset=start, with_payload=True, with_vectors=[DENSE]
            )
        return _page(records, more=following is not None, size=self._size)

    async def count(self, scope: Scope) -> int:
        """Count points."""
        client = await self._prepared()
        if admits_nothing(scope):
            return 0
        with _server_errors():
            return (await client.count(self._name, _filter(scope), exact=True)).count

    async def optimize(self) -> None:
        """Do nothing: the server merges and indexes on its own."""

    async def clear(self) -> None:
        """Remove the collection; the next call makes it again, without a point."""
        client = await self._prepared()
        with _server_errors():
            await client.delete_collection(self._name)
        self._ready = False

    async def close(self) -> None:
        """Let go of connections; the data stays."""
        if self._client:
            await self._client.close()

    async def _prepared(self) -> AsyncQdrantClient:
        async with self._preparing:
            if self._client is None:
                self._client = await asyncio.to_thread(self._connect)
            if not self._ready:
                with _server_errors():
                    await self._prepare(self._client)
                self._ready = True
            return self._client

    async def _prepare(self, client: AsyncQdrantClient) -> None:
        from qdrant_client import models

        if not await client.collection_exists(self._name):
            await self._create(client)
        stored = (await client.get_collection(self._name)).config.params.vectors
        theirs = cast("dict[str, models.VectorParams]", stored)[DENSE].size
        if theirs != self._size:
            raise Misconfigured(
                f"The collection {self._name} holds vectors of {theirs} dimensions and the encoder gives {self._size}. "
                "Set KINFOLK_ENCODER back, or point KINFOLK_VECTORS to another server."
            )
        for name in FIELDS:
            await client.create_payload_index(self._name, name, models.PayloadSchemaType.INTEGER, wait=True)

    async def _create(self, client: AsyncQdrantClient) -> None:
        from qdrant_client import models
        from qdrant_client.http.exceptions import UnexpectedResponse

        dense = models.VectorParams(size=self._size, distance=models.Distance.COSINE)
        terms = models.SparseVectorParams(modifier=models.Modifier.IDF)
        try:
            await client.create_collection(self._name, {DENSE: dense}, sparse_vectors_config={TERMS: terms})
        except UnexpectedResponse as error:
            if error.status_code != ALREADY_THERE:
                raise


@contextmanager
def _server_errors() -> Iterator[None]:
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    try:
        yield
    except ResponseHandlingException as error:
        raise Gone(f"The server named in KINFOLK_VECTORS cannot be reached: {error.source}.") from error
    except UnexpectedResponse as error:
        if error.status_code in UNAUTHORISED:
            raise Misconfigured(
                "The server named in KINFOLK_VECTORS refuses the key: set KINFOLK_VECTORS_KEY to one that may write."
            ) from error
        raise Unavailable(f"The server named in KINFOLK_VECTORS failed: {error}") from error


def _stored(points: Sequence[Point], size: int) -> list[models.PointStruct]:
    from qdrant_client import models

    return [
        models.PointStruct(
            id=str(point.id),
            vector={DENSE: vector, TERMS: _sparse(document_terms(point.text))},
            payload=dict(payload(point)),
        )
        for point, vector in zip(points, rows(points, size).tolist(), strict=True)
    ]


def _sparse(terms: Terms) -> models.SparseVector:
    from qdrant_client import models

    return models.SparseVector(indices=terms.indices, values=terms.values)


def _sides(vector: Vector | None, text: str | None, scope: models.Filter, limit: int) -> list[models.Prefetch]:
    from qdrant_client import models

    sides = []
    if vector is not None:
        sides.append(models.Prefetch(query=vector.tolist(), using=DENSE, filter=scope, limit=limit))
    if text is not None and (terms := query_terms(text)).indices:
        sides.append(models.Prefetch(query=_sparse(terms), using=TERMS, filter=scope, limit=limit))
    return sides


async def _query(client: AsyncQdrantClient, name: str, sides: list[models.Prefetch], limit: int) -> list[Hit]:
    from qdrant_client import models

    if len(sides) == 1:
        side = sides[0]
        found = await client.query_points(
            name, query=side.query, using=side.using, query_filter=side.filter, limit=limit, with_payload=True
        )
    else:
        fusion = models.RrfQuery(rrf=models.Rrf(k=FUSION_K))
        found = await client.query_points(name, query=fusion, prefetch=sides, limit=limit, with_payload=True)
    return [_hit(point) for point in found.points]


def _filter(scope: Scope) -> models.Filter:
    from qdrant_client import models

    must: list[models.Condition] = [
        models.FieldCondition(key=name, match=models.MatchAny(any=allowed)) for name, allowed in required(scope).items()
    ]
    if scope.since or scope.until:
        must.append(models.FieldCondition(key=AT, range=_between(scope)))
    return models.Filter(must=must, must_not=_excluded(scope))


def _excluded(scope: Scope) -> list[models.Condition]:
    from qdrant_client import models

    if not scope.not_authors:
        return []
    return [models.FieldCondition(key=AUTHOR, match=models.MatchAny(any=list(scope.not_authors)))]


def _between(scope: Scope) -> models.Range:
    from qdrant_client import models

    return models.Range(
        gte=seconds(scope.since) if scope.since else None, lt=seconds(scope.until) if scope.until else None
    )


def _hit(found: models.ScoredPoint) -> Hit:
    stored = cast("dict[str, int]", found.payload)
    return Hit(
        id=UUID(str(found.id)),
        score=found.score,
        channel=channel(stored[PLACE]),
        author=stored[AUTHOR],
        at=moment(stored[AT]),
        note=is_note(stored[PLACE]),
    )


def _page(records: Sequence[models.Record], *, more: bool, size: int) -> Page:
    stored = [cast("dict[str, int]", record.payload) for record in records]
    dense = [cast("dict[str, list[float]]", record.vector)[DENSE] for record in records]
    ids = tuple(UUID(str(record.id)) for record in records)
    return Page(
        ids=ids,
        channels=tuple(channel(one[PLACE]) for one in stored),
        authors=tuple(one[AUTHOR] for one in stored),
        at=tuple(moment(one[AT]) for one in stored),
        vectors=np.array(dense, dtype=np.float32).reshape(-1, size),
        after=ids[-1] if more else None,
    )
