"""Two rows that turned out to be one: a member or a channel, and all that refers to the one goes over to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update
from sqlmodel import SQLModel, col

from bot.core.things import Audience
from storage import interests, meetings, members, newcomers, notes, outbox, persons, proofs, subscriptions, wishes
from storage.rows import columns, table
from storage.tables import (
    AnswerRow,
    AnswerSourceRow,
    CaseRow,
    ChannelRow,
    ConsentRow,
    EvidenceRow,
    FeedbackRow,
    LessonRow,
    MemberRow,
    MembershipRow,
    MessageRow,
    OpinionRow,
    ReactionRow,
    ReportRow,
    SuggestedRow,
    TasteRow,
    ThreadRow,
    TraceMemberRow,
)
from storage.trail import account_ref

if TYPE_CHECKING:
    from datetime import datetime

    from storage.connection import Connection

OPENNESS = (Audience.DIRECT, Audience.MEMBERS, Audience.EVERYONE)
"""Of two audiences, the one that stands first here lets fewer read."""
ABOUT: tuple[type[SQLModel], ...] = (CaseRow, EvidenceRow, LessonRow, AnswerRow)
"""What names a member beside its key."""


async def member(connection: Connection, number: int, *, into: int, now: datetime) -> None:
    """Let one row of a member take over what another one has; of what they said of consent, the stricter holds."""
    old, new = await members.by_number(connection, number), await members.by_number(connection, into)
    if old is None or new is None:
        return
    await persons.link(connection, new, old, now)
    said = await connection.execute(
        select(*columns(ConsentRow, "member_id", "collected")).where(col(ConsentRow.member_id).in_([number, into]))
    )
    consent = {row.member_id: row.collected for row in said}
    if into not in consent and number in consent:
        await members.set_consent(connection, into, collected=consent[number], now=now)
    await members.set_consent(connection, number, collected=None, now=now)
    written = col(MessageRow.author_id) == number
    await outbox.put_those(connection, written)
    await connection.execute(update(MessageRow).where(written).values(author_id=into))
    await _move(connection, ReactionRow, "member_id", number, into, beside=("message_id", "emoji"))
    await _move_memberships(connection, "member_id", number, into, beside="channel_id")
    await _move(connection, FeedbackRow, "member_id", number, into, beside=("channel_id",))
    await newcomers.move(connection, number, into=into)
    await interests.move(connection, number, into=into)
    await _move(connection, ReportRow, "member_id", number, into, beside=("case_id",))
    await _move(connection, OpinionRow, "member_id", number, into, beside=("answer_id",))
    await _move(connection, TasteRow, "member_id", number, into, beside=("conversation",))
    await _move(connection, SuggestedRow, "member_id", number, into, beside=("channel_id",))
    await wishes.move(connection, number, into=into)
    await subscriptions.move(connection, number, into=into)
    await meetings.move(connection, number, into=into)
    for model in ABOUT:
        held = table(model).c
        await connection.execute(update(model).where(held.member_id == number).values(member_id=into))
    await proofs.move(connection, number, into)
    await _move_stories(connection, number, into)
    await connection.execute(delete(MemberRow).where(col(MemberRow.id) == number))


async def _move_stories(connection: Connection, number: int, into: int) -> None:
    """Let traces in other communities that tell of the one account tell of the other: a forget looks for its number."""
    old, new = str(account_ref(number)), str(account_ref(into))
    there = select(col(TraceMemberRow.trace_id)).where(col(TraceMemberRow.member) == new)
    mine = col(TraceMemberRow.member) == old
    await connection.execute(delete(TraceMemberRow).where(mine, col(TraceMemberRow.trace_id).in_(there)))
    await connection.execute(update(TraceMemberRow).where(mine).values(member=new))


async def channel(connection: Connection, number: int, *, into: int) -> None:
    """Let one row of a channel take over what another one has; whichever lets fewer read it holds."""
    rows = await connection.execute(
        select(*columns(ChannelRow, "id", "audience", "description")).where(col(ChannelRow.id).in_([number, into]))
    )
    known = {row.id: row for row in rows}
    if len(known) < 2:  # noqa: PLR2004 - both must be there
        return
    audience = min((Audience(row.audience) for row in known.values()), key=OPENNESS.index)
    described = known[into].description or known[number].description
    await connection.execute(
        update(ChannelRow).where(col(ChannelRow.id) == into).values(audience=audience, description=described)
    )
    await _merge_threads(connection, number, into)
    said = col(MessageRow.channel_id) == number
    await outbox.put_those(connection, said)
    await connection.execute(update(MessageRow).where(said).values(channel_id=into))
    await _move_memberships(connection, "channel_id", number, into, beside="member_id")
    await _move(connection, FeedbackRow, "channel_id", number, into, beside=("member_id",))
    await _move(connection, SuggestedRow, "channel_id", number, into, beside=("member_id",))
    await connection.execute(update(TasteRow).where(col(TasteRow.channel_id) == number).values(channel_id=into))
    await notes.move(connection, number, into=into)
    cited = col(AnswerSourceRow.channel_id) == number
    await connection.execute(update(AnswerSourceRow).where(cited).values(channel_id=into))
    await connection.execute(delete(ChannelRow).where(col(ChannelRow.id) == number))


async def _merge_threads(connection: Connection, number: int, into: int) -> None:
    rows = (
        await connection.execute(
            select(*columns(ThreadRow, "id", "channel_id", "ref")).where(col(ThreadRow.channel_id).in_([number, into]))
        )
    ).all()
    there = {row.ref: row.id for row in rows if row.channel_id == into}
    for row in rows:
        if row.channel_id != number:
            continue
        if row.ref not in there:
            await connection.execute(update(ThreadRow).where(col(ThreadRow.id) == row.id).values(channel_id=into))
            continue
        inside = col(MessageRow.thread_id) == row.id
        await connection.execute(update(MessageRow).where(inside).values(thread_id=there[row.ref]))
        await connection.execute(delete(ThreadRow).where(col(ThreadRow.id) == row.id))


async def _move_memberships(connection: Connection, column: str, number: int, into: int, *, beside: str) -> None:
    """Move who is where; whoever is still in by one of two rows is still in, since the earlier of the two times."""
    names = ("joined_at", "left_at")
    held = table(MembershipRow).c
    rows = (
        await connection.execute(
            select(*columns(MembershipRow, column, beside, *names)).where(held[column].in_([number, into]))
        )
    ).all()
    there = {getattr(row, beside): row for row in rows if getattr(row, column) == into}
    for row in rows:
        other = there.get(getattr(row, beside))
        if getattr(row, column) != number or other is None:
            continue
        left = None if row.left_at is None or other.left_at is None else max(row.left_at, other.left_at)
        same = (held[column] == into) & (held[beside] == getattr(row, beside))
        values = {"joined_at": min(row.joined_at, other.joined_at), "left_at": left}
        await connection.execute(update(MembershipRow).where(same).values(values))
    await _move(connection, MembershipRow, column, number, into, beside=(beside,))


async def _move(
    connection: Connection, model: type[SQLModel], column: str, number: int, into: int, *, beside: tuple[str, ...]
) -> None:
    """Move rows whose key is a column with others beside it; where the key is taken, the row there stays."""
    held = table(model).c
    taken = select(*(held[name] for name in beside)).where(held[column] == into)
    rows = {tuple(row) for row in await connection.execute(taken)}
    mine = (await connection.execute(select(*(held[name] for name in beside)).where(held[column] == number))).all()
    for key in map(tuple, mine):
        which = held[column] == number
        for name, value in zip(beside, key, strict=True):
            which &= held[name] == value
        await connection.execute(
            delete(model).where(which) if key in rows else update(model).where(which).values({column: into})
        )
