"""The vector process: killed, doubled, left alone, fed rubbish, out of room."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import psutil
import pytest

from bot.core.companion import Companion
from bot.core.errors import Gone, KinfolkError, Unavailable
from bot.core.ports import Point, Scope
from storage.vectors import open_folder, wire
from storage.vectors.client import Connection, EmbeddedVectorStore
from storage.vectors.layout import slug
from storage.vectors.wire import Verb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

pytestmark = pytest.mark.slow

SIZE = 32
HERE = Scope(community=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def points(numbers: Iterable[int], *, turn: int = 0) -> list[Point]:
    return [
        Point(id=UUID(int=n + 1), vector=vector(n, turn), text="tea", community=1, channel=turn, author=1, at=NOON)
        for n in numbers
    ]


def vector(number: int, turn: int) -> np.ndarray:
    drawn = np.random.default_rng([number, turn]).normal(size=SIZE).astype(np.float32)
    return drawn / np.linalg.norm(drawn)


async def ended(pid: int) -> None:
    """Wait until a process is gone."""
    with suppress(psutil.NoSuchProcess):
        await asyncio.to_thread(psutil.Process(pid).wait, 20)


@pytest.fixture
async def store(home: Path) -> AsyncIterator[EmbeddedVectorStore]:
    opened = open_folder(home, "fp", SIZE, idle=20)
    yield opened
    with suppress(KinfolkError):
        os.kill(await opened.pid(), signal.SIGKILL)
    await opened.close()


def socket_of(home: Path) -> Path:
    return Companion(name=f"vectors-{slug('fp')}", home=home, command=()).socket


async def raw(home: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_unix_connection(socket_of(home))


class Ledger:
    """What was acknowledged, and what was under way when the process died."""

    def __init__(self) -> None:
        self.turns: dict[int, int] = {}
        self.unsure: set[int] = set()
        self.rounds = 0

    async def write(self, connection: Connection, numbers: list[int]) -> None:
        self.rounds += 1
        self.unsure = set(numbers)
        columns = wire.pack_points(points(numbers, turn=self.rounds), SIZE)
        await connection.ask(Verb.UPSERT, columns, 20)
        self.turns |= dict.fromkeys(numbers, self.rounds)
        self.unsure = {numbers[0]}
        await connection.ask(Verb.DELETE, wire.pack_ids([UUID(int=numbers[0] + 1)]), 20)
        del self.turns[numbers[0]]
        self.unsure = set()


async def test_kill_loses_nothing_acknowledged(store: EmbeddedVectorStore, home: Path) -> None:
    drawn = np.random.default_rng(5)
    ledger = Ledger()
    for life in range(3):
        pid = await store.pid()
        connection = await Connection.open(socket_of(home), SIZE)

        async def stream(connection: Connection = connection) -> None:
            while True:
                await ledger.write(connection, drawn.choice(3_000, 90, replace=False).tolist())

        writing = asyncio.create_task(stream())
        while ledger.rounds < 12 * (life + 1):
            await store.count(HERE)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(Gone):
            await writing
        await connection.close()
        await compare(store, ledger)
    assert len(ledger.turns) > 900


async def compare(store: EmbeddedVectorStore, ledger: Ledger) -> None:
    page = await store.scroll(HERE, limit=5_000)
    found = {key.int - 1: (turn, row) for key, turn, row in zip(page.ids, page.channels, page.vectors, strict=True)}
    certain = {number: turn for number, turn in ledger.turns.items() if number not in ledger.unsure}
    assert {number: turn for number, (turn, _) in found.items() if number not in ledger.unsure} == certain
    for number, turn in certain.items():
        np.testing.assert_allclose(found[number][1], vector(number, turn), atol=1e-6)
    ledger.turns = {number: turn for number, (turn, _) in found.items()}


async def test_callers_do_not_notice_a_restart(store: EmbeddedVectorStore) -> None:
    await store.upsert(points(range(10)))
    before = await store.pid()
    os.kill(before, signal.SIGKILL)
    await store.upsert(points(range(10, 20)))
    assert await store.count(HERE) == 20
    assert await store.pid() != before


async def test_calls_under_way_survive_a_kill(store: EmbeddedVectorStore) -> None:
    calls = [asyncio.create_task(store.upsert(points(range(at, at + 50)))) for at in range(0, 2_000, 50)]
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    os.kill(await store.pid(), signal.SIGKILL)
    await asyncio.gather(*calls)
    assert await store.count(HERE) == 2_000


async def test_a_process_that_cannot_start_says_why(store: EmbeddedVectorStore, home: Path) -> None:
    await store.upsert(points(range(5)))
    pid = await store.pid()
    config = home / slug("fp") / "shard" / "edge_config.json"
    sound = config.read_bytes()
    os.kill(pid, signal.SIGKILL)
    config.write_bytes(b"rubbish")
    with pytest.raises(Unavailable, match="cannot be opened"):
        await store.count(HERE)
    config.write_bytes(sound)
    assert await store.count(HERE) == 5


async def test_a_second_opener_is_refused(store: EmbeddedVectorStore, home: Path) -> None:
    owner = await store.pid()
    folder = home / slug("fp")
    second = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "storage.vectors.process", f"--folder={folder}", f"--size={SIZE}"),
        *(f"--socket={home / 'other.sock'}", "--patience=0"),
        stderr=subprocess.PIPE,
    )
    _, words = await second.communicate()
    assert second.returncode == 1
    assert f"{folder} are in use by process {owner}" in words.decode()
    await store.upsert(points(range(3)))
    assert await store.count(HERE) == 3


async def test_two_clients_at_once_share_one_process(store: EmbeddedVectorStore, home: Path) -> None:
    others = [open_folder(home, "fp", SIZE, idle=20) for _ in range(3)]
    assert len({await first for first in asyncio.as_completed([one.pid() for one in (store, *others)])}) == 1
    await store.upsert(points(range(3)))
    assert [await one.count(HERE) for one in others] == [3, 3, 3]
    for one in others:
        await one.close()


async def test_it_ends_when_nobody_is_left(home: Path) -> None:
    brief = open_folder(home, "fp", SIZE, idle=0.2)
    await brief.upsert(points(range(5)))
    pid = await brief.pid()
    await brief.close()
    await ended(pid)
    assert not socket_of(home).exists()
    assert await brief.count(HERE) == 5
    await brief.close()


async def test_it_ends_cleanly_when_told(store: EmbeddedVectorStore, home: Path) -> None:
    await store.upsert(points(range(5)))
    pid = await store.pid()
    os.kill(pid, signal.SIGTERM)
    await ended(pid)
    assert not socket_of(home).exists()
    assert (home / f"vectors-{slug('fp')}.log").read_text() == ""
    assert await store.count(HERE) == 5


async def test_a_stale_socket_is_replaced(store: EmbeddedVectorStore, home: Path) -> None:
    socket_of(home).parent.mkdir(mode=0o700, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(socket_of(home)))
    assert socket_of(home).is_socket()
    assert await store.count(HERE) == 0


async def test_a_long_home_works(tmp_path: Path) -> None:
    deep = tmp_path / ("a-rather-long-folder-name" * 5)
    deeper = open_folder(deep, "fp", SIZE, idle=0.1)
    await deeper.upsert(points(range(5)))
    assert await deeper.count(HERE) == 5
    await deeper.close()


RUBBISH = [
    b"\x00\x00\x00\x03\xc1\xc1\xc1",
    b"\xff\xff\xff\xff",
    b"GET / HTTP/1.1\r\n\r\n",
    wire.frame("hello"),
    wire.frame([1, "no such verb", None]),
    wire.frame(["one", "count", None]),
]


async def test_rubbish_closes_that_client_only(store: EmbeddedVectorStore, home: Path) -> None:
    await store.upsert(points(range(5)))
    before = await store.pid()
    for rubbish in RUBBISH:
        reader, writer = await raw(home)
        writer.write(rubbish)
        assert await reader.read() == b""
        writer.close()
    assert await store.count(HERE) == 5
    assert await store.pid() == before


async def test_a_bad_request_is_answered_with_its_error(store: EmbeddedVectorStore, home: Path) -> None:
    await store.upsert(points(range(5)))
    reader, writer = await raw(home)
    for body in (None, b"short", [b"x" * 16, b"", [], [], [], [], []], [1], "text"):
        writer.write(wire.frame([7, "upsert", body]))
        number, kind, words = await wire.read_frame(reader)
        assert (number, kind in wire.ERRORS, bool(words)) == (7, True, True)
    writer.close()
    assert await store.count(HERE) == 5


async def test_half_a_frame_and_goodbye(store: EmbeddedVectorStore, home: Path) -> None:
    await store.upsert(points(range(5)))
    _, writer = await raw(home)
    writer.write(wire.frame([1, "count", wire.pack_scope(HERE)])[:-3])
    await writer.drain()
    writer.close()
    assert await store.count(HERE) == 5


async def test_searches_go_before_waiting_writes(store: EmbeddedVectorStore) -> None:
    await store.upsert(points(range(5)))
    finished: list[str] = []

    async def note(name: str, call: asyncio.Future[object]) -> None:
        await call
        finished.append(name)

    writes = [note("write", store.upsert(points(range(at, at + 256)))) for at in range(0, 5_120, 256)]
    await asyncio.gather(*writes, note("search", store.search(HERE, vector=vector(1, 0), text="tea")))
    assert finished.index("search") < len(finished) - 5


async def test_more_calls_than_fit_the_pipeline(store: EmbeddedVectorStore) -> None:
    await store.upsert(points(range(50)))
    answers = await asyncio.gather(*(store.search(HERE, vector=vector(n % 50, 0), limit=1) for n in range(300)))
    assert [hit.id.int - 1 for [hit] in answers] == [n % 50 for n in range(300)]


async def test_a_cancelled_call_leaves_the_connection_in_order(store: EmbeddedVectorStore) -> None:
    await store.upsert(points(range(50)))
    calls = [asyncio.create_task(store.search(HERE, vector=vector(n, 0), limit=1)) for n in range(20)]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [hit.id.int - 1 for [hit] in answers[1::2]] == list(range(1, 20, 2))


async def test_an_answer_to_a_call_cancelled_in_that_moment_is_passed_over() -> None:
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    connection = Connection(reader, writer)
    given_up, kept = (asyncio.create_task(connection.ask(Verb.COUNT, None, 20)) for _ in range(2))
    await asyncio.sleep(0)

    reader.feed_data(wire.frame([0, 7]))
    given_up.cancel()
    await asyncio.wait([given_up])
    reader.feed_data(wire.frame([1, 8]))

    assert (await kept, given_up.cancelled(), connection.lost) == (8, True, False)
    await connection.close()
    theirs.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root to mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_full_disk_refuses_writes_and_goes_on(small_disk: Path) -> None:
    full = open_folder(small_disk, "fp", SIZE, idle=0.1)
    await full.upsert(points(range(50)))
    await asyncio.to_thread(fill, small_disk, 100)
    with pytest.raises(Unavailable, match="is full"):
        await full.upsert(points(range(50, 60)))
    assert await full.count(HERE) == 50
    await full.delete([UUID(int=1)])
    await asyncio.to_thread(fill, small_disk, 0)
    with pytest.raises(Unavailable, match="is full"):
        await full.delete([UUID(int=2)])
    assert len(await full.search(HERE, vector=vector(3, 0), limit=60)) == 49
    (small_disk / "filler").unlink()
    await full.upsert(points(range(50, 60)))
    assert await full.count(HERE) == 59
    await full.close()


def fill(folder: Path, leave: int) -> None:
    """Fill a disk until `leave` MiB are free."""
    free = os.statvfs(folder)
    with (folder / "filler").open("ab") as filler:
        filler.write(b"\0" * (free.f_bavail * free.f_bsize - (leave << 20)))
