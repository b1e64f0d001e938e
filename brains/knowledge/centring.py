"""What all questions of a language have in common, so that it can be taken off where question and text differ in it.

E5 puts some texts near every question of another language. Taking the mean of such questions off the question leaves
what this one asks (a form of hubness reduction; Suzuki, Hara, Shimbo, Saerens, Fukumizu: EMNLP 2013).
"""

from __future__ import annotations

import asyncio
import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.ports import Encoder, Vector

Script = Literal["latin", "han", "cyrillic", "other"]

QUESTIONS = Path(__file__).with_name("questions.txt")
HAN_WEIGHT = 3
"""Letters that a Chinese sign counts for: a Chinese sentence with an English name in it is Chinese."""

_SCRIPTS: tuple[tuple[Script, re.Pattern[str], int], ...] = (
    ("han", re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"), HAN_WEIGHT),
    ("latin", re.compile(r"[A-Za-z\u00c0-\u024f]"), 1),
    ("cyrillic", re.compile(r"[\u0400-\u04ff]"), 1),
    ("other", re.compile(r"[\u0370-\u03ff\u0530-\u1fff]"), 1),
)
GLANCE = 2_000
"""Characters that are looked at."""

_centres: dict[tuple[str, Script], Vector] = {}
"""By encoder and script, as long as this process lives: a second's work that depends on nothing else."""
_under_way: dict[tuple[str, Script], asyncio.Task[Vector | None]] = {}
"""Those being made: who asks meanwhile waits for the same one."""


@functools.lru_cache(maxsize=4096)
def script(text: str) -> Script:
    """Say in which script most of a text is written."""
    seen = text[:GLANCE]
    return max(_SCRIPTS, key=lambda one: len(one[1].findall(seen)) * one[2])[0]


async def centre(encoder: Encoder, asked: Script) -> Vector | None:
    """Return the mean vector of everyday questions in a script, shape (size,); None where there are none."""
    known = (encoder.fingerprint, asked)
    if known in _centres:
        return _centres[known]
    under_way = _under_way.get(known)
    if under_way is None or under_way.get_loop() is not asyncio.get_running_loop():
        under_way = asyncio.create_task(_mean(encoder, asked))
        _under_way[known] = under_way
        under_way.add_done_callback(lambda _done: _under_way.pop(known, None))
    found = await asyncio.shield(under_way)
    if found is not None:
        _centres[known] = found
    return found


async def _mean(encoder: Encoder, asked: Script) -> Vector | None:
    told = (await asyncio.to_thread(everyday)).get(asked, [])
    if not told:
        return None
    return np.asarray((await encoder.encode(told, kind="query")).mean(axis=0), dtype=np.float32)


def everyday() -> dict[Script, Sequence[str]]:
    """Read the everyday questions, by script."""
    lines = [line for line in QUESTIONS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    found: dict[Script, list[str]] = {}
    for line in lines:
        found.setdefault(script(line), []).append(line)
    return dict(found)
