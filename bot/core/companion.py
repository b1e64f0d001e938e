"""A helper process shared by everything that uses one home: started when first needed, gone when nobody is left.

The vector process and the worker are companions. Whoever needs one calls `ensure`; a file lock makes sure that
two callers start one process. The companion itself holds a second lock for life, so an orphan's socket file is
never mistaken for a living server, and it ends on its own after `idle` seconds without a client.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import AsyncFileLock

from bot.core.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_SOCKET_PATH = 100
"""Bytes; the kernel's limit for a Unix socket's path is 108 with its end mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """One helper process of a home: `name` for messages and files, `command` for `python -m`."""

    name: str
    home: Path
    command: Sequence[str]
    patience: float = 120.0

    @property
    def socket(self) -> Path:
        """Return the socket's path: in the home, or in the temporary folder where that would be too long."""
        path = self.home / f"{self.name}.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"kinfolk-{os.getuid()}-{digest}" / f"{self.name}.sock"

    @property
    def log(self) -> Path:
        """Return the file that holds the process's own output."""
        return self.home / f"{self.name}.log"

    async def ensure(self) -> None:
        """Return once the process accepts connections, starting it if need be. Raises Unavailable or Misconfigured."""
        await asyncio.to_thread(self._make_room)
        if await self.answers():
            return
        async with AsyncFileLock(self.home / f"{self.name}.start.lock"):
            if not await self.answers():
                await self._start()

    async def answers(self) -> bool:
        """Say whether something accepts connections on the socket."""
        try:
            _, writer = await asyncio.open_unix_connection(self.socket)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    async def _start(self) -> None:
        process = await asyncio.to_thread(self._spawn)
        deadline = time.monotonic() + self.patience
        while not await self.answers():
            if process.poll() is not None:
                words = await asyncio.to_thread(self._last_words)
                kind = Misconfigured if process.returncode == Misconfigured.exit_code else Unavailable
                raise kind(f"The {self.name} process stopped at its start: {words}")
            if time.monotonic() > deadline:
                process.kill()
                raise Unavailable(f"The {self.name} process did not answer in {self.patience:.0f} s; see {self.log}")
            await asyncio.sleep(0.02)

    def _make_room(self) -> None:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Misconfigured(
                f"{self.home} cannot be used ({error.strerror}). KINFOLK_HOME and KINFOLK_VECTORS name such folders."
            ) from None
        if self.socket.parent.stat().st_uid != os.getuid():
            # In the temporary folder anybody could have been first, and would read what is sent.
            raise Misconfigured(f"{self.socket.parent} belongs to somebody else. Remove it, or shorten KINFOLK_HOME.")

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'it said nothing'} (see {self.log})"
