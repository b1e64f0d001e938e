"""Everything that is held about a member as one document, with a heading for each table that holds some of it.

Other people's part is left out: who reacted, who wrote an event that names the member, what else a staff entry says,
and what another brought to the staff or heard where the member may not read.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import JSON, func, select
from sqlmodel import col

from bot.core.actions import AskStaff, Edit, KeepReport, Say
from bot.core.codec import load, load_action
from bot.core.decisions import Trace
from storage import channels, persons
from storage.holdings import count
from storage.rows import columns, portions, table
from storage.surveying import survey
from storage.tables import (
    PERSONAL,
    ActRow,
    ButtonRow,
    ChannelRow,
    ConsentRow,
    InboxRow,
    LedgerRow,
    MeetingRow,
    MemberRow,
    MessageRow,
    NoteRow,
    NoteSourceRow,
    ReactionRow,
    ThreadRow,
    TraceRow,
)
from storage.traces import concerned
from storage.trail import events_of

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlmodel import SQLModel

    from bot.core.things import Community, Member
    from storage.connection import Connection
    from storage.db import Database
    from storage.persons import Account
    from storage.trail import Survey

VERSION = 1
Section = list[dict[str, object]]
Read = Callable[["Connection", "Survey"], Awaitable[Section]]

COUNTED = {
    "encoding": "cached vectors of your texts, kept so that no text is read twice",
    "note_source": "links from entries of the FAQ to what you said",
    "outbox": "vectors of your messages that wait to be written",
    "trace_member": "links from the traces below to you",
    "growth": "topics without a channel, learned from many members' messages; no part of it is yours alone",
    "profile": "what channels talk about, learned from everybody's messages; no part of it is yours alone",
    "learned_heads": "what the staff's verdicts taught about everybody's messages; no part of it is yours alone",
    "person": "the human behind the account",
}
"""What is told by its number alone, since there is nothing in it to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """How much is held of somebody, and what they said about being collected; None when they said nothing.

    `linked` are the other accounts of the same human; what is held of those counts with it.
    """

    messages: int
    collected: bool | None
    linked: tuple[Account, ...] = ()


async def outline(connection: Connection, member: Member) -> Outline:
    """Return what can be told without a look at every store."""
    linked = await persons.others(connection, member)
    accounts = [member.id, *(one.member.id for one in linked)]
    mine = select(func.count()).select_from(MessageRow).where(col(MessageRow.author_id).in_(accounts))
    said = select(col(ConsentRow.collected)).where(col(ConsentRow.member_id) == member.id)
    counted = (await connection.execute(mine)).scalar_one()
    return Outline(messages=counted, collected=await connection.scalar(said), linked=tuple(linked))


async def export(database: Database, community: Community, member: Member) -> dict[str, object]:
    """Return everything that is held about a human, ready for JSON: of this account, and `linked`, of their others."""
    async with database.read() as connection:
        others = await persons.others(connection, member)
    linked = [await _account(database, one.community, one.member) for one in others]
    own = await _account(database, community, member)
    return {**own, "linked": linked} if linked else own


async def _account(database: Database, community: Community, member: Member) -> dict[str, object]:
    async with database.read() as connection:
        found = await survey(connection, community, member)
        counted = await count(connection, found)
        sections = {store: await read(connection, found) for store, read in SECTIONS.items()}
    numbers = {store: {"number": counted.get(store, 0), "meaning": meaning} for store, meaning in COUNTED.items()}
    return {"v": VERSION, "community": community.name, **sections, **numbers}


async def _member(connection: Connection, found: Survey) -> Section:
    """Tell of the account and of the others of the same person."""
    return await _section(
        connection,
        select(*columns(MemberRow, "ref", "name", "language", "bot", "guest"))
        .where(col(MemberRow.person_id) == found.member.person)
        .order_by(col(MemberRow.id) != found.member.id, col(MemberRow.id)),
    )


async def _messages(connection: Connection, found: Survey) -> Section:
    own = columns(MessageRow, "ref", "text", "sent_at", "edited_at", "reply_to", "source")
    return await _section(
        connection,
        select(*own, col(ChannelRow.name).label("channel"), col(ThreadRow.title).label("thread"))
        .join(ChannelRow, col(ChannelRow.id) == col(MessageRow.channel_id))
        .join(ThreadRow, col(ThreadRow.id) == col(MessageRow.thread_id), isouter=True)
        .where(col(MessageRow.author_id) == found.member.id)
        .order_by(col(MessageRow.sent_at), col(MessageRow.id)),
    )


async def _reactions(connection: Connection, found: Survey) -> Section:
    """Tell what they reacted to, and what they got."""
    by, to = col(ReactionRow.member_id) == found.member.id, col(MessageRow.author_id) == found.member.id
    rows = await connection.execute(
        select(*columns(ReactionRow, "emoji", "at", "member_id"), col(MessageRow.ref).label("message"))
        .join(MessageRow, col(MessageRow.id) == col(ReactionRow.message_id))
        .where(by | to)
        .order_by(col(ReactionRow.at))
    )
    whose = {found.member.id: "you"}
    return [
        {"message": row.message, "emoji": row.emoji, "at": row.at, "by": whose.get(row.member_id, "others")}
        for row in rows
    ]


async def _theirs(connection: Connection, found: Survey, *, model: type[SQLModel]) -> Section:
    """Tell what a table shows that says itself whose its rows are."""
    personal, held = PERSONAL[model], table(model).c
    shown = columns(model, *personal.shows)
    # PostgreSQL has no order for JSON.
    ordered = [one for one in shown if not isinstance(one.type, JSON)]
    statement = select(*shown).where(held[personal.by] == found.member.id).order_by(*ordered)
    if personal.room:
        named = table(ChannelRow).c.name.label("channel")
        statement = statement.with_only_columns(named, *shown).join(
            ChannelRow, col(ChannelRow.id) == held[personal.room]
        )
    return await _section(connection, statement)


async def _threads(connection: Connection, found: Survey) -> Section:
    """Tell of the threads that they began."""
    numbers = (*found.trail.threads, *found.trail.begun)
    return await _among(connection, select(col(ThreadRow.title)), ThreadRow.id, numbers)


async def _notes(connection: Connection, found: Survey) -> Section:
    """Tell of the entries that they answer for, and, of what others keep, which rest on what they said."""
    shown = columns(NoteRow, "heading", "text", "made_at")
    own = (col(NoteRow.community_id) == found.community.id) & (col(NoteRow.owner) == str(found.member.ref))
    mine = await _section(connection, select(*shown).where(own).order_by(col(NoteRow.id)))
    resting = select(*columns(NoteSourceRow, "message"), col(NoteRow.made_at)).join(
        NoteRow, col(NoteRow.id) == col(NoteSourceRow.note_id)
    )
    others = await _among(connection, resting.where(~own), NoteRow.id, found.trail.notes)
    return [*mine, *(row for row in others if row["message"] in found.probes.messages)]


async def _rooms(connection: Connection, found: Survey) -> Section:
    """Tell of their direct conversations with the bot."""
    return await _among(connection, select(*columns(ChannelRow, "ref", "name")), ChannelRow.id, found.trail.rooms)


async def _traces(connection: Connection, found: Survey) -> Section:
    """Tell what was decided about them or at their asking, and why."""
    statement = select(*columns(TraceRow, "at", "story"))
    told = await _among(connection, statement, TraceRow.id, found.trail.traces)
    return [{"at": row["at"], **_story(load(Trace, str(row["story"])), found.member)} for row in told]


def _story(trace: Trace, member: Member) -> dict[str, object]:
    """Tell a story to one whom it concerns.

    Of what was decided for another and only quotes them, or what another brought to the staff, only that it was.
    """
    confided = any(isinstance(ruling.action, AskStaff | KeepReport) for ruling in trace.verdict.rulings)
    if (about := concerned(trace)) and (member.ref not in about or (confided and trace.member != member.ref)):
        return {"event": trace.kind, "by": "others"}
    reasons = [
        {"skill": one.skill, "reason": one.reason, "confidence": one.confidence} for one in trace.verdict.decisions
    ]
    return {"event": trace.kind, "channel": str(trace.channel or ""), "reasons": reasons}


async def _acts(connection: Connection, found: Survey) -> Section:
    """Tell what the bot did then; of what it said to others, only that it did."""
    names = columns(ActRow, "skill", "state", "channel", "made", "intended_at", "ended_at", "action")
    done = await _among(connection, select(*names, *columns(ActRow, "id", "trace_id")), ActRow.id, found.trail.acts)
    heard = await _heard(connection, found, done)
    return [_act(row, told=row["id"] in heard) for row in done]


def _act(row: dict[str, object], *, told: bool) -> dict[str, object]:
    if not told:
        return {"skill": row["skill"], "intended_at": row["intended_at"], "to": "others"}
    shown = {name: value for name, value in row.items() if name not in {"id", "trace_id"}}
    return {**shown, "action": orjson.loads(str(row["action"]))["data"]}


async def _heard(connection: Connection, found: Survey, done: Section) -> set[object]:
    """Return which acts are the member's to read: done to them, set off by them, or said where they may read."""
    stories = await _among(connection, select(*columns(TraceRow, "id", "story")), TraceRow.id, found.trail.traces)
    own = {row["id"] for row in stories if load(Trace, str(row["story"])).member == found.member.ref}
    rooms = await _readable(connection, found)
    return {row["id"] for row in done if _is_theirs(row, found.member, own, rooms)}


def _is_theirs(row: dict[str, object], member: Member, own: set[object], rooms: set[object]) -> bool:
    action = load_action(str(row["action"]))
    if whom := {getattr(action, "only", None), getattr(action, "member", None)} - {None}:
        return whom == {member.ref}
    aloud = isinstance(action, Say | Edit | AskStaff)
    return not aloud or row["trace_id"] in own or row["channel"] in rooms


async def _readable(connection: Connection, found: Survey) -> set[object]:
    """Return the references of the channels that the member may read, and of their direct conversations."""
    scope = await channels.readable(connection, found.community, found.member)
    wanted = [*(scope.channels or ()), *found.trail.rooms]
    rows = await _among(connection, select(col(ChannelRow.ref)), ChannelRow.id, wanted)
    return {row["ref"] for row in rows}


async def _buttons(connection: Connection, found: Survey) -> Section:
    """Tell of the buttons that came with what is theirs to read."""
    acts = columns(ActRow, "id", "trace_id", "channel", "action")
    heard = await _heard(connection, found, await _among(connection, select(*acts), ActRow.id, found.trail.acts))
    statement = select(*columns(ButtonRow, "press", "data", "expires_at", "pressed_at")).where(
        col(ButtonRow.only).in_(["", str(found.member.ref)])
    )
    return await _among(connection, statement, ButtonRow.act_id, list(heard))


async def _events(connection: Connection, found: Survey) -> Section:
    """Tell what they did, as it arrived; of what others did, only that it names them."""
    names = columns(InboxRow, "received_at", "key", "event")
    statement = select(*names).where(events_of(found.community, found.member)).order_by(col(InboxRow.id))
    mine = await _section(connection, statement)
    others = await _among(connection, select(*columns(InboxRow, "received_at")), InboxRow.id, found.trail.inbox)
    own = [{**row, "event": orjson.loads(str(row["event"]))["data"] if row["event"] else None} for row in mine]
    return [*own, *({**row, "by": "others"} for row in others)]


async def _meetings(connection: Connection, found: Survey) -> Section:
    """Tell of each side their own: that others were shown to them and what they said, who asked and what they said.

    Nobody else is named. Of what the other said they hear of a yes alone, and of whoever did not ask for them nothing.
    """
    me, met = found.member.id, (col(MeetingRow.answer) == "yes").label("met")
    shown = select(*columns(MeetingRow, "shown_at", "said"), met).where(col(MeetingRow.first_id) == me)
    asked = select(*columns(MeetingRow, "said_at", "answer", "answered_at")).where(
        col(MeetingRow.other_id) == me, col(MeetingRow.said).in_(["asked", "withdrawn"])
    )
    return [
        *await _section(connection, shown.order_by(col(MeetingRow.shown_at))),
        *await _section(connection, asked.order_by(col(MeetingRow.said_at))),
    ]


async def _ledger(connection: Connection, found: Survey) -> Section:
    return await _among(connection, select(*columns(LedgerRow, "at", "act")), LedgerRow.id, found.trail.ledger)


async def _section(connection: Connection, statement: Select[*tuple[object, ...]]) -> Section:
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


async def _among(
    connection: Connection, statement: Select[*tuple[object, ...]], column: object, numbers: Sequence[object]
) -> Section:
    return [
        row for some in portions(numbers) for row in await _section(connection, statement.where(col(column).in_(some)))
    ]


BY_HAND: dict[str, Read] = {
    "member": _member,
    "message": _messages,
    "thread": _threads,
    "reaction": _reactions,
    "channel": _rooms,
    "note": _notes,
    "inbox": _events,
    "trace": _traces,
    "act": _acts,
    "button": _buttons,
    "meeting": _meetings,
    "ledger": _ledger,
}
"""What tables hold about a member whose rows need more than a look at the member's number."""

SECTIONS = BY_HAND | {str(table(model).name): functools.partial(_theirs, model=model) for model in PERSONAL}
"""What each table holds about a member, in words and times."""
