"""A bot in a home of its own: started, watched from outside, killed and started again."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import Literal

import httpx

from tests.command import PROGRAM, VECTORS, WORKER, Kinfolk
from tests.watching import until

Part = Literal["bot", "worker", "vectors"]
PARTS: tuple[Part, ...] = ("bot", "worker", "vectors")
HEADERS = {"x-kinfolk": "1"}


def free_port() -> int:
    """Find a port that nobody uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass(slots=True, kw_only=True)
class Bot:
    """`kinfolk run` with the playground as its platform. `generator` is the setting of that name."""

    program: Kinfolk
    generator: str = "none"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Return the page's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Say whether the bot itself runs."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> float:
        """Start the bot and return the seconds until its page answered."""
        began = time.monotonic()
        settings = {"KINFOLK_PLAYGROUND_PORT": str(self.port), "KINFOLK_GENERATOR": self.generator}
        with (self.program.home / "bot.log").open("a") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), "run"],
                cwd=self.program.home.parent,
                env=self.program.environment(**settings),
                stdout=log,
                stderr=log,
                text=True,
            )
        until(self.answers)
        return time.monotonic() - began

    def answers(self) -> bool:
        """Say whether the page answers; an error when the bot ended instead."""
        assert self.alive, f"the bot ended: {self.last_words()}"
        return self.banner() is not None

    def last_words(self) -> str:
        """Return the end of what the bot printed."""
        return (self.program.home / "bot.log").read_text()[-4000:]

    def is_ready(self) -> bool:
        """Say whether the bot thinks at full strength."""
        return self.banner() == ""

    def banner(self) -> str | None:
        """Return what the page says is still to be waited for; None when it does not answer."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/api/ready", timeout=5).json()["banner"]
        return None

    def kill(self, part: Part) -> None:
        """Kill -9 one process, and wait until it is gone."""
        if part == "bot":
            assert self.process is not None
            self.process.kill()
            self.process.wait()
            return
        module = WORKER if part == "worker" else VECTORS
        until(lambda: bool(self.program.companions(module)))
        for process in self.program.companions(module):
            process.kill()

    def end(self) -> None:
        """End the bot and all it started."""
        if self.alive and self.process is not None:
            self.process.kill()
            self.process.wait()
        self.program.end_companions()
