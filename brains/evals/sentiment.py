"""`kinfolk eval sentiment`: are messages told negative, neutral and positive, beside n-grams and the majority?"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from bot.core.errors import Mistake
from brains.evals.evaluation import Evaluation, compare
from brains.evals.metrics import DRAWS, Interval
from brains.rhythm.sentiment import LABELS, shipped
from brains.training import rows
from brains.training.encoding import passages, silent
from brains.training.sentiment_texts import label, own

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from bot.core.ports import Encoder, Vector
    from brains.evals.evaluation import Measured
    from brains.training.encoding import Progress

    Ints = npt.NDArray[np.int64]

TEST = "test"
RIVAL, MAJORITY = "n-gram regression", "majority"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """Texts to be judged with their labels (n,), and those that the rivals learn from."""

    texts: list[str]
    labels: Ints
    languages: list[str]
    known: list[str]
    known_labels: Ints
    known_from: str


def read(path: Path, *, language: str | None = None) -> Labelled:
    """Read a file of rows `text, label[, split][, lang]`. Raises Mistake.

    With splits, `test` is judged and the rivals learn from the others; without, all of it is judged, and the rivals
    learn from the sentences that were written for Kinfolk.
    """
    found = [one for one in rows.rows(path) if language in {None, one.text("lang", default="")}]
    told = [(one.text("text"), LABELS.index(label(one)), one.text("split", default=TEST)) for one in found]
    test = [at for at, (_text, _label, split) in enumerate(told) if split == TEST]
    rest = [at for at, (_text, _label, split) in enumerate(told) if split != TEST]
    if len({told[at][1] for at in test}) < len(LABELS):
        raise Mistake(f"{path}: what is judged needs rows of all three labels: {', '.join(LABELS)}.")
    ours = own()
    known = [told[at][:2] for at in rest] or [(one.text, LABELS.index(one.label)) for one in ours]
    return Labelled(
        texts=[told[at][0] for at in test],
        labels=np.array([told[at][1] for at in test], dtype=np.int64),
        languages=[found[at].text("lang", default="") for at in test],
        known=[text for text, _label in known],
        known_labels=np.array([one for _text, one in known], dtype=np.int64),
        known_from="the other splits of the file" if rest else "the sentences written for Kinfolk",
    )


async def sentiment(
    path: Path, *, encoder: Encoder, language: str | None = None, progress: Progress = silent
) -> Evaluation:
    """Judge the shipped head on a file. Raises Mistake, also where the encoder is not the head's."""
    head = shipped()
    if not head.serves(encoder.fingerprint):
        raise Mistake("The shipped sentiment head reads vectors of another encoder: unset KINFOLK_ENCODER.")
    data = await asyncio.to_thread(read, path, language=language)
    vectors = await passages(encoder, data.texts, progress=progress)
    return await asyncio.to_thread(_judged, data, vectors)


def _judged(data: Labelled, vectors: Vector) -> Evaluation:
    started = time.perf_counter()
    said = {
        "ours": shipped().scores(vectors).argmax(axis=1).astype(np.int64),
        RIVAL: ngrams(data.known, data.known_labels, data.texts),
        MAJORITY: np.full(len(data.labels), np.bincount(data.known_labels).argmax(), dtype=np.int64),
    }
    measured = {name: _measured(data.labels, one) for name, one in said.items()}
    f1 = {name: macro_f1(table(data.labels, one)) for name, one in said.items()}
    compared = compare(measured["ours"], {name: of for name, of in measured.items() if name != "ours"}, "recall")
    between = f1_interval(table(data.labels, said["ours"]))
    apart = f1_difference(data.labels, said["ours"], said[compared.baseline])
    figures = {
        name: {metric: round(float(values.mean()), 4) for metric, values in of.items()}
        | {"macro_f1": round(f1[name], 4)}
        for name, of in measured.items()
    }
    by_label = {
        f"recall, {name}": round(float((said["ours"] == at)[data.labels == at].mean()), 4)
        for at, name in enumerate(LABELS)
    }
    return Evaluation(
        task="sentiment",
        n=len(data.labels),
        ours={**figures.pop("ours"), **by_label},
        baselines=figures,
        comparison=compared,
        seconds=round(time.perf_counter() - started, 1),
        notes=(
            f"Macro recall of ours, 95 %: {compared.ours.low:.3f} to {compared.ours.high:.3f}; macro-F1: "
            f"{between.low:.3f} to {between.high:.3f}, less that of {compared.baseline}: {apart.low:+.3f} to "
            f"{apart.high:+.3f}.",
            f"The rivals learned from {data.known_from}: {len(data.known):,} texts.",
        ),
    )


def ngrams(known: Sequence[str], labels: Ints, asked: Sequence[str]) -> Ints:
    """Return what a regression on words and characters (TF-IDF) says of each text, each label weighing the same."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True)
    regression = LogisticRegression(class_weight="balanced", max_iter=2_000)
    model = make_pipeline(make_union(words, letters), regression).fit(known, labels)
    return np.asarray(model.predict(asked), dtype=np.int64)


def _measured(labels: Ints, said: Ints) -> Measured:
    """Return for each text whether it is told right, and its part in the macro recall: the mean of these is it."""
    right = (said == labels).astype(np.float64)
    counts = np.bincount(labels, minlength=len(LABELS))
    return {"recall": right * len(labels) / (len(LABELS) * counts[labels]), "accuracy": right}


def table(labels: Ints, said: Ints) -> Ints:
    """Count (3, 3) how often each label was told to be each."""
    return np.bincount(labels * len(LABELS) + said, minlength=len(LABELS) ** 2).reshape(len(LABELS), -1)


def macro_f1(counts: npt.NDArray[np.int64]) -> float:
    """Return the mean of the three F1 of counts (3, 3)."""
    both = counts.sum(axis=0) + counts.sum(axis=1)
    return float(np.mean(2 * np.diag(counts) / np.maximum(both, 1)))


def f1_interval(counts: Ints, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Estimate a 95 % interval of the macro-F1, resampling texts."""
    total = int(counts.sum())
    drawn = np.random.default_rng(seed).multinomial(total, counts.ravel() / total, draws)
    low, high = np.percentile([macro_f1(one.reshape(counts.shape)) for one in drawn], [2.5, 97.5])
    return Interval(low=float(low), high=float(high))


def f1_difference(labels: Ints, ours: Ints, theirs: Ints, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Estimate a 95 % interval of the difference of two macro-F1 on the same texts, resampled in pairs."""
    size = len(LABELS)
    cells = np.bincount((labels * size + ours) * size + theirs, minlength=size**3)
    drawn = (
        np.random.default_rng(seed).multinomial(len(labels), cells / len(labels), draws).reshape(-1, size, size, size)
    )
    gains = [macro_f1(one.sum(axis=2)) - macro_f1(one.sum(axis=1)) for one in drawn]
    low, high = np.percentile(gains, [2.5, 97.5])
    return Interval(low=float(low), high=float(high))
