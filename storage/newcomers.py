"""Newcomers: who was welcomed, and whom to ask a while later whether they found their place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select, update
from sqlmodel import col

from storage import feedback, members, outreach
from storage.rows import columns, insert_new
from storage.tables import ActRow, FeedbackRow, MemberRow, MessageRow, NewcomerRow

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from bot.core.actions import Met
    from bot.core.things import Community, Member
    from storage.connection import Connection

AFTER, LATEST = timedelta(days=7), timedelta(days=10)
"""How long after a welcome a newcomer is asked again; whoever could not be by then is left alone."""
ONCE = timedelta(days=30)
"""For so long who comes again is not welcomed again."""
WAITING = timedelta(days=1)
"""For how long a welcome waits for an hour at which it may be written."""
ENOUGH = 2
"""Messages of somebody who has begun to talk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """When somebody was welcomed, and when they were asked again, if they were.

    One whose welcome `waits` came at that time, and was not welcomed yet.
    """

    welcomed_at: datetime
    followed_at: datetime | None
    waits: bool = False

    @property
    def was_asked(self) -> bool:
        """Return whether they were welcomed, and asked again or not any more."""
        return self.followed_at is not None and not self.waits

    @property
    def met(self) -> Met:
        """Return how far they were met."""
        return "followed" if self.followed_at else "waiting" if self.waits else "welcomed"


async def of(connection: Connection, *accounts: int) -> Newcomer | None:
    """Return how somebody was met last, by any of their accounts; None for whom nobody welcomed."""
    row = (
        await connection.execute(
            select(*columns(NewcomerRow, "welcomed_at", "followed_at", "waits"))
            .where(col(NewcomerRow.member_id).in_(accounts))
            .order_by(col(NewcomerRow.welcomed_at).desc())
        )
    ).first()
    return Newcomer(welcomed_at=row.welcomed_at, followed_at=row.followed_at, waits=row.waits) if row else None


async def due(connection: Connection, community: Community, now: datetime) -> list[Member]:
    """Return who was welcomed a week ago and not asked again, those who came first first."""
    rows = await connection.execute(
        select(*members.COLUMNS)
        .join(NewcomerRow, col(NewcomerRow.member_id) == col(MemberRow.id))
        .where(col(MemberRow.community_id) == community.id, col(NewcomerRow.followed_at).is_(None))
        .where(col(NewcomerRow.waits).is_(False))
        .where(col(NewcomerRow.welcomed_at) > now - LATEST, col(NewcomerRow.welcomed_at) <= now - AFTER)
        .order_by(col(NewcomerRow.welcomed_at), col(MemberRow.id))
    )
    return [members.read(row) for row in rows]


async def waiting(connection: Connection, community: Community, now: datetime) -> list[Member]:
    """Return who came at an hour at which nobody is written to and may be welcomed now, those who came first first.

    Nobody to whom that was tried since, nor who came more than a day ago: they have looked around by then.
    """
    tried = exists().where(
        col(ActRow.channel) == col(MemberRow.ref),
        col(ActRow.community_id) == col(MemberRow.community_id),
        col(ActRow.intended_at) >= col(NewcomerRow.welcomed_at),
        col(ActRow.action).contains(outreach.MARK, autoescape=True),
    )
    rows = await connection.execute(
        select(*members.COLUMNS)
        .join(NewcomerRow, col(NewcomerRow.member_id) == col(MemberRow.id))
        .where(col(MemberRow.community_id) == community.id, col(MemberRow.guest).is_(False))
        .where(col(NewcomerRow.waits), col(NewcomerRow.followed_at).is_(None), ~tried)
        .where(col(NewcomerRow.welcomed_at) > now - WAITING)
        .order_by(col(NewcomerRow.welcomed_at), col(MemberRow.id))
    )
    return await outreach.open_to(connection, community, [members.read(row) for row in rows], now)


async def has_settled(connection: Connection, accounts: Collection[int], since: datetime) -> bool:
    """Say whether somebody took a channel that was offered, or wrote twice since a moment: then they need no asking."""
    took = select(col(FeedbackRow.member_id)).where(
        col(FeedbackRow.member_id).in_(accounts), col(FeedbackRow.opinion) == feedback.JOINED
    )
    if await connection.scalar(took.limit(1)) is not None:
        return True
    wrote = select(col(MessageRow.id)).where(col(MessageRow.author_id).in_(accounts), col(MessageRow.sent_at) >= since)
    return len((await connection.scalars(wrote.limit(ENOUGH))).all()) == ENOUGH


async def left(connection: Connection, member: int, *, at: datetime) -> None:
    """Ask somebody no more who is not there any more."""
    mine = (col(NewcomerRow.member_id) == member, col(NewcomerRow.followed_at).is_(None))
    await connection.execute(update(NewcomerRow).where(*mine).values(followed_at=at))


async def keep(connection: Connection, *, member: int, met: Met, now: datetime) -> None:
    """Keep how far a newcomer was met: to be welcomed later, welcomed now, asked again now, or not at all."""
    mine = col(NewcomerRow.member_id) == member
    before = await of(connection, member)
    if met == "followed" and before is not None:
        await connection.execute(update(NewcomerRow).where(mine).values(followed_at=now))
        return
    if met == "welcomed" and before is not None and before.was_asked and now - before.welcomed_at < ONCE:
        # Taken back that they were asked: they were welcomed when they were. Nobody is welcomed again so soon.
        await connection.execute(update(NewcomerRow).where(mine).values(followed_at=None))
        return
    await connection.execute(delete(NewcomerRow).where(mine))
    if met:
        followed = now if met == "followed" else None
        row = {"member_id": member, "welcomed_at": now, "followed_at": followed, "waits": met == "waiting"}
        await insert_new(connection, NewcomerRow, [row])


async def move(connection: Connection, number: int, *, into: int) -> None:
    """Let one row of a member have been met as another one was; where both were, as the one that stays."""
    mine = col(NewcomerRow.member_id) == number
    if await of(connection, into) is None:
        await connection.execute(update(NewcomerRow).where(mine).values(member_id=into))
    await connection.execute(delete(NewcomerRow).where(mine))
