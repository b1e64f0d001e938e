"""What verdicts teach: lessons of a community with their vectors, and what was learned from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import bindparam, case, delete, exists, func, select, update
from sqlmodel import col

from bot.core.things import Ref
from storage import members
from storage.rows import columns, insert_new, table
from storage.tables import CaseRow, ChannelRow, EvidenceRow, LearnedRow, LessonRow, MessageRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row, Select

    from bot.core.ports import Vector
    from bot.core.things import Community
    from storage.connection import Connection

MOST = 5_000
"""Lessons of a community that are used: the newest."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """What a verdict teaches one head about one message.

    `text` is there until it is encoded, then `vector` (d,), `signature` and `width` of its plain form, and the `logit`
    of the shipped head; `made_by` names the encoder and the heads that made those. `by` is who ruled.
    """

    id: int
    case: str
    message: Ref
    head: str
    label: int
    text: str
    vector: Vector | None
    signature: bytes
    width: int
    logit: float | None
    made_by: str
    picture: str
    by: str
    at: datetime
    matures_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """What is kept of a lesson in the place of its text."""

    id: int
    vector: Vector | None
    signature: bytes
    width: int
    logit: float | None
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was learned, as it is kept, and the state of the lessons that it was learned from."""

    version: str
    data: bytes
    report: dict[str, object]
    built_at: datetime


async def of(connection: Connection, community: Community) -> list[Lesson]:
    """Return a community's lessons, oldest first; of settled cases only."""
    newest = _lessons().where(col(LessonRow.community_id) == community.id).order_by(col(LessonRow.id).desc())
    rows = (await connection.execute(newest.limit(MOST))).all()
    return [_lesson(row) for row in reversed(rows)]


async def waiting(connection: Connection, limit: int) -> list[Lesson]:
    """Return lessons of all communities whose text is not encoded yet, oldest first."""
    rows = await connection.execute(
        _lessons().where(col(LessonRow.text) != "").order_by(col(LessonRow.id)).limit(limit)
    )
    return [_lesson(row) for row in rows]


async def any_of(connection: Connection, community: Community) -> bool:
    """Say whether a community has lessons."""
    one = select(col(LessonRow.id)).where(col(LessonRow.community_id) == community.id).limit(1)
    return await connection.scalar(one) is not None


async def encoded(connection: Connection, made: Sequence[Encoded]) -> None:
    """Keep what was made of lessons in the place of their texts; those that were taken back meanwhile stay away."""
    if not made:
        return
    lesson = table(LessonRow)
    names = ("vector", "signature", "width", "logit", "made_by")
    change = update(lesson).where(lesson.c.id == bindparam("number"))
    rows = [
        {
            "number": one.id,
            "new_vector": None if one.vector is None else one.vector.astype(np.float16).tobytes(),
            "new_signature": one.signature,
            "new_width": one.width,
            "new_logit": one.logit,
            "new_made_by": one.made_by,
        }
        for one in made
    ]
    await connection.execute(change.values(text="", **{name: bindparam(f"new_{name}") for name in names}), rows)


async def restore(connection: Connection, made_by: str) -> int:
    """Let lessons that another encoder or other heads made be made anew, where the evidence still has their words."""
    words = select(col(EvidenceRow.text)).where(
        col(EvidenceRow.case_id) == col(LessonRow.case_id),
        col(EvidenceRow.message) == col(LessonRow.message),
        col(EvidenceRow.text) != "",
    )
    stale = (col(LessonRow.text) == "") & ~col(LessonRow.made_by).in_(["", made_by])
    result = await connection.execute(
        update(LessonRow).where(stale, words.exists()).values(text=words.scalar_subquery()).returning(col(LessonRow.id))
    )
    return len(result.all())


async def version(connection: Connection, community: Community, now: datetime, made_by: str) -> str:
    """Name the state of a community's lessons: which there are, which are made for these heads, which have matured."""
    mine = col(LessonRow.community_id) == community.id
    row = (
        await connection.execute(
            select(
                func.count().label("count"),
                func.coalesce(func.max(col(LessonRow.id)), 0).label("last"),
                func.coalesce(func.sum(case((col(LessonRow.made_by) == made_by, 1), else_=0)), 0).label("encoded"),
                func.coalesce(func.sum(case((col(LessonRow.matures_at) <= now, 1), else_=0)), 0).label("mature"),
            ).where(mine)
        )
    ).one()
    return f"{row.count}.{row.last}.{row.encoded}.{row.mature}"


async def learned(connection: Connection, community: Community, fingerprint: str) -> Kept | None:
    """Return what was learned for these vectors and heads, None where nothing was."""
    found = await connection.execute(
        select(*columns(LearnedRow, "version", "data", "report", "built_at")).where(
            col(LearnedRow.community_id) == community.id, col(LearnedRow.fingerprint) == fingerprint
        )
    )
    row = found.first()
    return Kept(version=row.version, data=row.data, report=row.report, built_at=row.built_at) if row else None


async def learned_version(connection: Connection, community: Community) -> str:
    """Name the state of the lessons from which was learned last; empty where nothing was."""
    found: str | None = await connection.scalar(
        select(col(LearnedRow.version)).where(col(LearnedRow.community_id) == community.id)
    )
    return found or ""


async def save(connection: Connection, community: Community, kept: Kept, *, fingerprint: str) -> None:
    """Keep what was learned in place of what was learned before."""
    await drop(connection, community.id)
    row = {
        "community_id": community.id,
        "version": kept.version,
        "fingerprint": fingerprint,
        "built_at": kept.built_at,
        "data": kept.data,
        "report": kept.report,
    }
    await insert_new(connection, LearnedRow, [row])


async def drop(connection: Connection, community: int) -> None:
    """Forget what was learned; the next round learns it anew."""
    await connection.execute(delete(LearnedRow).where(col(LearnedRow.community_id) == community))


async def ordinary(connection: Connection, community: Community, limit: int) -> list[str]:
    """Return the newest messages in open channels that no case rests on, of members whose words may be used."""
    resting = exists().where(col(EvidenceRow.message) == col(MessageRow.ref))
    withheld = await members.withheld(connection, community)
    rows = await connection.execute(
        select(*columns(MessageRow, "author_id", "text"))
        .join(ChannelRow, col(ChannelRow.id) == col(MessageRow.channel_id))
        .where(col(MessageRow.community_id) == community.id, col(ChannelRow.audience) == "everyone", ~resting)
        .where(col(MessageRow.text) != "")
        .order_by(col(MessageRow.sent_at).desc(), col(MessageRow.id).desc())
        .limit(limit)
    )
    return [row.text for row in rows if row.author_id not in withheld]


def _lessons() -> Select[*tuple[object, ...]]:
    named = columns(LessonRow, "id", "case_id", "message", "head", "label", "text", "vector", "signature", "width")
    more = columns(LessonRow, "logit", "made_by", "picture", "at", "matures_at")
    by = columns(CaseRow, "verdict_by")
    return select(*named, *more, *by).join(CaseRow, col(CaseRow.id) == col(LessonRow.case_id))


def _lesson(row: Row[*tuple[object, ...]]) -> Lesson:
    return Lesson(
        id=row.id,
        case=row.case_id,
        message=Ref.parse(row.message),
        head=row.head,
        label=row.label,
        text=row.text,
        vector=None if row.vector is None else np.frombuffer(row.vector, np.float16).astype(np.float32),
        signature=row.signature or b"",
        width=row.width,
        logit=row.logit,
        made_by=row.made_by,
        picture=row.picture,
        by=row.verdict_by,
        at=row.at,
        matures_at=row.matures_at,
    )
