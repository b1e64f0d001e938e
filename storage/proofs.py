"""Proofs: codes that live for ten minutes, made on one side and entered on the other, and confirmed on both.

Nothing is linked by a code alone. Whoever made it and whoever entered it is shown the other, and says yes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, func, select, update
from sqlmodel import col

from bot.core.commands import CODE
from storage import persons
from storage.rows import columns, insert_new
from storage.tables import MemberRow, ProofRow

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.things import Member, Ref
    from storage.connection import Connection
    from storage.persons import Account

Subject = Literal["person", "community"]
"""What a code links."""

TRY = "try"
"""The subject of a code that is wrong."""
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 letters without those that look alike: nobody mistakes 0 for O, or 1 for I."""
LASTING = timedelta(minutes=10)
TRIES = 5
"""Codes that a member may enter within that time: with a million live codes, one in 200,000 would meet one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A live code: who made it, who entered it, if anybody did, and whether they confirmed what it links."""

    code: str
    maker: Account
    other: Account | None = None
    confirmed: bool = False

    @property
    def claimed(self) -> Account:
        """Return who entered it; there is somebody once it is confirmed."""
        assert self.other is not None  # noqa: S101 - asked for only where it was entered
        return self.other

    def links(self, maker: Ref, other: int) -> bool:
        """Say whether both are who they should be, and the other side confirmed: the maker's word is the last."""
        return self.confirmed and self.maker.member.ref == maker and self.claimed.member.id == other


def new_code() -> str:
    """Make a code that nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE))


def normal(typed: str) -> str:
    """Return a code as it was made, however it was typed."""
    return typed.strip().upper()[:CODE]


async def find(connection: Connection, code: str, subject: Subject, now: datetime) -> Proof | None:
    """Return what a live code stands for; None for one that nobody made, that is over or was used."""
    live = (col(ProofRow.code) == code) & (col(ProofRow.subject) == subject) & (col(ProofRow.expires_at) > now)
    rows = (
        await connection.execute(
            select(*columns(ProofRow, "member_id", "made", "confirmed")).where(live).order_by(col(ProofRow.member_id))
        )
    ).all()
    made, entered = (next((row for row in rows if row.made is side), None) for side in (True, False))
    maker = await persons.account(connection, made.member_id) if made else None
    if maker is None:
        return None
    other = await persons.account(connection, entered.member_id) if entered else None
    confirmed = bool(entered and entered.confirmed)
    return Proof(code=code, maker=maker, other=other, confirmed=confirmed)


async def made_by(connection: Connection, member: Member, subject: Subject, now: datetime) -> Proof | None:
    """Return the live code that a member made."""
    code = await connection.scalar(
        select(col(ProofRow.code)).where(
            col(ProofRow.member_id) == member.id,
            col(ProofRow.subject) == subject,
            col(ProofRow.made).is_(True),
            col(ProofRow.expires_at) > now,
        )
    )
    return await find(connection, code, subject, now) if code else None


async def tries(connection: Connection, member: Member, now: datetime) -> int:
    """Count the codes that a member entered lately."""
    theirs = (col(ProofRow.member_id) == member.id) & col(ProofRow.made).is_(False) & (col(ProofRow.expires_at) > now)
    counted: int = await connection.scalar(select(func.count()).select_from(ProofRow).where(theirs))
    return counted


async def make(connection: Connection, member: Member, code: str, subject: Subject, now: datetime) -> None:
    """Keep a new code of a member's in the place of their last one."""
    mine = select(col(ProofRow.code)).where(
        col(ProofRow.member_id) == member.id, col(ProofRow.subject) == subject, col(ProofRow.made).is_(True)
    )
    await connection.execute(delete(ProofRow).where(col(ProofRow.code).in_(mine), col(ProofRow.code) != code))
    await _keep(connection, member, code, subject, now, made=True)


async def enter(connection: Connection, member: Member, code: str, subject: Subject, now: datetime) -> None:
    """Keep that a member entered a code; one that nobody made, or that somebody else holds, counts as a try alone."""
    proof = await find(connection, code, subject, now)
    theirs = proof is not None and proof.other is None
    if theirs:
        # They may have entered it where it is none: after the wrong command.
        tried = (col(ProofRow.code) == code) & (col(ProofRow.member_id) == member.id)
        await connection.execute(delete(ProofRow).where(tried, col(ProofRow.subject) == TRY))
    await _keep(connection, member, code, subject if theirs else TRY, now, made=False)


async def confirm(connection: Connection, member: Member, code: str, subject: Subject, now: datetime) -> None:
    """Keep that whoever entered a code said yes to what it links, in whatever community they are called so."""
    proof = await find(connection, code, subject, now)
    if proof is None or proof.other is None or proof.other.member.ref != member.ref:
        return
    theirs = (col(ProofRow.code) == code) & (col(ProofRow.member_id) == proof.other.member.id)
    await connection.execute(update(ProofRow).where(theirs).values(confirmed=True))


async def drop(connection: Connection, code: str) -> None:
    """Let a code mean nothing any more: it was used, or somebody said no."""
    await connection.execute(delete(ProofRow).where(col(ProofRow.code) == code))


async def drop_between(connection: Connection, *communities: int) -> None:
    """Let every code by which one of these communities would be linked mean nothing any more: they are others now."""
    theirs = (
        select(col(ProofRow.code))
        .join(MemberRow, col(MemberRow.id) == col(ProofRow.member_id))
        .where(col(ProofRow.subject) == "community", col(MemberRow.community_id).in_(communities))
    )
    await connection.execute(delete(ProofRow).where(col(ProofRow.code).in_(theirs)))


async def purge(connection: Connection, now: datetime) -> None:
    """Erase codes whose time is over."""
    await connection.execute(delete(ProofRow).where(col(ProofRow.expires_at) <= now))


async def move(connection: Connection, member: int, into: int) -> None:
    """Let codes of one row of a member be another's."""
    taken = select(col(ProofRow.code)).where(col(ProofRow.member_id) == into)
    mine = col(ProofRow.member_id) == member
    await connection.execute(delete(ProofRow).where(mine, col(ProofRow.code).in_(taken)))
    await connection.execute(update(ProofRow).where(mine).values(member_id=into))


async def _keep(connection: Connection, member: Member, code: str, subject: str, now: datetime, *, made: bool) -> None:
    here = select(col(MemberRow.id)).where(col(MemberRow.id) == member.id)
    if await connection.scalar(here) is None:
        return
    row = {
        "code": code,
        "member_id": member.id,
        "subject": subject,
        "made": made,
        "confirmed": False,
        "expires_at": now + LASTING,
    }
    await insert_new(connection, ProofRow, [row])
