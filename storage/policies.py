"""What staff set: the policy of a community, what its channels have otherwise, and the modes of its skills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select
from sqlmodel import col

from bot.core.decisions import Mode
from bot.core.policies import FIELDS, MODE, PER_CHANNEL, Policy, Rules
from storage.rows import columns, insert_new
from storage.tables import PolicyRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.core.things import Community, Ref
    from storage.connection import Connection


SET = select(*columns(PolicyRow, "name", "channel", "value")).where(
    col(PolicyRow.community_id) == bindparam("community")
)
"""What was set in a community; built once, since every message asks for it."""


async def consent(connection: Connection, community: Community) -> str:
    """Return whose words may be used, as it is set now: opt_out or opt_in."""
    key = {"community_id": community.id, "name": "consent", "channel": ""}
    value: str | None = await connection.scalar(select(col(PolicyRow.value)).filter_by(**key))
    return value or Policy().consent


async def load(connection: Connection, community: Community) -> Rules:
    """Return all that staff set in a community, as it is now."""
    rows = (await connection.execute(SET, {"community": community.id})).all()
    fields = {row.name: row.value for row in rows if row.name in FIELDS and not row.channel}
    modes = {(row.name.removeprefix(MODE), row.channel): Mode(row.value) for row in rows if row.name.startswith(MODE)}
    return Rules(
        policy=Policy.model_validate(fields),
        modes=modes,
        overrides={(row.name, row.channel): row.value for row in rows if row.name in PER_CHANNEL and row.channel},
    )


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


async def take_over(connection: Connection, community: Community, new: Iterable[Ref], *, space: Ref) -> bool:
    """Let new channels have what was set for the space that they are in, but for what they have of their own."""
    rows = (await connection.execute(SET, {"community": community.id})).all()
    own = {(row.channel, row.name) for row in rows}
    wanted = [
        (str(channel), row)
        for channel in new
        for row in rows
        if row.channel == str(space) and (str(channel), row.name) not in own
    ]
    for channel, row in wanted:
        await put(connection, community, name=row.name, value=row.value, channel=channel)
    return bool(wanted)
