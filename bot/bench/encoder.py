"""How quick, faithful and large the encoder is: beside sentence-transformers, and through the worker's socket."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.bench import Figures
from bot.bench.memory import export_peak, resident
from brains.engines import companion_of, open_encoder
from brains.engines.encoder_engine import encode
from brains.engines.encoders import parse_local
from brains.engines.hardware import load_engine
from brains.engines.text import prefix

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from sentence_transformers import SentenceTransformer

    from bot.core.ports import Encoder, Vector
    from bot.core.settings import Settings
    from brains.engines.encoder_engine import Engine
    from brains.engines.encoders import Model

ROUNDS = 4
"""Turns over all texts at once: in portions of 100, sentence-transformers, which sorts what it is given by length and
cuts it into batches of 32, comes to half the speed that it has on 600."""

LONE = 100
"""Messages encoded one by one."""

PEER_BATCH = 32
"""The batch that sentence-transformers takes unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Seconds of each contender over the same texts, one after the other."""

    messages: int
    engine: float
    socket: float
    peer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contenders:
    """The engine alone, the worker, and sentence-transformers; `texts` are for the worker, which adds prefixes."""

    engine: Engine
    worker: Encoder
    peer: SentenceTransformer
    texts: Sequence[str]
    prefixed: list[str]

    async def race(self, *, backwards: bool) -> Round:
        """Let each encode everything, in one order or the other: neighbours on a shared machine come and go."""
        works: dict[str, Callable[[], Awaitable[object]]] = {
            "engine": lambda: asyncio.to_thread(encode, self.engine, self.prefixed),
            "socket": lambda: self.worker.encode(self.texts),
            "peer": lambda: asyncio.to_thread(self.exact, self.prefixed),
        }
        order = reversed(works) if backwards else works
        return Round(messages=len(self.texts), **{name: await _seconds(works[name]) for name in order})

    async def alone(self) -> list[float]:
        """Return the seconds of messages that reach the worker one by one."""
        return [await _seconds(partial(self.worker.encode, [text])) for text in self.texts[:LONE]]

    def exact(self, prefixed: list[str]) -> Vector:
        """Encode in float32."""
        return np.asarray(self.peer.encode(prefixed, batch_size=PEER_BATCH, show_progress_bar=False), np.float32)


async def bench_encoder(texts: Sequence[str], *, home: Path, settings: Settings) -> Figures:
    """Measure the engine, the worker and sentence-transformers in float32 on the same weights and texts, in turns.

    Cosines are to the float32 vectors; a rate or ratio is the median over the rounds. Memory is that of the first
    preparation and of the worker at the end. Raises Misconfigured when the setting names a server.
    """
    model = parse_local(settings.encoder)
    export_mb = await asyncio.to_thread(export_peak, settings.encoder)
    words = prefix(model.name, "passage")
    engine = await load_engine(model, settings.encoder, home, settings.cores, lambda _: None)
    peer = await asyncio.to_thread(sentence_transformer, model, settings.cores)
    settings = settings.model_copy(update={"home": home})
    served = companion_of(settings)
    async with open_encoder(settings) as worker:
        await worker.encode(["warm"])
        prefixed = [words + text for text in texts]
        contenders = Contenders(engine=engine, worker=worker, peer=peer, texts=texts, prefixed=prefixed)
        rounds = [await contenders.race(backwards=number % 2 == 1) for number in range(ROUNDS)]
        lone = await contenders.alone()
        memory = {"export_peak_mb": export_mb, "worker_mb": await asyncio.to_thread(resident, served.socket)}
    figures = await asyncio.to_thread(_figures, contenders, rounds, lone)
    return Figures(figures=figures.figures | memory, ratios=figures.ratios)


def sentence_transformer(model: Model, threads: int) -> SentenceTransformer:
    """Build sentence-transformers' own encoder, in float32, from the weights that ours uses."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers.utils import logging

    torch.set_num_threads(threads)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        _save(model, Path(folder))
        transformer = Transformer(folder, max_seq_length=model.longest)
        pooling = Pooling(model.size, pooling_mode=model.pooling)
        return SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu")


def _save(model: Model, folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    from brains.engines.network import load

    network, tokenizer, padding = load(model.source)
    network.encoder.save_pretrained(folder)
    filler = tokenizer.id_to_token(padding)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=filler)
    wrapped.save_pretrained(folder)


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


def _figures(contenders: Contenders, rounds: Sequence[Round], lone_socket: Sequence[float]) -> Figures:
    engine, texts = contenders.engine, contenders.prefixed
    tokens = sum(map(len, engine.tokenise(texts)))
    cosines = (encode(engine, texts) * contenders.exact(texts)).sum(axis=1)
    lone = [_timed(engine, text) for text in texts[:LONE]]
    rate = statistics.median(each.messages / each.engine for each in rounds)
    return Figures(
        figures={
            "messages": len(texts),
            "tokens_per_message": tokens / len(texts),
            "messages_per_second": rate,
            "tokens_per_second": rate * tokens / len(texts),
            "socket_messages_per_second": statistics.median(each.messages / each.socket for each in rounds),
            "sentence_transformers_messages_per_second": statistics.median(
                each.messages / each.peer for each in rounds
            ),
            "cosine_mean": float(cosines.mean()),
            "cosine_min": float(cosines.min()),
            "lone_p50_ms": 1000 * float(np.percentile(lone, 50)),
            "lone_p95_ms": 1000 * float(np.percentile(lone, 95)),
            "lone_socket_p50_ms": 1000 * float(np.percentile(lone_socket, 50)),
            "lone_socket_p95_ms": 1000 * float(np.percentile(lone_socket, 95)),
        },
        ratios={
            "sentence-transformers": statistics.median(each.peer / each.engine for each in rounds),
            "engine": statistics.median(each.engine / each.socket for each in rounds),
        },
    )


def _timed(engine: Engine, text: str) -> float:
    began = time.perf_counter()
    encode(engine, [text])
    return time.perf_counter() - began
