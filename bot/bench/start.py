"""How soon a bot is there, how soon it answers after a restart, and what memory it holds while nobody speaks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil

from bot.app import open_app
from bot.bench import Figures
from bot.bench.importing import scratch_settings
from bot.core.errors import Unavailable
from brains.engines.encoders import parse_local
from brains.engines.hardware import load_engine
from storage import outbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.core.settings import Settings

PATIENCE = 180.0
"""Seconds in which a bot must be where it is waited for."""
GLANCE = 0.02
IDLE = 5.0
"""Seconds without anything to do before memory is read."""
MEGABYTE = 1024 * 1024
ASKED = {"deed": "use", "by": "colm", "room": "general", "line": "/match music in the evening"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A bot in a process of its own, and when it was started."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient
    began: float

    async def until(self, is_so: Callable[[], Awaitable[bool]]) -> float:
        """Return the seconds from the start until something is so. Raises Unavailable when it never is."""
        while not await self._is(is_so):
            if self.process.returncode is not None or time.perf_counter() - self.began > PATIENCE:
                raise Unavailable("The bot did not come up. `kinfolk run` says why.")
            await asyncio.sleep(GLANCE)
        return time.perf_counter() - self.began

    async def _is(self, is_so: Callable[[], Awaitable[bool]]) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return await is_so()
        return False

    async def page_answers(self) -> bool:
        """Say whether the page answers."""
        return (await self.client.get("/api/ready")).is_success

    async def is_ready(self) -> bool:
        """Say whether the bot thinks at full strength."""
        return bool((await self.client.get("/api/ready")).json()["banner"] == "")

    async def ask(self) -> None:
        """Give a command."""
        (await self.client.post("/api/do", json=ASKED)).raise_for_status()

    async def is_answered(self) -> bool:
        """Say whether the command was answered, to whoever gave it."""
        shown = await self.client.get("/api/messages", params={"as": ASKED["by"], "room": ASKED["room"]})
        return any(bool(message["answers"] == ASKED["line"]) for message in shown.json()["messages"])


async def bench_start(settings: Settings) -> Figures:
    """Start the bot twice in a home that is thrown away; the model is exported before, which takes a minute once."""
    await load_engine(parse_local(settings.encoder), settings.encoder, settings.home, settings.cores, lambda _: None)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="kf-", ignore_cleanup_errors=True) as folder:
        scratch = scratch_settings(settings, Path(folder))
        try:
            async with _running(scratch) as first:
                figures["first_page_s"] = await first.until(first.page_answers)
                figures["first_ready_s"] = await first.until(first.is_ready)
                await first.until(partial(_all_indexed, scratch))
            await asyncio.to_thread(_end_companions, folder)
            async with _running(scratch) as second:
                figures["again_page_s"] = await second.until(second.page_answers)
                await second.ask()
                figures["again_answered_s"] = await second.until(second.is_answered)
                await second.until(second.is_ready)
                await asyncio.sleep(IDLE)
                figures |= await asyncio.to_thread(_memory, second.process.pid, folder)
        finally:
            await asyncio.to_thread(_end_companions, folder)
    return Figures(figures=figures, ratios={})


async def _all_indexed(settings: Settings) -> bool:
    """Say whether the sample is encoded, as it is from then on whenever a bot starts."""
    await asyncio.sleep(1)
    async with open_app(settings) as app, app.database.read() as connection:
        return await outbox.count(connection) == 0


@contextlib.asynccontextmanager
async def _running(settings: Settings) -> AsyncIterator[Running]:
    port, began = _free_port(), time.perf_counter()
    own = {
        "KINFOLK_HOME": str(settings.home),
        "KINFOLK_PLAYGROUND_PORT": str(port),
        "KINFOLK_DATABASE_URL": "",
        "KINFOLK_VECTORS": "",
        "KINFOLK_PLAYGROUND": "on",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from bot.cli import main; main()", "run"),
        env={**os.environ, **own},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, headers={"x-kinfolk": "1"}, trust_env=False) as client:
            yield Running(process=process, client=client, began=began)
    finally:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _memory(bot: int, home: str) -> dict[str, float]:
    """Return the memory of each process: resident, and its share of what it has in common with others (PSS)."""
    figures: dict[str, float] = {}
    for name, process in {"bot": psutil.Process(bot), **_companions(home)}.items():
        memory = process.memory_full_info()
        figures |= {f"{name}_rss_mb": memory.rss / MEGABYTE, f"{name}_pss_mb": memory.pss / MEGABYTE}
    return figures


def _companions(home: str) -> dict[str, psutil.Process]:
    """Find the companions of a home by what they run."""
    names = {"brains.engines.worker": "worker", "storage.vectors.process": "vectors"}
    lines = {process: process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])}
    return {
        name: process
        for process, line in lines.items()
        for module, name in names.items()
        if module in line and any(home in word for word in line)
    }


def _end_companions(home: str) -> None:
    living = list(_companions(home).values())
    for process in living:
        process.kill()
    psutil.wait_procs(living, timeout=10)
