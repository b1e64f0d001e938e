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
    """Return all communities by name."""
    rows = await connection.execute(select(*columns(CommunityRow, "id", "name")).order_by(col(CommunityRow.name)))
    return [Community(id=row.id, name=row.name) for row in rows]


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
    if name is None:
        raise Mistake(f"There are several communities: {names}. Say which: --community NAME")
    for one in known:
        if one.name == name:
            return one
    raise Mistake(f"There is no community {name!r}. KnownChannel: {names}.")


async def _tried_out(connection: Connection) -> set[int]:
    """Return the communities of the playground, which are there to be tried."""
    tried = select(col(SpaceRow.community_id)).where(col(SpaceRow.ref).startswith("playground:"))
    return set(await connection.scalars(tried))


async def find_or_make(connection: Connection, name: str, now: datetime) -> Community:
    """Return the community called so, made if need be."""
    for one in await every(connection):
        if one.name == name:
            return one
    rows = await insert_rows(connection, CommunityRow, [{"name": name, "created_at": now}], "id")
    return Community(id=rows[0].id, name=name)
