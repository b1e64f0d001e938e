"""`eval match-text`: in which channel does a text belong?

A folder with train.jsonl, test.jsonl (`channel`, `text`, optional `ts`) and optional channels.jsonl (`channel`,
`description`). A test row of the channel `oos` belongs nowhere: then the right answer is that nothing fits. `accuracy`
is the share of rows with a channel that get the right one, silence being wrong; `oos_recall` that of the others met by
silence. Training rows of `oos` are not read: a community has none.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from brains.evals import text_rivals
from brains.evals.evaluation import Evaluation, Measured, report
from brains.evals.metrics import bootstrap, hit, ndcg, reciprocal_rank
from brains.evals.text_rivals import Texts
from brains.matching.calibration import FLOOR
from brains.matching.corpus import Card, Corpus
from brains.matching.describing import described, told, usual
from brains.matching.matching import match_text as match
from brains.matching.profiles import ChannelProfiles, build_profiles
from brains.training import rows
from brains.training.encoding import Progress, passages, silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.core.ports import Encoder
    from brains.evals.metrics import Values
    from brains.matching.corpus import Floats, Mask

METRIC = "top1"

DEEPEST = 50
"""Places of a ranking that are looked at; a right answer below them counts as not found, for everybody alike."""

NOWHERE = "oos"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One line of train or test."""

    channel: str
    text: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorting:
    """What the folder says: posts to learn from, posts to place, and the descriptions of channels (empty if none)."""

    train: Sequence[Post]
    test: Sequence[Post]
    descriptions: dict[str, str]

    @property
    def channels(self) -> list[str]:
        """Return the names of all channels that a post can be placed in, sorted."""
        return sorted({post.channel for post in self.train} | set(self.descriptions))

    @property
    def cards(self) -> list[Card]:
        """Return the channels that are described."""
        channels = self.channels
        return [Card(id=channels.index(name), name=name, description=text) for name, text in self.descriptions.items()]


async def match_text(
    folder: Path, *, encoder: Encoder, zero_shot: bool = False, progress: Progress = silent
) -> Evaluation:
    """Judge how texts are placed; with `zero_shot`, from the descriptions alone.

    Raises Mistake for files that are not what they should be, or where no test row belongs to a known channel.
    """
    sorting = await asyncio.to_thread(read_folder, folder, zero_shot=zero_shot)
    texts = [post.text for post in sorting.train]
    train = await passages(encoder, texts, progress=progress)
    test = await passages(encoder, [post.text for post in sorting.test], progress=progress)
    texts = told(sorting.cards)
    around = dict(zip(texts, await passages(encoder, texts, progress=progress), strict=True))
    vectors = Vectors(train=train, test=test, around=around)
    return await asyncio.to_thread(judge, sorting, vectors, encoder=encoder.fingerprint, zero_shot=zero_shot)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vectors:
    """The passages of a folder: posts row by row, and by text what describes channels, with ordinary talk."""

    train: Floats
    test: Floats
    around: dict[str, Floats]


def read_folder(folder: Path, *, zero_shot: bool) -> Sorting:
    """Read the three files. Raises Mistake."""
    described = rows.needed(folder, "channels.jsonl") if zero_shot else rows.beside(folder, "channels.jsonl")
    train = [] if zero_shot else _posts(rows.needed(folder, "train.jsonl"))
    test = _posts(rows.needed(folder, "test.jsonl"))
    descriptions = {row.text("channel"): row.text("description") for row in rows.rows(described)} if described else {}
    sorting = Sorting(train=[post for post in train if post.channel != NOWHERE], test=test, descriptions=descriptions)
    known = set(sorting.channels)
    if not any(post.channel in known for post in test):
        raise Mistake(f"{folder}: no row of the test belongs to a channel of the training rows or descriptions.")
    return sorting


def judge(sorting: Sorting, vectors: Vectors, *, encoder: str, zero_shot: bool) -> Evaluation:
    """Measure ours and every baseline."""
    started = time.perf_counter()
    channels = sorting.channels
    owner = {name: at for at, name in enumerate(channels)}
    inside = np.array([post.channel in owner for post in sorting.test])
    wanted = [owner[post.channel] for post in sorting.test if post.channel in owner]
    profiles = _profiles(sorting, vectors, channels, encoder=encoder)
    placed = [place(profiles, post.text, vector) for post, vector in zip(sorting.test, vectors.test, strict=True)]
    sure = np.array([best >= FLOOR for _, best in placed])
    ours = measure([order for (order, _), known in zip(placed, inside, strict=True) if known], wanted, sure[inside])
    return report(
        "match-text zero-shot" if zero_shot else "match-text",
        ours=ours,
        baselines=_rivals(sorting, vectors, inside, wanted),
        metric=METRIC,
        seconds=time.perf_counter() - started,
        also=_spans(ours, 1.0 - sure[~inside]),
    )


def place(profiles: ChannelProfiles, text: str, vector: Floats) -> tuple[list[int], float]:
    """Rank every channel for one text, and return the score of the best."""
    found = match(profiles, vector=vector, text=text, k=DEEPEST, floor=0.0)
    return [suggestion.channel for suggestion in found], found[0].score


def measure(ranked: Sequence[Sequence[int]] | np.ndarray, wanted: Sequence[int], sure: Mask) -> Measured:
    """Measure rankings (n lists of channels) against the right channel of each; `sure` (n,) says where one speaks."""
    pairs = [([int(at) for at in order[:DEEPEST]], {right}) for order, right in zip(ranked, wanted, strict=True)]
    return {
        "top1": np.array([hit(order, right, 1) for order, right in pairs]),
        "top5": np.array([hit(order, right, 5) for order, right in pairs]),
        "mrr": np.array([reciprocal_rank(order, right) for order, right in pairs]),
        "ndcg@10": np.array([ndcg(order, right, 10) for order, right in pairs]),
        "accuracy": np.array([hit(order, right, 1) for order, right in pairs]) * sure,
        "coverage": sure.astype(np.float64),
    }


def _posts(path: Path) -> list[Post]:
    return [
        Post(channel=row.text("channel"), text=row.text("text"), at=row.moment("ts") if "ts" in row.values else 0.0)
        for row in rows.rows(path)
    ]


def _profiles(sorting: Sorting, vectors: Vectors, channels: Sequence[str], *, encoder: str) -> ChannelProfiles:
    times = np.array([post.at for post in sorting.train], dtype=np.float64)
    corpus = Corpus(
        ids=np.arange(len(times)),
        texts=[post.text for post in sorting.train],
        vectors=vectors.train,
        channels=np.searchsorted(channels, [post.channel for post in sorting.train]).astype(np.int64),
        authors=np.zeros(len(times), dtype=np.int64),
        times=times,
    )
    cards = {card.id: card for card in described(sorting.cards, vectors.around)}
    cards |= {at: Card(id=at, name=name) for at, name in enumerate(channels) if at not in cards}
    now = float(times.max(initial=0.0))
    return build_profiles(corpus, list(cards.values()), encoder=encoder, now=now, talk=usual(vectors.around))


def _rivals(sorting: Sorting, vectors: Vectors, inside: Mask, wanted: Sequence[int]) -> dict[str, Measured]:
    """Measure each rival, which learns from descriptions only, and by centroids, where there are no posts."""
    count, asked = len(sorting.channels), Texts(texts=[post.text for post in sorting.test], vectors=vectors.test)
    if sorting.train:
        names = [post.channel for post in sorting.train]
        known = Texts(texts=[post.text for post in sorting.train], vectors=vectors.train)
    else:
        names = [card.name for card in sorting.cards]
        told_of = np.stack([vectors.around[card.text] for card in sorting.cards])
        known = Texts(texts=[f"{card.name} {card.description}" for card in sorting.cards], vectors=told_of)
    owners = np.searchsorted(sorting.channels, names).astype(np.int64)
    found: dict[str, Measured] = {}
    for name, rival in {**text_rivals.CENTROIDS, **(text_rivals.CLASSIFIERS if sorting.train else {})}.items():
        scores = rival(known, owners, count, asked)
        sure = np.ones(len(scores), dtype=np.bool_)
        if not inside.all() and sorting.train:
            sure = text_rivals.confidence(name, scores) >= text_rivals.least(name, rival, known, owners, count)
        ranked = np.argsort(-scores[inside], axis=1, kind="stable")
        found[name] = measure(ranked, wanted, sure[inside])
        if not inside.all():
            found[name]["oos_recall"] = 1.0 - sure[~inside].astype(np.float64)
    return found


def _spans(ours: Measured, silent: Values) -> dict[str, float]:
    """Return what is met by silence rightly, and 95 % intervals of what a community would feel."""
    felt = {name: ours[name] for name in ("top5", "accuracy", "coverage")} | (
        {"oos_recall": silent} if len(silent) else {}
    )
    told_of = {"oos_recall": round(float(silent.mean()), 4)} if len(silent) else {}
    for name, values in felt.items():
        span = bootstrap(values)
        told_of |= {f"{name} low": round(span.low, 4), f"{name} high": round(span.high, 4)}
    return told_of
