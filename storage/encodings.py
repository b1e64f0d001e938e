"""The cache of vectors by encoder fingerprint and text, shared by traffic, import, evaluation and reindex."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from sqlmodel import col, select

from storage.rows import insert_new, portions
from storage.tables import EncodingRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.ports import Encoder, Kind, Vector
    from storage.db import Database

Half = np.ndarray[tuple[int], np.dtype[np.float16]]


class CachedEncoder:
    """An encoder that asks the cache first. Keeps float16, which moves a cosine by less than .0005."""

    def __init__(self, encoder: Encoder, database: Database) -> None:
        self._encoder = encoder
        self._database = database

    @property
    def fingerprint(self) -> str:
        """Name the weights behind the cache."""
        return self._encoder.fingerprint

    @property
    def size(self) -> int:
        """Return the number of dimensions."""
        return self._encoder.size

    async def encode(self, texts: Sequence[str], *, kind: Kind = "passage") -> Vector:
        """Encode texts, in order; each distinct new text once."""
        if kind == "query":  # asked once, and a search must not have to wait for a writer
            return await self._encoder.encode(texts, kind=kind)
        keys = [key(self.fingerprint, text, kind) for text in texts]
        known = await self._known(list(dict.fromkeys(keys)))
        new = {one: text for one, text in zip(keys, texts, strict=True) if one not in known}
        if new:
            made = (await self._encoder.encode(list(new.values()), kind=kind)).astype(np.float16)
            known.update(zip(new, made, strict=True))
            await self._keep({one: known[one] for one in new})
        return np.stack([known[one] for one in keys]).astype(np.float32) if keys else np.zeros((0, self.size), "f4")

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
        rows = [{"key": one, "vector": vector.tobytes()} for one, vector in made.items()]
        await self._database.write(lambda connection: insert_new(connection, EncodingRow, rows))


def key(fingerprint: str, text: str, kind: Kind = "passage") -> bytes:
    """Name the cached vector of a text."""
    words = f"{fingerprint}\0{kind}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(words, digest_size=16).digest()
