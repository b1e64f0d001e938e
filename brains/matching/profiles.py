"""The profiles of a community's channels: their topics, who finds them lately, and what tells them apart."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.behaviour import Behaviour
from brains.matching.choice import Choice
from brains.matching.corpus import Card, Corpus, unit
from brains.matching.discriminant import discriminate
from brains.matching.diversity import likeness
from brains.matching.offering import waiting
from brains.matching.past import Past
from brains.matching.placing import Placing
from brains.matching.ranker import Learned, Ranker
from brains.matching.rehearsal import Stage, rehearse
from brains.matching.topics import Material, Topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array

    from brains.matching.corpus import Floats, Ids, Rows
    from brains.matching.prior import Prior
    from brains.matching.signals import Scene

FOLDS = 5
"""A fifth of the messages is kept from a draft of the profiles, to fit on."""

PLENTY = 1_000
"""Messages that are enough to fit on: where there are more, one fold of no more is used."""

SUBSTANTIAL = 4
"""Different terms that make a message one of substance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelProfiles:
    """Profiles of the channels (c,) of one community, for one encoder.

    `messages` (c,) says how many messages stand behind each profile, `built_at` is in seconds since the epoch;
    `scene` holds what is known of channels and people, `ranker` how it is weighed for members: as it was
    before, or as usual, in profiles that are not `rehearsed`. Those `waiting` were offered to nobody lately.
    """

    encoder: str
    built_at: float
    channels: Ids
    messages: Ids
    scene: Scene
    placing: Placing
    ranker: Ranker
    rehearsed: bool = True
    waiting: frozenset[int] = frozenset()

    @property
    def topics(self) -> Topics:
        """Return what the channels are about."""
        return self.scene.topics

    @property
    def choice(self) -> Choice:
        """Return how texts are weighed."""
        return self.scene.choice

    @property
    def prior(self) -> Prior:
        """Return how members spread over the channels."""
        return self.scene.prior

    @property
    def size(self) -> Floats:
        """Return ln(messages + 1) (c,), centred."""
        return sizes(self.messages)


def sizes(messages: Ids) -> Floats:
    """Return ln(messages + 1) (c,), centred."""
    logs = np.log(messages + 1.0)
    return np.asarray(logs - logs.mean(), dtype=np.float32)


def build_profiles(
    corpus: Corpus,
    cards: Sequence[Card],
    *,
    encoder: str,
    now: float,
    behaviour: Behaviour | None = None,
    before: Ranker | None = None,
    talk: Floats | None = None,
    rehearsed: bool = True,
) -> ChannelProfiles:
    """Profile the channels named by `cards` from the messages in them, newest counting most, and learn to rank them.

    Messages of other channels are left out. `encoder` is the fingerprint that made all vectors. What is learned takes
    the place of the ranker `before` only if it does no worse on the latest rehearsal. `talk` (d,) is where
    ordinary talk lies, for a community that has said little yet. What is not `rehearsed` weighs as `before`, or
    as usual, and is there sooner.
    """
    cards = sorted(cards, key=lambda card: card.id)
    channels = np.array([card.id for card in cards], dtype=np.int64)
    corpus = corpus.where(np.isin(corpus.channels, channels))
    owners = np.searchsorted(channels, corpus.channels)
    material = Material.prepare(corpus, owners, cards, now=now, talk=talk)
    messages = np.bincount(owners, minlength=len(channels))
    topics = material.topics(material.weights)
    choice, placing = _learn(material, topics, _folds(corpus, material), corpus.vectors, sizes(messages))
    known = behaviour or Behaviour.none()
    past = Past.of(corpus, owners, channels, known)
    stage = Stage(
        corpus=corpus, material=material, choice=choice, past=past, behaviour=known, channels=channels, now=now
    )
    learned = Learned.of(*rehearse(stage), functools.partial(likeness, topics)).promoted(before) if rehearsed else None
    return ChannelProfiles(
        encoder=encoder,
        built_at=now,
        channels=channels,
        messages=messages,
        scene=stage.today(topics),
        placing=placing,
        ranker=learned or before or Ranker(),
        rehearsed=rehearsed,
        waiting=waiting(channels, known.offers, now=now),
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


def _learn(
    material: Material, topics: Topics, folds: Sequence[Rows], vectors: Floats, size: Floats
) -> tuple[Choice, Placing]:
    """Fit both models of choice on each fold, seen by profiles drafted without it; the gate's ranges are theirs."""
    rows, held = unit(material.vectors), np.concatenate(folds)
    drafts = [_unseen(material, rows, fold, size) for fold in folds]
    near = material.space.nearness(vectors[held])
    choice = Choice.learn(np.concatenate([seen for seen, _ in drafts]), material.owners[held])
    placing = Placing.learn(
        discriminate(topics, rows, material.owners, material.weights),
        features=np.concatenate([learned for _, learned in drafts]),
        chosen=material.owners[held],
        near=near,
    )
    return choice, placing


def _unseen(material: Material, rows: Floats, fold: Rows, size: Floats) -> tuple[Floats, Floats]:
    """Return the features of a fold for both models (n, c, 3), by topics that were learned from the other messages."""
    weights = material.weights.copy()
    weights[fold] = 0
    topics = material.topics(weights)
    seen = features(topics, rows[fold], material.rows[fold], size)
    learned = seen.copy()
    learned[..., 0] = rows[fold] @ discriminate(topics, rows, material.owners, weights).T
    return seen, learned
