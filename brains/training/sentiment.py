"""Fits the sentiment head: networks that tell each label from the others, calibrated on what they never saw."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar

from brains.rhythm.sentiment import LABELS, Sentiment, softmax
from brains.training.network import fit_network

if TYPE_CHECKING:
    import numpy.typing as npt

    from bot.core.ports import Vector
    from brains.rhythm.sentiment import Array

    Ints = npt.NDArray[np.int64]

HIDDEN, SEEDS = 64, 3
"""Units of a network for each label, and how many of them are averaged: decision 39 says what others gave."""
FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """What the head learns from: vectors (n, d), labels (n,) as places in LABELS, weights (n,), and groups (n,).

    Texts of one group are near-copies and stay on one side of every cut.
    """

    vectors: Vector
    labels: Ints
    weights: Array
    groups: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A head, the temperature within it, and what heads that never saw a text said of it: probabilities (n, 3)."""

    head: Sentiment
    unseen: Array
    temperature: float


def fit(lesson: Lesson, *, encoder: str, made: str, seed: int = 7) -> Fitted:
    """Fit the head. The same lesson and seed give the same head."""
    fold = _folds(lesson.groups, seed)
    logits = np.zeros((len(fold), len(LABELS)), np.float32)
    for one in range(FOLDS):
        part = _networks(lesson, np.flatnonzero(fold != one), seed)
        logits[fold == one] = np.maximum(lesson.vectors[fold == one] @ part[0] + part[1], 0) @ part[2] + part[3]
    temperature = np.float32(_temperature(logits, lesson))
    hidden, shift, output, bias = _networks(lesson, np.arange(len(fold)), seed)
    head = Sentiment(
        hidden=hidden, shift=shift, output=output / temperature, bias=bias / temperature, encoder=encoder, made=made
    )
    return Fitted(head=head, unseen=softmax(logits / temperature), temperature=float(temperature))


def macro_recall(labels: Ints, said: Ints, weights: Array | None = None) -> float:
    """Return the mean of the three recalls, each text weighed."""
    weighed = np.ones(len(labels)) if weights is None else weights
    shares = [float((weighed * (said == one))[labels == one].sum() / weighed[labels == one].sum()) for one in range(3)]
    return sum(shares) / len(shares)


def _folds(groups: Ints, seed: int) -> Ints:
    names, place = np.unique(groups, return_inverse=True)
    return np.asarray(np.random.default_rng(seed).permutation(len(names))[place] % FOLDS, dtype=np.int64)


def _networks(lesson: Lesson, these: Ints, seed: int) -> tuple[Array, Array, Array, Array]:
    """Fit networks that tell each label from the others, and put them side by side: see `Sentiment`."""
    vectors, labels = lesson.vectors[these], lesson.labels[these]
    each = balanced(labels, lesson.weights[these])
    hidden, shift = [], []
    output = np.zeros((len(LABELS), SEEDS, HIDDEN, len(LABELS)), np.float32)
    bias = np.zeros(len(LABELS), np.float32)
    for label, number in itertools.product(range(len(LABELS)), range(SEEDS)):
        is_it = np.asarray(labels == label, np.float32)
        # A third is this label: it weighs as much as the two others together.
        weights = np.asarray(each * np.where(is_it == 1, len(LABELS) - 1, 1), np.float32)
        found = fit_network(vectors, is_it, weights, seed=seed + number, hidden=HIDDEN)
        hidden.append(found.hidden)
        shift.append(found.shift)
        output[label, number, :, label] = found.output / SEEDS
        bias[label] += found.bias / SEEDS
    return np.concatenate(hidden, axis=1), np.concatenate(shift), output.reshape(-1, len(LABELS)), bias


def balanced(labels: Ints, weights: Array) -> Array:
    """Weigh texts (n,) so that each label carries a third of all."""
    sums = np.bincount(labels, weights, minlength=len(LABELS))
    return np.asarray(weights * weights.sum() / (len(LABELS) * np.maximum(sums[labels], 1e-9)), np.float32)


def _temperature(logits: Array, lesson: Lesson) -> float:
    """Return what logits of unseen texts are to be divided by, so that they are calibrated (Guo et al. 2017)."""
    weights = balanced(lesson.labels, lesson.weights)

    def loss(log_temperature: float) -> float:
        cooled = logits / np.exp(log_temperature)
        top = cooled.max(axis=1, keepdims=True)
        logs = cooled - top - np.log(np.exp(cooled - top).sum(axis=1, keepdims=True))
        return float(-(weights * logs[np.arange(len(logits)), lesson.labels]).sum() / weights.sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))
