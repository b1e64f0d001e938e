"""Points of messages, searched by meaning, by words, or by both: `open_vectors` chooses the engine."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from storage.vectors.layout import slug

if TYPE_CHECKING:
    from pathlib import Path

    from bot.core.ports import VectorStore
    from bot.core.settings import Settings

IDLE = 60.0
"""Seconds that the vector process outlives its last client."""


def open_vectors(settings: Settings, *, fingerprint: str, size: int) -> VectorStore:
    """Open the store of one encoder's vectors: a sub-folder, or a collection of a server, per fingerprint.

    Nothing is started or sent before the first call, which raises Misconfigured when the stored vectors
    have another size.
    """
    folder = settings.vectors_folder
    if folder is None:
        return open_server(settings.vectors, settings.vectors_key.get_secret_value(), fingerprint, size)
    return open_folder(folder.expanduser().absolute(), fingerprint, size)


def open_folder(root: Path, fingerprint: str, size: int, *, idle: float = IDLE) -> VectorStore:
    """Open the embedded store of a fingerprint; everyone who names the same folder shares one process."""
    from bot.core.companion import Companion
    from storage.vectors.client import EmbeddedVectorStore

    companion = Companion(name=f"vectors-{slug(fingerprint)}", home=root, command=())
    command = (
        "storage.vectors.process",
        f"--folder={root / slug(fingerprint)}",
        f"--size={size}",
        f"--socket={companion.socket}",
        f"--idle={idle}",
    )
    return EmbeddedVectorStore(replace(companion, command=command), size=size)


def open_server(url: str, key: str, fingerprint: str, size: int) -> VectorStore:
    """Open the collection of a fingerprint on a server."""
    from storage.vectors.server import ServerVectorStore, connect

    return ServerVectorStore(partial(connect, url, key), collection=f"kinfolk-{slug(fingerprint)}", size=size)
