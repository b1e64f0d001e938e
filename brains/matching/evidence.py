"""Which messages to show as evidence: pairs of the asker's message and a channel's, that a person would accept."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.corpus import unit
from brains.matching.terms import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.matching.corpus import Corpus, Floats, Mask
    from brains.matching.profiles import ChannelProfiles
    from brains.matching.terms import Vocabulary

LEAST_TERMS = 4
"""Different terms that a message needs to be worth showing: one-word lines and bare links convince nobody. Only
an asker who said nothing longer is taken at their few words."""

SAME = 0.97
"""Cosine of raw vectors from which two messages say the same thing: e5 gives reposts .97 and more."""

CLOSE, SURE = 0.14, 0.2
"""Closeness (mean of the cosines by vectors and by terms) below which a pair is no evidence, and from which it is one
even without a word in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Evidence: message ids of the asker and of the channel, and how close they are, -1..1."""

    own: int
    theirs: int
    closeness: float


def pick_evidence(profiles: ChannelProfiles, own: Corpus, theirs: Corpus, *, limit: int = 3) -> list[Pair]:
    """Pick up to `limit` pairs, closest first, from the asker's messages and candidates of one channel.

    Both sides of a pair are informative; the asker's words are never shown as the channel's (same author, or the same
    text); no message of the channel comes twice, nor one that repeats another; the asker's messages take turns.
    """
    own_documents, documents = [words(text) for text in own.texts], [words(text) for text in theirs.texts]
    closeness, by_terms = _closeness(profiles, (own, own_documents), (theirs, documents))
    closeness[(closeness < SURE) & (by_terms <= 0)] = -1
    said_at_all = max((len(set(document)) for document in own_documents), default=0)
    closeness[~_telling(own_documents, least=min(LEAST_TERMS, said_at_all))] = -1
    closeness[:, ~_telling(documents, least=LEAST_TERMS)] = -1
    closeness[own.authors[:, None] == theirs.authors] = -1
    closeness[unit(own.vectors) @ unit(theirs.vectors).T >= SAME] = -1
    return _pick(closeness, own, theirs, limit=limit)


def _closeness(
    profiles: ChannelProfiles,
    own: tuple[Corpus, Sequence[Sequence[str]]],
    theirs: tuple[Corpus, Sequence[Sequence[str]]],
) -> tuple[Floats, Floats]:
    """Return the mean of vector cosine and term cosine for every pair (n, m), and the term cosine alone."""
    placed = profiles.topics.space.place(np.concatenate([own[0].vectors, theirs[0].vectors]))
    by_vector = placed[: len(own[0])] @ placed[len(own[0]) :].T
    by_terms = _shared(profiles.topics.terms.vocabulary, own[1], theirs[1])
    return np.asarray((by_vector + by_terms) / 2, dtype=np.float32), by_terms


def _shared(vocabulary: Vocabulary, own: Sequence[Sequence[str]], theirs: Sequence[Sequence[str]]) -> Floats:
    """Return the cosines of documents by terms (n, m), weighed as `Vocabulary.weigh` does.

    Of a few documents: laying out sparse rows would take several times as long as all there is to multiply.
    """
    mine, others = ([_weighed(vocabulary, document) for document in some] for some in (own, theirs))
    cosines = [[sum(weight * other.get(term, 0.0) for term, weight in one.items()) for other in others] for one in mine]
    return np.array(cosines, dtype=np.float32).reshape(len(mine), len(others))


def _weighed(vocabulary: Vocabulary, document: Sequence[str]) -> dict[str, float]:
    """Return the terms of a document with their shares of a unit row."""
    counts = Counter(term for term in document if term in vocabulary.index)
    weights = {term: (1 + math.log(n)) * float(vocabulary.idf[vocabulary.index[term]]) for term, n in counts.items()}
    length = math.sqrt(sum(weight**2 for weight in weights.values())) or 1.0
    return {term: weight / length for term, weight in weights.items()}


def _telling(documents: Sequence[Sequence[str]], *, least: int) -> Mask:
    return np.array([len(set(document)) >= max(1, least) for document in documents], dtype=np.bool_)


def _pick(closeness: Floats, own: Corpus, theirs: Corpus, *, limit: int) -> list[Pair]:
    turns = -(-limit // max(len(own), 1))
    repeats = unit(theirs.vectors) @ unit(theirs.vectors).T >= SAME
    left, said = closeness.copy(), np.zeros(len(own))
    picked: list[Pair] = []
    while len(picked) < limit and left.size and left.max() >= CLOSE:
        mine, other = (int(at) for at in np.unravel_index(np.argmax(left), left.shape))
        picked.append(Pair(own=int(own.ids[mine]), theirs=int(theirs.ids[other]), closeness=float(left[mine, other])))
        said[mine] += 1
        left[said >= turns] = -1
        left[:, repeats[other]] = -1
        left[:, other] = -1
    return picked
