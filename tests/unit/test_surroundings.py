"""What lies around messages is found by indices of its own, never by reading the whole community."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.event import listen, remove

from bot.core.ports import Scope
from bot.core.things import Community, Ref
from storage import notes, questions, surroundings
from storage.surroundings import Placed
from tests.recording import SmallBot, small_bot
from tests.words import MONDAY

HARBOUR = Community(id=1, name="harbour")
SCOPE = Scope(community=1, channels=frozenset({1, 2}), not_authors=frozenset({3}), notes=True)
PLACED = Placed(
    number=1,
    ref=Ref("plaza", "m1"),
    channel=1,
    author=1,
    thread=None,
    conversation=1,
    reply_to=Ref("plaza", "m0"),
    at=MONDAY,
)
LOOSE = replace(PLACED, number=2, conversation=None)
THREADED = replace(LOOSE, number=3, thread=1)


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home) as opened:
        yield opened


@pytest.mark.parametrize(
    "asks",
    [
        lambda c: surroundings.by_point(c, SCOPE, [uuid4(), uuid4()]),
        lambda c: surroundings.texts(c, SCOPE, [1, 2]),
        lambda c: surroundings.around(c, SCOPE, [PLACED, LOOSE, THREADED]),
        lambda c: notes.by_number(c, SCOPE, [1, 2]),
        lambda c: questions.unanswered(c, HARBOUR, [1, 2], since=MONDAY - timedelta(minutes=3), until=MONDAY),
    ],
    ids=["points", "texts", "around", "notes", "waiting"],
)
async def test_nothing_that_is_found_by_a_list_reads_the_community(bot: SmallBot, asks) -> None:
    asked: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement: str, parameters: object, *_rest: object) -> None:
        asked.append((statement, parameters))

    listen(bot.database.engine, "before_cursor_execute", note)
    await bot.database.look(asks)
    remove(bot.database.engine, "before_cursor_execute", note)

    def plans_of(connection) -> list[str]:
        return [
            step[3]
            for statement, parameters in asked
            if statement.startswith("SELECT")
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]

    plans = await bot.database.look(lambda connection: connection.run_sync(plans_of))
    assert plans
    slow = ("(community_id=?)", "(channel_id=?)")
    assert [one for one in plans if one.startswith("SCAN") or one.endswith(slow)] == []
