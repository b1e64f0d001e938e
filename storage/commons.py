"""What everyone may read in a community, now: looked at with every question, built anew where something changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Text, bindparam, cast, func, select
from sqlmodel import col

from storage import channels, members, policies
from storage.rows import columns, table
from storage.tables import ChannelRow, ConsentRow, LedgerRow, MemberRow, PersonRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import BindParameter, ColumnElement
    from sqlalchemy.sql.functions import Function

    from bot.core.ports import Scope
    from bot.core.things import Channel, Community
    from storage.connection import Connection

Seen = tuple[object, ...]


def _together(*told: ColumnElement[object]) -> Function[str]:
    """Return some columns of all rows as one text: read many times as quickly as the rows."""
    first, *others = (cast(one, Text) for one in told)
    row: ColumnElement[str] = first
    for other in others:
        row = row + "\x1f" + other
    return func.aggregate_strings(row, "\x1e")


OURS: BindParameter[int] = bindparam("community")
CHANNELS = select(_together(*columns(ChannelRow, "id", "ref", "name", "description", "audience", "archived"))).where(
    col(ChannelRow.community_id) == OURS
)
CONSENTS = select(_together(*columns(ConsentRow, "member_id", "collected")))
FORGOTTEN = select(func.max(col(LedgerRow.id))).where(
    col(LedgerRow.community_id) == OURS, col(LedgerRow.act) == "forget"
)
NEWEST = select(col(PersonRow.created_at)).order_by(col(PersonRow.id).desc()).limit(1)
COUNTED = (select(func.count()).select_from(table(model)) for model in (MemberRow, PersonRow))
"""Accounts that become one human's, or several humans', change how many there are of either, or who came last."""
SEEN = select(*(one.scalar_subquery() for one in (CHANNELS, CONSENTS, FORGOTTEN, NEWEST, *COUNTED)))
NUMBERS = select(_together(*columns(MemberRow, "id"))).where(col(MemberRow.community_id) == OURS)
"""Statements of every question are built once: that costs more than executing them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """Channels that everyone may read and the bot reads, and nobody who withheld consent.

    `doubles` are accounts of those who have several, each with the first; `mark` names all of it in a few letters, and
    who was forgotten last, so that what was learned from it is known to be of it.
    """

    scope: Scope
    channels: Mapping[int, Channel]
    doubles: Mapping[int, int]
    mark: str


@dataclass(slots=True)
class Commons:
    """Remembers what each community looked like last, and what came of it."""

    _last: dict[int, tuple[Seen, Common]] = field(default_factory=dict)

    async def of(self, connection: Connection, community: Community) -> Common:
        """Return what everyone may read now."""
        seen = await _see(connection, community)
        known = self._last.get(community.id)
        if known is not None and known[0] == seen:
            return known[1]
        common = await read(connection, community)
        self._last[community.id] = (seen, common)
        return common


async def read(connection: Connection, community: Community) -> Common:
    """Return what everyone may read now, read without a memory."""
    reach = await channels.reach(connection, community, None)
    doubles = await members.doubles(connection, community)
    forgotten = await connection.scalar(FORGOTTEN, {"community": community.id})
    heard = await _heard(connection, community, reach.scope)
    told = repr((heard, sorted(reach.channels.items()), sorted(doubles.items()), forgotten))
    return Common(
        scope=reach.scope,
        channels=dict(reach.channels),
        doubles=doubles,
        mark=hashlib.sha256(told.encode()).hexdigest()[:32],
    )


async def _heard(connection: Connection, community: Community, scope: Scope) -> tuple[str, list[int]]:
    """Tell whose words may be used, so that who is new and said nothing of it yet makes nothing old.

    Where silence means no, everybody who comes is one more who withholds: there, those who agreed tell the same.
    """
    if await policies.consent(connection, community) == "opt_out":
        return "all but", sorted(scope.not_authors)
    everyone = await connection.scalars(select(col(MemberRow.id)).where(col(MemberRow.community_id) == community.id))
    return "none but", sorted({number for number in everyone if number is not None} - scope.not_authors)


async def _see(connection: Connection, community: Community) -> Seen:
    """Read all that the answer depends on, as it lies in the tables."""
    ours = {"community": community.id}
    rules = (await connection.execute(policies.SET, ours)).all()
    asked = any(row.name == "consent" and not row.channel for row in rules)
    seen = (await connection.execute(SEEN, ours)).one()
    # Where silence means no, whoever comes or goes changes it.
    return (*map(tuple, rules), *seen, await connection.scalar(NUMBERS, ours) if asked else "")
