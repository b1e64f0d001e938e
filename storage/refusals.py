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
from storage.tables import CommunityRow, RefusalRow

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
        await insert_new(connection, RefusalRow, [{"key": self._key(community.id, member)}])

    async def lift(self, connection: Connection, community: Community, member: Ref) -> None:
        """Take a refusal back; without one, nothing changes."""
        numbers = [community.id, *await self._former(connection, community)]
        keys = [self._key(number, member) for number in numbers]
        await connection.execute(delete(RefusalRow).where(col(RefusalRow.key).in_(keys)))

    async def refused(self, connection: Connection, community: Community, members: Iterable[Ref]) -> set[Ref]:
        """Return those of these members of whom nothing may be held."""
        numbers = [community.id, *await self._former(connection, community)]
        keys = {self._key(number, member): member for member in members for number in numbers}
        found: set[Ref] = set()
        for some in portions(list(keys)):
            rows = await connection.scalars(select(col(RefusalRow.key)).where(col(RefusalRow.key).in_(some)))
            found.update(keys[bytes(key)] for key in rows)
        return found

    async def _former(self, connection: Connection, community: Community) -> Iterable[int]:
        """Return the communities that were linked to this one: who was forgotten there is refused here."""
        theirs = select(col(CommunityRow.id)).where(col(CommunityRow.joined_id) == community.id)
        return [number for number in await connection.scalars(theirs) if number is not None]

    def _key(self, community: int, member: Ref) -> bytes:
        words = f"{community}\0{member}".encode("utf-8", "surrogatepass")
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
