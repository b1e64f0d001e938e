"""Which channels were offered to whom and when: read from the buttons that came with offers, kept as long as traces.

An offer carries Join, with the channel and the member who alone may press it; so nothing more has to be kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select
from sqlmodel import col

from storage.rows import columns
from storage.tables import ActRow, ButtonRow, Instant

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from bot.core.things import Community, Ref
    from storage.connection import Connection

JOIN = "match.join"
"""The button that every offer of a channel has, once."""

SHOWN = (
    select(*columns(ButtonRow, "only", "data", "pressed_at"), *columns(ActRow, "skill", "intended_at"))
    .join(ActRow, col(ActRow.id) == col(ButtonRow.act_id))
    .where(col(ActRow.community_id) == bindparam("community"), col(ActRow.state) == "done")
    .where(col(ButtonRow.press) == JOIN)
)
UNANSWERED = SHOWN.where(
    col(ButtonRow.only).in_(bindparam("members", expanding=True)),
    col(ActRow.intended_at) >= bindparam("since", type_=Instant()),
    col(ButtonRow.pressed_at).is_(None),
)
"""Statements of every question are built once: that costs more than executing them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression:
    """That a channel was offered to a member, both by reference; `score` as it was told, `answered` by a button."""

    member: str
    channel: str
    at: datetime
    score: float
    skill: str
    answered: bool


async def every(connection: Connection, community: Community) -> list[Impression]:
    """Return what was offered in a community and reached its platform, the oldest first."""
    rows = await connection.execute(SHOWN.order_by(col(ActRow.id)), {"community": community.id})
    return [_impression(row) for row in rows]


async def unanswered(connection: Connection, community: Community, *members: Ref, since: datetime) -> Counter[str]:
    """Count how often each channel was offered to somebody, by any account, who pressed neither Join nor Not for me."""
    asked = {"community": community.id, "members": [str(one) for one in members], "since": since}
    return Counter(_impression(row).channel for row in await connection.execute(UNANSWERED, asked))


def _impression(row: Row[*tuple[object, ...]]) -> Impression:
    data: dict[str, str] = row.data
    return Impression(
        member=row.only,
        channel=data.get("channel", ""),
        at=row.intended_at,
        score=float(data.get("score", 0)),
        skill=row.skill,
        answered=row.pressed_at is not None,
    )
