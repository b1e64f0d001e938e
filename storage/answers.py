"""Answers that the bot gave or owes: what was asked, what they cite (without its words), and opinions on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select, update
from sqlmodel import col

from bot.core.actions import AskStaff, Cited, Edit
from bot.core.codec import load_action
from bot.core.things import Ref
from storage import backfills, spaces
from storage.rows import columns, insert_new, portions
from storage.tables import ActRow, AnswerRow, AnswerSourceRow, DocumentRow, MemberRow, NoteRow, OpinionRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row

    from bot.core.actions import Given, KeepAnswer, KeepOpinion, OpenDirect, Opinion, Say
    from bot.core.things import Community, Member
    from storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer as it is kept. `member` asked, `made` is the bot's message, `card` the question to the staff."""

    id: str
    member: Ref
    channel: Ref
    thread: Ref | None
    asked: Ref | None
    question: str
    trace: str
    made: Ref | None
    card: Ref | None
    alone: bool
    confidence: float
    standing: Given
    at: datetime


async def keep(
    connection: Connection,
    community: Community,
    member: Member | None,
    action: KeepAnswer,
    *,
    trace: str,
    now: datetime,
) -> None:
    """Keep an answer, or how the one of this id stands now; taken back, it is withdrawn.

    One counts as corrected by the staff once a message says their words: until then it follows what it cites. A
    question that was taken back while its answer was found is not kept.
    """
    gone = action.asked is not None and await _is_deleted(connection, community, action.asked)
    row = {
        "id": action.answer,
        "community_id": community.id,
        "member_id": member.id if member else None,
        "channel": str(action.channel),
        "thread": str(action.thread or ""),
        "asked": str(action.asked or ""),
        "question": "" if gone else action.question,
        "trace_id": trace,
        "made": "",
        "card": str(action.card or ""),
        "alone": action.alone,
        "confidence": action.confidence,
        "standing": action.standing or "withdrawn",
        "at": now,
    }
    if not await insert_new(connection, AnswerRow, [row], "id"):
        if action.standing == "corrected" and not await _is_said(connection, trace):
            return
        changed = {"standing": row["standing"]} | ({"card": row["card"]} if action.card else {})
        mine = (col(AnswerRow.id) == action.answer) & (col(AnswerRow.community_id) == community.id)
        await connection.execute(update(AnswerRow).where(mine).values(changed))
        return
    await cite(connection, action.answer, action.sources)


async def _is_deleted(connection: Connection, community: Community, message: Ref) -> bool:
    """Say whether the platform told that a message was deleted."""
    for space in await spaces.of(connection, community):
        if await backfills.deleted(connection, space.ref, [message]):
            return True
    return False


async def _is_said(connection: Connection, trace: str) -> bool:
    """Say whether a message was changed by what was decided here."""
    done = select(col(ActRow.action)).where(col(ActRow.trace_id) == trace, col(ActRow.state) == "done")
    return any(isinstance(load_action(one), Edit) for one in await connection.scalars(done))


async def cite(connection: Connection, answer: str, cited: Sequence[Cited]) -> None:
    """Keep what an answer cites."""
    sources = [
        {
            "answer_id": answer,
            "source": str(one.source),
            "channel_id": one.channel,
            "digest": bytes.fromhex(one.digest),
        }
        for one in cited
    ]
    await insert_new(connection, AnswerSourceRow, sources)


async def made(connection: Connection, action: Say | OpenDirect | AskStaff, message: Ref) -> None:
    """Note by which message an answer was given, or the staff was asked for one."""
    column = "card" if isinstance(action, AskStaff) else "made"
    one = col(AnswerRow.id) == action.answer
    await connection.execute(update(AnswerRow).where(one).values({column: str(message)}))


async def judge(
    connection: Connection, community: Community, member: Member, action: KeepOpinion, *, now: datetime
) -> bool:
    """Keep what a member thinks of an answer in place of what they thought before; False where it is not kept."""
    if await by_id(connection, community, action.answer) is None:
        return False
    mine = (col(OpinionRow.answer_id) == action.answer) & (col(OpinionRow.member_id) == member.id)
    await connection.execute(delete(OpinionRow).where(mine))
    if action.opinion:
        helpful = action.opinion == "helpful"
        row = {"answer_id": action.answer, "member_id": member.id, "helpful": helpful, "at": now}
        await insert_new(connection, OpinionRow, [row])
    return True


async def opinion(connection: Connection, answer: str, member: int) -> Opinion:
    """Return what a member thinks of an answer."""
    said = select(col(OpinionRow.helpful)).where(
        col(OpinionRow.answer_id) == answer, col(OpinionRow.member_id) == member
    )
    helpful = await connection.scalar(said)
    return "" if helpful is None else "helpful" if helpful else "not_this"


async def opinions(connection: Connection, sources: Sequence[Ref]) -> dict[Ref, tuple[int, int]]:
    """Count by source how many said of an answer that cites it that it helped, and how many that it was not this."""
    found: dict[Ref, tuple[int, int]] = {}
    for some in portions([str(one) for one in sources]):
        rows = await connection.execute(
            select(*columns(AnswerSourceRow, "source"), *columns(OpinionRow, "helpful"))
            .join(OpinionRow, col(OpinionRow.answer_id) == col(AnswerSourceRow.answer_id))
            .where(col(AnswerSourceRow.source).in_(some))
        )
        for row in rows:
            yes, no = found.get(Ref.parse(row.source), (0, 0))
            found[Ref.parse(row.source)] = (yes + row.helpful, no + (not row.helpful))
    return found


async def by_id(connection: Connection, community: Community, answer: str) -> Kept | None:
    """Return an answer of a community by its id."""
    return next(iter(await _find(connection, community, col(AnswerRow.id) == answer)), None)


async def by_message(connection: Connection, community: Community, message: Ref) -> Kept | None:
    """Return the answer that a message of the bot gives."""
    return next(iter(await _find(connection, community, col(AnswerRow.made) == str(message))), None)


async def by_card(connection: Connection, community: Community, card: Ref) -> list[Kept]:
    """Return the answers that a question to the staff is about, the first asked first."""
    return await _find(connection, community, col(AnswerRow.card) == str(card))


async def in_thread(connection: Connection, community: Community, thread: Ref) -> list[Kept]:
    """Return the answers of a thread, oldest first; a thread may be called by the message that began it."""
    begun = col(AnswerRow.asked) == str(thread)
    return await _find(connection, community, (col(AnswerRow.thread) == str(thread)) | begun)


async def of_messages(connection: Connection, community: Community, asked: Sequence[Ref]) -> set[Ref]:
    """Return which of these messages got an answer already."""
    found: set[Ref] = set()
    for some in portions([str(one) for one in asked]):
        rows = await _find(connection, community, col(AnswerRow.asked).in_(some))
        found.update(one.asked for one in rows if one.asked is not None)
    return found


async def waiting(connection: Connection, community: Community) -> list[Kept]:
    """Return the answers that the staff owes and has a card of, the first asked first."""
    owed = (col(AnswerRow.standing) == "asked_staff") & (col(AnswerRow.card) != "")
    return await _find(connection, community, owed)


async def since(connection: Connection, community: Community, channel: Ref, moment: datetime) -> list[Kept]:
    """Return what was answered in a channel since a moment, oldest first."""
    return await _find(connection, community, (col(AnswerRow.channel) == str(channel)) & (col(AnswerRow.at) >= moment))


async def sources(connection: Connection, answer: str) -> list[Ref]:
    """Return what an answer cites."""
    rows = await connection.scalars(select(col(AnswerSourceRow.source)).where(col(AnswerSourceRow.answer_id) == answer))
    return [Ref.parse(one) for one in rows]


async def cited(connection: Connection, answer: str) -> list[Cited]:
    """Return what an answer cites, with where it lies and its digest."""
    rows = await connection.execute(
        select(*columns(AnswerSourceRow, "source", "channel_id", "digest")).where(
            col(AnswerSourceRow.answer_id) == answer
        )
    )
    return [Cited(source=Ref.parse(row.source), channel=row.channel_id, digest=row.digest.hex()) for row in rows]


async def refused(connection: Connection, community: Community, member: int, question: str) -> set[Ref]:
    """Return what is cited by the answers to a question of which a member said that they were not it."""
    rows = await connection.scalars(
        select(col(AnswerSourceRow.source))
        .join(AnswerRow, col(AnswerRow.id) == col(AnswerSourceRow.answer_id))
        .join(OpinionRow, col(OpinionRow.answer_id) == col(AnswerRow.id))
        .where(col(OpinionRow.member_id) == member, col(OpinionRow.helpful).is_(False))
        .where(col(AnswerRow.community_id) == community.id, col(AnswerRow.question) == question)
    )
    return {Ref.parse(one) for one in rows}


async def titles(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """Return the names of the files that notes are from, by the notes' numbers; empty for entries of the FAQ."""
    found: dict[int, str] = {}
    for some in portions(list(numbers)):
        rows = await connection.execute(
            select(*columns(NoteRow, "id"), *columns(DocumentRow, "name"))
            .join(DocumentRow, col(DocumentRow.id) == col(NoteRow.document_id), isouter=True)
            .where(col(NoteRow.id).in_(some))
        )
        found.update((row.id, row.name or "") for row in rows)
    return found


async def fade(connection: Connection, community: Community, before: datetime) -> int:
    """Erase the questions of answers from before a moment, and return how many; opinions go on counting.

    A question that became an entry of the FAQ stays as long as that does: by it the entry is found when whoever asked
    is forgotten, and shown when they ask what is kept of them.
    """
    old = (col(AnswerRow.community_id) == community.id) & (col(AnswerRow.at) < before) & (col(AnswerRow.question) != "")
    entries = select(col(NoteRow.heading)).where(col(NoteRow.community_id) == community.id, col(NoteRow.kind) == "faq")
    mine = old & col(AnswerRow.question).not_in(entries)
    faded = await connection.execute(update(AnswerRow).where(mine).values(question="").returning(col(AnswerRow.id)))
    return len(faded.all())


async def purge(connection: Connection, community: Community, before: datetime, *, limit: int) -> int:
    """Erase up to `limit` answers from before a moment, with what they cite; return how many.

    What somebody thinks of one keeps it, since that goes on counting, and what the staff owes is answered late.
    """
    judged = exists().where(col(OpinionRow.answer_id) == col(AnswerRow.id))
    old = (col(AnswerRow.community_id) == community.id, col(AnswerRow.at) < before, col(AnswerRow.question) == "")
    chosen = select(col(AnswerRow.id)).where(*old, ~judged, col(AnswerRow.standing) != "asked_staff").limit(limit)
    found = list(await connection.scalars(chosen))
    for some in portions(found):
        await connection.execute(delete(AnswerSourceRow).where(col(AnswerSourceRow.answer_id).in_(some)))
        await connection.execute(delete(AnswerRow).where(col(AnswerRow.id).in_(some)))
    return len(found)


COLUMNS = columns(
    AnswerRow,
    *("id", "channel", "thread", "asked", "question", "trace_id", "made", "card", "alone", "confidence"),
    *("standing", "at"),
)


async def _find(connection: Connection, community: Community, which: ColumnElement[bool]) -> list[Kept]:
    rows = await connection.execute(
        select(*COLUMNS, *columns(MemberRow, "ref"))
        .join(MemberRow, col(MemberRow.id) == col(AnswerRow.member_id))
        .where(col(AnswerRow.community_id) == community.id, which)
        .order_by(col(AnswerRow.at), col(AnswerRow.id))
    )
    return [_kept(row) for row in rows]


def _kept(row: Row[*tuple[object, ...]]) -> Kept:
    return Kept(
        id=row.id,
        member=Ref.parse(row.ref),
        channel=Ref.parse(row.channel),
        thread=_ref(row.thread),
        asked=_ref(row.asked),
        question=row.question,
        trace=row.trace_id,
        made=_ref(row.made),
        card=_ref(row.card),
        alone=row.alone,
        confidence=row.confidence,
        standing=row.standing,
        at=row.at,
    )


def _ref(text: str) -> Ref | None:
    return Ref.parse(text) if text else None
