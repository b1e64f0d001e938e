"""The ledger: what was done, by whom and why. Only ever added to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import col

from storage.rows import columns, insert_rows
from storage.tables import LedgerRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from storage.connection import Connection

VERSION = 1


async def note(
    connection: Connection,
    community: int,
    *,
    at: datetime,
    actor: str,
    act: str,
    details: Mapping[str, object],
) -> None:
    """Add an entry; `details` holds numbers and references, never text that a member wrote."""
    row = {"community_id": community, "at": at, "actor": actor, "act": act, "details": {"v": VERSION, **details}}
    await insert_rows(connection, LedgerRow, [row], "id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry as it was written; `id` grows from one to the next."""

    id: int
    community: int
    at: datetime
    details: Mapping[str, object]


async def entries(connection: Connection, act: str, *, after: int = 0) -> list[Entry]:
    """Return the entries of one kind of act that came after one, oldest first; only what came since is looked at."""
    rows = await connection.execute(
        select(*columns(LedgerRow, "id", "community_id", "at", "details"))
        .where(col(LedgerRow.id) > after, col(LedgerRow.act) == act)
        .order_by(col(LedgerRow.id))
    )
    return [Entry(id=row.id, community=row.community_id, at=row.at, details=row.details) for row in rows]
