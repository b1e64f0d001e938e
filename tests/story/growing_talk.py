"""What is said before channels grow: weeks of it, in a moment."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from bot.app import App
from storage.tables import Instant

WEEKS = timedelta(days=60)


async def long_ago(app: App, *, conversations: int = 2, every: timedelta = timedelta(days=5)) -> None:
    """Let all that was said have been said over weeks, so many messages of a channel a conversation."""

    async def work(connection) -> None:
        rows = (await connection.execute(text("SELECT id, channel_id FROM message ORDER BY channel_id, id"))).all()
        seen: dict[int, int] = {}
        firsts: dict[tuple[int, int], int] = {}
        begin = app.clock.now() - WEEKS
        for row in rows:
            at = seen.setdefault(row.channel_id, 0) // conversations
            seen[row.channel_id] += 1
            first = firsts.setdefault((row.channel_id, at), row.id)
            said = Instant().process_bind_param(begin + at * every, None)
            moved = text("UPDATE message SET sent_at = :at, conversation = :first WHERE id = :id")
            await connection.execute(moved, {"at": str(said), "first": first, "id": row.id})

    await app.database.write(work)
