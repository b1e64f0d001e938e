"""Who may read the channels that are not open to everyone, by what the platform says of each member (decision 15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlmodel import col

from bot.core.things import Audience, Ref
from storage.rows import columns, insert_new, portions
from storage.tables import ChannelRow, MembershipRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from bot.core.events import Named
    from bot.core.things import Community
    from storage.connection import Connection


class Readers:
    """Follows what members of one community may read, and remembers what was said last: most events say it again.

    After a write that failed, make a new one.
    """

    def __init__(self, community: Community) -> None:
        self._community = community
        self._said: dict[Ref, frozenset[Ref]] = {}
        self._equal: dict[frozenset[Ref], frozenset[Ref]] = {}

    async def confirm(self, connection: Connection, who: Named, member: int, at: datetime) -> None:
        """Let a member be in the closed channels that the platform names, and in no other; without a word, nothing."""
        if who.reads is None or self._said.get(who.ref) == who.reads:
            return
        if await _confirm(connection, self._community, member, who.reads, at):
            # Most members may read the same as many others: held once.
            self._said[who.ref] = self._equal.setdefault(who.reads, who.reads)
        else:
            self._said.pop(who.ref, None)

    def forget(self, members: Iterable[Ref] | None = None) -> None:
        """Heed the next word of these members even if it is the same as before; without any, of all."""
        if members is None:
            self._said.clear()
            self._equal.clear()
        for one in members or ():
            self._said.pop(one, None)


async def doubt(connection: Connection, channel: int, *, at: datetime) -> None:
    """Let nobody be in a channel any more, until the platform says of each member anew that they may read it."""
    there = (col(MembershipRow.channel_id) == channel) & col(MembershipRow.left_at).is_(None)
    await connection.execute(update(MembershipRow).where(there).values(left_at=at))


async def admit(connection: Connection, channel: int, among: Sequence[int], *, at: datetime) -> None:
    """Let members be in a channel, by the word of the platform at a moment."""
    rows = [{"channel_id": channel, "member_id": member, "joined_at": at} for member in among]
    await insert_new(connection, MembershipRow, rows)
    for some in portions(among):
        theirs = (col(MembershipRow.channel_id) == channel) & col(MembershipRow.member_id).in_(some)
        await connection.execute(update(MembershipRow).where(theirs).values(left_at=None))


async def _confirm(
    connection: Connection, community: Community, member: int, reads: frozenset[Ref], at: datetime
) -> bool:
    """Write down what a member may read. Channels that are not known yet are passed over.

    Word that is older than the word by which a channel was lost does not give it back: then it is not all written down,
    and False is returned.
    """
    closed = {number: ref in reads for number, ref in await _closed(connection, community)}
    mine = col(MembershipRow.member_id) == member
    known = await connection.execute(
        select(*columns(MembershipRow, "channel_id", "left_at")).where(
            mine, col(MembershipRow.channel_id).in_(list(closed))
        )
    )
    left = {row.channel_id: row.left_at for row in known}
    late = {number for number, since in left.items() if closed[number] and since is not None and since > at}
    lost = [number for number, since in left.items() if since is None and not closed[number]]
    gained = [number for number, theirs in closed.items() if theirs and left.get(number, at) and number not in late]
    await _leave(connection, mine, lost, at)
    await _enter(connection, member, gained, at)
    return not late


async def _closed(connection: Connection, community: Community) -> list[tuple[int, Ref]]:
    rows = await connection.execute(
        select(*columns(ChannelRow, "id", "ref")).where(
            col(ChannelRow.community_id) == community.id, col(ChannelRow.audience) == Audience.MEMBERS
        )
    )
    return [(row.id, Ref.parse(row.ref)) for row in rows]


async def _leave(connection: Connection, mine: ColumnElement[bool], lost: Sequence[int], at: datetime) -> None:
    if lost:
        theirs = update(MembershipRow).where(mine, col(MembershipRow.channel_id).in_(lost))
        await connection.execute(theirs.values(left_at=at))


async def _enter(connection: Connection, member: int, gained: Sequence[int], at: datetime) -> None:
    if gained:
        rows = [{"channel_id": channel, "member_id": member, "joined_at": at} for channel in gained]
        await insert_new(connection, MembershipRow, rows)
        theirs = (col(MembershipRow.member_id) == member) & col(MembershipRow.channel_id).in_(gained)
        await connection.execute(update(MembershipRow).where(theirs).values(left_at=None))
