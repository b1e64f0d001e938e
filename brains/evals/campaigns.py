"""Which spam texts are of one campaign: those that share a contact, or half of their words.

Not by what is being measured: no vectors and no trigrams.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARED = 0.5
"""Jaccard similarity from which texts are of a campaign: of words, and of pairs of characters where none are spaced."""
FEW = 4
"""Words that two texts must share at least."""

_WORDS = re.compile(r"[^\W\d_\u2e80-\uffff]{2,}|\d{2,}")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+")
_CONTACT = re.compile(r"https?://\S+|(?<!\w)@\w{4,}|\bt\.me/\S+|\+?\d[\d -]{8,}\d", re.IGNORECASE)


def campaigns(texts: Sequence[str]) -> list[list[int]]:
    """Return the numbers of texts by campaign, each in order; most campaigns hold one."""
    links = _by_words([_words(text) for text in texts]) + _by_contacts(texts)
    _count, labels = connected_components(links, directed=False)
    found: dict[int, list[int]] = {}
    for number, label in enumerate(labels):
        found.setdefault(int(label), []).append(number)
    return list(found.values())


def _words(text: str) -> frozenset[str]:
    pairs = (run[at : at + 2] for run in _UNSPACED.findall(text) for at in range(len(run) - 1))
    return frozenset([*_WORDS.findall(text.lower()), *pairs])


def _by_words(words: Sequence[frozenset[str]]) -> csr_array:
    numbers = {word: at for at, word in enumerate(sorted(frozenset().union(*words)))}
    rows = [at for at, some in enumerate(words) for _ in some]
    columns = [numbers[word] for some in words for word in sorted(some)]
    held = csr_array((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=(len(words), max(len(numbers), 1)))
    shared = (held @ held.T).tocoo()
    sizes = np.array([len(some) for some in words])
    either = sizes[shared.row] + sizes[shared.col] - shared.data
    same = (shared.data >= FEW) & (shared.data >= SHARED * either)
    return csr_array((np.ones(same.sum()), (shared.row[same], shared.col[same])), shape=shared.shape)


def _by_contacts(texts: Sequence[str]) -> csr_array:
    first: dict[str, int] = {}
    pairs = [
        (first.setdefault(contact.lower(), number), number)
        for number, text in enumerate(texts)
        for contact in _CONTACT.findall(text)
    ]
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    return csr_array((np.ones(len(pairs)), (rows, columns)), shape=(len(texts), len(texts)))
