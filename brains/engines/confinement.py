"""What a process gives up that opens what strangers made: it may take so much memory, writes no file, asks nobody."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
from typing import BinaryIO

LENGTH = struct.Struct(">I")
"""What precedes a frame on a pipe: how long it is."""
MEMORY = 2 << 30
"""Bytes of addresses; reading a large picture takes 1.3 GB of these, and .7 GB of memory."""
NICE = 10
"""Messages are encoded on the same cores, and what is opened here can wait for them."""
PARENT_DIED = 1
"""Linux: the signal that comes when the parent process ends, set by `prctl`."""
KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
"""What of the environment such a process is told: no token and no password."""
FORBIDDEN = (
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "subprocess.Popen",
)
"""What neither we nor a library of ours may do here, by the names of Python's audit events."""


def write(out: BinaryIO, body: bytes) -> None:
    """Write one frame."""
    out.write(LENGTH.pack(len(body)) + body)
    out.flush()


def environment() -> dict[str, str]:
    """Return what of the environment such a process is told."""
    return {name: value for name, value in os.environ.items() if name in KEPT}


def seal() -> None:
    """Write no file from here on: what the interpreter compiled of the libraries is kept by now."""
    for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(kind, (0, 0))


def confine(memory: int = MEMORY) -> None:
    """Give up what neither loading what opens a file nor opening it needs."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    os.nice(NICE)
    follow()
    sys.addaudithook(_audit)


def follow() -> None:
    """End with the parent: one that was killed leaves nobody behind who goes on with its last file."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DIED, signal.SIGKILL)


def _audit(event: str, _arguments: tuple[object, ...]) -> None:
    if event in FORBIDDEN:
        raise PermissionError(f"{event}: what strangers made is opened without it")
