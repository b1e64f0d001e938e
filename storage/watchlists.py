"""Watchlists: words that the staff of a community wants to hear of, and who of them added each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlmodel import col

from bot.core.things import Ref
from storage.rows import columns, insert_new
from storage.tables import WatchwordRow

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.actions import KeepWatchword
    from bot.core.things import Community
    from storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchword:
    """A word that is watched, since when, and who added it; None for somebody who is forgotten."""

    word: str
    added_at: datetime
    added_by: Ref | None


async def every(connection: Connection, community: Community) -> list[Watchword]:
    """Return the words that a community watches, in the order in which they were added."""
    rows = await connection.execute(
        select(*columns(WatchwordRow, "word", "added_at", "added_by"))
        .where(col(WatchwordRow.community_id) == community.id)
        .order_by(col(WatchwordRow.added_at), col(WatchwordRow.word))
    )
    return [
        Watchword(word=row.word, added_at=row.added_at, added_by=Ref.parse(row.added_by) if row.added_by else None)
        for row in rows
    ]


async def keep(connection: Connection, *, community: Community, action: KeepWatchword, now: datetime) -> None:
    """Watch a word from now on, or no more where it is not `watched`."""
    if action.watched:
        row = {"community_id": community.id, "word": action.word, "added_at": now, "added_by": str(action.by or "")}
        await insert_new(connection, WatchwordRow, [row])
        return
    mine = (col(WatchwordRow.community_id) == community.id, col(WatchwordRow.word) == action.word)
    await connection.execute(delete(WatchwordRow).where(*mine))
