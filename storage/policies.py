"""What staff set: the policy of a community, what its channels have otherwise, and the modes of its skills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlmodel import col

from bot.core.decisions import Mode
from bot.core.policies import FIELDS, MODE, PER_CHANNEL, Policy
from storage.rows import columns, insert_new
from storage.tables import PolicyRow

if TYPE_CHECKING:
    from bot.core.things import Ref
    from storage.communities import Community
    from storage.connection import Connection

Modes = dict[tuple[str, str], Mode]
"""By skill and channel; an empty channel is the whole community."""
Overrides = dict[tuple[str, str], str]
"""By field of the policy and channel: what a channel has otherwise than its community."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Where the bot reads: as `usual` in the community, and the other way round in the channels of `otherwise`."""

    usual: bool = True
    otherwise: frozenset[str] = frozenset()

    def covers(self, channel: Ref) -> bool:
        """Say whether what is written in a channel is read."""
        return self.usual != (str(channel) in self.otherwise)


async def reading(connection: Connection, community: Community) -> Reading:
    """Return where the bot reads, as it is set now."""
    mine = (col(PolicyRow.community_id) == community.id) & (col(PolicyRow.name) == "read")
    rows = (await connection.execute(select(*columns(PolicyRow, "channel", "value")).where(mine))).all()
    usual = next((row.value for row in rows if not row.channel), Policy().read)
    others = frozenset(row.channel for row in rows if row.channel and row.value != usual)
    return Reading(usual=usual == "yes", otherwise=others)


async def consent(connection: Connection, community: Community) -> str:
    """Return whose words may be used, as it is set now: opt_out or opt_in."""
    key = {"community_id": community.id, "name": "consent", "channel": ""}
    value: str | None = await connection.scalar(select(col(PolicyRow.value)).filter_by(**key))
    return value or Policy().consent


async def load(connection: Connection, community: Community) -> tuple[Policy, Modes, Overrides]:
    """Return a community's policy, the modes that were set, and what single channels have otherwise."""
    rows = (
        await connection.execute(
            select(*columns(PolicyRow, "name", "channel", "value")).where(col(PolicyRow.community_id) == community.id)
        )
    ).all()
    fields = {row.name: row.value for row in rows if row.name in FIELDS and not row.channel}
    modes = {(row.name.removeprefix(MODE), row.channel): Mode(row.value) for row in rows if row.name.startswith(MODE)}
    overrides = {(row.name, row.channel): row.value for row in rows if row.name in PER_CHANNEL and row.channel}
    return Policy.model_validate(fields), modes, overrides


async def put(connection: Connection, community: Community, *, name: str, value: str, channel: str = "") -> None:
    """Set a field of the policy or a mode; an empty value goes back to the default."""
    await connection.execute(
        delete(PolicyRow).where(
            col(PolicyRow.community_id) == community.id, col(PolicyRow.name) == name, col(PolicyRow.channel) == channel
        )
    )
    if value:
        row = {"community_id": community.id, "name": name, "value": value, "channel": channel}
        await insert_new(connection, PolicyRow, [row])
