"""A community's channel profiles, learned once for each state of its channels, consent and accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select
from sqlmodel import col

from storage.rows import columns, insert_new
from storage.tables import ProfileRow

if TYPE_CHECKING:
    from datetime import datetime

    from storage.connection import Connection

LABEL = select(*columns(ProfileRow, "fingerprint", "version", "built_at")).where(
    col(ProfileRow.community_id) == bindparam("community")
)
"""Asked with every question, so built once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Names profiles: the encoder's fingerprint, what they were learned of (`Common.mark`), and when."""

    fingerprint: str
    version: str
    built_at: datetime


async def label(connection: Connection, community: int) -> Label | None:
    """Return what the profiles that are kept are called."""
    row = (await connection.execute(LABEL, {"community": community})).first()
    return Label(fingerprint=row.fingerprint, version=row.version, built_at=row.built_at) if row else None


async def load(connection: Connection, community: int) -> tuple[Label, bytes] | None:
    """Return the profiles that are kept."""
    rows = await connection.execute(LABEL.add_columns(col(ProfileRow.data)), {"community": community})
    row = rows.first()
    if row is None:
        return None
    return Label(fingerprint=row.fingerprint, version=row.version, built_at=row.built_at), row.data


async def save(connection: Connection, community: int, called: Label, data: bytes) -> None:
    """Keep profiles in place of the last ones."""
    await drop(connection, community)
    row = {
        "community_id": community,
        "fingerprint": called.fingerprint,
        "version": called.version,
        "data": data,
        "built_at": called.built_at,
    }
    await insert_new(connection, ProfileRow, [row])


async def drop(connection: Connection, community: int) -> None:
    """Forget the profiles; the next question learns them anew."""
    await connection.execute(delete(ProfileRow).where(col(ProfileRow.community_id) == community))
