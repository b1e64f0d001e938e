"""What members want to be sent in private, and when. Of several accounts of one human in a community, the last word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select, update
from sqlmodel import col

from bot.core import rhythms
from bot.core.rhythms import OFF, Rhythm
from storage import members
from storage.rows import columns, insert_new, portions
from storage.tables import MemberRow, MembershipRow, SubscriptionRow

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row

    from bot.core.actions import KeepSubscription, Subscribed
    from bot.core.things import Community, Member
    from storage.connection import Connection

HELD = columns(SubscriptionRow, "member_id", "wanted", "weekday", "hour", "zone", "last_at", "next_at")
LAST = (col(SubscriptionRow.at), col(SubscriptionRow.member_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What the account of this number said: when they want it, `off` if they do not, and when they had it last."""

    member: int
    when: str
    last_at: datetime | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Whom something is to be sent now: the instant that came, and when they had it the last time."""

    member: Member
    when: str
    planned: datetime
    last_at: datetime | None


async def of(connection: Connection, about: Subscribed, *accounts: int) -> Subscription | None:
    """Return the last word of somebody on what they want to be sent; None where they never said anything."""
    mine = (col(SubscriptionRow.member_id).in_(accounts), col(SubscriptionRow.about) == about)
    rows = (await connection.execute(select(*HELD).where(*mine).order_by(*LAST))).all()
    return _read(rows[-1]) if rows else None


async def due(connection: Connection, community: Community, now: datetime, *, about: Subscribed) -> list[Due]:
    """Return who is to be sent something now, those first who wait longest.

    Nobody who left, of whom nothing may be collected, or who said something else by another account since.
    """
    rows = await connection.execute(
        select(*HELD, *members.COLUMNS)
        .join(MemberRow, col(MemberRow.id) == col(SubscriptionRow.member_id))
        .where(col(MemberRow.community_id) == community.id, col(MemberRow.bot).is_(False))
        .where(col(SubscriptionRow.about) == about, col(SubscriptionRow.next_at) <= now)
        .order_by(col(SubscriptionRow.next_at), col(SubscriptionRow.member_id))
    )
    waiting = [(_read(row), members.read(row)) for row in rows]
    if not waiting:
        return []
    withheld = await members.withheld(connection, community, among=[one.id for _held, one in waiting])
    last = await _last_words(connection, community, about, {one.person for _held, one in waiting})
    return [
        Due(member=member, when=held.when, planned=held.next_at, last_at=held.last_at)
        for held, member in waiting
        if member.id not in withheld and last[member.person] == member.id and held.next_at is not None
    ]


async def digests(connection: Connection, community: Community, now: datetime) -> list[Due]:
    """Return who is to be sent a digest now."""
    return await due(connection, community, now, about="digest")


async def suggestions(connection: Connection, community: Community, now: datetime) -> list[Due]:
    """Return who is to be sent suggestions now."""
    return await due(connection, community, now, about="suggestions")


async def _last_words(
    connection: Connection, community: Community, about: Subscribed, persons: Collection[int]
) -> dict[int, int]:
    """Return by which account each human spoke last."""
    found: dict[int, int] = {}
    for some in portions(sorted(persons)):
        rows = await connection.execute(
            select(*columns(SubscriptionRow, "member_id"), *columns(MemberRow, "person_id"))
            .join(MemberRow, col(MemberRow.id) == col(SubscriptionRow.member_id))
            .where(col(MemberRow.community_id) == community.id, col(MemberRow.person_id).in_(some))
            .where(col(SubscriptionRow.about) == about)
            .order_by(*LAST)
        )
        found.update((row.person_id, row.member_id) for row in rows)
    return found


async def keep(connection: Connection, *, member: int, action: KeepSubscription, now: datetime) -> None:
    """Keep when a member wants something in place of what they said before, or that they had it; empty is nothing."""
    mine = (col(SubscriptionRow.member_id) == member, col(SubscriptionRow.about) == action.about)
    wanted = rhythms.stored(action.when)
    following = wanted.after(now) if wanted else None
    if action.served is not None:
        had = {"last_at": action.served, "next_at": following}
        same = _same(wanted or Rhythm())
        await connection.execute(update(SubscriptionRow).where(*mine, *same).values(had))
        return
    before = (await connection.execute(select(*HELD).where(*mine))).first()
    await connection.execute(delete(SubscriptionRow).where(*mine))
    if not action.when:
        return
    rhythm = wanted or (_rhythm(before) if before else Rhythm())
    row = {
        "member_id": member,
        "about": action.about,
        "wanted": wanted is not None,
        "weekday": rhythm.weekday,
        "hour": rhythm.hour,
        "zone": rhythm.zone,
        "at": now,
        "last_at": before.last_at if before else None,
        "next_at": following,
    }
    await insert_new(connection, SubscriptionRow, [row])


def _same(rhythm: Rhythm) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for what is wanted to be wanted at this rhythm still."""
    return (
        col(SubscriptionRow.wanted).is_(True),
        col(SubscriptionRow.weekday).is_not_distinct_from(rhythm.weekday),
        col(SubscriptionRow.hour) == rhythm.hour,
        col(SubscriptionRow.zone) == rhythm.zone,
    )


async def move(connection: Connection, number: int, *, into: int) -> None:
    """Let what one row of a member wants be another's; where both said something, a no holds."""
    rows = (
        await connection.execute(
            select(*columns(SubscriptionRow, "member_id", "about", "wanted")).where(
                col(SubscriptionRow.member_id).in_([number, into])
            )
        )
    ).all()
    there = {row.about for row in rows if row.member_id == into}
    for row in (one for one in rows if one.member_id == number):
        mine = (col(SubscriptionRow.member_id) == number, col(SubscriptionRow.about) == row.about)
        if row.about not in there:
            await connection.execute(update(SubscriptionRow).where(*mine).values(member_id=into))
            continue
        if not row.wanted:
            other = (col(SubscriptionRow.member_id) == into, col(SubscriptionRow.about) == row.about)
            await connection.execute(update(SubscriptionRow).where(*other).values(wanted=False, next_at=None))
        await connection.execute(delete(SubscriptionRow).where(*mine))


async def end(connection: Connection, member: int) -> None:
    """Send nothing more to a member who is in no channel any more; a no stays a no, for when they come back."""
    still = exists().where(col(MembershipRow.member_id) == member, col(MembershipRow.left_at).is_(None))
    mine = (col(SubscriptionRow.member_id) == member, col(SubscriptionRow.wanted))
    await connection.execute(delete(SubscriptionRow).where(*mine, ~still))


def _read(row: Row[*tuple[object, ...]]) -> Subscription:
    when = str(_rhythm(row)) if row.wanted else OFF
    return Subscription(member=row.member_id, when=when, last_at=row.last_at, next_at=row.next_at)


def _rhythm(row: Row[*tuple[object, ...]]) -> Rhythm:
    return Rhythm(hour=row.hour, zone=row.zone, weekday=row.weekday)
