"""Fits the shipped heads: reads, fits each, chooses thresholds on ordinary chat, and measures by language and group."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from brains.moderation.features import SCRIPTS, featurize, script
from brains.moderation.heads import HEADS, Heads, Thresholds
from brains.training import texts
from brains.training.encoding import silent
from brains.training.examples import labelled
from brains.training.fitting import Lesson, fit_head

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.core.ports import Encoder, Vector
    from brains.moderation.features import Features, Ints, Script
    from brains.moderation.heads import Array, Head, Name
    from brains.training.encoding import Progress
    from brains.training.examples import Example
    from brains.training.texts import Texts

PRIOR = 0.02
"""Share of bad messages for which the probabilities are right: two in a hundred."""
FLAGGED = 1.5e-4
"""Share of ordinary messages that each head may flag: five heads together stay under 1 in 1,000 with room."""
REMOVED = 3e-5
"""Share of ordinary messages for which each head may propose to take them away."""
LEAST = Thresholds(flag=0.5, remove=0.9)
"""No threshold is lower: a message is flagged only where it is more likely bad than not, even if two in a hundred are.
Gitter is English and technical; without this, heads that are sure there would flag 42 % of COLD's inoffensive texts."""
ORDINARY = "Gitter"
OURS = "Kinfolk"
ABOUT_PEOPLE: tuple[Name, ...] = ("toxicity", "hate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spared:
    """Harmless texts of a source and script, and the shares of them that each of these heads may flag and remove."""

    script: Script
    source: str
    flagged: float
    removed: float | None = None
    heads: tuple[Name, ...] = HEADS


SPARED = (
    Spared(script="other", source=ORDINARY, flagged=FLAGGED, removed=REMOVED),
    Spared(script="other", source="Davidson", flagged=0.01, heads=ABOUT_PEOPLE),
    Spared(script="other", source=OURS, flagged=0.005),
    Spared(script="han", source="COLD", flagged=FLAGGED, removed=REMOVED, heads=("sexual", "spam", "self_harm")),
    Spared(script="han", source="COLD", flagged=1e-4, removed=REMOVED, heads=ABOUT_PEOPLE),
    Spared(script="han", source=OURS, flagged=0.005),
)
"""What thresholds are chosen by. Gitter is ordinary chat, English and technical; COLD's inoffensive texts are the only
open Chinese there is. Those and Davidson's harmless tweets are contested for the heads about people: their labels are
votes, often wrong, so that one in a hundred of Davidson's may be flagged. Of COLD's, with more than 2 in 10,000 the
fairness bar is crossed. Most of ours were written to be mistaken."""
LEARNED = 3
"""One in so many messages is learned from where a source has no positives for a head; thresholds are chosen on all."""
FOLDS = 2
SEED = 7
POSITIVES = 0.1
"""What the positives of a head weigh of all at least: where they are rare, they would hardly be learned."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Read:
    """Examples as heads read them; `vectors` (n, d) is None without an encoder."""

    examples: Sequence[Example]
    texts: Texts
    features: Features
    vectors: Vector | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """Heads, and what models that never saw it said of every example: head to probabilities (n,), NaN where none."""

    heads: Heads
    unseen: dict[str, Array]
    unseen_alone: dict[str, Array]


async def read_examples(examples: Sequence[Example], encoder: Encoder | None, *, progress: Progress = silent) -> Read:
    """Undo disguise, cut features and encode."""
    seen = await asyncio.to_thread(texts.read, [one.text for one in examples])
    vectors = None if encoder is None else await texts.encode(encoder, seen, progress=progress)
    features = await asyncio.to_thread(featurize, seen.texts, seen.plains, seen.tricks)
    return Read(examples=examples, texts=seen, features=features, vectors=vectors)


def train(
    read: Read, *, encoder: str, made: str, seed: int = SEED, tell: Callable[[str], None] = lambda _text: None
) -> Trained:
    """Fit every head that has examples of both kinds. The same examples, vectors and seed give the same heads."""
    groups = _groups(read)
    heads: dict[str, Head] = {}
    unseen: dict[str, Array] = {}
    unseen_alone: dict[str, Array] = {}
    for name in HEADS:
        tell(name)
        learns, labels = labelled(read.examples, name)
        positive = {read.examples[at].source for at, label in zip(learns, labels, strict=True) if label}
        inside = np.array([_taught(read.examples[at], int(groups[at]), positive) for at in learns])
        these, labels = learns[inside], labels[inside]
        if not 0 < labels.sum() < len(labels):
            continue
        lesson = Lesson(
            features=_some(read.features, these),
            vectors=None if read.vectors is None else read.vectors[these],
            labels=labels,
            weights=_weights(read.examples, these, labels),
            groups=groups[these],
            prior=PRIOR,
        )
        fitted = fit_head(lesson, seed=seed, folds=FOLDS)
        unseen[name] = _spread(fitted.head.probabilities(read.features, read.vectors), these, fitted.unseen)
        unseen_alone[name] = _spread(fitted.head.probabilities(read.features, None), these, fitted.unseen_alone)
        heads[name] = fitted.head
    found = Heads(heads=heads, encoder=encoder, made=made)
    return with_thresholds(Trained(heads=found, unseen=unseen, unseen_alone=unseen_alone), read.examples)


def with_thresholds(trained: Trained, examples: Sequence[Example]) -> Trained:
    """Choose every head's thresholds for each script, with the vector and without."""
    places = [(one, spared(one, examples)) for one in SPARED]
    heads: dict[str, Head] = {}
    for name in HEADS:
        if (head := trained.heads.heads.get(name)) is None:
            continue
        harmless = [(one, _without(name, these, examples)) for one, these in places if name in one.heads]
        heads[name] = replace(
            head,
            thresholds=_by_script(harmless, trained.unseen[name]),
            thresholds_alone=_by_script(harmless, trained.unseen_alone[name]),
        )
    return replace(trained, heads=replace(trained.heads, heads=heads))


def spared(one: Spared, examples: Sequence[Example]) -> Ints:
    """Return where the texts are that heads must spare: neither offensive nor held back. Some of ours may be bad."""
    of_source = [at for at, example in enumerate(examples) if example.source == one.source and not example.held]
    fine = [at for at in of_source if one.source == OURS or examples[at].labels.get("toxicity") is False]
    return np.array([at for at in fine if script(examples[at].text) == one.script], dtype=np.int64)


def _without(head: Name, these: Ints, examples: Sequence[Example]) -> Ints:
    return np.array([at for at in these.tolist() if examples[at].labels.get(head) is False], dtype=np.int64)


def _by_script(harmless: Sequence[tuple[Spared, Ints]], unseen: Array) -> dict[Script, Thresholds]:
    return {one: chosen([(rule, unseen[these]) for rule, these in harmless if rule.script == one]) for one in SCRIPTS}


def _taught(one: Example, group: int, positive: set[str]) -> bool:
    return not one.held and (one.source in {OURS, *positive} or group % LEARNED == 0)


def chosen(every: Sequence[tuple[Spared, Array]]) -> Thresholds:
    """Choose thresholds, none below LEAST, that no more reach of any spared texts (n,) than may."""
    seen = [(one, found) for one, found in every if len(found)]
    flag = max([LEAST.flag, *(_above(found, one.flagged) for one, found in seen)])
    removed = [_above(found, one.removed) for one, found in seen if one.removed is not None]
    return Thresholds(flag=flag, remove=max([LEAST.remove, flag, *removed]))


def _above(ordinary: Array, share: float) -> float:
    """Return the lowest probability that no more than a share of messages reaches; halfway to certainty above all."""
    allowed = int(share * len(ordinary))
    if allowed == 0:
        return float((1 + ordinary.max()) / 2)
    return float(np.nextafter(np.sort(ordinary)[-allowed - 1], np.float32(1)))


def _spread(every: Array, these: Ints, unseen: Array) -> Array:
    """Put what was said of unseen texts where they stand; the other texts were never learned from."""
    every = every.copy()
    every[these] = unseen
    return every


def _weights(examples: Sequence[Example], these: Ints, labels: Array) -> Array:
    weights = np.array([examples[at].weight for at in these.tolist()], dtype=np.float32)
    positive = labels == 1
    bad, good = float(weights[positive].sum()), float(weights[~positive].sum())
    if 0 < bad < POSITIVES * (bad + good):
        weights[positive] *= POSITIVES * good / ((1 - POSITIVES) * bad)
    return weights


def _groups(read: Read) -> Ints:
    """Return what stays together in cross-validation: near-copies, and the fillings of one template."""
    groups = read.texts.groups()
    lines = [(at, one.line) for at, one in enumerate(read.examples) if one.line is not None]
    for at, line in lines:
        groups[at] = line
    return groups


def _some(features: Features, these: Ints) -> Features:
    """Return the features of some texts, numbered anew."""
    place = np.full(features.count, -1)
    place[these] = np.arange(len(these))
    kept = place[features.rows] >= 0
    return replace(
        features,
        rows=place[features.rows[kept]],
        buckets=features.buckets[kept],
        values=features.values[kept],
        count=len(these),
    )


def counts(examples: Sequence[Example]) -> dict[tuple[str, str, Name], tuple[int, int]]:
    """Count, for each source, language and head, the positives and the others that it learns from."""
    positives: Counter[tuple[str, str, Name]] = Counter()
    others: Counter[tuple[str, str, Name]] = Counter()
    for one in examples:
        if not one.held:
            for head, positive in one.labels.items():
                (positives if positive else others)[one.source, one.language, head] += 1
    return {key: (positives[key], others[key]) for key in sorted(positives.keys() | others.keys())}
