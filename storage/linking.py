"""Two communities become one: everything of the second belongs to the first, and is indexed anew (decision 18).

All of it is one transaction. The second stays as a name and a number that mean the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select, update
from sqlmodel import col

from bot.core.policies import MODE, PER_CHANNEL, Rules, mode_of
from bot.core.things import Audience, Ref, point_id
from storage import communities, ledger, members, merging, notes, persons, policies, profiles, proofs, spaces
from storage.outbox import SPOKEN
from storage.rows import columns, insert_new, portions, table
from storage.tables import (
    ActRow,
    AlertMuteRow,
    AlertRow,
    AnswerRow,
    BackfillRow,
    CaseRow,
    ChannelRow,
    CommunityRow,
    ConsentRow,
    GrowthRow,
    LearnedRow,
    LedgerRow,
    LessonRow,
    MeetingRow,
    MemberRow,
    MessageRow,
    OutboxRow,
    PolicyRow,
    ReactionRow,
    ScheduleRow,
    SpaceRow,
    TraceRow,
    WatchwordRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Row
    from sqlmodel import SQLModel

    from bot.core.things import Community
    from storage.connection import Connection
    from storage.refusals import Refusals

BY_NUMBER = (LedgerRow, SpaceRow, ActRow, CaseRow, LessonRow, AnswerRow, GrowthRow, MeetingRow, AlertRow)
"""What belongs to another community as soon as its row says so."""
COUNT = select(func.count()).select_from(CommunityRow).where(col(CommunityRow.joined_id).is_not(None))
"""Asked with everything that arrives, so built once."""
NAMELESS = ("import",)
"""Platforms whose references two communities may give to different people and channels: the ids of their exports."""


async def joined(connection: Connection, number: int) -> int | None:
    """Return the community that another one belongs to; None for one that stands by itself."""
    found: int | None = await connection.scalar(
        select(col(CommunityRow.joined_id)).where(col(CommunityRow.id) == number)
    )
    return found


async def count(connection: Connection) -> int:
    """Count the communities that belong to another: whoever remembers what is whose looks whether that is still so."""
    counted: int = await connection.scalar(COUNT)
    return counted


async def clash(connection: Connection, community: Community, other: Community) -> bool:
    """Say whether both imported people or channels of the same names: nobody could tell whether they are the same."""
    for model in (MemberRow, ChannelRow):
        held = table(model).c
        theirs = select(held.ref).where(held.community_id == other.id)
        both = select(held.ref).where(held.community_id == community.id, held.ref.in_(theirs))
        if any(Ref.parse(ref).platform in NAMELESS for ref in await connection.scalars(both)):
            return True
    return False


async def brings(connection: Connection, community: Community, other: Community) -> dict[str, str]:
    """Return the settings that come over from another community, since this one has none of its own."""
    mine, theirs = await policies.load(connection, community), await policies.load(connection, other)
    return _brought(mine, theirs)


async def join(
    connection: Connection, community: Community, other: Community, now: datetime, *, refusals: Refusals
) -> None:
    """Let everything of another community be this one's; done before, it changes nothing."""
    if community.id == other.id:
        return
    await _lock(connection, community, other)
    before = await policies.load(connection, community), await policies.load(connection, other)
    theirs = [str(one.ref) for one in await spaces.of(connection, other)]
    await proofs.drop_between(connection, community.id, other.id)
    await _settle_consent(connection, before, community, other, now)
    for one, elsewhere in ((community, other), (other, community)):
        await _heed_refusals(connection, one, elsewhere, refusals, now)
    rooms = await _move(connection, community, other.id, now)
    places = dict.fromkeys([*await _spoken_in(connection, rooms), *theirs])
    await _move_policies(connection, before, community, other, places)
    for number in (community.id, other.id):
        await profiles.drop(connection, number)
        await connection.execute(delete(LearnedRow).where(col(LearnedRow.community_id) == number))
    with_it = col(CommunityRow.joined_id) == other.id
    await connection.execute(update(CommunityRow).where(with_it).values(joined_id=community.id))
    itself = col(CommunityRow.id) == other.id
    await connection.execute(update(CommunityRow).where(itself).values(joined_id=community.id))
    details = {"community": other.id, "channels": sorted(rooms)}
    await ledger.note(connection, community.id, at=now, actor="", act="link", details=details)


async def _lock(connection: Connection, community: Community, other: Community) -> None:
    """Let nobody write rows of either meanwhile: their keys refer to these two rows. SQLite has one writer anyway."""
    both = select(col(CommunityRow.id)).where(col(CommunityRow.id).in_([community.id, other.id]))
    await connection.execute(both.with_for_update())


async def _move(connection: Connection, community: Community, other: int, now: datetime) -> dict[int, str]:
    """Move every row of another community, and return the channels by the numbers that they have now."""
    rooms = await _move_channels(connection, community, other)
    await _move_members(connection, community, other, now)
    await _move_messages(connection, community, other)
    await notes.join(connection, community, other)
    for model in BY_NUMBER:
        held = table(model).c
        await connection.execute(update(model).where(held.community_id == other).values(community_id=community.id))
    await _move_unless_there(connection, TraceRow, "event", community, other)
    await _move_unless_there(connection, BackfillRow, "room", community, other)
    await _move_unless_there(connection, ScheduleRow, "name", community, other)
    await _move_unless_there(connection, AlertMuteRow, "subject", community, other)
    await _move_unless_there(connection, WatchwordRow, "word", community, other)
    return rooms


async def _spoken_in(connection: Connection, rooms: Iterable[int]) -> list[str]:
    """Return those of these channels that are no conversations with one member, for which nothing is set."""
    found: list[str] = []
    for some in portions(sorted(rooms)):
        shared = (col(ChannelRow.id).in_(some)) & (col(ChannelRow.audience) != Audience.DIRECT)
        found += await connection.scalars(select(col(ChannelRow.ref)).where(shared).order_by(col(ChannelRow.id)))
    return found


async def gather(connection: Connection, now: datetime) -> None:
    """Move what was still on its way into communities when they became part of others."""
    for number, community in await communities.linked(connection):
        await _move(connection, community, number, now)


async def _move_unless_there(
    connection: Connection, model: type[SQLModel], key: str, community: Community, other: int
) -> None:
    """Move rows; of two of the same key the one that is there stays, and a trace is told apart, since it has acts."""
    held = table(model).c
    there = select(held[key]).where(held.community_id == community.id)
    theirs = held.community_id == other
    if model is TraceRow:
        apart = held[key] + f" @{other}"
        await connection.execute(update(model).where(theirs, held[key].in_(there)).values({key: apart}))
    else:
        await connection.execute(delete(model).where(theirs, held[key].in_(there)))
    await connection.execute(update(model).where(theirs).values(community_id=community.id))


async def _move_channels(connection: Connection, community: Community, other: int) -> dict[int, str]:
    """Move channels and return them, by the numbers that they have now."""
    mine = await _numbers(connection, ChannelRow, community.id)
    moved: dict[int, str] = {}
    for ref, number in (await _numbers(connection, ChannelRow, other)).items():
        if ref in mine:
            await merging.channel(connection, number, into=mine[ref])
        else:
            await _belong(connection, ChannelRow, number, community)
        moved[mine.get(ref, number)] = ref
    return moved


async def _move_members(connection: Connection, community: Community, other: int, now: datetime) -> None:
    mine = await _numbers(connection, MemberRow, community.id)
    for ref, number in (await _numbers(connection, MemberRow, other)).items():
        if ref in mine:
            await merging.member(connection, number, into=mine[ref], now=now)
        else:
            await _belong(connection, MemberRow, number, community)


async def _numbers(
    connection: Connection, model: type[MemberRow | ChannelRow | MessageRow], community: int
) -> dict[str, int]:
    rows = await connection.execute(
        select(*columns(model, "ref", "id")).where(table(model).c.community_id == community)
    )
    return {row.ref: row.id for row in rows}


async def _belong(connection: Connection, model: type[SQLModel], number: int, community: Community) -> None:
    held = table(model).c
    await connection.execute(update(model).where(held.id == number).values(community_id=community.id))


async def _move_messages(connection: Connection, community: Community, other: int) -> None:
    """Move messages, each to its new point; what is there already under the same reference stays as it is."""
    theirs = col(MessageRow.community_id) == other
    rows = (await connection.execute(select(*columns(MessageRow, "id", "ref", "point", "sent_at")).where(theirs))).all()
    there = await _known(connection, community, [row.ref for row in rows])
    await _put_points_off(connection, rows)
    twice = [row.id for row in rows if row.ref in there]
    for some in portions(twice):
        await connection.execute(delete(ReactionRow).where(col(ReactionRow.message_id).in_(some)))
        await connection.execute(delete(MessageRow).where(col(MessageRow.id).in_(some)))
    moved = [row for row in rows if row.ref not in there]
    points = [{"row": row.id, "at": point_id(community.id, Ref.parse(row.ref))} for row in moved]
    if points:
        one = update(table(MessageRow)).where(col(MessageRow.id) == bindparam("row"))
        await connection.execute(one.values(community_id=community.id, point=bindparam("at")), points)
    await _put_points_on(connection, [row.id for row in moved])


async def _known(connection: Connection, community: Community, refs: Sequence[str]) -> set[str]:
    """Return which of these messages a community has."""
    ours, found = col(MessageRow.community_id) == community.id, set[str]()
    for some in portions(refs):
        found.update(await connection.scalars(select(col(MessageRow.ref)).where(ours, col(MessageRow.ref).in_(some))))
    return found


async def _put_points_off(connection: Connection, rows: Sequence[Row[*tuple[object, ...]]]) -> None:
    """Let the old points be deleted, which waits behind whatever is on its way to be written."""
    for some in portions([row.id for row in rows]):
        await connection.execute(delete(OutboxRow).where(col(OutboxRow.message_id).in_(some)))
    gone = [{"point": row.point, "message_id": None, "sent_at": row.sent_at} for row in rows]
    await insert_new(connection, OutboxRow, gone)


async def _put_points_on(connection: Connection, numbers: Sequence[int]) -> None:
    """Let the new points be written, of those messages that are encoded."""
    for some in portions(numbers):
        said = (
            select(*columns(MessageRow, "point", "id", "sent_at"))
            .join(MemberRow, col(MemberRow.id) == col(MessageRow.author_id))
            .where(col(MessageRow.id).in_(some), *SPOKEN)
        )
        await connection.execute(table(OutboxRow).insert().from_select(["point", "message_id", "sent_at"], said))


async def _settle_consent(
    connection: Connection, before: tuple[Rules, Rules], community: Community, other: Community, now: datetime
) -> None:
    """Where silence meant no, it goes on meaning no for those who were silent there."""
    mine, theirs = before
    if theirs.policy.consent == "opt_out" or "consent" in _brought(mine, theirs) or mine.policy.consent == "opt_in":
        return
    no = await members.withheld(connection, other, consent="opt_in") - await members.bots(connection, other)
    for number in no - await _said_yes(connection, community, other):
        await members.set_consent(connection, number, collected=False, now=now)


async def _heed_refusals(
    connection: Connection, community: Community, elsewhere: Community, refusals: Refusals, now: datetime
) -> None:
    """Let whoever was forgotten in the one community, and stayed in the other, go on being collected in neither."""
    here = {one.ref: one for one in await members.every(connection, community)}
    for ref in await refusals.refused(connection, elsewhere, here):
        await persons.set_consent(connection, here[ref].person, collected=False, now=now)


async def _said_yes(connection: Connection, community: Community, other: Community) -> set[int]:
    """Return those of another community who agreed in this one, where they are called the same."""
    here, agreed = table(MemberRow).c, table(ConsentRow).c
    yes = (
        select(here.ref)
        .join(ConsentRow, agreed.member_id == here.id)
        .where(here.community_id == community.id, agreed.collected.is_(True))
    )
    return set(await connection.scalars(select(here.id).where(here.community_id == other.id, here.ref.in_(yes))))


async def _move_policies(
    connection: Connection, before: tuple[Rules, Rules], community: Community, other: Community, places: Iterable[str]
) -> None:
    """Let channels keep what they had, and take over what nobody set here.

    What held for all of theirs is written down for their spaces as well, from which new channels take it over.
    """
    mine, theirs = before
    own = {(one.channel, one.name) for one in await _set(connection, community)}
    for row in await _set(connection, other):
        if row.channel and (row.channel, row.name) not in own:
            await policies.put(connection, community, name=row.name, value=row.value, channel=row.channel)
    await connection.execute(delete(PolicyRow).where(col(PolicyRow.community_id) == other.id))
    for name, value in _brought(mine, theirs).items():
        await policies.put(connection, community, name=name, value=value)
    for name, value in _held_by_channels(mine, theirs).items():
        for ref in places:
            if (ref, name) not in own and (name, ref) not in theirs.overrides:
                await policies.put(connection, community, name=name, value=value, channel=ref)


async def _set(connection: Connection, community: Community) -> Sequence[Row[*tuple[object, ...]]]:
    rows = select(*columns(PolicyRow, "name", "channel", "value")).where(col(PolicyRow.community_id) == community.id)
    return (await connection.execute(rows)).all()


def _brought(mine: Rules, theirs: Rules) -> dict[str, str]:
    """Return what comes over: fields that only they set and that no channel can have by itself; roles of both."""
    found = {
        name: str(getattr(theirs.policy, name))
        for name in theirs.policy.model_fields_set - mine.policy.model_fields_set - set(PER_CHANNEL)
    }
    both = mine.policy.staff | theirs.policy.staff
    if theirs.policy.staff - mine.policy.staff:
        found["staff_roles"] = ", ".join(sorted(map(str, both)))
    return found


def _held_by_channels(mine: Rules, theirs: Rules) -> dict[str, str]:
    """Return what held for all their channels and not for ours: their channels keep it, one by one."""
    fields = {name: str(getattr(theirs.policy, name)) for name in PER_CHANNEL}
    held = {name: value for name, value in fields.items() if value != str(getattr(mine.policy, name))}
    skills = {skill for skill, _channel in {**mine.modes, **theirs.modes}}
    modes = {
        MODE + skill: mode.value
        for skill in skills
        if (mode := mode_of(theirs.modes, skill, "")) != mode_of(mine.modes, skill, "")
    }
    return held | modes
