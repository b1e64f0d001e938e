"""Topics that people talk about in many conversations and that have no channel of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.conversations import Conversations, gather
from brains.matching.corpus import DAY, unit
from brains.matching.growth_clusters import clusters
from brains.matching.growth_names import telling
from brains.matching.terms import words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from brains.matching.corpus import Card, Corpus, Floats, Ids, Rows

MONTHS = 180 * DAY
"""How far back conversations are looked at."""
MOST = 20_000
"""Messages that are looked at, the newest: some seconds on two cores."""
PEOPLE, CONVERSATIONS, SPAN = 4, 5, 14 * DAY
"""What a topic needs at least: different people, conversations, and seconds between the first and the last of them.
A channel for three friends or for one busy week is asked for by nobody a month later."""
SHARE = 0.6
"""Share of a channel's conversations from which on a topic is what that channel is about."""
OWN = 0.4
"""A topic is at home in a channel where its conversations come as near to the others there as this share of them do."""
ALIKE = 0.8
"""Cosine of two topics' centroids (raw vectors less their mean) from which on they are one topic."""
COHERENT = 1.8
"""Deviations by which a topic's conversations must be more alike, in the mean, than any others. Where every channel
was made with care, what is said by chance in like words reached 1.75; topics of a developers' chat reach 2.5."""
EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Topic:
    """Conversations about one thing. `terms` tell it, best first; `centre` (d,) is a unit row less the mean of all.

    `labels` name the conversations. `people`, `channels` and `examples` are database numbers: who talked, the most
    first; where, with how many of the conversations; and the messages nearest to the centre. `growth` is how many of
    the conversations began in the later half of the time, 0..1, and `coherence` their mean similarity beside any two
    conversations here, in deviations.
    """

    name: str
    terms: tuple[str, ...]
    labels: tuple[int, ...]
    centre: Floats
    conversations: int
    messages: int
    people: tuple[int, ...]
    channels: dict[int, int]
    examples: tuple[int, ...]
    first: float
    last: float
    growth: float
    coherence: float


def find_topics(
    corpus: Corpus,
    labels: Ids,
    cards: Sequence[Card],
    *,
    now: float,
    unnamed: Collection[str] = (),
) -> list[Topic]:
    """Find topics without a channel, the most talked of first.

    `labels` (n,) name the conversation of each message. `cards` are the channels that there are, and no topic is named
    by one of the words `unnamed`: members are no topics.
    """
    recent = np.flatnonzero(corpus.times >= now - MONTHS)
    recent = recent[np.argsort(corpus.times[recent], kind="stable")][-MOST:]
    talk = gather(corpus.take(recent), labels[recent])
    if len(talk) < CONVERSATIONS:
        return []
    similarity = talk.similarity()
    groups = clusters(similarity, worthy=lambda rows: is_lively(talk, rows))
    return homeless(talk, similarity, groups, cards, unnamed=unnamed)


def homeless(
    talk: Conversations,
    similarity: Floats,
    groups: Sequence[Rows],
    cards: Sequence[Card],
    *,
    unnamed: Collection[str] = (),
) -> list[Topic]:
    """Return those of groups of conversations that no channel is for, as topics, the most talked of first."""
    found = [
        _topic(talk, similarity, rows, cards, set(unnamed)) for rows in groups if not _has_home(talk, similarity, rows)
    ]
    hanging = [topic for topic in found if topic is not None and topic.coherence >= COHERENT]
    named = [topic for topic in hanging if not _is_called(topic, cards)]
    return sorted(_distinct(named), key=lambda one: (-len(one.people) * one.coherence, one.name))


def is_lively(talk: Conversations, rows: Rows) -> bool:
    """Say whether enough people had enough conversations, and for long enough."""
    if len(rows) < CONVERSATIONS or np.ptp(talk.times[rows]) < SPAN:
        return False
    return len(np.unique(talk.corpus.authors[talk.messages(rows)])) >= PEOPLE


def _has_home(talk: Conversations, similarity: Floats, rows: Rows) -> bool:
    """Say whether conversations are at home in a channel: most of it, or as near to its rest as that is.

    The rest of a channel is compared with itself conversation by conversation, each left out of the others.
    """
    inside = np.zeros(len(talk), dtype=np.bool_)
    inside[rows] = True
    for channel in np.unique(talk.channels):
        here = talk.channels == channel
        rest = np.flatnonzero(here & ~inside)
        if inside[here].mean() >= SHARE:
            return True
        if len(rest) < CONVERSATIONS:
            continue
        among = similarity[np.ix_(rest, rest)]
        own = (among.sum(axis=1) - np.diag(among)) / (len(rest) - 1)
        near = float(similarity[np.ix_(rows, rest)].mean())
        if near >= np.quantile(own, 1 - OWN):
            return True
    return False


def _topic(
    talk: Conversations, similarity: Floats, rows: Rows, cards: Sequence[Card], unnamed: set[str]
) -> Topic | None:
    """Describe a cluster; None for one that nothing but the words of a few tells from the rest."""
    told = telling(talk, rows, unnamed=unnamed | {term for card in cards for term in words(card.name)})
    if told is None:
        return None
    said = talk.messages(rows)
    people, times = np.unique(talk.corpus.authors[said], return_counts=True)
    channels, counts = np.unique(talk.channels[rows], return_counts=True)
    middle = float(talk.times.min() + np.ptp(talk.times) / 2)
    return Topic(
        name=told.name,
        terms=told.terms,
        labels=tuple(talk.names[rows].tolist()),
        centre=centre(talk.corpus.vectors[said], talk.corpus.vectors.mean(axis=0)),
        conversations=len(rows),
        messages=len(said),
        people=tuple(int(one) for one in people[np.argsort(-times, kind="stable")]),
        channels={int(one): int(count) for one, count in zip(channels, counts, strict=True)},
        examples=_examples(talk, rows),
        first=float(talk.times[rows].min()),
        last=float(talk.times[rows].max()),
        growth=float((talk.times[rows] >= middle).mean()),
        coherence=_coherence(similarity, rows),
    )


def centre(vectors: Floats, mean: Floats) -> Floats:
    """Return the direction (d,) in which encoder vectors (n, d) differ from the mean (d,)."""
    return np.asarray(unit(unit(vectors).mean(axis=0) - mean), dtype=np.float32)


def _coherence(similarity: Floats, rows: Rows) -> float:
    """Compare the pairs inside with all other pairs: in a small town those inside would raise what they are held to."""
    first, second = np.triu_indices(len(similarity), 1)
    pairs = similarity[first, second]
    inside = np.isin(first, rows) & np.isin(second, rows)
    others = pairs[~inside]
    if not len(others):
        return 0.0
    return float((pairs[inside].mean() - others.mean()) / max(float(others.std()), 1e-6))


def _examples(talk: Conversations, rows: Rows) -> tuple[int, ...]:
    """Return the numbers of messages that show best what it is about: of other conversations, then of other people."""
    middle = unit(talk.vectors[rows].mean(axis=0))
    said = talk.messages(rows)
    near = talk.placed[said] @ middle * talk.weights[said]
    chosen: list[int] = []
    met: set[tuple[str, int]] = set()
    for at in said[np.argsort(-near, kind="stable")]:
        marks = {("conversation", int(talk.owners[at])), ("author", int(talk.corpus.authors[at]))}
        if not marks & met:
            chosen.append(int(talk.corpus.ids[at]))
            met |= marks
    return tuple(chosen[:EXAMPLES])


def _is_called(topic: Topic, cards: Sequence[Card]) -> bool:
    """Say whether a channel's name or description says already what tells the topic."""
    leading = set(topic.terms[:2])
    return any(len(leading & set(words(card.text))) == len(leading) for card in cards)


def _distinct(topics: Sequence[Topic]) -> list[Topic]:
    """Keep one of topics that are called or lie alike, the one of more conversations."""
    kept: list[Topic] = []
    for one in sorted(topics, key=lambda topic: -topic.conversations):
        if all(
            one.name != other.name and not alike(one.terms, one.centre, other.terms, other.centre) for other in kept
        ):
            kept.append(one)
    return kept


def alike(terms: Sequence[str], centre_: Floats, others: Sequence[str], other: Floats) -> bool:
    """Say whether two topics are one: by their centres, or by sharing most of the terms that tell them."""
    shared = len(set(terms) & set(others)) / max(1, min(len(set(terms)), len(set(others))))
    near = float(centre_ @ other) if centre_.shape == other.shape else 0.0
    return near >= ALIKE or shared > 1 / 2
