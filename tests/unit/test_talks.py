"""What was said last is found without reading all of it, and is the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.event import listen, remove

from bot.core.ports import Scope
from bot.core.things import Community
from storage import alerts, communities, lately, refusals, talks
from storage.connection import Connection
from storage.following import Following
from storage.talks import Said
from tests.tables import open_database
from tests.words import MONDAY, said

MINUTES = 400
"""The first message is of Monday, each of the others a minute later than the one before."""


async def test_the_newest_are_the_same_however_far_back_is_looked_first(home: Path) -> None:
    async with open_database(home) as database:
        community = await database.write(lambda c: communities.find_or_make(c, "harbour", MONDAY))
        following = Following(community, MONDAY, await refusals.load(home))
        await database.write(following.begin)
        talk = [said(f"line {n}", by=f"m{n % 3}", where=f"c{n % 4}", minute=n) for n in range(MINUTES)]
        await database.write(lambda connection: following.follow(connection, talk))
        scope = Scope(community=community.id)

        async def newest(limit: int, **more) -> list[Said]:
            return await database.look(lambda c: talks.newest(c, scope, limit, **more))

        plain = await newest(50)
        assert [one.text for one in plain[:2]] == ["line 399", "line 398"]
        for minute in (0, 100, 360, MINUTES + 5):
            assert await newest(50, since=MONDAY + timedelta(minutes=minute)) == plain, minute
        assert len(await newest(2 * MINUTES, since=MONDAY)) == MINUTES
        assert await newest(2 * MINUTES, since=MONDAY + timedelta(days=3)) == await newest(2 * MINUTES)


async def _newest(connection: Connection, scope: Scope) -> object:
    return await talks.newest(connection, scope, 9, since=MONDAY)


async def _sample(connection: Connection, scope: Scope) -> object:
    return await lately.sample(connection, replace(scope, until=MONDAY), limit=9)


async def _due(connection: Connection, _scope: Scope) -> object:
    return await alerts.due(connection, Community(id=1, name="harbour"), MONDAY)


@pytest.mark.parametrize("read", [_newest, _sample, _due])
async def test_what_was_said_lately_is_found_by_channel_and_time(
    home: Path, read: Callable[[Connection, Scope], Awaitable[object]]
) -> None:
    async with open_database(home) as database:
        asked: list[tuple[str, object]] = []

        def note(_connection, _cursor, statement: str, parameters: object, *_rest: object) -> None:
            asked.append((statement, parameters))

        listen(database.engine, "before_cursor_execute", note)
        scope = Scope(community=1, channels=frozenset({1, 2}))
        await database.look(lambda c: read(c, scope))
        remove(database.engine, "before_cursor_execute", note)

        def plan(connection) -> str:
            statement, parameters = next(one for one in asked if one[0].startswith("SELECT"))
            return next(step[3] for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))

        found = await database.look(lambda connection: connection.run_sync(plan))
        assert "ix_message_channel (channel_id=? AND sent_at>?" in found
