"""What somebody finds, as `/search` and `kinfolk search` look for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import channels

if TYPE_CHECKING:
    from bot.core.things import Community, Member
    from brains.knowledge.retrieval import Found, Retrieval


async def find(
    retrieval: Retrieval, community: Community, query: str, *, reader: Member | None = None, limit: int = 5
) -> list[Found]:
    """Search as a member; without one, what everyone may read."""
    async with retrieval.database.read() as connection:
        reach = await channels.reach(connection, community, reader)
    return await retrieval.search(query, reach=reach, limit=limit)
