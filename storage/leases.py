"""Leases: of several processes on the same tables, which one does a thing that only one should do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, update
from sqlmodel import col

from storage.rows import insert_new
from storage.tables import LeaseRow

if TYPE_CHECKING:
    from datetime import datetime

    from storage.connection import Connection


async def hold(connection: Connection, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
    """Take a lease that nobody else holds, or go on holding it; says whether it is held now."""
    await insert_new(connection, LeaseRow, [{"name": name, "holder": holder, "until": until}])
    free = or_(col(LeaseRow.holder) == holder, col(LeaseRow.until) <= now)
    taken = (
        update(LeaseRow)
        .where(col(LeaseRow.name) == name, free)
        .values(holder=holder, until=until)
        .returning(col(LeaseRow.name))
    )
    return (await connection.execute(taken)).first() is not None


async def let_go(connection: Connection, name: str, *, holder: str) -> None:
    """Give a lease back, if it is held."""
    await connection.execute(delete(LeaseRow).where(col(LeaseRow.name) == name, col(LeaseRow.holder) == holder))


async def free(connection: Connection, name: str) -> None:
    """Take a lease from whoever holds it: for who knows that nobody else lives."""
    await connection.execute(delete(LeaseRow).where(col(LeaseRow.name) == name))
