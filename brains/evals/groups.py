"""`eval groups`: is a channel missed that is not there?

Of every half-year, channels with enough talk are hidden in three turns: what was said in them is taken as said in the
biggest channel. A hidden channel is found where one of the proposed topics has half or more of its conversations from
it. Other proposals may be good ones too, so that precision is a lower bound.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from bot.core.errors import Mistake
from brains.evals.evaluation import Evaluation, report
from brains.matching.conversations import Conversations, gather
from brains.matching.corpus import DAY, Card, Corpus
from brains.matching.growth import homeless, is_lively
from brains.matching.growth_clusters import clusters
from brains.training import rows
from brains.training.encoding import Progress, passages, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bot.core.ports import Encoder
    from brains.evals.evaluation import Measured
    from brains.matching.corpus import Floats, Ids, Mask, Rows
    from brains.matching.growth import Topic

HALF_YEAR = 182 * DAY
TURNS = 3
"""A third of the channels is hidden at a time."""
PEOPLE, CONVERSATIONS = 5, 8
"""What a channel needs at least in a half-year to be hidden in it."""
FIRST = 2
"""Proposals that the staff is shown in a week."""
PURE = 0.5
"""Share of a topic's conversations that must come from a hidden channel."""
A_CLUSTER = 8
"""Conversations a cluster of k-means, in the mean."""
Method = Callable[[Conversations], "tuple[Floats, list[Rows]]"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """All that was said: a corpus, the conversation of each message, and the names of the channels."""

    corpus: Corpus
    labels: Ids
    channels: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Turn:
    """A half-year in which some channels are hidden: what the finder is given, and where each conversation was."""

    talk: Conversations
    cards: Sequence[Card]
    hidden: Sequence[int]
    really: dict[int, int]


async def groups(
    path: Path, *, encoder: Encoder, since: datetime | None = None, progress: Progress = silent
) -> Evaluation:
    """Judge proposals on rows of `user, channel, ts, text[, topic]`, in half-years from `since` on. Raises Mistake."""
    said = await _read(path, encoder, progress)
    return await asyncio.to_thread(judge, said, since=since.timestamp() if since else -np.inf)


async def _read(path: Path, encoder: Encoder, progress: Progress) -> Said:
    found = await asyncio.to_thread(lambda: [one for one in rows.rows(path) if one.text("text", default="").strip()])
    texts = [one.text("text") for one in found]
    channels, places = np.unique([one.text("channel") for one in found], return_inverse=True)
    topics = [f"{one.text('channel')}/{one.text('topic', default=str(at))}" for at, one in enumerate(found)]
    corpus = Corpus(
        ids=np.arange(len(found), dtype=np.int64),
        texts=texts,
        vectors=await passages(encoder, texts, progress=progress),
        channels=places.astype(np.int64),
        authors=np.unique([one.text("user") for one in found], return_inverse=True)[1].astype(np.int64),
        times=np.array([one.moment("ts") for one in found], dtype=np.float64),
    )
    labels = np.unique(topics, return_inverse=True)[1].astype(np.int64) + 1
    return Said(corpus=corpus, labels=labels, channels=[str(one) for one in channels])


def judge(said: Said, *, since: float) -> Evaluation:
    """Hide channels and look whether they are proposed, by each method. Raises Mistake where none can be hidden."""
    started = time.monotonic()
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in METHODS}
    seconds = 0.0
    for turn in _turns(said, since=since):
        for name, method in METHODS.items():
            begun = time.monotonic()
            similarity, found = method(turn.talk)
            topics = homeless(turn.talk, similarity, found, turn.cards)
            seconds = max(seconds, time.monotonic() - begun) if name == OURS else seconds
            measured[name] += _judged(turn, topics)
    if not measured[OURS]:
        raise Mistake("No channel there has enough talk in a half-year to be hidden.")
    tables: dict[str, Measured] = {
        name: {key: np.array([one[key] for one in cases]) for key in cases[0]} for name, cases in measured.items()
    }
    ours = tables.pop(OURS)
    notes = (f"finding takes {seconds:.1f} s at most", "other proposals may be good too: precision is a lower bound")
    return report(
        "groups", ours=ours, baselines=tables, metric="recall", seconds=time.monotonic() - started, notes=notes
    )


def _turns(said: Said, *, since: float) -> Iterator[Turn]:
    begin, end = max(since, float(said.corpus.times.min())), float(said.corpus.times.max())
    # Half-years begin in January and July, whatever the first message is.
    year = datetime.fromtimestamp(begin, UTC).year
    starts = [datetime(at, month, 1, tzinfo=UTC).timestamp() for at in range(year, year + 100) for month in (1, 7)]
    for start in (one for one in starts if begin - DAY <= one and one + HALF_YEAR <= end + DAY):
        inside = (said.corpus.times >= start) & (said.corpus.times < start + HALF_YEAR)
        yield from _hiding(said, inside)


def _hiding(said: Said, inside: Mask) -> Iterator[Turn]:
    corpus, labels = said.corpus.where(inside), said.labels[inside]
    counts = Counter(corpus.channels.tolist())
    biggest = max(counts, key=lambda one: counts[one])
    able = [one for one in sorted(counts) if one != biggest and _is_able(corpus, labels, one)]
    able = [able[at] for at in np.random.default_rng(0).permutation(len(able))]
    for start in range(min(TURNS, len(able))):
        hidden = able[start :: min(TURNS, len(able))]
        moved = np.where(np.isin(corpus.channels, hidden), biggest, corpus.channels)
        there = Corpus(
            ids=corpus.ids,
            texts=corpus.texts,
            vectors=corpus.vectors,
            channels=moved,
            authors=corpus.authors,
            times=corpus.times,
        )
        really = dict(zip(labels.tolist(), corpus.channels.tolist(), strict=True))
        cards = [Card(id=one, name=said.channels[one]) for one in np.unique(moved).tolist()]
        yield Turn(talk=gather(there, labels), cards=cards, hidden=hidden, really=really)


def _is_able(corpus: Corpus, labels: Ids, channel: int) -> bool:
    here = corpus.channels == channel
    return len(np.unique(corpus.authors[here])) >= PEOPLE and len(np.unique(labels[here])) >= CONVERSATIONS


def _judged(turn: Turn, topics: Sequence[Topic]) -> list[dict[str, float]]:
    """Return what was found of each hidden channel, and how much of all that was proposed is of one of them."""
    ofs = [_of(turn, topic) for topic in topics]
    right = sum(one is not None for one in ofs)
    return [
        {
            "recall": float(channel in ofs),
            f"recall@{FIRST}": float(channel in ofs[:FIRST]),
            "precision": right / len(ofs) if ofs else 0.0,
            f"precision@{FIRST}": sum(one is not None for one in ofs[:FIRST]) / len(ofs[:FIRST]) if ofs else 0.0,
            "proposals": float(len(ofs)),
        }
        for channel in turn.hidden
    ]


def _of(turn: Turn, topic: Topic) -> int | None:
    """Return the hidden channel that a topic is of, None for another one."""
    [(channel, count)] = Counter(turn.really[label] for label in topic.labels).most_common(1)
    return channel if channel in turn.hidden and count >= PURE * len(topic.labels) else None


def _ours(talk: Conversations) -> tuple[Floats, list[Rows]]:
    return _tree(talk, talk.similarity())


def _by_terms(talk: Conversations) -> tuple[Floats, list[Rows]]:
    return _tree(talk, np.asarray((talk.rows @ talk.rows.T).toarray(), dtype=np.float32))


def _by_vectors(talk: Conversations) -> tuple[Floats, list[Rows]]:
    return _tree(talk, np.asarray(talk.vectors @ talk.vectors.T, dtype=np.float32))


def _tree(talk: Conversations, similarity: Floats) -> tuple[Floats, list[Rows]]:
    return similarity, clusters(similarity, worthy=lambda found: is_lively(talk, found))


def _kmeans(talk: Conversations) -> tuple[Floats, list[Rows]]:
    """Cluster lone messages by k-means; a conversation belongs where most of it is."""
    told = np.flatnonzero(talk.owners >= 0)
    count = max(2, len(talk) // A_CLUSTER)
    found = MiniBatchKMeans(count, random_state=0, n_init=3).fit_predict(talk.corpus.vectors[told])
    table = np.zeros((len(talk), count))
    np.add.at(table, (talk.owners[told], found), 1)
    homes = table.argmax(axis=1)
    parts = [np.flatnonzero(homes == one) for one in range(count)]
    similarity = np.asarray(talk.vectors @ talk.vectors.T, dtype=np.float32)
    return similarity, [part for part in parts if is_lively(talk, part)]


OURS = "kinfolk"
METHODS: dict[str, Method] = {
    OURS: _ours,
    "TF-IDF clusters": _by_terms,
    "vectors alone": _by_vectors,
    "k-means of messages": _kmeans,
}
"""Each gives a similarity of conversations and groups of them; what is asked of a proposal is the same for all."""
