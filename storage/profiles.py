"""A community's channel profiles, learned once for each state of its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlmodel import col, select

from storage.rows import insert_new
from storage.tables import ProfileRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection


async def load(connection: AsyncConnection, community: int, *, fingerprint: str, version: str) -> bytes | None:
    """Return the profiles of exactly this state, or None."""
    return (
        await connection.execute(
            select(ProfileRow.data).where(
                ProfileRow.community_id == community,
                ProfileRow.fingerprint == fingerprint,
                ProfileRow.version == version,
            )
        )
    ).scalar_one_or_none()


async def save(
    connection: AsyncConnection, community: int, *, fingerprint: str, version: str, data: bytes, now: datetime
) -> None:
    """Keep the profiles in place of the last ones."""
    await drop(connection, community)
    row = {"community_id": community, "fingerprint": fingerprint, "version": version, "data": data, "built_at": now}
    await insert_new(connection, ProfileRow, [row])


async def drop(connection: AsyncConnection, community: int) -> None:
    """Forget the profiles; the next question learns them anew."""
    await connection.execute(delete(ProfileRow).where(col(ProfileRow.community_id) == community))
