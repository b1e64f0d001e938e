"""How well a community knows somebody: since when they are here, and how much they wrote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlmodel import col

from storage.tables import MemberRow, MembershipRow, MessageRow

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.things import Community
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
    row = (await connection.execute(select(many.label("many"), came.scalar_subquery().label("came")))).one()
    return Acquaintance(messages=row.many, joined_at=_instant(row.came))


async def before(connection: Connection, community: Community, moment: datetime) -> dict[int, Acquaintance]:
    """Return how well each member of a community was known at a moment, by their number."""
    written = (
        select(col(MessageRow.author_id), func.count().label("many"))
        .where(col(MessageRow.community_id) == community.id, col(MessageRow.sent_at) < moment)
        .group_by(col(MessageRow.author_id))
        .subquery()
    )
    came = (
        select(col(MembershipRow.member_id), func.min(col(MembershipRow.joined_at)).label("first"))
        .group_by(col(MembershipRow.member_id))
        .subquery()
    )
    rows = await connection.execute(
        select(col(MemberRow.id), written.c.many, came.c.first)
        .join(written, written.c.author_id == col(MemberRow.id), isouter=True)
        .join(came, came.c.member_id == col(MemberRow.id), isouter=True)
        .where(col(MemberRow.community_id) == community.id)
    )
    return {row.id: Acquaintance(messages=row.many or 0, joined_at=_instant(row.first)) for row in rows}


def _instant(moment: datetime | None) -> datetime | None:
    return moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
