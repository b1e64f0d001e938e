"""A tuned encoder for tests: counts words as the base of tests does, in other dimensions, so that no vector of one
serves the other; and the folder that it is adopted from."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bot.adopting import Adoptions
from bot.core.clock import SystemClock
from bot.core.errors import Gone, Misconfigured
from bot.core.ports import Kind, Vector
from bot.core.settings import Settings
from storage import tuned
from storage.db import Database
from tests.hashing import HashingEncoder

FOLDER = "adopted-words"


class TunedEncoder(HashingEncoder):
    """Counts words; while it is `away`, it cannot be reached."""

    fingerprint = "hashing-tuned"
    away = False

    async def encode(self, texts: Sequence[str], *, kind: Kind = "passage") -> Vector:
        """Encode texts, in order."""
        if self.away:
            raise Gone("The tuned encoder is away.")
        return np.roll(await super().encode(texts, kind=kind), 100, axis=1)

    async def health(self) -> Mapping[str, object]:
        """Say that it is ready."""
        return {"status": "ready"}


def weights(home: Path, authors: Sequence[int]) -> Path:
    """Write the card of an encoder that learned from these members, as an adoption leaves it in the home."""
    folder = home / tuned.FOLDER / FOLDER
    folder.mkdir(parents=True)
    (folder / tuned.CARD).write_text(json.dumps(tuned.marked({str(one) for one in authors})))
    return folder


def adoptions(home: Path, database: Database, encoder: TunedEncoder) -> Adoptions:
    """Give the adoptions of a home, in which the encoder is opened where its folder is there."""

    @contextlib.asynccontextmanager
    async def opening(folder: Path) -> AsyncIterator[TunedEncoder]:
        if folder.name != FOLDER:
            raise Misconfigured(f"{folder} is no encoder.")
        yield encoder

    settings = Settings(_env_file=None, home=home)
    return Adoptions(settings=settings, database=database, clock=SystemClock(), opening=opening)
