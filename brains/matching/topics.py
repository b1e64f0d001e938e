"""What each channel is about: the centroid of its messages and description, and its telling terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from brains.matching.corpus import DAY, fading, sum_by, unit
from brains.matching.space import Space
from brains.matching.terms import Vocabulary, substances, unit_rows, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array

    from brains.matching.corpus import Card, Corpus, Floats, Ids

HALF_LIFE = 730 * DAY
"""Of a message's say in its channel's profile: topics of channels drift over years."""

DESCRIPTION = 3.0
"""How many full messages a channel's description counts for."""

MANY = 1_000
"""Messages from which on a term must occur in two: before, every word counts."""

DAMPING = 0.7
"""Exponent on a channel's summed term weights, so that one loud thread does not speak for the channel.
Held-out training posts of 400 groups, terms alone: 1 gives top-1 .467, .7 gives .494, .5 gives .473."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelTerms:
    """Terms of channels: `rows` (c, v) unit rows, their `mean` (v,), and `spread` (c,), each row's distance to it."""

    vocabulary: Vocabulary
    rows: csr_array
    mean: Floats
    spread: Floats

    def weigh(self, documents: Sequence[Sequence[str]]) -> csr_array:
        """Turn documents into unit rows (n, v)."""
        return self.vocabulary.weigh(documents)

    def overlap(self, asked: csr_array) -> Floats:
        """Score unit rows (n, v) against each channel (n, c): the cosine after the community's mean is taken away."""
        plain = (self.rows @ asked.T).toarray().T
        return np.asarray((plain - (asked @ self.mean)[:, None]) / self.spread, dtype=np.float32)

    def row(self, at: int) -> tuple[Ids, Floats]:
        """Return the columns of one channel's terms, and their weights."""
        part = slice(self.rows.indptr[at], self.rows.indptr[at + 1])
        return self.rows.indices[part], self.rows.data[part]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Topics:
    """Topics of channels (c,): unit `centroids` (m, d) in `space`, their channels `owners` (m,), ascending; terms."""

    space: Space
    centroids: Floats
    owners: Ids
    terms: ChannelTerms

    def closeness(self, placed: Floats) -> Floats:
        """Return the best cosine (n, c) of each unit row (n, d) of the space with each channel; 0 without any."""
        best = np.zeros((len(placed), self.terms.rows.shape[0]), dtype=np.float32)
        if len(self.owners):
            first = np.flatnonzero(np.diff(self.owners, prepend=-1))
            best[:, self.owners[first]] = np.maximum.reduceat(placed @ self.centroids.T, first, axis=1)
        return best


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """A corpus made ready to be summed by channel, as often as needed.

    `owners` (n,) are positions of channels, `weights` (n,) the say of each message, `vectors` (n, d) lie in `space`,
    `rows` (n, v) are the terms; `told_vectors` (c, d) and `told_rows` (c, v) are the descriptions.
    """

    owners: Ids
    weights: Floats
    space: Space
    vectors: Floats
    vocabulary: Vocabulary
    rows: csr_array
    told_vectors: Floats
    told_rows: csr_array

    @classmethod
    def prepare(
        cls, corpus: Corpus, owners: Ids, cards: Sequence[Card], *, now: float, talk: Floats | None = None
    ) -> Self:
        """Read a corpus whose messages belong to the cards at `owners` (n,); `talk` (d,) is where any would lie."""
        documents, told = [words(text) for text in corpus.texts], [_told(card) for card in cards]
        weights = fading(corpus.times, now=now, half_life=HALF_LIFE) * substances(documents)
        least = 2 if len(documents) >= MANY else 1
        named = {term for document in told for term in document}
        vocabulary = Vocabulary.learn([*documents, *told], always=named, least=least)
        space = _space(corpus, owners, weights, cards, talk)
        return cls(
            owners=owners,
            weights=weights,
            space=space,
            vectors=space.shift(corpus.vectors),
            vocabulary=vocabulary,
            rows=vocabulary.weigh(documents),
            told_vectors=_described(space, cards),
            told_rows=vocabulary.weigh(told),
        )

    def topics(self, weights: Floats) -> Topics:
        """Sum up the messages by these weights (n,), which may leave some out."""
        by_channel = sum_by(self.owners, weights, len(self.told_vectors))
        centroids = unit(by_channel @ self.vectors + DESCRIPTION * self.told_vectors)
        told = np.flatnonzero(centroids.any(axis=1))
        return Topics(space=self.space, centroids=centroids[told], owners=told, terms=self._terms(by_channel))

    def _terms(self, by_channel: csr_array) -> ChannelTerms:
        rows = unit_rows((by_channel @ self.rows + DESCRIPTION * self.told_rows).tocsr().power(DAMPING))
        mean = np.asarray(rows.mean(axis=0), dtype=np.float32)
        spread = np.sqrt(np.maximum(1 - 2 * (rows @ mean) + mean @ mean, 0.01))
        return ChannelTerms(vocabulary=self.vocabulary, rows=rows, mean=mean, spread=spread.astype(np.float32))


def _told(card: Card) -> list[str]:
    """Return the terms of a description, and of the name's parts where they are written as one word."""
    said, parts = words(card.text), words(card.title)
    return said if set(parts) <= set(said) else [*said, *parts]


def _space(corpus: Corpus, owners: Ids, weights: Floats, cards: Sequence[Card], talk: Floats | None) -> Space:
    told = (weights > 0) & corpus.vectors.any(axis=1)
    if told.any():
        space = Space.learn(corpus.vectors[told], owners[told], weights[told])
        return space if talk is None else space.leaning(talk, float(weights[told].sum()))
    known = [card.vector for card in cards if card.vector is not None]
    return Space.told(np.array(known, dtype=np.float32) if known else corpus.vectors, talk)


def _described(space: Space, cards: Sequence[Card]) -> Floats:
    """Place the descriptions (c, d), with the titles where these are encoded."""
    placed = _centred(space, [card.vector for card in cards]) + _centred(space, [card.titled for card in cards])
    return unit(placed)


def _centred(space: Space, vectors: Sequence[Floats | None]) -> Floats:
    """Place what is told of channels (c, d), centred on its own mean: it is written in another voice than chat."""
    rows = np.zeros((len(vectors), len(space.mean)), dtype=np.float32)
    known = {at: vector for at, vector in enumerate(vectors) if vector is not None}
    if len(known) > 1:
        told = np.array(list(known.values()), dtype=np.float32)
        rows[list(known)] = unit((told - told.mean(axis=0)) @ space.whitening)
    return rows
