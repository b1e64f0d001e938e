"""TextRank (Mihalcea and Tarau 2004): texts that resemble many others, by the PageRank of their terms' cosines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brains.matching.terms import Vocabulary, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.matching.corpus import Floats

DAMPING, ROUNDS = 0.85, 50


def textrank(texts: Sequence[str]) -> Floats:
    """Return the rank (n,) of each text; they sum to 1."""
    documents = [words(text) for text in texts]
    rows = Vocabulary.learn(documents, least=1).weigh(documents)
    alike = (rows @ rows.T).toarray()
    np.fill_diagonal(alike, 0)
    totals = alike.sum(axis=0, keepdims=True)
    flow = np.where(totals > 0, alike / np.where(totals > 0, totals, 1), 1 / max(1, len(texts)))
    rank = np.full(len(texts), 1 / max(1, len(texts)))
    for _round in range(ROUNDS):
        rank = (1 - DAMPING) / max(1, len(texts)) + DAMPING * (flow @ rank)
    return np.asarray(rank, dtype=np.float32)
