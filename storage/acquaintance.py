"""How well a community knows somebody: since when they are here, and how much they wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlmodel import col

from storage.tables import MembershipRow, MessageRow

if TYPE_CHECKING:
    from datetime import datetime

    from storage.connection import Connection

ENOUGH = 50
"""Messages that are counted at most: whoever wrote so many is no newcomer by any rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """What somebody wrote before a moment, `ENOUGH` at most, and when they came in, None where nobody told."""

    messages: int
    joined_at: datetime | None


async def of(connection: Connection, member: int, before: datetime) -> Acquaintance:
    """Return how well a member was known at a moment."""
    written = (
        select(col(MessageRow.id))
        .where(col(MessageRow.author_id) == member, col(MessageRow.sent_at) < before)
        .limit(ENOUGH)
        .subquery()
    )
    many = select(func.count()).select_from(written).scalar_subquery()
    came = select(func.min(col(MembershipRow.joined_at))).where(col(MembershipRow.member_id) == member)
    row = (
        await connection.execute(
            select(select(func.count()).select_from(written).scalar_subquery(), came.scalar_subquery())
        )
    ).one()
    joined = row[1]
    return Acquaintance(messages=int(row[0]), joined_at=joined)
