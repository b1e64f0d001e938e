"""The trail of a member: the rows that only a look at their contents finds.

Most stores are found by the member's number alone (`storage.holdings`). Here is the rest: stories, acts, events and
entries that refer to the member or quote them, wherever they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import case, func, select
from sqlmodel import col

from bot.core.actions import AskStaff, CreateEvent, CreatePoll, Delete, Edit, Say, Warn
from bot.core.codec import load_action
from bot.core.things import Audience, Member, Ref
from storage import notes, sparing
from storage.rows import columns, portions
from storage.tables import (
    ActRow,
    AnswerRow,
    ChannelRow,
    InboxRow,
    LedgerRow,
    MessageRow,
    NoteRow,
    SpaceRow,
    ThreadRow,
    TraceMemberRow,
    TraceRow,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Row, Select

    from bot.core.things import Community
    from storage.connection import Connection
    from storage.probes import Probes
    from storage.sparing import Spared


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """Numbers of rows that only a look at their contents finds.

    `made` are the bot's messages about the member, `replies` other members' answers to them, `rooms` their direct
    conversations with the bot, `threads` those that nobody else wrote in, and `begun` the others that they began.
    `notes` are the entries of the FAQ that rest on what they said, and `quoting` takes the bot's messages about them
    off the platform. `spared` are those of the traces that stay without them.
    """

    traces: tuple[str, ...] = ()
    acts: tuple[int, ...] = ()
    made: tuple[int, ...] = ()
    inbox: tuple[int, ...] = ()
    ledger: tuple[int, ...] = ()
    replies: tuple[int, ...] = ()
    rooms: tuple[int, ...] = ()
    threads: tuple[int, ...] = ()
    begun: tuple[int, ...] = ()
    notes: tuple[int, ...] = ()
    quoting: tuple[Delete, ...] = ()
    spared: tuple[Spared, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A member, what gives them away, their texts by message, the keys of their cached vectors, and the trail."""

    community: Community
    member: Member
    probes: Probes
    said: Mapping[str, str]
    cached: tuple[bytes, ...]
    trail: Trail


async def follow(connection: Connection, known: Survey) -> Survey:
    """Look for the trail anew: rows may have come since, and those that gave the member away may be gone."""
    traces = await _traces(connection, known)
    spared = await sparing.find(connection, known.probes, traces)
    acts, made, quoting = await _acts(connection, known, traces, {number for one in spared for number in one.acts})
    rooms = await _rooms(connection, known)
    threads, begun = await _threads(connection, known.member)
    trail = Trail(
        traces=traces,
        acts=acts,
        made=await _messages(connection, known, made, rooms),
        inbox=await _events_of_others(connection, known),
        ledger=await _ledger(connection, known),
        replies=await _replies(connection, known),
        rooms=rooms,
        threads=threads,
        begun=begun,
        notes=await _notes(connection, known),
        quoting=quoting,
        spared=spared,
    )
    return replace(known, trail=trail)


def events_of(community: Community, member: Member) -> ColumnElement[bool]:
    """Return the condition for an inbox row to be something that a member did in a community."""
    return (col(InboxRow.actor) == str(member.ref)) & here(community)


def account_ref(number: int) -> Ref:
    """Name an account across communities, for traces that tell of it elsewhere: those of linking it."""
    return Ref("account", str(number))


def _linking(member: Member) -> Select[str]:
    named = col(TraceMemberRow.member) == str(account_ref(member.id))
    return select(col(TraceMemberRow.trace_id)).where(named)


def here(community: Community) -> ColumnElement[bool]:
    """Return the condition for an inbox row to be of a community: of no space of another one."""
    elsewhere = select(col(SpaceRow.ref)).where(col(SpaceRow.community_id) != community.id)
    return col(InboxRow.space).not_in(elsewhere)


async def _traces(connection: Connection, known: Survey) -> tuple[str, ...]:
    """Find every trace that is about them, by its list of members, its message, its story or its acts.

    Acts show them also where they change a message that the bot made about them.
    """
    probes, community = known.probes, known.community.id
    about = select(col(TraceMemberRow.trace_id)).where(col(TraceMemberRow.member) == probes.member)
    listing = select(col(TraceRow.id)).where(col(TraceRow.community_id) == community, col(TraceRow.id).in_(about))
    listed = tuple(await connection.scalars(listing)) + tuple(await connection.scalars(_linking(known.member)))
    made = set(await connection.scalars(select(col(ActRow.made)).where(col(ActRow.trace_id).in_(listing)))) - {""}
    further = replace(probes, messages=probes.messages | made)
    stories = select(*columns(TraceRow, "id", "message", "story")).where(col(TraceRow.community_id) == community)
    told = await connection.pick(stories, lambda row: row.message in probes.messages or probes.shows(row.story))
    actions = select(*columns(ActRow, "trace_id", "action")).where(col(ActRow.community_id) == community)
    acted = await connection.pick(actions, lambda row: further.shows(row.action))
    return tuple(sorted({*listed, *(row.id for row in told), *(row.trace_id for row in acted)}))


async def _acts(
    connection: Connection, known: Survey, traces: Sequence[str], spared: Collection[int]
) -> tuple[tuple[int, ...], set[str], tuple[Delete, ...]]:
    """Return the acts of traces, the references of what they made, and what takes public words about them back.

    What acts made that are `spared` is mended, not deleted.
    """
    mended: set[str] = set()
    numbers: list[int] = []
    made: set[str] = set()
    quoting: dict[Delete, None] = {}
    direct = select(col(ChannelRow.ref)).where(col(ChannelRow.audience) == Audience.DIRECT)
    aside = set(await connection.scalars(direct))
    names = columns(ActRow, "id", "channel", "made", "action", "undone_by")
    for some in portions(traces):
        for row in await connection.execute(select(*names).where(col(ActRow.trace_id).in_(some))):
            numbers.append(row.id)
            made |= {row.made} - {""}
            mended |= {row.made} if row.id in spared else set()
            heard = row.undone_by is None and row.channel not in aside and known.probes.shows(row.action)
            if heard and (taken := _take_back(row)):
                quoting[taken] = None
    return tuple(numbers), made, tuple(one for one in quoting if str(one.message) not in mended)


def _take_back(act: Row[*tuple[object, ...]]) -> Delete | None:
    """Return what takes an act's words off the platform, where everybody can read them."""
    match load_action(act.action):
        case Say(only=None) | AskStaff() | Warn() | CreateEvent() | CreatePoll() if act.made:
            return Delete(message=Ref.parse(act.made), channel=Ref.parse(act.channel))
        case Edit(only=None, message=message, channel=channel):
            return Delete(message=message, channel=channel)
        case _:
            return None


async def _rooms(connection: Connection, known: Survey) -> tuple[int, ...]:
    """Find their direct conversations with the bot: where they did something alone, or that bear their name."""
    lanes = select(col(InboxRow.lane)).where(events_of(known.community, known.member))
    theirs = (
        col(ChannelRow.ref).in_(lanes)
        | (col(ChannelRow.ref) == known.probes.member)
        | (col(ChannelRow.name) == known.member.name)
    )
    direct = (col(ChannelRow.community_id) == known.community.id, col(ChannelRow.audience) == Audience.DIRECT)
    return tuple(await connection.scalars(select(col(ChannelRow.id)).where(*direct, theirs)))


async def _messages(
    connection: Connection, known: Survey, made: Iterable[str], rooms: Sequence[int]
) -> tuple[int, ...]:
    """Return the stored messages that the bot made about them, and all of their direct conversations."""
    conditions = [col(MessageRow.ref).in_(some) for some in portions(sorted(made))]
    conditions += [col(MessageRow.channel_id).in_(some) for some in portions(rooms)]
    others = (col(MessageRow.community_id) == known.community.id, col(MessageRow.author_id) != known.member.id)
    found: set[int] = set()
    for condition in conditions:
        found.update(await connection.scalars(select(col(MessageRow.id)).where(*others, condition)))
    return tuple(sorted(found))


async def _events_of_others(connection: Connection, known: Survey) -> tuple[int, ...]:
    """Find the events in which others answer, react to or name them; what still waits is handled first."""
    statement = select(*columns(InboxRow, "id", "event")).where(
        here(known.community),
        col(InboxRow.done_at).is_not(None),
        col(InboxRow.actor) != known.probes.member,
        col(InboxRow.event) != "",
    )
    found = await connection.pick(statement, lambda row: known.probes.names(row.event))
    return tuple(row.id for row in found)


async def _notes(connection: Connection, known: Survey) -> tuple[int, ...]:
    """Return the entries that rest on their messages, and those whose question they asked the bot in these words."""
    resting = await notes.resting_on(connection, known.community, known.probes.messages)
    asked = select(col(AnswerRow.question)).where(col(AnswerRow.member_id) == known.member.id)
    theirs = (col(NoteRow.community_id) == known.community.id, col(NoteRow.heading).in_(asked))
    quoting = select(col(NoteRow.id)).where(*theirs, col(NoteRow.kind) == "faq", col(NoteRow.heading) != "")
    found = [number for number in await connection.scalars(quoting) if number is not None]
    return tuple(dict.fromkeys([*(one.number for one in resting), *found]))


async def _ledger(connection: Connection, known: Survey) -> tuple[int, ...]:
    entries = select(*columns(LedgerRow, "id", "actor", "details")).where(
        col(LedgerRow.community_id) == known.community.id
    )
    found = await connection.pick(
        entries, lambda row: known.probes.shows(orjson.dumps([row.actor, row.details]).decode())
    )
    return tuple(row.id for row in found)


async def _replies(connection: Connection, known: Survey) -> tuple[int, ...]:
    answers = select(*columns(MessageRow, "id", "reply_to")).where(
        col(MessageRow.community_id) == known.community.id,
        col(MessageRow.author_id) != known.member.id,
        col(MessageRow.reply_to).is_not(None),
    )
    found = await connection.pick(answers, lambda row: row.reply_to in known.probes.messages)
    return tuple(row.id for row in found)


async def titles(connection: Connection, member: Member) -> set[str]:
    """Return the titles of the threads that a member began, but for those that another thread has too."""
    alone, begun = await _threads(connection, member)
    mine, found = {*alone, *begun}, set[str]()
    for some in portions(sorted(mine)):
        found |= set(await connection.scalars(select(col(ThreadRow.title)).where(col(ThreadRow.id).in_(some))))
    for names in portions(sorted(found)):
        rows = select(*columns(ThreadRow, "id", "title")).where(col(ThreadRow.title).in_(names))
        found -= {row.title for row in await connection.execute(rows) if row.id not in mine}
    return found


async def _threads(connection: Connection, member: Member) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the threads that they alone wrote in, and those that they began, as far as the first message tells."""
    mine = col(MessageRow.author_id) == member.id
    theirs = select(col(MessageRow.thread_id)).where(mine, col(MessageRow.thread_id).is_not(None))
    statement = (
        select(
            col(ThreadRow.id),
            func.count(case((~mine, 1))).label("others"),
            func.min(col(MessageRow.sent_at)).label("first"),
            func.min(case((mine, col(MessageRow.sent_at)))).label("own"),
        )
        .join(MessageRow, col(MessageRow.thread_id) == col(ThreadRow.id))
        .where(col(ThreadRow.id).in_(theirs), col(ThreadRow.title) != "")
        .group_by(col(ThreadRow.id))
    )
    rows = (await connection.execute(statement)).all()
    alone = tuple(row.id for row in rows if not row.others)
    return alone, tuple(row.id for row in rows if row.others and row.own == row.first)
