"""The ledger: what was done, by whom and why. Only ever added to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.rows import insert_rows
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
