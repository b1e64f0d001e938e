"""Finding what was said: vectors and words fused, within what the reader may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.errors import Mistake
from storage import messages

if TYPE_CHECKING:
    from bot.core.ports import Encoder, VectorStore
    from bot.core.things import Channel, Message
    from storage.channels import Reach
    from storage.db import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A message that answers, and where it was said. Scores compare within one search only."""

    message: Message
    channel: Channel
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """Searches one database and its vectors."""

    database: Database
    vectors: VectorStore
    encoder: Encoder

    async def search(self, query: str, *, reach: Reach, limit: int) -> list[Found]:
        """Return the messages nearest to a query, best first. Raises Mistake for a query without words."""
        if not query.strip():
            raise Mistake("The search is empty. Say what to look for.")
        [vector] = await self.encoder.encode([query], kind="query")
        hits = await self.vectors.search(reach.scope, vector=vector, text=query, limit=limit)
        async with self.database.read() as connection:
            said = await messages.by_point(connection, reach.scope, [hit.id for hit in hits])
        return [
            Found(message=said[hit.id], channel=reach.channels[said[hit.id].channel], score=hit.score)
            for hit in hits
            if hit.id in said
        ]
