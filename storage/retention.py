"""What is kept for a time only: traces, answers, handled events, codes, evidence, and messages where that is wanted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlmodel import col

from storage import alerts, answers, casebook, meetings, messages, policies, proofs, tastes, traces
from storage.rows import portions
from storage.tables import InboxRow, MessageRow

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.things import Community
    from storage.connection import Connection

PORTION = 500
"""Rows erased in one transaction."""
EVENTS = timedelta(days=30)
"""How long a handled event is remembered, so that a redelivery is recognised and `kinfolk replay` has what to play."""


async def purge(connection: Connection, community: Community, now: datetime) -> int:
    """Erase a portion of what a community's time is up for; returns how much, 0 when nothing is left to erase."""
    policy = (await policies.load(connection, community)).policy
    told = now - timedelta(days=policy.trace_days)
    erased = await traces.purge(connection, community.id, told, limit=PORTION)
    erased += await answers.fade(connection, community, told)
    erased += await answers.purge(connection, community, told, limit=PORTION)
    erased += await casebook.purge(connection, community, now - timedelta(days=policy.evidence_days), limit=PORTION)
    erased += await meetings.purge(connection, community.id, now, limit=PORTION)
    erased += await alerts.purge(connection, community.id, told, limit=PORTION)
    erased += await tastes.purge(connection, community.id, now, limit=PORTION)
    if policy.retention_days:
        erased += await _messages(connection, community, now - timedelta(days=policy.retention_days))
    return erased


async def _messages(connection: Connection, community: Community, before: datetime) -> int:
    old = (col(MessageRow.community_id) == community.id) & (col(MessageRow.sent_at) < before)
    return await messages.erase(connection, old, limit=PORTION)


async def purge_events(connection: Connection, now: datetime) -> int:
    """Erase a portion of the events that were handled long ago, and codes that are over."""
    await proofs.purge(connection, now)
    old = list(
        await connection.scalars(select(col(InboxRow.id)).where(col(InboxRow.done_at) < now - EVENTS).limit(PORTION))
    )
    for some in portions(old):
        await connection.execute(delete(InboxRow).where(col(InboxRow.id).in_(some)))
    return len(old)
