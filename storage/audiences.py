"""Who reads along where something stands: read once for a community, then asked of many standing answers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import col

from bot.core.things import Audience, Ref
from storage import members, policies
from storage.rows import columns, portions
from storage.tables import ChannelRow, MemberRow, MembershipRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bot.core.things import Community
    from storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Audiences:
    """Which channels' words may stand where, as it is now.

    `open` are the channels that everyone reads, `closed` those that their members read; archived ones count as what
    they are, since their readers still read them. What the bot does not read is in neither, but among the `rooms`,
    which are all channels that several read. `withheld` are the authors whose words may not be used, `visited` the
    channels with a guest in them.
    """

    numbers: Mapping[Ref, int]
    rooms: frozenset[int]
    open: frozenset[int]
    closed: frozenset[int]
    withheld: frozenset[int]
    visited: frozenset[int]
    joined: Mapping[int, frozenset[int]] = field(default_factory=dict)
    guests: frozenset[int] = frozenset()

    def is_direct(self, where: Ref) -> bool:
        """Say whether a place is none that several read: a direct conversation, or one that is not known."""
        return self.numbers.get(where) not in self.rooms

    def aloud(self, where: Ref) -> frozenset[int]:
        """Return the channels whose words all who read along in a channel may read: its own, and the open ones.

        A guest in it reads of the open ones only those that they are in, so that its own are left.
        """
        here = self.numbers.get(where)
        own = frozenset({here} if here is not None else ()) & (self.open | self.closed)
        return own if here in self.visited else own | self.open

    def alone(self, member: int) -> frozenset[int]:
        """Return the channels that a human reads by any of their accounts in the community."""
        mine = self.joined.get(member, frozenset())
        return (self.open & mine if member in self.guests else self.open) | (self.closed & mine)


async def load(connection: Connection, community: Community, askers: Collection[int]) -> Audiences:
    """Read who reads along anywhere, and what those read who were answered alone."""
    rules = await policies.load(connection, community)
    rows = await connection.execute(
        select(*columns(ChannelRow, "id", "ref", "audience")).where(col(ChannelRow.community_id) == community.id)
    )
    known = [(row.id, Ref.parse(row.ref), Audience(row.audience)) for row in rows]
    read = [one for one in known if rules.reads(one[1])]
    joined, guests = await _askers(connection, community, askers)
    return Audiences(
        numbers={ref: number for number, ref, _audience in known},
        rooms=frozenset(number for number, _ref, audience in known if audience is not Audience.DIRECT),
        open=frozenset(number for number, _ref, audience in read if audience is Audience.EVERYONE),
        closed=frozenset(number for number, _ref, audience in read if audience is Audience.MEMBERS),
        withheld=await members.withheld(connection, community),
        visited=await _visited(connection, community),
        joined=joined,
        guests=guests,
    )


async def _visited(connection: Connection, community: Community) -> frozenset[int]:
    """Return the channels with a guest in them."""
    rows = await connection.scalars(
        select(col(MembershipRow.channel_id))
        .join(MemberRow, col(MemberRow.id) == col(MembershipRow.member_id))
        .where(col(MemberRow.community_id) == community.id, col(MemberRow.guest).is_(True))
        .where(col(MembershipRow.left_at).is_(None))
        .distinct()
    )
    return frozenset(rows)


async def _askers(
    connection: Connection, community: Community, askers: Collection[int]
) -> tuple[dict[int, frozenset[int]], frozenset[int]]:
    """Return the channels that each asker is in by any account of theirs, and who is a guest by all of these."""
    persons: dict[int, int] = {}
    for some in portions(sorted(askers)):
        rows = await connection.execute(
            select(*columns(MemberRow, "id", "person_id")).where(col(MemberRow.id).in_(some))
        )
        persons |= {row.id: row.person_id for row in rows}
    rooms: defaultdict[int, set[int]] = defaultdict(set)
    at_home: set[int] = set()
    for some in portions(sorted(set(persons.values()))):
        theirs = (col(MemberRow.community_id) == community.id) & col(MemberRow.person_id).in_(some)
        for row in await connection.execute(select(*columns(MemberRow, "person_id", "guest")).where(theirs)):
            at_home |= set() if row.guest else {row.person_id}
        statement = (
            select(*columns(MemberRow, "person_id"), *columns(MembershipRow, "channel_id"))
            .join(MembershipRow, col(MembershipRow.member_id) == col(MemberRow.id))
            .where(theirs, col(MembershipRow.left_at).is_(None))
        )
        for row in await connection.execute(statement):
            rooms[row.person_id].add(row.channel_id)
    joined = {member: frozenset(rooms[person]) for member, person in persons.items()}
    return joined, frozenset(member for member, person in persons.items() if person not in at_home)
