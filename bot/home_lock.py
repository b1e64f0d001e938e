"""One running bot in one home: a lock that the system lets go of when the process dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from filelock import AsyncFileLock, Timeout

from bot.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LOCK, HOLDER = "run.lock", "run.pid"


@contextlib.asynccontextmanager
async def alone_in(home: Path) -> AsyncIterator[None]:
    """Hold a home for this process; raises Unavailable when another bot lives in it."""
    lock, holder = AsyncFileLock(home / LOCK), home / HOLDER
    try:
        await lock.acquire(timeout=0)
    except Timeout:
        raise Unavailable(
            f"Another Kinfolk (process {await _pid(holder)}) runs in {home}. "
            "Stop it first, or set KINFOLK_HOME to another folder."
        ) from None
    try:
        await asyncio.to_thread(holder.write_text, str(os.getpid()))
        yield
    finally:
        await asyncio.to_thread(holder.unlink, missing_ok=True)
        await lock.release()


async def is_running(home: Path) -> bool:
    """Say whether a bot lives in a home."""
    lock = AsyncFileLock(home / LOCK)
    try:
        await lock.acquire(timeout=0)
    except Timeout:
        return True
    await lock.release()
    return False


async def _pid(holder: Path) -> str:
    try:
        return (await asyncio.to_thread(holder.read_text)).strip()
    except OSError:
        return "unknown"
