"""The model card beside the heads: what they learned from, how good they are in each language, and what they spare."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import roc_auc_score

from brains.moderation.features import SCRIPTS
from brains.moderation.heads import HEADS
from brains.training.examples import SOURCES, labelled
from brains.training.fairness import SURE, TIMES
from brains.training.heads import LEAST, ORDINARY, PRIOR, SPARED, counts, spared

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from brains.moderation.heads import Array
    from brains.training.examples import Example
    from brains.training.fairness import Line
    from brains.training.heads import Trained

BINS = 10
FEWEST = 50
"""Texts of one source and language that are worth a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How one head does on one source and language: at its thresholds, by AUROC, and how honest its probabilities are.

    `false` is the share of the others that it flags; `error` the expected calibration error where PRIOR are positive.
    NaN where there are no positives, or no others.
    """

    head: str
    source: str
    language: str
    seen: str
    n: int
    positives: int
    auroc: float
    flagged: float
    removed: float
    false: float
    error: float


def measured(trained: Trained, examples: Sequence[Example], *, with_vector: bool = True) -> list[Figures]:
    """Measure every head on every source: where a split was held back on it, else by cross-validation."""
    unseen = trained.unseen if with_vector else trained.unseen_alone
    limits = trained.heads.limits([one.text for one in examples], with_vector=with_vector)
    found = []
    for head in HEADS:
        places, labels = labelled(examples, head)
        kinds = [(examples[at].source, examples[at].language, examples[at].held) for at in places]
        held = {source for source, _language, kept in kinds if kept}
        for kind in sorted(set(kinds)):
            if (kind[0] in held and not kind[2]) or kinds.count(kind) < FEWEST:
                continue
            these = np.array([one == kind for one in kinds])
            where = places[these]
            reached = [unseen[head][where] >= of[where] for of in (limits[head].flag, limits[head].remove)]
            found.append(_figures(head, kind, unseen[head][where], labels[these], reached))
    return found


def _figures(
    head: str, kind: tuple[str, str, bool], found: Array, labels: Array, reached: Sequence[npt.NDArray[np.bool_]]
) -> Figures:
    bad, good, (flagged, removed) = labels == 1, labels == 0, reached
    both = bool(bad.any() and good.any())
    return Figures(
        head=head,
        source=kind[0],
        language=kind[1],
        seen="held back" if kind[2] else "cross-validated",
        n=len(found),
        positives=int(bad.sum()),
        auroc=float(roc_auc_score(labels, found)) if both else float("nan"),
        flagged=_share(flagged[bad]),
        removed=_share(removed[bad]),
        false=_share(flagged[good]),
        error=calibration_error(found, labels) if both else float("nan"),
    )


def calibration_error(found: Array, labels: Array, *, prior: float = PRIOR) -> float:
    """Return the expected calibration error over ten bins, where `prior` of all were positive."""
    share = float(labels.mean())
    weights = np.where(labels == 1, prior / share, (1 - prior) / (1 - share))
    place = np.minimum((found * BINS).astype(int), BINS - 1)
    said, was = (np.bincount(place, weights=weights * of, minlength=BINS) for of in (found, labels))
    return float(np.abs(said - was).sum() / weights.sum())


def _share(reached: npt.NDArray[np.bool_]) -> float:
    return float(reached.mean()) if len(reached) else float("nan")


def ordinary_rates(trained: Trained, examples: Sequence[Example]) -> dict[str, tuple[float, float]]:
    """Return for each head, and for `any`, the shares of ordinary chat flagged with the vector and without."""
    places = np.array([at for at, one in enumerate(examples) if one.source == ORDINARY], dtype=np.int64)
    texts = [examples[at].text for at in places]
    rates: dict[str, tuple[float, float]] = {}
    flags = []
    for unseen, with_vector in ((trained.unseen, True), (trained.unseen_alone, False)):
        limits = trained.heads.limits(texts, with_vector=with_vector)
        flags.append({head: unseen[head][places] >= limits[head].flag for head in unseen})
    for head in HEADS:
        rates[head] = (float(flags[0][head].mean()), float(flags[1][head].mean()))
    rates["any"] = tuple(float(np.any(list(one.values()), axis=0).mean()) for one in flags)  # type: ignore[assignment]
    return rates


def card(trained: Trained, examples: Sequence[Example], lines: Sequence[Line], *, date: str, forced: bool) -> str:
    """Write the card as Markdown."""
    heads = trained.heads
    parts = [
        "# Moderation heads",
        f"Fitted on {date} by `kinfolk train heads`. Encoder: `{heads.encoder}`; with another, or without, the n-grams "
        "judge alone, with thresholds of their own.",
        "Five classifiers say how likely a message is toxic, hateful, sexual, spam or about harming oneself. They are "
        "for putting messages before a human first. `self_harm` offers help and alerts; it never punishes.",
        _bar(lines, forced=forced),
        "## Data\n\nOnly what lets weights ship. Counts are positives + others that the head learns from; "
        "where a source has no positives for a head, one in three is.",
        _data(examples),
        _written(examples),
        "## Thresholds\n\nChosen by script: `han` for texts whose letters are Han by more than a third, `other` for "
        "the rest. Each is the lowest at which no more than these shares of harmless texts are flagged, each judged by "
        f"models that never saw it; none is below {LEAST.flag} and {LEAST.remove}. What COLD holds back is not "
        "among them, but hate's share of COLD was lowered until its anti-bias texts kept the bar below.",
        _spared(examples),
        _thresholds(trained, examples),
        f"## Figures\n\nAt the thresholds above. Probabilities hold where {PRIOR:.0%} of messages are bad; `error` is "
        "their expected calibration error there. What has a test split is measured on it, never fitted to it; the rest "
        "by cross-validation with near-copies kept together.",
        _table_of(measured(trained, examples)),
        "### Without a vector",
        _table_of(measured(trained, examples, with_vector=False)),
        "## Fairness\n\nFalse positives of any head, by group, on harmless texts. The bar: no group above "
        f"{TIMES:.0f} times the rate of its family, beyond chance (binomial, Bonferroni); the interval is Wilson's at "
        f"{SURE:.0%}. `loose` is the share flagged where 5 % of the family are: what strict thresholds hide.",
        _fairness(lines),
        LIMITS,
    ]
    return "\n\n".join(parts) + "\n"


LIMITS = """## Limits

- Chinese hate has no labels of its own in the data: COLD's offensive texts stand for it, of which its test split counts
  86 % as attacks on groups. Davidson's labels call much African American English offensive.
- Sexual and self-harm know only sentences written for Kinfolk, in English and Chinese: expect them to miss much.
- Spam in other languages than English, Chinese and Russian was not measured. Sarcasm, quotes and reports of abuse are
  taken at their words."""


def _bar(lines: Sequence[Line], *, forced: bool) -> str:
    above = [f"{line.group} ({line.family})" for line in lines if line.above]
    if not above:
        return "**Fairness bar: kept.** No group is flagged above twice the rate of its family."
    return f"**Fairness bar: crossed{', written by --force' if forced else ''}.** Above it: {', '.join(above)}."


def _data(examples: Sequence[Example]) -> str:
    licences = {source.name: source.licence for source in SOURCES} | {"Kinfolk": "Apache-2.0, written for Kinfolk"}
    table = counts(examples)
    rows = ["| source | language | licence | " + " | ".join(HEADS) + " |", "|---" * (3 + len(HEADS)) + "|"]
    for source, language in sorted({(source, language) for source, language, _head in table}):
        cells = []
        for head in HEADS:
            positives, others = table.get((source, language, head), (0, 0))
            cells.append(f"{positives:,} + {others:,}" if positives or others else "")
        rows.append(f"| {source} | {language} | {licences[source]} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _written(examples: Sequence[Example]) -> str:
    own = [one for one in examples if one.source == "Kinfolk"]
    written: Counter[str] = Counter()
    for one in own:
        if one.kind.endswith(" written"):
            head = one.kind.removesuffix(" written")
            written[f"{head}, {one.language}, {'positive' if one.labels.get(head) else 'hard negative'}"] += 1  # type: ignore[call-overload]
    told = "; ".join(f"{name}: {count}" for name, count in sorted(written.items()))
    chat = sum(one.kind == "chat" for one in own)
    harmless = sum(one.kind == "harmless" for one in own)
    return (
        f"Written for Kinfolk: {told}; ordinary chat in Chinese: {chat}; and {harmless:,} harmless sentences from "
        "templates about groups of people and in dialects (the training half; the test half is measured below)."
    )


def _spared(examples: Sequence[Example]) -> str:
    rows = ["| script | harmless texts | of heads | n | flag | remove |", "|---" * 6 + "|"]
    for one in SPARED:
        n = len(spared(one, examples))
        removed = "" if one.removed is None else f"{one.removed:.3%}"
        heads = "all" if one.heads == HEADS else ", ".join(one.heads)
        rows.append(f"| {one.script} | {one.source} | {heads} | {n:,} | {one.flagged:.3%} | {removed} |")
    return "\n".join(rows)


def _thresholds(trained: Trained, examples: Sequence[Example]) -> str:
    rates = ordinary_rates(trained, examples)
    rows = ["| head | script | flag | remove | alone: flag | remove |", "|---" * 6 + "|"]
    for name, head in trained.heads.heads.items():
        for script in SCRIPTS:
            both, alone = head.thresholds[script], head.thresholds_alone[script]
            rows.append(
                f"| {name} | {script} | {both.flag:.4f} | {both.remove:.4f} | {alone.flag:.4f} | {alone.remove:.4f} |"
            )
    told = "; ".join(f"{name} {both:.3%} ({alone:.3%})" for name, (both, alone) in rates.items())
    return "\n".join(rows) + f"\n\nFlagged of {ORDINARY} (without a vector): {told}."


def _table_of(figures: Sequence[Figures]) -> str:
    rows = [
        "| head | source | language | how | n | positives | AUROC | flagged | removed | false alarms | error |",
        "|---" * 11 + "|",
    ]
    for one in figures:
        shown = [_number(value) for value in (one.auroc, one.flagged, one.removed)]
        rows.append(
            f"| {one.head} | {one.source} | {one.language} | {one.seen} | {one.n:,} | {one.positives:,} | "
            + " | ".join(shown)
            + f" | {'' if np.isnan(one.false) else f'{one.false:.3%}'} | {_number(one.error)} |"
        )
    return "\n".join(rows)


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


def _fairness(lines: Sequence[Line]) -> str:
    rows = ["| family | group | n | flagged | rate | 95 % | family's rate | loose | |", "|---" * 9 + "|"]
    rows += [
        f"| {one.family} | {one.group} | {one.n:,} | {one.flagged} | {one.rate:.2%} | {one.low:.2%} to {one.high:.2%} "
        f"| {one.overall:.2%} | {one.loose:.1%} | {'above the bar' if one.above else ''} |"
        for one in lines
    ]
    return "\n".join(rows)
