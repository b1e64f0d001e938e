"""Puts messages that were found into the conversations that they are in: their thread, else what was said around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import col

from bot.core.things import Ref
from brains.knowledge.passages import Conversation, Passage
from storage import messages
from storage.rows import columns
from storage.tables import MessageRow

if TYPE_CHECKING:
    from bot.core.ports import Encoder, VectorStore
    from bot.core.things import Community
    from storage.channels import Reach
    from storage.db import Database

POOL = 60
BEFORE, AFTER = 6, 12


class Grouping:
    """Finds conversations until retrieval does."""

    def __init__(self, database: Database, vectors: VectorStore, encoder: Encoder) -> None:
        self.database, self.vectors, self.encoder = database, vectors, encoder

    async def find(self, community: Community, question: str, *, reach: Reach, limit: int) -> list[Conversation]:
        """Return the conversations nearest to a question, best first."""
        [vector] = await self.encoder.encode([question], kind="query")
        hits = await self.vectors.search(reach.scope, vector=vector, text=question, limit=POOL)
        async with self.database.read() as connection:
            said = await messages.by_point(connection, reach.scope, [hit.id for hit in hits])
            groups: dict[object, list[int]] = {}
            for hit in hits:
                if one := said.get(hit.id):
                    groups.setdefault(one.thread or -one.id, []).append(one.id)
            found = []
            for rank, (thread, numbers) in enumerate(list(groups.items())[:limit]):
                condition = col(MessageRow.thread_id) == thread if thread > 0 else col(MessageRow.id) == numbers[0]
                rows = (
                    await connection.execute(
                        select(*messages.COLUMNS, *columns(MessageRow, "reply_to"))
                        .where(*messages.within(reach.scope), condition)
                        .order_by(col(MessageRow.sent_at), col(MessageRow.id))
                    )
                ).all()
                places = {row.id: at for at, row in enumerate(rows)}
                keep = sorted(
                    {
                        at
                        for n in numbers[:4]
                        for at in range(places[n] - BEFORE, places[n] + AFTER + 1)
                        if 0 <= at < len(rows)
                    }
                )
                passages = {
                    rows[at].id: Passage(
                        source=Ref.parse(rows[at].ref),
                        number=rows[at].id,
                        channel=reach.channels[rows[at].channel_id],
                        author=rows[at].author_id,
                        text=rows[at].text,
                        at=rows[at].sent_at,
                    )
                    for at in keep
                }
                found.append(
                    Conversation(
                        passages=list(passages.values()),
                        found=[passages[n] for n in numbers[:4]],
                        score=1 / (1 + rank),
                        answered=len({p.author for p in passages.values()}) > 1,
                    )
                )
        return found
