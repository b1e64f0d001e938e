"""Who goes where as factors: matrix factorisation of member x channel weights, by `implicit`.

A model scores the members it has seen, and any other by their own row, with numpy alone: what serves members needs
neither `implicit` nor torch.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, csr_matrix
from threadpoolctl import threadpool_limits

from bot.core.errors import Unavailable

if TYPE_CHECKING:
    from brains.matching.corpus import Floats

THREADS = 1
"""More of OpenBLAS's make `implicit` slower by its own warning, and more of its own make BPR differ from run to run."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Als:
    """Weighted least squares (Hu, Koren, Volinsky 2008): members (m, d) and channels (c, d) in one space.

    A use of weight w is believed 1 + `confidence` * w times as much as a channel not used; `ridge` is lambda.
    """

    members: Floats
    channels: Floats
    confidence: float
    ridge: float

    @property
    def scores(self) -> Floats:
        """Score every channel for the members it was fitted on (m, c)."""
        return self.members @ self.channels.T

    def fold_in(self, rows: csr_array) -> Floats:
        """Score every channel for members by their own weights (n, c): the exact solution, the channels held still."""
        common = self.channels.T @ self.channels + self.ridge * np.eye(self.channels.shape[1], dtype=np.float32)
        return np.array([self._solve(common, rows[[at]]) for at in range(rows.shape[0])], dtype=np.float32).reshape(
            rows.shape
        )

    def _solve(self, common: Floats, row: csr_array) -> Floats:
        near, trust = self.channels[row.indices], self.confidence * row.data
        factors = np.linalg.solve(common + (near.T * trust) @ near, near.T @ (1 + trust))
        return np.asarray(self.channels @ factors)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embedding:
    """Members (m, d) and channels (c, d) in one space, what each channel has by itself (c,), and the way in.

    `entry` (f, d) brings somebody's weights in: of the channels, and of further features if it was fitted on such.
    """

    members: Floats
    channels: Floats
    bias: Floats
    entry: Floats

    @property
    def scores(self) -> Floats:
        """Score every channel for the members it was fitted on (m, c)."""
        return self.members @ self.channels.T + self.bias

    def fold_in(self, rows: csr_array) -> Floats:
        """Score every channel (n, c) for members by their own weights (n, f)."""
        return np.asarray(scaled(rows) @ self.entry @ self.channels.T + self.bias, dtype=np.float32)


def als(
    used: csr_array, *, factors: int = 16, confidence: float = 4.0, ridge: float = 4.0, rounds: int = 15, seed: int = 0
) -> Als:
    """Fit alternating least squares on weights (m, c) that are not below 0. Raises Unavailable without `implicit`."""
    _require()
    size = _size(used, factors)
    if not used.nnz:
        nothing = [np.zeros((count, size), dtype=np.float32) for count in used.shape]
        return Als(members=nothing[0], channels=nothing[1], confidence=confidence, ridge=ridge)
    believed = csr_matrix(used, dtype=np.float32, copy=True)
    believed.data = 1 + confidence * believed.data
    from implicit.cpu.als import AlternatingLeastSquares

    with threadpool_limits(THREADS, "blas"):
        model = AlternatingLeastSquares(
            factors=size, regularization=ridge, iterations=rounds, num_threads=THREADS, random_state=seed
        )
        model.fit(believed, show_progress=False)
    return Als(members=model.user_factors, channels=model.item_factors, confidence=confidence, ridge=ridge)


def bpr(
    used: csr_array, *, factors: int = 16, rate: float = 0.05, ridge: float = 0.01, rounds: int = 200, seed: int = 0
) -> Embedding:
    """Fit Bayesian personalised ranking (Rendle et al. 2009): what was used ranks above what was not.

    It knows used and unused, no weights. Raises Unavailable without `implicit`.
    """
    _require()
    size = _size(used, factors)
    if not used.nnz:
        return nowhere(used.shape, size, used.shape[1])
    liked = csr_matrix((np.ones(used.nnz, dtype=np.float32), used.indices, used.indptr), shape=used.shape)
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    with threadpool_limits(THREADS, "blas"):
        model = BayesianPersonalizedRanking(
            factors=size,
            learning_rate=rate,
            regularization=ridge,
            iterations=rounds,
            num_threads=THREADS,
            random_state=seed,
        )
        model.fit(liked, show_progress=False)
    members, channels = model.user_factors[:, :-1], model.item_factors[:, :-1]  # the last column is the bias
    return Embedding(members=members, channels=channels, bias=model.item_factors[:, -1], entry=_entry(liked, members))


def installed() -> bool:
    """Say whether `implicit` is there."""
    return importlib.util.find_spec("implicit") is not None


def scaled(rows: csr_array) -> csr_array:
    """Divide each row by the root of its sum, so that who uses much is not scored as more than one; zeros stay."""
    total = np.asarray(rows.sum(axis=1)).reshape(-1)
    by = 1 / np.sqrt(np.where(total > 0, total, 1.0))
    return csr_array((rows.data * np.repeat(by, np.diff(rows.indptr)), rows.indices, rows.indptr), shape=rows.shape)


def nowhere(shape: tuple[int, int], size: int, features: int) -> Embedding:
    """Return the model of a community (m, c) in which nobody has used anything: it scores 0."""
    return Embedding(
        members=np.zeros((shape[0], size), dtype=np.float32),
        channels=np.zeros((shape[1], size), dtype=np.float32),
        bias=np.zeros(shape[1], dtype=np.float32),
        entry=np.zeros((features, size), dtype=np.float32),
    )


def _size(used: csr_array, factors: int) -> int:
    return max(1, min(factors, int(used.shape[0]), int(used.shape[1])))


def _entry(used: csr_matrix, members: Floats) -> Floats:
    """Fit the linear way (c, d) from scaled weights to the factors of those who have them, by ridge regression."""
    rows = scaled(csr_array(used))
    square = (rows.T @ rows).toarray() + np.eye(rows.shape[1])
    return np.asarray(np.linalg.solve(square, rows.T @ members), dtype=np.float32)


def _require() -> None:
    if not installed():
        raise Unavailable("ALS and BPR need the package `implicit`: pip install 'kinfolk[matching]'.")
