"""`eval discussed`: was this discussed before? Topics that link to an older one ask, and that one is the answer.

A history in the interchange format, whose texts link to topics as Zulip does. What is asked is how a topic began,
without its links and without the older topic's title; what is searched is all that was said before that.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from bot.core.errors import Mistake
from brains.evals.archive import Text, archive
from brains.evals.evaluation import Evaluation, report
from brains.evals.retrieval import Query, encoded, measure, until
from brains.evals.term_search import TermSearch
from brains.training import rows
from brains.training.encoding import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from uuid import UUID

    from bot.core.ports import Encoder, Hit, Vector
    from brains.evals.archive import Archive

METRIC = "hit@10"
OPENING = 3
"""Messages that a topic is asked with."""
FEWEST = 20
"""Characters that must be left of them to ask with."""
DEEPEST = 100
"""Messages or conversations that are looked at for the topics they are in."""

LINK = re.compile(
    r"https?://[^\s/]*zulip[^\s/]*/#narrow/(?:stream|channel)/(?P<channel>[^\s/)]*)/topic/(?P<topic>[^\s/)>\]]+)"
    r"(?:/(?:near|with)/(?P<message>\d+))?[^\s)>\]]*"
)
NAMED = re.compile(r"#\*\*(?P<channel>[^*>]+)>(?P<topic>[^*]+)\*\*")
SHOWN = re.compile(r"\[[^\]]*\]\((?:https?://[^)]*)\)")
ANY_LINK = re.compile(r"https?://\S+")
HIDDEN = re.compile(r"\.([0-9A-Fa-f]{2})")


class Topic(NamedTuple):
    """A topic of a channel."""

    channel: str
    title: str

    def __str__(self) -> str:
        return f"{self.channel}/{self.title}"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What was said, oldest first, by its topics."""

    texts: Sequence[Text]

    def topics(self) -> dict[Topic, list[Text]]:
        """Return the messages of each topic."""
        found: dict[Topic, list[Text]] = {}
        for one in self.texts:
            found.setdefault(topic_of(one), []).append(one)
        return found


def topic_of(text: Text) -> Topic:
    """Return the topic of a message."""
    return Topic(text.channel, text.topic)


async def discussed(path: Path, *, encoder: Encoder, part: str = "test", progress: Progress = silent) -> Evaluation:
    """Judge whether the older topic is found. `part` is `tune`, `test` or `all` of the pairs, split by their names.

    Raises Mistake for a file that is no history, or where no topic links to an older one.
    """
    started = time.perf_counter()
    history = await asyncio.to_thread(read_history, path)
    queries = [one for one in pairs(history) if part in {"all", part_of(one)}]
    if not queries:
        raise Mistake(f"{path}: no topic links to an older one.")
    vectors = await encoded(encoder, [one.text for one in queries])
    async with archive(history.texts, encoder=encoder, progress=progress) as place:
        ranked = await _ranked(place, queries, vectors, {one.name: str(topic_of(one)) for one in history.texts})
    ranked |= await asyncio.to_thread(_by_terms, history, queries)
    measured = {name: measure(order, queries) for name, order in ranked.items()}
    return report(
        f"discussed before ({part})",
        ours=measured.pop("ours"),
        baselines=measured,
        metric=METRIC,
        seconds=time.perf_counter() - started,
        notes=(f"{len(history.texts):,} messages in {len(history.topics()):,} topics.",),
    )


def part_of(query: Query) -> str:
    """Say which half of the pairs one is in: by a hash of what is asked about, so that it never changes."""
    return ("tune", "test")[hashlib.sha256(query.name.encode()).digest()[0] % 2]


async def _ranked(
    place: Archive, queries: Sequence[Query], vectors: Vector, topics: Mapping[str, str]
) -> dict[str, list[list[str]]]:
    names = await place.names()
    found: dict[str, list[list[str]]] = {}
    for query, vector in zip(queries, vectors, strict=True):
        for name, order in (await _each(place, query, vector, names)).items():
            found.setdefault(name, []).append(distinct(topics[one] for one in order))
    return found


async def _each(place: Archive, query: Query, vector: Vector, names: Mapping[UUID, str]) -> dict[str, list[str]]:
    reach = until(place.reach, query.at)
    found = await place.retrieval.find(query.text, reach=reach, limit=DEEPEST, vector=vector)

    def named(hits: Iterable[Hit]) -> list[str]:
        return [names[one.id] for one in hits]

    search = place.vectors.search
    return {
        "ours": [passage.source.id for one in found for passage in (one.best, *one.also)],
        "dense": named(await search(reach.scope, vector=vector, limit=DEEPEST)),
        "bm25": named(await search(reach.scope, text=query.text, limit=DEEPEST)),
        "rrf": named(await search(reach.scope, vector=vector, text=query.text, limit=DEEPEST)),
    }


def distinct(names: Iterable[str]) -> list[str]:
    """Return names in order, each once."""
    return list(dict.fromkeys(names))


def _by_terms(history: History, queries: Sequence[Query]) -> dict[str, list[list[str]]]:
    """Rank topics by TF-IDF: by their best message, and by all that was said in them before the question."""
    topics = {one.name: str(topic_of(one)) for one in history.texts}
    messages = TermSearch(history.texts)
    found = [distinct(topics[one] for one in messages.nearest(q.text, DEEPEST, before=q.at)) for q in queries]
    return {"tfidf messages": found, "tfidf topics": [_whole_topics(history, query) for query in queries]}


def _whole_topics(history: History, query: Query) -> list[str]:
    at = query.at or datetime.max.replace(tzinfo=UTC)
    older = History(texts=[one for one in history.texts if one.at < at])
    whole = [Text(name=str(topic), text="\n".join(one.text for one in said)) for topic, said in older.topics().items()]
    return TermSearch(whole).nearest(query.text, DEEPEST)


def read_history(path: Path) -> History:
    """Read messages that are in a topic, oldest first. Raises Mistake."""
    texts = [
        Text(
            name=row.text("id", default=f"line {row.line}"),
            text=row.text("text"),
            at=datetime.fromtimestamp(row.moment("ts"), UTC),
            channel=row.text("channel"),
            author=row.text("user"),
            topic=row.text("topic", default=""),
        )
        for row in rows.rows(path)
    ]
    in_topics = [one for one in texts if one.topic]
    if not in_topics:
        raise Mistake(f"{path}: no row has a `topic`.")
    return History(texts=sorted(in_topics, key=lambda one: one.at))


def pairs(history: History) -> list[Query]:
    """Return how topics began that link to older ones, and those; one query for each topic."""
    topics = history.topics()
    linked = {topic: _linked(topic, said, topics, _by_name(history)) for topic, said in topics.items() if _links(said)}
    queries = [
        Query(
            name=str(topic),
            text=opening(topics[topic], older),
            relevant=frozenset(map(str, older)),
            at=topics[topic][0].at,
        )
        for topic, older in linked.items()
        if older
    ]
    return [one for one in queries if len(one.text) >= FEWEST]


def _by_name(history: History) -> dict[str, Text]:
    return {one.name: one for one in history.texts}


def _links(said: Iterable[Text]) -> bool:
    return any(LINK.search(one.text) or NAMED.search(one.text) for one in said)


def _linked(
    topic: Topic, said: Sequence[Text], topics: Mapping[Topic, Sequence[Text]], messages: Mapping[str, Text]
) -> set[Topic]:
    """Return the older topics that the messages of one link to."""
    began = said[0].at
    found = {target for one in said for target in _targets(one.text, topics, messages)}
    return {one for one in found if one != topic and topics[one][0].at < began}


def _targets(text: str, topics: Mapping[Topic, Sequence[Text]], messages: Mapping[str, Text]) -> Iterable[Topic]:
    for link in (*LINK.finditer(text), *NAMED.finditer(text)):
        near = link.groupdict().get("message") or ""
        if near in messages:
            yield topic_of(messages[near])
            continue
        channel, title = (plain(link.group(name)).strip().casefold() for name in ("channel", "topic"))
        yield from (
            one
            for one in topics
            if one.title.strip().casefold() == title and re.sub(r"^\d+-", "", channel) in {one.channel.casefold(), ""}
        )


def plain(hidden: str) -> str:
    """Read what a link says: Zulip writes a full stop for the percent sign."""
    return unquote(HIDDEN.sub(r"%\1", hidden))


def opening(said: Sequence[Text], older: Iterable[Topic]) -> str:
    """Return how a topic began, without links, what they show, and the titles of older topics that it links to."""
    text = "\n".join(one.text for one in said[:OPENING])
    for pattern in (SHOWN, NAMED, ANY_LINK):
        text = pattern.sub(" ", text)
    for one in older:
        text = re.sub(re.escape(one.title), " ", text, flags=re.IGNORECASE)
    return text.strip()
