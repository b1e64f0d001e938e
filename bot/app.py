"""The composition root: the one file that knows every concrete class."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.core.clock import SystemClock
from bot.core.i18n import translator
from bot.core.settings import prepare_home
from bot.indexing import Index
from brains.engines import open_encoder
from brains.knowledge.retrieval import Retrieval
from storage.db import Database
from storage.encodings import CachedEncoder
from storage.vectors import open_vectors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.core.clock import Clock
    from bot.core.ports import Vectors
    from bot.core.settings import Settings
    from brains.engines.client import WorkerEncoder
    from brains.matching.suggest import Matchmaker


Tell = Callable[[str], None]
"""Called with a sentence for whoever waits."""


class App:
    """The parts of one running program. The encoder and the vectors are opened when first asked for."""

    def __init__(self, settings: Settings, database: Database, stack: contextlib.AsyncExitStack, tell: Tell) -> None:
        self.settings = settings
        self._tell = tell
        self.database = database
        self.clock: Clock = SystemClock()
        self._stack = stack
        self._encoder: CachedEncoder | None = None
        self._vectors: Vectors | None = None

    async def encoder(self) -> CachedEncoder:
        """Return the encoder, its cache before it; starts the worker if need be."""
        if self._encoder is None:
            inner = await self._stack.enter_async_context(open_encoder(self.settings))
            await self._watch(inner)
            self._encoder = CachedEncoder(inner, self.database)
        return self._encoder

    async def _watch(self, encoder: WorkerEncoder) -> None:
        """Tell how far the first start is, which prepares the model for a minute; a ready worker is not waited for."""
        told = ""
        while (health := await encoder.health()).get("status") == "preparing":
            if (step := str(health.get("step", ""))) not in {told, "", "starting", "ready"}:
                self._tell(f"Preparing the encoder, once: {step}")
                told = step
            await self.clock.sleep(0.25)

    async def vectors(self) -> Vectors:
        """Return the collection of the encoder's fingerprint; starts the vector process if need be."""
        if self._vectors is None:
            encoder = await self.encoder()
            self._vectors = open_vectors(self.settings, fingerprint=encoder.fingerprint, size=encoder.size)
            self._stack.push_async_callback(self._vectors.close)
        return self._vectors

    async def index(self) -> Index:
        """Return what writes the outbox to the vectors."""
        return Index(database=self.database, encoder=await self.encoder(), vectors=await self.vectors())

    async def matchmaker(self, language: str | None = None) -> Matchmaker:
        """Return what matches members and texts to channels, speaking a language."""
        from brains.matching.suggest import Matchmaker  # brings scipy, which most verbs do without

        return Matchmaker(
            database=self.database,
            vectors=await self.vectors(),
            encoder=await self.encoder(),
            clock=self.clock,
            translate=await asyncio.to_thread(translator, language or self.settings.language),
        )

    async def retrieval(self) -> Retrieval:
        """Return what finds messages."""
        return Retrieval(database=self.database, vectors=await self.vectors(), encoder=await self.encoder())


@contextlib.asynccontextmanager
async def open_app(settings: Settings, *, tell: Tell = lambda _: None) -> AsyncIterator[App]:
    """Open the home and its database, and close everything in the end; `tell` hears of long waits.

    Raises Misconfigured or Unavailable.
    """
    prepare_home(settings.home)
    async with (
        contextlib.AsyncExitStack() as stack,
        Database.open(settings.tables_url, home=settings.home) as database,
    ):
        yield App(settings, database, stack, tell)
