"""The bulk path for old messages, stored in seconds and encoded afterwards by `bot.indexing`; and files by it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import orjson
from filelock import AsyncFileLock, Timeout

from adapters.history import jsonl
from bot.core.errors import Mistake, Unavailable
from bot.core.events import MessagePosted
from storage import communities, ledger, refusals, spaces
from storage.intake import Described, Intake, Stored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
    from pathlib import Path

    from bot.core.clock import Clock
    from bot.core.events import Named
    from bot.core.things import Community
    from storage.connection import Connection
    from storage.db import Database
    from storage.refusals import Refusals

PORTION = 2000
"""Messages a transaction: `kinfolk bench import` stores over 10,000 a second, so a bot's own writes wait .2 s."""
Progress = Callable[[int, int], None]
"""Called with what is done and what there is in all."""
Work = Callable[["Connection"], "Awaitable[Stored | None]"]
"""What stores a portion, inside its transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import added, the lines it could not read, and the channels described that nobody wrote in."""

    stored: Stored
    bad: tuple[jsonl.BadLine, ...]
    unmet: tuple[str, ...] = ()


async def import_jsonl(
    database: Database,
    clock: Clock,
    *,
    home: Path,
    path: Path,
    community: str,
    descriptions: Path | None = None,
    platform: str = jsonl.PLATFORM,
    strict: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> Imported:
    """Store the messages of a file that are not there yet, as if they had been said on `platform`.

    The whole file is read once before anything is written, so a file that is not history, or with `strict` one that
    has a bad line, leaves nothing behind. Raises Mistake for those and when another import is running.
    """
    async with alone(home):
        found = await asyncio.to_thread(jsonl.survey, path)
        if strict and found.bad:
            raise Mistake(f"{path}, line {found.bad[0].number}: {found.bad[0].reason}. Nothing was imported.")
        about = await asyncio.to_thread(read_descriptions, descriptions) if descriptions else {}
        begin = functools.partial(_begin, name=community, clock=clock, about=about, refused=await refusals.load(home))
        bulk = Bulk(database, clock, await database.write(begin))
        async for portion in portions(jsonl.read(path, platform=platform)):
            await bulk.store(functools.partial(bulk.intake.store, events=portion), read=len(portion))
            progress(bulk.read, found.good)
        await bulk.note({"file": path.name, "sha256": await asyncio.to_thread(digest, path)})
    return Imported(stored=bulk.stored, bad=found.bad, unmet=tuple(sorted(set(about) - bulk.intake.channels)))


@contextlib.asynccontextmanager
async def alone(home: Path) -> AsyncIterator[None]:
    """Hold the home's import lock; the system lets go of it when the process dies."""
    lock = AsyncFileLock(home / "import.lock")
    try:
        await lock.acquire(timeout=0)
    except Timeout:
        raise Mistake("Another import is running in this home. Wait until it is done, then run this again.") from None
    try:
        yield
    finally:
        await lock.release()


class Bulk:
    """One import into one community: stores portion after portion, each in a transaction, and counts.

    `stored` is what is new before the first message.
    """

    def __init__(self, database: Database, clock: Clock, intake: Intake, stored: Stored | None = None) -> None:
        self._database = database
        self._clock = clock
        self.intake = intake
        self.stored = stored or Stored()
        self.read = 0

    async def store(self, work: Work, *, read: int) -> Stored | None:
        """Run what stores a portion of `read` messages; None, and nothing counts, where it stored nothing of it."""
        try:
            stored = await self._database.write(work)
        except Unavailable as error:
            raise Unavailable(
                f"{error} {self.read:,} messages that were read are stored; the same command goes on from there."
            ) from error
        if stored is not None:
            self.stored += stored
            self.read += read
        return stored

    async def note(self, details: Mapping[str, object]) -> None:
        """Write into the ledger what was imported."""
        counts = {"messages": self.stored.messages, "withheld": self.stored.withheld}
        await self._database.write(
            lambda connection: ledger.note(
                connection,
                self.intake.community.id,
                at=self._clock.now(),
                actor="owner",
                act="import",
                details={**details, **counts},
            )
        )


async def settle(connection: Connection, space: Named, name: str | None, clock: Clock) -> Community:
    """Return the community that a space belongs to, or the one that it is to belong to. Raises Mistake."""
    known = await spaces.community_of(connection, space.ref)
    if known and name not in {None, known.name}:
        raise Mistake(f"{space.name} belongs to the community {known.name!r}. Leave --community out, or name that one.")
    if known or name is None:
        return await spaces.settle(connection, space, clock.now())
    community = await communities.find_or_make(connection, name, clock.now())
    await spaces.belong(connection, space, community)
    return community


async def portions(lines: Iterator[MessagePosted | jsonl.BadLine]) -> AsyncIterator[list[MessagePosted]]:
    """Read messages in portions, beside the loop."""
    good = (item for item in lines if isinstance(item, MessagePosted))
    while portion := await asyncio.to_thread(lambda: list(islice(good, PORTION))):
        yield portion


async def _begin(
    connection: Connection, *, name: str, clock: Clock, about: dict[str, Described], refused: Refusals
) -> Intake:
    community = await communities.find_or_make(connection, name, clock.now())
    intake = Intake(community, clock.now(), described=about, refusals=refused)
    await intake.begin(connection)
    return intake


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_descriptions(path: Path) -> dict[str, Described]:
    """Read channels by name from JSON lines: `channel`, `description`, optional `private`. Raises Mistake."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}.") from None
    about = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            name, described = _described(path, number, line)
            about[name] = described
    return about


def _described(path: Path, number: int, line: bytes) -> tuple[str, Described]:
    try:
        row = orjson.loads(line)
        name, description, private = row["channel"], row["description"], row.get("private", False)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise Mistake(f"{path}, line {number}: needs `channel` and `description` ({error}).") from None
    if not isinstance(name, str) or not isinstance(description, str):
        raise Mistake(f"{path}, line {number}: `channel` and `description` must be text.")
    if not isinstance(private, bool):
        raise Mistake(f"{path}, line {number}: `private` must be true or false, not {private!r}.")
    return jsonl.bare(name), Described(description=jsonl.storable(description), private=private)
