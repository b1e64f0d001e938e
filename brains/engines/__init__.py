"""Encoders, and the worker that serves them: `open_encoder` chooses by `KINFOLK_ENCODER`."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.core.companion import Companion
    from bot.core.settings import Settings
    from brains.engines.client import WorkerEncoder
    from brains.engines.line import Line

IDLE = 300.0
"""Seconds that the worker outlives its last request: loading it again takes two."""


@contextlib.asynccontextmanager
async def open_encoder(settings: Settings, *, idle: float = IDLE) -> AsyncIterator[WorkerEncoder]:
    """Open the encoder: the worker of the home, started when needed, or the server that `KINFOLK_ENCODER` names.

    Its first start on a CPU prepares the model for a minute, in which calls wait. Raises Misconfigured, or
    Unavailable when the server cannot be reached.
    """
    from brains.engines.client import WorkerEncoder, identify

    line, model = _line(settings, idle)
    try:
        yield WorkerEncoder(line, await identify(line, model))
    finally:
        await line.close()


def _line(settings: Settings, idle: float) -> tuple[Line, str]:
    from brains.engines.line import to_server, to_worker
    from brains.engines.models import is_remote, parse_remote

    if is_remote(settings.encoder):
        remote = parse_remote(settings.encoder)
        return to_server(remote, settings.encoder_key.get_secret_value()), remote.name
    return to_worker(companion_of(settings, idle=idle)), ""


def companion_of(settings: Settings, *, idle: float = IDLE) -> Companion:
    """Describe the worker of a home: one for each setting of the encoder."""
    from bot.core.companion import Companion

    setting = f"{settings.encoder} {settings.cores}"
    name = f"encoder-{hashlib.sha256(setting.encode()).hexdigest()[:6]}"
    companion = Companion(name=name, home=settings.home, command=())
    command = (
        "brains.engines.worker",
        f"--encoder={settings.encoder}",
        f"--home={settings.home}",
        f"--threads={settings.cores}",
        f"--socket={companion.socket}",
        f"--idle={idle}",
    )
    return replace(companion, command=command)
