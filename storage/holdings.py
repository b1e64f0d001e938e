"""What is held about a member, store by store: the same rows are counted, exported and erased.

Simple tables say themselves whose their rows are (`tables.Personal`). Where the member's number finds them, rows are
conditions and not lists, so that what came since is covered too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, select
from sqlmodel import col

from storage import growth
from storage.rows import portions, table
from storage.tables import (
    PERSONAL,
    ActRow,
    AlertMuteRow,
    ButtonRow,
    CaseRow,
    ChannelRow,
    DocumentRow,
    EncodingRow,
    GrowthRow,
    InboxRow,
    LearnedRow,
    LedgerRow,
    MeetingRow,
    MemberRow,
    MessageRow,
    NoteRow,
    NoteSourceRow,
    OutboxRow,
    PersonRow,
    ProfileRow,
    ReactionRow,
    ScheduleRow,
    ThreadRow,
    TraceMemberRow,
    TraceRow,
    WatchwordRow,
)
from storage.trail import events_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlmodel import SQLModel

    from bot.core.things import Member
    from storage.connection import Connection
    from storage.trail import Survey

Conditions = tuple["ColumnElement[bool]", ...]

NOT_PERSONAL = {
    "community": "the community itself",
    "space": "its servers, workspaces and groups",
    "collection": "the encoder that serves",
    "adopted": "the encoders that matching goes by; one that learned from a member goes with a forget",
    "policy": "what the staff set, without who set it",
    "backfill": "how far back a channel was read, without who wrote there",
    "document": "files that staff gave; who gave one is nobody any more when they are forgotten",
    "schedule": "when the bot does what; who set it is nobody any more when they are forgotten",
    "lease": "which process does what",
    "answer_source": "what answers cite, without words; goes with the answer",
    "alert": "that the staff was told of something; a term that one is about was used by several members",
    "alert_mute": "what the staff wants to hear nothing of; who muted it is nobody any more when they are forgotten",
    "watchword": "words that the staff watches; who added one is nobody any more when they are forgotten",
    "refusal": "keyed hashes that name nobody; they make a forget last",
}
"""The tables that hold nothing about a member, and why."""
STAFF: dict[str, type[SQLModel]] = {
    "by": CaseRow,
    "verdict_by": CaseRow,
    "owner": NoteRow,
    "given_by": DocumentRow,
    "set_by": ScheduleRow,
    "muted_by": AlertMuteRow,
    "added_by": WatchwordRow,
}
"""Columns that name the staff, of cases, notes, files, schedules, mutes and words; nobody is named there any more."""
DERIVED = ("profile", "learned_heads", "growth")
"""What is learned from everybody: dropped by a forget, and learned anew from what others said."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table: those that meet any of the conditions."""

    model: type[SQLModel]
    conditions: Conditions

    @property
    def store(self) -> str:
        """Return the table's name."""
        return str(table(self.model).name)


def rows(found: Survey) -> Iterator[Rows]:
    """Name what every table holds, in an order in which it can be deleted."""
    trail = found.trail
    stay = {one.trace for one in trail.spared}
    kept = {number for one in trail.spared for number in one.acts}
    traces, named = [one for one in trail.traces if one not in stay], col(TraceMemberRow.member) == found.probes.member
    about = (one & named for one in among(TraceMemberRow.trace_id, sorted(stay)))
    gone = [number for one in trail.spared for number in one.gone]
    yield Rows(ButtonRow, among(ButtonRow.act_id, [one for one in trail.acts if one not in kept]))
    yield Rows(ActRow, (*among(ActRow.trace_id, traces), *among(ActRow.id, gone)))
    yield Rows(TraceMemberRow, (*among(TraceMemberRow.trace_id, traces), *about))
    yield Rows(TraceRow, among(TraceRow.id, traces))
    yield Rows(InboxRow, (events_of(found.community, found.member), *among(InboxRow.id, trail.inbox)))
    yield Rows(LedgerRow, among(LedgerRow.id, trail.ledger))
    yield from _said(found)
    yield from (Rows(model, _theirs(model, found)) for model in PERSONAL)
    yield Rows(MeetingRow, (col(MeetingRow.first_id) == found.member.id, col(MeetingRow.other_id) == found.member.id))
    yield Rows(ChannelRow, among(ChannelRow.id, trail.rooms))
    yield Rows(EncodingRow, among(EncodingRow.key, found.cached))
    yield Rows(ProfileRow, (col(ProfileRow.community_id) == found.community.id,))
    yield Rows(GrowthRow, (growth.still_open(found.community),))
    yield Rows(LearnedRow, (col(LearnedRow.community_id) == found.community.id,))
    yield Rows(MemberRow, (col(MemberRow.id) == found.member.id,))
    yield Rows(PersonRow, (_nobody_else(found.member),))


def _said(found: Survey) -> Iterator[Rows]:
    """Name their messages and what hangs on them, and the bot's messages about them."""
    member, trail = found.member.id, found.trail
    written = select(col(MessageRow.id)).where(col(MessageRow.author_id) == member)
    reacted = (col(ReactionRow.member_id) == member) | col(ReactionRow.message_id).in_(written)
    yield Rows(ReactionRow, (reacted, *among(ReactionRow.message_id, trail.made)))
    yield Rows(OutboxRow, (col(OutboxRow.message_id).in_(written), *among(OutboxRow.message_id, trail.made)))
    yield Rows(NoteSourceRow, among(NoteSourceRow.note_id, trail.notes))
    yield Rows(NoteRow, among(NoteRow.id, trail.notes))
    yield Rows(MessageRow, (col(MessageRow.author_id) == member, *among(MessageRow.id, trail.made)))
    yield Rows(ThreadRow, (*among(ThreadRow.id, trail.threads), *among(ThreadRow.channel_id, trail.rooms)))


def _theirs(model: type[SQLModel], found: Survey) -> Conditions:
    """Return which rows are theirs of a table that says so itself."""
    personal, held = PERSONAL[model], table(model).c
    rooms = among(held[personal.room], found.trail.rooms) if personal.room else ()
    theirs = held[personal.by] == found.member.id
    cases = (~theirs & held[personal.case].in_(_cases(found)),) if personal.case else ()
    return theirs, *rooms, *cases


def _cases(found: Survey) -> Select[str]:
    return select(col(CaseRow.id)).where(col(CaseRow.member_id) == found.member.id)


def named(found: Survey, column: str) -> ColumnElement[bool]:
    """Return the condition for a row that stays to name the member in a column of `STAFF`."""
    held = table(STAFF[column]).c
    return (held.community_id == found.community.id) & (held[column] == str(found.member.ref))


def _nobody_else(member: Member) -> ColumnElement[bool]:
    other = exists().where(col(MemberRow.person_id) == member.person, col(MemberRow.id) != member.id)
    return (col(PersonRow.id) == member.person) & ~other


def among(column: object, numbers: Sequence[object]) -> Conditions:
    """Return conditions for a column to hold one of many values, each fit for one statement."""
    return tuple(col(column).in_(some) for some in portions(numbers))


async def count(connection: Connection, found: Survey) -> dict[str, int]:
    """Count what is held, by store; a store that holds nothing is left out."""
    counted: dict[str, int] = {}
    for some in rows(found):
        for condition in some.conditions:
            statement = select(func.count()).select_from(some.model).where(condition)
            counted[some.store] = counted.get(some.store, 0) + (await connection.execute(statement)).scalar_one()
    trail = found.trail
    counted |= {"reply": len(trail.replies), "title": len(trail.begun), "digest": len(trail.spared)}
    for column, model in STAFF.items():
        naming = select(func.count()).select_from(model).where(named(found, column))
        counted[column] = (await connection.execute(naming)).scalar_one()
    return {store: number for store, number in counted.items() if number}
