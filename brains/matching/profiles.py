"""The profiles of a community's channels: their topics, who finds them lately, and what tells them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.choice import Choice, how_told
from brains.matching.corpus import Card, Corpus, unit
from brains.matching.gate import Gate, Range
from brains.matching.prior import Prior
from brains.matching.topics import Material, Topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array

    from brains.matching.corpus import Floats, Ids, Rows

FOLDS = 5
"""A fifth of the messages is kept from a draft of the profiles, to fit on."""

PLENTY = 1_000
"""Messages that are enough to fit on: where there are more, one fold of no more is used."""

SUBSTANTIAL = 4
"""Different terms that make a message one of substance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelProfiles:
    """Profiles of the channels (c,) of one community, for one encoder.

    `messages` (c,) says how many messages stand behind each profile, `built_at` is in seconds since the epoch.
    """

    encoder: str
    built_at: float
    channels: Ids
    messages: Ids
    topics: Topics
    choice: Choice
    gate: Gate
    prior: Prior

    @property
    def size(self) -> Floats:
        """Return ln(messages + 1) (c,), centred."""
        return sizes(self.messages)


def sizes(messages: Ids) -> Floats:
    """Return ln(messages + 1) (c,), centred."""
    logs = np.log(messages + 1.0)
    return np.asarray(logs - logs.mean(), dtype=np.float32)


def build_profiles(corpus: Corpus, cards: Sequence[Card], *, encoder: str, now: float) -> ChannelProfiles:
    """Profile the channels named by `cards` from the messages in them, newest counting most.

    Messages of other channels are left out. `encoder` is the fingerprint that made all vectors.
    """
    cards = sorted(cards, key=lambda card: card.id)
    channels = np.array([card.id for card in cards], dtype=np.int64)
    corpus = corpus.where(np.isin(corpus.channels, channels))
    owners = np.searchsorted(channels, corpus.channels)
    material = Material.prepare(corpus, owners, cards, now=now)
    messages = np.bincount(owners, minlength=len(channels))
    choice, gate = _learn(material, _folds(corpus, material), corpus.vectors, sizes(messages))
    return ChannelProfiles(
        encoder=encoder,
        built_at=now,
        channels=channels,
        messages=messages,
        topics=material.topics(material.weights),
        choice=choice,
        gate=gate,
        prior=Prior.learn(corpus.authors, owners, corpus.times, count=len(channels), now=now),
    )


def features(topics: Topics, placed: Floats, rows: csr_array, size: Floats) -> Floats:
    """Return what the choice model weighs: closeness, overlap and size of every channel for every text (n, c, 3)."""
    closeness = topics.closeness(placed)
    return np.stack([closeness, topics.terms.overlap(rows), np.broadcast_to(size, closeness.shape)], axis=-1)


def _folds(corpus: Corpus, material: Material) -> list[Rows]:
    """Deal messages of substance into five folds by chance, or one where one is plenty; the same every time."""
    order = np.lexsort((corpus.ids, corpus.times))
    told = order[np.diff(material.rows.indptr)[order] >= SUBSTANTIAL]
    told = told[np.random.default_rng(0).permutation(len(told))]
    if len(told) < PLENTY:
        return [told[start::FOLDS] for start in range(FOLDS)]
    return [told[: min(PLENTY, len(told) // FOLDS)]]


def _learn(material: Material, folds: Sequence[Rows], vectors: Floats, size: Floats) -> tuple[Choice, Gate]:
    """Fit the choice model on each fold, seen by profiles drafted without it, and measure the ranges for the gate."""
    held = np.concatenate(folds)
    seen = np.concatenate([_unseen(material, fold, size) for fold in folds])
    choice = Choice.learn(seen, material.owners[held])
    told = how_told(seen @ choice.weights) if len(held) else np.zeros(0)
    near = material.space.nearness(vectors[held])
    return choice, Gate(told=Range.of(told), near=Range.of(near))


def _unseen(material: Material, fold: Rows, size: Floats) -> Floats:
    weights = material.weights.copy()
    weights[fold] = 0
    return features(material.topics(weights), unit(material.vectors[fold]), material.rows[fold], size)
