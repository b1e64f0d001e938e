"""Fits one head: n-grams and network apart, then how far to trust each, by what they say of texts they never saw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression

from brains.moderation.heads import Head, logistic
from brains.training.linear import fit_linear, matrix
from brains.training.network import fit_network

if TYPE_CHECKING:
    from scipy import sparse

    from bot.core.ports import Vector
    from brains.moderation.features import Features, Ints
    from brains.moderation.heads import Array
    from brains.training.linear import Linear

FOLDS = 3
LOOSE = 1e4
"""scikit-learn's C for calibration: three numbers need no holding back."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """What a head learns from: features and vectors (n, d) of n texts, labels (n,), weights (n,), groups (n,).

    Texts of one group are near-copies and stay on one side of every cut. `vectors` is None without an encoder.
    With `prior`, probabilities hold where this share of the texts is positive; else, where as many are as here.
    """

    features: Features
    vectors: Vector | None
    labels: Array
    weights: Array
    groups: Ints
    prior: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A head, and what models that never saw a text said of it: probabilities (n,) with the vector and without."""

    head: Head
    unseen: Array
    unseen_alone: Array


def fit_head(lesson: Lesson, *, seed: int = 0, folds: int = FOLDS) -> Fitted:
    """Fit a head. The same lesson and seed give the same head."""
    rows = matrix(lesson.features)
    fold = lesson.groups % folds
    linear, network = np.zeros(len(fold), np.float32), np.zeros(len(fold), np.float32)
    for one in range(folds):
        inside, outside = np.flatnonzero(fold != one), np.flatnonzero(fold == one)
        part = _part(rows, lesson, inside, seed=seed)
        linear[outside] = _linear(part, rows[outside])
        if part.network is not None and lesson.vectors is not None:
            network[outside] = part.network.logits(lesson.vectors[outside])
    whole = _part(rows, lesson, np.arange(len(fold)), seed=seed)
    head = _mixed(whole, linear, network, lesson)
    with_vector = head.mix[0] * linear + head.mix[1] * network + head.mix[2]
    return Fitted(
        head=head,
        unseen=logistic(with_vector if lesson.vectors is not None else head.alone[0] * linear + head.alone[1]),
        unseen_alone=logistic(head.alone[0] * linear + head.alone[1]),
    )


def _part(rows: sparse.csr_matrix, lesson: Lesson, these: Ints, *, seed: int) -> Head:
    """Fit both parts to some of the texts; they are not mixed yet."""
    labels, weights = lesson.labels[these], lesson.weights[these]
    found: Linear = fit_linear(rows[these], labels, weights)
    network = None if lesson.vectors is None else fit_network(lesson.vectors[these], labels, weights, seed=seed)
    return Head(
        weights=found.weights, largest=found.largest, bias=found.bias, network=network, mix=(1, 0, 0), alone=(1, 0)
    )


def _linear(head: Head, rows: sparse.csr_matrix) -> Array:
    return np.asarray(rows @ head.weigh(np.arange(len(head.weights))) + head.bias, dtype=np.float32)


def _mixed(head: Head, linear: Array, network: Array, lesson: Lesson) -> Head:
    """Say how far to trust each part, so that the sum is a calibrated logit (Platt 1999, on unseen texts)."""
    share = float(lesson.labels.mean())
    prior = share if lesson.prior is None else lesson.prior
    weights = np.where(lesson.labels == 1, prior / share, (1 - prior) / (1 - share))
    alone = LogisticRegression(C=LOOSE).fit(linear[:, None], lesson.labels, sample_weight=weights)
    both = alone
    if head.network is not None:
        both = LogisticRegression(C=LOOSE).fit(np.stack([linear, network], 1), lesson.labels, sample_weight=weights)
    return replace(
        head,
        mix=(float(both.coef_[0][0]), float(both.coef_[0][-1]) if head.network else 0.0, float(both.intercept_[0])),
        alone=(float(alone.coef_[0][0]), float(alone.intercept_[0])),
    )
