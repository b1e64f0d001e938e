"""Communities: found by name, made by the first import or bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import col

from bot.core.errors import Mistake
from bot.core.things import Community
from storage.rows import columns, insert_rows
from storage.tables import CommunityRow, SpaceRow

if TYPE_CHECKING:
    from datetime import datetime

    from storage.connection import Connection


async def every(connection: Connection) -> list[Community]:
    """Return all communities by name; those that were linked to another are part of it."""
    rows = await connection.execute(
        select(*columns(CommunityRow, "id", "name"))
        .where(col(CommunityRow.joined_id).is_(None))
        .order_by(col(CommunityRow.name))
    )
    return [Community(id=row.id, name=row.name) for row in rows]


async def taken(connection: Connection) -> dict[str, int]:
    """Return every name that a community has or had, and the number of the one that it means now."""
    rows = await connection.execute(select(*columns(CommunityRow, "id", "name", "joined_id")))
    return {row.name: row.joined_id or row.id for row in rows}


async def linked(connection: Connection) -> list[tuple[int, Community]]:
    """Return the numbers of communities that were linked to another, each with the one that it is part of."""
    names = {one.id: one for one in await every(connection)}
    rows = await connection.execute(
        select(*columns(CommunityRow, "id", "joined_id")).where(col(CommunityRow.joined_id).is_not(None))
    )
    return [(row.id, names[row.joined_id]) for row in rows if row.joined_id in names]


async def now(connection: Connection, community: Community) -> Community:
    """Return what a community is now: itself, or the one that it was linked to."""
    return dict(await linked(connection)).get(community.id, community)


async def find(connection: Connection, name: str | None) -> Community:
    """Return the community called so, or the only one when no name is given, samples aside. Raises Mistake."""
    known = await every(connection)
    if not known:
        raise Mistake("There is no community yet. Import one: kinfolk import jsonl FILE --community NAME")
    if name is None and len(known) == 1:
        return known[0]
    tried = await _tried_out(connection)
    own = [one for one in known if one.id not in tried]
    if name is None and len(own) == 1:
        return own[0]
    names = ", ".join(one.name for one in known)
    number = (await taken(connection)).get(name or "")
    if name is None:
        raise Mistake(f"There are several communities: {names}. Say which: --community NAME")
    for one in known:
        if one.id == number:
            return one
    raise Mistake(f"There is no community {name!r}. Known: {names}.")


async def _tried_out(connection: Connection) -> set[int]:
    """Return the communities of the playground, which are there to be tried."""
    tried = select(col(SpaceRow.community_id)).where(col(SpaceRow.ref).startswith("playground:"))
    return set(await connection.scalars(tried))


async def find_or_make(connection: Connection, name: str, now: datetime) -> Community:
    """Return the community called so, or that one called so was linked to, made if need be."""
    number = (await taken(connection)).get(name)
    for one in await every(connection):
        if one.id == number:
            return one
    rows = await insert_rows(connection, CommunityRow, [{"name": name, "created_at": now}], "id")
    return Community(id=rows[0].id, name=name)


async def began(connection: Connection) -> dict[int, datetime]:
    """Return when each community was made, by its number."""
    rows = await connection.execute(select(*columns(CommunityRow, "id", "created_at")))
    return {row.id: row.created_at for row in rows}
