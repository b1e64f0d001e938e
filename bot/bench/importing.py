"""How much of the engine's own speed an import keeps: the same texts, imported and encoded alone, in turns."""

from __future__ import annotations

import asyncio
import functools
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.app import App, open_app
from bot.bench import Figures
from bot.core.events import MessagePosted, Named
from bot.core.things import Ref
from brains.engines.encoder_engine import encode
from brains.engines.encoders import parse_local
from brains.engines.hardware import open_engine
from brains.engines.text import prefix
from storage import communities
from storage.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.settings import Settings
    from brains.engines.encoder_engine import Engine
    from storage.connection import Connection

ROUNDS = 3


async def bench_import(texts: Sequence[str], *, settings: Settings) -> Figures:
    """Measure messages a second of an import's encoding and of the engine alone, in a home that is thrown away."""
    portions = _portions(list(dict.fromkeys(texts)))
    model = parse_local(settings.encoder)
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        scratch = scratch_settings(settings, Path(folder))
        async with open_app(scratch) as app:
            await (await app.encoder()).encode(["warm"])
            engine = await asyncio.to_thread(
                open_engine, model, settings.encoder, scratch.home, threads=settings.cores, progress=lambda _: None
            )
            words = prefix(model.name, "passage")
            rounds = [await _round(app, engine, words, portion, number) for number, portion in enumerate(portions)]
    return _figures([len(portion) for portion in portions], rounds)


def _portions(texts: list[str]) -> list[list[str]]:
    """Deal texts into rounds of like kind, none twice, so that no round finds the cache warm."""
    return [texts[number::ROUNDS] for number in range(ROUNDS)]


def scratch_settings(settings: Settings, folder: Path) -> Settings:
    """Give settings for a home of its own that shares only the exported model."""
    models = settings.home / "models"
    models.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(models)
    return settings.model_copy(update={"home": folder, "vectors": "", "database_url": ""})


async def _round(app: App, engine: Engine, words: str, texts: list[str], number: int) -> tuple[float, float, float]:
    """Return seconds to store, to encode as an import, and to encode by the engine alone."""
    alone = await _alone(engine, words, texts) if number % 2 else 0.0
    stored = await _store(app, texts, number)
    index = await app.index()
    began = time.perf_counter()
    await index.catch_up()
    imported = time.perf_counter() - began
    return stored, imported, alone or await _alone(engine, words, texts)


async def _alone(engine: Engine, words: str, texts: list[str]) -> float:
    began = time.perf_counter()
    await asyncio.to_thread(encode, engine, [words + text for text in texts])
    return time.perf_counter() - began


async def _store(app: App, texts: list[str], number: int) -> float:
    began = time.perf_counter()
    await app.database.write(functools.partial(_store_in, app=app, texts=texts, number=number))
    return time.perf_counter() - began


async def _store_in(connection: Connection, *, app: App, texts: list[str], number: int) -> None:
    now = app.clock.now()
    intake = Intake(await communities.find_or_make(connection, "bench", now), now)
    await intake.begin(connection)
    somebody = Named(ref=Ref("bench", "somebody"), name="somebody")
    events = [
        MessagePosted(
            message=Ref("bench", f"{number}/{place}"),
            channel=somebody,
            author=somebody,
            text=text,
            at=now - timedelta(seconds=place),
            source="bench",
        )
        for place, text in enumerate(texts)
    ]
    await intake.store(connection, events)


def _figures(counts: Sequence[int], rounds: Sequence[tuple[float, float, float]]) -> Figures:
    stored, imported, alone = zip(*rounds, strict=True)
    total = sum(counts)
    return Figures(
        figures={
            "messages": total,
            "stored_per_s": total / sum(stored),
            "imported_per_s": total / sum(imported),
            "engine_per_s": total / sum(alone),
        },
        ratios={"engine": statistics.median(one / other for one, other in zip(alone, imported, strict=True))},
    )
