"""Files of knowledge are read again when they change, and what is gone twice is kept no longer."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from bot.cli.knowledge import _files, _named, _take
from bot.core.errors import Mistake
from bot.reading import Given, Reading, Taken, contents
from brains.knowledge.documents import confined
from brains.knowledge.documents.process import cut
from storage import channels, documents, notes
from storage.documents import Changed
from tests.recording import GENERAL, SmallBot, small_bot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.core.things import Community


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home) as opened:
        await opened.follow(opened.posted("hello"))
        yield opened


async def here(name: str, data: bytes) -> list[tuple[str, str]]:
    """Cut a file in this process: one of its own takes half a second to start."""
    return cut(name, data)


class Shelf:
    """One file, and what is kept of it."""

    def __init__(self, bot: SmallBot, path: Path, channel: int) -> None:
        self.bot, self.path = bot, path
        self.reading = Reading(bot.database, bot.performer.clock, read=here)
        self.given = Given(name=path.name, channel=channel, path=str(path))
        self._writes = 0

    @property
    def community(self) -> Community:
        return self.bot.community

    def write(self, text: str | bytes) -> None:
        self.path.write_bytes(text.encode() if isinstance(text, str) else text)
        self._writes += 1
        os.utime(self.path, ns=(self._writes, self._writes))

    async def take(self) -> Taken:
        return await self.reading.take(self.community, self.given, self.path.read_bytes())

    async def looks(self) -> list[tuple[str, Changed]]:
        return [(one.state, one.changed) for one in await self.reading.look()]

    async def kept(self) -> list[tuple[str, str]]:
        async with self.bot.database.read() as connection:
            scope = await channels.readable(connection, self.community, None)
            known = await documents.every(connection, self.community)
            found = await notes.by_number(connection, scope, range(1, 99))
        assert len(known) == 1
        return [(one.heading, one.text) for one in found.values()]


@pytest.fixture
async def shelf(bot: SmallBot, tmp_path: Path) -> Shelf:
    async with bot.database.read() as connection:
        general = await channels.by_ref(connection, bot.community, GENERAL.ref)
    assert general is not None
    shelf = Shelf(bot, tmp_path / "rules.md", general.id)
    shelf.write("# Rules\n\nBe kind.\n\n# Hours\n\nFrom 9.")
    return shelf


async def test_a_file_is_read_once_and_again_when_it_changed_and_only_then(shelf: Shelf) -> None:
    assert (await shelf.take()).changed == Changed(new=2)
    assert await shelf.take() == Taken(name="rules.md", state="unchanged", changed=Changed(same=2))
    assert await shelf.looks() == []
    shelf.write("# Rules\n\nBe kind.\n\n# Hours\n\nFrom 10.")
    assert await shelf.looks() == [("read", Changed(new=1, same=1, gone=1))]
    assert await shelf.looks() == []
    assert sorted(await shelf.kept()) == [("Hours", "From 10."), ("Rules", "Be kind.")]


async def test_what_is_gone_twice_is_kept_no_longer_and_read_again_when_it_is_back(shelf: Shelf) -> None:
    await shelf.take()
    shelf.path.unlink()
    assert (await shelf.looks(), len(await shelf.kept())) == ([], 2)
    shelf.write("# Rules\n\nBe kind.")
    assert await shelf.looks() == [("read", Changed(same=1, gone=1))]
    shelf.path.unlink()
    assert await shelf.looks() == []
    assert await shelf.looks() == [("gone", Changed(gone=1))]
    assert (await shelf.looks(), await shelf.kept()) == ([], [])
    shelf.write("# Rules\n\nBe kind.")
    assert await shelf.looks() == [("read", Changed(new=1))]


async def test_a_file_that_cannot_be_read_any_more_is_not_answered_from(shelf: Shelf) -> None:
    await shelf.take()
    shelf.write(b"\x00\x01\xff")
    with pytest.raises(Mistake, match="no text"):
        await shelf.take()
    assert (await shelf.looks(), len(await shelf.kept())) == ([], 2)
    assert await shelf.looks() == [("unreadable", Changed(gone=2))]
    assert (await shelf.looks(), await shelf.kept()) == ([], [])
    shelf.write("Be kind.")
    assert await shelf.looks() == [("read", Changed(new=1))]
    async with shelf.bot.database.read() as connection:
        [known] = await documents.every(connection, shelf.community)
    shelf.path.unlink()
    assert (await shelf.reading.refresh(known)).state == "gone"
    assert await shelf.kept() == []


async def test_a_file_that_is_removed_while_it_is_read_does_not_come_back(shelf: Shelf) -> None:
    await shelf.take()
    shelf.write("# Rules\n\nBe quick.")
    database = shelf.bot.database

    async def slow(name: str, data: bytes) -> list[tuple[str, str]]:
        async with database.read() as connection:
            [known] = await documents.every(connection, shelf.community)
        await database.write(lambda c: documents.remove(c, known, now=shelf.bot.clock.now()))
        return cut(name, data)

    await Reading(database, shelf.bot.clock, read=slow).look()
    async with database.read() as connection:
        assert await documents.every(connection, shelf.community) == []


async def test_a_file_that_was_away_for_a_moment_twice_was_never_gone(shelf: Shelf) -> None:
    await shelf.take()
    assert await shelf.looks() == []
    away = shelf.path.with_suffix(".away")
    for _time in range(3):
        shelf.path.rename(away)
        assert await shelf.looks() == []
        away.rename(shelf.path)
        assert await shelf.looks() == []


def test_what_is_no_file_or_larger_than_any_that_is_read_is_never_taken_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(Mistake, match="no file"):
        contents(tmp_path / "pipe.md")
    with pytest.raises(Mistake, match="no file"):
        contents(tmp_path)
    monkeypatch.setattr(confined, "MOST_BYTES", 9)
    (tmp_path / "long.md").write_bytes(b"x" * 99)
    assert len(contents(tmp_path / "long.md")) == 10


async def test_one_broken_file_does_not_keep_the_others_of_a_folder_out(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "broken.md").write_bytes(b"\x00\x01\xff")
    (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text("Be kind.")
    bot, room = shelf.bot, shelf.given.channel
    found = await asyncio.to_thread(lambda: list(_files([tmp_path])))
    given = [_named(path, name, room, "") for path, name in found]
    taken = [await _take(bot, bot.community, one, of=len(given)) for one in given]
    assert sorted((one.state, bool(one.wrong)) for one in taken) == [
        ("read", False),
        ("unreadable", True),
        ("unreadable", True),
    ]
    with pytest.raises(Mistake, match="broken"):
        await _take(bot, bot.community, next(one for one in given if "broken" in one.name), of=1)
