"""Which messages belong to one conversation, and those of whom that is not known yet.

A conversation is a label: the number of the message that began it, or, of an explicit thread, the thread's number with
a minus. It outlives the message that it is named after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, update
from sqlmodel import col

from bot.core.things import Ref
from storage.rows import columns, portions, table
from storage.tables import ChannelRow, MemberRow, MessageRow, ThreadRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row

    from storage.connection import Connection

MESSAGE = table(MessageRow)
LABEL = update(MESSAGE).where(MESSAGE.c.id == bindparam("number")).values(conversation=bindparam("label"))
MOVE = update(MESSAGE).where(MESSAGE.c.conversation == bindparam("number")).values(conversation=bindparam("label"))
AT = (col(MessageRow.sent_at), col(MessageRow.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A message of which is not known yet in which conversation it is."""

    number: int
    channel: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A message as it is untangled; `conversation` is None where that is to be found out."""

    number: int
    ref: str
    author: int
    name: str
    bot: bool
    thread: int | None
    conversation: int | None
    reply_to: str | None
    text: str
    at: datetime


async def untold(connection: Connection, limit: int) -> list[Untold]:
    """Return messages whose conversation is not known yet, those first that were stored first."""
    rows = await connection.execute(
        select(*columns(MessageRow, "id", "channel_id", "sent_at"))
        .where(col(MessageRow.conversation).is_(None))
        .order_by(col(MessageRow.id))
        .limit(limit)
    )
    return [Untold(number=row.id, channel=row.channel_id, at=row.sent_at) for row in rows]


async def still_untold(connection: Connection, numbers: Sequence[int]) -> frozenset[int]:
    """Return those of some messages whose conversation is not known yet."""
    untold_ = select(col(MessageRow.id)).where(col(MessageRow.conversation).is_(None))
    found: set[int | None] = set()
    for some in portions(numbers):
        found |= set(await connection.scalars(untold_.where(col(MessageRow.id).in_(some))))
    return frozenset(number for number in found if number is not None)


async def stretch(
    connection: Connection,
    channel: int,
    first: datetime,
    last: datetime,
    *,
    limit: int,
    earlier: int,
    since: datetime,
    later: int,
) -> list[Line]:
    """Return what was said in a channel from `first` to `last`, at most `limit`, in order of time.

    And up to `earlier` messages before that, none older than `since`, and up to `later` after it.
    """
    here = col(MessageRow.channel_id) == channel
    before = await _lines(connection, here & (AT[0] >= since) & (AT[0] < first), earlier, newest=True)
    now = await _lines(connection, here & (AT[0] >= first) & (AT[0] <= last), limit)
    after = await _lines(connection, here & (AT[0] > last), later) if len(now) < limit else []
    return [*before[::-1], *now, *after]


async def _lines(connection: Connection, where: ColumnElement[bool], limit: int, *, newest: bool = False) -> list[Line]:
    wanted = ("id", "ref", "author_id", "thread_id", "conversation", "reply_to", "text", "sent_at")
    rows = await connection.execute(
        select(*columns(MessageRow, *wanted), *columns(MemberRow, "name", "bot"))
        .join(MemberRow, col(MemberRow.id) == col(MessageRow.author_id))
        .where(where)
        .order_by(*(one.desc() if newest else one for one in AT))
        .limit(limit)
    )
    return [_line(row) for row in rows]


def _line(row: Row[*tuple[object, ...]]) -> Line:
    return Line(
        number=row.id,
        ref=row.ref,
        author=row.author_id,
        name=row.name,
        bot=row.bot,
        thread=row.thread_id,
        conversation=row.conversation,
        reply_to=row.reply_to,
        text=row.text,
        at=row.sent_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A message's number and its conversation, or what that will be named after."""

    number: int
    label: int


async def labelled(connection: Connection, channel: int, refs: Sequence[str]) -> dict[str, Labelled]:
    """Return messages of a channel by their references."""
    community = select(col(ChannelRow.community_id)).where(col(ChannelRow.id) == channel).scalar_subquery()
    found: dict[str, Labelled] = {}
    for some in portions(refs):
        rows = await connection.execute(
            select(*columns(MessageRow, "id", "ref", "conversation")).where(
                col(MessageRow.community_id) == community,
                col(MessageRow.ref).in_(some),
                col(MessageRow.channel_id) == channel,
            )
        )
        for row in rows:
            label = row.id if row.conversation is None else row.conversation
            found[row.ref] = Labelled(number=row.id, label=label)
    return found


async def roots(connection: Connection, threads: Sequence[int]) -> dict[str, int]:
    """Return under which references messages may stand from which threads were begun, and these threads' numbers.

    On Slack a thread is called as its first message, on Discord that message's number is the thread's.
    """
    found: dict[str, int] = {}
    for some in portions(threads):
        rows = await connection.execute(
            select(*columns(ThreadRow, "id", "ref"), table(ChannelRow).c.ref.label("channel"))
            .join(ChannelRow, col(ChannelRow.id) == col(ThreadRow.channel_id))
            .where(col(ThreadRow.id).in_(some))
        )
        for row in rows:
            ref, channel = Ref.parse(row.ref), Ref.parse(row.channel)
            found[row.ref] = row.id
            found[str(Ref(ref.platform, f"{channel.id}/{ref.id}"))] = row.id
    return found


async def tell(connection: Connection, labels: Mapping[int, int], moves: Mapping[int, int]) -> None:
    """Say of messages by number in which conversation they are; `moves` are conversations that became others."""
    if labels:
        await connection.execute(LABEL, [{"number": number, "label": label} for number, label in labels.items()])
    if moves:
        await connection.execute(MOVE, [{"number": number, "label": label} for number, label in moves.items()])
