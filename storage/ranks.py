"""What members may do here, as far as their latest events tell: ranks themselves are the platform's, and not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import col

from bot.core.codec import load
from bot.core.events import Arrival, actor
from bot.core.things import Rank
from storage.tables import InboxRow
from storage.trail import events_of

if TYPE_CHECKING:
    from bot.core.events import Event
    from bot.core.things import Community, Member
    from storage.connection import Connection

LOOKED_AT = 5
"""Latest events that are looked at."""


async def last_seen(connection: Connection, community: Community, member: Member) -> Rank:
    """Return the rank that a member's latest events show; who did nothing lately is no staff to us."""
    events = await connection.scalars(
        select(col(InboxRow.event))
        .where(events_of(community, member), col(InboxRow.event) != "")
        .order_by(col(InboxRow.id).desc())
        .limit(LOOKED_AT)
    )
    return max((_rank(load(Arrival, event).event) for event in events), default=Rank.MEMBER)


def _rank(event: Event) -> Rank:
    who = actor(event)
    said: Rank | None = getattr(event, "rank", who.rank if who else None)
    return said or Rank.MEMBER
