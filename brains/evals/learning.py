"""`eval learning`: what a community's first verdicts are worth, in the order they come and uncertain ones first.

A folder with en_sms_spam, zh_chat_spam and en_tweeteval_offensive (.jsonl.gz: split, label, text). The training split
is streamed as verdicts of two staff members; the shipped heads and what corrects them are judged on the test.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.evals.metrics import bootstrap
from brains.moderation.learned import logits
from brains.moderation.signature import sign, skeleton
from brains.training import rows, texts
from brains.training.community import Ordinary, Taught, calm, fit, learn
from brains.training.encoding import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bot.core.ports import Encoder, Vector
    from brains.moderation.heads import Heads
    from brains.moderation.learned import Correction, Floats

SETS = {
    "sms": ("en_sms_spam.jsonl", "spam"),
    "chinese": ("zh_chat_spam.jsonl", "spam"),
    "tweeteval": ("en_tweeteval_offensive.jsonl", "toxicity"),
}
BAD = {"1", "offensive"}
VERDICTS = (20, 50, 200)
SEEDS = 5
POOL = 3_000
"""Messages of the training split that may come up for a verdict."""
ORDINARY = 500
"""Good messages of the training split that nobody rules on, as a community has its own chat."""
ORDERS = ("random", "uncertain first")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stream:
    """One set: vectors (n, d), shipped logits (n,), labels (n,), and which rows teach, are ordinary and judge."""

    vectors: Vector
    logits: Floats
    labels: np.ndarray[tuple[int], np.dtype[np.int_]]
    same: Sequence[bytes]
    pool: np.ndarray[tuple[int], np.dtype[np.int_]]
    ordinary: np.ndarray[tuple[int], np.dtype[np.int_]]
    test: np.ndarray[tuple[int], np.dtype[np.int_]]
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningEvaluation:
    """By set, order and number of verdicts: the error on the test, and what the flag threshold finds there."""

    before: Mapping[str, Mapping[str, float]]
    after: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]
    n: int
    seconds: float
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the document that `kinfolk eval learning --json` prints."""
        return {
            "task": "learning",
            "n": self.n,
            "ours": {name: dict(some) for name, some in self.after.items()},
            "baselines": {"shipped heads": dict(self.before)},
            "seconds": self.seconds,
            "notes": list(self.notes),
        }


async def judge(folder: Path, *, encoder: Encoder, heads: Heads, progress: Progress = silent) -> LearningEvaluation:
    """Measure the shipped heads, and what verdicts make of them."""
    started = time.perf_counter()
    before, after, count = {}, {}, 0
    for name, (file, head) in SETS.items():
        stream = await _read(folder, file, head, encoder, heads, progress)
        before[name] = _figures(stream, None)
        after[name] = {order: _streamed(stream, order) for order in ORDERS}
        count += len(stream.test)
    return LearningEvaluation(
        before=before,
        after=after,
        n=count,
        seconds=round(time.perf_counter() - started, 1),
        notes=(
            f"{SEEDS} draws each; low and high: 95 % intervals over the test's messages, averaged over the draws.",
            "promoted: the share of draws in which the correction passed what is held back, and would serve.",
        ),
    )


async def _read(  # noqa: PLR0917 - of one caller
    folder: Path, file: str, head: str, encoder: Encoder, heads: Heads, progress: Progress
) -> Stream:
    found = [row for row in rows.rows(rows.needed(folder, file)) if row.text("dup_in_train", default="0") == "0"]
    seen = texts.read([row.text("text") for row in found])
    vectors = await texts.encode(encoder, seen, progress=progress)
    with_vector = heads.serves(encoder.fingerprint)
    scores = heads.scores(seen.texts, seen.plains, vectors if with_vector else None, tricks=seen.tricks)
    labels = np.array([int(row.text("label") in BAD) for row in found])
    train, test = (np.flatnonzero([row.text("split") == split for row in found]) for split in ("train", "test"))
    drawn = np.random.default_rng(0).permutation(train)
    rest = drawn[POOL:] if len(drawn) > POOL + ORDINARY else drawn[len(drawn) // 2 :]
    return Stream(
        vectors=vectors,
        logits=logits(scores[head]),
        labels=labels,
        same=[sign(skeleton(plain)).tobytes() for plain in seen.plains],
        pool=np.setdiff1d(drawn, rest),
        ordinary=rest[labels[rest] == 0][:ORDINARY],
        test=test,
        threshold=heads.lowest(with_vector=with_vector)[head],
    )


def _streamed(stream: Stream, order: str) -> dict[str, dict[str, float]]:
    """Rule on messages in an order, and measure after so many verdicts each."""
    measured: dict[int, list[dict[str, float]]] = {count: [] for count in VERDICTS}
    wrong: dict[int, list[Floats]] = {count: [] for count in VERDICTS}
    known = Ordinary(vectors=stream.vectors[stream.ordinary], logits=stream.logits[stream.ordinary])
    for seed in range(SEEDS):
        draw = np.random.default_rng(seed)
        waiting = draw.permutation(stream.pool)[: len(stream.pool) // 2]
        ruled: list[int] = []
        correction: Correction | None = None
        for count in VERDICTS:
            left = np.setdiff1d(waiting, ruled, assume_unique=True) if ruled else waiting
            ruled += _next(stream, left, count - len(ruled), order, correction)
            lessons = [_taught(stream, one, number) for number, one in enumerate(ruled)]
            correction = fit(lessons, known) if len({one.label for one in lessons}) > 1 else None
            _served, report = learn(lessons, known, threshold=stream.threshold)
            measured[count].append({**_figures(stream, correction), "promoted": float(report.promoted)})
            wrong[count].append(_wrong(stream, correction))
    return {str(count): _mean(measured[count], np.mean(wrong[count], axis=0)) for count in VERDICTS}


def _next(
    stream: Stream, left: np.ndarray[tuple[int], np.dtype[np.int_]], count: int, order: str, now: Correction | None
) -> list[int]:
    """Return the messages that staff is asked about next: any, or those that the head is least sure of."""
    if order == "random":
        return [int(one) for one in left[:count]]
    sure = np.abs(_corrected(stream, now)[left])
    return [int(one) for one in left[np.argsort(sure, kind="stable")[:count]]]


def _taught(stream: Stream, one: int, number: int) -> Taught:
    return Taught(
        vector=stream.vectors[one],
        logit=float(stream.logits[one]),
        label=int(stream.labels[one]),
        case=str(one),
        by=f"staff{number % 2}",
        same=stream.same[one],
    )


def _corrected(stream: Stream, correction: Correction | None) -> Floats:
    return stream.logits if correction is None else correction.logits(stream.logits, stream.vectors)


def _wrong(stream: Stream, correction: Correction | None) -> Floats:
    """Say of each test message whether it is judged wrongly at even odds (n,)."""
    found: Floats = ((_corrected(stream, correction)[stream.test] >= 0) != stream.labels[stream.test]).astype(
        np.float64
    )
    return found


def _figures(stream: Stream, correction: Correction | None) -> dict[str, float]:
    """Measure the error at even odds, and what is flagged at the threshold once the correction is calmed."""
    edge = float(np.log(stream.threshold / (1 - stream.threshold)))
    known = Ordinary(vectors=stream.vectors[stream.ordinary], logits=stream.logits[stream.ordinary])
    flagged = _corrected(stream, calm(correction, known, edge) if correction else None)[stream.test] >= edge
    bad = stream.labels[stream.test] == 1
    return {
        "error": round(float(_wrong(stream, correction).mean()), 4),
        "recall at flag": round(float(flagged[bad].mean()), 4),
        "false alarms at flag": round(float(flagged[~bad].mean()), 4),
    }


def _mean(drawn: Sequence[Mapping[str, float]], wrong: Floats) -> dict[str, float]:
    interval = bootstrap(wrong, draws=1000)
    mean = {name: round(float(np.mean([one[name] for one in drawn])), 4) for name in drawn[0]}
    return {**mean, "error low": round(interval.low, 4), "error high": round(interval.high, 4)}
