"""How long an export takes to be stored, and whether the memory that takes grows with it: made up, and thrown away."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from bot.bench import Figures, exports
from bot.bench.exports import WRITERS, Kind
from bot.bench.importing import bench_import
from bot.core.errors import Unavailable

if TYPE_CHECKING:
    from bot.core.settings import Settings

MEGABYTE = 1e6
TENTH = 10
FEW = 100
"""Messages of an import whose memory is that of the program itself."""


COMMUNITY = ["--community", "bench", "--json"]


async def bench_history(kind: Kind, messages: int, *, count: int, settings: Settings) -> Figures:
    """Import exports of three sizes by the command line, each in a process and a home of its own; then encode some."""
    figures: dict[str, float] = {}
    _, _, bare = await asyncio.to_thread(_import, kind, FEW)
    for size in (messages // TENTH, messages):
        stored, seconds, peak = await asyncio.to_thread(_import, kind, size)
        figures |= {f"{kind}_{size}_stored": stored, f"{kind}_{size}_store_s": seconds}
        figures[f"{kind}_{size}_memory_mb"] = peak - bare
    chance = random.Random(count)
    encoded = await bench_import([exports.sentence(chance) for _ in range(count)], settings=settings)
    return Figures(figures=figures | encoded.figures, ratios=encoded.ratios)


def _import(kind: Kind, messages: int) -> tuple[float, float, float]:
    """Return how many messages were stored, the seconds that took, and the most memory, in MB."""
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        path = WRITERS[kind](Path(folder) / ("export.zip" if kind is Kind.SLACK else "export.json"), messages)
        # Whatever else is set, nothing but this folder is written to.
        own = {"KINFOLK_HOME": f"{folder}/home", "KINFOLK_DATABASE_URL": "", "KINFOLK_VECTORS": ""}
        program = [sys.executable, "-c", "from bot.cli import main; main()", "import", kind, str(path), *COMMUNITY]
        with (Path(folder) / "answer").open("w+b") as answer:
            process = subprocess.Popen(program, stdout=answer, env={**os.environ, **own})
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise Unavailable(f"The import failed (exit code {process.returncode}).")
            answer.seek(0)
            told = orjson.loads(answer.read())
    return float(told["messages"]), float(told["seconds"]), used.ru_maxrss * 1024 / MEGABYTE
