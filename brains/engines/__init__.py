"""Encoders, generators and eyes, and the worker that serves them; the first two chosen by settings."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

# onnxruntime and the hub's client report to their makers unless they are told not to, before they are imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.core.companion import Companion
    from bot.core.ports import Generator, Pictures
    from bot.core.settings import Settings
    from brains.engines.encoder_client import WorkerEncoder
    from brains.engines.generator_client import Talker
    from brains.engines.line import Line

IDLE = 300.0
"""Seconds that the worker outlives its last request: loading it again takes two."""


@contextlib.asynccontextmanager
async def open_encoder(settings: Settings, *, idle: float = IDLE) -> AsyncIterator[WorkerEncoder]:
    """Open the encoder: the worker of the home, started when needed, or the server that `KINFOLK_ENCODER` names.

    Its first start on a CPU prepares the model for a minute, in which calls wait. Raises Misconfigured, or
    Unavailable when the server cannot be reached.
    """
    from brains.engines.encoder_client import WorkerEncoder, identify

    line, model = _line(settings, idle)
    try:
        yield WorkerEncoder(line, await identify(line, model))
    finally:
        await line.close()


@contextlib.asynccontextmanager
async def open_generator(settings: Settings, *, idle: float = IDLE) -> AsyncIterator[Generator | None]:
    """Open the generator: the worker of the home, or the server that `KINFOLK_GENERATOR` names; None for `none`.

    Nothing is started before the first conversation. Raises Misconfigured when the setting cannot be read.
    """
    from brains.engines.generators import NONE

    if settings.generator == NONE:
        yield None
        return
    talker = _talker(settings, idle)
    try:
        yield talker
    finally:
        await talker.close()


@contextlib.asynccontextmanager
async def open_pictures(settings: Settings, *, idle: float = IDLE) -> AsyncIterator[Pictures]:
    """Open what looks at pictures: the worker of the home, which is started by the first picture."""
    from brains.engines.line import http_to_worker
    from brains.engines.pictures.client import WorkerPictures

    companion = companion_of(settings, idle=idle)
    pictures = WorkerPictures(http_to_worker(companion), companion=companion)
    try:
        yield pictures
    finally:
        await pictures.close()


def _talker(settings: Settings, idle: float) -> Talker:
    from brains.engines.encoders import is_remote, parse_remote
    from brains.engines.generator_client import Talker
    from brains.engines.generators import parse_generator
    from brains.engines.line import http_to_server, http_to_worker

    if is_remote(settings.generator):
        remote = parse_remote(settings.generator, variable="KINFOLK_GENERATOR")
        return Talker(http_to_server(remote, settings.generator_key.get_secret_value()), remote.name)
    companion = companion_of(settings, idle=idle)
    return Talker(http_to_worker(companion), parse_generator(settings.generator).name, companion=companion)


def _line(settings: Settings, idle: float) -> tuple[Line, str]:
    from brains.engines.encoders import is_remote, parse_remote
    from brains.engines.line import to_server, to_worker

    if is_remote(settings.encoder):
        remote = parse_remote(settings.encoder)
        return to_server(remote, settings.encoder_key.get_secret_value()), remote.name
    return to_worker(companion_of(settings, idle=idle)), ""


def companion_of(settings: Settings, *, idle: float = IDLE) -> Companion:
    """Describe the worker of a home: one for each setting of its models."""
    from bot.core.companion import Companion

    setting = f"{settings.encoder} {settings.generator} {settings.cores}"
    name = f"worker-{hashlib.sha256(setting.encode()).hexdigest()[:6]}"
    companion = Companion(name=name, home=settings.home, command=())
    command = (
        "brains.engines.worker",
        f"--encoder={settings.encoder}",
        f"--generator={settings.generator}",
        f"--home={settings.home}",
        f"--threads={settings.cores}",
        f"--socket={companion.socket}",
        f"--idle={idle}",
    )
    return replace(companion, command=command)
