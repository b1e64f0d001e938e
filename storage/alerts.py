"""Alerts: of what the staff was told and how that stands, so that a restart tells nothing twice; and what is muted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, cast

from sqlalchemy import delete, func, select, update
from sqlmodel import col

from bot.core.actions import Subject
from storage.rows import columns, insert_new
from storage.tables import AlertMuteRow, AlertRow, ChannelRow, MessageRow

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.actions import Alerted, KeepAlert, KeepMute
    from bot.core.things import Community, Ref
    from storage.connection import Connection

LATE = timedelta(hours=2)
"""How old the newest message is at most, where there is something to look at."""

ABOUT_CHANNELS: tuple[Literal["channel", "mood"], ...] = ("channel", "mood")
"""Kinds of subjects that are named by a channel's reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Of what the staff was told: since when it is on, when it was last told or closed, and how it stands."""

    id: str
    subject: Subject
    began: datetime
    at: datetime
    count: int
    standing: Alerted


async def due(connection: Connection, community: Community, now: datetime) -> list[int]:
    """Return what there is to look at: a message that was sent of late, if there is one, and alerts that are open."""
    rooms = select(col(ChannelRow.id)).where(col(ChannelRow.community_id) == community.id)
    said = (col(MessageRow.channel_id).in_(rooms), col(MessageRow.sent_at) > now - LATE)
    late = list(await connection.scalars(select(col(MessageRow.id)).where(*said).limit(1)))
    still = (col(AlertRow.community_id) == community.id, col(AlertRow.standing) == "open")
    counted = (await connection.execute(select(func.count()).select_from(AlertRow).where(*still))).scalar_one()
    return [*late, *range(counted)]


async def since(connection: Connection, community: Community, moment: datetime) -> list[Alert]:
    """Return what is open, and what was told or closed since a moment, oldest first."""
    mine = col(AlertRow.community_id) == community.id
    rows = await connection.execute(
        select(*columns(AlertRow, "id", "subject", "began", "at", "standing"), col(AlertRow.count).label("messages"))
        .where(mine, (col(AlertRow.at) >= moment) | (col(AlertRow.standing) == "open"))
        .order_by(col(AlertRow.at))
    )
    return [
        Alert(
            id=row.id,
            subject=Subject.parse(row.subject),
            began=row.began,
            at=row.at,
            count=row.messages,
            standing=cast("Alerted", row.standing),
        )
        for row in rows
    ]


async def keep(connection: Connection, *, community: Community, action: KeepAlert, now: datetime) -> None:
    """Keep that the staff was told of something, or how that stands from now on."""
    row = {
        "id": action.alert,
        "community_id": community.id,
        "subject": str(action.subject),
        "began": action.began,
        "at": now,
        "count": action.count,
        "standing": action.standing,
    }
    await insert_new(connection, AlertRow, [row])
    mine = (col(AlertRow.id) == action.alert) & (col(AlertRow.community_id) == community.id)
    changed = {"standing": action.standing, "count": action.count, "at": now}
    await connection.execute(update(AlertRow).where(mine).values(changed))


async def muted(connection: Connection, community: Community, now: datetime) -> dict[Subject, datetime]:
    """Return what the staff wants to hear nothing of now, and until when."""
    mine = (col(AlertMuteRow.community_id) == community.id, col(AlertMuteRow.until) > now)
    rows = await connection.execute(select(*columns(AlertMuteRow, "subject", "until")).where(*mine))
    return {Subject.parse(row.subject): row.until for row in rows}


async def mute(connection: Connection, *, community: Community, action: KeepMute) -> None:
    """Keep until when the staff wants to hear nothing of something, in place of what held before."""
    mine = (col(AlertMuteRow.community_id) == community.id, col(AlertMuteRow.subject) == str(action.subject))
    await connection.execute(delete(AlertMuteRow).where(*mine))
    if action.until is not None:
        row = {
            "community_id": community.id,
            "subject": str(action.subject),
            "until": action.until,
            "muted_by": str(action.by or ""),
        }
        await insert_new(connection, AlertMuteRow, [row])


async def rename(connection: Connection, community: Community, old: Ref, new: Ref) -> None:
    """Let what was told and muted of a channel be of it as it is called now; what is muted under that name stays."""
    for kind in ABOUT_CHANNELS:
        before, after = str(Subject(kind=kind, name=str(old))), str(Subject(kind=kind, name=str(new)))
        told = (col(AlertRow.community_id) == community.id, col(AlertRow.subject) == before)
        await connection.execute(update(AlertRow).where(*told).values(subject=after))
        ours = col(AlertMuteRow.community_id) == community.id
        mine, theirs = (ours & (col(AlertMuteRow.subject) == one) for one in (before, after))
        if await connection.scalar(select(col(AlertMuteRow.subject)).where(theirs)) is not None:
            await connection.execute(delete(AlertMuteRow).where(mine))
        await connection.execute(update(AlertMuteRow).where(mine).values(subject=after))


async def purge(connection: Connection, community: int, before: datetime, *, limit: int) -> int:
    """Erase up to `limit` alerts that were over before a moment, and mutes that ended; return how many."""
    old = (col(AlertRow.community_id) == community) & (col(AlertRow.standing) != "open") & (col(AlertRow.at) < before)
    found = list(await connection.scalars(select(col(AlertRow.id)).where(old).limit(limit)))
    await connection.execute(delete(AlertRow).where(col(AlertRow.id).in_(found)))
    ended = (col(AlertMuteRow.community_id) == community, col(AlertMuteRow.until) < before)
    await connection.execute(delete(AlertMuteRow).where(*ended))
    return len(found)
