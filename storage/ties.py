"""What ties stored messages together: the thread or conversation that each is in, and what it replies to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from storage.messages import within
from storage.rows import columns
from storage.tables import MessageRow

if TYPE_CHECKING:
    from bot.core.ports import Scope
    from storage.connection import Connection


async def ties(connection: Connection, scope: Scope) -> dict[int, tuple[str, str]]:
    """Return for each message in scope, by number, the thread or conversation it is in and what it replies to.

    Either is empty where there is none; a conversation is what was untangled from others in its channel.
    """
    wanted = select(*columns(MessageRow, "id", "thread_id", "conversation", "reply_to")).where(*within(scope))
    return {
        row.id: (str(row.thread_id or row.conversation or ""), row.reply_to or "")
        for row in await connection.execute(wanted)
    }
