"""How soon an answer is there, alone and ten at once; and whether the generator has anything to add to its quotes."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.bench import Figures
from bot.core.errors import Mistake
from bot.core.sentences import width
from brains.knowledge.rewording import SECONDS, reword

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.core.ports import Generator
    from bot.core.things import Community
    from brains.knowledge.answer import Answer
    from brains.knowledge.answering import Answerer
    from storage.channels import Reach

AT_ONCE = 10
FEWEST = 2 * AT_ONCE
"""Questions without which there is nothing to time, the first half alone and ten at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who is asked, and within which reach."""

    answerer: Answerer
    community: Community
    reach: Reach

    async def ask(self, question: str) -> tuple[Answer, float]:
        """Return an answer and the seconds until it was there, all its sentences with it."""
        began = time.perf_counter()
        answer = await self.answerer.answer(self.community, question, reach=self.reach, language="en")
        return answer, time.perf_counter() - began


def drawn(questions: Sequence[str], count: int, *, seed: int = 7) -> list[str]:
    """Return at most so many questions, at random, so that no language or kind comes first."""
    return random.Random(seed).sample(questions, min(count, len(questions)))


async def bench_answers(
    asking: Asking,
    questions: Sequence[str],
    *,
    generator: Generator | None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Figures:
    """Time questions one after another and ten at once, each asked for the first time, then reword what was quoted.

    The first half is asked alone, the second ten at once. For rewording every question is answered, however unsure.
    Raises Mistake where there are too few.
    """
    if len(questions) < FEWEST:
        raise Mistake(f"These are {len(questions)} questions; it takes {FEWEST} to time them alone and ten at once.")
    await asking.ask("Is anybody there?")
    half = len(questions) // 2
    every = len(questions) + (half if generator is not None else 0)
    alone: list[float] = []
    for one in questions[:half]:
        alone.append((await asking.ask(one))[1])
        progress(len(alone), every)
    together: list[float] = []
    for at in range(half, len(questions) - AT_ONCE + 1, AT_ONCE):
        asked = await asyncio.gather(*(asking.ask(one) for one in questions[at : at + AT_ONCE]))
        together += [took for _answer, took in asked]
        progress(half + len(together), every)
    figures = {
        "answer alone, p50 s": float(np.median(alone)),
        "answer alone, p95 s": float(np.percentile(alone, 95)),
        "ten at once, p50 s": float(np.median(together)),
        "ten at once, slowest s": float(np.max(together)),
        "ten at once, served": float(len(together)),
    }
    if generator is not None:
        figures |= await _rewording(
            asking, questions[:half], generator, lambda done: progress(len(questions) + done, every)
        )
    return Figures(figures=figures, ratios={})


async def _rewording(
    asking: Asking, questions: Sequence[str], generator: Generator, progress: Callable[[int], None]
) -> dict[str, float]:
    bold = replace(asking, answerer=replace(asking.answerer, model=replace(asking.answerer.model, enough=0.0)))
    tried, kept, shorter, took = 0, 0, [], []
    for question in questions:
        quoted, _took = await bold.ask(question)
        began = time.perf_counter()
        told = await reword(quoted, generator, asking.answerer.encoder, language="en")
        took.append(time.perf_counter() - began)
        tried += 1
        progress(tried)
        if told is not None:
            kept += 1
            shorter.append(_width(told) / _width(quoted))
    return {
        "rewording, tried": float(tried),
        "rewording, stands": float(kept),
        "rewording, out of time": float(sum(one >= SECONDS for one in took)),
        "rewording, width beside the quotes": float(np.mean(shorter)) if shorter else float("nan"),
        "rewording, p50 s": float(np.median(took)),
    }


def _width(answer: Answer) -> int:
    return width(" ".join(claim.text for claim in answer.claims))
