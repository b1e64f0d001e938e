"""What stories share: the town, founded once a run."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.command import Kinfolk
from tests.platforms.discord import DiscordServer, discord_server
from tests.platforms.discord import harbour as community
from tests.story.discord_town import DiscordTown, living
from tests.story.town import Town, found, town

Opening = Callable[..., AbstractAsyncContextManager[Town]]


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found the town once for a whole run, however many processes share it, and give its home to be copied."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "town"
    with FileLock(f"{home}.lock"):
        if not home.exists():
            asyncio.run(found(home))
            Kinfolk(home=home).end_companions()
    return home


@pytest.fixture
def opening(founded: Path, home: Path) -> Opening:
    """Give what opens the town for one story."""

    @contextlib.asynccontextmanager
    async def open_it(**more: object) -> AsyncIterator[Town]:
        async with town(founded, home, **more) as opened:
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
def ending(home: Path) -> Iterator[None]:
    """End what a home still runs."""
    yield
    Kinfolk(home=home).end_companions()


@pytest.fixture
async def guild(discord: DiscordServer, home: Path, ending: None) -> AsyncIterator[DiscordTown]:
    """Give the bot that lives in a small community on Discord."""
    async with living(discord, community(discord.town), home) as opened:
        yield opened
