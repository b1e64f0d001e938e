"""What any recommender must beat: popularity, neighbours, EASE, centroids. Each scores every row and channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from brains.matching.corpus import DAY, sum_by, unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brains.evals.metrics import Values
    from brains.matching.corpus import Corpus, Floats, Ids

RECENT = 90 * DAY
MANY = 1_000
EASE_RIDGE = 50.0
RECENT_WEIGHT = 0.1


def popularity(used: Values) -> Values:
    """Score channels by how many members (m, c) used them."""
    return np.tile(used.sum(axis=0), (len(used), 1))


def recent_popularity(used: Values, corpus: Corpus, owners: Ids, *, now: float, recent: float = RECENT) -> Values:
    """Score channels by how many members wrote in them in the last 90 days, or another time in seconds."""
    late = corpus.times >= now - recent
    pairs = np.unique(np.stack([corpus.authors[late], owners[late]]), axis=1)
    return np.tile(np.bincount(pairs[1], minlength=used.shape[1]).astype(np.float64), (len(used), 1))


def item_knn(used: Values, *, shrink: float = 0.0) -> Values:
    """Score channels by their cosine, over members, with those used; all channels are neighbours.

    `shrink` is added under the fraction, so that channels of few members are near to none.
    """
    together = used.T @ used
    length = np.sqrt(np.diag(together))
    cosine = together / np.maximum(np.outer(length, length) + shrink, 1)
    np.fill_diagonal(cosine, 0)
    return np.asarray(used @ cosine)


def ease(used: Values, *, ridge: float = EASE_RIDGE) -> Values:
    """Fit EASE, Steck 2019."""
    inverse = np.linalg.inv(used.T @ used + ridge * np.eye(used.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return np.asarray(used @ weights)


def ease_and_recent(
    used: Values, recent: Values, *, ridge: float = EASE_RIDGE, weight: float = RECENT_WEIGHT
) -> Values:
    """Add a weight, by default a tenth, of ln(1 + recent members) to EASE scaled to deviation 1."""
    scores = ease(used, ridge=ridge)
    return np.asarray(scores / max(float(scores.std()), 1e-9) + weight * np.log1p(recent))


def tfidf_centroid(texts: Sequence[str], owners: Ids, count: int) -> Callable[[Sequence[str], Ids | None, int], Values]:
    """Fit scikit-learn's TF-IDF (sublinear) and return a scorer against channel centroids.

    The scorer takes texts (n,), and optionally whose they are (n,) and of how many, to score the sums instead.
    """
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2 if len(texts) >= MANY else 1, dtype=np.float32)
    rows = vectorizer.fit_transform(texts)
    centroids = unit((sum_by(owners, np.ones(len(texts), dtype=np.float32), count) @ rows).toarray())

    def score(asked: Sequence[str], whose: Ids | None = None, askers: int = 0) -> Values:
        queries = vectorizer.transform(asked)
        if whose is not None:
            queries = sum_by(whose, np.ones(len(asked), dtype=np.float32), askers) @ queries
        return np.asarray(queries @ centroids.T, dtype=np.float64)

    return score


def encoder_centroid(vectors: Floats, owners: Ids, count: int, asked: Floats) -> Values:
    """Score by the plain cosine with the mean of a channel's vectors."""
    centroids = unit(sum_by(owners, np.ones(len(vectors), dtype=np.float32), count) @ vectors)
    return np.asarray(unit(asked) @ centroids.T, dtype=np.float64)
