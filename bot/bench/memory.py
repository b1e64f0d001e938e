"""How much memory the encoder takes: while it is prepared for the first time, and in the worker that serves it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import psutil

from bot.core.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

MEGABYTE = 1e6


def export_peak(spec: str) -> float:
    """Prepare an encoder in an empty home and return the most memory that took, in MB; raises Unavailable.

    To be called before anything large is loaded here: a process begins with its parent's peak.
    """
    with tempfile.TemporaryDirectory(prefix="kf-") as home:
        command = [sys.executable, "-m", "brains.engines.export", f"--encoder={spec}", f"--home={home}"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Unavailable(f"The encoder could not be prepared (exit code {process.returncode}).")
    return used.ru_maxrss * 1024 / MEGABYTE


def resident(socket: Path) -> float:
    """Return the memory of the process that was started to serve a socket, in MB, shared libraries counted."""
    asked = f"--socket={socket}"
    found = (each for each in psutil.process_iter(["cmdline"]) if asked in (each.info["cmdline"] or ()))
    return float(next(found).memory_info().rss) / MEGABYTE
