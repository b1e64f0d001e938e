"""Tuned encoders at work: opened beside the base, serving matching once they are built, and cleared away afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.errors import Misconfigured, Unavailable
from bot.core.ports import Embedding, Scope
from storage import adopted, ledger, linking, messages, outbox, tuned
from storage.encodings import CachedEncoder
from storage.vectors import open_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from bot.core.clock import Clock
    from bot.core.ports import Encoder, VectorStore
    from bot.core.settings import Settings
    from bot.core.things import Community
    from brains.engines.encoder_client import WorkerEncoder
    from storage.adopted import Adopted
    from storage.connection import Connection
    from storage.db import Database

    Opening = Callable[[Path], AbstractAsyncContextManager[WorkerEncoder]]

log = logging.getLogger(__name__)

PAGE = 1_000
"""Points, or texts, that are cleared away at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A tuned encoder that is open: its worker, the cache before it, and what closes both."""

    worker: WorkerEncoder
    cached: CachedEncoder
    stack: contextlib.AsyncExitStack


class Adoptions:
    """The tuned encoders of one home, as one process has them open. `opening` gives the encoder of a folder."""

    def __init__(self, *, settings: Settings, database: Database, clock: Clock, opening: Opening) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._opening = opening
        self._encoders: dict[str, _Opened] = {}
        self._stores: dict[str, VectorStore] = {}
        self._one_at_a_time = asyncio.Lock()

    async def serving(self, community: Community) -> Embedding | None:
        """Return what a community's matching goes by; None for the base, also while the tuned one cannot be opened."""
        one = await self._database.look(functools.partial(adopted.serving, community=community.id))
        if one is None:
            return None
        try:
            return await self._open(one)
        except (Misconfigured, Unavailable) as error:
            log.warning("matching goes by the base encoder meanwhile: %s", error)
            return None

    async def written(self) -> tuple[dict[tuple[int, str], Embedding], list[Unavailable]]:
        """Return what each community's points go into beside the base, by its number and the fingerprint.

        What cannot be reached now is told beside it; what cannot be opened any more is on its way out from now on.
        """
        found: dict[tuple[int, str], Embedding] = {}
        trouble: list[Unavailable] = []
        for one in await self.every():
            if one.state == "leaving":
                continue
            try:
                found[one.community, one.fingerprint] = await self._open(one)
            except Unavailable as error:
                trouble.append(error)
            except Misconfigured as error:
                log.warning("the encoder that was adopted for community %d is dropped: %s", one.community, error)
                await self._database.write(functools.partial(adopted.leave, community=one.community))
        return found, trouble

    async def stores(self) -> list[VectorStore]:
        """Return every collection but the base's in which there may be points; no worker is started for it."""
        return [self._store(one) for one in {one.fingerprint: one for one in await self.every()}.values()]

    async def begin(self, community: Community, *, folder: str, encoder: Encoder) -> None:
        """Let an encoder be built for a community: all that was said goes into its collection, the newest first."""

        async def work(connection: Connection) -> None:
            now = self._clock.now()
            await outbox.put_community(connection, community.id)
            until = await outbox.last(connection)
            one = adopted.Adopted(
                community=community.id,
                fingerprint=encoder.fingerprint,
                size=encoder.size,
                folder=folder,
                state="building",
                until=until,
                at=now,
            )
            await adopted.adopt(connection, one)
            details = {"encoder": encoder.fingerprint}
            await ledger.note(connection, community.id, at=now, actor="", act="adopt", details=details)

        await self._database.write(work)

    async def of(self, fingerprint: str) -> list[Adopted]:
        """Return for which communities an encoder is adopted, built or not, or leaving."""
        return [one for one in await self.every() if one.fingerprint == fingerprint]

    async def drop(self, community: Community) -> int:
        """Let a community's matching go by the base again, at once; returns how many encoders leave."""

        async def work(connection: Connection) -> int:
            gone = await adopted.leave(connection, community.id)
            if gone:
                now = self._clock.now()
                await ledger.note(connection, community.id, at=now, actor="", act="drop", details={"encoders": gone})
            return gone

        return await self._database.write(work)

    async def check(self) -> None:
        """Let those be built again that lost points, as after a folder was removed."""
        for one in await self.every():
            if one.state != "leaving" and not await self._is_whole(one):
                await self._database.write(functools.partial(_rebuild, one=one))

    async def settle(self) -> None:
        """Let those serve that are built, and clear away what left. Points must not be on their way meanwhile.

        Where the weights are gone, as somebody was forgotten whom they learned from, what was made by them goes too.
        """
        for one in await self.every():
            if one.state == "leaving":
                await self._clear_away(one, [other for other in await self.every() if other != one])
            elif not await asyncio.to_thread((self.folder(one) / tuned.CARD).is_file):
                await self._database.write(functools.partial(adopted.leave_folders, folders={one.folder}))
            elif one.state == "building" and await self._is_built(one):
                await self._database.write(functools.partial(adopted.serve, one=one))

    def folder(self, one: Adopted) -> Path:
        """Return where the weights of one lie."""
        return self._settings.home / tuned.FOLDER / one.folder

    def forget(self) -> None:
        """Forget the vectors that were made, as after somebody's words were erased."""
        for one in self._encoders.values():
            one.cached.forget()

    async def look_after(self) -> None:
        """Ask the workers how they are, which starts those again that died."""
        for one in list(self._encoders.values()):
            await one.worker.health()

    async def close(self) -> None:
        """Let go of all."""
        for fingerprint in list(self._encoders):
            await self._close(fingerprint)
        for store in self._stores.values():
            await store.close()

    async def every(self) -> Sequence[Adopted]:
        """Return all that are adopted, built or not, and those that are leaving."""
        return await self._database.look(adopted.every)

    async def _open(self, one: Adopted) -> Embedding:
        """Open an encoder with its collection. Raises Unavailable, Misconfigured where it is not what was adopted."""
        async with self._one_at_a_time:
            if one.fingerprint not in self._encoders:
                async with contextlib.AsyncExitStack() as stack:
                    worker = await stack.enter_async_context(self._opening(self.folder(one)))
                    if worker.fingerprint != one.fingerprint:
                        raise Misconfigured(f"{self.folder(one)} holds another encoder than the one that was adopted.")
                    cached = CachedEncoder(worker, self._database)
                    self._encoders[one.fingerprint] = _Opened(cached=cached, worker=worker, stack=stack.pop_all())
            return Embedding(encoder=self._encoders[one.fingerprint].cached, vectors=self._store(one))

    def _store(self, one: Adopted) -> VectorStore:
        if one.fingerprint not in self._stores:
            self._stores[one.fingerprint] = open_vectors(self._settings, fingerprint=one.fingerprint, size=one.size)
        return self._stores[one.fingerprint]

    async def _close(self, fingerprint: str) -> None:
        async with self._one_at_a_time:
            if fingerprint in self._encoders:
                await self._encoders.pop(fingerprint).stack.aclose()

    async def _is_built(self, one: Adopted) -> bool:
        left = await self._database.look(functools.partial(outbox.waiting_until, number=one.until))
        return not left and await self._is_whole(one)

    async def _is_whole(self, one: Adopted) -> bool:
        """Say whether every message that does not wait has its point."""
        known = await self._database.look(outbox.acknowledged_messages)
        return await self._store(one).count(Scope(community=one.community)) >= known.get(one.community, 0)

    async def _clear_away(self, one: Adopted, others: Sequence[Adopted]) -> None:
        """Delete the points, the kept vectors and the weights, as far as nobody else goes by them; at last the row."""
        store = self._store(one)
        if await self._database.look(outbox.serving) == one.fingerprint:
            # By now it is the base, and serves everything.
            await self._close(one.fingerprint)
        else:
            if any(other.fingerprint == one.fingerprint for other in others):
                await _empty(store, one.community)
            else:
                await self._close(one.fingerprint)
                await store.clear()
            await self._forget_kept(one)
            if not any(other.folder == one.folder for other in others):
                await asyncio.to_thread(shutil.rmtree, self.folder(one), ignore_errors=True)
        remove = functools.partial(adopted.remove, community=one.community, fingerprint=one.fingerprint)
        await self._database.write(remove)

    async def _forget_kept(self, one: Adopted) -> None:
        """Forget the vectors of what was said in its community, wherever that belongs by now."""
        joined = await self._database.look(functools.partial(linking.joined, number=one.community))
        whose = joined or one.community
        after: int | None = 0
        while after is not None:
            page = functools.partial(
                messages.forget_vectors, community=whose, fingerprint=one.fingerprint, after=after, limit=PAGE
            )
            after = await self._database.write(page, durable=False)


async def _rebuild(connection: Connection, *, one: Adopted) -> None:
    await outbox.put_community(connection, one.community)
    await adopted.rebuild(connection, one, until=await outbox.last(connection))


async def _empty(store: VectorStore, community: int) -> None:
    """Delete a community's points from a collection that another one goes by."""
    while ids := (await store.scroll(Scope(community=community), limit=PAGE)).ids:
        await store.delete(ids)
