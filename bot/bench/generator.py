"""How quick the generator is, alone and four at once, and how many of its sentences about offers may be shown."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.app import App, open_app
from bot.bench import Figures
from bot.bench.importing import scratch_settings
from bot.core.errors import Misconfigured
from bot.core.ports import Turn
from bot.importing import import_jsonl
from brains.engines import open_generator
from brains.matching.phrasing import phrase
from storage import communities, members

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.ports import Generator
    from bot.core.settings import Settings
    from brains.matching.matchmaker import Offer

ROUNDS = 3
AT_ONCE = 4
LONG = 100
"""Tokens of an answer whose writing is timed."""

OFFERS = 3
"""Offers of each member that are phrased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One timed answer: seconds to the first piece and to the end, and how many pieces; most are one token."""

    first: float
    whole: float
    pieces: int


async def bench_generator(history: Path, descriptions: Path, *, settings: Settings) -> Figures:
    """Measure the generator through its worker, and phrase the offers of every member of a community.

    Raises Misconfigured when the setting says `none`.
    """
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        apart = scratch_settings(settings, Path(folder))
        async with open_generator(apart) as generator, open_app(apart) as app:
            if generator is None:
                raise Misconfigured("KINFOLK_GENERATOR=none writes nothing; name a generator.")
            offers = await _offers(app, history, descriptions)
            cold = await _ask(generator, 0)
            rounds = [await _round(generator, number) for number in range(1, ROUNDS + 1)]
            phrased = [await _phrase(generator, offer) for offer in offers]
    return _figures(cold, rounds, phrased)


async def _offers(app: App, history: Path, descriptions: Path) -> list[Offer]:
    """Import a community into a home that is thrown away, and offer each of its members channels."""
    await import_jsonl(
        app.database, app.clock, home=app.settings.home, path=history, community="bench", descriptions=descriptions
    )
    await (await app.index()).catch_up()
    matchmaker = await app.matchmaker("en")
    async with app.database.read() as connection:
        community = await communities.find(connection, "bench")
        every = await members.every(connection, community)
    return [offer for member in every for offer in await matchmaker.for_member(community, member, k=OFFERS)]


async def _round(generator: Generator, number: int) -> tuple[list[Answer], float]:
    """Give answers one after the other, and the pieces a second of as many at once."""
    alone = [await _ask(generator, 10 * number + each) for each in range(AT_ONCE)]
    began = time.perf_counter()
    together = await asyncio.gather(*(_ask(generator, 100 * number + each) for each in range(AT_ONCE)))
    return alone, sum(answer.pieces for answer in together) / (time.perf_counter() - began)


async def _ask(generator: Generator, number: int) -> Answer:
    turns = [Turn(role="user", text=f"Tell a long story about a boat with the number {number}.")]
    began = time.perf_counter()
    times = [time.perf_counter() - began async for _ in generator.generate(turns, most=LONG)]
    return Answer(first=times[0], whole=times[-1], pieces=len(times))


async def _phrase(generator: Generator, offer: Offer) -> tuple[bool, float]:
    began = time.perf_counter()
    sentence = await phrase(generator, offer, language="en")
    return sentence is not None, time.perf_counter() - began


def _figures(
    cold: Answer, rounds: Sequence[tuple[list[Answer], float]], phrased: Sequence[tuple[bool, float]]
) -> Figures:
    answers = [answer for alone, _ in rounds for answer in alone]
    rates = [sum(each.pieces for each in alone) / sum(each.whole for each in alone) for alone, _ in rounds]
    return Figures(
        figures={
            "tokens_per_second": statistics.median(rates),
            "four_at_once_tokens_per_second": statistics.median(four for _, four in rounds),
            "first_piece_cold_ms": 1000 * cold.first,
            "first_piece_warm_ms": 1000 * statistics.median(answer.first for answer in answers),
            "offers": len(phrased),
            "phrased_share": statistics.mean(shown for shown, _ in phrased),
            "phrase_mean_s": statistics.mean(seconds for _, seconds in phrased),
        },
        ratios={"one_at_a_time": statistics.median(four / rate for (_, four), rate in zip(rounds, rates, strict=True))},
    )
