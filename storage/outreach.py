"""How it stands with members who did not ask to be written to: read from acts, consent, wishes and zones."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlmodel import col

from bot.core import rhythms
from bot.core.outreach import WEEK, Outreach, against
from bot.core.rhythms import Rhythm
from storage import members, policies
from storage.rows import columns, portions
from storage.tables import ActRow, ConsentRow, MemberRow, SubscriptionRow, WishRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.core.policies import Policy
    from bot.core.things import Community, Member, Ref
    from storage.connection import Connection

MARK = '"unasked":true'
"""How a stored action says that nobody asked for it; before a quote in somebody's words there is a stroke."""
HEARD = ("intended", "done", "unknown")
"""States of acts that were heard, or may have been."""


async def of(
    connection: Connection, community: Community, policy: Policy, refs: Iterable[Ref], now: datetime
) -> dict[Ref, Outreach]:
    """Return how it stands with these members, by all accounts that their human has in the community."""
    found = await members.by_refs(connection, community, refs)
    accounts = await _accounts(connection, community, {one.person for one in found.values()})
    every = [number for some in accounts.values() for number in some]
    sent = await _sent(connection, community, [ref for some in accounts.values() for ref in some.values()], now - WEEK)
    refused, homes = await _refused(connection, every), await _zones(connection, every)
    stopped, opted = await _stopped(connection, every), await _opted(connection, every)
    told: dict[Ref, Outreach] = {}
    for ref, member in found.items():
        mine = accounts[member.person]
        zone = next((homes[number] for number in homes if number in mine), policy.time_zone)
        end = max((stopped[one] for one in mine if one in stopped), default=None)
        hour = now.astimezone(await asyncio.to_thread(rhythms.clock_of, zone)).hour
        told[ref] = Outreach(
            person=member.person,
            sent=sum(sent.get(one, 0) for one in mine.values()),
            night=policy.quiet is not None and policy.quiet.holds(hour),
            refused=bool(refused & mine.keys()),
            stopped=end is not None,
            again=end is not None and any(opted[one] > end for one in mine if one in opted),
        )
    return told


async def open_to(
    connection: Connection,
    community: Community,
    those: Sequence[Member],
    now: datetime,
    *,
    often: bool = False,
    wanted: bool = False,
) -> list[Member]:
    """Return to whom something may be written now that they did not ask for; `often` leaves out how much they heard.

    What is `wanted` they switched on themselves.
    """
    if not those:
        return []
    policy = (await policies.load(connection, community)).policy
    known = await of(connection, community, policy, [one.ref for one in those], now)
    fine = {"", "often"} if often else {""}
    said = {ref: against(one, most=policy.most_a_week, wanted=wanted) for ref, one in known.items()}
    return [one for one in those if one.ref in said and said[one.ref] in fine]


async def zone_of(connection: Connection, community: Community, policy: Policy, member: Member) -> str:
    """Return the time zone that somebody named last by any account of theirs, else the community's."""
    mine = await members.alike(connection, community, member)
    return next(iter((await _zones(connection, sorted(mine))).values()), policy.time_zone)


async def _accounts(connection: Connection, community: Community, persons: set[int]) -> dict[int, dict[int, str]]:
    """Return the accounts of humans in a community: numbers and references, by person."""
    found: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for some in portions(sorted(persons)):
        rows = await connection.execute(
            select(*columns(MemberRow, "id", "ref", "person_id")).where(
                col(MemberRow.community_id) == community.id, col(MemberRow.person_id).in_(some)
            )
        )
        for row in rows:
            found[row.person_id][row.id] = row.ref
    return dict(found)


async def _sent(connection: Connection, community: Community, refs: Sequence[str], since: datetime) -> dict[str, int]:
    """Count by account what was written to it since a moment though nobody asked for it."""
    found: dict[str, int] = {}
    for some in portions(refs):
        rows = await connection.execute(
            select(*columns(ActRow, "channel"), func.count().label("times"))
            .where(col(ActRow.channel).in_(some), col(ActRow.community_id) == community.id)
            .where(col(ActRow.state).in_(HEARD), col(ActRow.intended_at) > since)
            .where(col(ActRow.action).contains(MARK, autoescape=True))
            .group_by(col(ActRow.channel))
        )
        found |= {row.channel: row.times for row in rows}
    return found


async def _refused(connection: Connection, numbers: Sequence[int]) -> set[int]:
    """Return who of these said that nothing of theirs may be used."""
    found: set[int] = set()
    for some in portions(numbers):
        said = (col(ConsentRow.member_id).in_(some), col(ConsentRow.collected).is_(False))
        found |= set(await connection.scalars(select(col(ConsentRow.member_id)).where(*said)))
    return found


async def _stopped(connection: Connection, numbers: Sequence[int]) -> dict[int, datetime]:
    """Return which of these accounts said that they want to be asked nothing more, and when."""
    found: dict[int, datetime] = {}
    for some in portions(numbers):
        said = (col(WishRow.member_id).in_(some), col(WishRow.wish) == "reminders", col(WishRow.wanted).is_(False))
        rows = await connection.execute(select(*columns(WishRow, "member_id", "at")).where(*said))
        found |= {row.member_id: row.at for row in rows}
    return found


async def _opted(connection: Connection, numbers: Sequence[int]) -> dict[int, datetime]:
    """Return when these accounts last switched on what is written to them: introductions or suggestions."""
    found: dict[int, datetime] = {}
    for some in portions(numbers):
        people = select(*columns(WishRow, "member_id", "at")).where(
            col(WishRow.member_id).in_(some), col(WishRow.wish) == "people", col(WishRow.wanted)
        )
        weekly = select(*columns(SubscriptionRow, "member_id", "at")).where(
            col(SubscriptionRow.member_id).in_(some),
            col(SubscriptionRow.about) == "suggestions",
            col(SubscriptionRow.wanted),
        )
        for row in [*await connection.execute(people), *await connection.execute(weekly)]:
            found[row.member_id] = max(row.at, found.get(row.member_id, row.at))
    return found


async def _zones(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """Return the time zones that these accounts named, the last word first.

    Who only ever said no named none: such a row is of UTC.
    """
    named = col(SubscriptionRow.wanted).is_(True) | (col(SubscriptionRow.zone) != Rhythm().zone)
    rows = [
        row
        for some in portions(numbers)
        for row in await connection.execute(
            select(*columns(SubscriptionRow, "member_id", "zone", "at")).where(
                col(SubscriptionRow.member_id).in_(some), named
            )
        )
    ]
    said: dict[int, str] = {}
    for row in sorted(rows, key=lambda one: one.at, reverse=True):
        said.setdefault(row.member_id, row.zone)
    return said
