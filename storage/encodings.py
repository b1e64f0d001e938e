"""The cache of vectors by encoder fingerprint and text, shared by traffic, import, evaluation and reindex."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING

import numpy as np
from sqlmodel import col, select

from bot.core.errors import Gone, Unavailable
from storage.rows import insert_new, portions
from storage.tables import EncodingRow
from storage.together import Together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.ports import Encoder, Kind, Vector
    from storage.connection import Connection
    from storage.db import Database

LINGER = 0.03
"""Seconds in which the vectors of single messages are gathered, to be kept together."""
FEW = 32
"""Texts whose vectors are given before they are kept, as for live messages; an import waits, and never runs ahead."""

log = logging.getLogger(__name__)

Half = np.ndarray[tuple[int], np.dtype[np.float16]]


class CachedEncoder:
    """An encoder that asks the cache first. Keeps float16, which moves a cosine by less than .0005."""

    def __init__(self, encoder: Encoder, database: Database) -> None:
        self._encoder = encoder
        self._database = database
        self._under_way: dict[bytes, asyncio.Future[Half]] = {}
        self._keeping: set[asyncio.Task[None]] = set()
        self._kept: Together[dict[bytes, Half], None] = Together(database, _keep, durable=False, linger=LINGER)

    @property
    def fingerprint(self) -> str:
        """Name the weights behind the cache."""
        return self._encoder.fingerprint

    @property
    def size(self) -> int:
        """Return the number of dimensions."""
        return self._encoder.size

    async def encode(self, texts: Sequence[str], *, kind: Kind = "passage") -> Vector:
        """Encode texts, in order; each distinct new text once, however many ask for it."""
        if kind == "query":  # asked once, and a search must not have to wait for a writer
            return await self._encoder.encode(texts, kind=kind)
        keys = [key(self.fingerprint, text, kind) for text in texts]
        wanted = dict(zip(keys, texts, strict=True))
        known = await self._known(list(wanted))
        missing = {one: text for one, text in wanted.items() if one not in known}
        others = {one: self._under_way[one] for one in missing if one in self._under_way}
        known.update(await self._make({one: text for one, text in missing.items() if one not in others}, kind))
        for one, vector in others.items():
            known.update({one: await asyncio.shield(vector)})
        return np.stack([known[one] for one in keys]).astype(np.float32) if keys else np.zeros((0, self.size), "f4")

    async def _make(self, new: dict[bytes, str], kind: Kind) -> dict[bytes, Half]:
        """Encode and keep texts; whoever asks for one of them meanwhile waits for the same vector."""
        if not new:
            return {}
        asked: dict[bytes, asyncio.Future[Half]] = {one: asyncio.get_running_loop().create_future() for one in new}
        self._under_way.update(asked)
        try:
            vectors = (await self._encoder.encode(list(new.values()), kind=kind)).astype(np.float16)
            made = dict(zip(new, vectors, strict=True))
        except BaseException:
            for one, answer in asked.items():
                del self._under_way[one]
                answer.set_exception(Gone("The encoder was cut off."))
                answer.exception()  # nobody may be waiting for it
            raise
        for one, vector in made.items():
            asked[one].set_result(vector)
        keeping = asyncio.create_task(self._keep(made))
        self._keeping.add(keeping)
        keeping.add_done_callback(self._keeping.discard)
        if len(made) > FEW:
            await asyncio.shield(keeping)
        return made

    async def settled(self) -> None:
        """Return once every vector that is being made is kept."""
        if self._under_way:
            await asyncio.wait(set(self._under_way.values()))
        if self._keeping:
            await asyncio.wait(set(self._keeping))

    async def _known(self, keys: Sequence[bytes]) -> dict[bytes, Half]:
        found: dict[bytes, Half] = {}
        async with self._database.read() as connection:
            for some in portions(keys):
                rows = await connection.execute(
                    select(EncodingRow.key, EncodingRow.vector).where(col(EncodingRow.key).in_(some))
                )
                found.update((one, np.frombuffer(vector, np.float16)) for one, vector in rows)
        return found

    async def _keep(self, made: dict[bytes, Half]) -> None:
        """Keep vectors; until they are, whoever asks for one of them gets it as being under way."""
        try:
            await self._kept.write(made)
        except Unavailable as away:
            log.warning("%d vectors are not kept and will be made again: %s", len(made), away)
        finally:
            for one in made:
                del self._under_way[one]


async def _keep(connection: Connection, many: Sequence[dict[bytes, Half]]) -> Sequence[None]:
    made = {one: vector for some in many for one, vector in some.items()}
    rows = [{"key": one, "vector": vector.tobytes()} for one, vector in made.items()]
    await insert_new(connection, EncodingRow, rows)
    return [None] * len(many)


def key(fingerprint: str, text: str, kind: Kind = "passage") -> bytes:
    """Name the cached vector of a text."""
    words = f"{fingerprint}\0{kind}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(words, digest_size=16).digest()
