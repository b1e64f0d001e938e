"""Spaces: which community a Discord server, a Slack workspace or a Telegram group belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import col, select

from bot.core.events import Named
from bot.core.things import Ref
from storage import communities
from storage.rows import columns, insert_new
from storage.tables import CommunityRow, SpaceRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.communities import Community


async def community_of(connection: AsyncConnection, space: Ref) -> Community | None:
    """Return the community that a space belongs to, None for a space not met before."""
    found = await connection.execute(
        select(*columns(CommunityRow, "id", "name", "consent"))
        .join(SpaceRow, col(SpaceRow.community_id) == col(CommunityRow.id))
        .where(col(SpaceRow.ref) == str(space))
    )
    row = found.first()
    return communities.Community(id=row.id, name=row.name, consent=row.consent) if row else None


async def settle(connection: AsyncConnection, space: Named, now: datetime) -> Community:
    """Return the community of a space; a new space gets a community of its own, called like it."""
    if known := await community_of(connection, space.ref):
        return known
    taken = {one.name for one in await communities.every(connection)}
    name = next(name for name in _names(space.name) if name not in taken)
    community = await communities.find_or_make(connection, name, now)
    await belong(connection, space, community)
    return community


async def belong(connection: AsyncConnection, space: Named, community: Community) -> None:
    """Let a space belong to a community."""
    row = {"ref": str(space.ref), "community_id": community.id, "name": space.name}
    await insert_new(connection, SpaceRow, [row])


async def of(connection: AsyncConnection, community: Community) -> list[Named]:
    """Return a community's spaces."""
    rows = await connection.execute(
        select(*columns(SpaceRow, "ref", "name"))
        .where(col(SpaceRow.community_id) == community.id)
        .order_by(col(SpaceRow.ref))
    )
    return [Named(ref=Ref.parse(row.ref), name=row.name) for row in rows]


def _names(name: str) -> list[str]:
    return [name, *(f"{name} {number}" for number in range(2, 1000))]
