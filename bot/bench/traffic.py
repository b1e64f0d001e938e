"""The bot's own parts over a platform that only takes, timed message by message."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import time
import zlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bot.ahead import Ahead
from bot.core.actions import React
from bot.core.decisions import Decision, Receipt
from bot.core.errors import Mistake, Unavailable
from bot.core.events import Arrival, File, MessagePosted, Named
from bot.core.ports import Limits
from bot.core.things import Audience, Ref
from bot.indexing import Index
from bot.lanes import Lanes
from bot.pipeline import Pipeline
from brains.skills.skill import Skill
from storage import refusals
from storage.encodings import CachedEncoder
from storage.following import Followings
from storage.inbox import Inbox
from storage.vectors import open_vectors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.app import App
    from bot.core.actions import Action
    from bot.core.clock import Clock
    from bot.core.commands import Command
    from bot.core.decisions import Trace
    from bot.core.ports import Adapter, Encoder, Kind, Vector
    from bot.policy import Facts
    from brains.skills.skill import Context
    from storage.acts import Pressable

PLATFORM = "bench"
SPACE = Named(ref=Ref(PLATFORM, "space"), name="bench")
CHANNELS = 20
PATIENCE = 120.0
"""Seconds to wait for the last verdict, after which a measurement has failed."""


class Everywhere:
    """A platform that can do all and keeps what was done there; nothing happens on it by itself."""

    platform = PLATFORM
    can = frozenset({"Say", "React", "Delete", "only", "buttons"})
    limits = Limits(chat=((1000, 1.0),), overall=(10_000, 1.0))

    def __init__(self) -> None:
        self.done: list[Action] = []

    async def run(self, put: Callable[[Arrival], Awaitable[bool]], commands: Sequence[Command]) -> None:
        """Hand over nothing: the measurement does."""

    async def act(self, action: Action) -> Receipt:
        """Keep what was to be done."""
        self.done.append(action)
        return Receipt(state="done")

    async def fetch(self, file: File, *, limit: int) -> bytes:
        """Raise Mistake: nobody sends files here."""
        raise Mistake("There are no files here.")


class InstantEncoder:
    """A bag of hashed words, for measuring everything but an encoder."""

    fingerprint = "bench-words"
    size = 384

    async def encode(self, texts: Sequence[str], *, kind: Kind = "passage") -> Vector:
        """Encode texts, in order."""
        rows = np.full((len(texts), self.size), 0.01, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text):
                row[zlib.crc32(word.encode()) % self.size] += 1
        lengths: Vector = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / lengths


SELDOM = 10
"""One message in so many gets a proposal: most of what people say is nobody's business."""


async def _propose(context: Context) -> Decision | None:
    """Look at every message's vector and seldom propose something, declined since a new skill only watches."""
    event = context.event
    if not isinstance(event, MessagePosted) or (vector := await context.vector()) is None:
        return None
    if zlib.crc32(event.message.id.encode()) % SELDOM:
        return None
    react = React(message=event.message, channel=event.channel.ref, emoji="eyes")
    return Decision(skill=PROBE.name, actions=(react,), reason="seen", confidence=float(abs(vector[0])))


PROBE = Skill(name="probe", purpose="Looks at every message", propose=_propose, hears=(MessagePosted,))


@dataclass(slots=True)
class Times:
    """Seconds on one clock, by message: put, handed to the encoder, its vector there, its verdict reached."""

    put: dict[str, float] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    came: dict[str, float] = field(default_factory=dict)
    ruled: dict[str, float] = field(default_factory=dict)
    order: dict[str, list[int]] = field(default_factory=dict)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    expected: int = 0

    def rule(self, trace: Trace) -> None:
        """Note that a verdict is reached."""
        if trace.kind != MessagePosted.__name__:
            return
        name = trace.event.rpartition(":")[2]
        self.ruled[name] = time.perf_counter()
        channel, _, number = name.partition("/")
        self.order.setdefault(channel, []).append(int(number))
        if len(self.ruled) >= self.expected:
            self.finished.set()

    def own(self, name: str) -> float:
        """Return what the pipeline itself took for a message: put to verdict, without its vector's time on the way."""
        return (self.ruled[name] - self.put[name]) - (self.came[name] - self.asked[name])

    def out_of_order(self) -> int:
        """Count verdicts that came before that on an earlier message of the same channel."""
        return sum(later < earlier for order in self.order.values() for earlier, later in itertools.pairwise(order))


class TimedAhead(Ahead):
    """Encodes ahead, and notes when each text was handed in and when its vector came. Texts begin with their names."""

    def __init__(self, encoder: Callable[[], Awaitable[Encoder]], times: Times) -> None:
        super().__init__(encoder)
        self._times = times

    def ask(self, text: str) -> asyncio.Future[Vector | None]:
        """Hand in a text."""
        name = text.partition(" ")[0]
        answer = super().ask(text)
        self._times.asked[name] = time.perf_counter()
        answer.add_done_callback(lambda _: self._times.came.setdefault(name, time.perf_counter()))
        return answer


class TimedPipeline(Pipeline):
    """The pipeline, which notes when it has reached a verdict."""

    times: ClassVar[Times]

    async def _decide(
        self, context: Context, trace_id: str, *, live: bool
    ) -> tuple[Trace, Pressable | None, Facts | None]:
        decided = await super()._decide(context, trace_id, live=live)
        self.times.rule(decided[0])
        return decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """A pipeline that runs, and the times of what goes through it."""

    inbox: Inbox
    encoder: Encoder
    clock: Clock
    times: Times
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def arrivals(self, texts: Sequence[str]) -> list[Arrival]:
        """Make messages of texts, one channel after the other, each with a name of its own in front."""
        return [_arrival(next(self.numbers), text, self.clock.now()) for text in texts]

    async def put(self, arrival: Arrival) -> None:
        """Hand over one message, as an adapter does."""
        self.times.put[_name(arrival)] = time.perf_counter()
        await self.inbox.put(arrival)

    async def paced(self, texts: Sequence[str], pace: float) -> list[float]:
        """Put messages at a pace and return what each took by itself, in seconds."""
        arrivals, began = self.arrivals(texts), time.perf_counter()
        self.expect(len(texts))
        async with asyncio.TaskGroup() as group:
            for number, arrival in enumerate(arrivals):
                await asyncio.sleep(max(0.0, began + number / pace - time.perf_counter()))
                group.create_task(self.put(arrival))
        await self.finish()
        return [self.times.own(_name(arrival)) for arrival in arrivals]

    async def unpaced(self, texts: Sequence[str]) -> float:
        """Put messages as fast as they are taken and return the seconds until the last verdict."""
        arrivals, began = self.arrivals(texts), time.perf_counter()
        self.expect(len(texts))
        await asyncio.gather(*(self._in_turn(arrivals[place::CHANNELS]) for place in range(CHANNELS)))
        await self.finish()
        return time.perf_counter() - began

    async def alone(self, texts: Sequence[str]) -> float:
        """Encode texts all at once and return the seconds."""
        began = time.perf_counter()
        await self.encoder.encode(texts)
        return time.perf_counter() - began

    async def _in_turn(self, arrivals: Sequence[Arrival]) -> None:
        for arrival in arrivals:
            await self.put(arrival)

    async def finish(self) -> None:
        """Wait for the last verdict. Raises Unavailable when it does not come."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self.times.finished.wait()
        except TimeoutError:
            missing = self.times.expected - len(self.times.ruled)
            raise Unavailable(
                f"{missing} of {self.times.expected} messages had no verdict. Is there an encoder?"
            ) from None

    def expect(self, count: int) -> None:
        """Say how many verdicts more are to come."""
        self.times.finished.clear()
        self.times.expected = len(self.times.ruled) + count


@contextlib.asynccontextmanager
async def running(app: App, encoder: Encoder, adapter: Adapter | None = None) -> AsyncIterator[Traffic]:
    """Run the bot's own parts over an encoder, behind the cache that it always has, and a platform if one is given."""
    times, cached = Times(), CachedEncoder(encoder, app.database)

    async def given() -> CachedEncoder:
        return cached

    bare = await app.pipeline([adapter or Everywhere()])
    TimedPipeline.times = times
    pipeline = TimedPipeline(
        database=bare.database,
        performer=bare.performer,
        skills=(*bare.skills, PROBE),
        faculties=bare.faculties,
        clock=bare.clock,
        language=bare.language,
    )
    followings = Followings(app.clock, await refusals.load(app.settings.home))
    inbox = Inbox(app.database, clock=app.clock, holder="bench", followings=followings)
    ahead = TimedAhead(given, times)
    lanes = Lanes(
        database=app.database,
        stream=inbox,
        pipeline=pipeline,
        ahead=ahead,
        clock=app.clock,
        followings=followings,
    )
    vectors = open_vectors(app.settings, fingerprint=encoder.fingerprint, size=encoder.size)
    index = Index(database=app.database, encoder=cached, vectors=vectors)
    await inbox.begin(alone=True)
    parts = (inbox.renew_leases, ahead.run, lanes.run, partial(index.follow, app.clock))
    tasks = [asyncio.create_task(part()) for part in parts]
    if adapter is not None:
        tasks.append(asyncio.create_task(adapter.run(inbox.put, ())))
    try:
        yield Traffic(inbox=inbox, encoder=encoder, clock=app.clock, times=times)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await vectors.close()


def _name(arrival: Arrival) -> str:
    assert isinstance(arrival.event, MessagePosted)  # noqa: S101 - made below
    return arrival.event.message.id


def _arrival(number: int, text: str, at: datetime) -> Arrival:
    room = Ref(PLATFORM, f"room-{number % CHANNELS}")
    name = f"{room.id}/{number}"
    author = Named(ref=Ref(PLATFORM, f"member-{number % 97}"), name=f"member {number % 97}")
    message = MessagePosted(
        message=Ref(PLATFORM, name),
        channel=Named(ref=room, name=room.id, audience=Audience.EVERYONE),
        author=author,
        text=f"{name} {text}",
        at=at,
        source=PLATFORM,
    )
    return Arrival(space=SPACE, event=message)
