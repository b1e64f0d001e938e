"""The whole of `kinfolk train sentiment`: from a folder of data to the file and its card, or a refusal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from brains.rhythm.sentiment import LABELS, NEGATIVE, save
from brains.training import fairness, texts
from brains.training.encoding import passages, silent
from brains.training.sentiment import Lesson, fit, macro_recall
from brains.training.sentiment_card import card
from brains.training.sentiment_texts import TWEETED, gathered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.core.ports import Encoder, Vector
    from brains.rhythm.sentiment import Sentiment
    from brains.training.encoding import Progress
    from brains.training.fairness import Line
    from brains.training.sentences import Harmless
    from brains.training.sentiment_texts import Labelled

FILE, CARD = "sentiment.safetensors", "sentiment.md"
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a training: the files, from how many texts, the macro recall of unseen tweets, the fairness bar."""

    file: Path
    card: Path
    examples: int
    recall: float
    fairness: list[Line]


async def train_sentiment(
    data: Path,
    out: Path,
    *,
    encoder: Encoder,
    date: str,
    seed: int = SEED,
    force: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Fit the head to a folder of data and write it with its card into another.

    Raises Mistake for data that is missing or not as it should be, and where what people of some group are harmlessly
    said to be would be called negative above the bar (see `fairness`), unless forced; nothing is written then.
    """
    examples = await asyncio.to_thread(gathered, data)
    vectors = await passages(encoder, [one.text for one in examples], progress=progress)
    lesson = await asyncio.to_thread(_lesson, examples, vectors)
    fitted = await asyncio.to_thread(fit, lesson, encoder=encoder.fingerprint, made=date, seed=seed)
    ours = await asyncio.to_thread(fairness.ours)
    harmless = await passages(encoder, [one.text for one in ours])
    lines = _judged(fitted.head, ours, harmless)
    above = [line for line in lines if line.above]
    if above and not force:
        groups = "; ".join(f"{line.group} in {line.family}: {line.rate:.2%} of {line.n}" for line in above)
        raise Mistake(
            f"This head would call harmless sentences about some groups negative more than twice as often as about "
            f"others: {groups}. Nothing was written. Give neutral examples of these groups, or write it by --force."
        )
    told = card(fitted, examples, lesson, lines, date=date)
    await asyncio.to_thread(_write, fitted.head, told, out)
    tweets = np.array([one.source == TWEETED for one in examples])
    recall = macro_recall(lesson.labels[tweets], fitted.unseen[tweets].argmax(axis=1))
    return Outcome(file=out / FILE, card=out / CARD, examples=len(examples), recall=recall, fairness=lines)


def _lesson(examples: Sequence[Labelled], vectors: Vector) -> Lesson:
    groups = texts.read([one.text for one in examples], undo=False).groups()
    for at, one in enumerate(examples):
        if one.line is not None:
            groups[at] = one.line
    return Lesson(
        vectors=vectors,
        labels=np.array([LABELS.index(one.label) for one in examples], dtype=np.int64),
        weights=np.array([one.weight for one in examples], dtype=np.float32),
        groups=groups,
    )


def _judged(head: Sentiment, ours: Sequence[Harmless], vectors: Vector) -> list[Line]:
    """Compare how often harmless sentences of each group are called negative, by family."""
    scores = head.scores(vectors)
    negative = scores.argmax(axis=1) == NEGATIVE
    families = []
    for kind, language in (("identity", "en"), ("identity", "zh"), ("dialect", "")):
        these = np.array([one.kind == kind and language in {"", one.language} for one in ours])
        groups = [one.group for one, inside in zip(ours, these, strict=True) if inside]
        name = f"written: {kind} {language}".strip()
        families.append(
            fairness.family(name, groups, {"negative": scores[these, NEGATIVE]}, {"negative": negative[these]})
        )
    return fairness.judged(families)


def _write(head: Sentiment, told: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    save(head, out / FILE)
    (out / CARD).write_text(told, encoding="utf-8")
