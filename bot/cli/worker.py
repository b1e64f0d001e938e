"""`kinfolk worker`: the encoder and the generator as a service, for this machine or for others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def worker(
    host: Annotated[
        str,
        typer.Option(help="Address to listen on; set KINFOLK_ENCODER_KEY or KINFOLK_GENERATOR_KEY before opening it."),
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8089,
    socket: Annotated[Path | None, typer.Option(help="Listen on this Unix socket instead.")] = None,
) -> None:
    """Serve the models: OpenAI-compatible /v1/embeddings and /v1/chat/completions, with /health and /metrics."""
    from bot.core import log
    from bot.core.settings import load_settings, prepare_home
    from brains.engines.worker import serve

    settings = load_settings()
    prepare_home(settings.home)
    log.configure(settings.log_level)
    serve(settings, socket=socket, host=host, port=port, idle=None)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(worker)
