"""A community's channel profiles, learned once for each state of its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlmodel import col

from storage.rows import insert_new
from storage.tables import ProfileRow

if TYPE_CHECKING:
    from datetime import datetime

    from storage.connection import Connection


async def load(
    connection: Connection, community: int, *, fingerprint: str, version: str, ending: str, since: datetime
) -> bytes | None:
    """Return the profiles of exactly this version, or those built after `since` whose version has this ending."""
    fresh = col(ProfileRow.version).endswith(ending) & (col(ProfileRow.built_at) > since)
    found: bytes | None = await connection.scalar(
        select(col(ProfileRow.data)).where(
            col(ProfileRow.community_id) == community,
            col(ProfileRow.fingerprint) == fingerprint,
            (col(ProfileRow.version) == version) | fresh,
        )
    )
    return found


async def save(
    connection: Connection, community: int, *, fingerprint: str, version: str, data: bytes, now: datetime
) -> None:
    """Keep the profiles in place of the last ones."""
    await drop(connection, community)
    row = {"community_id": community, "fingerprint": fingerprint, "version": version, "data": data, "built_at": now}
    await insert_new(connection, ProfileRow, [row])


async def drop(connection: Connection, community: int) -> None:
    """Forget the profiles; the next question learns them anew."""
    await connection.execute(delete(ProfileRow).where(col(ProfileRow.community_id) == community))
