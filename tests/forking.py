"""Processes of the command line that have imported it already: forked from one that did, and else like any other.

A test that starts a dozen of them would otherwise import SQLAlchemy, numpy and the rest a dozen times.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

ROOT = Path(__file__).parents[1]
MODULES = (
    *("bot.cli", "bot.app", "bot.backfill", "bot.checkup", "bot.harbour", "bot.importing", "bot.living", "bot.replay"),
    *("bot.ahead", "bot.lanes", "bot.perform", "bot.pipeline", "adapters.discord.examining", "adapters.playground"),
    *("adapters.history.discord", "brains.engines.encoder_client", "brains.engines.line", "brains.matching.matchmaker"),
    *("brains.skills", "storage.exporting", "storage.inbox", "storage.vectors.client", "rich.progress", "rich.table"),
)
"""What most verbs need."""
LONGEST = 1 << 18
"""Bytes of one request: an environment is large."""


@dataclass(slots=True, kw_only=True)
class Forked:
    """A process, with what tests need of `subprocess.Popen`. What it prints goes to files, so it never waits for us."""

    args: Sequence[str]
    pid: int
    out: IO[str]
    err: IO[str]
    parent: Parent
    returncode: int | None = None

    def printed(self) -> str:
        """Return what it has printed so far, without moving to where it goes on printing."""
        return b"".join(os.pread(file.fileno(), LONGEST, 0) for file in (self.out, self.err)).decode()

    def poll(self) -> int | None:
        """Return the exit code, None while it lives."""
        if self.returncode is None:
            self.returncode = self.parent.ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit code."""
        with suppress(ProcessLookupError):
            ended = os.pidfd_open(self.pid)
            try:
                if not select.select([ended], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
            finally:
                os.close(ended)
        code = self.poll()
        assert code is not None
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end and return what it printed."""
        self.wait(timeout)
        return _whole(self.out), _whole(self.err)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for its end."""
        self.wait()


def _whole(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


@dataclass(slots=True, kw_only=True)
class Parent:
    """The process that has imported everything, as the tests see it: one for each process of tests."""

    line: socket.socket
    process: subprocess.Popen[bytes]
    turn: threading.Lock = field(default_factory=threading.Lock)

    def start(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Forked:
        """Start the command line with these arguments."""
        out, err = (tempfile.TemporaryFile("w+") for _ in range(2))  # noqa: SIM115 - open as long as the process is known
        request = {"arguments": [*arguments], "cwd": str(cwd), "env": dict(env)}
        pid = self.ask(request, out.fileno(), err.fileno())
        assert pid is not None
        return Forked(args=["kinfolk", *arguments], pid=pid, out=out, err=err, parent=self)

    def ask(self, request: Mapping[str, object], *files: int) -> int | None:
        """Send a request and return the answer to it."""
        with self.turn:
            socket.send_fds(self.line, [json.dumps(request).encode()], files)
            answer: int | None = json.loads(self.line.recv(LONGEST))
        return answer


@functools.cache
def parent() -> Parent:
    """Start the process that imports everything; it ends with the one that called."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.forking", str(theirs.fileno())]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
    )
    theirs.close()
    return Parent(line=ours, process=process)


def serve(line: socket.socket) -> None:
    """Fork on request until nobody is left who asks; returns in every child, which is then to be the program."""
    # A shell lets what it runs in the background ignore Ctrl-C, and so do all its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for module in MODULES:
        importlib.import_module(module)
    gc.freeze()  # or every child would copy it all, looking for garbage
    ended: dict[int, int | None] = {}
    while True:
        words, files, _flags, _address = socket.recv_fds(line, LONGEST, 2)
        if not words:
            break
        request = json.loads(words)
        if "poll" in request:
            answer = ended[request["poll"]] = _ended(request["poll"], ended)
        elif answer := os.fork():
            ended[answer] = None
        else:
            line.close()
            return _become(request, *files)
        for file in files:
            os.close(file)
        line.send(json.dumps(answer).encode())
    for child in ended:
        if _ended(child, ended) is None:
            os.kill(child, signal.SIGKILL)
    os._exit(0)


def _ended(child: int, ended: Mapping[int, int | None]) -> int | None:
    """Return a child's exit code, None while it lives; it can be asked for once only, so it is remembered."""
    if (code := ended[child]) is not None:
        return code
    pid, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if pid else None


def _become(request: Mapping[str, object], out: int, err: int) -> None:
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.close(out)
    os.close(err)
    os.chdir(str(request["cwd"]))
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["kinfolk", *request["arguments"]]
    random.seed()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
    from bot.cli import main

    main()
