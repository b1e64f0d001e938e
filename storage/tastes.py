"""Which conversations were shown to members as missed, and what they thought of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update
from sqlmodel import col

from storage.rows import columns, insert_new
from storage.tables import MemberRow, MessageRow, TasteRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.core.actions import KeepTaste, Taste
    from bot.core.things import Community
    from storage.connection import Connection

KEPT = 200
"""Of each member's tastes, the newest count."""
SHOWN = timedelta(days=90)
"""How long it is kept that something was shown: by then it is long too old to be missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasted:
    """A conversation that was shown to somebody, by its label, where it was, and what they think of it."""

    conversation: int
    channel: int
    taste: Taste
    at: datetime


async def of(connection: Connection, *accounts: int) -> dict[int, Tasted]:
    """Return what somebody was shown, by conversation; of several accounts of theirs, the last word."""
    rows = await connection.execute(
        select(*columns(TasteRow, "conversation", "channel_id", "taste", "at"))
        .where(col(TasteRow.member_id).in_(accounts))
        .order_by(col(TasteRow.at).desc())
        .limit(KEPT)
    )
    found: dict[int, Tasted] = {}
    for row in rows:
        tasted = Tasted(conversation=row.conversation, channel=row.channel_id, taste=row.taste, at=row.at)
        found.setdefault(row.conversation, tasted)
    return found


async def keep(connection: Connection, community: Community, member: int, action: KeepTaste, *, now: datetime) -> None:
    """Keep what a member thinks of conversations in place of what they thought before; empty takes it back.

    That one was shown once more changes nothing of what they said of it.
    """
    mine = (col(TasteRow.member_id) == member, col(TasteRow.conversation).in_(action.conversations))
    if action.taste == "shown" and not action.before:
        await connection.execute(update(TasteRow).where(*mine).values(at=now))
    elif action.taste:
        await connection.execute(delete(TasteRow).where(*mine))
    else:
        await connection.execute(delete(TasteRow).where(*mine, col(TasteRow.taste) == action.before))
        return
    where = await _rooms(connection, community, action.conversations)
    told = {"member_id": member, "taste": action.taste, "at": now}
    await insert_new(
        connection, TasteRow, [{**told, "conversation": one, "channel_id": room} for one, room in where.items()]
    )


async def purge(connection: Connection, community: int, now: datetime, *, limit: int) -> int:
    """Erase up to `limit` notes that something was shown long ago, of which nobody said anything; return how many."""
    ours = select(col(MemberRow.id)).where(col(MemberRow.community_id) == community)
    over = (col(TasteRow.taste) == "shown") & (col(TasteRow.at) < now - SHOWN) & col(TasteRow.member_id).in_(ours)
    old = (
        await connection.execute(select(*columns(TasteRow, "member_id", "conversation")).where(over).limit(limit))
    ).all()
    for row in old:
        one = (col(TasteRow.member_id) == row.member_id, col(TasteRow.conversation) == row.conversation)
        await connection.execute(delete(TasteRow).where(*one))
    return len(old)


async def _rooms(connection: Connection, community: Community, labels: Sequence[int]) -> dict[int, int]:
    """Return in which channels conversations are; one that is not known yet is called as its first message."""
    ours = col(MessageRow.community_id) + 0 == community.id
    known = await connection.execute(
        select(*columns(MessageRow, "conversation"), func.min(col(MessageRow.channel_id)).label("channel"))
        .where(ours, col(MessageRow.conversation).in_(labels))
        .group_by(col(MessageRow.conversation))
    )
    begun = await connection.execute(
        select(*columns(MessageRow, "id", "channel_id")).where(ours, col(MessageRow.id).in_(labels))
    )
    return {row.id: row.channel_id for row in begun} | {row.conversation: row.channel for row in known}
