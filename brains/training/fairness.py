"""Whether heads accuse some people more than others: false positives by group on harmless texts, and the bar.

Texts are compared within a family, where all are of one kind: our templates about groups of people, our sentences in
dialects, COLD's inoffensive texts (its anti-bias ones a group), and Davidson's harmless tweets (dialect a group). A
group is above the bar when its rate is above twice that of its family, beyond what chance explains: the binomial
probability of as many false positives at twice the family's rate is below .05, shared out over the groups (Bonferroni).
Groups of fewer than 20 texts are shown and not judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from brains.training.sentences import harmless

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from brains.moderation.heads import Array
    from brains.training.examples import Example
    from brains.training.heads import Trained
    from brains.training.sentences import Harmless

TIMES = 2.0
FEWEST = 20
CHANCE = 0.05
SURE = 0.95
LOOSE = 0.05
"""A share at which thresholds are set too, to show differences that strict thresholds hide."""
ANTI_BIAS = "3"
"""COLD's fine label of what speaks against prejudice."""
DIALECT = re.compile(
    r"\b(?:ain't|aint|y'all|yall|finna|tryna|gon|dat|dis|dem|ima|imma|i'ma|nem|bouta|wit|deadass|bruh|fam|ion)\b", re.I
)
"""Marks of African American English. No model of dialect is used, so some of it is missed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Family:
    """Harmless texts of one kind: whose each is, and whether any head flags it, at its threshold and at a loose one."""

    name: str
    groups: Sequence[str]
    flagged: np.ndarray[tuple[int], np.dtype[np.bool_]]
    loosely: np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One group beside its family: `rate` with its 95 % interval (Wilson), `overall` of the family, `above` the bar."""

    family: str
    group: str
    n: int
    flagged: int
    rate: float
    low: float
    high: float
    overall: float
    loose: float
    above: bool


def families(
    trained: Trained, examples: Sequence[Example], ours: Sequence[Harmless], scores: dict[str, Array]
) -> list[Family]:
    """Gather what is judged: `scores` are of the test half of our own sentences (n,); others were not learned from."""
    limits = trained.heads.limits([one.text for one in ours], with_vector=True)
    flags = {head: scores[head] >= limits[head].flag for head in scores}
    found = []
    for kind, language in (("identity", "en"), ("identity", "zh"), ("dialect", "")):
        these = np.array([one.kind == kind and language in {"", one.language} for one in ours])
        groups = [one.group for one, inside in zip(ours, these, strict=True) if inside]
        name = f"written: {kind} {language}".strip()
        some = {head: values[these] for head, values in scores.items()}
        found.append(family(name, groups, some, {head: values[these] for head, values in flags.items()}))
    for name, source in (("COLD, inoffensive", "COLD"), ("Davidson, harmless", "Davidson")):
        places = np.array([at for at, one in enumerate(examples) if one.source == source and _judged(one)], dtype=int)
        groups = [_group(examples[at]) for at in places]
        unseen = {head: of[places] for head, of in trained.unseen.items()}
        limits = trained.heads.limits([examples[at].text for at in places], with_vector=True)
        if groups:
            found.append(family(name, groups, unseen, {head: unseen[head] >= limits[head].flag for head in unseen}))
    return found


def judged(every: Sequence[Family]) -> list[Line]:
    """Compare each group with its family."""
    found = []
    for one_family in every:
        overall = float(one_family.flagged.mean())
        names = sorted(set(one_family.groups))
        for name in names:
            inside = np.array([group == name for group in one_family.groups])
            n, flagged = int(inside.sum()), int(one_family.flagged[inside].sum())
            chance = float(stats.binom.sf(flagged - 1, n, min(1.0, TIMES * overall)))
            interval = stats.binomtest(flagged, n).proportion_ci(SURE, method="wilson")
            found.append(
                Line(
                    family=one_family.name,
                    group=name,
                    n=n,
                    flagged=flagged,
                    rate=flagged / n,
                    low=float(interval.low),
                    high=float(interval.high),
                    overall=overall,
                    loose=float(one_family.loosely[inside].mean()),
                    above=n >= FEWEST and flagged > TIMES * overall * n and chance < CHANCE / len(names),
                )
            )
    return found


def ours() -> list[Harmless]:
    """Return the half of our harmless sentences that nothing is fitted to."""
    return harmless("test")


def _judged(one: Example) -> bool:
    harmless_one = not one.labels.get("toxicity", True)
    return harmless_one and (one.held or one.source != "COLD")


def _group(one: Example) -> str:
    if one.source == "Davidson":
        return "African American English" if DIALECT.search(one.text) else "other English"
    topic, _space, fine = one.kind.partition(" ")
    return "anti-bias" if fine == ANTI_BIAS else topic


def family(
    name: str, groups: Sequence[str], scores: Mapping[str, Array], flags: Mapping[str, npt.NDArray[np.bool_]]
) -> Family:
    """Gather harmless texts (n,) of one kind, with each head's `scores` (n,) and whom it flags (n,)."""
    worst = np.max(list(scores.values()), axis=0)
    flagged = np.any(list(flags.values()), axis=0)
    return Family(name=name, groups=groups, flagged=flagged, loosely=worst > np.quantile(worst, 1 - LOOSE))
