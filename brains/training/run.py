"""The whole of `kinfolk train heads`: from a folder of data to the file and its card, or a refusal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.errors import Mistake
from brains.moderation.heads import save
from brains.training import fairness, texts
from brains.training.card import card, measured, ordinary_rates
from brains.training.encoding import silent
from brains.training.examples import gathered
from brains.training.heads import SEED, read_examples, train

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bot.core.ports import Encoder, Vector
    from brains.moderation.heads import Heads
    from brains.training.card import Figures
    from brains.training.encoding import Progress
    from brains.training.examples import Example
    from brains.training.fairness import Line
    from brains.training.heads import Trained
    from brains.training.sentences import Harmless
    from brains.training.texts import Texts

FILE, CARD = "heads.safetensors", "heads.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a training: the files, the figures on each source, and the false alarms of ordinary chat."""

    file: Path
    card: Path
    examples: int
    figures: list[Figures]
    ordinary: dict[str, tuple[float, float]]
    fairness: list[Line]


async def train_heads(
    data: Path,
    out: Path,
    *,
    encoder: Encoder,
    date: str,
    seed: int = SEED,
    force: bool = False,
    progress: Progress = silent,
    tell: Callable[[str], None] = lambda _text: None,
) -> Outcome:
    """Fit the heads to a folder of data and write them with their card into another.

    Raises Mistake for data that is missing or not as it should be, and where a group of people would be flagged above
    the bar (see `fairness`), unless forced; nothing is written then.
    """
    examples = await asyncio.to_thread(gathered, data)
    read = await read_examples(examples, encoder, progress=progress)
    trained = await asyncio.to_thread(train, read, encoder=encoder.fingerprint, made=date, seed=seed, tell=tell)
    return await finish(trained, examples, out, encoder=encoder, date=date, force=force)


async def finish(
    trained: Trained, examples: Sequence[Example], out: Path, *, encoder: Encoder, date: str, force: bool
) -> Outcome:
    """Hold trained heads against the fairness bar and write them with their card. Raises Mistake below the bar."""
    ours = await asyncio.to_thread(fairness.ours)
    seen = await asyncio.to_thread(texts.read, [one.text for one in ours])
    vectors = await texts.encode(encoder, seen)
    lines = await asyncio.to_thread(_judged, trained, examples, ours, seen, vectors)
    above = [line for line in lines if line.above]
    if above and not force:
        groups = "; ".join(f"{line.group} in {line.family}: {line.rate:.2%} of {line.n}" for line in above)
        raise Mistake(
            f"These heads would flag harmless messages of some groups more than twice as often as of others: {groups}. "
            "Nothing was written. Give harmless examples of these groups, or write them all the same by --force."
        )
    told = card(trained, examples, lines, date=date, forced=bool(above))
    await asyncio.to_thread(_write, trained.heads, told, out)
    return Outcome(
        file=out / FILE,
        card=out / CARD,
        examples=len(examples),
        figures=measured(trained, examples),
        ordinary=ordinary_rates(trained, examples),
        fairness=lines,
    )


def _judged(
    trained: Trained, examples: Sequence[Example], ours: Sequence[Harmless], seen: Texts, vectors: Vector
) -> list[Line]:
    scores = trained.heads.scores(seen.texts, seen.plains, vectors, tricks=seen.tricks)
    return fairness.judged(fairness.families(trained, examples, ours, scores))


def _write(heads: Heads, told: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    save(heads, out / FILE)
    (out / CARD).write_text(told, encoding="utf-8")
