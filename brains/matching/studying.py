"""Learns profiles beside everything else: little in a thread, much in a process that gives its memory back."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, TypeVar

from bot.core.errors import Unavailable
from brains.engines.confinement import NICE, environment
from brains.matching.storing import from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brains.matching.profiles import ChannelProfiles
    from brains.matching.study import Study

T = TypeVar("T")

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-P", "-m", "brains.matching.study_process")
MUCH = 5_000
"""Messages from which on a process learns: starting it takes about a second. A thread holds the interpreter's lock, and
where it stands back it may wait for a processor meanwhile: at 100,000 messages everything else stood still for seconds.
"""
ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""It leaves the other processors to those who wait."""
TOLD = 500
"""Characters of what a process says at its end that the log keeps."""


async def study_apart(
    study: Study, *, much: int = MUCH, command: Sequence[str] = COMMAND
) -> tuple[ChannelProfiles, bytes]:
    """Learn, and return the profiles and how they are kept. Raises Unavailable when the process dies."""
    if len(study.corpus) < much:
        work = functools.partial(_learned, study)
        return await (aside(work) if study.rehearsed else asyncio.to_thread(work))  # somebody waits for the latter
    data = await _in_a_process(study, command)
    return await asyncio.to_thread(from_bytes, data), data


def _learned(study: Study) -> tuple[ChannelProfiles, bytes]:
    profiles = study.profiles()
    return profiles, to_bytes(profiles)


async def _in_a_process(study: Study, command: Sequence[str]) -> bytes:
    """Hand over by files without a name: whoever is killed leaves no word behind."""
    given, made = await asyncio.to_thread(_handed, study)
    with given, made:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=given, stdout=made, stderr=asyncio.subprocess.PIPE, env=environment() | ALONE
        )
        try:
            _nothing, told = await process.communicate()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            log.error("learning ended with %s: %s", process.returncode, told.decode(errors="replace")[-TOLD:].strip())
            raise Unavailable("Learning where everybody belongs was cut off; ask me again in a minute.")
        return await asyncio.to_thread(_whole, made)


def _handed(study: Study) -> tuple[IO[bytes], IO[bytes]]:
    given, made = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed by who asked
    study.write(given)
    given.seek(0)
    return given, made


def _whole(made: IO[bytes]) -> bytes:
    made.seek(0)
    return made.read()


async def aside(work: Callable[[], T]) -> T:
    """Compute in a thread of its own that gives way to everything else; whoever is cut off does not wait for it."""
    thread = ThreadPoolExecutor(1, "learning", initializer=_stand_back)
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, work)
    finally:
        thread.shutdown(wait=False)


def _stand_back() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
