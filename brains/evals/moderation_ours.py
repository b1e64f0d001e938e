"""Our own judge in an evaluation: the architecture of the shipped heads, fitted to the rows at hand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.moderation.features import featurize
from brains.moderation.heads import shipped
from brains.training import texts as reading
from brains.training.fitting import Lesson, fit_head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.ports import Encoder, Vector
    from brains.evals.metrics import Values
    from brains.moderation.features import Features, Ints
    from brains.moderation.heads import Name
    from brains.training.encoding import Progress
    from brains.training.fitting import Fitted
    from brains.training.texts import Texts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """Texts (n,) as heads see them, with vectors (n, d)."""

    texts: Texts
    vectors: Vector

    @property
    def features(self) -> Features:
        """Cut the features."""
        return featurize(self.texts.texts, self.texts.plains, self.texts.tricks)

    def some(self, these: Ints) -> Seen:
        """Return some of the texts."""
        of = self.texts
        return Seen(
            texts=reading.Texts(
                texts=[of.texts[at] for at in these],
                plains=[of.plains[at] for at in these],
                tricks=[of.tricks[at] for at in these],
            ),
            vectors=self.vectors[these],
        )


async def see(encoder: Encoder, texts: Sequence[str], progress: Progress, *, undo: bool = True) -> Seen:
    """Read texts as heads do; without `undo`, as they are written."""
    read = await asyncio.to_thread(reading.read, texts, undo=undo)
    return Seen(texts=read, vectors=await reading.encode(encoder, read, progress=progress))


def joined(first: Seen, second: Seen) -> Seen:
    """Put texts behind others."""
    return Seen(
        texts=reading.Texts(
            texts=first.texts.texts + second.texts.texts,
            plains=first.texts.plains + second.texts.plains,
            tricks=first.texts.tricks + second.texts.tricks,
        ),
        vectors=np.concatenate([first.vectors, second.vectors]),
    )


def fit(seen: Seen, labels: Values, *, groups: Ints | None = None, weights: Values | None = None) -> Fitted:
    """Fit a head as `kinfolk train heads` does; near-copies stay on one side of its cross-validation."""
    return fit_head(
        Lesson(
            features=seen.features,
            vectors=seen.vectors,
            labels=labels.astype(np.float32),
            weights=np.ones(len(labels), np.float32) if weights is None else weights.astype(np.float32),
            groups=seen.texts.groups() if groups is None else groups,
        )
    )


def said(fitted: Fitted, seen: Seen) -> Values:
    """Return what a fitted head says of texts (n,)."""
    return fitted.head.probabilities(seen.features, seen.vectors).astype(np.float64)


def said_by_shipped(seen: Seen, head: Name, encoder: str) -> Values:
    """Return what a shipped head says of texts (n,), by the n-grams alone where the encoder is another."""
    heads = shipped()
    vectors = seen.vectors if heads.serves(encoder) else None
    features = seen.features
    return heads.heads[head].probabilities(features, vectors).astype(np.float64)
