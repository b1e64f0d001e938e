"""The language of the vector process: length-prefixed msgpack frames, and points, scopes and answers as columns.

A request is `[number, verb, body]`, an answer `[number, body]` or `[number, kind, words]` for an error. Vectors
travel as raw little-endian float32, ids as 16 bytes each.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast
from uuid import UUID

import msgpack
import numpy as np

from bot.core.errors import Gone, KinfolkError, Misconfigured, Mistake, Overloaded, Unavailable
from bot.core.ports import Hit, Page, Point, Scope
from storage.vectors.layout import clip, moment, rows, seconds

if TYPE_CHECKING:
    from asyncio import StreamReader
    from collections.abc import Iterable, Sequence

    from bot.core.ports import Vector

VERSION = 2
"""Raised with every change of the frames, so that a process of another release is noticed."""

LARGEST_FRAME = 64 * 1024 * 1024
"""Bytes; a larger frame closes the connection it came on."""

LENGTH = struct.Struct("!I")
ERRORS: dict[str, type[KinfolkError | ValueError]] = {
    kind.__name__: kind for kind in (Misconfigured, Mistake, Overloaded, Gone, Unavailable, ValueError)
}
"""Errors that keep their type on the way; all others arrive as Unavailable."""

Scalar: TypeAlias = int | float | str | bytes | None
Body: TypeAlias = "Scalar | Sequence[Body]"
PointColumns: TypeAlias = tuple[bytes, bytes, list[str], list[int], list[int], list[int], list[int], list[bool]]
ScopeRow: TypeAlias = tuple[int, list[int] | None, list[int] | None, list[int], int | None, int | None, bool]
HitColumns: TypeAlias = tuple[bytes, list[float], list[int], list[int], list[int], list[bool]]
PageColumns: TypeAlias = tuple[bytes, list[int], list[int], list[int], bytes, bytes]


class Verb(StrEnum):
    """What can be asked of the process."""

    HELLO = "hello"
    UPSERT = "upsert"
    DELETE = "delete"
    SEARCH = "search"
    SCROLL = "scroll"
    COUNT = "count"
    OPTIMIZE = "optimize"
    CLEAR = "clear"


class Request(NamedTuple):
    """One call; answers carry its number and may come in any order."""

    number: int
    verb: Verb
    body: Body


def frame(message: Body) -> bytes:
    """Pack a message behind its length; raises ValueError when it is too large."""
    content = cast("bytes", msgpack.packb(message))
    if len(content) > LARGEST_FRAME:
        raise ValueError(f"a frame of {len(content)} bytes is larger than {LARGEST_FRAME}")
    return LENGTH.pack(len(content)) + content


async def read_frame(reader: StreamReader) -> Body:
    """Read one message. Raises ValueError for a bad or huge frame, EOFError at the end."""
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    if length > LARGEST_FRAME:
        raise ValueError(f"a frame of {length} bytes is larger than {LARGEST_FRAME}")
    content = await reader.readexactly(length)
    try:
        return cast("Body", msgpack.unpackb(content))
    except (ValueError, msgpack.UnpackException) as error:
        raise ValueError("not msgpack") from error


def request(message: Body) -> Request:
    """Read a request; raises ValueError when it is none."""
    match message:
        case [int(number), str(verb), body]:
            return Request(number, Verb(verb), body)
        case _:
            raise ValueError("not a request")


def refusal(number: int, error: Exception) -> list[Body]:
    """Turn an error into an answer that keeps its type where the asker knows it."""
    if type(error).__name__ in ERRORS:
        return [number, type(error).__name__, str(error)]
    return [number, Unavailable.__name__, f"The vector process failed: {type(error).__name__}: {error}"]


def refused(kind: str, words: str) -> KinfolkError | ValueError:
    """Turn a refusal back into its error."""
    return ERRORS.get(kind, Unavailable)(words)


def pack_ids(ids: Iterable[UUID]) -> bytes:
    """Join ids, 16 bytes each."""
    return b"".join(one.bytes for one in ids)


def unpack_ids(joined: bytes) -> list[UUID]:
    """Cut joined ids apart; raises ValueError when the length is wrong."""
    return [UUID(bytes=joined[at : at + 16]) for at in range(0, len(joined), 16)]


def pack_points(points: Sequence[Point], size: int) -> PointColumns:
    """Turn points into columns; raises ValueError for a vector of another size."""
    return (
        pack_ids(point.id for point in points),
        rows(points, size).tobytes(),
        [clip(point.text) for point in points],
        [point.community for point in points],
        [point.channel for point in points],
        [point.author for point in points],
        [seconds(point.at) for point in points],
        [point.note for point in points],
    )


def unpack_points(body: Body, size: int) -> list[Point]:
    """Turn columns back into points; raises ValueError when they do not fit together."""
    joined, floats, texts, communities, channels, authors, times, notes = cast("PointColumns", body)
    columns = (unpack_ids(joined), unpack_rows(floats, size), texts, communities, channels, authors, times, notes)
    return [
        Point(
            id=key,
            vector=vector,
            text=text,
            community=community,
            channel=channel,
            author=author,
            at=moment(at),
            note=note,
        )
        for key, vector, text, community, channel, author, at, note in zip(*columns, strict=True)
    ]


def pack_scope(scope: Scope) -> ScopeRow:
    """Turn a scope into a row."""
    return (
        scope.community,
        None if scope.channels is None else list(scope.channels),
        None if scope.authors is None else list(scope.authors),
        list(scope.not_authors),
        seconds(scope.since) if scope.since else None,
        seconds(scope.until) if scope.until else None,
        scope.notes,
    )


def unpack_scope(body: Body) -> Scope:
    """Turn a row back into a scope."""
    community, channels, authors, not_authors, since, until, notes = cast("ScopeRow", body)
    return Scope(
        community=community,
        channels=None if channels is None else frozenset(channels),
        authors=None if authors is None else frozenset(authors),
        not_authors=frozenset(not_authors),
        since=None if since is None else moment(since),
        until=None if until is None else moment(until),
        notes=notes,
    )


def pack_hits(hits: Sequence[Hit]) -> HitColumns:
    """Turn hits into columns."""
    return (
        pack_ids(hit.id for hit in hits),
        [hit.score for hit in hits],
        [hit.channel for hit in hits],
        [hit.author for hit in hits],
        [seconds(hit.at) for hit in hits],
        [hit.note for hit in hits],
    )


def unpack_hits(body: Body) -> list[Hit]:
    """Turn columns back into hits."""
    joined, scores, channels, authors, times, notes = cast("HitColumns", body)
    columns = (unpack_ids(joined), scores, channels, authors, times, notes)
    return [
        Hit(id=key, score=score, channel=channel, author=author, at=moment(at), note=note)
        for key, score, channel, author, at, note in zip(*columns, strict=True)
    ]


def pack_page(page: Page) -> PageColumns:
    """Turn a page into columns; an empty last one means that no page follows."""
    return (
        pack_ids(page.ids),
        list(page.channels),
        list(page.authors),
        [seconds(at) for at in page.at],
        page.vectors.astype("<f4", copy=False).tobytes(),
        page.after.bytes if page.after else b"",
    )


def unpack_page(body: Body, size: int) -> Page:
    """Turn columns back into a page."""
    joined, channels, authors, at, floats, after = cast("PageColumns", body)
    return Page(
        ids=tuple(unpack_ids(joined)),
        channels=tuple(channels),
        authors=tuple(authors),
        at=tuple(moment(one) for one in at),
        vectors=unpack_rows(floats, size),
        after=UUID(bytes=after) if after else None,
    )


def unpack_rows(floats: bytes, size: int) -> Vector:
    """Turn raw float32 back into rows of a size."""
    return np.frombuffer(floats, dtype="<f4").reshape(-1, size)
