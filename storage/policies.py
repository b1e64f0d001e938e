"""What staff set: the policy of a community, and the modes of its skills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlmodel import col

from bot.core.decisions import Mode
from bot.core.policies import FIELDS, MODE, Policy
from storage.rows import columns, insert_new
from storage.tables import PolicyRow

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.communities import Community

Modes = dict[tuple[str, str], Mode]
"""By skill and channel; an empty channel is the whole community."""


async def load(connection: AsyncConnection, community: Community) -> tuple[Policy, Modes]:
    """Return a community's policy and the modes that were set."""
    rows = (
        await connection.execute(
            select(*columns(PolicyRow, "name", "channel", "value")).where(col(PolicyRow.community_id) == community.id)
        )
    ).all()
    fields = {row.name: row.value for row in rows if row.name in FIELDS}
    modes = {(row.name.removeprefix(MODE), row.channel): Mode(row.value) for row in rows if row.name.startswith(MODE)}
    return Policy.model_validate(fields), modes


async def put(connection: AsyncConnection, community: Community, *, name: str, value: str, channel: str = "") -> None:
    """Set a field of the policy or a mode; an empty value goes back to the default."""
    await connection.execute(
        delete(PolicyRow).where(
            col(PolicyRow.community_id) == community.id, col(PolicyRow.name) == name, col(PolicyRow.channel) == channel
        )
    )
    if value:
        row = {"community_id": community.id, "name": name, "value": value, "channel": channel}
        await insert_new(connection, PolicyRow, [row])
