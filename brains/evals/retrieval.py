"""`eval retrieval`: is what answers a question found, by the functions that serve members?

A folder with corpus.jsonl (`id`, `text`, optional `ts`), queries.jsonl (the same) and qrels.tsv (query, document, and
optionally how relevant). A query with a time sees only what is older.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from brains.evals.archive import BEGINNING, Text, archive
from brains.evals.evaluation import Evaluation, Measured, report
from brains.evals.metrics import hit, ndcg, reciprocal_rank
from brains.evals.term_search import TermSearch
from brains.training import rows
from brains.training.encoding import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from uuid import UUID

    from bot.core.ports import Encoder, Hit, Vector
    from brains.evals.archive import Archive
    from storage.channels import Reach

METRIC = "hit@1"
DEEPEST = 50
"""Places of a ranking that are looked at; what is relevant below them counts as not found, for everybody alike."""
AT_ONCE = 8
"""Questions under way at the same time."""
ENCODED = 256
"""Questions encoded in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question, the documents that answer it, and when it was asked, if that is known."""

    name: str
    text: str
    relevant: frozenset[str]
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What a folder holds."""

    texts: Sequence[Text]
    queries: Sequence[Query]


async def retrieval(
    folder: Path, *, encoder: Encoder, queries: Path | None = None, progress: Progress = silent
) -> Evaluation:
    """Judge how documents are found; `queries` is another folder whose questions are put to this one's documents.

    Raises Mistake for files that are not what they should be, or where no question has an answer among the documents.
    """
    library = await asyncio.to_thread(read_folder, folder, queries or folder)
    return await judge(library, encoder=encoder, progress=progress)


async def judge(library: Library, *, encoder: Encoder, progress: Progress = silent) -> Evaluation:
    """Measure ours and every baseline: BM25, dense and both fused by the engine, and TF-IDF."""
    started = time.perf_counter()
    vectors = await encoded(encoder, [one.text for one in library.queries])
    async with archive(library.texts, encoder=encoder, progress=progress) as place:
        names = await place.names()
        ranked = await _ranked(place, library.queries, vectors, names)
    terms = await asyncio.to_thread(TermSearch, library.texts)
    ranked["tfidf"] = await asyncio.to_thread(
        lambda: [terms.nearest(one.text, DEEPEST, before=one.at) for one in library.queries]
    )
    measured = {name: measure(order, library.queries) for name, order in ranked.items()}
    return report(
        "retrieval",
        ours=measured.pop("ours"),
        baselines=measured,
        metric=METRIC,
        seconds=time.perf_counter() - started,
    )


async def encoded(encoder: Encoder, texts: Sequence[str]) -> Vector:
    """Encode questions, shape (n, size)."""
    pieces = [texts[at : at + ENCODED] for at in range(0, len(texts), ENCODED)]
    return np.concatenate([await encoder.encode(piece, kind="query") for piece in pieces])


async def _ranked(
    place: Archive, queries: Sequence[Query], vectors: Vector, names: Mapping[UUID, str]
) -> dict[str, list[list[str]]]:
    """Rank documents for each query, in each way."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(query: Query, vector: Vector) -> dict[str, list[str]]:
        async with room:
            return await _each(place, query, vector, names)

    found = await asyncio.gather(*(one(query, vector) for query, vector in zip(queries, vectors, strict=True)))
    return {name: [each[name] for each in found] for name in found[0]}


async def _each(place: Archive, query: Query, vector: Vector, names: Mapping[UUID, str]) -> dict[str, list[str]]:
    reach = until(place.reach, query.at)
    found = await place.retrieval.find(query.text, reach=reach, limit=DEEPEST, vector=vector)
    ours = [passage.source.id for one in found for passage in (one.best, *one.also)]

    def named(hits: Iterable[Hit]) -> list[str]:
        return [names[one.id] for one in hits]

    search = place.vectors.search
    return {
        "ours": ours[:DEEPEST],
        "dense": named(await search(reach.scope, vector=vector, limit=DEEPEST)),
        "bm25": named(await search(reach.scope, text=query.text, limit=DEEPEST)),
        "rrf": named(await search(reach.scope, vector=vector, text=query.text, limit=DEEPEST)),
    }


def until(reach: Reach, at: datetime | None) -> Reach:
    """Narrow a reach to what is older than a moment, where one is given."""
    return reach if at is None else replace(reach, scope=replace(reach.scope, until=at))


def measure(ranked: Sequence[Sequence[str]], queries: Sequence[Query]) -> Measured:
    """Measure rankings of names (n lists) against what is relevant to each query."""
    places = {name: at for at, name in enumerate({one for order in ranked for one in order})}
    missing = len(places)
    pairs = [
        (
            [places[one] for one in order],
            {places.get(one, missing + at) for at, one in enumerate(sorted(query.relevant))},
        )
        for order, query in zip(ranked, queries, strict=True)
    ]
    return {
        "hit@1": np.array([hit(order, right, 1) for order, right in pairs]),
        "hit@10": np.array([hit(order, right, 10) for order, right in pairs]),
        "mrr": np.array([reciprocal_rank(order, right) for order, right in pairs]),
        "ndcg@10": np.array([ndcg(order, right, 10) for order, right in pairs]),
    }


def read_folder(folder: Path, asked: Path) -> Library:
    """Read documents of one folder and questions of another, which may be the same. Raises Mistake."""
    texts = [
        Text(name=row.text("id"), text=row.text("text"), at=_when(row) or BEGINNING)
        for row in rows.rows(rows.needed(folder, "corpus.jsonl"))
    ]
    known = {one.name for one in texts}
    relevant = read_qrels(rows.needed(asked, "qrels.tsv"))
    queries = []
    for row in rows.rows(rows.needed(asked, "queries.jsonl")):
        right = frozenset(relevant.get(row.text("id"), ())) & known
        if right:
            queries.append(Query(name=row.text("id"), text=row.text("text"), relevant=right, at=_when(row)))
    if not queries:
        raise Mistake(f"{asked}: no query of qrels.tsv has an answer in {folder}.")
    return Library(texts=texts, queries=queries)


def _when(row: rows.Row) -> datetime | None:
    return datetime.fromtimestamp(row.moment("ts"), UTC) if "ts" in row.values else None


def read_qrels(path: Path) -> dict[str, set[str]]:
    """Read which documents answer which query: columns with tabs between; a third of 0 says that one does not.

    A first line of words is taken for a heading. Raises Mistake.
    """
    try:
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = text.decode().splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as trouble:
        raise Mistake(f"{path} cannot be read: {trouble}") from trouble
    found: dict[str, set[str]] = {}
    for number, line in enumerate(lines, 1):
        columns = line.split("\t")
        if not line.strip() or (number == 1 and columns[-1] in {"score", "relevance", "rel"}):
            continue
        query, document, worth = _judged(columns, path, number)
        if worth:
            found.setdefault(query, set()).add(document)
    return found


def _judged(columns: Sequence[str], path: Path, number: int) -> tuple[str, str, bool]:
    match columns:
        case [query, document]:
            return query, document, True
        case [query, document, score]:
            try:
                return query, document, float(score) > 0
            except ValueError:
                pass
    raise Mistake(f"{path}, line {number}: needs the columns query, document and score, with tabs between.")
