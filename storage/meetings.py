"""Who was shown to whom, asked to meet them, and what was said: of the other's word, each side hears a yes alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, func, or_, select, update
from sqlmodel import col

from storage import members, outreach, policies, wishes
from storage.rows import columns, insert_new, portions
from storage.tables import ActRow, CaseRow, MeetingRow, MemberRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement

    from bot.core.actions import KeepMeeting
    from bot.core.things import Community, Member
    from storage.connection import Connection

LASTING = timedelta(days=14)
"""How long a request waits for an answer."""
A_WHILE = timedelta(days=90)
"""How long "not now", "no" and silence keep two members from being shown to each other again: alike, since whoever
asked must not learn from who comes back which of them it was."""
UNHEARD = timedelta(days=3)
"""For how long a request waits until its other side may be told; after that, it is shown to whoever uses /people."""
SHOWN_AGAIN = timedelta(days=7)
"""How long somebody who was shown and not asked for makes room for others."""
MOST_ASKED = 3
"""Requests that somebody hears in a week, so that nobody is overrun."""
FIELDS = ("id", "first_id", "other_id", "said", "answer", "shown_at", "said_at", "answered_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """Two members by their numbers: the other was shown to the first; and each one's last word."""

    id: str
    first: int
    other: int
    said: str
    answer: str
    shown_at: datetime
    said_at: datetime

    def is_open(self, now: datetime) -> bool:
        """Say whether the other may still answer."""
        return self.said == "asked" and not self.answer and now < self.said_at + LASTING

    def bars(self, now: datetime) -> bool:
        """Say whether it keeps the two from being shown to each other again, either to either."""
        if "never" in {self.said, self.answer} or self.answer == "yes":
            return True
        return self.said in {"asked", "not_now", "withdrawn"} and now < self.said_at + A_WHILE


async def by_id(connection: Connection, community: Community, meeting: str) -> Meeting | None:
    """Return a meeting by its id."""
    found = await _read(connection, col(MeetingRow.community_id) == community.id, col(MeetingRow.id) == meeting)
    return found[0] if found else None


async def of(connection: Connection, *accounts: int) -> list[Meeting]:
    """Return the meetings that somebody is on either side of, newest first."""
    return await _read(connection, or_(col(MeetingRow.first_id).in_(accounts), col(MeetingRow.other_id).in_(accounts)))


async def waiting(
    connection: Connection, community: Community, accounts: Collection[int], now: datetime
) -> list[Meeting]:
    """Return the requests that wait for somebody's word, the last made first, of those who may still be introduced.

    Whoever asked may have opted out, refused to be collected or been sent out since: then nobody hears of it again.
    """
    found = [one for one in await of(connection, *accounts) if one.other in accounts and one.is_open(now)]
    found.sort(key=lambda one: one.said_at, reverse=True)
    asking = [one.first for one in found]
    wishing = await wishes.wishing(connection, community, "people", among=asking)
    shut = await members.withheld(connection, community, among=asking) | await sanctioned(connection, community, now)
    return [one for one in found if one.first in wishing.keys() - shut]


async def unheard(connection: Connection, community: Community, now: datetime) -> list[Meeting]:
    """Return the requests of which the other was not told, who may be now and wants to be introduced still.

    Whether that was tried shows in acts, which a community keeps for some days alone.
    """
    kept = timedelta(days=(await policies.load(connection, community)).policy.trace_days)
    told = exists().where(
        col(ActRow.community_id) == col(MeetingRow.community_id),
        col(ActRow.channel) == col(MemberRow.ref),
        col(ActRow.action).contains(col(MeetingRow.id)),
    )
    there = select(col(MeetingRow.id)).join(MemberRow, col(MemberRow.id) == col(MeetingRow.other_id))
    open_ = (
        col(MeetingRow.community_id) == community.id,
        col(MeetingRow.said) == "asked",
        col(MeetingRow.answer) == "",
    )
    lately = col(MeetingRow.said_at) > now - min(kept, UNHEARD)
    rows = list(await connection.scalars(there.where(*open_, lately, ~told)))
    found = await _read(connection, col(MeetingRow.id).in_(rows)) if rows else []
    if not found:
        return []
    both = {one.first for one in found} | {one.other for one in found}
    wishing = await wishes.wishing(connection, community, "people", among=both)
    shut = await members.withheld(connection, community, among=both) | await sanctioned(connection, community, now)
    fine = [one for one in found if {one.first, one.other} <= wishing.keys() - shut]
    others = await members.by_numbers(connection, [one.other for one in fine])
    may = {one.id for one in await outreach.open_to(connection, community, list(others.values()), now, wanted=True)}
    return [one for one in fine if one.other in may]


async def _read(connection: Connection, *where: ColumnElement[bool]) -> list[Meeting]:
    rows = await connection.execute(
        select(*columns(MeetingRow, *FIELDS)).where(*where).order_by(col(MeetingRow.shown_at).desc())
    )
    return [
        Meeting(
            id=row.id,
            first=row.first_id,
            other=row.other_id,
            said=row.said,
            answer=row.answer,
            shown_at=row.shown_at,
            said_at=row.said_at,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """How much of it somebody had of late: how often they were shown to others, and asked for."""

    shown: int = 0
    asked: int = 0


async def attention(
    connection: Connection, community: Community, since: datetime, *, among: Collection[int]
) -> Mapping[int, Attention]:
    """Count by member, `among` these, how often they were shown, and asked for, since a moment.

    They are looked up one by one in the index, however many meetings there ever were.
    """
    asked = col(MeetingRow.said).in_(["asked", "withdrawn"])
    found: dict[int, Attention] = {}
    for some in portions(sorted(among)):
        rows = await connection.execute(
            select(
                *columns(MeetingRow, "other_id"),
                func.count().label("shown"),
                func.count().filter(asked).label("asked"),
            )
            .where(col(MeetingRow.other_id).in_(some), col(MeetingRow.shown_at) >= since)
            .where(col(MeetingRow.community_id) == community.id)
            .group_by(col(MeetingRow.other_id))
        )
        found |= {row.other_id: Attention(shown=row.shown, asked=row.asked) for row in rows}
    return found


async def sanctioned(connection: Connection, community: Community, now: datetime) -> frozenset[int]:
    """Return the members who were sent out, or may not write now: nobody is introduced to them."""
    stands = (
        (col(CaseRow.community_id) == community.id)
        & (col(CaseRow.step).in_(["timeout", "kick", "ban"]))
        & (col(CaseRow.standing) != "withdrawn")
        & (col(CaseRow.verdict) != "fine")
        & (col(CaseRow.appeal_state) != "granted")
    )
    rows = await connection.execute(
        select(*columns(CaseRow, "member_id", "step", "minutes", "opened_at", "expires_at")).where(stands)
    )
    return frozenset(
        row.member_id
        for row in rows
        if now < (row.opened_at + timedelta(minutes=row.minutes) if row.step == "timeout" else row.expires_at)
    )


async def guests(connection: Connection, community: Community) -> frozenset[int]:
    """Return the guests of a community, who read only some of it."""
    those = (col(MemberRow.community_id) == community.id) & col(MemberRow.guest).is_(True)
    return frozenset(number for number in await connection.scalars(select(col(MemberRow.id)).where(those)) if number)


async def keep(
    connection: Connection, community: Community, member: Member, action: KeepMeeting, *, now: datetime
) -> str:
    """Keep what one of two says of their meeting; returns what is wrong, empty when nothing is."""
    accounts = await members.alike(connection, community, member)
    found = await by_id(connection, community, action.meeting)
    if found is None:
        return "" if action.said == "" else await _show(connection, community, member, action, now)
    mine = col(MeetingRow.id) == found.id
    if found.other in accounts:
        if not found.is_open(now) and action.said and action.said != found.answer:
            return "this request is not open any more"
        values = {"answer": action.said, "answered_at": now if action.said else None}
        await connection.execute(update(MeetingRow).where(mine).values(values))
        return ""
    if found.first not in accounts:
        return "this meeting is between others"
    if not action.said:
        await connection.execute(delete(MeetingRow).where(mine))
    elif action.said != found.said:
        await connection.execute(update(MeetingRow).where(mine).values(said=action.said, said_at=now))
    return ""


async def _show(
    connection: Connection, community: Community, member: Member, action: KeepMeeting, now: datetime
) -> str:
    other = await members.by_ref(connection, community, action.other) if action.other else None
    if other is None or other.person == member.person:
        return "the other member is not known here"
    row = {
        "id": action.meeting,
        "community_id": community.id,
        "first_id": member.id,
        "other_id": other.id,
        "said": action.said,
        "answer": "",
        "shown_at": now,
        "said_at": now,
        "answered_at": None,
    }
    await insert_new(connection, MeetingRow, [row])
    return ""


async def move(connection: Connection, number: int, *, into: int) -> None:
    """Let meetings of one row of a member be another's; nobody meets themselves."""
    for side in (MeetingRow.first_id, MeetingRow.other_id):
        await connection.execute(update(MeetingRow).where(col(side) == number).values({side.key: into}))  # type: ignore[attr-defined]
    await connection.execute(delete(MeetingRow).where(col(MeetingRow.first_id) == col(MeetingRow.other_id)))


async def purge(connection: Connection, community: int, now: datetime, *, limit: int) -> int:
    """Erase up to `limit` meetings that keep nobody from anything any more; return how many."""
    lasting = or_(col(MeetingRow.said) == "never", col(MeetingRow.answer).in_(["yes", "never"]))
    over = (col(MeetingRow.community_id) == community) & ~lasting & (col(MeetingRow.said_at) < now - A_WHILE)
    old: Sequence[str] = list(await connection.scalars(select(col(MeetingRow.id)).where(over).limit(limit)))
    for some in portions(old):
        await connection.execute(delete(MeetingRow).where(col(MeetingRow.id).in_(some)))
    return len(old)


def paired(found: Collection[Meeting], accounts: Collection[int]) -> dict[int, list[Meeting]]:
    """Return the meetings of somebody by the other's number, whichever of the two they are."""
    by_other: dict[int, list[Meeting]] = {}
    for one in found:
        by_other.setdefault(one.other if one.first in accounts else one.first, []).append(one)
    return by_other
