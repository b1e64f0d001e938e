"""Fits the network that untangles channels to logs with reply links marked by hand; NumPy alone."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.knowledge.untangle import Untangler
from brains.knowledge.untangle_features import FEATURES, WINDOW, Stretch
from brains.training.network import Adam

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from brains.knowledge.untangle_features import Array
    from brains.training.untangle_irc import Log

HIDDEN = (96, 32)
EPOCHS = 8
BATCH = 128
RATE = 2e-3
KEPT = np.float32(0.8)
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """Messages with what they may answer: features (n, WINDOW + 1, FEATURES), which rows are there, which are right."""

    features: npt.NDArray[np.float16]
    there: npt.NDArray[np.bool_]
    right: npt.NDArray[np.bool_]


def examples(logs: Iterable[Log]) -> Examples:
    """Return the messages of these logs whose answered message is in the window."""
    rows, right = [], []
    for log in logs:
        found, gold = _examples_of(log)
        rows += found
        right += gold
    features = np.zeros((len(rows), WINDOW + 1, FEATURES), np.float16)
    there = np.zeros((len(rows), WINDOW + 1), bool)
    marks = np.zeros_like(there)
    for number, (row, which) in enumerate(zip(rows, right, strict=True)):
        features[number, : len(row)] = row
        there[number, : len(row)] = True
        marks[number, which] = True
    return Examples(features=features, there=there, right=marks)


def _examples_of(log: Log) -> tuple[list[npt.NDArray[np.float16]], list[list[int]]]:
    stretch, place = Stretch(log.said, log.names), {line: at for at, line in enumerate(log.lines)}
    back: dict[int, list[int]] = defaultdict(list)
    for earlier, later in log.links:
        if earlier in place and later in place and place[later] - place[earlier] <= WINDOW:
            back[place[later]].append(place[later] - place[earlier])
    wanted = [at for at in sorted(back) if log.lines[at] >= log.start]
    return [stretch.features(at).astype(np.float16) for at in wanted], [back[at] for at in wanted]


def fit(
    found: Examples,
    *,
    judge: Callable[[Untangler], float],
    seed: int = SEED,
    epochs: int = EPOCHS,
    made: str = "",
    tell: Callable[[str], None] = lambda _text: None,
) -> Untangler:
    """Fit a network, and return it as it was after the epoch that `judge` liked best."""
    random = np.random.default_rng(seed)
    middle, spread = _scale(found)
    parameters = _begin(random)
    adam = Adam(parameters, [np.zeros_like(one) for one in parameters], [np.zeros_like(one) for one in parameters])
    steps, best, chosen = epochs * -(-len(found.features) // BATCH), -1.0, None
    for epoch in range(epochs):
        order, losses = random.permutation(len(found.features)), []
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            loss, gradients = _gradients(parameters, found, batch, (middle, spread), random)
            adam.descend(gradients, _rate(adam.step / steps))
            losses.append(loss)
        one = _folded(parameters, middle, spread, made)
        score = judge(one)
        tell(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, development {score:.4f}")
        if score > best:
            best, chosen = score, one
    assert chosen is not None  # noqa: S101 - there is at least one epoch
    return chosen


def tops(one: Untangler, found: Examples) -> npt.NDArray[np.int64]:
    """Return for each message the row (n,) that scores best."""
    best = np.zeros(len(found.features), np.int64)
    for start in range(0, len(best), BATCH):
        there = found.there[start : start + BATCH]
        table = np.full(there.shape, -np.inf, np.float32)
        table[there] = one.scores(found.features[start : start + BATCH][there].astype(np.float32))
        best[start : start + BATCH] = table.argmax(axis=1)
    return best


Linear = np.ndarray[tuple[int], np.dtype[np.float32]]
"""What each feature weighs (FEATURES,)."""


def fit_linear(found: Examples, *, epochs: int = 3, seed: int = SEED) -> Linear:
    """Fit a linear model of the same features and the same loss: what the network is measured against."""
    random = np.random.default_rng(seed)
    weights = np.zeros(FEATURES, np.float32)
    adam = Adam([weights], [np.zeros_like(weights)], [np.zeros_like(weights)])
    steps = epochs * -(-len(found.features) // BATCH)
    for _epoch in range(epochs):
        order = random.permutation(len(found.features))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            there = found.there[batch]
            inputs = found.features[batch][there].astype(np.float32)
            _loss, wrong = _wrong(inputs @ weights, there, found.right[batch])
            adam.descend([inputs.T @ wrong], 10 * _rate(adam.step / steps))
    return weights


def _wrong(scores: Array, there: npt.NDArray[np.bool_], right: npt.NDArray[np.bool_]) -> tuple[float, Array]:
    """Return the loss, -log of what is given to all right answers together, and how wrong each score (r,) is."""
    table = np.full(there.shape, -np.inf, np.float32)
    table[there] = scores
    chances = np.exp(table - table.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    due = chances * right
    mass = due.sum(axis=1, keepdims=True) + 1e-9
    return float(-np.log(mass).mean()), ((chances - due / mass) / len(there))[there].astype(np.float32)


def _scale(found: Examples) -> tuple[Array, Array]:
    some = found.features[:4000][found.there[:4000]].astype(np.float32)
    return some.mean(axis=0), np.maximum(some.std(axis=0), np.float32(0.05))


def _begin(random: np.random.Generator) -> list[Array]:
    sizes = (FEATURES, *HIDDEN)
    layers: list[Array] = []
    for into, out in itertools.pairwise(sizes):
        layers += [(random.normal(size=(into, out)) * np.sqrt(2 / into)).astype(np.float32), np.zeros(out, np.float32)]
    return [*layers, (random.normal(size=HIDDEN[-1]) * np.sqrt(1 / HIDDEN[-1])).astype(np.float32)]


def _rate(done: float) -> float:
    return float(RATE * min(1.0, done / 0.05) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * done))))


def _gradients(
    parameters: Sequence[Array],
    found: Examples,
    batch: npt.NDArray[np.int64],
    scale: tuple[Array, Array],
    random: np.random.Generator,
) -> tuple[float, list[Array]]:
    """Return the loss of a batch and its gradients."""
    into, into_shift, through, through_shift, out = parameters
    there = found.there[batch]
    inputs = (found.features[batch][there].astype(np.float32) - scale[0]) / scale[1]
    before = inputs @ into + into_shift
    open_first = (before > 0) * (random.random(before.shape, dtype=np.float32) < KEPT) / KEPT
    first = before * open_first
    between = first @ through + through_shift
    open_second = (between > 0).astype(np.float32)
    second = between * open_second
    loss, wrong = _wrong(np.asarray(second @ out, np.float32), there, found.right[batch])
    back_second = np.outer(wrong, out) * open_second
    back_first = (back_second @ through.T) * open_first
    gradients = [
        inputs.T @ back_first,
        back_first.sum(axis=0),
        first.T @ back_second,
        back_second.sum(axis=0),
        second.T @ wrong,
    ]
    return loss, gradients


def _folded(parameters: Sequence[Array], middle: Array, spread: Array, made: str) -> Untangler:
    """Return the network with the scaling within its first layer, as precise as it is written."""
    into, into_shift, through, through_shift, out = parameters
    scaled = into / spread[:, None]
    arrays = [scaled, into_shift - middle @ scaled, through, through_shift, out]
    half = [one.astype(np.float16).astype(np.float32) for one in arrays]
    return Untangler(into=half[0], into_shift=half[1], through=half[2], through_shift=half[3], out=half[4], made=made)
