"""Finding what was said: messages and the conversations that they are in, within what the reader may read."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.things import Message
from brains.knowledge import candidates, gathering
from brains.knowledge.centring import centre, script
from brains.knowledge.ranking import Asked
from storage import surroundings

if TYPE_CHECKING:
    from uuid import UUID

    from bot.core.ports import Encoder, Scope, Vector, VectorStore
    from bot.core.things import Channel
    from brains.knowledge.candidates import Ranked, Sides
    from brains.knowledge.passages import Conversation
    from storage.channels import Reach
    from storage.connection import Connection
    from storage.db import Database

CANDIDATES = 50
"""The least that vectors and words bring each: of XQuAD's right paragraphs, none in English or Chinese is missing."""


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
        """Return what members said that is nearest to a query, best first. Raises Mistake for one without words."""
        asked = await self.ask(query)
        sides = await self._sides(asked, reach.scope, limit)

        async def read(connection: Connection) -> list[Ranked]:
            scope = await surroundings.without_bots(connection, reach.scope)
            said = replace(reach, scope=scope)
            return await candidates.read(
                connection, reach=said, asked=asked, sides=sides, encoder=self.encoder.fingerprint
            )

        return [
            Found(
                message=Message(
                    id=one.placed.number,
                    ref=one.placed.ref,
                    channel=one.placed.channel,
                    author=one.placed.author,
                    thread=one.placed.thread,
                    text=one.placed.text,
                    sent_at=one.placed.at,
                ),
                channel=reach.channels[one.placed.channel],
                score=one.score,
            )
            for one in (await self.database.look(read))[:limit]
        ]

    async def find(
        self, question: str, *, reach: Reach, limit: int, vector: Vector | None = None
    ) -> list[Conversation]:
        """Return the conversations that answer a question best, and notes, best first.

        `vector` is the question's as a query, where it is known, shape (size,). Times, authors and channels narrow the
        search by the scope of the reach. Raises Mistake for a question without words, and what the encoder raises.
        """
        asked = await self.ask(question, vector=vector)
        reach = replace(reach, scope=replace(reach.scope, notes=True))
        sides = await self._sides(asked, reach.scope, limit)
        gather = functools.partial(
            gathering.conversations,
            reach=reach,
            asked=asked,
            sides=sides,
            encoder=self.encoder.fingerprint,
            limit=limit,
        )
        return await self.database.look(gather)

    async def ask(self, question: str, *, vector: Vector | None = None) -> Asked:
        """Return a question as it is compared with texts. Raises Mistake where there are no words in it."""
        if not question.strip():
            raise Mistake(_("The search is empty. Say what to look for."))
        if vector is None:
            [vector] = await self.encoder.encode([question], kind="query")
        return Asked(text=question, vector=vector, centre=await centre(self.encoder, script(question)))

    async def _sides(self, asked: Asked, scope: Scope, limit: int) -> Sides:
        """Ask vectors and words apart, since only scores of each say how well a text answers."""
        most = max(CANDIDATES, limit)
        near, worded = await asyncio.gather(
            self.vectors.search(scope, vector=asked.vector, limit=most),
            self.vectors.search(scope, text=asked.text, limit=most),
        )
        found: dict[UUID, tuple[float | None, float | None]] = {hit.id: (hit.score, None) for hit in near}
        for hit in worded:
            found[hit.id] = (found.get(hit.id, (None, None))[0], hit.score)
        return found
