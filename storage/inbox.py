"""The SQL inbox: the event stream in our own tables, on disk before a platform is told that something arrived.

What this process puts is leased to it in the same statement and handed over in memory, so that the usual path has one
commit. Everything else (left by a crash, put by another process, or too much for the memory) is claimed from the table.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import aliased
from sqlmodel import col

from bot.core.codec import load, storable
from bot.core.errors import Unavailable
from bot.core.events import Arrival, MessageEdited, MessagePosted, actor, key, lane
from bot.core.ports import Delivery
from storage.coalescing import Coalescer
from storage.rows import columns, insert_new, portions
from storage.tables import InboxRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy import Row as SqlRow

    from bot.core.clock import Clock
    from bot.core.ports import Followed
    from bot.core.things import Ref
    from storage.connection import Connection
    from storage.db import Database
    from storage.following import Followings

log = logging.getLogger(__name__)

Row = dict[str, object]

LEASE = timedelta(seconds=60)
"""How long a dead process keeps what it had leased; a living one renews."""
LOOK = timedelta(seconds=1)
"""Time between looks into the table for what other processes put or left."""
CLAIMING = 0x4B494E
"""The lock under which one process claims at a time; SQLite has but one writer anyway."""
LINGER = 0.03
"""Seconds in which what was handled is gathered, so that many events are noted as done at once."""
HELD = 4096
"""Arrivals kept in memory at most; beyond, they wait in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """An arrival about to be stored: its row, and whether it is handed over in memory."""

    row: Row
    arrival: Arrival
    ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The number of an arrival, and what held for it if what happened is in the tables too."""

    number: int
    followed: Followed | None


class Inbox:
    """`Stream` over the tables. `holder` names this process.

    With `followings`, what happened is stored in the tables in the very transaction in which it arrives.
    """

    def __init__(self, database: Database, *, clock: Clock, holder: str, followings: Followings | None = None) -> None:
        self._database = database
        self._clock = clock
        self._holder = holder
        self._fresh: list[Delivery] = []
        self._held: set[int] = set()
        self._came = asyncio.Event()
        self._behind = True
        self._on_the_way = 0
        self._landed = asyncio.Event()
        self._landed.set()
        self._looked_at = clock.now() - LOOK
        self._up_to = 0
        self._followings = followings
        self._puts: Coalescer[Put, Stored | None] = Coalescer(database, self._insert, alone=self._insert_alone)
        self._dones: Coalescer[Delivery, None] = Coalescer(database, self._finish, durable=False, linger=LINGER)

    async def put(self, arrival: Arrival) -> bool:
        """Store an arrival; it is on disk when this returns. False when it was there already. Raises Unavailable."""
        # Whoever is cut off while it is written has put it all the same: it must be handed over as well.
        return await asyncio.shield(self._put(arrival))

    async def _put(self, arrival: Arrival) -> bool:
        ours = not self._behind and len(self._fresh) < HELD
        now = self._clock.now()
        arrival, text = storable(Arrival, arrival)
        put = Put(row=self._row(arrival, text, now, ours=ours), arrival=arrival, ours=ours)
        if ours:
            stored = await self._puts.write(put)
        else:
            async with self._by_table():
                stored = await self._puts.write(put)
        if stored and ours:
            delivery = Delivery(id=stored.number, arrival=arrival, received_at=now, followed=stored.followed)
            self._fresh.append(delivery)
            self._held.add(delivery.id)
        self._came.set()
        return stored is not None

    async def _insert(self, connection: Connection, puts: Sequence[Put]) -> Sequence[Stored | None]:
        """Insert what is new, and follow what is handed over in memory; None for what was there already."""
        numbers = await self._numbers(connection, puts)
        return _stored(numbers, await self._follow(connection, self._fresh_ones(puts, numbers)))

    async def _insert_alone(self, connection: Connection, put: Put) -> Stored | None:
        """Insert one that could not be followed with others, and let it be followed later if it cannot be at all."""
        numbers = await self._numbers(connection, [put])
        try:
            async with connection.begin_nested():
                followed = await self._follow(connection, self._fresh_ones([put], numbers))
        except Exception as error:
            if isinstance(error, OperationalError):
                raise
            log.warning("an arrival is followed later: %s", type(error).__name__)
            followed = {}
        return _stored(numbers, followed)[0]

    async def _numbers(self, connection: Connection, puts: Sequence[Put]) -> list[int | None]:
        rows = await insert_new(connection, InboxRow, [put.row for put in puts], "id", "space", "key")
        made = {(row.space, row.key): int(row.id) for row in rows}
        return [made.pop((put.row["space"], put.row["key"]), None) for put in puts]

    def _fresh_ones(self, puts: Sequence[Put], numbers: Sequence[int | None]) -> dict[int, Arrival]:
        pairs = zip(puts, numbers, strict=True)
        return {number: put.arrival for put, number in pairs if put.ours and number is not None}

    async def _follow(self, connection: Connection, arrivals: Mapping[int, Arrival]) -> dict[int, Followed]:
        """Store what happened, if this process does; what is read up later may be gone by then."""
        if self._followings is None or not arrivals:
            return {}
        came = list(arrivals.values())
        store = self._followings.store if all(one.live for one in came) else self._followings.store_late
        return dict(zip(arrivals, await store(connection, came), strict=True))

    @contextlib.asynccontextmanager
    async def _by_table(self) -> AsyncIterator[None]:
        """Something goes to the table for a claim to find it: until it was found, nothing may overtake it in memory."""
        self._behind = True
        self._on_the_way += 1
        self._landed.clear()
        try:
            yield
        finally:
            self._on_the_way -= 1
            if not self._on_the_way:
                self._landed.set()

    def _row(self, arrival: Arrival, text: str, now: datetime, *, ours: bool) -> Row:
        event = arrival.event
        who = actor(event)
        return {
            "space": str(arrival.space.ref),
            "key": key(event),
            "lane": lane(event),
            "actor": str(who.ref) if who else "",
            "event": text,
            "received_at": now,
            "holder": self._holder if ours else "",
            "leased_until": now + LEASE if ours else None,
            "attempts": int(ours),
        }

    async def claim(self, limit: int) -> list[Delivery]:
        """Wait until something is there and lease up to `limit` of it, oldest first."""
        while True:
            self._came.clear()
            if self._behind or self._clock.now() >= self._looked_at + LOOK:
                await self._look(limit)
            if self._fresh:
                return self._from_memory(limit)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK.total_seconds()):
                    await self._came.wait()

    def _from_memory(self, limit: int) -> list[Delivery]:
        """Take the oldest; while the table may hold more, nothing that came after its last portion."""
        limit = min(limit, sum(one.id <= self._up_to for one in self._fresh)) if self._up_to else limit
        taken, self._fresh = self._fresh[:limit], self._fresh[limit:]
        return taken

    async def _look(self, limit: int) -> None:
        """Claim what waits in the table; once nothing does, new arrivals may go by memory again."""
        full = await self._take_from_table(limit)
        if self._behind and not full:
            self._behind = False
            # What is on its way to the table is older than what goes by memory from now on, and must not be overtaken.
            await self._landed.wait()
            full = await self._take_from_table(limit)
        self._behind = self._behind or full
        self._looked_at = self._clock.now() - (LOOK if full else timedelta(0))

    async def _take_from_table(self, limit: int) -> bool:
        """Claim a portion and put it among what is held, in order; says whether there may be more."""
        async with self._database.read() as connection:
            waits = (await connection.execute(select(exists().where(*self._free())))).scalar_one()
        claim = functools.partial(self._claim, limit=limit)
        claimed = await self._database.write(claim, durable=False) if waits else []
        self._held.update(row.id for row in claimed)
        found = [delivery for row in claimed if (delivery := _delivery(row))]
        full = len(found) == limit
        self._fresh = sorted([*found, *self._fresh], key=lambda delivery: delivery.id)
        self._up_to = found[-1].id if full else 0
        return full

    async def _claim(self, connection: Connection, limit: int) -> list[SqlRow[*tuple[object, ...]]]:
        now = self._clock.now()
        if connection.dialect.name == "postgresql":
            # What another process has claimed and not committed still looks free, and so would the rest of its lanes.
            await connection.execute(select(func.pg_advisory_xact_lock(CLAIMING)))
        oldest = select(col(InboxRow.id)).where(*self._free()).order_by(col(InboxRow.id)).limit(limit)
        claimed = (
            update(InboxRow)
            .where(col(InboxRow.id).in_(oldest.with_for_update(skip_locked=True)))
            .values(holder=self._holder, leased_until=now + LEASE, attempts=InboxRow.attempts + 1)
            .returning(*columns(InboxRow, "id", "event", "received_at", "attempts"))
        )
        return sorted(await connection.execute(claimed), key=lambda row: row.id)

    def _free(self) -> list[ColumnElement[bool]]:
        """Return what may be claimed: not done, leased to nobody, and nothing before it in its lane with another."""
        now = self._clock.now()
        earlier = aliased(InboxRow)
        elsewhere = exists().where(
            col(earlier.space) == col(InboxRow.space),
            col(earlier.lane) == col(InboxRow.lane),
            col(earlier.id) < col(InboxRow.id),
            col(earlier.done_at).is_(None),
            col(earlier.leased_until) >= now,
            col(earlier.holder) != self._holder,
        )
        return [
            col(InboxRow.done_at).is_(None),
            or_(col(InboxRow.leased_until).is_(None), col(InboxRow.leased_until) < now),
            ~elsewhere,
        ]

    async def done(self, delivery: Delivery) -> None:
        """Say that this was handled; it never comes again.

        Nothing is kept here of a message's words, nor of what somebody does of whom nothing may be held.
        """
        await self._dones.write(delivery)
        self._held.discard(delivery.id)

    async def _finish(self, connection: Connection, deliveries: Sequence[Delivery]) -> Sequence[None]:
        done: dict[str, object] = {"done_at": self._clock.now(), "leased_until": None}
        said = [one.id for one in deliveries if isinstance(one.arrival.event, MessagePosted | MessageEdited)]
        rest = [one.id for one in deliveries if not isinstance(one.arrival.event, MessagePosted | MessageEdited)]
        for numbers, values in ((said, {**done, "event": ""}), (rest, done)):
            for some in portions(numbers):
                await connection.execute(update(InboxRow).where(col(InboxRow.id).in_(some)).values(values))
        strangers = {one.id for one in deliveries if _is_a_stranger_s(one)}
        # The key of a message tells nothing of who wrote it; that of anything else may name who did it.
        for some in portions(sorted(strangers.intersection(said))):
            await connection.execute(update(InboxRow).where(col(InboxRow.id).in_(some)).values(actor=""))
        for some in portions(sorted(strangers.intersection(rest))):
            await connection.execute(delete(InboxRow).where(col(InboxRow.id).in_(some)))
        return [None] * len(deliveries)

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give these back, so that they come again, here or elsewhere."""
        numbers = [delivery.id for delivery in deliveries]
        try:
            async with self._by_table():
                await self._database.write(functools.partial(_release, numbers=numbers))
            self._held.difference_update(numbers)
        except Unavailable:
            # They are ours by their leases as long as we live, so that nobody else would ever take them.
            self._fresh = sorted([*deliveries, *self._fresh], key=lambda delivery: delivery.id)
        self._came.set()

    async def begin(self, *, alone: bool) -> None:
        """Start after a stop or a crash; who is alone need not wait for the leases of the dead."""
        if alone:
            await self._database.write(_free_all)

    async def renew_leases(self) -> None:
        """Renew the leases of what this process has in hand until cancelled.

        What is leased to it and not in hand was lost on its way here, when the database did not answer: it comes again.
        """
        pause = LEASE.total_seconds() / 3
        while True:
            await self._clock.sleep(pause)
            pause = LEASE.total_seconds() / 3
            try:
                await self._database.write(self._renew, durable=False)
            except Unavailable as error:
                log.warning("leases are renewed a second later: %s", error)
                pause = 1.0

    async def _renew(self, connection: Connection) -> None:
        for some in portions(sorted(self._held)):
            await connection.execute(
                update(InboxRow)
                .where(col(InboxRow.id).in_(some), col(InboxRow.holder) == self._holder)
                .where(col(InboxRow.done_at).is_(None), col(InboxRow.leased_until).is_not(None))
                .values(leased_until=self._clock.now() + LEASE)
            )


def _stored(numbers: Sequence[int | None], followed: Mapping[int, Followed]) -> list[Stored | None]:
    return [None if one is None else Stored(number=one, followed=followed.get(one)) for one in numbers]


def _is_a_stranger_s(delivery: Delivery) -> bool:
    """Say whether it was done by somebody of whom nothing may be held, as after they had themselves forgotten."""
    who = actor(delivery.arrival.event)
    return who is not None and not who.bot and delivery.followed is not None and delivery.followed.member is None


def _delivery(row: SqlRow[*tuple[object, ...]]) -> Delivery | None:
    """Return a row as a delivery; one that cannot be read stays ours and unhandled until the next start."""
    try:
        arrival = load(Arrival, row.event)
    except ValueError:
        # Its words may be a member's.
        log.error("event %d cannot be read; a newer Kinfolk may have written it", row.id)
        return None
    return Delivery(id=row.id, arrival=arrival, received_at=row.received_at, attempts=row.attempts - 1)


async def _release(connection: Connection, numbers: Sequence[int]) -> None:
    for some in portions(numbers):
        await connection.execute(
            update(InboxRow).where(col(InboxRow.id).in_(some)).values(leased_until=None, holder="")
        )


async def _free_all(connection: Connection) -> None:
    await connection.execute(
        update(InboxRow).where(col(InboxRow.done_at).is_(None)).values(leased_until=None, holder="")
    )


async def waiting(connection: Connection) -> int:
    """Count what was not handled yet."""
    left: int = await connection.scalar(select(func.count()).where(col(InboxRow.done_at).is_(None)))
    return left


async def is_handled(connection: Connection, arrival: Arrival) -> bool:
    """Say whether an arrival was handled, by whichever process."""
    found = await connection.execute(
        select(col(InboxRow.done_at)).where(
            col(InboxRow.space) == str(arrival.space.ref), col(InboxRow.key) == key(arrival.event)
        )
    )
    row = found.first()
    return row is not None and row[0] is not None


async def since(connection: Connection, spaces: Sequence[str], moment: datetime) -> list[Arrival]:
    """Return what arrived since a moment and was kept, oldest first: everything but messages."""
    rows = await connection.scalars(
        select(col(InboxRow.event))
        .where(col(InboxRow.space).in_(spaces), col(InboxRow.received_at) >= moment, col(InboxRow.event) != "")
        .order_by(col(InboxRow.id))
    )
    return [load(Arrival, event) for event in rows]


async def waits(connection: Connection, space: Ref, *, lane: str) -> bool:
    """Say whether something of a lane of a space was not handled yet."""
    left = select(col(InboxRow.id)).where(
        col(InboxRow.done_at).is_(None), col(InboxRow.space) == str(space), col(InboxRow.lane) == lane
    )
    return await connection.scalar(left.limit(1)) is not None
