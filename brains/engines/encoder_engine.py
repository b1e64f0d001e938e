"""What an engine can do, on whatever hardware: tokenise, and turn a batch of tokens into vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

Tokens: TypeAlias = list[int]
Vectors: TypeAlias = "npt.NDArray[np.float32]"


class Engine(Protocol):
    """One model on one device. Its methods block; `infer` is called by one thread at a time."""

    @property
    def name(self) -> str:
        """Say what runs where, such as `onnx int8`."""
        ...

    @property
    def size(self) -> int:
        """Return the number of dimensions."""
        ...

    @property
    def budget(self) -> int:
        """Return how many tokens, padding counted, make the quickest batch."""
        ...

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        """Split texts into token ids, cut to what the model sees."""
        ...

    def infer(self, rows: Sequence[Tokens]) -> Vectors:
        """Encode one batch: float32, shape (rows, size), each row of length 1, in order."""
        ...


def encode(engine: Engine, texts: Sequence[str]) -> Vectors:
    """Encode texts of any number in batches of like length: float32, shape (texts, size), in order."""
    rows = engine.tokenise(texts)
    vectors = np.empty((len(rows), engine.size), np.float32)
    for batch in plan([len(row) for row in rows], engine.budget):
        vectors[batch] = engine.infer([rows[index] for index in batch])
    return vectors


def plan(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Group indices by length, so that rows x longest stays within a budget of tokens; a longer row goes alone."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def pad(rows: Sequence[Tokens], filler: int, *, multiple: int = 1) -> tuple[npt.NDArray[np.int64], ...]:
    """Lay rows side by side: ids and mask, both of shape (rows, longest rounded up to `multiple`)."""
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    width = -(-lengths.max() // multiple) * multiple
    mask = np.arange(width) < lengths[:, None]
    ids = np.full(mask.shape, filler, np.int64)
    ids[mask] = np.concatenate([np.asarray(row, np.int64) for row in rows])
    return ids, mask.astype(np.int64)
