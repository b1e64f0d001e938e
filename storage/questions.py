"""Messages that nobody answered yet: what waits for an answer in a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from bot.core.things import Member, Message, Ref
from storage import members
from storage.rows import columns
from storage.tables import AnswerRow, MemberRow, MessageRow, ThreadRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from bot.core.things import Community
    from storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A message that waits, who wrote it, and in which thread."""

    message: Message
    author: Member
    thread: Ref | None = None


async def unanswered(
    connection: Connection, community: Community, channels: Sequence[int], *, since: datetime, until: datetime
) -> list[Question]:
    """Return what humans said in channels between two moments and nobody took up, those who wrote least first.

    Taken up is what somebody else replied to, what they wrote in after it where it is known which messages belong
    together, and else what they wrote in its channel or thread after it; and what the bot answered already. Nothing is
    returned of whoever is not collected. Whether it is a question, the caller sees.

    SQLite keeps no statistics here, and would begin with all messages of the community: `+ 0` hides that index from it.
    """
    held = MessageRow.__table__  # type: ignore[attr-defined] # sqlmodel tells no type of it
    rows = await connection.execute(
        select(
            *columns(MessageRow, "id", "ref", "channel_id", "author_id", "thread_id", "text", "sent_at"),
            col(ThreadRow.ref).label("thread"),
        )
        .join(MemberRow, col(MemberRow.id) == col(MessageRow.author_id))
        .join(ThreadRow, col(ThreadRow.id) == col(MessageRow.thread_id), isouter=True)
        .where(held.c.community_id + 0 == community.id, col(MessageRow.channel_id).in_(channels))
        .where(col(MessageRow.sent_at) >= since, col(MessageRow.sent_at) < until, col(MemberRow.bot).is_(False))
        .where(~_taken_up(), ~exists().where(col(AnswerRow.asked) == col(MessageRow.ref)))
        .order_by(col(MessageRow.sent_at))
    )
    found = rows.all()
    withheld = await members.withheld(connection, community, among=[row.author_id for row in found])
    waiting = [row for row in found if row.author_id not in withheld]
    authors = await members.by_numbers(connection, [row.author_id for row in waiting])
    asked: list[tuple[int, Question]] = []
    for row in waiting:
        wrote = await connection.scalar(
            select(func.count()).select_from(MessageRow).where(col(MessageRow.author_id) == row.author_id)
        )
        message = Message(
            id=row.id,
            ref=Ref.parse(row.ref),
            channel=row.channel_id,
            author=row.author_id,
            thread=row.thread_id,
            text=row.text,
            sent_at=row.sent_at,
        )
        thread = Ref.parse(row.thread) if row.thread else None
        asked.append((wrote, Question(message=message, author=authors[row.author_id], thread=thread)))
    return [one for _wrote, one in sorted(asked, key=lambda pair: pair[0])]


def _taken_up() -> ColumnElement[bool]:
    """Return the condition for somebody else to have taken a message up."""
    later = aliased(MessageRow)
    same_room = (col(later.channel_id) == col(MessageRow.channel_id)) & (
        func.coalesce(col(later.thread_id), 0) == func.coalesce(col(MessageRow.thread_id), 0)
    )
    known = col(MessageRow.conversation).is_not(None) & col(later.conversation).is_not(None)
    together = (known & (col(later.conversation) == col(MessageRow.conversation))) | (~known & same_room)
    return exists().where(
        col(later.community_id) + 0 == col(MessageRow.community_id),
        col(later.author_id) + 0 != col(MessageRow.author_id),
        col(later.sent_at) >= col(MessageRow.sent_at),
        (col(later.reply_to) == col(MessageRow.ref)) | together,
    )
