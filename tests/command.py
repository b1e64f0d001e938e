"""Runs the command line as a process of its own, in a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from tests.forking import Forked, parent

PROGRAM = Path(sys.executable).parent / "kinfolk"
VECTORS, WORKER = "storage.vectors.process", "brains.engines.worker"
PATIENCE = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinfolk:
    """The program and the folder that it keeps its data in."""

    home: Path

    def start(self, *arguments: object, **settings: str) -> Forked:
        """Start it and return at once."""
        words = [*map(str, arguments)]
        return parent().start(words, cwd=self.home.parent, env=self.environment(**settings))

    def begin(self, *arguments: object, **settings: str) -> subprocess.Popen[str]:
        """Start the program itself, with all that an interpreter imports first."""
        return subprocess.Popen(
            [str(PROGRAM), *map(str, arguments)],
            cwd=self.home.parent,
            env=self.environment(**settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell lets what it runs in the background ignore Ctrl-C, and so do all its children.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - sets a default, no more
        )

    def run(self, *arguments: object, expect: int = 0, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end and insist on its exit code."""
        with self.start(*arguments, **settings) as process:
            out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == expect, f"exit code {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def json(self, *arguments: object) -> Any:
        """Run it and read the one document it prints."""
        return json.loads(self.run(*arguments).stdout)

    def environment(self, **settings: str) -> dict[str, str]:
        """Give the environment: ours without its own settings, and the home."""
        bare = {name: value for name, value in os.environ.items() if not name.startswith("KINFOLK_")}
        return {**bare, "KINFOLK_HOME": str(self.home), **settings}

    def companions(self, module: str) -> list[psutil.Process]:
        """Find the living processes of this home that run a module."""
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if module in (line := " ".join(process.info["cmdline"] or ())) and str(self.home) in line
        ]

    def end_companions(self) -> None:
        """End whatever this home still runs."""
        living = [*self.companions(VECTORS), *self.companions(WORKER)]
        for process in living:
            process.kill()
        psutil.wait_procs(living, timeout=10)
