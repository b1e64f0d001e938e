"""What placing a text must beat: centroids of terms and of vectors, and linear classifiers on either.

Each scores every channel for every text. Where texts belong nowhere, each is silent below a least score of its own.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier

from brains.evals import baselines
from brains.matching.choice import softmax

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brains.evals.metrics import Values
    from brains.matching.corpus import Floats, Ids, Rows

HELD_OUT = 10
"""Of so many training rows one is kept to choose the least score by."""

SILENT = 0.05
"""Share of what is held out, all of which belongs somewhere, on which a rival may be silent: of texts that belong
nowhere the training rows have none, as a community has none."""

INVERSE_RIDGE, STEPS = 10.0, 60
"""Of the logistic regression: validation rows of 150 intents give .952 to .964 with 1 to 30, and converge in 30."""

HINGE_RIDGE, EPOCHS = 1e-5, 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Texts:
    """Texts side by side with their vectors (n, d)."""

    texts: Sequence[str]
    vectors: Floats

    def take(self, rows: Rows) -> Texts:
        """Return some of them."""
        return Texts(texts=[self.texts[row] for row in rows], vectors=self.vectors[rows])


def tfidf_centroid(known: Texts, owners: Ids, count: int, asked: Texts) -> Values:
    """Score by the cosine with the mean of a channel's TF-IDF rows."""
    return baselines.tfidf_centroid(known.texts, owners, count)(asked.texts, None, 0)


def encoder_centroid(known: Texts, owners: Ids, count: int, asked: Texts) -> Values:
    """Score by the cosine with the mean of a channel's vectors."""
    return baselines.encoder_centroid(known.vectors, owners, count, asked.vectors)


def logistic(known: Texts, owners: Ids, count: int, asked: Texts) -> Values:
    """Score by scikit-learn's multinomial logistic regression on centred vectors."""
    mean = known.vectors.mean(axis=0)
    model = LogisticRegression(C=INVERSE_RIDGE, max_iter=STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit((known.vectors - mean) / known.vectors.std(), owners)
    return _spread(model.predict_log_proba((asked.vectors - mean) / known.vectors.std()), model.classes_, count)


def svm(known: Texts, owners: Ids, count: int, asked: Texts) -> Values:
    """Score by a linear SVM on TF-IDF of words and pairs of words, trained by stochastic gradient descent."""
    terms = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=min(2, len(known.texts)), dtype=np.float32)
    model = SGDClassifier(alpha=HINGE_RIDGE, max_iter=EPOCHS, tol=None, random_state=0)
    model.fit(terms.fit_transform(known.texts), owners)
    return _spread(model.decision_function(terms.transform(asked.texts)), model.classes_, count)


class Rival(Protocol):
    """Learns from texts, positions of their channels (n,) and how many there are, and scores what is asked (m, c)."""

    def __call__(self, known: Texts, owners: Ids, count: int, asked: Texts, /) -> Values:
        """Score."""
        ...


CENTROIDS: Mapping[str, Rival] = {"TF-IDF centroid": tfidf_centroid, "encoder centroid": encoder_centroid}
CLASSIFIERS: Mapping[str, Rival] = {"encoder + logistic regression": logistic, "TF-IDF + linear SVM": svm}
"""These need several texts of each channel."""


def confidence(name: str, scores: Values) -> Values:
    """Say how sure a rival is of its best (n,): the probability, or what it has in place of one."""
    probable = CLASSIFIERS.get(name) is logistic
    return np.asarray((softmax(scores) if probable else scores).max(axis=1))


def least(name: str, rival: Rival, known: Texts, owners: Ids, count: int) -> float:
    """Choose the score below which a rival is silent, on training rows that it was not fitted on."""
    order = np.random.default_rng(0).permutation(len(owners))
    held, kept = order[::HELD_OUT], np.delete(order, np.s_[::HELD_OUT])
    scores = rival(known.take(kept), owners[kept], count, known.take(held))
    return float(np.quantile(confidence(name, scores), SILENT))


def _spread(scores: Values, classes: Ids, count: int) -> Values:
    """Lay scores of the classes (n, k) out over all channels (n, c); one that was never seen scores least."""
    if scores.ndim == 1:  # two classes have one score
        scores = np.stack([-scores, scores], axis=1)
    whole = np.full((len(scores), count), float(scores.min(initial=0)) - 1)
    whole[:, classes] = scores
    return whole
