"""A transaction, on both databases: whole or not at all, in one trip, waiting for nothing but its connection."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from storage import communities
from storage.connection import Connection
from storage.db import Database
from tests.words import MONDAY


async def make(connection: Connection, name: str) -> None:
    await communities.find_or_make(connection, name, MONDAY)


async def names(database: Database) -> list[str]:
    return [one.name for one in await database.look(communities.every)]


async def test_work_that_waits_for_something_else_is_refused_and_leaves_nothing(database: Database) -> None:
    async def work(connection: Connection) -> None:
        await make(connection, "half")
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="may wait for nothing but its connection"):
        await database.write(work)
    await database.write(lambda connection: make(connection, "whole"))
    assert await names(database) == ["whole"]


async def test_what_was_remembered_is_forgotten_where_it_was_taken_back_and_only_there(database: Database) -> None:
    forgotten: list[str] = []

    async def remembers(connection: Connection, name: str, *, fails: bool) -> None:
        connection.if_undone(lambda: forgotten.append(name))
        await make(connection, name)
        if fails:
            raise ValueError(name)

    # Both come while the writer is busy with nothing, and share one transaction.
    together = (
        database.write(lambda connection: remembers(connection, "good", fails=False)),
        database.write(lambda connection: remembers(connection, "bad", fails=True)),
    )
    good, bad = await asyncio.gather(*together, return_exceptions=True)
    assert (good, str(bad)) == (None, "bad")
    with pytest.raises(ValueError, match="alone"):
        await database.write(lambda connection: remembers(connection, "alone", fails=True))
    assert (await names(database), forgotten) == (["good"], ["bad", "alone"])


async def test_a_look_cannot_see_half_of_a_transaction(database: Database) -> None:
    async def both(connection: Connection) -> None:
        await make(connection, "one")
        await make(connection, "two")

    writing = asyncio.create_task(database.write(both))
    seen = {tuple(await names(database)) for _ in range(20)}
    await writing
    assert seen <= {(), ("one", "two")}
    assert await names(database) == ["one", "two"]


async def test_who_is_cut_off_while_reading_leaves_the_next_reader_in_peace(database: Database) -> None:
    await database.write(lambda connection: make(connection, "here"))

    async def read() -> None:
        async with database.read() as connection:
            while True:
                await connection.execute(text("SELECT name FROM community"))

    for _ in range(20):
        reading = asyncio.create_task(read())
        await asyncio.sleep(0.002)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    async with database.read() as connection:
        assert await connection.scalar(text("SELECT name FROM community")) == "here"
