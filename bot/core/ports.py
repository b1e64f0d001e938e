"""The seams: what an encoder and a vector store can do, whoever provides them.

An array of vectors is float32, shape (texts, size), each row of length 1, so that a dot product is a cosine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

Vector = npt.NDArray[np.float32]
Kind = Literal["passage", "query"]


class Encoder(Protocol):
    """Turns text into vectors."""

    @property
    def fingerprint(self) -> str:
        """Names the weights and the recipe; vectors of different fingerprints must never be compared."""
        ...

    @property
    def size(self) -> int:
        """Return the number of dimensions."""
        ...

    async def encode(self, texts: Sequence[str], *, kind: Kind = "passage") -> Vector:
        """Encode texts, in order. Raises Overloaded or Gone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One message in the vector store. `text` becomes BM25 terms and is never stored."""

    id: UUID
    vector: Vector
    text: str
    community: int
    channel: int
    author: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which points a query may see: `since` <= at < `until`, in whole seconds.

    None means no restriction; an empty set admits nothing.
    """

    community: int
    channels: frozenset[int] | None = None
    authors: frozenset[int] | None = None
    not_authors: frozenset[int] = field(default_factory=frozenset)
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One answer of a search: cosine for vectors, BM25 for text, reciprocal-rank fusion for both."""

    id: UUID
    score: float
    channel: int
    author: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a scroll: ids with vectors row by row; `after` continues, None at the end."""

    ids: tuple[UUID, ...]
    channels: tuple[int, ...]
    authors: tuple[int, ...]
    at: tuple[datetime, ...]
    vectors: Vector
    after: UUID | None


class Vectors(Protocol):
    """A collection of points of one encoder fingerprint. A call that returned is on disk."""

    async def upsert(self, points: Sequence[Point]) -> None:
        """Store points, replacing those of the same id."""
        ...

    async def delete(self, ids: Sequence[UUID]) -> None:
        """Remove points; unknown ids are ignored."""
        ...

    async def search(
        self, scope: Scope, *, vector: Vector | None = None, text: str | None = None, limit: int = 10
    ) -> list[Hit]:
        """Find the nearest points: by cosine, by BM25, or by both fused. Needs a vector or a text."""
        ...

    async def scroll(self, scope: Scope, *, after: UUID | None = None, limit: int = 1000) -> Page:
        """Read points with their vectors, in the order of their ids; a page may hold fewer than `limit`."""
        ...

    async def count(self, scope: Scope) -> int:
        """Count points."""
        ...

    async def optimize(self) -> None:
        """Merge and index segments now; a no-op where the server does that itself."""
        ...

    async def close(self) -> None:
        """Let go of connections; the data stays."""
        ...
