"""What the shipped heads flag of ordinary chat, and of harmless sentences about and by groups of people."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import numpy as np

from brains.evals.metrics import Interval
from brains.evals.moderation_ours import see
from brains.evals.moderation_report import OURS, Section
from brains.evals.moderation_rivals import alt_profanity_check, word_list
from brains.moderation.heads import shipped
from brains.training import rows
from brains.training.fairness import family, judged
from brains.training.sentences import harmless

if TYPE_CHECKING:
    from pathlib import Path

    from bot.core.ports import Encoder
    from brains.evals.metrics import Values
    from brains.evals.moderation_ours import Seen
    from brains.evals.moderation_report import Measures
    from brains.moderation.heads import Heads, Limits, Scores
    from brains.training.encoding import Progress
    from brains.training.rows import Row
    from brains.training.sentences import Harmless

THOUSAND = 1_000
HALF = 0.5
TOLD = 40
"""False alarms whose ids are printed."""
NOTHING: Values = np.zeros(0)


async def judge_ordinary(folder: Path, encoder: Encoder, progress: Progress) -> Section:
    """Count what the heads flag of every message of Bytecode, by thousand messages. Raises Mistake without the file."""
    started = time.perf_counter()
    found = await asyncio.to_thread(_messages, folder)
    texts = [one.text("text") for one in found]
    ids = [one.text("id", default=str(one.line)) for one in found]
    seen = await see(encoder, texts, progress)
    return await asyncio.to_thread(_ordinary, texts, ids, seen, encoder.fingerprint, started)


def _messages(folder: Path) -> list[Row]:
    return list(rows.rows(rows.needed(folder / "zulip_bytecodealliance", "messages.jsonl")))


def _ordinary(texts: list[str], ids: list[str], seen: Seen, encoder: str, started: float) -> Section:
    heads = shipped()
    serves = heads.serves(encoder)
    scores = _scores(heads, seen, with_vector=serves)
    alone = _scores(heads, seen, with_vector=False)
    plains, per = seen.texts.plains, THOUSAND / len(texts)
    judges: dict[str, Measures] = {
        OURS: _alarms(scores, heads.limits(plains, with_vector=serves), per),
        f"{OURS} without a vector": _alarms(alone, heads.limits(plains, with_vector=False), per),
        "alt-profanity-check": {"flagged": float((alt_profanity_check([], NOTHING)(texts) >= HALF).sum()) * per},
        "word list": {
            "flagged": float(
                ((word_list("toxicity")([], NOTHING)(texts) + word_list("spam")([], NOTHING)(texts)) > 0).sum()
            )
            * per
        },
    }
    flagged = round(judges[OURS]["flagged"] / per)
    return Section(
        name="ordinary chat, false alarms in 1,000 messages",
        n=len(texts),
        judges={name: {what: round(value, 4) for what, value in of.items()} for name, of in judges.items()},
        intervals={"flagged": _poisson(flagged, per)},
        notes=tuple(_told(scores, heads.limits(plains, with_vector=serves), ids)),
        seconds=round(time.perf_counter() - started, 1),
    )


async def judge_fairness(encoder: Encoder, progress: Progress) -> Section:
    """Measure false positives by group on the half of our harmless sentences that nothing was fitted to."""
    started = time.perf_counter()
    ours = await asyncio.to_thread(harmless, "test")
    seen = await see(encoder, [one.text for one in ours], progress)
    return await asyncio.to_thread(_fairness, ours, seen, encoder.fingerprint, started)


def _fairness(ours: list[Harmless], seen: Seen, encoder: str, started: float) -> Section:
    heads = shipped()
    serves = heads.serves(encoder)
    scores = _scores(heads, seen, with_vector=serves)
    limits = heads.limits(seen.texts.plains, with_vector=serves)
    every = []
    for kind, language in (("identity", "en"), ("identity", "zh"), ("dialect", "")):
        these = np.array([one.kind == kind and language in {"", one.language} for one in ours])
        groups = [one.group for one, inside in zip(ours, these, strict=True) if inside]
        some = {name: values[these] for name, values in scores.items()}
        flags = {name: some[name] >= limits[name].flag[these] for name in some}
        every.append(family(f"{kind} {language}".strip(), groups, some, flags))
    lines = judged(every)
    above = [f"{line.group} ({line.family})" for line in lines if line.above]
    return Section(
        name="fairness",
        n=len(ours),
        judges={OURS: {one.name: round(float(one.flagged.mean()), 4) for one in every}}
        | {f"  {line.group}": {line.family: round(line.rate, 4)} for line in lines if line.flagged},
        notes=(
            f"Groups above twice their family's rate: {', '.join(above) or 'none'}. Groups without a false positive: "
            f"{sum(not line.flagged for line in lines)} of {len(lines)}. The card has those of COLD and Davidson.",
        ),
        seconds=round(time.perf_counter() - started, 1),
    )


def _scores(heads: Heads, seen: Seen, *, with_vector: bool) -> Scores:
    of = seen.texts
    return heads.scores(of.texts, of.plains, seen.vectors if with_vector else None, tricks=of.tricks)


def _alarms(scores: Scores, limits: dict[str, Limits], per: float) -> Measures:
    flags = {name: scores[name] >= limits[name].flag for name in scores}
    removals = [scores[name] >= limits[name].remove for name in scores if name != "self_harm"]
    every = {name: float(found.sum()) * per for name, found in flags.items()}
    return {
        "flagged": float(np.any(list(flags.values()), axis=0).sum()) * per,
        "removed": float(np.any(removals, axis=0).sum()) * per,
    } | every


def _told(scores: Scores, limits: dict[str, Limits], ids: list[str]) -> list[str]:
    """Name the false alarms by id, head and probability, the surest first."""
    found = [
        (float(values[at]), ids[at], name)
        for name, values in scores.items()
        for at in np.flatnonzero(values >= limits[name].flag)
    ]
    return [f"message {number}: {name} {score:.3f}" for score, number, name in sorted(found, reverse=True)[:TOLD]]


def _poisson(count: int, per: float) -> Interval:
    """Return the exact 95 % interval of a rate (Garwood 1936)."""
    from scipy.stats import chi2

    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    return Interval(low=round(low * per, 4), high=round(float(chi2.ppf(0.975, 2 * count + 2)) / 2 * per, 4))
