"""What the event stream promises, whoever provides it: on disk when told, once each, in order, leased to one."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Row, func, select, update

from bot.core.errors import Unavailable
from bot.core.events import Arrival, CommandGiven, MemberJoined, MemberLeft, MessagePosted
from bot.core.ports import Delivery
from bot.core.things import Rank, Ref
from storage import inbox as inbox_module
from storage import spaces
from storage.connection import Connection
from storage.db import Database
from storage.inbox import LEASE, LOOK, Inbox, Put, waiting
from storage.tables import InboxRow
from tests.words import MONDAY, named, said

SPACE = named("harbour")


class HandClock:
    """A clock that is set by hand. Whoever sleeps waits until the hands have moved."""

    def __init__(self) -> None:
        self.time = MONDAY
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self.time

    def move(self, by: timedelta) -> None:
        self.time += by
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        until = self.time + timedelta(seconds=seconds)
        while self.time < until:
            await self._moved.wait()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def open_stream(database: Database, clock: HandClock) -> Callable[[str], Inbox]:
    """Give what makes a stream for another process, by its name."""
    return lambda holder: Inbox(database, clock=clock, holder=holder)


@pytest.fixture
async def second(database_url: str, database: Database, home: Path) -> AsyncIterator[Database]:
    """Give a second connection to the same database, as another process would have it."""
    async with Database.open(database_url, home=home) as opened:
        yield opened


def arrival(number: int, *, where: str = "general") -> Arrival:
    return Arrival(space=SPACE, event=said(f"words {number}", where=where, key=f"{where}/{number}"))


def names(deliveries: list[Delivery]) -> list[str]:
    return [event.message.id for one in deliveries if isinstance(event := one.arrival.event, MessagePosted)]


async def nothing_comes(stream: Inbox, clock: HandClock) -> bool:
    """Say whether a claim has to wait, having looked into the table again."""
    clock.move(LOOK)
    claiming = asyncio.create_task(stream.claim(10))
    finished, _ = await asyncio.wait({claiming}, timeout=0.4)
    claiming.cancel()
    return not finished


async def stored(database: Database) -> int:
    async with database.read() as connection:
        return await waiting(connection)


async def text_of(database: Database, number: int) -> str:
    async with database.read() as connection:
        return await connection.scalar(select(InboxRow.event).where(InboxRow.id == number))


async def test_what_was_put_is_on_disk_and_comes_once(open_stream, clock: HandClock, second: Database) -> None:
    stream = open_stream("a")
    assert await stream.put(arrival(1)) is True
    assert await stored(second) == 1

    assert await stream.put(arrival(1)) is False, "a redelivery is recognised"
    assert await stored(second) == 1
    [delivery] = await stream.claim(10)
    assert delivery.arrival == arrival(1)
    assert delivery.received_at == MONDAY
    await stream.put(arrival(1))
    assert await nothing_comes(stream, clock)


async def test_done_never_comes_again_and_of_a_message_nothing_is_kept(
    open_stream, database: Database, clock: HandClock
) -> None:
    stream = open_stream("a")
    asked = CommandGiven(
        command="help",
        member=named("ana"),
        rank=Rank.MEMBER,
        channel=named("general"),
        at=MONDAY,
        invocation=Ref("import", "use/1"),
    )
    await stream.put(arrival(1))
    await stream.put(Arrival(space=SPACE, event=asked))
    message, command = await stream.claim(10)
    assert "words 1" in await text_of(database, message.id)
    for one in (message, command):
        await stream.done(one)

    assert await text_of(database, message.id) == ""
    assert "help" in await text_of(database, command.id), "what was asked stays, as history"
    assert await stream.put(arrival(1)) is False
    clock.move(2 * LEASE)
    assert await nothing_comes(stream, clock)
    again = open_stream("a")
    await again.begin(alone=True)
    assert await nothing_comes(again, clock)


async def test_a_lease_keeps_others_out_of_the_lane_until_it_runs_out(open_stream, clock: HandClock) -> None:
    """A later event of the lane must not overtake the one that another process has in its hands."""
    first, other = open_stream("a"), open_stream("b")
    await first.put(arrival(1))
    assert names(await first.claim(1)) == ["general/1"]
    await other.put(arrival(2))
    await other.put(arrival(1, where="garden"))

    assert names(await other.claim(10)) == ["garden/1"]
    assert await nothing_comes(other, clock)
    clock.move(LEASE + timedelta(seconds=1))
    found = await other.claim(10)
    assert names(found)[:2] == ["general/1", "general/2"]
    assert found[0].attempts > 0, "it was tried before"


async def test_a_living_process_keeps_its_leases(open_stream, clock: HandClock, database: Database) -> None:
    first, other = open_stream("a"), open_stream("b")
    await first.put(arrival(1))
    [delivery] = await first.claim(10)
    keeping = asyncio.create_task(first.renew_leases())
    for _ in range(12):
        await asyncio.sleep(0)
        clock.move(LEASE / 3)
        await asyncio.sleep(0.05)
    assert await nothing_comes(other, clock)
    keeping.cancel()
    clock.move(LEASE + timedelta(seconds=1))
    assert [one.id for one in await other.claim(10)] == [delivery.id]


async def test_what_was_stored_and_never_heard_of_comes_again(
    open_stream, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database ended the transaction and its word of it was lost: nobody has it in hand, so no lease is renewed."""
    stream = open_stream("a")
    assert await nothing_comes(stream, clock)
    write = stream._puts.write

    async def unheard(put: Put) -> None:
        await write(put)
        raise Unavailable("the connection was closed")

    monkeypatch.setattr(stream._puts, "write", unheard)
    with pytest.raises(Unavailable):
        await stream.put(arrival(1))
    monkeypatch.setattr(stream._puts, "write", write)
    assert not await stream.put(arrival(1)), "it is there already"
    keeping = asyncio.create_task(stream.renew_leases())
    for _ in range(6):
        await asyncio.sleep(0)
        clock.move(LEASE / 3)
        await asyncio.sleep(0.05)
    assert names(await stream.claim(10)) == ["general/1"]
    keeping.cancel()


async def test_who_is_cut_off_while_putting_has_put_it(open_stream, clock: HandClock) -> None:
    """An adapter that is ended while it hands over: what is on disk by then is handled, in its place."""
    stream = open_stream("a")
    assert await nothing_comes(stream, clock)
    putting = asyncio.create_task(stream.put(arrival(1)))
    await asyncio.sleep(0)
    putting.cancel()
    await asyncio.gather(putting, return_exceptions=True)
    assert await stream.put(arrival(2))
    assert names(await stream.claim(10)) == ["general/1", "general/2"]


async def test_release_gives_back_in_order(open_stream, clock: HandClock) -> None:
    stream = open_stream("a")
    assert await nothing_comes(stream, clock)
    for number in range(4):
        await stream.put(arrival(number))
    taken = await stream.claim(2)
    assert names(taken) == ["general/0", "general/1"]
    await stream.release(taken)

    assert names(await stream.claim(10)) == [f"general/{number}" for number in range(4)], "none overtook"
    assert await nothing_comes(stream, clock)


async def test_who_waits_is_woken_by_what_comes_and_not_by_the_next_look(
    open_stream, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "LOOK", timedelta(hours=1))
    stream = open_stream("a")
    assert await nothing_comes(stream, clock)
    claiming = asyncio.create_task(stream.claim(10))
    await asyncio.sleep(0)
    await stream.put(arrival(1))
    async with asyncio.timeout(30):
        taken = await claiming
    assert names(taken) == ["general/1"]

    claiming = asyncio.create_task(stream.claim(10))
    await asyncio.sleep(0)
    await stream.release(taken)
    async with asyncio.timeout(30):
        assert names(await claiming) == ["general/1"]


async def test_more_than_the_memory_holds_keeps_its_order(
    open_stream, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "HELD", 8)
    stream = open_stream("a")
    assert await nothing_comes(stream, clock)
    for number in range(30):
        await stream.put(arrival(number))
    found: list[str] = []
    while len(found) < 30:
        clock.move(LOOK)
        found += names(await stream.claim(5))
    assert found == [f"general/{number}" for number in range(30)]


async def test_puts_and_claims_at_once_lose_nothing_and_keep_order(
    open_stream, clock: HandClock, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    monkeypatch.setattr(inbox_module, "HELD", 16)
    # The hands move by minutes in all, and nobody renews leases here.
    monkeypatch.setattr(inbox_module, "LEASE", timedelta(hours=1))
    stream, chance = open_stream("a"), random.Random(5)

    async def write(where: str) -> None:
        for number in range(40):
            assert await stream.put(arrival(number, where=where))
            clock.move(timedelta(seconds=chance.choice((0, 0, 0, 0.3, 1.2))))

    async def read(group: asyncio.TaskGroup) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        while sum(map(len, found.values())) < 20 * 40:
            for one in await stream.claim(chance.randint(1, 40)):
                where, _, number = names([one])[0].partition("/")
                found[where].append(number)
                group.create_task(stream.done(one))
        return found

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        reading = group.create_task(read(group))
        for place in range(20):
            group.create_task(write(f"room-{place}"))
    assert reading.result() == {f"room-{place}": [str(number) for number in range(40)] for place in range(20)}
    assert await stored(database) == 0


async def test_what_another_process_put_is_found(open_stream, second: Database, clock: HandClock) -> None:
    stream, elsewhere = open_stream("a"), Inbox(second, clock=clock, holder="b")
    assert await nothing_comes(stream, clock)
    claiming = asyncio.create_task(stream.claim(10))
    await elsewhere.put(arrival(1))
    clock.move(2 * LOOK)
    async with asyncio.timeout(30):
        assert names(await claiming) == ["general/1"]
    assert await nothing_comes(elsewhere, clock)


async def test_after_a_crash_everything_not_done_comes_again_in_order(
    open_stream, database: Database, clock: HandClock
) -> None:
    before = open_stream("a")
    assert await nothing_comes(before, clock)
    for number in range(6):
        await before.put(arrival(number))
    taken = await before.claim(4)
    await before.done(taken[0])

    after = open_stream("c")
    await after.begin(alone=True)
    await after.put(arrival(6))
    found = names(await after.claim(3))
    while len(found) < 6:
        found += names(await after.claim(10))
    assert found == [f"general/{number}" for number in range(1, 7)]
    async with database.read() as connection:
        total = await connection.scalar(select(func.count()).select_from(InboxRow))
    assert total == 7


async def test_two_who_claim_at_once_share_no_lane(open_stream, second: Database, clock: HandClock) -> None:
    """While one has claimed and not yet committed, the rest of its lanes must not look free to another."""
    for number in (1, 2):
        await open_stream("away").put(arrival(number))
    one, two = open_stream("one"), Inbox(second, clock=clock, holder="two")
    claimed, over = threading.Event(), threading.Event()

    async def claim_slowly(connection: Connection) -> list[Row[*tuple[object, ...]]]:
        found = await one._claim(connection, 1)
        claimed.set()
        over.wait(10)
        return found

    first = asyncio.create_task(one._database.write(claim_slowly))
    await asyncio.to_thread(claimed.wait, 10)
    claiming = asyncio.create_task(two.claim(10))
    finished, _ = await asyncio.wait({claiming}, timeout=0.4)
    assert not finished
    over.set()
    assert len(await first) == 1
    assert await nothing_comes(two, clock)
    claiming.cancel()


async def test_what_cannot_be_read_holds_up_nobody(
    open_stream, database: Database, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    """An older release finds what a newer one wrote: it stays for the next start."""
    for number in (1, 2):
        await open_stream("away").put(arrival(number))
    newer = {"event": '{"v": 99, "data": {"text": "marmalade"}}'}
    await database.write(lambda c: c.execute(update(InboxRow).where(InboxRow.key.endswith("/1")).values(newer)))
    stream = open_stream("one")
    # The first look finds nobody who left them; their leases are over.
    clock.move(LEASE + LOOK)
    assert names(await stream.claim(10)) == ["general/2"]
    assert await nothing_comes(stream, clock)
    assert await stored(database) == 2
    assert "event 1 cannot be read" in caplog.text
    assert "marmalade" not in caplog.text


async def test_somebody_is_where_they_did_something_until_they_leave_and_a_command_brings_nobody_back(
    database: Database, open_stream: Callable[[str], Inbox]
) -> None:
    stream, away, ana = open_stream("one"), named("islands"), named("ana")
    among = [SPACE.ref, away.ref]
    appeal = CommandGiven(
        command="appeal",
        member=ana,
        rank=Rank.MEMBER,
        channel=named("direct"),
        at=MONDAY,
        invocation=Ref("import", "direct/1"),
    )

    async def entered() -> list[Ref]:
        async with database.read() as connection:
            return await spaces.entered(connection, ana.ref, among)

    await stream.put(Arrival(space=SPACE, event=said("hello")))
    await stream.put(Arrival(space=away, event=said("hello", where="beach")))
    assert await entered() == [away.ref, SPACE.ref]
    await stream.put(Arrival(space=SPACE, event=MemberLeft(member=ana, at=MONDAY)))
    await stream.put(Arrival(space=SPACE, event=appeal))
    assert await entered() == [away.ref], "who was sent out appeals from outside"
    await stream.put(Arrival(space=SPACE, event=MemberJoined(member=ana, at=MONDAY)))
    assert await entered() == [SPACE.ref, away.ref]
