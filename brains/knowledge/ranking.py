"""How well passages answer a question: by meaning as a whole and in their best sentence, and by words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.knowledge.centring import script

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from bot.core.ports import Vector

    Scores = npt.NDArray[np.float64]

WORDS = 0.025
"""What the best match by BM25 gains, in units of a cosine, where question and text are of one script.

Between .02 and .04 is best for German and Spanish XQuAD on its own paragraphs, .02 for Russian, where .06 harms."""
WORDS_ACROSS = 0.01
"""The same across scripts, where only names and figures can match."""
CENTRED = 0.5
"""How much of the mean question is taken off across scripts: best for Russian questions on German, Spanish and English
paragraphs; within one language any of it harms."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """A question: its words, its vector, and the mean of questions in its script where there is one."""

    text: str
    vector: Vector
    centre: Vector | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A text that may answer: its cosine and BM25 score as the engine gave them, None where it did not find it so.

    `whole` is its vector and `parts` those of its sentences, row by row, as far as they are known.
    """

    text: str
    cosine: float | None = None
    bm25: float | None = None
    whole: Vector | None = None
    parts: Vector | None = None


def relevance(asked: Asked, candidates: Sequence[Candidate]) -> Scores:
    """Score candidates (n,) in units of a cosine: the mean of whole and best sentence, and a little for words."""
    if not candidates:
        return np.zeros(0)
    same = np.array([script(one.text) == script(asked.text) for one in candidates])
    meaning = _meaning(asked, candidates)
    if asked.centre is not None and not same.all():
        meaning = np.where(same, meaning, _centred(asked, asked.centre, candidates, ~same, meaning))
    words = np.array([one.bm25 or 0.0 for one in candidates])
    return np.asarray(meaning + np.where(same, WORDS, WORDS_ACROSS) * words / max(float(words.max()), 1e-9))


def _meaning(asked: Asked, candidates: Sequence[Candidate]) -> Scores:
    """Take the mean of a text's cosine and its best sentence's; what nothing is known of is as far as the farthest."""
    known = [_cosine(asked.vector, one) for one in candidates]
    least = min((one for one in known if one is not None), default=0.0)
    whole = np.array([least if one is None else one for one in known])
    return (whole + _best(asked.vector, candidates, whole)) / 2


def _cosine(vector: Vector, one: Candidate) -> float | None:
    if one.cosine is None and one.whole is not None:
        return float(vector @ one.whole)
    return one.cosine


def _best(vector: Vector, candidates: Sequence[Candidate], otherwise: Scores) -> Scores:
    """Return the best sentence's cosine of each, and `otherwise` for texts without sentences."""
    found = otherwise.copy()
    with_parts = [(at, one.parts) for at, one in enumerate(candidates) if one.parts is not None and len(one.parts)]
    for at, parts in with_parts:
        found[at] = float((parts @ vector).max())
    return found


def _centred(
    asked: Asked, centre: Vector, candidates: Sequence[Candidate], across: npt.NDArray[np.bool_], meaning: Scores
) -> Scores:
    """Take the mean question off; what that takes off all of them on average is given back, as others are beside."""
    known = across & np.array([one.whole is not None for one in candidates])
    if not known.any():
        return meaning
    pull = np.array([float(centre @ one.whole) if one.whole is not None else np.nan for one in candidates])
    usual = float(pull[known].mean())
    left = np.asarray(asked.vector - CENTRED * centre, dtype=np.float32)
    whole = np.array([float(left @ one.whole) if one.whole is not None else 0.0 for one in candidates])
    centred = (whole + _best(left, candidates, whole)) / 2 + CENTRED * usual
    return np.where(known, centred, meaning)


FURTHER = 0.1
"""What further passages of a conversation add, of what they have above the last that was found."""
COUNTED = 4


def of_conversation(scores: Sequence[float], floor: float) -> float:
    """Score a conversation by its passages' scores: its best, and a little for each further that was found."""
    best, *others = sorted(scores, reverse=True)
    return best + FURTHER * sum(max(0.0, one - floor) for one in others[: COUNTED - 1])
