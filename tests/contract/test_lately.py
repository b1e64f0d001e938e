"""How much was said by the hour, on SQLite and on PostgreSQL: the last half second of an hour is of that hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.ports import Scope
from storage import channels, communities, lately
from storage.connection import Connection
from storage.db import Database
from storage.intake import Intake
from tests.words import MONDAY, said

HOUR = timedelta(hours=1)


async def test_the_last_moment_of_an_hour_is_counted_in_it(database: Database) -> None:
    moments = (HOUR, HOUR - timedelta(milliseconds=300), timedelta(0), -timedelta(milliseconds=300))

    async def work(connection: Connection) -> tuple[list[float], list[float], list[float]]:
        here = await communities.find_or_make(connection, "harbour", MONDAY)
        intake = Intake(here, MONDAY)
        await intake.begin(connection)
        await intake.store(connection, [replace(said(f"tide {at}"), at=MONDAY + at) for at in moments])
        [room] = await channels.every(connection, here)
        scope = Scope(community=here.id, channels=frozenset({room}))
        counted = (await lately.by_hour(connection, scope, MONDAY + HOUR, 3))[room]
        everywhere = await lately.everywhere(connection, scope, MONDAY + HOUR, 3)
        return counted.messages.tolist(), counted.people.tolist(), everywhere.tolist()

    assert await database.write(work) == ([0, 1, 2], [0, 1, 1], [0, 1, 2])
