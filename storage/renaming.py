"""A channel or a space that the platform gave another reference: what was kept under the old one is found by the new.

Messages keep their own references, by which the platform still knows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update
from sqlmodel import SQLModel, col

from bot.core.policies import CHANNELS
from storage import alerts, linking, merging, spaces
from storage.rows import table
from storage.tables import ActRow, BackfillRow, ChannelRow, PolicyRow, TraceRow

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.events import Named
    from bot.core.things import Community, Ref
    from storage.connection import Connection
    from storage.refusals import Refusals

NAMED: tuple[type[SQLModel], ...] = (ActRow, TraceRow)
"""Tables that say where something happened, for whoever asks there what it was."""


async def channel(connection: Connection, community: Community, old: Ref, new: Ref) -> None:
    """Let a channel be called by its new reference; if both are known, they are one. Done before, nothing changes."""
    if old == new:
        return
    numbers = {ref: await _number(connection, community, ref) for ref in (old, new)}
    before, after = numbers[old], numbers[new]
    if before is not None and after is not None:
        await merging.channel(connection, after, into=before)
    if before is not None:
        await connection.execute(update(ChannelRow).where(col(ChannelRow.id) == before).values(ref=str(new)))
    for model in NAMED:
        held = table(model).c
        there = (held.community_id == community.id) & (held.channel == str(old))
        await connection.execute(update(model).where(there).values(channel=str(new)))
    await _move_policies(connection, community, old, new)
    await _move_backfill(connection, community, old, new)
    await alerts.rename(connection, community, old, new)


async def _move_policies(connection: Connection, community: Community, old: Ref, new: Ref) -> None:
    """Let what was set for a channel hold for it as it is called now; what was set under the new name already stays."""
    ours = col(PolicyRow.community_id) == community.id
    mine, theirs = (ours & (col(PolicyRow.channel) == str(ref)) for ref in (old, new))
    await connection.execute(
        delete(PolicyRow).where(mine, col(PolicyRow.name).in_(select(col(PolicyRow.name)).where(theirs)))
    )
    await connection.execute(update(PolicyRow).where(mine).values(channel=str(new)))
    named = ours & col(PolicyRow.name).in_(CHANNELS) & (col(PolicyRow.value) == str(old))
    await connection.execute(update(PolicyRow).where(named).values(value=str(new)))


async def _move_backfill(connection: Connection, community: Community, old: Ref, new: Ref) -> None:
    ours = col(BackfillRow.community_id) == community.id
    mine, theirs = (ours & (col(BackfillRow.room) == str(ref)) for ref in (old, new))
    if await connection.scalar(select(col(BackfillRow.room)).where(theirs)) is not None:
        await connection.execute(delete(BackfillRow).where(mine))
    await connection.execute(update(BackfillRow).where(mine).values(room=str(new)))


async def space(connection: Connection, old: Ref, new: Named, now: datetime, *, refusals: Refusals) -> bool:
    """Let a space that has a new reference stay in its community, and say whether that changed anything.

    What came from it under either reference is found by both: it stays known under the old one too.
    """
    known = await spaces.community_of(connection, old)
    if known is None or new.ref == old:
        return False
    meanwhile = await spaces.community_of(connection, new.ref)
    if meanwhile is None:
        await spaces.belong(connection, new, known)
    elif meanwhile != known and [one.ref for one in await spaces.of(connection, meanwhile)] == [new.ref]:
        # What came under the new reference first founded a community, for it alone.
        await linking.join(connection, known, meanwhile, now, refusals=refusals)
    else:
        return False
    return True


async def _number(connection: Connection, community: Community, ref: Ref) -> int | None:
    found: int | None = await connection.scalar(
        select(col(ChannelRow.id)).where(col(ChannelRow.community_id) == community.id, col(ChannelRow.ref) == str(ref))
    )
    return found
