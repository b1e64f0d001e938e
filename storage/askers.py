"""Who asks where they belong: all that matching needs to know of them, read in one look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select
from sqlmodel import col

from bot.core.things import Ref
from storage import encodings, feedback, impressions, interests, members, wishes
from storage.messages import COLUMNS, read
from storage.rows import columns
from storage.tables import MemberRow, MessageRow

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from bot.core.things import Channel, Community, Member, Message
    from storage.commons import Common
    from storage.connection import Connection
    from storage.encodings import Half
    from storage.interests import Interest

NEWEST = 100
"""Own messages read: as many as a member's profile takes."""
LOOKED_AT = 400
"""Messages among which these are looked for: some may lie in channels that are not everybody's."""
LATELY = timedelta(days=30)
"""How long an offer that nobody answered is remembered."""
ACROSS = "across"
"""The wish to be offered channels on every platform of a community, also where one has no account yet."""
HOMELESS = "import"
"""The platform of imported history: nobody knows which space it is of, so it is near to everybody."""

ACCOUNTS = select(*columns(MemberRow, "id", "ref")).where(
    col(MemberRow.person_id) == bindparam("person"), col(MemberRow.community_id) == bindparam("community")
)
SAID = (
    select(*COLUMNS)
    .where(col(MessageRow.author_id).in_(bindparam("authors", expanding=True)))
    .order_by(col(MessageRow.sent_at).desc(), col(MessageRow.id).desc())
    .limit(LOOKED_AT)
)
"""Statements of every question are built once: that costs more than executing them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """A human in a community, by all of their accounts.

    `interests` are what they named, the newest first; `said` are their newest messages that everyone may read, and
    `vectors` those that are kept, by text. `elsewhere` are channels on platforms where they have no account.
    `unanswered` counts offers of late, by the channel's reference.
    """

    accounts: frozenset[int]
    joined: frozenset[int]
    declined: frozenset[int]
    elsewhere: frozenset[int]
    unanswered: Counter[str]
    interests: Sequence[Interest]
    said: Sequence[Message]
    vectors: Mapping[str, Half]

    @property
    def settled(self) -> frozenset[int]:
        """Return the channels that need not be offered: where they are, what they declined, and what is not theirs."""
        return self.joined | self.declined | self.elsewhere


async def read_asker(
    connection: Connection, community: Community, member: Member, common: Common, *, fingerprint: str, now: datetime
) -> Asker:
    """Read what is known of a member and of their other accounts; of who withheld consent, none of their words.

    Without a fingerprint no words are read.
    """
    rows = (await connection.execute(ACCOUNTS, {"person": member.person, "community": community.id})).all()
    accounts = frozenset(row.id for row in rows) | {member.id}
    refs = {Ref.parse(row.ref) for row in rows} | {member.ref}
    said = await _said(connection, accounts - common.scope.not_authors, common) if fingerprint else []
    wishing = await wishes.of(connection, *accounts)
    opinions = await feedback.of(connection, *accounts)
    return Asker(
        accounts=accounts,
        joined=await members.joined(connection, *accounts),
        declined=frozenset(channel for channel, opinion in opinions.items() if opinion == feedback.DECLINED),
        elsewhere=frozenset() if ACROSS in wishing else elsewhere(common.channels, {one.platform for one in refs}),
        unanswered=await impressions.unanswered(connection, community, *refs, since=now - LATELY),
        interests=await interests.of(connection, *accounts) if fingerprint else (),
        said=said,
        vectors=await encodings.kept(connection, fingerprint=fingerprint, texts=[one.text for one in said]),
    )


def elsewhere(rooms: Mapping[int, Channel], platforms: Collection[str]) -> frozenset[int]:
    """Return the channels on platforms where somebody has no account.

    Which server of a platform a channel is on, its reference does not tell: two servers of one platform are one here.
    """
    near = {*platforms, HOMELESS}
    if set(platforms) <= {HOMELESS}:
        return frozenset()
    return frozenset(number for number, room in rooms.items() if room.ref.platform not in near)


async def _said(connection: Connection, accounts: Collection[int], common: Common) -> list[Message]:
    rooms = common.channels
    rows = await connection.execute(SAID, {"authors": sorted(accounts)})
    return [read(row) for row in rows if row.channel_id in rooms][:NEWEST]
