"""Which channels were suggested to members of the bot's own accord: what nobody took is not suggested for ever."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update
from sqlmodel import col

from storage import channels, impressions, outreach, subscriptions
from storage.rows import columns, insert_new
from storage.tables import SuggestedRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from bot.core.actions import KeepSuggested
    from bot.core.things import Channel, Community, Ref
    from storage.connection import Connection

LATELY = timedelta(days=30)
"""For so long what was offered, by whatever skill, is not suggested again."""
ENOUGH = 2
"""Suggestions of one channel that somebody passed over: a third would be one too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """How often a channel was suggested to a human, by any account of theirs, and when last."""

    times: int
    at: datetime


async def of(connection: Connection, *accounts: int) -> dict[int, Suggested]:
    """Return what was suggested to somebody, by channel."""
    rows = await connection.execute(
        select(*columns(SuggestedRow, "channel_id", "times", "at")).where(col(SuggestedRow.member_id).in_(accounts))
    )
    told: defaultdict[int, list[Suggested]] = defaultdict(list)
    for row in rows:
        told[row.channel_id].append(Suggested(times=row.times, at=row.at))
    return {
        channel: Suggested(times=sum(one.times for one in some), at=max(one.at for one in some))
        for channel, some in told.items()
    }


async def worn(
    connection: Connection,
    community: Community,
    rooms: Mapping[int, Channel],
    *,
    accounts: Collection[int],
    refs: Collection[Ref],
    now: datetime,
) -> frozenset[int]:
    """Return the channels that are not to be suggested to a human: offered lately, or passed over often enough."""
    told = await of(connection, *accounts)
    offered = await impressions.unanswered(connection, community, *refs, since=now - LATELY)
    passed = {channel for channel, one in told.items() if one.times >= ENOUGH or one.at > now - LATELY}
    return frozenset(passed | {number for number, room in rooms.items() if offered[str(room.ref)]})


async def due(connection: Connection, community: Community, now: datetime) -> list[subscriptions.Due]:
    """Return to whom suggestions are to be sent now: whose hour has come, and is no quiet one where they are."""
    waiting = await subscriptions.suggestions(connection, community, now)
    those = await outreach.open_to(connection, community, [one.member for one in waiting], now, often=True, wanted=True)
    awake = {one.id for one in those}
    return [one for one in waiting if one.member.id in awake]


async def keep(connection: Connection, community: Community, member: int, action: KeepSuggested) -> None:
    """Keep that channels were suggested to a member at a moment, or take that back; twice is as good as once."""
    for ref in action.channels:
        channel = await channels.by_ref(connection, community, ref)
        if channel is not None:
            count = _count if action.shown else _discount
            await count(connection, member, channel.id, action.at)


async def _count(connection: Connection, member: int, channel: int, at: datetime) -> None:
    mine = (col(SuggestedRow.member_id) == member, col(SuggestedRow.channel_id) == channel)
    more = update(SuggestedRow).where(*mine, col(SuggestedRow.at) < at)
    await connection.execute(more.values(times=col(SuggestedRow.times) + 1, at=at))
    row = {"member_id": member, "channel_id": channel, "times": 1, "at": at}
    await insert_new(connection, SuggestedRow, [row])


async def _discount(connection: Connection, member: int, channel: int, at: datetime) -> None:
    mine = (col(SuggestedRow.member_id) == member, col(SuggestedRow.channel_id) == channel, col(SuggestedRow.at) == at)
    await connection.execute(delete(SuggestedRow).where(*mine, col(SuggestedRow.times) <= 1))
    less = update(SuggestedRow).where(*mine)
    await connection.execute(less.values(times=col(SuggestedRow.times) - 1, at=at - LATELY))
