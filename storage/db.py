"""The database: one writer with group commits, many readers, a schema brought up to date at start."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from filelock import FileLock
from sqlalchemy import create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import QueuePool

from bot.core.errors import KinfolkError, Misconfigured, Unavailable
from storage.connection import Connection, Visiting, drive

if TYPE_CHECKING:
    import sqlalchemy
    from sqlalchemy.engine.interfaces import DBAPIConnection

T = TypeVar("T")
Work = Callable[[Connection], Awaitable[T]]

MIGRATIONS = Path(__file__).parent / "migrations"
PRAGMAS = (
    "PRAGMA busy_timeout=20000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
)

READERS = 16
"""Reads at once, each with a connection of its own."""
POOL = {"pool_size": READERS + 1, "pool_use_lifo": True}
"""The last connection used is the next one: what it prepared and read is still there."""


ALIVE = {
    "connect_timeout": 10,
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""libpq's own words, in seconds and milliseconds: a server that went silent holds up a thread for half a minute."""


def _nothing() -> None:
    """Begin without more ado."""


@dataclass(slots=True)
class Job(Generic[T]):
    """One piece of writing and where its result goes; `begins` is called in the loop just before."""

    work: Work[T]
    done: asyncio.Future[T]
    durable: bool
    begins: Callable[[], None]


class Database:
    """Open it with `async with Database.open(url)`. A transaction is one trip to a thread: decision 17 says why."""

    def __init__(self, engine: sqlalchemy.Engine) -> None:
        self.engine = engine
        self._jobs: asyncio.Queue[Job[object] | None] = asyncio.Queue()
        self._writing: asyncio.Task[None] | None = None
        self._writer = ThreadPoolExecutor(1, "database writer")
        self._readers = ThreadPoolExecutor(READERS, "database reader")
        self._places = asyncio.Semaphore(READERS)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url: str, *, home: Path) -> AsyncIterator[Self]:
        """Connect, bring the schema up to date and write until left. Raises Misconfigured or Unavailable."""
        database = cls(make_engine(url))
        try:
            await asyncio.to_thread(migrate, database.engine, home)
            database._writing = asyncio.create_task(database._write_forever(), name="database writer")
            yield database
        finally:
            await database._close()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """Give a connection that sees one consistent state; each statement is a trip to a thread."""
        async with self._places:
            connection = Visiting(self.engine, self._readers)
            try:
                yield connection
            except DBAPIError as error:
                raise explain(error) from error
            finally:
                await connection.close()

    async def look(self, work: Work[T]) -> T:
        """Run `work`, which only reads and waits for nothing else, on one consistent state and in one trip."""
        async with self._places:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._readers, self._look, work)
            except DBAPIError as error:
                raise explain(error) from error

    def _look(self, work: Work[T]) -> T:
        with self.engine.connect() as connection:
            return drive(work(Connection(connection)))

    async def write(self, work: Work[T], *, durable: bool = True, begins: Callable[[], None] = _nothing) -> T:
        """Run `work` in a transaction and return once it is committed; what it raises is raised here alone.

        It runs in the writer's thread and may wait for nothing but its connection. `begins` is called in the loop just
        before. With `durable` false the disk is not waited for: the death of a process loses nothing, a power cut may
        lose the latest such writes, all of them together from some moment on. For what is done again after that.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put_nowait(Job(work, done, durable, begins))  # type: ignore[arg-type]
        return await done

    async def _write_forever(self) -> None:
        stopped = False
        while not stopped:
            waiting = [await self._jobs.get()]
            while not self._jobs.empty():
                waiting.append(self._jobs.get_nowait())
            stopped = None in waiting
            await self._write([job for job in waiting if job])

    async def _write(self, jobs: list[Job[object]]) -> None:
        """Run waiting jobs in one transaction, so that they share one flush to the disk."""
        for job in jobs:
            job.begins()
        try:
            outcomes = await asyncio.get_running_loop().run_in_executor(self._writer, self._commit, jobs)
        except Exception as error:  # noqa: BLE001 - the callers get it; the writer must live on
            outcomes = [error] * len(jobs)
        for job, outcome in zip(jobs, outcomes, strict=True):
            if job.done.done():
                continue
            if isinstance(outcome, Exception):
                job.done.set_exception(explain(outcome) if isinstance(outcome, DBAPIError) else outcome)
            else:
                job.done.set_result(outcome)

    def _commit(self, jobs: list[Job[object]]) -> list[object]:
        """Run jobs and return what each gave or raised."""
        if not jobs:
            return []
        durable = any(job.durable for job in jobs)
        with self.engine.execution_options(writes=True, durable=durable).connect() as inner:
            connection = Connection(inner)
            with connection.transaction():
                if len(jobs) == 1:  # the transaction itself is all the savepoint it needs
                    return [drive(jobs[0].work(connection))]
                return [drive(self._apart(job.work, connection)) for job in jobs]

    @staticmethod
    async def _apart(work: Work[object], connection: Connection) -> object:
        """Do one piece of work whose failure takes back nobody else's; return what it gave or raised."""
        try:
            async with connection.begin_nested():
                return await work(connection)
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - the caller gets it
            return error

    async def _close(self) -> None:
        if self._writing:
            self._jobs.put_nowait(None)
            await self._writing
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        self.engine.dispose()


def make_engine(url: str) -> sqlalchemy.Engine:
    """Return an engine for SQLite or PostgreSQL; raises Misconfigured for anything else."""
    try:
        wanted = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise Misconfigured(f"KINFOLK_DATABASE_URL cannot be read: {error}.") from None
    match wanted.get_backend_name():
        case "sqlite":
            engine = create_engine(wanted.set(drivername="sqlite"), poolclass=QueuePool, **POOL)
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        case "postgresql":
            engine = _postgres(wanted.set(drivername="postgresql+psycopg"))
            event.listen(engine, "begin", _begin_postgres)
        case _:
            raise Misconfigured("KINFOLK_DATABASE_URL must begin with postgresql:// or sqlite://, or be empty.")
    return engine


def _postgres(url: sqlalchemy.URL) -> sqlalchemy.Engine:
    """Connect by psycopg. What asyncpg, the driver of earlier releases, called `ssl` is PostgreSQL's own `sslmode`."""
    query = {name: value for name, value in url.query.items() if not name.endswith("_cache_size")}
    if (ssl := query.pop("ssl", None)) is not None:
        query["sslmode"] = "require" if ssl == "true" else ssl
    try:
        return create_engine(url.set(query=query), pool_pre_ping=True, connect_args=ALIVE, **POOL)
    except ModuleNotFoundError:
        raise Misconfigured("KINFOLK_DATABASE_URL: install `kinfolk[postgres]` to use PostgreSQL.") from None


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: sqlalchemy.Connection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later can only fail under contention."""
    options = connection.get_execution_options()
    if options.get("writes"):
        wanted = "FULL" if options.get("durable", True) else "NORMAL"
        if connection.info.get("synchronous") != wanted:
            connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
            connection.info["synchronous"] = wanted
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def _begin_postgres(connection: sqlalchemy.Connection) -> None:
    """Let a commit return before it is on the disk, where that was asked for."""
    if not connection.get_execution_options().get("durable", True):
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")


def migrate(engine: sqlalchemy.Engine, home: Path) -> None:
    """Apply every migration that is missing; one process at a time."""
    try:
        if _revision(engine) == max(MIGRATIONS.glob("versions/[0-9]*.py")).name.partition("_")[0]:
            return
        with FileLock(home / "migrate.lock"), engine.execution_options(writes=True).begin() as connection:
            _upgrade(connection)
    except (DBAPIError, OSError) as error:
        raise explain(error) from error


def _revision(engine: sqlalchemy.Engine) -> str | None:
    """Return the revision of the schema, None before the first: Alembic's import is only worth it if that is old."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return (connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()


def _upgrade(connection: sqlalchemy.Connection) -> None:
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
        ("invalid connection option",),
        Misconfigured,
        "KINFOLK_DATABASE_URL: {cause}.",
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
