"""Answers that stand, and which of them rest on what is gone, reads otherwise, or is not their readers' to read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy import or_, select
from sqlmodel import col

from bot.core.actions import Edit
from bot.core.codec import load_action
from bot.core.ports import Scope
from bot.core.things import Ref
from storage import audiences, members, messages
from storage.digests import digest
from storage.redaction import MENDS
from storage.rows import columns, portions
from storage.tables import ActRow, AnswerRow, AnswerSourceRow, MessageRow, NoteRow, NoteSourceRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row, Select

    from bot.core.actions import KeepAnswer
    from bot.core.things import Community, Message
    from storage.audiences import Audiences
    from storage.connection import Connection

Lost = Literal["gone", "changed", "closed", "withheld"]
"""What became of a source: it is not there any more, it reads otherwise, not all who read what cites it may read it, or
its author wants no word of theirs used."""
NOTE = "note:"
"""What the reference of a note begins with, where that of a message has its platform."""
PAUSE = timedelta(seconds=10)
"""Until a message that could not be changed is tried again; each time twice as long."""
IS_NOTE = col(AnswerSourceRow.source).startswith(NOTE, autoescape=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An answer that the bot gave. `made` is its message, where one is known."""

    id: str
    member: int | None
    channel: Ref
    question: str
    trace: str
    made: Ref | None
    alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """An answer with what became of its sources, by their references; those that hold are left out."""

    answer: Standing
    lost: Mapping[str, Lost] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cited:
    """What is cited: the digest of what it read then, and what it is now; `text` is None where it is gone."""

    then: bytes
    text: str | None
    channel: int | None
    author: int | None

    def lost(self, rooms: frozenset[int], withheld: frozenset[int]) -> Lost | None:
        """Say what became of it for those who read these channels; None where it holds."""
        if self.text is None:
            return "gone"
        if self.channel not in rooms:
            return "closed"
        if self.author in withheld:
            return "withheld"
        return "changed" if digest(self.text) != self.then else None


async def stale(connection: Connection, community: Community, since: datetime) -> list[Stale]:
    """Return the answers given since a moment whose sources do not hold, oldest first.

    The database leaves out what holds for sure: a message that was never edited, in a channel that everyone reads, of
    an author who refused nothing, cited where no guest is. What is left is looked at one by one.
    """
    # What the staff corrected says their words now, whatever became of what it cited.
    stands = col(AnswerRow.standing) != "corrected"
    ours = (col(AnswerRow.community_id) == community.id) & (col(AnswerRow.at) >= since) & stands
    alone = select(col(AnswerRow.member_id)).where(ours, col(AnswerRow.alone).is_(True)).distinct()
    askers = {member for member in await connection.scalars(alone) if member is not None}
    readers = await audiences.load(connection, community, askers)
    cited = [(row, [_cited(row)]) for row in await connection.execute(_messages(ours, readers))]
    noted = (await connection.execute(_citing(ours).where(IS_NOTE))).all()
    notes = await _notes(connection, community, {row.source for row in noted})
    cited += [(row, _rests(row.digest, notes.get(row.source))) for row in noted]
    return _judged(cited, readers)


def _judged(cited: Sequence[tuple[Row[*tuple[object, ...]], list[_Cited]]], readers: Audiences) -> list[Stale]:
    """Judge each source for those who read the answer."""
    answers: dict[str, Standing] = {}
    lost: defaultdict[str, dict[str, Lost]] = defaultdict(dict)
    for row, sources in sorted(cited, key=lambda one: (one[0].at, one[0].id)):
        rooms = _rooms(row, readers)
        for found in (source.lost(rooms, readers.withheld) for source in sources):
            if found is not None:
                answers.setdefault(row.id, _standing(row))
                lost[row.id][row.source] = found
    return [Stale(answer=answer, lost=lost[number]) for number, answer in answers.items()]


def _rooms(row: Row[*tuple[object, ...]], readers: Audiences) -> frozenset[int]:
    """Return the channels whose words may stand in an answer."""
    where = Ref.parse(row.channel)
    alone = row.alone or readers.is_direct(where)
    return readers.alone(row.member_id) if alone else readers.aloud(where)


def _citing(ours: ColumnElement[bool]) -> Select[*tuple[object, ...]]:
    """Select what is cited by answers, with the answers."""
    names = ("id", "member_id", "channel", "question", "trace_id", "made", "alone", "at")
    return (
        select(
            *columns(AnswerRow, *names),
            *columns(AnswerSourceRow, "source", "digest"),
        )
        .join(AnswerSourceRow, col(AnswerSourceRow.answer_id) == col(AnswerRow.id))
        .where(ours)
    )


def _messages(ours: ColumnElement[bool], readers: Audiences) -> Select[*tuple[object, ...]]:
    """Select the messages cited that may not hold, as they are now."""
    now = [col(MessageRow.text), col(MessageRow.channel_id).label("room"), col(MessageRow.author_id).label("author")]
    here = (col(MessageRow.community_id) == col(AnswerRow.community_id)) & (
        col(MessageRow.ref) == col(AnswerSourceRow.source)
    )
    visited = [str(ref) for ref, number in readers.numbers.items() if number in readers.visited]
    doubtful = [
        col(MessageRow.id).is_(None),
        col(MessageRow.edited_at).is_not(None),
        col(MessageRow.channel_id).not_in(sorted(readers.open)),
        col(MessageRow.author_id).in_(sorted(readers.withheld)),
        col(AnswerRow.channel).in_(visited),
        col(AnswerRow.alone).is_(True) & col(AnswerRow.member_id).in_(sorted(readers.guests)),
    ]
    return _citing(ours).add_columns(*now).outerjoin(MessageRow, here).where(~IS_NOTE, or_(*doubtful))


def _cited(row: Row[*tuple[object, ...]]) -> _Cited:
    return _Cited(then=row.digest, text=row.text, channel=row.room, author=row.author)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """A note as it reads now, and the messages that it rests on."""

    text: str
    channel: int
    sources: list[_Cited]


def _rests(then: bytes, note: _Note | None) -> list[_Cited]:
    """Return what is cited by citing a note that read so then: itself, and what it rests on."""
    if note is None:
        return [_Cited(then=then, text=None, channel=None, author=None)]
    return [_Cited(then=then, text=note.text, channel=note.channel, author=None), *note.sources]


async def _notes(connection: Connection, community: Community, wanted: Collection[str]) -> dict[str, _Note]:
    """Return notes by their references."""
    numbers = sorted(int(ref.removeprefix(NOTE)) for ref in wanted)
    resting: defaultdict[int, list[_Cited]] = defaultdict(list)
    found: dict[str, _Note] = {}
    for some in portions(numbers):
        for row in await connection.execute(_resting(community).where(col(NoteSourceRow.note_id).in_(some))):
            resting[row.note_id].append(_cited(row))
        ours = (col(NoteRow.community_id) == community.id) & col(NoteRow.id).in_(some)
        for row in await connection.execute(select(*columns(NoteRow, "id", "text", "channel_id")).where(ours)):
            found[f"{NOTE}{row.id}"] = _Note(text=row.text, channel=row.channel_id, sources=resting[row.id])
    return found


def _resting(community: Community) -> Select[*tuple[object, ...]]:
    """Select the messages that entries of the FAQ rest on, as they are now."""
    here = (col(MessageRow.community_id) == community.id) & (col(MessageRow.ref) == col(NoteSourceRow.message))
    return select(
        *columns(NoteSourceRow, "note_id", "digest"),
        col(MessageRow.text),
        col(MessageRow.channel_id).label("room"),
        col(MessageRow.author_id).label("author"),
    ).outerjoin(MessageRow, here)


async def lost(connection: Connection, community: Community, kept: KeepAnswer) -> dict[str, Lost]:
    """Return which sources of an answer that was not given yet do not hold any more, with what became of them."""
    asker = await members.by_ref(connection, community, kept.member) if kept.member else None
    readers = await audiences.load(connection, community, {asker.id} if asker else ())
    alone = kept.alone or readers.is_direct(kept.channel)
    rooms = readers.alone(asker.id if asker else 0) if alone else readers.aloud(kept.channel)
    then = {str(one.source): bytes.fromhex(one.digest) for one in kept.sources}
    notes = await _notes(connection, community, {source for source in then if source.startswith(NOTE)})
    refs = [one.source for one in kept.sources if str(one.source) not in notes]
    said = await messages.by_refs(connection, Scope(community=community.id), refs)
    found: dict[str, Lost] = {}
    for source, read in then.items():
        now = _rests(read, notes.get(source)) if source.startswith(NOTE) else [_said(read, said.get(Ref.parse(source)))]
        what = next((one for one in (each.lost(rooms, readers.withheld) for each in now) if one is not None), None)
        if what is not None:
            found[source] = what
    return found


def _said(then: bytes, now: Message | None) -> _Cited:
    """Return a message that read so then as it is now."""
    return _Cited(
        then=then,
        text=now.text if now else None,
        channel=now.channel if now else None,
        author=now.author if now else None,
    )


def _standing(row: Row[*tuple[object, ...]]) -> Standing:
    return Standing(
        id=row.id,
        member=row.member_id,
        channel=Ref.parse(row.channel),
        question=row.question,
        trace=row.trace_id,
        made=Ref.parse(row.made) if row.made else None,
        alone=row.alone,
    )


async def due(connection: Connection, community: Community, since: datetime, now: datetime) -> list[Stale]:
    """Return the answers that are to be mended now: those that could not be lately wait, ever longer.

    One that no message is known of waits too, until all that was decided with it was tried: it may yet be said.
    """
    found = await stale(connection, community, since)
    waits = await _waiting(connection, community, now) if found else frozenset()
    tried = await _tried(connection, {one.answer.trace for one in found if one.answer.made is None})
    return [one for one in found if (one.answer.made not in waits if one.answer.made else one.answer.trace in tried)]


async def _tried(connection: Connection, traces: Collection[str]) -> set[str]:
    """Return the traces whose acts were tried, all of them; of one that was erased, nobody knows."""
    states: defaultdict[str, set[str]] = defaultdict(set)
    for some in portions(sorted(traces)):
        for row in await connection.execute(
            select(*columns(ActRow, "trace_id", "state")).where(col(ActRow.trace_id).in_(some)).distinct()
        ):
            states[row.trace_id].add(row.state)
    return {trace for trace, every in states.items() if "intended" not in every}


async def _waiting(connection: Connection, community: Community, now: datetime) -> frozenset[Ref]:
    """Return the messages that could not be changed when that was tried, and whose next try has not come."""
    rows = await connection.execute(
        select(*columns(ActRow, "action", "intended_at"))
        .where(col(ActRow.community_id) == community.id, col(ActRow.state).in_(("failed", "unknown")))
        .where(col(ActRow.action).contains(MENDS, autoescape=True))
        .order_by(col(ActRow.id))
    )
    tried: defaultdict[Ref, list[datetime]] = defaultdict(list)
    for row in rows:
        action = load_action(row.action)
        if isinstance(action, Edit):
            tried[action.message].append(row.intended_at)
    return frozenset(one for one, times in tried.items() if now < times[-1] + PAUSE * 2 ** (len(times) - 1))
