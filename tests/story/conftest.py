"""What stories share, made once a run and copied: the town, the sample imported, and a home that the bot lived in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.command import Kinfolk
from tests.conftest import home_with
from tests.platforms.discord import DiscordServer, discord_server
from tests.platforms.discord import harbour as community
from tests.platforms.telegram import TelegramServer, telegram_server
from tests.proving.bot import Bot
from tests.story.any_town import AnyTown
from tests.story.any_town import living as living_anywhere
from tests.story.discord_town import DiscordTown, living
from tests.story.stages import STAGES, Stage
from tests.story.town import LEFT_BEHIND, Town, found
from tests.story.town import town as sample_town
from tests.watching import until

SAMPLE = Path(__file__).parents[2] / "bot" / "sample"
IMPORT = (
    *("import", "jsonl", SAMPLE / "messages.jsonl", "--channels", SAMPLE / "channels.jsonl"),
    *("--community", "harbour", "--wait", "--json"),
)
Opening = Callable[..., AbstractAsyncContextManager[Town]]


def _once(factory: pytest.TempPathFactory, name: str, make: Callable[[Kinfolk], None]) -> Path:
    """Make a home once for a whole run, however many processes share it, and give it to be copied."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not (folder / "made").exists():
            folder.mkdir(exist_ok=True)
            program = Kinfolk(home=folder / "home")
            try:
                make(program)
            finally:
                program.end_companions()
            (folder / "made").touch()
    return folder / "home"


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found the town."""
    return _once(tmp_path_factory, "town", lambda program: asyncio.run(found(program.home)))


@pytest.fixture(scope="session")
def imported(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Import the sample as the community `harbour`, with the real encoder."""

    def make(program: Kinfolk) -> None:
        home_with(models, program.home.parent)
        done = program.json(*IMPORT)
        assert (done["messages"], done["channels"], done["skipped"], done["encoded"]) == (799, 17, 0, 799)

    return _once(tmp_path_factory, "imported", make)


@pytest.fixture(scope="session")
def lived_in(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let the bot live on the playground until it has read everything."""

    def make(program: Kinfolk) -> None:
        home_with(models, program.home.parent)
        bot = Bot(program=program)
        try:
            bot.start()
            until(bot.is_ready, 120)
        finally:
            bot.end()

    return _once(tmp_path_factory, "lived-in", make)


@pytest.fixture
def kinfolk_imported(imported: Path, home: Path) -> Iterator[Kinfolk]:
    """Give the command line with a home in which the sample is the community `harbour`."""
    yield from copied(imported, home)


@pytest.fixture
def kinfolk_lived_in(lived_in: Path, home: Path) -> Iterator[Kinfolk]:
    """Give the command line with a home that the bot has lived in."""
    yield from copied(lived_in, home)


def copied(made: Path, home: Path) -> Iterator[Kinfolk]:
    """Copy a home, give its command line, and end what it started."""
    shutil.copytree(made, home, symlinks=True, ignore=LEFT_BEHIND, dirs_exist_ok=True)
    program = Kinfolk(home=home)
    yield program
    program.end_companions()


@pytest.fixture
def opening(founded: Path, home: Path) -> Opening:
    """Give what opens the town for one story."""

    @contextlib.asynccontextmanager
    async def open_it(**more: object) -> AsyncIterator[Town]:
        async with sample_town(founded, home, **more) as opened:
            yield opened

    return open_it


@pytest.fixture
async def harbour(opening: Opening) -> AsyncIterator[Town]:
    """Give the town, open."""
    async with opening() as opened:
        yield opened


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    """Give Discord, empty."""
    async with discord_server() as server:
        yield server
        assert server.faults.gaps == []


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    """Give Telegram, empty."""
    async with telegram_server() as server:
        yield server
        assert server.faults.gaps == []


@pytest.fixture
def ending(home: Path) -> Iterator[None]:
    """End what a home still runs."""
    yield
    Kinfolk(home=home).end_companions()


@pytest.fixture
async def guild(discord: DiscordServer, home: Path, ending: None) -> AsyncIterator[DiscordTown]:
    """Give the bot that lives in a small community on Discord."""
    async with living(discord, community(discord.town), home) as opened:
        yield opened


@pytest.fixture(params=STAGES)
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """Give each platform in turn."""
    async with STAGES[request.param]() as opened:
        yield opened


@pytest.fixture
async def town(stage: Stage, home: Path, ending: None) -> AsyncIterator[AnyTown]:
    """Give the bot that lives in a small community on that platform."""
    async with living_anywhere(stage, home) as opened:
        yield opened
