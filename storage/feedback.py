"""What members think of the channels that were suggested to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlmodel import col

from storage.rows import columns, insert_new
from storage.tables import FeedbackRow

if TYPE_CHECKING:
    from datetime import datetime

    from storage.connection import Connection

JOINED, DECLINED = "joined", "declined"


async def of(connection: Connection, *accounts: int) -> dict[int, str]:
    """Return what somebody said of channels, by channel; of several accounts of theirs, the last word."""
    rows = await connection.execute(
        select(*columns(FeedbackRow, "channel_id", "opinion"))
        .where(col(FeedbackRow.member_id).in_(accounts))
        .order_by(col(FeedbackRow.at))
    )
    return {row.channel_id: row.opinion for row in rows}


async def keep(connection: Connection, *, member: int, channel: int, opinion: str, now: datetime) -> None:
    """Keep what a member thinks of a channel in place of what they thought before; empty takes it back."""
    await connection.execute(
        delete(FeedbackRow).where(col(FeedbackRow.member_id) == member, col(FeedbackRow.channel_id) == channel)
    )
    if opinion:
        row = {"member_id": member, "channel_id": channel, "opinion": opinion, "at": now}
        await insert_new(connection, FeedbackRow, [row])
