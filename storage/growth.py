"""What was proposed about a community's channels: kept so that nothing is proposed again that the staff refused."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from sqlalchemy import delete, func, select, update
from sqlmodel import col

from bot.core.actions import MADE
from bot.core.things import Audience, Message, Ref
from storage import channels
from storage.messages import within
from storage.rows import columns, insert_new
from storage.tables import ChannelRow, GrowthRow, MessageRow

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Row

    from bot.core.actions import Grown, KeepGrowth
    from bot.core.ports import Scope, Vector
    from bot.core.things import Community
    from storage.connection import Connection

OPEN = ("proposed", "later")
"""What the staff did not settle: it goes after a while, and with anybody's words that it may rest on."""
WAITS = timedelta(days=90)
"""For so long what is open is not proposed again."""
Kind = Literal["topic", "merge", "archive"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Growth:
    """A proposal. `centre` (d,) is there for topics while it may be kept."""

    id: str
    kind: Kind
    name: str
    terms: tuple[str, ...]
    fingerprint: str
    centre: Vector
    channels: frozenset[Ref]
    standing: Grown


async def every(connection: Connection, community: Community, *, now: datetime) -> list[Growth]:
    """Return what was settled, and what is open and was proposed lately."""
    held = select(
        *columns(GrowthRow, "id", "kind", "name", "terms", "fingerprint", "centre", "channels", "standing")
    ).where(col(GrowthRow.community_id) == community.id)
    rows = await connection.execute(held.where(~_over(community, now)).order_by(col(GrowthRow.at)))
    return [
        Growth(
            id=row.id,
            kind=cast("Kind", row.kind),
            name=row.name,
            terms=tuple(row.terms.split()),
            fingerprint=row.fingerprint,
            centre=np.frombuffer(row.centre, np.float16).astype(np.float32),
            channels=frozenset(Ref.parse(one) for one in row.channels),
            standing=cast("Grown", row.standing),
        )
        for row in rows
    ]


async def keep(connection: Connection, *, community: Community, action: KeepGrowth, now: datetime) -> None:
    """Keep a proposal and how it stands, and make the channel known that came of it; what is long open goes."""
    made = action.made if action.made and action.made.id != MADE else None
    await connection.execute(delete(GrowthRow).where(_over(community, now)))
    mine = (col(GrowthRow.id) == action.growth) & (col(GrowthRow.community_id) == community.id)
    if not action.standing:
        await connection.execute(delete(GrowthRow).where(mine))
        return
    row = {
        "id": action.growth,
        "community_id": community.id,
        "kind": action.about,
        "name": action.name,
        "terms": " ".join(action.terms),
        "fingerprint": action.fingerprint,
        "centre": base64.b64decode(action.centre),
        "channels": [str(one) for one in action.channels],
        "made": str(made or ""),
        "standing": action.standing,
        "at": now,
    }
    await insert_new(connection, GrowthRow, [row])
    changed = update(GrowthRow).where(mine)
    await connection.execute(changed.values(standing=action.standing, made=str(made or ""), at=now))
    if made is not None and action.standing == "done":
        await _know(connection, community, made, action)


async def _know(connection: Connection, community: Community, made: Ref, action: KeepGrowth) -> None:
    """Make a channel known with what it is for: not every platform keeps that, nor tells of it at once."""
    row = {
        "community_id": community.id,
        "ref": str(made),
        "name": action.name,
        "description": action.description,
        "audience": Audience.EVERYONE,
        "archived": False,
    }
    await insert_new(connection, ChannelRow, [row])
    room = await channels.by_ref(connection, community, made)
    if room is not None and not room.description:
        await channels.describe(connection, room.id, description=action.description, audience=room.audience)


def still_open(community: Community) -> ColumnElement[bool]:
    """Return the condition for a proposal not to be settled."""
    return (col(GrowthRow.community_id) == community.id) & col(GrowthRow.standing).in_(OPEN)


def _over(community: Community, now: datetime) -> ColumnElement[bool]:
    return still_open(community) & (col(GrowthRow.at) < now - WAITS)


async def blur(connection: Connection, community: Community) -> None:
    """Drop the centres of what is settled: from now on its terms alone, which several members used, tell it again."""
    ours = col(GrowthRow.community_id) == community.id
    await connection.execute(update(GrowthRow).where(ours).values(centre=b""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message, its point, and the conversation that it is in, where that is known."""

    message: Message
    point: UUID
    conversation: int | None


async def said(connection: Connection, scope: Scope, limit: int) -> list[Said]:
    """Return the newest messages in scope, the newest first."""
    held = columns(MessageRow, *("id", "ref", "channel_id", "author_id", "text", "sent_at", "point", "conversation"))
    newest = (col(MessageRow.sent_at).desc(), col(MessageRow.id).desc())
    rows = await connection.execute(select(*held).where(*within(scope)).order_by(*newest).limit(limit))
    return [Said(message=_message(row), point=row.point, conversation=row.conversation) for row in rows]


def _message(row: Row[*tuple[object, ...]]) -> Message:
    return Message(
        id=row.id,
        ref=Ref.parse(row.ref),
        channel=row.channel_id,
        author=row.author_id,
        text=row.text,
        sent_at=row.sent_at,
    )


async def lives(connection: Connection, scope: Scope) -> dict[int, tuple[int, int, datetime]]:
    """Return of each channel in scope how many messages were ever written, by how many, and when the last."""
    said_there = func.count(), func.count(func.distinct(col(MessageRow.author_id))), func.max(col(MessageRow.sent_at))
    rows = await connection.execute(
        select(col(MessageRow.channel_id), *said_there).where(*within(scope)).group_by(col(MessageRow.channel_id))
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


async def wrote_in(connection: Connection, channel: int, accounts: Collection[int]) -> bool:
    """Say whether somebody ever wrote in a channel, by any of these accounts."""
    theirs = (col(MessageRow.channel_id) == channel) & col(MessageRow.author_id).in_(sorted(accounts))
    return await connection.scalar(select(col(MessageRow.id)).where(theirs).limit(1)) is not None


async def made_by(connection: Connection, community: Community, number: str) -> Ref | None:
    """Return the channel that came of a proposal, None where none did or it was taken back."""
    ours = (col(GrowthRow.community_id) == community.id, col(GrowthRow.id) == number)
    made = await connection.scalar(select(col(GrowthRow.made)).where(*ours, col(GrowthRow.standing) == "done"))
    return Ref.parse(made) if made else None
