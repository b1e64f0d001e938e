"""What a community's staff called spam, and what they called fine: whatever resembles it is recognised at once.

Two texts resemble each other by cosine + GRAMS * Jaccard of trigrams, which `kinfolk eval memory` chose and measures
(decision 25). Lessons of one community stay in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from bot.core.i18n import _
from brains.moderation.detection import Detection
from brains.moderation.signature import Signature, alike, sign, skeleton, stack, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from bot.core.i18n import Translate
    from bot.core.ports import Vector
    from bot.core.things import Ref
    from brains.moderation.detection import Post, Severity

DETECTOR = "memory"
MOST = 5_000
"""Lessons that are remembered, the newest: one product of (5,000, 384) takes about .3 ms."""
GRAMS = 0.2
"""Weight of the trigrams beside the cosine."""
FLAG = 0.96
"""Resemblance from which a message is flagged: 1 in 2,000 of Gitter's, 1 in 200 good ones of rooms full of spam."""
REMOVE = 1.06
"""Resemblance from which a message may be taken away, once the lesson has matured."""
GRAMS_ALONE = 0.45
"""Jaccard similarity from which a message is flagged where there is no vector to compare."""
NARROW = 16
"""Width below which a text says too little to resemble anything: it must be the same, and is only flagged."""
BARE = 8
"""Width below which a text is not remembered at all: anybody may write "thanks" or "123"."""
NEVER = datetime.max.replace(tzinfo=UTC)
SLOPE, MIDDLE = 40.0, 0.96
"""The probability that what resembles a lesson so much is spam: a logistic curve."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Memento:
    """One lesson as it is remembered; `vector` (d,) is None until the text was encoded.

    `label` is 1 for confirmed spam and 0 for what was called fine; from `matures_at` on it may do more than flag. A
    `narrow` text says too little to resemble anything: another must be the same.
    """

    label: int
    case: str
    message: Ref
    signature: Signature
    vector: Vector | None = None
    matures_at: datetime = NEVER
    narrow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """The lesson that a message resembles most, and how much: at most 1 + GRAMS."""

    memento: Memento
    amount: float
    cosine: float
    grams: float


class SpamMemory:
    """The lessons of one community as arrays: vectors (n, d), signatures (n, 64)."""

    def __init__(self, mementos: Sequence[Memento] = ()) -> None:
        kept = list(mementos)[-MOST:]
        self._mementos = kept
        self._signatures = stack([one.signature for one in kept])
        size = next((len(one.vector) for one in kept if one.vector is not None), 0)
        self._vectors = np.zeros((len(kept), size), dtype=np.float32)
        for number, one in enumerate(kept):
            if one.vector is not None:
                self._vectors[number] = one.vector
        self._encoded = np.array([one.vector is not None for one in kept], dtype=bool)
        self._spam = np.array([one.label == 1 for one in kept], dtype=bool)
        self._narrow = np.array([one.narrow for one in kept], dtype=bool)

    def __len__(self) -> int:
        """Count the lessons."""
        return len(self._mementos)

    def examine(self, post: Post, plain: str, translate: Translate) -> list[Detection]:
        """Say whether a message resembles confirmed spam, and no fine message more."""
        if not self._spam.any():
            return []
        bones = skeleton(plain)
        wide = width(bones)
        if wide < NARROW:
            return self._same(sign(bones), translate) if wide >= BARE else []
        spam, fine = self.nearest(bones, [one for one in (post.vector, post.plain_vector) if one is not None])
        if spam is None or spam.amount < FLAG or (fine is not None and fine.amount >= spam.amount):
            return []
        removes = post.at >= spam.memento.matures_at and spam.amount >= REMOVE
        return [_detection(spam, translate, severity="remove" if removes else "flag")]

    def nearest(self, bones: str, vectors: Sequence[Vector]) -> tuple[Resemblance | None, Resemblance | None]:
        """Return the spam and the fine lesson that a text resembles most; either form of the text may be nearer."""
        grams = alike(self._signatures, sign(bones))
        cosine = self._cosines(vectors)
        amount = np.where(np.isnan(cosine), _by_grams(grams), cosine + GRAMS * grams)
        amount[self._narrow] = 0.0
        return self._best(amount, cosine, grams, self._spam), self._best(amount, cosine, grams, ~self._spam)

    def _cosines(self, vectors: Sequence[Vector]) -> npt.NDArray[np.float32]:
        """Return the cosine with each lesson (n,), NaN where there is none to compare."""
        nothing = np.full(len(self._mementos), np.nan, dtype=np.float32)
        if not vectors or not self._encoded.any() or len(vectors[0]) != self._vectors.shape[1]:
            return nothing
        # Not by `@`: its threads wait for each other where the cores are busy, 15 ms instead of .13.
        nearest = np.max([np.vecdot(self._vectors, one) for one in vectors], axis=0)
        return np.where(self._encoded, nearest, nothing).astype(np.float32)

    def _best(
        self,
        amount: npt.NDArray[np.float32],
        cosine: npt.NDArray[np.float32],
        grams: npt.NDArray[np.float32],
        among: npt.NDArray[np.bool_],
    ) -> Resemblance | None:
        if not among.any():
            return None
        at = int(np.argmax(np.where(among, amount, -1.0)))
        return Resemblance(
            memento=self._mementos[at], amount=float(amount[at]), cosine=float(cosine[at]), grams=float(grams[at])
        )

    def _same(self, signature: Signature, translate: Translate) -> list[Detection]:
        """Flag a narrow text that is the very one of a lesson, unless it was called fine since."""
        equal = self._narrow & (self._signatures == signature[:, None]).all(axis=0)
        if not equal.any() or not self._spam[last := int(np.flatnonzero(equal)[-1])]:
            return []
        same = Resemblance(memento=self._mementos[last], amount=1.0 + GRAMS, cosine=1.0, grams=1.0)
        return [_detection(same, translate, severity="flag")]


def memento(
    plain: str, *, label: int, case: str, message: Ref, vector: Vector | None = None, matures_at: datetime = NEVER
) -> Memento:
    """Remember a text by its plain form."""
    bones = skeleton(plain)
    return Memento(
        label=label,
        case=case,
        message=message,
        signature=sign(bones),
        vector=vector,
        matures_at=matures_at,
        narrow=width(bones) < NARROW,
    )


def _by_grams(grams: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return how much trigrams alone say, on the scale of both: a flag at GRAMS_ALONE, never enough to remove."""
    scaled: npt.NDArray[np.float32] = np.minimum(grams * (FLAG / GRAMS_ALONE), (FLAG + REMOVE) / 2)
    return scaled


def _detection(spam: Resemblance, translate: Translate, *, severity: Severity) -> Detection:
    sentence = _("resembles confirmed spam of case {case} ({alike:.0%} alike)")
    return Detection(
        detector=DETECTOR,
        kind="spam",
        severity=severity,
        reason=translate(sentence).format(case=spam.memento.case, alike=min(1.0, spam.amount / (1 + GRAMS))),
        score=float(1 / (1 + np.exp(-SLOPE * (spam.amount - MIDDLE)))),
        related=(spam.memento.message,),
    )
