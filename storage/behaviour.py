"""What members did beside writing, read in bulk to learn from: joins, leaves, refusals, offers, answers, reactions.

All of it is of a scope: channels that everyone may read, and nobody who withheld consent; bots did nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from bot.core.codec import load
from bot.core.events import Arrival, CommandGiven
from storage import impressions, trail
from storage.feedback import DECLINED, JOINED
from storage.rows import columns, table
from storage.tables import (
    AnswerRow,
    ChannelRow,
    FeedbackRow,
    InboxRow,
    MemberRow,
    MembershipRow,
    MessageRow,
    ReactionRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from bot.core.ports import Scope
    from bot.core.things import Community
    from storage.connection import Connection

SOON = timedelta(days=7)
"""Who leaves again within it never truly joined."""
SILENCE = timedelta(days=30)
"""Who took an offer and said nothing for so long did not find what they looked for."""
SEARCHES = ("search", "ask", "foryou")
"""Commands that tell what somebody looks for: in their line, where they were words of a message, else"""
FREE = ("words", "question")
"""in the arguments that are called so."""
MOST = 500
"""Searches that are read, the newest: nothing keeps their vectors, so each is encoded anew."""


@dataclass(frozen=True, slots=True)
class Deed:
    """That a member did something about a channel."""

    member: int
    channel: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """That a member turned to another one in a channel."""

    member: int
    other: int
    channel: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a member said that they look for."""

    member: int
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """All that is read at once. `offers` hold those that were not taken in the end, too: a join without a sequel."""

    joins: Sequence[Deed]
    leaves: Sequence[Deed]
    refusals: Sequence[Deed]
    offers: Sequence[Deed]
    replies: Sequence[Turn]
    reactions: Sequence[Turn]
    wanted: Sequence[Wanted]


async def read(connection: Connection, community: Community, scope: Scope, *, now: datetime) -> Deeds:
    """Read what members did in the channels of a scope."""
    bots = await connection.scalars(
        select(col(MemberRow.id)).where(col(MemberRow.community_id) == community.id, col(MemberRow.bot).is_(True))
    )
    nobody = scope.not_authors | frozenset(bots)
    memberships = await _memberships(connection, scope, nobody)
    opinions = await _opinions(connection, scope, nobody)
    taken = {(one.member, one.channel): one.at for one, opinion in opinions if opinion == JOINED}
    vain = await _vain(connection, memberships, taken, now)
    return Deeds(
        joins=[one for one, _ in memberships if (one.member, one.channel) not in vain],
        leaves=[Deed(one.member, one.channel, left) for one, left in memberships if left is not None],
        refusals=[one for one, opinion in opinions if opinion == DECLINED],
        offers=[*await _offers(connection, community, scope, nobody), *vain.values()],
        replies=await _replies(connection, scope, nobody),
        reactions=await _reactions(connection, scope, nobody),
        wanted=await _wanted(connection, community, nobody),
    )


async def _memberships(
    connection: Connection, scope: Scope, nobody: frozenset[int]
) -> list[tuple[Deed, datetime | None]]:
    """Return who came into which channel, and when they left it."""
    rows = await connection.execute(
        select(*columns(MembershipRow, "member_id", "channel_id", "joined_at", "left_at"))
        .join(ChannelRow, col(ChannelRow.id) == col(MembershipRow.channel_id))
        .where(col(ChannelRow.community_id) == scope.community)
    )
    return [
        (Deed(row.member_id, row.channel_id, row.joined_at), row.left_at)
        for row in rows
        if row.channel_id in (scope.channels or ()) and row.member_id not in nobody
    ]


async def _opinions(connection: Connection, scope: Scope, nobody: frozenset[int]) -> list[tuple[Deed, str]]:
    rows = await connection.execute(
        select(*columns(FeedbackRow, "member_id", "channel_id", "at", "opinion"))
        .join(ChannelRow, col(ChannelRow.id) == col(FeedbackRow.channel_id))
        .where(col(ChannelRow.community_id) == scope.community)
    )
    return [
        (Deed(row.member_id, row.channel_id, row.at), row.opinion)
        for row in rows
        if row.channel_id in (scope.channels or ()) and row.member_id not in nobody
    ]


async def _vain(
    connection: Connection,
    memberships: Sequence[tuple[Deed, datetime | None]],
    taken: Mapping[tuple[int, int], datetime],
    now: datetime,
) -> dict[tuple[int, int], Deed]:
    """Return the joins that came to nothing: left again soon, or taken as an offer and followed by silence."""
    soon = {(one.member, one.channel): one for one, left in memberships if left and left - one.at <= SOON}
    said = await _last_said(connection, taken)
    old = {key: at for key, at in taken.items() if now - at > SILENCE}
    silent = {key: Deed(*key, at) for key, at in old.items() if key not in said or said[key] < at}
    return silent | soon


async def _last_said(connection: Connection, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], datetime]:
    """Return when these members said something in these channels last."""
    rooms: defaultdict[int, set[int]] = defaultdict(set)
    for member, channel in pairs:
        rooms[member].add(channel)
    found: dict[tuple[int, int], datetime] = {}
    for member, wanted in rooms.items():
        rows = await connection.execute(
            select(col(MessageRow.channel_id), func.max(col(MessageRow.sent_at)).label("last"))
            .where(col(MessageRow.author_id) == member)
            .group_by(col(MessageRow.channel_id))
        )
        found.update({(member, row.channel_id): row.last for row in rows if row.channel_id in wanted})
    return found


async def _offers(connection: Connection, community: Community, scope: Scope, nobody: frozenset[int]) -> list[Deed]:
    """Return which channels were offered to whom."""
    shown = await impressions.every(connection, community)
    if not shown:
        return []
    people = await _numbers(connection, MemberRow, community)
    rooms = await _numbers(connection, ChannelRow, community)
    known = [(people.get(one.member), rooms.get(one.channel), one.at) for one in shown]
    return [
        Deed(member, channel, at)
        for member, channel, at in known
        if member is not None and channel in (scope.channels or ()) and member not in nobody and channel is not None
    ]


async def _replies(connection: Connection, scope: Scope, nobody: frozenset[int]) -> list[Turn]:
    """Return who answered whom, where."""
    answered = aliased(MessageRow)
    rows = await connection.execute(
        select(*columns(MessageRow, "author_id", "channel_id", "sent_at"), col(answered.author_id).label("other_id"))
        .join(
            answered,
            (col(answered.ref) == col(MessageRow.reply_to))
            & (col(answered.community_id) == col(MessageRow.community_id)),
        )
        .where(col(MessageRow.community_id) == scope.community, col(MessageRow.reply_to).is_not(None))
    )
    turns = [Turn(row.author_id, row.other_id, row.channel_id, row.sent_at) for row in rows]
    return _between(turns, scope, nobody)


async def _reactions(connection: Connection, scope: Scope, nobody: frozenset[int]) -> list[Turn]:
    """Return who reacted to whom, where."""
    rows = await connection.execute(
        select(
            *columns(ReactionRow, "member_id", "at"),
            *columns(MessageRow, "author_id", "channel_id"),
        )
        .join(MessageRow, col(MessageRow.id) == col(ReactionRow.message_id))
        .where(col(MessageRow.community_id) == scope.community)
    )
    return _between([Turn(row.member_id, row.author_id, row.channel_id, row.at) for row in rows], scope, nobody)


def _between(turns: Iterable[Turn], scope: Scope, nobody: frozenset[int]) -> list[Turn]:
    rooms = scope.channels or frozenset()
    return [
        one
        for one in turns
        if one.channel in rooms and one.member != one.other and not {one.member, one.other} & nobody
    ]


async def _wanted(connection: Connection, community: Community, nobody: frozenset[int]) -> list[Wanted]:
    """Return what members looked for, the newest: questions that are kept with their answers, and commands."""
    asked = await connection.execute(
        select(*columns(AnswerRow, "member_id", "question", "at"))
        .where(col(AnswerRow.community_id) == community.id, col(AnswerRow.question) != "")
        .order_by(col(AnswerRow.at).desc())
        .limit(MOST)
    )
    found = [Wanted(row.member_id, row.question, row.at) for row in asked if row.member_id is not None]
    found += await _searched(connection, community)
    kept = {(one.member, one.text): one for one in found if one.member not in nobody and one.text.strip()}
    return sorted(kept.values(), key=lambda one: one.at, reverse=True)[:MOST]


async def _searched(connection: Connection, community: Community) -> list[Wanted]:
    people = await _numbers(connection, MemberRow, community)
    rows = await connection.execute(
        select(*columns(InboxRow, "actor", "event", "received_at"))
        .where(trail.here(community), col(InboxRow.actor) != "", col(InboxRow.event).contains('"CommandGiven"'))
        .where(or_(*(col(InboxRow.event).contains(f'"command":"{one}"') for one in SEARCHES)))
        .order_by(col(InboxRow.id).desc())
        .limit(MOST)
    )
    given = [(people.get(row.actor), load(Arrival, row.event).event, row.received_at) for row in rows]
    return [
        Wanted(member, event.line or next((event.arguments[one] for one in FREE if one in event.arguments), ""), at)
        for member, event, at in given
        if member is not None and isinstance(event, CommandGiven) and event.command in SEARCHES
    ]


async def _numbers(connection: Connection, model: type[MemberRow | ChannelRow], community: Community) -> dict[str, int]:
    held = table(model).c
    rows = await connection.execute(select(held.ref, held.id).where(held.community_id == community.id))
    return {row.ref: row.id for row in rows}
