"""A platform of our own for tests, and a small bot that lives on it: real tables, real policy, real hands."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.actions import Action, Say, Spoken
from bot.core.clock import Clock
from bot.core.counts import Counts
from bot.core.decisions import Mode, Receipt, Trace
from bot.core.errors import Gone
from bot.core.events import Arrival, ButtonPressed, CommandGiven, Event, MemberJoined, MessagePosted, Named
from bot.core.policies import MODE
from bot.core.ports import Delivery, Followed, Limits
from bot.core.things import Community, Rank, Ref
from bot.keeping import Keeper
from bot.metrics import Figures
from bot.perform import Performer
from bot.pipeline import Pipeline
from brains.skills.skill import Faculties, Skill
from storage import acts, communities, policies, refusals, spaces, traces
from storage.acts import Act
from storage.db import Database
from storage.following import Following
from storage.refusals import Refusals
from tests.clocks import HastyClock
from tests.hashing import HashingEncoder
from tests.tables import open_database

PLATFORM = "plaza"
SPACE = Named(ref=Ref(PLATFORM, "s"), name="Plaza")
GENERAL = Named(ref=Ref(PLATFORM, "general"), name="general")
STAFF = Named(ref=Ref(PLATFORM, "staff"), name="staff")
ANA = Named(ref=Ref(PLATFORM, "ana"), name="Ana")
WEI = Named(ref=Ref(PLATFORM, "wei"), name="李伟", language="zh-CN")
EVERYTHING = frozenset(kind.__name__ for kind in Action.__args__) | {"only", "buttons", "files"}


class Plaza:
    """A platform that keeps what was done there, in order.

    `script` holds what comes of the next acts, an error or a receipt; after it, everything succeeds. `watch` is
    called with each action before it is done.
    """

    platform = PLATFORM
    limits = Limits(chat=((1000, 1.0),), overall=(1000, 1.0))

    def __init__(self, *, can: frozenset[str] = EVERYTHING) -> None:
        self.can = can
        self.done: list[Action] = []
        self.script: deque[Receipt | Exception | None] = deque()
        self.watch: Callable[[Action], Awaitable[None]] | None = None
        self._numbers = itertools.count(1)

    async def run(self, put: object, commands: object) -> None:
        await asyncio.Event().wait()

    async def act(self, action: Action) -> Receipt:
        if self.watch:
            await self.watch(action)
        match self.script.popleft() if self.script else None:
            case Exception() as error:
                raise error
            case Receipt() as receipt:
                return receipt
        self.done.append(action)
        made = Ref(PLATFORM, f"b{next(self._numbers)}") if isinstance(action, Spoken) else None
        return Receipt(state="done", made=made)

    @property
    def said(self) -> list[str]:
        return [action.text for action in self.done if isinstance(action, Say)]


@dataclass(kw_only=True)
class SmallBot:
    """A bot with the skills of a test. `happens` stores an event and handles it."""

    database: Database
    community: Community
    plaza: Plaza
    performer: Performer
    pipeline: Pipeline
    clock: Clock
    refusals: Refusals
    told: list[Trace] = field(default_factory=list)
    _numbers: Callable[[], int] = field(default_factory=lambda: functools.partial(next, itertools.count(1)))

    async def happens(self, event: Event, *, live: bool = True, attempts: int = 0) -> Trace | None:
        """Let something happen; returns the trace if something was decided about it."""
        [followed] = await self.follow(event)
        before = len(self.told)
        number = self._numbers()
        arrival = Arrival(space=SPACE, event=event, live=live)
        delivery = Delivery(
            id=number, arrival=arrival, received_at=self.clock.now(), attempts=attempts, followed=followed
        )
        nothing = asyncio.get_running_loop().create_future()
        nothing.set_result(None)
        await self.pipeline.handle(delivery, nothing)
        return self.told[-1] if len(self.told) > before else None

    async def follow(self, *events: Event) -> list[Followed]:
        following = Following(self.community, self.clock.now(), self.refusals)

        async def work(connection) -> list[Followed]:
            await following.begin(connection)
            return await following.follow(connection, events)

        return await self.database.write(work)

    async def tune(self, name: str, value: str, channel: str = "") -> None:
        put = functools.partial(policies.put, community=self.community, name=name, value=value, channel=channel)
        await self.database.write(put)

    async def mode(self, skill: str, mode: Mode) -> None:
        await self.tune(MODE + skill, mode)

    async def acts(self, trace: Trace | str) -> list[Act]:
        async with self.database.read() as connection:
            return await acts.of_trace(connection, getattr(trace, "id", trace))

    async def trace_of(self, event_key: str) -> Trace | None:
        async with self.database.read() as connection:
            return await traces.of_event(connection, self.community, event_key)

    async def story_of(self, event_key: str) -> Trace:
        """Return a trace as it is told: with what came of it."""
        async with self.database.read() as connection:
            found = await traces.of_event(connection, self.community, event_key)
            assert found is not None
            [story] = await acts.told(connection, [found])
        return story

    def command(self, line: str = "do", *, by: Named = ANA, rank: Rank = Rank.MEMBER, **given: str) -> CommandGiven:
        return CommandGiven(
            command=line,
            arguments=given,
            member=by,
            rank=rank,
            channel=GENERAL,
            at=self.clock.now(),
            invocation=Ref(PLATFORM, f"i{self._numbers()}"),
        )

    def press(self, token: str, *, by: Named = ANA, rank: Rank = Rank.MEMBER) -> ButtonPressed:
        return ButtonPressed(
            button=token,
            message=Ref(PLATFORM, "b1"),
            member=by,
            rank=rank,
            channel=GENERAL,
            at=self.clock.now(),
            invocation=Ref(PLATFORM, f"i{self._numbers()}"),
        )

    def posted(self, text: str, *, by: Named = ANA, **more) -> MessagePosted:
        message = Ref(PLATFORM, f"m{self._numbers()}")
        at = self.clock.now()
        return MessagePosted(
            message=message, channel=GENERAL, author=by, text=text, at=at, **{"source": PLATFORM, **more}
        )

    def joined(self, by: Named = ANA) -> MemberJoined:
        return MemberJoined(member=by, at=self.clock.now())


async def _away(*_: object) -> None:
    raise Gone("The worker went away; its log is /var/somewhere/worker.log.")


@contextlib.asynccontextmanager
async def small_bot(
    home: Path,
    *,
    skills: Sequence[Skill] = (),
    plaza: Plaza | None = None,
    opened: Callable[[Path], contextlib.AbstractAsyncContextManager[Database]] = open_database,
    **faculties: object,
) -> AsyncIterator[SmallBot]:
    """Open a bot on SQLite whose time flies, which may also speak unasked.

    It has no worker, so that whoever wants to think finds it away, but for the `faculties` that a test gives it.
    """
    plaza, clock = plaza or Plaza(), HastyClock()
    async with opened(home) as database:
        refused = await refusals.load(home)
        community = await database.write(lambda c: communities.find_or_make(c, "plaza", clock.now()))
        await database.write(lambda c: spaces.belong(c, SPACE, community))
        await database.write(lambda c: policies.put(c, community, name="speak", value="helpful"))
        performer = Performer(
            database=database,
            adapters={PLATFORM: plaza},
            keeper=Keeper(database=database, clock=clock, erase=_away, refusals=refused),
            clock=clock,
            figures=Figures(Counts(clock)),
        )
        told: list[Trace] = []
        pipeline = Pipeline(
            database=database,
            performer=performer,
            skills=skills,
            faculties=Faculties(
                database=database, **{"encoder": _hashing, "vectors": _away, "matchmaker": _away, **faculties}
            ),
            clock=clock,
            language="en",
            watchers=[told.append],
        )
        yield SmallBot(
            database=database,
            community=community,
            plaza=plaza,
            performer=performer,
            pipeline=pipeline,
            clock=clock,
            refusals=refused,
            told=told,
        )


async def _hashing() -> HashingEncoder:
    return HashingEncoder()
