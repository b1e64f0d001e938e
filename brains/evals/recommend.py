"""`eval recommend`: which channels will a known member use next?

History is cut at a date. A test member wrote before it, and first used some channel, known before it, after it. The
channels used before are left out of the ranking; the others are ranked by the functions that serve members.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from brains.evals import baselines
from brains.evals.evaluation import Evaluation, Measured, report
from brains.evals.metrics import hit, ndcg, reciprocal_rank
from brains.evals.recommend_ours import learned, suggested
from brains.matching.corpus import Corpus
from brains.training import rows
from brains.training.encoding import Progress, passages, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from bot.core.ports import Encoder
    from brains.evals.metrics import Values
    from brains.matching.corpus import Floats

METRIC = "ndcg@10"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One line of the file: a member used a channel."""

    user: str
    channel: str
    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """History before the cut and what came after it.

    `channels` and `users` name positions; `corpus` holds the uses before the cut by these positions, its ids the rows;
    `coming` maps a test member to the channels first used after the cut.
    """

    cut: float
    channels: Sequence[str]
    users: Sequence[str]
    corpus: Corpus
    coming: Mapping[int, frozenset[int]]

    @property
    def used(self) -> Values:
        """Return 1 where a member used a channel before the cut (m, c)."""
        used = np.zeros((len(self.users), len(self.channels)))
        used[self.corpus.authors, self.corpus.channels] = 1
        return used


async def recommend(path: Path, *, cut: datetime, encoder: Encoder, progress: Progress = silent) -> Evaluation:
    """Judge recommendations on rows of `user, channel, ts[, n, text]`.

    Rows without text count as uses alone, and a file without any text is judged by who goes where; the notes say so.
    Raises Mistake for a file that is not what it should be, or a cut without a test member.
    """
    uses = await asyncio.to_thread(read_uses, path)
    before = [use for use in uses if use.at < cut.timestamp()]
    vectors = await passages(encoder, [use.text for use in before], progress=progress)
    parts = split(before, [use for use in uses if use.at >= cut.timestamp()], vectors, cut=cut.timestamp())
    if not parts.coming:
        raise Mistake(f"{path}: after {cut:%Y-%m-%d} no known member first uses a known channel. Choose another cut.")
    return await asyncio.to_thread(judge, parts, encoder=encoder.fingerprint)


def read_uses(path: Path) -> list[Use]:
    """Read the rows in order of time. Raises Mistake."""
    uses = [
        Use(user=row.text("user"), channel=row.text("channel"), at=row.moment("ts"), text=row.text("text", default=""))
        for row in rows.rows(path)
    ]
    return sorted(uses, key=lambda use: use.at)


def split(before: Sequence[Use], after: Sequence[Use], vectors: Floats, *, cut: float) -> Split:
    """Lay out history (n,) with its vectors (n, d) and the test."""
    channels = sorted({use.channel for use in before})
    users = sorted({use.user for use in before})
    channel_at = {name: at for at, name in enumerate(channels)}
    user_at = {name: at for at, name in enumerate(users)}
    corpus = Corpus(
        ids=np.arange(len(before)),
        texts=[use.text for use in before],
        vectors=vectors,
        channels=np.array([channel_at[use.channel] for use in before], dtype=np.int64),
        authors=np.array([user_at[use.user] for use in before], dtype=np.int64),
        times=np.array([use.at for use in before], dtype=np.float64),
    )
    found = first_uses(before, after, users=users, channels=channels)
    return Split(cut=cut, channels=channels, users=users, corpus=corpus, coming=found)


def first_uses(
    before: Sequence[Use], after: Sequence[Use], *, users: Sequence[str], channels: Sequence[str]
) -> dict[int, frozenset[int]]:
    """Return by position which known channels each known user first used in `after`; users of none are left out."""
    user_at = {name: at for at, name in enumerate(users)}
    channel_at = {name: at for at, name in enumerate(channels)}
    met = {(use.user, use.channel) for use in before}
    coming: dict[int, set[int]] = {}
    for use in after:
        if use.user in user_at and use.channel in channel_at and (use.user, use.channel) not in met:
            coming.setdefault(user_at[use.user], set()).add(channel_at[use.channel])
    return {user: frozenset(wanted) for user, wanted in sorted(coming.items())}


def judge(parts: Split, *, encoder: str) -> Evaluation:
    """Measure ours and every baseline on a split."""
    started = time.perf_counter()
    others = {name: measure(parts, ranked(parts, scores)) for name, scores in _rivals(parts).items()}
    told = suggested(parts, learned(parts, encoder=encoder), list(parts.coming))
    ours = measure(parts, told.orders)
    return report(
        "recommend",
        ours=ours,
        baselines=others,
        metric=METRIC,
        seconds=time.perf_counter() - started,
        notes=_notes(parts),
    )


def measure(parts: Split, ranked: Sequence[Sequence[int]]) -> Measured:
    """Measure the rankings of the test members, in their order."""
    pairs = list(zip(ranked, parts.coming.values(), strict=True))
    return {
        "ndcg@10": np.array([ndcg(order, wanted, 10) for order, wanted in pairs]),
        "hit@1": np.array([hit(order, wanted, 1) for order, wanted in pairs]),
        "hit@10": np.array([hit(order, wanted, 10) for order, wanted in pairs]),
        "mrr": np.array([reciprocal_rank(order, wanted) for order, wanted in pairs]),
    }


def _rivals(parts: Split) -> dict[str, Values]:
    """Score every member and channel (m, c) by each baseline."""
    used, corpus = parts.used, parts.corpus
    recent = baselines.recent_popularity(used, corpus, corpus.channels, now=parts.cut)
    rivals = {
        "popularity": baselines.popularity(used),
        "recent popularity": recent,
        "item-kNN": baselines.item_knn(used),
        "EASE": baselines.ease(used),
        "EASE + recent popularity": baselines.ease_and_recent(used, recent),
    }
    if any(corpus.texts):
        score = baselines.tfidf_centroid(corpus.texts, corpus.channels, len(parts.channels))
        rivals["TF-IDF centroid"] = score(corpus.texts, corpus.authors, len(parts.users))
    return rivals


def ranked(parts: Split, scores: Values, users: Iterable[int] | None = None) -> list[list[int]]:
    """Order the channels that each user, by default the test members, has not used, best first; ties by name."""
    open_scores = np.where(parts.used > 0, -np.inf, scores)
    orders = {
        user: np.argsort(-open_scores[user], kind="stable") for user in (parts.coming if users is None else users)
    }
    return [[int(at) for at in order if np.isfinite(open_scores[user, at])] for user, order in orders.items()]


def _notes(parts: Split) -> tuple[str, ...]:
    size = f"{len(parts.coming)} members first used some of {len(parts.channels)} known channels after the cut."
    silent_rows = sum(not text.strip() for text in parts.corpus.texts)
    if not silent_rows:
        return (size,)
    return (size, f"{silent_rows} of {len(parts.corpus)} rows before the cut have no text: content is silent on them.")
