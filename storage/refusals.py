"""Who wants nothing held: a keyed hash of each, which names nobody and recognises them when they come again.

The key is a file of the home, so that a copy of the tables alone cannot be searched for a name.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlmodel import col

from bot.core.errors import Misconfigured
from storage.rows import insert_new, portions
from storage.tables import RefusalRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bot.core.things import Community, Ref
    from storage.connection import Connection

KEY_FILE = "refusal.key"
KEY_SIZE = 32


@dataclass(frozen=True, slots=True)
class Refusals:
    """The refusals of one home. Hold on to it: looking somebody up is one hash and one row."""

    _secret: bytes

    async def refuse(self, connection: Connection, community: Community, member: Ref) -> None:
        """Keep that nothing of this member may be held."""
        await insert_new(connection, RefusalRow, [{"key": self._key(community, member)}])

    async def lift(self, connection: Connection, community: Community, member: Ref) -> None:
        """Take a refusal back; without one, nothing changes."""
        await connection.execute(delete(RefusalRow).where(col(RefusalRow.key) == self._key(community, member)))

    async def refused(self, connection: Connection, community: Community, members: Iterable[Ref]) -> set[Ref]:
        """Return those of these members of whom nothing may be held."""
        keys = {self._key(community, member): member for member in members}
        found: set[Ref] = set()
        for some in portions(list(keys)):
            rows = await connection.scalars(select(col(RefusalRow.key)).where(col(RefusalRow.key).in_(some)))
            found.update(keys[bytes(key)] for key in rows)
        return found

    def _key(self, community: Community, member: Ref) -> bytes:
        words = f"{community.id}\0{member}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(words, key=self._secret, digest_size=16).digest()


async def load(home: Path) -> Refusals:
    """Open the refusals of a home, its key made at the first use. Raises Misconfigured for a key that is none."""
    return Refusals(await asyncio.to_thread(_secret, home))


def _secret(home: Path) -> bytes:
    path = home / KEY_FILE
    if not path.exists():
        _make(path)
    secret = path.read_bytes()
    if len(secret) != KEY_SIZE:
        raise Misconfigured(f"{path} holds {len(secret)} bytes instead of {KEY_SIZE}. Restore it from a backup.")
    return secret


def _make(path: Path) -> None:
    """Write a new key whole, readable by its owner alone; of two processes that come at once, the first one's holds."""
    with tempfile.NamedTemporaryFile(dir=path.parent) as unfinished:
        unfinished.write(secrets.token_bytes(KEY_SIZE))
        unfinished.flush()
        os.fsync(unfinished.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(unfinished.name, path)
