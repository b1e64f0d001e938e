"""How long a message takes from the platform to the verdict on it, and how much of the encoder's speed is kept."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.app import open_app
from bot.bench import Figures
from bot.bench.importing import scratch_settings
from bot.bench.traffic import CHANNELS, InstantEncoder, running
from brains.engines import open_encoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.bench.traffic import Traffic
    from bot.core.ports import Encoder
    from bot.core.settings import Settings

PACE = 100.0
"""Messages a second, where the encoder costs nothing."""
HELD = 0.6
"""Share of the encoder's own speed at which messages come, where its cost counts."""
ROUNDS = 4
"""Turns of the pipeline and of the encoder alone."""


async def bench_pipeline(texts: Sequence[str], *, settings: Settings, seconds: float) -> Figures:
    """Measure in a home that is thrown away: first without an encoder's cost, then with the real one.

    Everything runs as in the living bot: inbox, lanes, skills as shipped, traces and the index of vectors; the
    platform is one that only takes. A skill more waits for every message's vector, and proposes something about one
    message in ten, which is declined and recorded. `own` is the time from `put` being called to the verdict being
    reached, without the time from the message's text being handed to the encoder to its vector being there.
    """
    plain = settings.model_copy(update={"generator": "none"})
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        scratch = scratch_settings(plain, _folder(folder, "instant"))
        async with open_app(scratch) as app, running(app, InstantEncoder()) as traffic:
            instant = await _paced(traffic, _many(texts, int(PACE * seconds)), PACE)
        scratch = scratch_settings(plain, _folder(folder, "real"))
        async with open_app(scratch) as app, open_encoder(scratch) as worker:
            speed = await _speed(worker, texts)
            pace = HELD * speed
            async with running(app, worker) as traffic:
                real = await _paced(traffic, _many(texts, int(pace * seconds)), pace)
                rounds = await _throughput(traffic, _many(texts, int(speed * seconds)))
    return _figures(instant, real, pace, rounds)


def _folder(base: str, name: str) -> Path:
    folder = Path(base) / name
    folder.mkdir()
    return folder


def _many(texts: Sequence[str], count: int) -> list[str]:
    return list(itertools.islice(itertools.cycle(texts), max(count, 5 * CHANNELS)))


async def _speed(encoder: Encoder, texts: Sequence[str]) -> float:
    """Return how many texts a second an encoder takes one batch after the other."""
    await encoder.encode(["warm"])
    some, began = list(texts[:128]), time.perf_counter()
    for start in range(0, len(some), 32):
        await encoder.encode(some[start : start + 32])
    return len(some) / (time.perf_counter() - began)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """What messages at a pace took, and what each cost of a processor, in milliseconds; verdicts out of order."""

    p50: float
    p99: float
    processor: float
    out_of_order: int


async def _paced(traffic: Traffic, texts: Sequence[str], pace: float) -> Paced:
    await traffic.paced(texts[: 5 * CHANNELS], pace)
    began = time.process_time()
    own = [1000 * one for one in await traffic.paced(texts, pace)]
    return Paced(
        processor=1000 * (time.process_time() - began) / len(texts),
        p50=float(np.percentile(own, 50)),
        p99=float(np.percentile(own, 99)),
        out_of_order=traffic.times.out_of_order(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Seconds that the same number of like texts took through the pipeline and through the encoder alone."""

    messages: int
    pipeline: float
    alone: float


async def _throughput(traffic: Traffic, texts: Sequence[str]) -> list[Round]:
    """Take turns over portions of like kind; who comes first changes too."""
    rounds = []
    for number in range(ROUNDS):
        part = list(texts[number::ROUNDS])
        first = await traffic.alone(part) if number % 2 else 0.0
        through = await traffic.unpaced(part)
        rounds.append(Round(messages=len(part), pipeline=through, alone=first or await traffic.alone(part)))
    return rounds


def _figures(instant: Paced, real: Paced, pace: float, rounds: Sequence[Round]) -> Figures:
    return Figures(
        figures={
            "own_p50_ms": instant.p50,
            "own_p99_ms": instant.p99,
            "own_processor_ms": instant.processor,
            "out_of_order": instant.out_of_order + real.out_of_order,
            "with_encoder_pace_per_s": pace,
            "with_encoder_own_p50_ms": real.p50,
            "with_encoder_own_p99_ms": real.p99,
            "pipeline_per_s": sum(one.messages for one in rounds) / sum(one.pipeline for one in rounds),
            "encoder_per_s": sum(one.messages for one in rounds) / sum(one.alone for one in rounds),
        },
        ratios={"encoder": statistics.median(one.alone / one.pipeline for one in rounds)},
    )
