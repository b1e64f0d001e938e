"""What an encoder is worth on messages it has not seen: the channel of a text, and the answer to a question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.corpus import Card, Corpus, sum_by, unit
from brains.matching.matching import match_text
from brains.matching.profiles import build_profiles
from brains.training.encoder_texts import answered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from bot.core.ports import Vector
    from brains.training.encoder_texts import Said, Telling

    Values = npt.NDArray[np.float64]

PLACED = 500
"""Texts that are placed, at most."""
KNOWN, ASKED = 4.0, 0.5
"""For each of them: messages that channels are known by, the newest, and questions that are asked."""
WITHIN = 5
"""Places of a ranking within which the right channel counts for `top5`."""
DRAWS = 2_000
ADOPTS = "channel top1"
"""The measure that an adoption is decided by: what the matching encoder is there for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is asked of an encoder before and after, the same both times."""

    known: Sequence[Said]
    placed: Sequence[Said]
    asked: Sequence[tuple[str, str]]
    cards: Mapping[str, str]

    @property
    def channels(self) -> list[str]:
        """Return the channels that a text may be placed in, sorted."""
        return sorted({one.channel for one in self.known})


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A measure before and after, and the 95 % interval of the difference, asker by asker."""

    name: str
    n: int
    before: float
    after: float
    low: float
    high: float

    @property
    def better(self) -> bool:
        """Say whether the whole interval lies above zero."""
        return self.low > 0


def trial(told: Telling, learned: Sequence[Said], judged: Sequence[Said], *, seed: int, count: int = PLACED) -> Trial:
    """Draw what is asked: from the slice that is judged, of channels that what was learned from knows."""
    random = np.random.default_rng(seed)
    known = learned[-int(KNOWN * count) :]
    there = {one.channel for one in known}
    inside = [one for one in judged if one.channel in there]
    asked = [(one.text, other.text) for one, other in answered(judged)]
    return Trial(
        known=known,
        placed=[inside[at] for at in random.permutation(len(inside))[:count]],
        asked=[asked[at] for at in random.permutation(len(asked))[: int(ASKED * count)]],
        cards=told.cards,
    )


def judge(asked: Trial, encode: Callable[..., Vector]) -> dict[str, Values]:
    """Measure an encoder: 1 or 0 for each text placed and each question asked, by the name of the measure.

    `channel` goes by the whole matcher, as `eval match-text` does, `centroid` by vectors alone, `answer` by the nearest
    of all answers to the questions.
    """
    known, placed = encode([one.text for one in asked.known]), encode([one.text for one in asked.placed])
    owners = np.searchsorted(asked.channels, [one.channel for one in asked.known]).astype(np.int64)
    wanted = np.searchsorted(asked.channels, [one.channel for one in asked.placed])
    centres = unit(sum_by(owners, np.ones(len(owners), np.float32), len(asked.channels)) @ known)
    nearest = np.argsort(-(placed @ centres.T), axis=1, kind="stable")
    found = {"centroid top1": nearest[:, 0] == wanted, "centroid top5": _within(nearest, wanted)}
    ranked = _matched(asked, known, owners, placed, encode)
    found |= {"channel top1": ranked[:, 0] == wanted, "channel top5": _within(ranked, wanted)}
    if asked.asked:
        questions = encode([one for one, _ in asked.asked], kind="query")
        answers = encode([other for _, other in asked.asked])
        found["answer hit@1"] = np.argmax(questions @ answers.T, axis=1) == np.arange(len(questions))
    return {name: np.asarray(hits, dtype=np.float64) for name, hits in found.items()}


def compare(before: Mapping[str, Values], after: Mapping[str, Values], *, seed: int) -> list[Compared]:
    """Compare measure by measure; intervals by a paired bootstrap over what was asked."""
    return [_compared(name, values, after[name], seed) for name, values in before.items() if len(values)]


def _compared(name: str, before: Values, after: Values, seed: int) -> Compared:
    change = after - before
    drawn = np.random.default_rng(seed).integers(0, len(change), (DRAWS, len(change)))
    low, high = np.percentile(change[drawn].mean(axis=1), [2.5, 97.5])
    return Compared(
        name=name,
        n=len(change),
        before=round(float(before.mean()), 4),
        after=round(float(after.mean()), 4),
        low=round(float(low), 4),
        high=round(float(high), 4),
    )


def _matched(
    asked: Trial, known: Vector, owners: npt.NDArray[np.int64], placed: Vector, encode: Callable[..., Vector]
) -> npt.NDArray[np.int64]:
    """Rank channels by the matcher: (n, channels), filled up with -1."""
    bare = [Card(id=at, name=name, description=asked.cards.get(name, "")) for at, name in enumerate(asked.channels)]
    told = encode([card.text for card in bare])
    cards = [
        Card(id=card.id, name=card.name, description=card.description, vector=vector)
        for card, vector in zip(bare, told, strict=True)
    ]
    times = np.array([one.at for one in asked.known], dtype=np.float64)
    corpus = Corpus(
        ids=np.arange(len(times)),
        texts=[one.text for one in asked.known],
        vectors=known,
        channels=owners,
        authors=np.zeros(len(times), dtype=np.int64),
        times=times,
    )
    profiles = build_profiles(corpus, cards, encoder="", now=float(times.max()))
    ranked = np.full((len(asked.placed), len(cards)), -1, dtype=np.int64)
    for at, (one, vector) in enumerate(zip(asked.placed, placed, strict=True)):
        order = [one.channel for one in match_text(profiles, vector=vector, text=one.text, k=len(cards), floor=0)]
        ranked[at, : len(order)] = order
    return ranked


def _within(ranked: npt.NDArray[np.int64], wanted: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (ranked[:, :WITHIN] == wanted[:, None]).any(axis=1)
    return found
