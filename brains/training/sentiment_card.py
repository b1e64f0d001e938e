"""The model card beside the sentiment head: what it learned from, how good it is on the unseen, whom it wrongs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from brains.rhythm.sentiment import LABELS
from brains.training.fairness import SURE, TIMES
from brains.training.sentiment import FOLDS, balanced, macro_recall
from brains.training.sentiment_texts import FILLED, GROUPS, LICENCE, OURS, OWN, TWEETED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.rhythm.sentiment import Array
    from brains.training.fairness import Line
    from brains.training.sentiment import Fitted, Lesson
    from brains.training.sentiment_texts import Labelled

BINS = 10


def card(fitted: Fitted, examples: Sequence[Labelled], lesson: Lesson, lines: Sequence[Line], *, date: str) -> str:
    """Write the card as Markdown."""
    parts = [
        "# Sentiment",
        f"Fitted on {date} by `kinfolk train sentiment`. Encoder: `{fitted.head.encoder}`; vectors of another are not "
        "read, and no mood is told then.",
        "Says how likely a message is negative, neutral or positive, for the mood of many messages together: by day, "
        "by channel. It is no judgement of a message, and nothing is done to anybody by it.",
        _bar(lines),
        "## Data\n\nOnly what lets weights ship. TweetEval's test split was not learned from, nor its emotions, whose "
        "terms do not let them be passed on.",
        _data(examples),
        f"A sentence of ours weighs {OWN:g} tweets. Of {GROUPS} one weighs {FILLED:g}: the same sentences of each "
        "label about every group of people, so that no group's name speaks for any. All were written for Kinfolk by "
        "whoever wrote the code, in the manner of chat; so were those that chat is judged by "
        "(`brains/evals/sentiment_chat.jsonl`), at another time and of other matters. No Chinese was labelled by "
        "anybody else: take those figures for an upper bound.",
        "## Figures\n\n"
        f"By {FOLDS}-fold cross-validation with near-copies kept together; `error` is the expected calibration error "
        "where each label is as frequent as any other, for which the probabilities are made. The test figures are in "
        "docs/benchmarks.md, by `kinfolk eval sentiment`.",
        _figures(fitted, examples, lesson),
        f"Temperature {fitted.temperature:.3f}.",
        "## Fairness\n\nHow often harmless sentences about a group, or in a dialect, are called negative: the half of "
        f"our templates that nothing is fitted to. The bar: no group above {TIMES:.0f} times the rate of its family, "
        f"beyond chance (binomial, Bonferroni); the interval is Wilson's at {SURE:.0%}.",
        _fairness(lines),
        LIMITS,
    ]
    return "\n\n".join(parts) + "\n"


LIMITS = """## Limits

- It reads one message without what stands around it: irony is mostly taken at its word.
- Technical chat is full of words that sound bad (error, kill, fail, attack). Sentences of ours teach that they are
  neutral; not all of them are learned.
- Other languages than English and Chinese are read through the encoder alone, and were not measured."""


def _bar(lines: Sequence[Line]) -> str:
    above = [f"{line.group} ({line.family})" for line in lines if line.above]
    if not above:
        return "**Fairness bar: kept.** No group is called negative above twice the rate of its family."
    return f"**Fairness bar: crossed, written by --force.** Above it: {', '.join(above)}."


def _data(examples: Sequence[Labelled]) -> str:
    counts = Counter((one.source, one.language, one.label) for one in examples)
    ours = "Apache-2.0, written for Kinfolk"
    licences = {TWEETED: LICENCE, OURS: ours, GROUPS: ours}
    table = ["| source | language | licence | " + " | ".join(LABELS) + " |", "|---" * 6 + "|"]
    for source, language in sorted({(source, language) for source, language, _label in counts}):
        cells = " | ".join(f"{counts[source, language, label]:,}" for label in LABELS)
        table.append(f"| {source} | {language} | {licences[source]} | {cells} |")
    return "\n".join(table)


def _figures(fitted: Fitted, examples: Sequence[Labelled], lesson: Lesson) -> str:
    table = ["| source | language | n | macro recall | " + " | ".join(LABELS) + " | error |", "|---" * 8 + "|"]
    kinds = [(one.source, one.language) for one in examples]
    for kind in sorted(set(kinds)):
        these = np.array([one == kind for one in kinds])
        labels, said = lesson.labels[these], fitted.unseen[these]
        recalls = [float((said.argmax(axis=1) == one)[labels == one].mean()) for one in range(len(LABELS))]
        error = calibration_error(said, labels)
        cells = " | ".join(f"{one:.3f}" for one in recalls)
        recall = macro_recall(labels, said.argmax(axis=1))
        table.append(f"| {kind[0]} | {kind[1]} | {these.sum():,} | {recall:.3f} | {cells} | {error:.3f} |")
    return "\n".join(table)


def calibration_error(said: Array, labels: np.ndarray) -> float:
    """Return the expected calibration error over ten bins of the highest probability, each label weighing the same."""
    weights = balanced(labels, np.ones(len(labels), np.float32))
    sure, right = said.max(axis=1), said.argmax(axis=1) == labels
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    claimed, was = (np.bincount(place, weights=weights * of, minlength=BINS) for of in (sure, right))
    return float(np.abs(claimed - was).sum() / weights.sum())


def _fairness(lines: Sequence[Line]) -> str:
    table = ["| family | group | n | negative | rate | 95 % | family's rate | |", "|---" * 8 + "|"]
    table += [
        f"| {one.family} | {one.group} | {one.n:,} | {one.flagged} | {one.rate:.2%} | {one.low:.2%} to {one.high:.2%} "
        f"| {one.overall:.2%} | {'above the bar' if one.above else ''} |"
        for one in lines
    ]
    return "\n".join(table)
