"""The bot of many random histories, wired as it is and, to show that leaks are found, wired wrongly in one place each.

Everything is real but the platform, the encoder and the engine of vectors, which is worse than any: it never forgets a
point and heeds no scope.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from bot.attending import Attending
from bot.core.actions import Edit
from bot.core.decisions import Mode, Receipt
from bot.core.events import Arrival
from bot.core.ports import Hit, Scope
from bot.core.things import Ref
from brains.knowledge.answer import Answer, Claim
from brains.knowledge.retrieval import Retrieval
from brains.skills import answer, search, staff, standing
from storage import channels, members
from storage.channels import Reach
from tests.at_once import open_at_once
from tests.recording import PLATFORM, Plaza, SmallBot, small_bot

MEMORY = "/dev/shm" if Path("/dev/shm").exists() else None
"""Where files need no disk, on machines that have such a place."""
STAFF_ROOM = "den"
MOST_LOOKS = 4
"""Looks after which nothing may be due any more."""
POINTS = text(
    "SELECT point, channel_id, 0 AS note FROM message UNION ALL SELECT point, channel_id, 1 AS note FROM note"
)


class Engine:
    """Finds every point that ever was, whatever the scope."""

    def __init__(self) -> None:
        self.points: dict[UUID, Hit] = {}

    async def search(self, scope: Scope, *, vector=None, text=None, limit: int = 10) -> list[Hit]:
        return [hit for hit in self.points.values() if scope.notes or not hit.note]


@dataclass(kw_only=True)
class Answerer:
    """Answers by the words of the best conversations, or names what is near where it is told to abstain."""

    bot: Bot
    abstains: bool = False

    async def answer(self, community, question: str, *, reach: Reach, language: str, before=(), **_more) -> Answer:
        retrieval = await self.bot.retrieval()
        found = await retrieval.find(question, reach=await self.bot.reach(reach), limit=5)
        claims = () if self.abstains else tuple(Claim(text=one.best.text, passages=(one.best,)) for one in found)
        return Answer(question=question, claims=claims, nearest=found, confidence=0.9)


class Recorded(Plaza):
    """A platform that also remembers what each deed made. Where it `edits` nothing, it says that it did."""

    def __init__(self) -> None:
        super().__init__()
        self.deeds: list[tuple[Ref | None, object]] = []
        self.edits = True

    async def act(self, action) -> Receipt:
        receipt = await super().act(action)
        if self.edits or not isinstance(action, Edit):
            self.deeds.append((receipt.made, action))
        return receipt


@dataclass(kw_only=True)
class Bot:
    """The bot of one run of histories. What is wired wrongly in a subclass is a leak that was planted."""

    small: SmallBot
    engine: Engine
    answerer: Answerer = field(init=False)
    asker: str = ""

    def __post_init__(self) -> None:
        self.answerer = Answerer(bot=self)

    def begin(self) -> None:
        """Forget what came of another history."""
        self.engine.points.clear()
        self.small.plaza.deeds.clear()
        self.small.told.clear()

    async def retrieval(self) -> Retrieval:
        encoder = await self.small.pipeline.faculties.encoder()
        return Retrieval(database=self.small.database, vectors=self.engine, encoder=encoder)

    async def reach(self, reach: Reach) -> Reach:
        return reach

    def resting(self, sources: Collection[Ref]) -> Collection[Ref]:
        """Return what an entry is kept to rest on."""
        return sources

    async def index(self) -> None:
        """Tell the engine of all that is there; it goes on finding it for ever."""
        async with self.small.database.read() as connection:
            for row in await connection.execute(POINTS):
                point, at = UUID(row.point), self.small.clock.now()
                known = Hit(id=point, score=0.9, channel=row.channel_id, author=0, at=at, note=bool(row.note))
                self.engine.points[point] = known

    async def attend(self) -> None:
        """Look after what was answered until nothing is due."""
        for _each in range(MOST_LOOKS):
            found: list[Arrival] = []

            async def put(arrival: Arrival, found: list[Arrival] = found) -> bool:
                found.append(arrival)
                return True

            self.small.clock.pass_by(1)
            await Attending(database=self.small.database, clock=self.small.clock, put=put).look()
            for one in found:
                await self.small.happens(one.event)
            if not found:
                return


class NoFilter(Bot):
    """Reads everything of the community, whoever asks."""

    async def reach(self, reach: Reach) -> Reach:
        community = self.small.community
        every = await self.small.database.look(functools.partial(channels.every, community=community))
        scope = replace(reach.scope, channels=None)
        return Reach(scope=scope, channels=every)


class NoConsent(Bot):
    """Uses the words of who wants none used."""

    async def reach(self, reach: Reach) -> Reach:
        return replace(reach, scope=replace(reach.scope, not_authors=frozenset()))


class AskerAlone(Bot):
    """Says aloud what the asker may read, whoever reads along."""

    async def reach(self, reach: Reach) -> Reach:
        community = self.small.community
        async with self.small.database.read() as connection:
            reader = await members.by_ref(connection, community, Ref(PLATFORM, self.asker))
            return await channels.reach(connection, community, reader, alone=True)


class Cached(Bot):
    """Keeps what it found once."""

    kept: Keeping | None = None

    def begin(self) -> None:
        super().begin()
        self.kept = None

    async def retrieval(self) -> Retrieval:
        if self.kept is None:
            self.kept = Keeping(inner=await super().retrieval())
        return self.kept  # type: ignore[return-value]


@dataclass(kw_only=True)
class Keeping:
    """A cache that nothing invalidates."""

    inner: Retrieval
    found: list | None = None

    async def find(self, question: str, *, reach: Reach, limit: int) -> list:
        self.found = self.found or await self.inner.find(question, reach=reach, limit=limit)
        return self.found


class Unattended(Bot):
    """Never looks after what it said."""

    async def attend(self) -> None:
        return


class RestingOnNothing(Bot):
    """Keeps entries without the messages that they rest on."""

    def resting(self, sources: Collection[Ref]) -> Collection[Ref]:
        return ()


class Unedited(Bot):
    """Says that it took an answer back and leaves it standing."""

    def begin(self) -> None:
        super().begin()
        self.small.plaza.edits = False


PLANTED = (NoFilter, NoConsent, AskerAlone, Cached, Unattended, RestingOnNothing, Unedited)


@contextlib.asynccontextmanager
async def living(kind: type[Bot]) -> AsyncIterator[Bot]:
    """Open a bot for many histories; the tables lie in memory where the machine has a place for that."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        engine, made = Engine(), list[Bot]()

        async def answerer() -> Answerer:
            return made[0].answerer

        async def vectors() -> Engine:
            return engine

        skills = (answer.SKILL, search.SKILL, staff.SKILL, standing.SKILL)
        thinking = {"answerer": answerer, "vectors": vectors}
        home = Path(folder)
        async with small_bot(home, skills=skills, plaza=Recorded(), opened=open_at_once, **thinking) as small:
            made.append(kind(small=small, engine=engine))
            await small.mode("answer", Mode.ACT)
            await small.tune("speak", "mentioned")  # nobody waits for an answer here: nothing unasked is looked for
            await small.tune("staff_channel", str(Ref(PLATFORM, STAFF_ROOM)))
            yield made[0]
