"""The loop that learns: the rate rises and falls, what is held back is looked at, it stops early and keeps the best."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from brains.training.encoder_texts import Pair

if TYPE_CHECKING:
    import torch

    from brains.training.encoder_network import Tuning

Draw = Callable[[int], Sequence[Pair]]
"""Gives so many pairs to learn from next."""

LOOKS = 5
"""How often what is held back is looked at."""
PATIENCE = 3
"""Looks without anything better before it stops."""
WARM = 0.1
"""Share of the steps in which the rate rises; it falls along a cosine from then on."""
TIMED = 3
"""Steps that are timed before the rest is planned."""
SHORTEST, LONGEST = 30, 3000
"""Steps that a budget of time may come to."""
DECAY = 0.01
CLIP = 1.0
"""Norm that gradients are cut to."""
RATES = {True: 5e-4, False: 5e-5}
"""Learning rate of an adapter, and of all layers: an adapter starts from nothing and bears ten times as much."""


class Watch(Protocol):
    """Told of the loop as it goes."""

    def step(self, done: int, total: int, loss: float, rate: float) -> None:
        """Note a step."""
        ...

    def look(self, done: int, loss: float) -> None:
        """Note a look at what is held back."""
        ...

    def plan(self, steps: int, seconds: float) -> None:
        """Note how many steps it will be, and about how long they take."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long and how: `steps`, or as many as fit into `seconds`, and by how many texts it is judged."""

    seconds: float
    steps: int | None = None
    batch: int = 16
    rate: float | None = None
    judged: int = 500


@dataclass(slots=True, kw_only=True)
class Course:
    """What came of it: losses of each step and of each look, and the step whose weights were kept."""

    steps: int
    rate: float
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    looks: list[tuple[int, float]] = field(default_factory=list)
    best: int = 0
    stopped_early: bool = False


def learn(tuning: Tuning, draw: Draw, watched: Sequence[Sequence[Pair]], plan: Plan, watch: Watch) -> Course:
    """Learn until the plan is done or nothing gets better, and leave the network at its best look, which may be none.

    `watched` are batches of pairs that are not learned from.
    """
    import torch

    rate = plan.rate or RATES[tuning.adapted]
    optimiser = torch.optim.AdamW(list(tuning.free.values()), lr=rate, weight_decay=DECAY)
    began = time.perf_counter()
    course = Course(steps=plan.steps or _timed(tuning, draw, plan), rate=rate)
    watch.plan(course.steps, (time.perf_counter() - began) / TIMED * course.steps if plan.steps is None else 0.0)
    lowest, kept = look(tuning, watched), tuning.snapshot()
    course.looks.append((0, lowest))
    watch.look(0, lowest)
    every = max(1, course.steps // LOOKS)
    for done in range(1, course.steps + 1):
        now = rate * _schedule(done, course.steps)
        course.losses.append(_step(tuning, optimiser, draw(plan.batch), now))
        watch.step(done, course.steps, course.losses[-1], now)
        if done % every and done != course.steps:
            continue
        found = look(tuning, watched)
        course.looks.append((done, found))
        watch.look(done, found)
        if found < lowest:
            lowest, kept, course.best = found, tuning.snapshot(), done
        elif done - course.best >= PATIENCE * every:
            course.stopped_early = done < course.steps
            break
    tuning.restore(kept)
    course.seconds = time.perf_counter() - began
    return course


def look(tuning: Tuning, watched: Sequence[Sequence[Pair]]) -> float:
    """Return the mean loss of batches that are not learned from."""
    import torch

    tuning.network.eval()
    with torch.inference_mode():
        return float(np.mean([float(tuning.loss(batch)) for batch in watched]))


def _timed(tuning: Tuning, draw: Draw, plan: Plan) -> int:
    """Say how many steps fit into the time, by a few whose learning is thrown away."""
    import torch

    kept = tuning.snapshot()
    spare = torch.optim.AdamW(list(tuning.free.values()), lr=0.0)
    began = time.perf_counter()
    for _ in range(TIMED):
        _step(tuning, spare, draw(plan.batch), 0.0)
    each = (time.perf_counter() - began) / TIMED
    tuning.restore(kept)
    return int(np.clip(plan.seconds / each, SHORTEST, LONGEST))


def _step(tuning: Tuning, optimiser: torch.optim.Optimizer, pairs: Sequence[Pair], rate: float) -> float:
    import torch

    tuning.network.train()
    for group in optimiser.param_groups:
        group["lr"] = rate
    loss = tuning.loss(pairs)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call] # torch does not say
    torch.nn.utils.clip_grad_norm_(list(tuning.free.values()), CLIP)
    optimiser.step()
    return float(loss.detach())


def _schedule(done: int, total: int) -> float:
    warm = max(1, int(WARM * total))
    if done <= warm:
        return done / warm
    return 0.5 * (1 + math.cos(math.pi * (done - warm) / max(1, total - warm)))
