"""Telegram spam: five folds with near-copies kept together, Bytecode's messages as English ham, Russian apart."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from brains.evals.moderation_ours import fit, joined, said, see
from brains.evals.moderation_report import OURS, Section, recall_at, recall_interval, threshold_for
from brains.evals.moderation_rivals import ALIKE, TG
from brains.evals.moderation_sets import FIXED, rivals
from brains.training import rows
from brains.training.examples import language, own

if TYPE_CHECKING:
    from pathlib import Path

    from bot.core.ports import Encoder
    from brains.evals.metrics import Interval, Values
    from brains.evals.moderation_ours import Seen
    from brains.evals.moderation_report import Measures
    from brains.evals.moderation_rivals import Score
    from brains.moderation.features import Ints
    from brains.training.encoding import Progress
    from brains.training.fitting import Fitted

FOLDS = 5
COPIES = 0.6
"""Cosine of character n-grams (TF-IDF) from which two messages are near-copies."""
HAM = 2_000
"""Messages of Bytecode, drawn by seed, that stand for English ham."""
FALSE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Telegram:
    """Messages with labels (n,), languages, and groups (n,) of near-copies; the first `samples` are Telegram's own.

    `also` is learned from in every fold, by ours and by n-gram regression.
    """

    texts: list[str]
    labels: Values
    languages: list[str]
    groups: Ints
    samples: int
    also: list[str]
    also_labels: Values

    @property
    def folds(self) -> Ints:
        """Return the fold (n,) of each message; a group is in one."""
        order = np.random.default_rng(0).permutation(int(self.groups.max()) + 1)
        return np.asarray(order[self.groups] % FOLDS)


def read_telegram(folder: Path) -> Telegram:
    """Read the samples, draw the ham, and find near-copies. Raises Mistake."""
    found = list(rows.rows(rows.needed(folder / "moderation", "ruen_telegram_spam.jsonl")))
    chat = [one.text("text") for one in rows.rows(rows.needed(folder / "zulip_bytecodealliance", "messages.jsonl"))]
    drawn = np.random.default_rng(0).choice(len(chat), size=min(HAM, len(chat)), replace=False)
    texts = [one.text("text") for one in found] + [chat[at] for at in sorted(drawn)]
    taught = [one for one in own() if "spam" in one.labels and one.kind != "harmless"]
    return Telegram(
        texts=texts,
        labels=np.array([float(one.text("label") == "1") for one in found] + [0.0] * len(drawn)),
        languages=[one.text("lang", default=language(one.text("text"))) for one in found] + ["en"] * len(drawn),
        groups=near_copies(texts),
        samples=len(found),
        also=[one.text for one in taught],
        also_labels=np.array([float(one.labels["spam"]) for one in taught]),
    )


def near_copies(texts: list[str]) -> Ints:
    """Number groups (n,) of texts that are linked by likeness."""
    from scipy.sparse.csgraph import connected_components

    rows_ = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), dtype=np.float32).fit_transform(texts)
    alike = rows_ @ rows_.T
    alike.data = (alike.data >= COPIES).astype(np.float32)
    alike.eliminate_zeros()
    return np.asarray(connected_components(alike, directed=False)[1], dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Folded:
    """What was fitted on the other four folds of each fold: ours, and the rivals by name."""

    ours: list[Fitted]
    thresholds: list[float]
    rivals: dict[str, list[Score]]


def fold(telegram: Telegram, seen: Seen, also: Seen) -> Folded:
    """Fit ours and the rivals five times; ours chooses its threshold for 1 % on the folds it learns from.

    tg-spam's checks learn from Telegram's samples alone, as they come: two thousand English messages among the ham
    would have its Bayes take all Russian for spam.
    """
    ours, thresholds = [], []
    others: dict[str, list[Score]] = {name: [] for name in rivals("spam")}
    for one in range(FOLDS):
        inside = np.flatnonzero(telegram.folds != one)
        labels = np.concatenate([telegram.labels[inside], telegram.also_labels])
        groups = np.concatenate([telegram.groups[inside], 10_000 + np.arange(len(telegram.also))])
        fitted = fit(joined(seen.some(inside), also), labels, groups=groups)
        ham = fitted.unseen[: len(inside)][telegram.labels[inside] == 0]
        ours.append(fitted)
        thresholds.append(threshold_for(ham.astype(np.float64), FALSE))
        own_samples = inside[inside < telegram.samples]
        for name, rival in rivals("spam").items():
            taught = own_samples if name == TG else inside
            texts, known = [telegram.texts[at] for at in taught], telegram.labels[taught]
            if name != TG:
                texts, known = texts + telegram.also, labels
            others[name].append(rival(texts, known))
    return Folded(ours=ours, thresholds=thresholds, rivals=others)


def unfolded(telegram: Telegram, folded: Folded, seen: Seen) -> tuple[Values, Values]:
    """Return what ours says of each message (n,), fitted without its fold, and whether it reaches that threshold."""
    scores, reached = np.zeros(len(telegram.texts)), np.zeros(len(telegram.texts))
    for one, (fitted, threshold) in enumerate(zip(folded.ours, folded.thresholds, strict=True)):
        these = np.flatnonzero(telegram.folds == one)
        scores[these] = said(fitted, seen.some(these))
        reached[these] = scores[these] >= threshold
    return scores, reached


def unfolded_rival(telegram: Telegram, scorers: list[Score], texts: list[str]) -> Values:
    """Return what a rival says of each message (n,), taught without its fold."""
    scores = np.zeros(len(texts))
    for one, scorer in enumerate(scorers):
        these = np.flatnonzero(telegram.folds == one)
        scores[these] = scorer([texts[at] for at in these])
    return scores


async def see_telegram(telegram: Telegram, encoder: Encoder, progress: Progress) -> tuple[Seen, Seen]:
    """Read the messages, and what is learned from besides."""
    return await see(encoder, telegram.texts, progress), await see(encoder, telegram.also, progress)


async def judge_telegram(telegram: Telegram, folded: Folded, seen: Seen) -> Section:
    """Measure recall at 1 % false positives, in all and by language."""
    return await asyncio.to_thread(_judged, telegram, folded, seen)


def _judged(telegram: Telegram, folded: Folded, seen: Seen) -> Section:
    started = time.perf_counter()
    scores, reached = unfolded(telegram, folded, seen)
    judges = {OURS: _measures(telegram, scores, reached)}
    for name, scorers in folded.rivals.items():
        values = unfolded_rival(telegram, scorers, telegram.texts)
        yes = (values >= FIXED.get(name, ALIKE)).astype(np.float64)
        judges[name] = _measures(telegram, values, yes if name != "n-gram regression" else None)
    intervals: dict[str, Interval] = {}
    for name, these in _parts(telegram).items():
        groups = telegram.groups[these].astype(np.float64)
        intervals[f"recall_at_1%, {name}"] = recall_interval(
            telegram.labels[these], scores[these], FALSE, groups=groups
        )
    spam = int(telegram.labels.sum())
    return Section(
        name="telegram",
        n=len(telegram.texts),
        judges=judges,
        intervals=intervals,
        notes=(
            f"{spam} spam in {len(set(telegram.groups[telegram.labels == 1]))} groups of near-copies.",
            "`recall` and `false` are at each fold's own threshold, chosen for 1 % on the other folds; a rival that is "
            "not fitted is taken as it comes. `recall_at_1%` is where exactly 1 % of the harmless are called spam.",
            f"Learned from besides, by ours and by n-gram regression: {len(telegram.also)} sentences of our own.",
        ),
        seconds=round(time.perf_counter() - started, 1),
    )


def _parts(telegram: Telegram) -> dict[str, Ints]:
    languages = np.array(telegram.languages)
    return {
        "all": np.arange(len(languages)),
        "Russian": np.flatnonzero(languages == "ru"),
        "English": np.flatnonzero(languages == "en"),
    }


def _measures(telegram: Telegram, scores: Values, reached: Values | None) -> Measures:
    found: Measures = {}
    for name, these in _parts(telegram).items():
        labels = telegram.labels[these]
        found[f"recall_at_1%, {name}"] = round(recall_at(labels, scores[these], FALSE), 4)
        if reached is not None:
            found[f"recall, {name}"] = round(float(reached[these][labels == 1].mean()), 4)
            found[f"false, {name}"] = round(float(reached[these][labels == 0].mean()), 4)
    return found
