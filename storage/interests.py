"""What members say they like, in their own words: kept as theirs, newest first, until they take it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update
from sqlmodel import col

from storage.rows import columns, insert_new, portions
from storage.tables import InterestRow, MemberRow

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Row, Select

    from bot.core.actions import Source
    from bot.core.things import Community
    from storage.connection import Connection

MOST = 10
"""Of one account; the oldest gives way. Whoever named more has likely moved on."""
LONGEST = 500
"""Characters of one that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """What somebody said they like, when, and where they said it."""

    id: int
    member: int
    text: str
    source: Source
    at: datetime


async def of(connection: Connection, *accounts: int) -> list[Interest]:
    """Return what somebody said they like by any of their accounts, newest first, the same words once."""
    found = await connection.execute(_chosen().where(col(InterestRow.member_id).in_(accounts)))
    newest: dict[str, Interest] = {}
    for row in found:
        newest.setdefault(row.text, _read(row))
    return list(newest.values())


async def by_account(connection: Connection, accounts: Collection[int]) -> dict[int, list[Interest]]:
    """Return what each of these accounts said it likes, newest first; those that said nothing are left out."""
    found: dict[int, list[Interest]] = {}
    for some in portions(sorted(accounts)):
        for row in await connection.execute(_chosen().where(col(InterestRow.member_id).in_(some))):
            found.setdefault(row.member_id, []).append(_read(row))
    return found


async def every(connection: Connection, community: Community) -> list[Interest]:
    """Return what the members of a community said they like, newest first."""
    ours = _chosen().join(MemberRow, col(MemberRow.id) == col(InterestRow.member_id))
    rows = await connection.execute(ours.where(col(MemberRow.community_id) == community.id))
    return [_read(row) for row in rows]


async def keep(connection: Connection, *, member: int, text: str, source: Source, now: datetime) -> None:
    """Keep what a member says they like; the same words count as said now."""
    text = text[:LONGEST]
    await drop(connection, member, text=text)
    await insert_new(connection, InterestRow, [{"member_id": member, "text": text, "source": source, "at": now}])
    mine = col(InterestRow.member_id) == member
    old = select(col(InterestRow.id)).where(mine).order_by(*NEWEST).offset(MOST)
    await connection.execute(delete(InterestRow).where(col(InterestRow.id).in_(list(await connection.scalars(old)))))


async def drop(connection: Connection, *accounts: int, text: str) -> None:
    """Take back what somebody said they like."""
    theirs = col(InterestRow.member_id).in_(accounts)
    await connection.execute(delete(InterestRow).where(theirs, col(InterestRow.text) == text[:LONGEST]))


async def move(connection: Connection, number: int, *, into: int) -> None:
    """Let what one row of a member said be another's."""
    await connection.execute(update(InterestRow).where(col(InterestRow.member_id) == number).values(member_id=into))


NEWEST = (col(InterestRow.at).desc(), col(InterestRow.id).desc())


def _chosen() -> Select[*tuple[object, ...]]:
    return select(*columns(InterestRow, "id", "member_id", "text", "source", "at")).order_by(*NEWEST)


def _read(row: Row[*tuple[object, ...]]) -> Interest:
    return Interest(id=row.id, member=row.member_id, text=row.text, source=row.source, at=row.at)
