"""The database: one writer task with group commits, many readers, a schema brought up to date at start."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from filelock import AsyncFileLock
from sqlalchemy import event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.core.errors import KinfolkError, Misconfigured, Unavailable
from storage import onetrip

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

MIGRATIONS = Path(__file__).parent / "migrations"
PRAGMAS = (
    "PRAGMA busy_timeout=20000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
)

CONNECTIONS = 16
"""Connections kept open. Each is a thread: one that is opened for a single read costs more than the read."""


@dataclass(slots=True)
class Job(Generic[T]):
    """One piece of writing and where its result goes."""

    work: Work[T]
    done: asyncio.Future[T]
    durable: bool


class Database:
    """Open it with `async with Database.open(url)`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._jobs: asyncio.Queue[Job[object] | None] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url: str, *, home: Path) -> AsyncIterator[Self]:
        """Connect, bring the schema up to date and write until left. Raises Misconfigured or Unavailable."""
        database = cls(make_engine(url))
        try:
            await migrate(database.engine, home)
            database._writer = asyncio.create_task(database._write_forever(), name="database writer")
            yield database
        finally:
            await database._close()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one consistent state."""
        try:
            async with self.engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise explain(error) from error

    async def write(self, work: Work[T], *, durable: bool = True) -> T:
        """Run `work` in a transaction and return once it is committed; what it raises is raised here alone.

        With `durable` false the disk is not waited for: the death of a process loses nothing, a power cut may lose the
        latest such writes, all of them together from some moment on. For what is done again after that.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put_nowait(Job(work, done, durable))  # type: ignore[arg-type]
        return await done

    async def _write_forever(self) -> None:
        stopped = False
        while not stopped:
            waiting = [await self._jobs.get()]
            while not self._jobs.empty():
                waiting.append(self._jobs.get_nowait())
            stopped = None in waiting
            await self._commit([job for job in waiting if job])

    async def _commit(self, jobs: list[Job[object]]) -> None:
        """Run waiting jobs in one transaction, so that they share one flush to the disk."""
        if not jobs:
            return
        results: list[tuple[Job[object], object]] = []
        try:
            durable = any(job.durable for job in jobs)
            async with self.engine.execution_options(writes=True, durable=durable).begin() as connection:
                if len(jobs) == 1:  # the transaction itself is all the savepoint it needs
                    results.append((jobs[0], await jobs[0].work(connection)))
                else:
                    for job in jobs:
                        with contextlib.suppress(_Refused):
                            results.append((job, await self._run(job, connection)))
        except DBAPIError as error:
            self._fail(jobs, explain(error))
        except Exception as error:  # noqa: BLE001 - the callers get it; the writer must live on
            self._fail(jobs, error)
        else:
            for job, result in results:
                if not job.done.done():
                    job.done.set_result(result)

    async def _run(self, job: Job[object], connection: AsyncConnection) -> object:
        """Run one job inside a savepoint, so that its failure takes back nobody else's work."""
        try:
            async with connection.begin_nested():
                return await job.work(connection)
        except OperationalError:
            raise
        except Exception as error:
            self._fail([job], explain(error) if isinstance(error, DBAPIError) else error)
            raise _Refused from error

    @staticmethod
    def _fail(jobs: list[Job[object]], error: Exception) -> None:
        for job in jobs:
            if not job.done.done():
                job.done.set_exception(error)

    async def _close(self) -> None:
        if self._writer:
            self._jobs.put_nowait(None)
            await self._writer
        await self.engine.dispose()


class _Refused(Exception):
    """A job failed and was told; the others go on."""


def make_engine(url: str) -> AsyncEngine:
    """Return an engine for SQLite or PostgreSQL; raises Misconfigured for anything else."""
    try:
        make_url(url)
    except (ArgumentError, ValueError) as error:
        raise Misconfigured(f"KINFOLK_DATABASE_URL cannot be read: {error}.") from None
    if url.startswith("sqlite+aiosqlite://"):
        engine = create_async_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=CONNECTIONS)
        event.listen(engine.sync_engine, "do_connect", onetrip.connect)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    if url.startswith("postgresql+asyncpg://"):
        try:
            engine = create_async_engine(url, pool_pre_ping=True)
        except ModuleNotFoundError:
            raise Misconfigured("KINFOLK_DATABASE_URL: install `kinfolk[postgres]` to use PostgreSQL.") from None
        event.listen(engine.sync_engine, "begin", _begin_postgres)
        return engine
    raise Misconfigured(
        "KINFOLK_DATABASE_URL must begin with postgresql+asyncpg:// or sqlite+aiosqlite://, or be empty."
    )


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later can only fail under contention."""
    options = connection.get_execution_options()
    if options.get("writes"):
        wanted = "FULL" if options.get("durable", True) else "NORMAL"
        if connection.info.get("synchronous") != wanted:
            connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
            connection.info["synchronous"] = wanted
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def _begin_postgres(connection: Connection) -> None:
    """Let a commit return before it is on the disk, where that was asked for."""
    if not connection.get_execution_options().get("durable", True):
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")


async def migrate(engine: AsyncEngine, home: Path) -> None:
    """Apply every migration that is missing; one process at a time."""
    try:
        if await _revision(engine) == max(MIGRATIONS.glob("versions/[0-9]*.py")).name.partition("_")[0]:
            return
        async with AsyncFileLock(home / "migrate.lock"), engine.execution_options(writes=True).begin() as connection:
            await connection.run_sync(_upgrade)
    except Exception as error:
        if isinstance(error, (DBAPIError, OSError)) or type(error).__module__.startswith("asyncpg"):
            raise explain(error) from error
        raise


async def _revision(engine: AsyncEngine) -> str | None:
    """Return the revision of the schema, None before the first: Alembic's import is only worth it if that is old."""
    async with engine.connect() as connection:
        if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
            return None
        return (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


TROUBLES: tuple[tuple[tuple[str, ...], type[KinfolkError], str], ...] = (
    (
        ("disk is full", "No space left", "disk I/O error"),
        Unavailable,
        "The disk is full. What was acknowledged is kept; free some space and try again.",
    ),
    (
        ("locked",),
        Unavailable,
        "The database is busy with another process's work. Try again in a moment.",
    ),
    (
        ("not a database", "malformed"),
        Misconfigured,
        "The database is damaged or not a database ({cause}). Restore a backup.",
    ),
    (
        ("readonly", "unable to open", "Permission"),
        Misconfigured,
        "KINFOLK_HOME or KINFOLK_DATABASE_URL: the database cannot be opened ({cause}).",
    ),
    (
        ("password", "does not exist", "authentication"),
        Misconfigured,
        "KINFOLK_DATABASE_URL: the server refused ({cause}).",
    ),
    (
        ("Connect call failed", "Connection refused", "Name or service"),
        Unavailable,
        "KINFOLK_DATABASE_URL: the server cannot be reached ({cause}).",
    ),
)
"""What a database's own words mean for the owner; the first that fits is said."""


def explain(error: Exception) -> KinfolkError:
    """Say in words what a database's own error means for the owner."""
    cause = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    for marks, kind, sentence in TROUBLES:
        if any(mark in cause for mark in marks):
            return kind(sentence.format(cause=cause))
    words = f"The database refused: {cause.splitlines()[0] if cause else type(error).__name__}"
    return KinfolkError(words) if _will_never_do(error) else Unavailable(words)


def _will_never_do(error: Exception) -> bool:
    """Say whether the data itself is refused (SQLSTATE classes 22 and 23), so that waiting is no use."""
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    return isinstance(error, IntegrityError | DataError) or state.startswith(("22", "23"))
