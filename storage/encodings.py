"""The cache of vectors by encoder fingerprint and text, shared by traffic, import, evaluation and reindex."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import itertools
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import bindparam
from sqlmodel import col, select

from bot.core.errors import Gone
from storage.rows import insert_new, portions
from storage.tables import EncodingRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.core.ports import Encoder, Kind, Vector
    from storage.connection import Connection
    from storage.db import Database

REMEMBERED = 8192
"""Vectors made last that are held in memory: more than wait between what was said and the index."""

KEPT = select(EncodingRow.key, EncodingRow.vector).where(col(EncodingRow.key).in_(bindparam("keys", expanding=True)))

Half = np.ndarray[tuple[int], np.dtype[np.float16]]


class CachedEncoder:
    """An encoder that asks its memory and the cache first, and keeps nothing in the cache by itself.

    What is asked of the bot is in no message, and what was said may be deleted before its vector is made: so the index
    keeps vectors, together with their points. In float16, which moves a cosine by less than .0005.
    """

    def __init__(self, encoder: Encoder, database: Database) -> None:
        self._encoder = encoder
        self._database = database
        self._under_way: dict[bytes, asyncio.Future[Half]] = {}
        self._made: dict[bytes, Half] = {}
        self._since = object()
        """Another after each forget: what was under way then is not remembered."""

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
        if kind == "query":  # asked once
            return await self._encoder.encode(texts, kind=kind)
        keys = [key(self.fingerprint, text, kind) for text in texts]
        wanted = dict(zip(keys, texts, strict=True))
        known = self._remembered(wanted)
        if unknown := [one for one in wanted if one not in known and one not in self._under_way]:
            known |= await self._kept(unknown)
            known |= self._remembered(wanted)
        missing = {one: text for one, text in wanted.items() if one not in known}
        others = {one: self._under_way[one] for one in missing if one in self._under_way}
        known |= await self._make({one: text for one, text in missing.items() if one not in others}, kind)
        for one, vector in others.items():
            known[one] = await asyncio.shield(vector)
        return np.stack([known[one] for one in keys]).astype(np.float32) if keys else np.zeros((0, self.size), "f4")

    def forget(self) -> None:
        """Forget what was made, as after somebody's words were erased."""
        self._made.clear()
        self._since = object()

    async def _make(self, new: dict[bytes, str], kind: Kind) -> dict[bytes, Half]:
        """Encode texts; whoever asks for one of them meanwhile waits for the same vector."""
        if not new:
            return {}
        asked: dict[bytes, asyncio.Future[Half]] = {one: asyncio.get_running_loop().create_future() for one in new}
        since = self._since
        self._under_way.update(asked)
        try:
            vectors = (await self._encoder.encode(list(new.values()), kind=kind)).astype(np.float16)
            made = dict(zip(new, vectors, strict=True))
        except BaseException:
            for answer in asked.values():
                answer.set_exception(Gone("The encoder was cut off."))
                answer.exception()  # nobody may be waiting for it
            raise
        finally:
            for one in asked:
                del self._under_way[one]
        for one, vector in made.items():
            asked[one].set_result(vector)
        if since is self._since:
            self._remember(made)
        return made

    def _remember(self, made: dict[bytes, Half]) -> None:
        self._made |= made
        for oldest in list(itertools.islice(self._made, max(0, len(self._made) - REMEMBERED))):
            del self._made[oldest]

    def _remembered(self, wanted: Iterable[bytes]) -> dict[bytes, Half]:
        return {one: self._made[one] for one in wanted if one in self._made}

    async def _kept(self, keys: Sequence[bytes]) -> dict[bytes, Half]:
        return await self._database.look(functools.partial(_kept, keys=keys))


class KeepingEncoder(CachedEncoder):
    """A cached encoder that keeps every passage: for texts that no member wrote to the bot, as of an evaluation."""

    async def _make(self, new: dict[bytes, str], kind: Kind) -> dict[bytes, Half]:
        made = await super()._make(new, kind)
        vectors = {new[one]: vector for one, vector in made.items()}
        await self._database.write(functools.partial(keep, fingerprint=self.fingerprint, vectors=vectors))
        return made


async def _kept(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, Half]:
    found: dict[bytes, Half] = {}
    for some in portions(keys):
        rows = await connection.execute(KEPT, {"keys": some})
        found.update((one, np.frombuffer(vector, np.float16)) for one, vector in rows)
    return found


async def kept(connection: Connection, *, fingerprint: str, texts: Sequence[str]) -> dict[str, Half]:
    """Return the vectors of those passages that are kept, by their texts."""
    keys = {key(fingerprint, text): text for text in texts}
    return {keys[one]: vector for one, vector in (await _kept(connection, list(keys))).items()}


async def keep(connection: Connection, *, fingerprint: str, vectors: Mapping[str, Vector | Half]) -> None:
    """Keep the vectors of passages, by their texts."""
    rows = [
        {"key": key(fingerprint, text), "vector": vector.astype(np.float16).tobytes()}
        for text, vector in vectors.items()
    ]
    await insert_new(connection, EncodingRow, rows)


def key(fingerprint: str, text: str, kind: Kind = "passage") -> bytes:
    """Name the cached vector of a text."""
    words = f"{fingerprint}\0{kind}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(words, digest_size=16).digest()
