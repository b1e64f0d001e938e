"""What was said lately, and how much by the hour before it: read for a spike by channel, never as a whole."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from sqlalchemy import Numeric, cast, extract, func, select
from sqlmodel import col

from bot.core.things import Ref
from storage.messages import within
from storage.rows import columns, portions
from storage.tables import MessageRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Label, Row

    from bot.core.ports import Scope
    from storage.connection import Connection

Floats = npt.NDArray[np.float64]
HOUR = timedelta(hours=1)
SAMPLED = (timedelta(days=1), timedelta(days=7), timedelta(weeks=8))
"""How far back a sample is looked for, step by step."""
COLUMNS = columns(MessageRow, "id", "ref", "channel_id", "author_id", "text", "sent_at", "reply_to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message of late, with when it was sent in Unix seconds."""

    id: int
    ref: Ref
    channel: int
    author: int
    text: str
    at: float
    reply_to: Ref | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hours:
    """The messages of a channel and the members who wrote them, by hour (h,)."""

    messages: Floats
    people: Floats


async def said(connection: Connection, scope: Scope, *, limit: int) -> list[Said]:
    """Return the newest messages in scope, oldest first."""
    rows = await connection.execute(
        select(*COLUMNS).where(*within(scope)).order_by(col(MessageRow.sent_at).desc()).limit(limit)
    )
    return [_said(row) for row in rows][::-1]


def _said(row: Row[*tuple[object, ...]]) -> Said:
    return Said(
        id=row.id,
        ref=Ref.parse(row.ref),
        channel=row.channel_id,
        author=row.author_id,
        text=row.text,
        at=row.sent_at.timestamp(),
        reply_to=Ref.parse(row.reply_to) if row.reply_to else None,
    )


def _whole_hour() -> Label[float]:
    """Return in which hour a message was sent, as the Unix seconds of its beginning.

    By a remainder, since as whole numbers PostgreSQL rounds the last half second of an hour up into the next.
    """
    seconds = cast(extract("epoch", col(MessageRow.sent_at)), Numeric(asdecimal=False))
    return (seconds - seconds % 3600).label("hour")


async def by_hour(connection: Connection, scope: Scope, end: datetime, hours: int) -> dict[int, Hours]:
    """Count what is in scope by channel and hour: so many hours, the last of them ending at `end`, a whole one."""
    begin = end - hours * HOUR
    spent = (col(MessageRow.sent_at) >= begin) & (col(MessageRow.sent_at) < end)
    hour = _whole_hour()
    many, people = func.count().label("many"), func.count(func.distinct(col(MessageRow.author_id))).label("people")
    rows = await connection.execute(
        select(col(MessageRow.channel_id), hour, many, people)
        .where(*within(scope), spent)
        .group_by(col(MessageRow.channel_id), hour)
    )
    found: dict[int, Hours] = defaultdict(lambda: Hours(messages=np.zeros(hours), people=np.zeros(hours)))
    first = int(begin.timestamp()) // 3600
    for row in rows:
        found[row.channel_id].messages[int(row.hour) // 3600 - first] = row.many
        found[row.channel_id].people[int(row.hour) // 3600 - first] = row.people
    return dict(found)


async def everywhere(connection: Connection, scope: Scope, end: datetime, hours: int) -> Floats:
    """Count what is in scope by hour (hours,), the last of them ending at `end`, a whole one."""
    begin = end - hours * HOUR
    spent = (col(MessageRow.sent_at) >= begin) & (col(MessageRow.sent_at) < end)
    hour = _whole_hour()
    rows = await connection.execute(
        select(hour, func.count().label("many")).where(*within(scope), spent).group_by(hour)
    )
    found = np.zeros(hours)
    for row in rows:
        found[(int(row.hour) - int(begin.timestamp())) // 3600] = row.many
    return found


async def began(connection: Connection, channels: Collection[int]) -> dict[int, datetime]:
    """Return when the first message of each of these channels was sent."""
    first: dict[int, datetime] = {}
    for one in channels:  # each is one look into the index of channels
        mine = select(col(MessageRow.sent_at)).where(col(MessageRow.channel_id) == one)
        at = await connection.scalar(mine.order_by(col(MessageRow.sent_at)).limit(1))
        if at is not None:
            first[one] = at
    return first


async def sample(connection: Connection, scope: Scope, *, limit: int) -> list[str]:
    """Return the newest texts in scope, of the last weeks before its end, which it has.

    By when they were sent, not stored: what is read into the tables long after says nothing of what is usual now. The
    newest days are read alone where they are enough.
    """
    if scope.until is None:
        raise ValueError("a sample needs an end")
    found: list[str] = []
    for back in SAMPLED:
        near = within(replace(scope, since=scope.until - back), by="channel" if scope.channels is not None else "")
        newest = select(col(MessageRow.text)).where(*near).order_by(col(MessageRow.sent_at).desc()).limit(limit)
        found = list(await connection.scalars(newest))
        if len(found) == limit:
            break
    return found


async def holding(connection: Connection, scope: Scope, word: str, *, limit: int) -> list[str]:
    """Return the newest texts in scope that hold some letters, in either case."""
    rows = await connection.scalars(
        select(col(MessageRow.text))
        .where(*within(scope), col(MessageRow.text).icontains(word, autoescape=True))
        .order_by(col(MessageRow.sent_at).desc())
        .limit(limit)
    )
    return list(rows)


async def newcomers(connection: Connection, authors: Collection[int], before: datetime) -> frozenset[int]:
    """Return those of some members who had written nothing before a moment."""
    found: set[int] = set()
    for some in portions(sorted(authors)):
        wrote = select(col(MessageRow.author_id)).where(
            col(MessageRow.author_id).in_(some), col(MessageRow.sent_at) < before
        )
        found |= set(some) - set(await connection.scalars(wrote.distinct()))
    return frozenset(found)
