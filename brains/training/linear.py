"""Fits the part of a head on n-grams: logistic regression on log-count ratios (NB-SVM, Wang and Manning 2012)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from brains.moderation.features import BITS
from brains.moderation.heads import LARGEST

if TYPE_CHECKING:
    from brains.moderation.features import Features
    from brains.moderation.heads import Array

SMOOTHING = 1.0
"""Texts with a bucket that each class is given before counting."""
STRENGTH = 16.0
"""scikit-learn's C: of 4, 8, 16 and 32, best on COLD's dev split together with the network (decision 22)."""
ROUNDS = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linear:
    """Weights (2**BITS,) int8, the largest of them as a number, and the bias: see `Head`."""

    weights: np.ndarray[tuple[int], np.dtype[np.int8]]
    largest: float
    bias: float


def matrix(features: Features) -> sparse.csr_matrix:
    """Return features as a matrix (n, 2**BITS)."""
    shape = (features.count, 1 << BITS)
    return sparse.csr_matrix((features.values, (features.rows, features.buckets)), shape=shape, dtype=np.float32)


def fit_linear(rows: sparse.csr_matrix, labels: Array, weights: Array) -> Linear:
    """Fit rows (n, 2**BITS) to labels (n,) of 0 and 1 and what each weighs (n,)."""
    ratio = _ratio(rows, labels, weights)
    seen = np.flatnonzero(ratio)
    scaled = sparse.csr_matrix(rows[:, seen].multiply(ratio[seen]))
    model = LogisticRegression(C=STRENGTH, max_iter=ROUNDS).fit(scaled, labels, sample_weight=weights)
    found = np.zeros(1 << BITS, dtype=np.float32)
    found[seen] = model.coef_[0] * ratio[seen]
    return _small(found, float(model.intercept_[0]))


def _ratio(rows: sparse.csr_matrix, labels: Array, weights: Array) -> Array:
    """Return ln(share of positives with a bucket / share of negatives with it); 0 where nobody has it."""
    present = rows.copy()
    present.data = np.ones_like(present.data)
    counts = [np.asarray(present.T @ (weights * (labels == label))).ravel() for label in (1, 0)]
    totals = [float((weights * (labels == label)).sum()) for label in (1, 0)]
    shares = [(count + SMOOTHING) / (total + 2 * SMOOTHING) for count, total in zip(counts, totals, strict=True)]
    return np.asarray(np.where(counts[0] + counts[1] > 0, np.log(shares[0] / shares[1]), 0), dtype=np.float32)


def _small(weights: Array, bias: float) -> Linear:
    """Round the roots of weights to int8: rounded evenly, COLD lost 1.2 points of accuracy (decision 22)."""
    largest = max(float(np.abs(weights).max()), 1e-6)
    small = np.sign(weights) * np.rint(np.sqrt(np.abs(weights) / largest) * LARGEST)
    return Linear(weights=small.astype(np.int8), largest=largest, bias=bias)
