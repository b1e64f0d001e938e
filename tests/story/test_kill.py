"""Kill -9 of any process during an import, then the same command again: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from pathlib import Path

import psutil
import pytest

from bot.core.ports import Scope
from bot.core.settings import Settings
from brains.engines import open_encoder
from storage.vectors import open_vectors
from tests.command import VECTORS, WORKER, Kinfolk
from tests.watching import count, until

pytestmark = pytest.mark.slow
MESSAGES = 4000
WORDS = ("tide", "harbour", "rope", "lantern", "ferry", "gull", "anchor", "mast", "船", "港口", "灯塔", "渔网", "码头")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    chance = random.Random(7)
    rows = [
        {
            "channel": f"c{number % 5}",
            "user": f"u{number % 37}",
            "text": " ".join(chance.choices(WORDS, k=chance.randint(1, 5))) + f" {number}",
            "ts": 1_700_000_000 + number,
            "id": number,
        }
        for number in range(MESSAGES)
    ]
    path = tmp_path / "history"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def waiting(home: Path) -> int:
    """Count what waits to be encoded."""
    return count(home, "outbox")


def some_are_encoded(home: Path, left: int) -> bool:
    return count(home, "message") == MESSAGES and 0 < waiting(home) <= left


async def points(home: Path) -> set[str]:
    """Read every point's id from the vector store."""
    settings = Settings(home=home)
    async with open_encoder(settings) as encoder:
        vectors = open_vectors(settings, fingerprint=encoder.fingerprint, size=encoder.size)
        ids, after = [], None
        while True:
            page = await vectors.scroll(Scope(community=1), after=after)
            ids.extend(map(str, page.ids))
            after = page.after
            if after is None:
                break
        await vectors.close()
    assert len(ids) == len(set(ids))
    return set(ids)


def stored(home: Path) -> set[str]:
    with sqlite3.connect(f"file:{home}/kinfolk.db?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT point FROM message").fetchall()
        refs = connection.execute("SELECT count(DISTINCT ref) FROM message").fetchone()[0]
    assert refs == len(rows) == MESSAGES
    from uuid import UUID

    return {str(UUID(row[0])) for row in rows}


@pytest.mark.long
def test_the_command_the_worker_and_the_vector_process_are_killed(kinfolk_with_models: Kinfolk, history: Path) -> None:
    kinfolk, home = kinfolk_with_models, kinfolk_with_models.home
    command = ("import", "jsonl", history, "--community", "harbour", "--wait", "--json")

    storing = kinfolk.start(*command)
    until(lambda: count(home, "message") > 0)
    storing.kill()
    storing.communicate()
    assert 0 < count(home, "message") <= MESSAGES

    encoding = kinfolk.start(*command)
    until(lambda: some_are_encoded(home, MESSAGES - 500))
    encoding.kill()
    encoding.communicate()
    left = waiting(home)
    assert 0 < left < MESSAGES

    going_on = kinfolk.start(*command)
    until(lambda: some_are_encoded(home, left - 500))
    for victim in (WORKER, VECTORS):
        [process] = kinfolk.companions(victim)
        process.kill()
        before = waiting(home)
        until(lambda before=before: waiting(home) < before or going_on.poll() is not None)
    out, err = going_on.communicate(timeout=240)
    assert going_on.returncode == 0, err
    assert json.loads(out)["messages"] == 0, "everything was stored before"

    assert waiting(home) == 0
    assert asyncio.run(points(home)) == stored(home)
    again = kinfolk.json(*command)
    assert (again["messages"], again["encoded"]) == (0, 0)
    for name in (WORKER, VECTORS):
        assert all(process.status() != psutil.STATUS_ZOMBIE for process in kinfolk.companions(name))
