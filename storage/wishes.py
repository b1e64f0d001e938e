"""What members opted in for: nobody gets it unasked. Of several accounts of one human in a community, the last word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select, update
from sqlmodel import col

from storage.rows import columns, insert_new, portions
from storage.tables import MemberRow, MembershipRow, WishRow

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from bot.core.actions import Wish
    from bot.core.things import Community
    from storage.connection import Connection

SHOWN = columns(WishRow, "member_id", "wish", "wanted")
LAST = (col(WishRow.at), col(WishRow.member_id))


async def of(connection: Connection, *accounts: int) -> frozenset[str]:
    """Return what somebody opted in for."""
    return frozenset(wish for wish, wanted in (await _words(connection, accounts)).items() if wanted)


async def word(connection: Connection, wish: Wish, *accounts: int) -> bool | None:
    """Return what somebody said of a wish; None where they never said anything."""
    return (await _words(connection, accounts)).get(wish)


async def _words(connection: Connection, accounts: Collection[int]) -> dict[str, bool]:
    rows = await connection.execute(select(*SHOWN).where(col(WishRow.member_id).in_(accounts)).order_by(*LAST))
    return {row.wish: row.wanted for row in rows}


async def wishing(
    connection: Connection, community: Community, wish: Wish, *, among: Collection[int] | None = None
) -> dict[int, int]:
    """Return the accounts in a community whose human opted in, and each one's person; `among` asks about some."""
    last: dict[int, bool] = {}
    whose: dict[int, int] = {}
    for some in [None] if among is None else portions(sorted(among)):
        statement = (
            select(*SHOWN, *columns(MemberRow, "person_id"))
            .join(MemberRow, col(MemberRow.id) == col(WishRow.member_id))
            .where(col(MemberRow.community_id) == community.id, col(MemberRow.bot).is_(False))
            .where(col(WishRow.wish) == wish)
            .order_by(*LAST)
        )
        for row in await connection.execute(
            statement if some is None else statement.where(col(WishRow.member_id).in_(some))
        ):
            last[row.person_id] = row.wanted
            whose[row.member_id] = row.person_id
    return {member: person for member, person in whose.items() if last[person]}


async def keep(connection: Connection, *, member: int, wish: Wish, on: bool | None, now: datetime) -> None:
    """Keep what a member says of a wish in place of what they said before; None takes it back."""
    mine = (col(WishRow.member_id) == member, col(WishRow.wish) == wish)
    await connection.execute(delete(WishRow).where(*mine))
    if on is not None:
        await insert_new(connection, WishRow, [{"member_id": member, "wish": wish, "wanted": on, "at": now}])


async def move(connection: Connection, number: int, *, into: int) -> None:
    """Let wishes of one row of a member be another's; where both said something, the stricter holds."""
    rows = (await connection.execute(select(*SHOWN).where(col(WishRow.member_id).in_([number, into])))).all()
    there = {row.wish for row in rows if row.member_id == into}
    for row in rows:
        mine = (col(WishRow.member_id) == row.member_id, col(WishRow.wish) == row.wish)
        if row.member_id == into:
            continue
        if row.wish not in there:
            await connection.execute(update(WishRow).where(*mine).values(member_id=into))
            continue
        if not row.wanted:
            other = (col(WishRow.member_id) == into, col(WishRow.wish) == row.wish)
            await connection.execute(update(WishRow).where(*other).values(wanted=False))
        await connection.execute(delete(WishRow).where(*mine))


async def end(connection: Connection, member: int) -> None:
    """Take back what a member opted in for who is in no channel any more: whoever left is offered to nobody.

    A no stays a no, for when they come back.
    """
    still = exists().where(col(MembershipRow.member_id) == member, col(MembershipRow.left_at).is_(None))
    await connection.execute(delete(WishRow).where(col(WishRow.member_id) == member, col(WishRow.wanted), ~still))
