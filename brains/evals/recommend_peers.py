"""The peers of `eval recommend --rolling`, each with the settings it may choose from, in one table.

A peer scores every known member and channel from what was known before a cut. Which of its settings it uses there is
chosen on the windows before that cut, so that none is weak by an unlucky default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from sklearn.cluster import MiniBatchKMeans

from brains.evals import baselines
from brains.matching import factorisation, graph
from brains.matching.corpus import DAY, sum_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from brains.evals.metrics import Values
    from brains.evals.recommend import Split

TOPICS = 40
"""Clusters of the messages' vectors that stand for topics in the graph."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """What a peer may look at: history before a cut, and what several peers need of it, made once."""

    split: Split

    @cached_property
    def used(self) -> Values:
        """Return 1 where a member used a channel (m, c)."""
        return self.split.used

    @cached_property
    def counted(self) -> csr_array:
        """Return ln(1 + messages) of a member in a channel, 1 for the first (m, c)."""
        corpus = self.split.corpus
        counts = np.zeros_like(self.used)
        np.add.at(counts, (corpus.authors, corpus.channels), 1)
        return csr_array(np.log1p(counts) / np.log(2), dtype=np.float32)

    @cached_property
    def once(self) -> csr_array:
        """Return `used`, sparse."""
        return csr_array(self.used, dtype=np.float32)

    def recent(self, days: float) -> Values:
        """Score channels by who wrote in them within days."""
        corpus = self.split.corpus
        return baselines.recent_popularity(self.used, corpus, corpus.channels, now=self.split.cut, recent=days * DAY)

    @cached_property
    def by_words(self) -> Values:
        """Score members by the TF-IDF of what they wrote (m, c)."""
        corpus = self.split.corpus
        score = baselines.tfidf_centroid(corpus.texts, corpus.channels, len(self.split.channels))
        return score(corpus.texts, corpus.authors, len(self.split.users))

    @cached_property
    def by_vectors(self) -> Values:
        """Score members by the mean vector of what they wrote (m, c)."""
        corpus, users = self.split.corpus, len(self.split.users)
        said = sum_by(corpus.authors, np.ones(len(corpus), dtype=np.float32), users) @ corpus.vectors
        return baselines.encoder_centroid(corpus.vectors, corpus.channels, len(self.split.channels), said)

    @cached_property
    def topics(self) -> graph.Topics:
        """Return which clusters of messages members and channels wrote in, each row a share of their messages."""
        corpus = self.split.corpus
        told = np.flatnonzero(corpus.vectors.any(axis=1))
        clusters = MiniBatchKMeans(min(TOPICS, len(told)), random_state=0, n_init=1).fit_predict(corpus.vectors[told])
        return graph.Topics(
            members=_shares(corpus.authors[told], clusters, len(self.split.users)),
            channels=_shares(corpus.channels[told], clusters, len(self.split.channels)),
        )


Setting = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A rival: `score` gives (m, c) for a setting and a seed; the first setting is the one without a rehearsal.

    `chance` says whether the seed matters, `reads` whether it needs texts.
    """

    name: str
    score: Callable[[Known, Mapping[str, float], int], Values]
    settings: tuple[Setting, ...] = ({},)
    chance: bool = False
    reads: bool = False
    packages: Callable[[], bool] = field(default=lambda: True)


def _shares(owners: np.ndarray, clusters: np.ndarray, count: int) -> csr_array:
    found = csr_array(
        (np.ones(len(owners)), (owners, clusters)), shape=(count, TOPICS), dtype=np.float32
    )  # repeated places add up
    total = np.asarray(found.sum(axis=1)).reshape(-1)
    return csr_array(found.multiply(1 / np.where(total > 0, total, 1.0)[:, None]), dtype=np.float32)


def _popularity(known: Known, _setting: Mapping[str, float], _seed: int) -> Values:
    return baselines.popularity(known.used)


def _recent(known: Known, setting: Mapping[str, float], _seed: int) -> Values:
    return known.recent(setting["days"])


def _item_knn(known: Known, setting: Mapping[str, float], _seed: int) -> Values:
    return baselines.item_knn(known.used, shrink=setting["shrink"])


def _ease(known: Known, setting: Mapping[str, float], _seed: int) -> Values:
    return baselines.ease(known.used, ridge=setting["ridge"])


def _ease_and_recent(known: Known, setting: Mapping[str, float], _seed: int) -> Values:
    recent = known.recent(setting["days"])
    return baselines.ease_and_recent(known.used, recent, ridge=setting["ridge"], weight=setting["weight"])


def _als(known: Known, setting: Mapping[str, float], seed: int) -> Values:
    used = known.counted if setting["counted"] else known.once
    model = factorisation.als(
        used,
        factors=int(setting["factors"]),
        confidence=setting["confidence"],
        ridge=setting["ridge"],
        seed=seed,
    )
    return model.scores.astype(np.float64)


def _bpr(known: Known, setting: Mapping[str, float], seed: int) -> Values:
    model = factorisation.bpr(
        known.once,
        factors=int(setting["factors"]),
        rate=setting["rate"],
        ridge=setting["ridge"],
        rounds=int(setting["rounds"]),
        seed=seed,
    )
    return model.scores.astype(np.float64)


def _lightgcn(known: Known, setting: Mapping[str, float], seed: int) -> Values:
    return _graph(known, None, setting, seed)


def _topics(known: Known, setting: Mapping[str, float], seed: int) -> Values:
    return _graph(known, known.topics, setting, seed)


def _graph(known: Known, topics: graph.Topics | None, setting: Mapping[str, float], seed: int) -> Values:
    model = graph.lightgcn(
        known.once,
        topics=topics,
        layers=int(setting["layers"]),
        ridge=setting["ridge"],
        rounds=int(setting["rounds"]),
        seed=seed,
    )
    return model.scores.astype(np.float64)


def _words(known: Known, _setting: Mapping[str, float], _seed: int) -> Values:
    return known.by_words


def _vectors(known: Known, _setting: Mapping[str, float], _seed: int) -> Values:
    return known.by_vectors


def _grid(**choices: tuple[float, ...]) -> tuple[Setting, ...]:
    """Combine all choices; the first of each makes the first setting."""
    found: list[Setting] = [{}]
    for name, values in choices.items():
        found = [{**one, name: value} for one in found for value in values]
    return tuple(found)


PEERS = (
    Peer(name="popularity", score=_popularity),
    Peer(name="recent popularity", score=_recent, settings=_grid(days=(90, 30, 180, 365))),
    Peer(name="item-kNN", score=_item_knn, settings=_grid(shrink=(0, 10, 50, 200))),
    Peer(name="EASE", score=_ease, settings=_grid(ridge=(50, 10, 200, 1000))),
    Peer(
        name="EASE + recent popularity",
        score=_ease_and_recent,
        settings=_grid(weight=(0.1, 0.3, 1, 3), ridge=(50, 200), days=(90, 180)),
    ),
    Peer(
        name="ALS",
        score=_als,
        settings=_grid(factors=(16, 8, 32), ridge=(4, 16, 64, 256), confidence=(4, 1, 16), counted=(0, 1)),
        chance=True,
        packages=factorisation.installed,
    ),
    Peer(
        name="BPR",
        score=_bpr,
        settings=_grid(factors=(8, 32), ridge=(0.5, 0.1, 1), rate=(0.01, 0.03), rounds=(400, 100)),
        chance=True,
        packages=factorisation.installed,
    ),
    Peer(
        name="LightGCN",
        score=_lightgcn,
        settings=_grid(layers=(3, 2), ridge=(1e-2, 1e-3, 1e-1), rounds=(200, 60)),
        chance=True,
        packages=graph.installed,
    ),
    Peer(
        name="LightGCN with topics",
        score=_topics,
        settings=_grid(layers=(3,), ridge=(1e-2, 1e-1), rounds=(200, 60)),
        chance=True,
        reads=True,
        packages=graph.installed,
    ),
    Peer(name="TF-IDF centroid", score=_words, reads=True),
    Peer(name="encoder centroid", score=_vectors, reads=True),
)
