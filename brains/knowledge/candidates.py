"""From points to ranked messages: read within the reader's scope, compared as a whole and by their sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

import numpy as np

from bot.core.sentences import parts
from brains.knowledge.centring import script
from brains.knowledge.ranking import Candidate, relevance
from storage import encodings, surroundings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.ports import Vector
    from brains.knowledge.ranking import Asked
    from storage.channels import Reach
    from storage.connection import Connection
    from storage.surroundings import Placed

Sides: TypeAlias = Mapping[UUID, tuple[float | None, float | None]]
"""What the engine found, by point: its cosine and its BM25 score, None on the side that did not find it."""

CLOSER = 40
"""Candidates whose sentences are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A message and how well it answers, in units of a cosine."""

    placed: Placed
    score: float


async def read(connection: Connection, *, reach: Reach, asked: Asked, sides: Sides, encoder: str) -> list[Ranked]:
    """Return the messages behind points, as far as the reach allows, best first."""
    said = await surroundings.by_point(connection, reach.scope, list(sides))
    there = {point: one for point, one in said.items() if one.channel in reach.channels}
    return await rank(connection, there, asked=asked, sides=sides, encoder=encoder)


async def rank(
    connection: Connection, said: Mapping[UUID, Placed], *, asked: Asked, sides: Sides, encoder: str
) -> list[Ranked]:
    """Put messages in order: roughly by what the engine says, and the first of them by their kept vectors."""
    points = list(said)
    rough = [Candidate(text=said[one].text, cosine=sides[one][0], bm25=sides[one][1]) for one in points]
    order = np.argsort(-relevance(asked, rough), kind="stable")
    closer = {int(place) for place in order[:CLOSER]}
    looked = await _looked(connection, asked, rough, closer, encoder)
    scores = relevance(asked, looked)
    ranked = [Ranked(placed=said[point], score=float(score)) for point, score in zip(points, scores, strict=True)]
    return sorted(ranked, key=lambda one: (-one.score, one.placed.number))


async def _looked(
    connection: Connection, asked: Asked, rough: Sequence[Candidate], closer: set[int], encoder: str
) -> list[Candidate]:
    """Read what vectors are kept: of sentences for those looked at closer, of the whole where that is wanted."""
    sentences = {place: parts(rough[place].text) for place in closer}
    mine = script(asked.text)
    across = asked.centre is not None
    wanted = [one.text for one in rough if one.cosine is None or (across and script(one.text) != mine)]
    texts = dict.fromkeys([*wanted, *(part for some in sentences.values() for part in some)])
    kept = await encodings.kept(connection, fingerprint=encoder, texts=list(texts)) if texts else {}
    return [
        Candidate(
            text=one.text,
            cosine=one.cosine,
            bm25=one.bm25,
            whole=kept[one.text].astype(np.float32) if one.text in kept else None,
            parts=_rows(kept, sentences.get(place, ())),
        )
        for place, one in enumerate(rough)
    ]


def _rows(kept: Mapping[str, encodings.Half], sentences: Sequence[str]) -> Vector | None:
    rows = [kept[one] for one in sentences if one in kept]
    return np.stack(rows).astype(np.float32) if rows else None
