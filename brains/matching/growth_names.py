"""What a topic is called: by the terms that tell it, in the form that every platform takes for a channel."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.terms import as_written

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from brains.matching.conversations import Conversations
    from brains.matching.corpus import Rows

TERMS = 6
"""Terms that are kept of a topic."""
TELLING = 2
"""Terms of its own that a topic must have: by one alone, two matters that share a word are one, and the name that is
made of it ends in a word that tells nothing."""
VOICES = 3
"""People who must have used a term: what fewer say is their own, and goes with them when they are forgotten."""
LEAST = 0.25
"""Share of the conversations in which a term must occur."""
PARTICLES = frozenset("的了是在吗呢吧我你您他她它们这那有和也都不就很要会")
"""Characters that make no word together with their neighbour, so that a pair with one of them tells nothing."""
OWN = 0.4
"""Share of a topic's conversations in which its own term occurs, and of those with the term that are the topic's: at
only that makes a term its own, since "tomorrow" tells nothing however often it is said."""
LONGEST = 30
"""Characters of a name that a list of channels shows whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A topic's name, and its telling terms, best first."""

    name: str
    terms: tuple[str, ...]


def telling(talk: Conversations, rows: Rows, *, unnamed: Collection[str] = ()) -> Told | None:
    """Name a cluster of conversations; None where no term tells it. None of `unnamed` comes first or alone."""
    inside = np.zeros(len(talk), dtype=np.bool_)
    inside[rows] = True
    here = np.asarray(talk.rows[inside].mean(axis=0)).ravel()
    elsewhere = np.asarray(talk.rows[~inside].mean(axis=0)).ravel() if (~inside).any() else np.zeros_like(here)
    places = {term: at for term in _shared(talk, rows) if (at := talk.vocabulary.index.get(term)) is not None}
    uses = talk.rows.astype(bool)
    often, ever = np.asarray(uses[inside].sum(axis=0)).ravel(), np.asarray(uses.sum(axis=0)).ravel()
    own = {term for term, at in places.items() if often[at] >= OWN * max(len(rows), ever[at])}
    scored = {term: here[at] - elsewhere[at] for term, at in places.items() if here[at] > elsewhere[at]}
    best = sorted(scored, key=lambda term: (term not in own, -scored[term], term))
    # What a channel is called already may tell a topic, but does not name another channel.
    naming = [term for term in best if term not in unnamed]
    if not naming or len(own & scored.keys()) < TELLING:
        return None
    texts = [talk.corpus.texts[at] for at in talk.messages(rows)]
    return Told(name=_name(naming, texts), terms=tuple(best[:TERMS]))


def _shared(talk: Conversations, rows: Rows) -> list[str]:
    """Return the terms that enough people used in enough of the conversations."""
    voices: dict[str, set[int]] = {}
    places: dict[str, set[int]] = {}
    for at in talk.messages(rows):
        for term in set(talk.documents[at]):
            voices.setdefault(term, set()).add(int(talk.corpus.authors[at]))
            places.setdefault(term, set()).add(int(talk.owners[at]))
    needed = max(2, LEAST * len(rows))
    shared = [term for term, people in voices.items() if len(people) >= VOICES and len(places[term]) >= needed]
    return [term for term in shared if not (is_chinese(term) and set(term) & PARTICLES)]


def _name(terms: Sequence[str], texts: Sequence[str]) -> str:
    """Join the first terms as they are written mostly; pairs of Chinese characters grow to words."""
    if is_chinese(terms[0]):
        return whole_word(terms[0], texts)
    written = as_written([term for term in terms if not is_chinese(term)], texts)
    parts = [_plain(written[term]) for term in terms if term in written]
    first, *others = [part for part in parts if part] or [terms[0]]
    second = next((part for part in others if part not in first and first not in part), "")
    both = f"{first}-{second}" if second else first
    return both if len(both) <= LONGEST else first[:LONGEST]


def _plain(word: str) -> str:
    """Keep of a word what every platform takes in a channel's name: letters, digits and hyphens."""
    return "-".join("".join(one if one.isalnum() else " " for one in word.lower()).split())


def whole_word(pair: str, texts: Sequence[str]) -> str:
    """Let a pair of characters grow to the left and right while most of its occurrences go on alike."""
    word = pair
    while len(word) < 6:  # noqa: PLR2004 - longer is a sentence, no word
        around: Counter[str] = Counter()
        count = 0
        for text in texts:
            at = text.find(word)
            while at >= 0:
                count += 1
                around[text[at - 1 : at + len(word)] if at else ""] += 1
                around[text[at : at + len(word) + 1]] += 1
                at = text.find(word, at + 1)
        grown = [(one, times) for one, times in around.most_common() if len(one) == len(word) + 1 and is_chinese(one)]
        if not grown or grown[0][1] <= count / 2:
            return word
        word = grown[0][0]
    return word


def is_chinese(term: str) -> bool:
    """Say whether a term is of Chinese characters alone."""
    return all("\u3400" <= one <= "\u9fff" for one in term)
