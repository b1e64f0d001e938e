"""Persons: the accounts that proved to be the same human, and what then holds for all of them alike (decision 18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update
from sqlmodel import col

from bot.core.things import Community
from storage import members
from storage.rows import columns, insert_rows
from storage.tables import CommunityRow, ConsentRow, MemberRow, PersonRow

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.things import Member
    from storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One of a person's accounts, and the community that it is in."""

    member: Member
    community: Community


async def accounts(connection: Connection, person: int) -> list[Account]:
    """Return all accounts of a person, in every community."""
    rows = await connection.execute(
        select(*members.COLUMNS, *columns(MemberRow, "community_id"), col(CommunityRow.name).label("community"))
        .join(CommunityRow, col(CommunityRow.id) == col(MemberRow.community_id))
        .where(col(MemberRow.person_id) == person)
        .order_by(col(MemberRow.id))
    )
    return [
        Account(member=members.read(row), community=Community(id=row.community_id, name=row.community)) for row in rows
    ]


async def others(connection: Connection, member: Member) -> list[Account]:
    """Return the other accounts of the human behind an account."""
    return [one for one in await accounts(connection, member.person) if one.member.id != member.id]


async def account(connection: Connection, number: int) -> Account | None:
    """Return the account of a member's number."""
    member = await members.by_number(connection, number)
    every = await accounts(connection, member.person) if member else []
    return next((one for one in every if one.member.id == number), None)


async def link(connection: Connection, one: Member, other: Member, now: datetime) -> None:
    """Let two accounts be one person's, with all that either has; of what they said of consent, the stricter holds."""
    if one.person == other.person:
        return
    theirs = col(MemberRow.person_id) == other.person
    await connection.execute(update(MemberRow).where(theirs).values(person_id=one.person))
    await connection.execute(delete(PersonRow).where(col(PersonRow.id) == other.person))
    await agree(connection, one.person, now)


async def agree(connection: Connection, person: int, now: datetime) -> None:
    """Let a no of one account be the no of all. A silence stays one: it is for each community to say what it means."""
    numbers = select(col(MemberRow.id)).where(col(MemberRow.person_id) == person)
    refused = select(col(ConsentRow.member_id)).where(
        col(ConsentRow.member_id).in_(numbers), col(ConsentRow.collected).is_(False)
    )
    if await connection.scalar(refused.limit(1)):
        await set_consent(connection, person, collected=False, now=now)


async def set_consent(connection: Connection, person: int, *, collected: bool | None, now: datetime) -> None:
    """Store what a human said about being collected, for each of their accounts."""
    for one in await accounts(connection, person):
        await members.set_consent(connection, one.member.id, collected=collected, now=now)


async def unlink(connection: Connection, member: Member, now: datetime) -> None:
    """Let an account be a person of its own again; what was said about being collected holds for both."""
    if not await others(connection, member):
        return
    [made] = await insert_rows(connection, PersonRow, [{"created_at": now}], "id")
    mine = col(MemberRow.id) == member.id
    await connection.execute(update(MemberRow).where(mine).values(person_id=made.id))
