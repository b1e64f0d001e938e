"""What is known of one community: its messages as arrays, and its channels as their cards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

DAY = 86_400.0
"""Seconds."""

_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A channel as its owner describes it.

    `vector` (d,) is the passage "name: description", `titled` (d,) that of its title; None when not encoded.
    """

    id: int
    name: str
    description: str = ""
    vector: Floats | None = None
    titled: Floats | None = None

    @property
    def text(self) -> str:
        """Return what is encoded and read for terms."""
        return f"{self.name}: {self.description}" if self.description else self.name

    @property
    def title(self) -> str:
        """Return the name as words: "AskHistorians", "ask-historians" and "ask_historians" are "ask historians"."""
        return _JOINT.sub(" ", self.name).strip().lower() or self.name


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corpus:
    """Messages side by side, in any order.

    `ids`, `channels`, `authors` (n,) are database ids, `times` (n,) seconds since the epoch, `vectors` (n, d) unit
    rows; a message without text has a row of zeros. Raises ValueError when the lengths differ.
    """

    ids: Ids
    texts: Sequence[str]
    vectors: Floats
    channels: Ids
    authors: Ids
    times: Times

    def __post_init__(self) -> None:
        sizes = {len(self.ids), len(self.texts), len(self.vectors), len(self.channels), len(self.authors)}
        if sizes != {len(self.times)}:
            raise ValueError(f"a corpus needs as many of each: {sorted(sizes | {len(self.times)})}")

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Rows) -> Self:
        """Return the messages at these positions, in this order."""
        return type(self)(
            ids=self.ids[rows],
            texts=[self.texts[row] for row in rows],
            vectors=self.vectors[rows],
            channels=self.channels[rows],
            authors=self.authors[rows],
            times=self.times[rows],
        )

    def where(self, mask: Mask) -> Self:
        """Return the messages for which `mask` (n,) is true."""
        return self if mask.all() else self.take(np.flatnonzero(mask))


def beside(one: Corpus, other: Corpus) -> Corpus:
    """Return the messages of one corpus and those of another after them."""
    return Corpus(
        ids=np.concatenate([one.ids, other.ids]),
        texts=[*one.texts, *other.texts],
        vectors=np.concatenate([one.vectors, other.vectors]),
        channels=np.concatenate([one.channels, other.channels]),
        authors=np.concatenate([one.authors, other.authors]),
        times=np.concatenate([one.times, other.times]),
    )


def unit(rows: Floats) -> Floats:
    """Scale rows (n, d) to length 1; rows of zeros stay zeros."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1.0), dtype=np.float32)


def sum_by(owners: Ids, weights: Floats, count: int) -> csr_array:
    """Return the matrix (count, n) that sums weighted rows by owner."""
    return csr_array((weights, (owners, np.arange(len(owners)))), shape=(count, len(owners)), dtype=np.float32)


def fading(times: Times, *, now: float, half_life: float) -> Floats:
    """Weigh moments (n,): 1 now, half after `half_life` seconds."""
    return np.asarray(0.5 ** (np.maximum(now - times, 0.0) / half_life), dtype=np.float32)
