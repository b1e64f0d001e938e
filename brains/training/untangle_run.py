"""The whole of `kinfolk train threads`: from logs with reply links to the weights and their card."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from brains.knowledge.untangle import save
from brains.training.untangle import HIDDEN, examples, fit, tops
from brains.training.untangle_irc import logs, thinned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from brains.knowledge.untangle import Untangler
    from brains.training.untangle import Examples
    from brains.training.untangle_irc import Log

FILE, CARD = "untangle.safetensors", "untangle.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a training: the files, how many messages taught, and the share of right answers on development."""

    file: Path
    card: Path
    examples: int
    development: float
    thinned: float


async def train_threads(
    data: Path,
    out: Path,
    *,
    date: str,
    seed: int,
    quieter: bool = False,
    tell: Callable[[str], None] = lambda _text: None,
) -> Outcome:
    """Fit the network to the split `train` of a file, choose on `dev`, and write it with its card into a folder.

    With `quieter` it is also taught, and chosen, by the same logs thinned. Raises Mistake where a split is missing.
    """
    return await asyncio.to_thread(_train, data, out, date=date, seed=seed, quieter=quieter, tell=tell)


def _train(data: Path, out: Path, *, date: str, seed: int, quieter: bool, tell: Callable[[str], None]) -> Outcome:
    taught, held = list(logs(data, "train")), list(logs(data, "dev"))
    if not taught or not held:
        raise Mistake(f"{data} needs files of the splits train and dev.")
    found = examples(_twice(taught, np.random.default_rng(seed)) if quieter else taught)
    tell(f"{len(found.features):,} messages of {len(taught)} files{', as they are and thinned' if quieter else ''}")
    held_back = (examples(held), examples(_quieter(held)))

    def judge(one: Untangler) -> float:
        return sum(_right(one, some) for some in held_back[: 1 + quieter]) / (1 + quieter)

    made = fit(found, judge=judge, seed=seed, made=date, tell=tell)
    out.mkdir(parents=True, exist_ok=True)
    save(made, out / FILE)
    shares = [_right(made, some) for some in held_back]
    outcome = Outcome(
        file=out / FILE,
        card=out / CARD,
        examples=len(found.features),
        development=shares[0],
        thinned=shares[1],
    )
    outcome.card.write_text(card(outcome, date=date, files=len(taught), quieter=quieter), encoding="utf-8")
    return outcome


def _quieter(held: Sequence[Log]) -> list[Log]:
    """Return the development logs thinned, the same whatever was trained with."""
    random = np.random.default_rng(1)
    return [thinned(log, random) for log in held]


def _twice(taught: Sequence[Log], random: np.random.Generator) -> Iterator[Log]:
    """Yield each log as it is, and as of a quieter channel."""
    for log in taught:
        yield log
        yield thinned(log, random)


def _right(one: Untangler, found: Examples) -> float:
    """Return the share of messages for which the best answer is a right one."""
    best = tops(one, found)
    return float(found.right[np.arange(len(best)), best].mean())


def card(outcome: Outcome, *, date: str, files: int, quieter: bool) -> str:
    """Write the card as Markdown."""
    also = ": each log as it is, and once thinned and slowed down, as of a quieter channel" if quieter else ""
    return f"""# Which message answers which

Fitted on {date} by `kinfolk train threads`. A network of {HIDDEN[0]} and {HIDDEN[1]} hidden units scores a message of a
channel against each of those before it, and against beginning something. It reads time, authors, names, shared words
and the kind of sentence; no vectors. `brains/knowledge/untangle_features.py` says what exactly.

## Data

The training split of *A Large-Scale Corpus for Conversation Disentanglement* (Kummerfeld, Gouravajhala, Peper,
Athreya, Gunasekara, Ganhotra, Patel, Polymenakos and Lasecki, ACL 2019), https://jkk.name/irc-disentanglement,
licensed under CC BY 4.0: {files} logs of #ubuntu whose reply links were marked by hand. {outcome.examples:,} messages
taught it{also}.
No text of the logs is in the weights; the names in the copy that was used are hashed.

## Figures

The epoch was chosen on the development split. There {outcome.development:.3f} of the messages whose answer lies in the
window are given a right one, {outcome.thinned:.3f} where the logs are thinned. On the test split, and on other
communities, `kinfolk eval threads` prints what it is worth beside baselines; docs/benchmarks.md has the figures.

## Limits

- The data is technical help in English. What asks, greets or thanks is recognised in English and Chinese; the rest
  is of no language. Chinese was tried on conversations written for the purpose, not measured.
- Times count in whole minutes, and what lies more than the window back cannot be answered.
- Links err about one time in four.
"""
