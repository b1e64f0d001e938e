"""The composition root: the one file that knows every concrete class; those of platforms are in platforms.py."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.adopting import Adoptions
from bot.core.clock import SystemClock
from bot.core.counts import Counts
from bot.core.errors import Unavailable
from bot.core.i18n import translator
from bot.core.ports import Embedding, Scope
from bot.core.settings import prepare_home
from bot.indexing import Index
from brains.engines import open_encoder, open_generator, open_pictures
from brains.knowledge.retrieval import Retrieval
from storage import communities, erasure, refusals
from storage.db import Database
from storage.encodings import CachedEncoder
from storage.vectors import open_vectors
from storage.vectors.everywhere import Everywhere

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from bot.core.clock import Clock
    from bot.core.ports import Adapter, Encoder, Generator, Pictures, VectorStore
    from bot.core.settings import Settings
    from bot.core.things import Community, Member
    from bot.jobs import Jobs
    from bot.learning import Learner
    from bot.living import Living
    from bot.pipeline import Pipeline
    from bot.untangling import Untangling
    from brains.engines.encoder_client import WorkerEncoder
    from brains.matching.circle import Circle
    from brains.matching.learning import Learning
    from brains.matching.matchmaker import Matchmaker
    from brains.matching.shelf import Shelf
    from brains.moderation.moderators import Moderators
    from brains.rhythm.digester import Digester
    from brains.skills.skill import Answerer

IDLE = 60.0
"""Seconds that the worker of a tuned encoder outlives its last request: with its folder, its weights must go too."""
Tell = Callable[[str], None]
"""Called with a sentence for whoever waits."""


class App:
    """The parts of one running program. The encoder and the vectors are opened when first asked for."""

    def __init__(self, settings: Settings, database: Database, stack: contextlib.AsyncExitStack, tell: Tell) -> None:
        self.settings = settings
        self._tell = tell
        self.status = ""
        """What is still to be waited for, in a sentence; empty when nothing is."""
        self.database = database
        self.clock: Clock = SystemClock()
        self.counts = Counts(self.clock)
        self._stack = stack
        self._opening = asyncio.Lock()
        self._worker: WorkerEncoder | None = None
        self._encoder: CachedEncoder | None = None
        self._vectors: VectorStore | None = None
        self._generator: Generator | None = None
        self._pictures: Pictures | None = None
        self._index: Index | None = None
        self._moderators: Moderators | None = None
        self._shelf: Shelf | None = None
        self._behind = False
        self._circles: dict[str, tuple[Encoder, Circle]] = {}
        self._adoptions: Adoptions | None = None
        self._untangling: Untangling | None = None
        self._answerer: Answerer | None = None
        self._jobs: Jobs | None = None
        self._digester: Digester | None = None

    def tell(self, sentence: str) -> None:
        """Tell whoever waits what for."""
        self.status = sentence
        self._tell(sentence)

    async def encoder(self) -> CachedEncoder:
        """Return the encoder, its cache before it; starts the worker if need be."""
        async with self._opening:
            if self._encoder is None:
                self._worker = await self._stack.enter_async_context(open_encoder(self.settings))
                await self._watch(self._worker)
                self._encoder = CachedEncoder(self._worker, self.database)
        return self._encoder

    async def _watch(self, encoder: WorkerEncoder) -> None:
        """Tell how far the first start is, which prepares the model for a minute; a ready worker is not waited for."""
        told = ""
        while (health := await encoder.health()).get("status") == "preparing":
            if (step := str(health.get("step", ""))) not in {told, "", "starting", "ready"}:
                self.tell(f"Preparing the encoder, once: {step}")
                told = step
            await self.clock.sleep(0.25)

    async def vectors(self) -> VectorStore:
        """Return the collection of the encoder's fingerprint; starts the vector process if need be."""
        if self._vectors is None:
            encoder = await self.encoder()
            self._vectors = open_vectors(self.settings, fingerprint=encoder.fingerprint, size=encoder.size)
            self._stack.push_async_callback(self._vectors.close)
        return self._vectors

    async def look_after(self) -> None:
        """Ask the worker and the vector store how they are; a companion that died is started again thereby."""
        vectors = await self.vectors()
        if self._worker is not None:
            await self._worker.health()
        await self.adoptions.look_after()
        await vectors.count(Scope(community=0))

    async def generator(self) -> Generator | None:
        """Return the generator, None where the owner wants none; nothing is started before it is used."""
        if self._generator is None:
            self._generator = await self._stack.enter_async_context(open_generator(self.settings))
        return self._generator

    async def pictures(self) -> Pictures:
        """Return what looks at pictures; nothing is started before the first one."""
        if self._pictures is None:
            self._pictures = await self._stack.enter_async_context(open_pictures(self.settings))
        return self._pictures

    async def community(self, name: str | None) -> Community:
        """Return the community called so, or the only one when no name is given. Raises Mistake."""
        async with self.database.read() as connection:
            return await communities.find(connection, name)

    async def index(self) -> Index:
        """Return what writes the outbox to the vectors: one in a process, since a forget waits for it."""
        if self._index is None:
            self._index = Index(
                database=self.database,
                encoder=await self.encoder(),
                vectors=await self.vectors(),
                adoptions=self.adoptions,
            )
        return self._index

    @property
    def adoptions(self) -> Adoptions:
        """Return the tuned encoders that matching goes by; none is opened before it is asked for."""
        if self._adoptions is None:
            self._adoptions = Adoptions(
                settings=self.settings, database=self.database, clock=self.clock, opening=self.open_tuned
            )
            self._stack.push_async_callback(self._adoptions.close)
        return self._adoptions

    def open_tuned(self, folder: Path) -> AbstractAsyncContextManager[WorkerEncoder]:
        """Open the encoder of a folder in a worker of its own, which keeps what it prepares in that folder too."""
        settings = {"encoder": f"path:{folder}", "generator": "none", "home": folder}
        return open_encoder(self.settings.model_copy(update=settings), idle=IDLE)

    async def embedding(self, community: Community) -> Embedding:
        """Return what a community's matching goes by: a tuned encoder that was adopted, else the base."""
        tuned = await self.adoptions.serving(community)
        return tuned or Embedding(encoder=await self.encoder(), vectors=await self.vectors())

    async def points(self) -> Everywhere:
        """Return all collections in which there may be points."""
        return Everywhere([await self.vectors(), *await self.adoptions.stores()])

    async def matchmaker(self, language: str | None = None) -> Matchmaker:
        """Return what matches members and texts to channels, speaking a language."""
        from brains.matching.matchmaker import Matchmaker  # brings scipy, which most verbs do without

        return Matchmaker(
            database=self.database,
            vectors=await self.vectors(),
            encoder=await self.encoder(),
            clock=self.clock,
            translate=await asyncio.to_thread(translator, language or self.settings.language),
            shelf=(await self.matching()).shelf,
            tuned=self.adoptions.serving,
        )

    async def matching(self) -> Learning:
        """Return what learns where everybody belongs; what it learned is held for all that match here."""
        from threadpoolctl import threadpool_limits

        from brains.matching.learning import Learning
        from brains.matching.shelf import Shelf

        if self._shelf is None:
            self._shelf = Shelf(behind=self._behind)
            self._stack.push_async_callback(self._shelf.close)
            # A suggestion multiplies small matrices: handing these to several threads takes longer than doing it.
            # Finding the libraries reads files.
            await asyncio.to_thread(threadpool_limits, 1, "blas")
        return Learning(
            database=self.database,
            vectors=await self.vectors(),
            encoder=await self.encoder(),
            clock=self.clock,
            shelf=self._shelf,
            tuned=self.adoptions.serving,
        )

    def learned(self, community: Community) -> bool:
        """Return whether where everybody belongs in a community is held here already."""
        return self._shelf is not None and community.id in self._shelf.learned

    async def circle(self, community: Community) -> Circle:
        """Return what suggests members to each other; one for each encoder, since it keeps what it drew of them."""
        from brains.matching.circle import Circle

        place = await self.embedding(community)
        encoder, circle = self._circles.get(place.encoder.fingerprint, (None, None))
        if circle is None or encoder is not place.encoder:

            async def vectors() -> VectorStore:
                return place.vectors

            async def encode() -> Encoder:
                return place.encoder

            circle = Circle(database=self.database, vectors=vectors, encoder=encode, clock=self.clock)
            self._circles[place.encoder.fingerprint] = place.encoder, circle
        return circle

    async def moderators(self) -> Moderators:
        """Return what examines messages, for each community."""
        if self._moderators is None:
            from brains.moderation.moderators import Moderators, load_heads

            heads = await asyncio.to_thread(load_heads)
            self._moderators = Moderators(
                self.database, self.clock, heads=lambda: heads, encoder=lambda: self.encoder_name
            )
        return self._moderators

    @property
    def encoder_name(self) -> str:
        """Return the fingerprint of the encoder, empty while nobody has asked for it."""
        return self._encoder.fingerprint if self._encoder is not None else ""

    async def learner(self) -> Learner:
        """Return what learns from the staff's verdicts."""
        from bot.learning import Learner

        moderators = await self.moderators()
        return Learner(
            database=self.database,
            clock=self.clock,
            encoder=self.encoder,
            heads=moderators.heads,
            told=moderators.changed,
        )

    def untangling(self) -> Untangling:
        """Return what finds out which messages belong to one conversation."""
        if self._untangling is None:
            from bot.untangling import Untangling

            self._untangling = Untangling(database=self.database, clock=self.clock)
        return self._untangling

    async def retrieval(self) -> Retrieval:
        """Return what finds messages."""
        return Retrieval(database=self.database, vectors=await self.vectors(), encoder=await self.encoder())

    async def answerer(self) -> Answerer:
        """Return what answers questions."""
        if self._answerer is None:
            from brains.knowledge import confidence
            from brains.knowledge.answering import Answerer

            self._answerer = Answerer(
                finder=await self.retrieval(),
                encoder=await self.encoder(),
                vectors=await self.vectors(),
                model=await asyncio.to_thread(confidence.shipped),
            )
        return self._answerer

    async def digester(self) -> Digester:
        """Return what makes digests; one serves all readers, who share what it read."""
        if self._digester is None:
            from brains.rhythm.digester import Digester

            encoder, moderators = await self.encoder(), await self.moderators()
            self._digester = Digester(
                database=self.database, vectors=await self.vectors(), encoder=encoder, moderator=moderators.of
            )
        return self._digester

    async def pipeline(self, adapters: Sequence[Adapter]) -> Pipeline:
        """Put together what decides about events of these platforms, and acts there."""
        # Only the bot itself needs all this; the other verbs start quicker without.
        from adapters.playground import Playground

        # Its import reads what is installed.
        await asyncio.to_thread(importlib.import_module, "bot.jobs")
        from bot.jobs import EVERY
        from bot.keeping import Keeper
        from bot.looking import Looking
        from bot.metrics import Figures
        from bot.perform import Performer
        from bot.pipeline import Pipeline
        from brains.skills import SKILLS
        from brains.skills.skill import Faculties

        keeper = Keeper(
            database=self.database,
            clock=self.clock,
            erase=self._erase,
            refusals=await refusals.load(self.settings.home),
        )
        platforms = {adapter.platform: adapter for adapter in adapters}
        moderators = await self.moderators()
        faculties = Faculties(
            database=self.database,
            encoder=self.encoder,
            vectors=self.vectors,
            matchmaker=self.matchmaker,
            generator=await self.generator(),
            answerer=self.answerer,
            moderator=moderators.of,
            changed=functools.partial(self._changed, moderators),
            schedules=EVERY,
            look=Looking(platforms, self.pictures).look,
            circle=self.circle,
            learned=self.learned,
            embedding=self.embedding,
            points=self.points,
            digester=self.digester,
        )
        return Pipeline(
            database=self.database,
            performer=Performer(
                database=self.database,
                adapters=platforms,
                keeper=keeper,
                clock=self.clock,
                figures=Figures(self.counts),
            ),
            skills=SKILLS,
            faculties=faculties,
            clock=self.clock,
            language=self.settings.language,
            watchers=[adapter.watched for adapter in adapters if isinstance(adapter, Playground)],
        )

    async def living(self, adapters: Sequence[Adapter]) -> Living:
        """Put the bot together that lives on these platforms; from now on it learns in the background."""
        # It brings scipy, and the texts that are ordinary talk are read with it.
        await asyncio.to_thread(importlib.import_module, "bot.belonging")
        await asyncio.to_thread(importlib.import_module, "bot.jobs")
        from bot.ahead import Ahead
        from bot.attending import Attending
        from bot.belonging import Belonging
        from bot.jobs import Jobs
        from bot.lanes import Lanes
        from bot.living import Living
        from bot.reading import Reading
        from brains.skills import SKILLS
        from storage.following import Followings
        from storage.inbox import Inbox

        self._behind = True
        followings = Followings(self.clock, await refusals.load(self.settings.home))
        holder, alone = uuid4().hex, not self.settings.database_url
        inbox = Inbox(self.database, clock=self.clock, holder=holder, followings=followings)
        self._jobs = Jobs(database=self.database, clock=self.clock, put=inbox.put, holder=holder, alone=alone)
        ahead = Ahead(self.encoder)
        pipeline = await self.pipeline(adapters)
        lanes = Lanes(
            database=self.database,
            stream=inbox,
            pipeline=pipeline,
            ahead=ahead,
            clock=self.clock,
            followings=followings,
        )
        return Living(
            database=self.database,
            clock=self.clock,
            inbox=inbox,
            lanes=lanes,
            ahead=ahead,
            index=self.index,
            adapters=adapters,
            skills=SKILLS,
            figures=pipeline.performer.figures,
            metrics_port=self.settings.metrics_port,
            look_after=self.look_after,
            compact=functools.partial(erasure.compact, self.database),
            chores={
                "learning": (await self.learner()).run,
                "belonging": Belonging(database=self.database, clock=self.clock, learning=self.matching).run,
                "untangling": self.untangling().run,
                "reading": Reading(self.database, self.clock).run,
                "answers": Attending(database=self.database, clock=self.clock, put=inbox.put).run,
                "jobs": self._jobs.run,
            },
            alone=alone,
        )

    def _changed(self, moderators: Moderators) -> None:
        """Let whoever keeps what our own tables say look again."""
        moderators.changed()
        if self._jobs is not None:
            self._jobs.wake()

    async def _settled(self) -> None:
        """Return once no point is on its way of what members said until now, and nothing remembers vectors of it."""
        if self._encoder is not None:
            self._encoder.forget()
        self.adoptions.forget()
        self._circles.clear()
        if self._digester is not None:
            self._digester.forget()
        if self._index is not None:
            await self._index.settled()

    async def _erase(self, community: Community, member: Member) -> None:
        """Erase everything about a member; what is left in the files goes too, of large ones within the hour.

        While the encoder or the vectors are away, the points wait in the outbox for their deletion.
        """
        vectors = fingerprint = None
        with contextlib.suppress(Unavailable):
            vectors, fingerprint = await self.points(), (await self.encoder()).fingerprint
        await erasure.forget(
            self.database,
            vectors,
            fingerprint,
            community,
            member,
            home=self.settings.home,
            now=self.clock.now(),
            settled=self._settled,
        )
        await erasure.compact(self.database, most=erasure.AT_ONCE)


@contextlib.asynccontextmanager
async def open_app(settings: Settings, *, tell: Tell = lambda _: None) -> AsyncIterator[App]:
    """Open the home and its database, and close everything in the end; `tell` hears of long waits.

    Raises Misconfigured or Unavailable.
    """
    await asyncio.to_thread(prepare_home, settings.home)
    async with (
        Database.open(settings.tables_url, home=settings.home) as database,
        contextlib.AsyncExitStack() as stack,  # ends first: vectors are still kept meanwhile
    ):
        yield App(settings, database, stack, tell)
