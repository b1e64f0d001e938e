"""Messages as evidence: what a case about their author may rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import col

from bot.core.actions import Exhibit
from bot.core.things import Ref
from storage.rows import columns, portions
from storage.tables import ChannelRow, MessageRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.things import Community
    from storage.connection import Connection


async def of(connection: Connection, community: Community, author: int, wanted: Sequence[Ref]) -> tuple[Exhibit, ...]:
    """Return those of the messages that a member wrote and that are still held, oldest first."""
    found: list[Exhibit] = []
    for some in portions([str(one) for one in wanted]):
        rows = await connection.execute(
            select(*columns(MessageRow, "ref", "text", "sent_at"), col(ChannelRow.ref).label("room"))
            .join(ChannelRow, col(ChannelRow.id) == col(MessageRow.channel_id))
            .where(col(MessageRow.community_id) == community.id, col(MessageRow.author_id) == author)
            .where(col(MessageRow.ref).in_(some))
        )
        found += [
            Exhibit(message=Ref.parse(row.ref), channel=Ref.parse(row.room), text=row.text, at=row.sent_at)
            for row in rows
        ]
    return tuple(sorted(found, key=lambda one: one.at))
