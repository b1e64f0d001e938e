"""Labelled sets with a split: ours fitted on `train`, its threshold chosen on `val` or `dev`, judged once on `test`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from brains.evals.metrics import bootstrap
from brains.evals.moderation_ours import fit, joined, said, said_by_shipped, see
from brains.evals.moderation_report import (
    OURS,
    Section,
    best_threshold,
    classified,
    recall_at,
    recall_interval,
    threshold_for,
)
from brains.evals.moderation_rivals import ALIKE, TG, alt_profanity_check, ngrams, tg_spam, word_list
from brains.training import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bot.core.ports import Encoder
    from brains.evals.metrics import Values
    from brains.evals.moderation_ours import Seen
    from brains.evals.moderation_report import Measures
    from brains.evals.moderation_rivals import Fit, Target
    from brains.moderation.features import Ints
    from brains.moderation.heads import Name
    from brains.training.encoding import Progress
    from brains.training.rows import Row
    from brains.training.sentences import Sentence

CHOOSING = {"val", "dev", "valid", "validation"}
BAD = {"1", "true", "yes", "spam", "offensive", "toxic", "hate", "bad"}
GOOD = {"0", "false", "no", "ham", "not-offensive", "neither", "fine", "good", "ok", "non-toxic"}
FEW_FALSE = 0.005
ALONE = f"{OURS}, from its train split alone"
HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """Rows of one set: texts, labels (n,) of 0 and 1, the split of each, and what else a row says of its kind."""

    name: str
    target: Target
    metric: str
    texts: list[str]
    labels: Values
    splits: list[str]
    kinds: list[str]
    also: tuple[Sentence, ...] = ()
    """Sentences of ours that are learned from besides: what a set calls bad may be more than one of our heads."""

    def places(self, split: str) -> Ints:
        """Return where the rows of a split stand."""
        wanted = CHOOSING if split == "val" else {split}
        return np.array([at for at, one in enumerate(self.splits) if one in wanted], dtype=np.int64)


def read_set(
    path: Path,
    *,
    name: str,
    target: Target,
    metric: str = "macro_f1",
    kind: Callable[[Row], str] = lambda _row: "",
    keep: Callable[[Row], bool] = lambda _row: True,
    also: tuple[Sentence, ...] = (),
) -> Labelled:
    """Read rows of `split, label, text`. Raises Mistake where a column is missing, or a split lacks a label."""
    found = [(row, row.text("split"), _label(row), row.text("text")) for row in rows.rows(path) if keep(row)]
    labels = np.array([label for _row, _split, label, _text in found], dtype=np.float64)
    read = Labelled(
        name=name,
        target=target,
        metric=metric,
        texts=[text for _row, _split, _label, text in found],
        labels=labels,
        splits=[split for _row, split, _label, _text in found],
        kinds=[kind(row) for row, _split, _label, _text in found],
        also=also,
    )
    for split in ("train", "test"):
        if len(set(labels[read.places(split)])) < 2:  # noqa: PLR2004 - both labels
            raise Mistake(f"{path}: the split `{split}` needs rows of both labels.")
    return read


async def judge_set(labelled: Labelled, encoder: Encoder, progress: Progress) -> Section:
    """Fit ours and the rivals to `train` and judge them on `test`."""
    seen = await see(encoder, labelled.texts, progress)
    besides = await see(encoder, [one.text for one in labelled.also], progress)
    return await asyncio.to_thread(_judged, labelled, seen, besides, encoder.fingerprint)


def _judged(labelled: Labelled, seen: Seen, besides: Seen, encoder: str) -> Section:
    started = time.perf_counter()
    train, choosing, test = (labelled.places(split) for split in ("train", "val", "test"))
    fitted = fit(seen.some(train), labelled.labels[train])
    both = np.concatenate([choosing, test])
    scores = {OURS: said(fitted, seen.some(both)), "the shipped head": _shipped(labelled, seen.some(both), encoder)}
    if labelled.also:
        scores = {ALONE: scores[OURS], **scores}
        labels = np.concatenate([labelled.labels[train], [float(one.positive) for one in labelled.also]])
        scores[OURS] = said(fit(joined(seen.some(train), besides), labels), seen.some(both))
    texts = [labelled.texts[at] for at in train]
    for name, rival in rivals(labelled.target).items():
        asked = [labelled.texts[at] for at in both]
        scores[name] = rival(texts, labelled.labels[train])(asked)
    judges, intervals, notes = {}, {}, []
    labels = labelled.labels[test]
    for name, values in scores.items():
        chosen, final = values[: len(choosing)], values[len(choosing) :]
        threshold = _threshold(name, labelled, chosen, choosing)
        judges[name] = classified(labels, final, threshold) | _also(labelled, labels, final)
        judges[name] |= _by_kind(labelled, test, final >= threshold)
        if name == OURS and len(choosing):
            best = best_threshold(labelled.labels[choosing], chosen, labelled.metric)
            notes.append(f"At the threshold best on val ({best:.3f}): accuracy {_accuracy(labels, final, best):.4f}.")
        if name == OURS:
            right = ((final >= threshold) == (labels == 1)).astype(np.float64)
            intervals["accuracy"] = bootstrap(right)
            if labelled.target == "spam":
                intervals["recall_at_.5%"] = recall_interval(labels, final, FEW_FALSE)
                strict = threshold_for(fitted.unseen[labelled.labels[train] == 0].astype(np.float64), FEW_FALSE)
                measured = classified(labels, final, strict)
                notes.append(
                    f"At the threshold for .5 % chosen on train (cross-validated): recall {measured['recall']:.3f}, "
                    f"false positives {measured['false']:.4f}."
                )
    return Section(
        name=labelled.name,
        n=len(test),
        judges=judges,
        intervals=intervals,
        notes=tuple(notes),
        seconds=round(time.perf_counter() - started, 1),
    )


def _accuracy(labels: Values, final: Values, threshold: float) -> float:
    return float(((final >= threshold) == (labels == 1)).mean())


def rivals(target: Target) -> dict[str, Fit]:
    """Return the rivals for a target, by name."""
    every: dict[str, Fit] = {"n-gram regression": ngrams, "word list": word_list(target)}
    every |= {"alt-profanity-check": alt_profanity_check}
    return every | {TG: tg_spam} if target == "spam" else every


def _shipped(labelled: Labelled, seen: Seen, encoder: str) -> Values:
    """Return what the shipped head says whose positives a set's are most like: COLD's attack groups of people."""
    about: Name = "hate" if labelled.name == "COLD" else "toxicity"
    return said_by_shipped(seen, about if labelled.target == "toxicity" else "spam", encoder)


CALIBRATED = {OURS, ALONE, "n-gram regression"}
FIXED = {"word list": 1.0, "alt-profanity-check": HALF, TG: ALIKE}
"""Where a rival that is not fitted says yes, if no split is there to choose by."""


def _threshold(name: str, labelled: Labelled, chosen: Values, choosing: Ints) -> float:
    """Choose a judge's threshold on `val`; without it, one half, or as a rival comes.

    Of a calibrated probability one half is the best threshold for accuracy, so that there is nothing to choose.
    """
    if labelled.metric == "accuracy" and name in CALIBRATED:
        return HALF
    if len(choosing):
        return best_threshold(labelled.labels[choosing], chosen, labelled.metric)
    return FIXED.get(name, HALF)


def _also(labelled: Labelled, labels: Values, final: Values) -> Measures:
    if labelled.target != "spam":
        return {}
    return {"recall_at_.5%": round(recall_at(labels, final, FEW_FALSE), 4)}


def _by_kind(labelled: Labelled, test: Ints, yes: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Measures:
    """Return the share called bad of each kind that the harmless rows of the test name."""
    kinds = np.array([labelled.kinds[at] for at in test])
    harmless = labelled.labels[test] == 0
    named: Sequence[str] = sorted({str(one) for one in kinds[harmless] if one})
    return {f"false, {name}": round(float(yes[harmless & (kinds == name)].mean()), 4) for name in named}


def _label(row: Row) -> float:
    value = row.text("label").strip().casefold()
    if value in BAD:
        return 1.0
    if value in GOOD:
        return 0.0
    raise row.wrong("label", "1 or 0, or a word such as spam, ham, offensive, not-offensive")
