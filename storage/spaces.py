"""Spaces: which community a Discord server, a Slack workspace or a Telegram group belongs to, what is known of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select
from sqlmodel import col

from bot.core.events import CommandGiven, MemberLeft, Named
from bot.core.ports import KnownChannel
from bot.core.things import Audience, Community, Ref
from storage import communities
from storage.rows import columns, insert_new
from storage.tables import ChannelRow, CommunityRow, InboxRow, MemberRow, MessageRow, SpaceRow, ThreadRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from storage.connection import Connection


async def community_of(connection: Connection, space: Ref) -> Community | None:
    """Return the community that a space belongs to, None for a space not met before."""
    found = await connection.execute(
        select(*columns(CommunityRow, "id", "name"))
        .join(SpaceRow, col(SpaceRow.community_id) == col(CommunityRow.id))
        .where(col(SpaceRow.ref) == str(space))
    )
    row = found.first()
    return Community(id=row.id, name=row.name) if row else None


async def housing(connection: Connection, channel: Ref) -> Community | None:
    """Return the community that has a channel: on Telegram a channel may be told of as a space of its own as well."""
    found = await connection.execute(
        select(*columns(CommunityRow, "id", "name"))
        .join(ChannelRow, col(ChannelRow.community_id) == col(CommunityRow.id))
        .where(col(ChannelRow.ref) == str(channel))
        .order_by(col(CommunityRow.id))
    )
    row = found.first()
    return Community(id=row.id, name=row.name) if row else None


async def settle(connection: Connection, space: Named, now: datetime) -> Community:
    """Return the community of a space; a new space gets a community of its own, called like it."""
    if known := await community_of(connection, space.ref):
        return known
    taken = await communities.taken(connection)
    name = next(name for name in _names(space.name) if name not in taken)
    community = await communities.find_or_make(connection, name, now)
    await belong(connection, space, community)
    return community


async def belong(connection: Connection, space: Named, community: Community) -> None:
    """Let a space belong to a community."""
    row = {"ref": str(space.ref), "community_id": community.id, "name": space.name}
    await insert_new(connection, SpaceRow, [row])


async def of(connection: Connection, community: Community) -> list[Named]:
    """Return a community's spaces."""
    rows = await connection.execute(
        select(*columns(SpaceRow, "ref", "name"))
        .where(col(SpaceRow.community_id) == community.id)
        .order_by(col(SpaceRow.ref))
    )
    return [Named(ref=Ref.parse(row.ref), name=row.name) for row in rows]


async def called(connection: Connection, community: Community, some: Sequence[Ref]) -> str:
    """Say how spaces are called, one after the other."""
    names = {one.ref: one.name for one in await of(connection, community)}
    return ", ".join(names.get(one, one.id) for one in some)


async def of_platform(connection: Connection, platform: str, *, member: Ref | None = None) -> list[Named]:
    """Return the spaces of a platform, those first where a member wrote last, then those where they are known."""
    last = func.max(col(MessageRow.sent_at)).label("last")
    mine = and_(col(MemberRow.community_id) == col(SpaceRow.community_id), col(MemberRow.ref) == str(member))
    rows = await connection.execute(
        select(*columns(SpaceRow, "ref", "name"), col(MemberRow.id).label("member"), last)
        .join(MemberRow, mine, isouter=True)
        .join(MessageRow, col(MessageRow.author_id) == col(MemberRow.id), isouter=True)
        .where(col(SpaceRow.ref).startswith(f"{platform}:"))
        .group_by(*columns(SpaceRow, "ref", "name"), col(MemberRow.id))
    )
    never = datetime.min.replace(tzinfo=UTC)
    found = sorted(rows, key=lambda row: (row.last or never, row.member is not None), reverse=True)
    return [Named(ref=Ref.parse(row.ref), name=row.name) for row in found]


async def entered(connection: Connection, who: Ref, among: Sequence[Ref]) -> list[Ref]:
    """Return those of some spaces where somebody did something lately and did not leave, the latest first.

    Commands tell nothing of that: an appeal is told in the space that it is about, which its author was sent out of.
    """
    latest = (
        select(func.max(col(InboxRow.id)))
        .where(col(InboxRow.actor) == str(who), col(InboxRow.space).in_([str(one) for one in among]))
        .where(~col(InboxRow.key).startswith(f"{CommandGiven.__name__} "))
        .group_by(col(InboxRow.space))
    )
    rows = await connection.execute(
        select(*columns(InboxRow, "space", "key")).where(col(InboxRow.id).in_(latest)).order_by(col(InboxRow.id).desc())
    )
    return [Ref.parse(row.space) for row in rows if not row.key.startswith(f"{MemberLeft.__name__} ")]


async def last_said(connection: Connection, platform: str) -> datetime | None:
    """Return when the newest message of a platform was said that is stored."""
    where = col(SpaceRow.ref).startswith(f"{platform}:")
    there = select(col(SpaceRow.community_id)).where(where)
    mine = col(MessageRow.community_id).in_(there) & col(MessageRow.ref).startswith(f"{platform}:")
    return (await connection.execute(select(func.max(col(MessageRow.sent_at))).where(mine))).scalar()


async def latest(connection: Connection, community: Community, platform: str) -> dict[Ref, KnownChannel]:
    """Return every channel and thread of a platform that is known, with the newest message of it that is stored."""
    newest = await _newest(connection, community)
    rooms, found = await _channels(connection, community, platform), {}
    for number, (ref, known) in rooms.items():
        found[ref] = replace(known, latest=newest.get((number, None)))
    for row in await connection.execute(
        select(*columns(ThreadRow, "id", "channel_id", "ref", "title"))
        .join(ChannelRow, col(ChannelRow.id) == col(ThreadRow.channel_id))
        .where(col(ChannelRow.community_id) == community.id, col(ChannelRow.ref).startswith(f"{platform}:"))
    ):
        ref, parent = Ref.parse(row.ref), rooms[row.channel_id][1]
        named = Named(ref=ref, name=row.title, audience=parent.channel.audience)
        last = newest.get((row.channel_id, row.id))
        found[ref] = KnownChannel(channel=named, archived=parent.archived, latest=last, thread=True)
    return found


async def _channels(connection: Connection, community: Community, platform: str) -> dict[int, tuple[Ref, KnownChannel]]:
    rows = await connection.execute(
        select(*columns(ChannelRow, "id", "ref", "name", "description", "audience", "archived")).where(
            col(ChannelRow.community_id) == community.id, col(ChannelRow.ref).startswith(f"{platform}:")
        )
    )
    return {row.id: (ref := Ref.parse(row.ref), _known(ref, row)) for row in rows}


def _known(ref: Ref, row: Row[*tuple[object, ...]]) -> KnownChannel:
    named = Named(ref=ref, name=row.name, audience=Audience(row.audience))
    return KnownChannel(channel=named, archived=row.archived, latest=None, description=row.description)


async def _newest(connection: Connection, community: Community) -> dict[tuple[int, int | None], Ref]:
    """Return the newest message of each channel, its threads aside, and of each thread; one look at every message."""
    times = (
        select(*columns(MessageRow, "channel_id", "thread_id"), func.max(col(MessageRow.sent_at)).label("at"))
        .where(col(MessageRow.community_id) == community.id)
        .group_by(*columns(MessageRow, "channel_id", "thread_id"))
        .subquery()
    )
    last = and_(
        col(MessageRow.channel_id) == times.c.channel_id,
        col(MessageRow.thread_id).is_not_distinct_from(times.c.thread_id),
        col(MessageRow.sent_at) == times.c.at,
    )
    # Of several in one instant the one stored first: reading on from there meets the others again, which is harmless.
    rows = await connection.execute(
        select(*columns(MessageRow, "channel_id", "thread_id", "ref"))
        .join(times, last)
        .order_by(col(MessageRow.id).desc())
    )
    return {(row.channel_id, row.thread_id): Ref.parse(row.ref) for row in rows}


def _names(name: str) -> list[str]:
    return [name, *(f"{name} {number}" for number in range(2, 1000))]
