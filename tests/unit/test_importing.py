"""Bringing old messages in: everything or nothing, once, and never two at a time."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from filelock import FileLock
from sqlalchemy import func, select

from bot.core.clock import SystemClock
from bot.core.errors import Mistake, Unavailable
from bot.core.things import Audience
from bot.importing import Imported, import_jsonl
from storage import channels, communities
from storage.db import Database
from storage.tables import CommunityRow, LedgerRow, MessageRow

pytestmark = pytest.mark.slow

CLOCK = SystemClock()


def history(path: Path, count: int, *extra: bytes) -> Path:
    rows = [
        json.dumps({"channel": "general", "user": f"u{n % 7}", "text": f"message {n}", "ts": 1700000000 + n, "id": n})
        for n in range(count)
    ]
    path.write_bytes(b"\n".join([*(row.encode() for row in rows), *extra]))
    return path


async def bring(database: Database, home: Path, path: Path, **options) -> Imported:
    return await import_jsonl(database, CLOCK, home=home, path=path, community="harbour", **options)


async def count(database: Database, model) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(model))).scalar_one()


async def test_a_second_import_adds_nothing(database: Database, home: Path, tmp_path: Path) -> None:
    path = history(tmp_path / "f", 5000)
    shown: list[tuple[int, int]] = []
    first = await bring(database, home, path, progress=lambda done, total: shown.append((done, total)))
    assert (first.stored.messages, first.stored.members, first.stored.channels) == (5000, 7, 1)
    assert shown == [(2000, 5000), (4000, 5000), (5000, 5000)]
    again = await bring(database, home, path)
    assert (again.stored.messages, again.stored.members, again.stored.channels) == (0, 0, 0)
    assert await count(database, MessageRow) == 5000


async def test_bad_lines_are_named_and_strict_leaves_nothing(database: Database, home: Path, tmp_path: Path) -> None:
    path = history(tmp_path / "f", 10, b"oops")
    with pytest.raises(Mistake, match="line 11: not JSON .* Nothing was imported"):
        await bring(database, home, path, strict=True)
    assert await count(database, CommunityRow) == 0
    found = await bring(database, home, path)
    assert (found.stored.messages, [line.number for line in found.bad]) == (10, [11])


async def test_a_file_that_is_not_history_leaves_nothing(database: Database, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(5000))
    with pytest.raises(Mistake, match="does not look like history"):
        await bring(database, home, path)
    assert await count(database, CommunityRow) == 0


async def test_two_imports_at_once_are_refused_clearly(database: Database, home: Path, tmp_path: Path) -> None:
    path = history(tmp_path / "f", 10)
    with FileLock(home / "import.lock"), pytest.raises(Mistake, match="Another import is running"):
        await bring(database, home, path)
    assert (await bring(database, home, path)).stored.messages == 10


async def test_channels_get_their_descriptions_and_audience(database: Database, home: Path, tmp_path: Path) -> None:
    about = tmp_path / "channels"
    about.write_text('{"channel": "#general", "description": "Everything.", "private": true}\n')
    await bring(database, home, history(tmp_path / "f", 3), descriptions=about)
    async with database.read() as connection:
        community = await communities.find(connection, None)
        [general] = (await channels.every(connection, community)).values()
    assert (general.description, general.audience) == ("Everything.", Audience.MEMBERS)


async def test_a_private_channel_is_private_from_its_first_message_on(
    database: Database, home: Path, tmp_path: Path
) -> None:
    about = tmp_path / "channels"
    about.write_text('\n{"channel": " # general ", "description": "Ours.", "private": true}\n')
    audiences = []

    async def look() -> None:
        async with database.read() as connection:
            known = await channels.every(connection, await communities.find(connection, None))
            audiences.extend(one.audience for one in known.values())

    looking: list[asyncio.Task[None]] = []
    await bring(
        database,
        home,
        history(tmp_path / "f", 5000),
        descriptions=about,
        progress=lambda _done, _all: looking.append(asyncio.create_task(look())),
    )
    await asyncio.gather(*looking)
    assert len(audiences) == 3
    assert set(audiences) == {Audience.MEMBERS}


async def test_a_description_of_no_channel_is_named(database: Database, home: Path, tmp_path: Path) -> None:
    about = tmp_path / "channels"
    about.write_text('{"channel": "generl", "description": "A slip."}')
    assert (await bring(database, home, history(tmp_path / "f", 3), descriptions=about)).unmet == ("generl",)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "needs `channel` and `description`"),
        ('{"channel": "general"}', "needs `channel` and `description`"),
        ("[]", "needs `channel` and `description`"),
        ('{"channel": "general", "description": "", "private": "true"}', "`private` must be true or false"),
        ('{"channel": 5, "description": ""}', "must be text"),
    ],
)
async def test_a_bad_file_of_channels_is_refused_before_anything(
    database: Database, home: Path, tmp_path: Path, content: str, complaint: str
) -> None:
    about = tmp_path / "channels"
    about.write_text(content)
    with pytest.raises(Mistake, match=f"line 1: .*{complaint}"):
        await bring(database, home, history(tmp_path / "f", 3), descriptions=about)
    assert await count(database, CommunityRow) == 0


async def test_the_ledger_says_what_was_imported(database: Database, home: Path, tmp_path: Path) -> None:
    await bring(database, home, history(tmp_path / "f", 3))
    async with database.read() as connection:
        entry = (await connection.execute(select(LedgerRow.__table__))).one()
    assert (entry.act, entry.details["messages"], entry.details["file"]) == ("import", 3, "f")


async def mount(*arguments: str | Path) -> int:
    quiet = asyncio.subprocess.DEVNULL
    return await (await asyncio.create_subprocess_exec("mount", *arguments, stderr=quiet)).wait()


async def test_a_full_disk_is_said_and_the_same_command_goes_on_later(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if await mount("-t", "tmpfs", "-o", "size=2m", "none", small):
        pytest.skip("needs the right to mount a small disk")
    try:
        path = history(tmp_path / "f", 20_000)
        async with Database.open(f"sqlite:///{small}/kinfolk.db", home=tmp_path) as database:
            with pytest.raises(
                Unavailable, match=r"disk is full.*messages that were read are stored.*goes on from there"
            ):
                await bring(database, tmp_path, path)
            stored = await count(database, MessageRow)
            assert await mount("-o", "remount,size=40m", small) == 0
            assert (await bring(database, tmp_path, path)).stored.messages == 20_000 - stored
            assert await count(database, MessageRow) == 20_000
    finally:
        await (await asyncio.create_subprocess_exec("umount", small)).wait()
