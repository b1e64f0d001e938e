"""Files of knowledge: taken in from this machine, and read again when they change."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import logging
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot.core.errors import Mistake, Unavailable
from bot.core.i18n import _
from bot.core.things import Community
from brains.knowledge.documents import confined
from storage import documents
from storage.documents import Changed

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.clock import Clock
    from bot.core.things import Ref
    from storage.connection import Connection
    from storage.db import Database
    from storage.documents import Document

log = logging.getLogger(__name__)

GLANCE = 30.0
"""Seconds between looks at the files."""
PATIENCE = 2
"""Looks in a row after which a file that is gone or cannot be read is: editors replace files, and disks come late."""
NO_FILE = _("This is no file.")
Stamp = tuple[int, int]
"""When a file was changed, in nanoseconds, and its size in bytes."""
Read = Callable[[str, bytes], Awaitable[list[tuple[str, str]]]]
"""Cuts a file of a name into pieces: the headings above each, and its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of a file: `wrong` says why it was not read, and then nothing of it is kept any more."""

    name: str
    state: Literal["read", "unchanged", "gone", "unreadable"]
    changed: Changed = field(default_factory=Changed)
    wrong: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A file that somebody gave: what it is called, where it lies, and for the readers of which channel."""

    name: str
    channel: int
    path: str = ""
    url: str = ""
    given_by: Ref | None = None


class Reading:
    """Reads files into one database."""

    def __init__(self, database: Database, clock: Clock, *, read: Read = confined.read) -> None:
        self._database = database
        self._clock = clock
        self._read_file = read
        self._seen: dict[int, tuple[str, Stamp]] = {}
        self._failed: dict[int, int] = {}

    async def run(self) -> None:
        """Look at the files until cancelled."""
        while True:
            try:
                await self.look()
            except Unavailable as error:
                log.warning("files of knowledge wait: %s", error)
            await self._clock.sleep(GLANCE)

    async def take(self, community: Community, given: Given, data: bytes) -> Taken:
        """Keep a file in place of the one of that name. Raises Mistake that says what is wrong with it."""
        digest = hashlib.sha256(data).hexdigest()
        async with self._database.read() as connection:
            known = await documents.named(connection, community, given.name)
        if known is not None and _is_same(known, given, digest):
            return Taken(name=given.name, state="unchanged", changed=Changed(same=known.pieces))
        pieces = await self._read_file(Path(given.path).name or given.name, data)
        changed = await self._keep(community, given, digest, pieces)
        return Taken(name=given.name, state="read", changed=changed)

    async def look(self) -> list[Taken]:
        """Read what changed since the last look; of what is gone for the second time, keep nothing."""
        async with self._database.read() as connection:
            known = await documents.on_disk(connection)
        found = [await self._look_at(one) for one in known]
        told = [one for one in found if one is not None]
        for one in told:
            log.info("file of knowledge: %s", one.state)
        return told

    async def refresh(self, document: Document) -> Taken:
        """Read a file again now, whenever it changed; of one that is gone, keep nothing."""
        try:
            data = await asyncio.to_thread(contents, Path(document.path))
            return await self._read_again(document, data)
        except OSError as error:
            return await self._let_go(document, "gone", error.strerror or "")
        except Mistake as wrong:
            return await self._let_go(document, "unreadable", str(wrong))

    async def _look_at(self, document: Document) -> Taken | None:
        """Look at one file; None where nothing is to be done about it now."""
        path = Path(document.path)
        try:
            stamp = await asyncio.to_thread(_stamp, path)
            if self._seen.get(document.number) == (document.digest, stamp):
                if document.digest:
                    self._failed.pop(document.number, None)
                return None
            data = await asyncio.to_thread(contents, path)
            taken = await self._read_again(document, data)
        except OSError as error:
            gone = bool(document.digest) and self._fails(document)
            return await self._let_go(document, "gone", error.strerror or "") if gone else None
        except Mistake as wrong:
            if not self._fails(document):
                return None
            self._seen[document.number] = ("", stamp)
            return await self._let_go(document, "unreadable", str(wrong))
        self._failed.pop(document.number, None)
        self._seen[document.number] = (hashlib.sha256(data).hexdigest(), stamp)
        return taken if taken.state == "read" else None

    def _fails(self, document: Document) -> bool:
        """Say whether a file failed so often that it is no accident."""
        self._failed[document.number] = self._failed.get(document.number, 0) + 1
        return self._failed[document.number] >= PATIENCE

    async def _read_again(self, document: Document, data: bytes) -> Taken:
        """Read a file that is known. Raises Mistake that says what is wrong with it."""
        digest = hashlib.sha256(data).hexdigest()
        if digest == document.digest:
            return Taken(name=document.name, state="unchanged", changed=Changed(same=document.pieces))
        pieces = await self._read_file(Path(document.path).name or document.name, data)
        changed = await self._keep(_home(document), _given(document), digest, pieces, known=document)
        return Taken(name=document.name, state="read", changed=changed)

    async def _let_go(self, document: Document, state: Literal["gone", "unreadable"], why: str) -> Taken:
        """Keep nothing of a file but its name and its place: it is read again once it is there."""
        changed = await self._keep(_home(document), _given(document), "", [], known=document)
        if document.digest:
            log.warning("a file of knowledge is %s, so nothing of it is kept", state)
        return Taken(name=document.name, state=state, changed=changed, wrong=why)

    async def _keep(
        self,
        community: Community,
        given: Given,
        digest: str,
        pieces: list[tuple[str, str]],
        *,
        known: Document | None = None,
    ) -> Changed:
        keep = functools.partial(
            _keep, community=community, given=given, digest=digest, pieces=pieces, known=known, now=self._clock.now()
        )
        return await self._database.write(keep)


async def _keep(
    connection: Connection,
    *,
    community: Community,
    given: Given,
    digest: str,
    pieces: list[tuple[str, str]],
    known: Document | None,
    now: datetime,
) -> Changed:
    """Keep a file; of one that is `known`, nothing where it was removed or given anew while it was read."""
    if known is not None and not await documents.is_as(connection, known):
        return Changed()
    return await documents.keep(
        connection,
        community,
        channel=given.channel,
        name=given.name,
        digest=digest,
        pieces=pieces,
        path=given.path,
        url=given.url,
        given_by=given.given_by,
        now=now,
    )


def _is_same(known: Document, given: Given, digest: str) -> bool:
    """Say whether a file is known as it is, for the same readers and from the same place."""
    return (known.digest, known.channel, known.url, known.path) == (digest, given.channel, given.url, given.path)


def _home(document: Document) -> Community:
    return Community(id=document.community, name="")


def _given(document: Document) -> Given:
    return Given(
        name=document.name,
        channel=document.channel,
        path=document.path,
        url=document.url,
        given_by=document.given_by,
    )


def contents(path: Path) -> bytes:
    """Return what is in a file. Raises OSError, and Mistake for what is none or larger than anything that is read."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise Mistake(NO_FILE)
    with path.open("rb") as file:
        return file.read(confined.MOST_BYTES + 1)


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_mtime_ns, found.st_size
