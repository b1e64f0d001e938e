"""Fits the small network that a head reads a vector by: one hidden layer, dropout, Adam. NumPy alone, so that any
machine fits the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.moderation.heads import Network

if TYPE_CHECKING:
    from bot.core.ports import Vector
    from brains.moderation.heads import Array

HIDDEN = 256
EPOCHS = 10
VISITS = 250_000
"""Texts looked at in all at most, however many there are: more changed nothing."""
BATCH = 256
RATE = 2e-3
WARM = 0.2
"""Share of the steps in which the rate rises; it falls as a cosine then."""
DECAY = 1e-3
KEPT_INPUT = np.float32(0.8)
KEPT_HIDDEN = np.float32(0.5)
FIRST, SECOND, TINY = 0.9, 0.999, 1e-8
"""Adam's two memories, Kingma and Ba 2015; the decay is apart from them, Loshchilov and Hutter 2019."""


@dataclass(slots=True, eq=False)
class Adam:
    """Parameters with what Adam remembers of their gradients."""

    parameters: list[Array]
    means: list[Array]
    squares: list[Array]
    step: int = 0

    def descend(self, gradients: list[Array], rate: float) -> None:
        """Step down along gradients, one for each parameter."""
        self.step += 1
        for at, (value, gradient) in enumerate(zip(self.parameters, gradients, strict=True)):
            self.means[at] = FIRST * self.means[at] + (1 - FIRST) * gradient
            self.squares[at] = SECOND * self.squares[at] + (1 - SECOND) * gradient * gradient
            mean = self.means[at] / (1 - FIRST**self.step)
            square = self.squares[at] / (1 - SECOND**self.step)
            change = mean / (np.sqrt(square) + TINY) + (DECAY * value if value.ndim > 1 else 0)
            np.subtract(value, np.float32(rate) * change, out=value)


def fit_network(vectors: Vector, labels: Array, weights: Array, *, seed: int = 0, hidden: int = HIDDEN) -> Network:
    """Fit a network to vectors (n, d), labels (n,) of 0 and 1 and what each weighs (n,)."""
    random = np.random.default_rng(seed)
    middle, spread = vectors.mean(axis=0), np.maximum(vectors.std(axis=0), 1e-6)
    inputs = ((vectors - middle) / spread).astype(np.float32)
    size = inputs.shape[1]
    into = (random.normal(size=(size, hidden)) * np.sqrt(2 / size)).astype(np.float32)
    out = (random.normal(size=hidden) * np.sqrt(1 / hidden)).astype(np.float32)
    parameters = [into, np.zeros(hidden, np.float32), out, np.zeros(1, np.float32)]
    adam = Adam(parameters, [np.zeros_like(one) for one in parameters], [np.zeros_like(one) for one in parameters])
    epochs = max(1, min(EPOCHS, -(-VISITS // len(inputs))))
    steps = epochs * -(-len(inputs) // BATCH)
    for _epoch in range(epochs):
        order = random.permutation(len(inputs))
        for start in range(0, len(inputs), BATCH):
            batch = order[start : start + BATCH]
            gradients = _gradients(parameters, inputs[batch], labels[batch], weights[batch], random)
            adam.descend(gradients, _rate((adam.step + 1) / steps))
    hidden_weights = parameters[0] / spread[:, None]
    return Network(
        hidden=hidden_weights.astype(np.float16).astype(np.float32),
        shift=(parameters[1] - middle @ hidden_weights).astype(np.float16).astype(np.float32),
        output=parameters[2].astype(np.float16).astype(np.float32),
        bias=float(parameters[3][0]),
    )


def _rate(done: float) -> float:
    return float(RATE * min(1.0, done / WARM) * (0.5 + 0.5 * np.cos(np.pi * max(0.0, (done - WARM) / (1 - WARM)))))


def _gradients(
    parameters: list[Array], inputs: Vector, labels: Array, weights: Array, random: np.random.Generator
) -> list[Array]:
    """Return the gradients of the weighted logistic loss of a batch, with some of it dropped."""
    into, shift, out, bias = parameters
    inputs = inputs * (random.random(inputs.shape, dtype=np.float32) < KEPT_INPUT) / KEPT_INPUT
    before = inputs @ into + shift
    open_ = (before > 0) * (random.random(before.shape, dtype=np.float32) < KEPT_HIDDEN) / KEPT_HIDDEN
    active = before * open_
    logits = np.clip(active @ out + bias, -30, 30)
    wrong = ((1 / (1 + np.exp(-logits)) - labels) * weights / weights.sum()).astype(np.float32)
    back = np.outer(wrong, out) * open_
    return [inputs.T @ back, back.sum(axis=0), active.T @ wrong, wrong.sum(keepdims=True)]
