"""Two thousand random histories: nothing that is derived reaches anybody who may not read what it was made of.

Everything is real but the platform, the encoder and the engine of vectors, which is worse than any: it never forgets a
point and heeds no scope. Leaks that are planted must be found by the same test, or it would prove nothing.
"""

# ruff: noqa: FBT001 - deeds come as tuples

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bot.attending import Attending
from bot.core.actions import Delete, Edit, OpenDirect, Say, SetConsent
from bot.core.decisions import Mode, Receipt
from bot.core.events import (
    Arrival,
    ChannelChanged,
    Event,
    MemberJoined,
    MemberLeft,
    MessageDeleted,
    MessageEdited,
    Named,
)
from bot.core.ports import Hit, Scope
from bot.core.things import Audience, Rank, Ref
from brains.knowledge.answer import Answer, Claim
from brains.knowledge.retrieval import Retrieval
from brains.moderation import undisguise
from brains.skills import answer, search, staff, standing
from storage import channels, communities, erasure, members, notes, persons, policies, spaces
from storage.channels import Reach
from storage.tables import metadata
from tests.recording import PLATFORM, SPACE, Plaza, SmallBot, small_bot
from tests.story.worlds import BEGIN, GUEST, PEOPLE, ROOMS, Text, World

QUESTION = "where is the bicycle pump?"
HISTORIES, PARTS = 2000, 4


def ref(name: str) -> Ref:
    return Ref(PLATFORM, name)


# What may happen

WHO, WHERE, WHICH = st.sampled_from(PEOPLE), st.sampled_from(ROOMS), st.integers(0, 5)
POST = st.tuples(st.just("post"), WHO, WHERE)
ASK = st.tuples(st.just("ask"), WHO, WHERE, st.booleans(), st.booleans())
HAPPENING = st.one_of(
    POST,
    POST,
    st.tuples(st.just("edit"), WHICH),
    st.tuples(st.just("delete"), WHICH),
    st.tuples(st.just("join"), WHO, WHERE),
    st.tuples(st.just("leave"), WHO, WHERE),
    st.tuples(st.just("roles"), WHO, st.frozensets(WHERE)),
    st.tuples(st.just("open"), WHERE, st.booleans()),
    st.tuples(st.just("archive"), WHERE, st.booleans()),
    st.tuples(st.just("read"), WHERE, st.booleans()),
    st.tuples(st.just("consent"), WHO, st.booleans()),
    st.tuples(st.just("forget"), WHO),
    st.tuples(st.just("link"), WHO, WHO),
    st.tuples(st.just("entry"), WHERE, WHICH),
    ASK,
    ASK,
    st.tuples(st.just("search"), WHO, WHERE),
    st.tuples(st.just("why"), WHERE),
)
POSTS, HAPPENINGS = st.lists(POST, min_size=3, max_size=5), st.lists(HAPPENING, min_size=2, max_size=6)
HISTORY = st.tuples(POSTS, ASK, HAPPENINGS, ASK, ASK).map(lambda parts: [*parts[0], parts[1], *parts[2], *parts[3:]])
"""Something is said and asked, something happens, and it is asked again by others."""


# The bot, and how it may be wired wrongly


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


@dataclass(kw_only=True)
class Bot:
    """The bot of one run of histories. What is wired wrongly in a subclass is a leak that was planted."""

    small: SmallBot
    engine: Engine
    answerer: Answerer = field(init=False)
    asker: str = ""

    def __post_init__(self) -> None:
        self.answerer = Answerer(bot=self)

    async def retrieval(self) -> Retrieval:
        encoder = await self.small.pipeline.faculties.encoder()
        return Retrieval(database=self.small.database, vectors=self.engine, encoder=encoder)

    async def reach(self, reach: Reach) -> Reach:
        return reach

    async def attend(self) -> None:
        """Look after what was answered until nothing is due."""
        for _each in range(4):
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
            reader = await members.by_ref(connection, community, ref(self.asker))
            return await channels.reach(connection, community, reader, alone=True)


class Cached(Bot):
    """Keeps what it found once."""

    kept: Retrieval | None = None

    async def retrieval(self) -> Retrieval:
        if self.kept is None:
            self.kept = Keeping(inner=await super().retrieval())  # type: ignore[assignment]
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


# A history


@dataclass(kw_only=True)
class Shown:
    """What the platform shows of the bot: in a room for all, or to one member alone."""

    text: str
    room: str
    only: str


@dataclass(kw_only=True)
class Play:
    """One history: every deed is done in the world and told to the bot, and what is shown is looked at."""

    bot: Bot
    world: World = field(default_factory=World)
    shown: dict[Ref, Shown] = field(default_factory=dict)
    seen: int = 0
    numbers: dict[int, Ref] = field(default_factory=dict)
    revisions: itertools.count = field(default_factory=lambda: itertools.count(1))
    waiting: list[Event] = field(default_factory=list)

    async def run(self, history: Sequence[tuple]) -> None:
        self.settle()
        for deed, *how in history:
            if deed not in TOLD:
                await self.tell()
            await getattr(self, f"_{deed}")(*how)
        await self.tell()
        await self.bot.attend()
        self.watch()
        self.check_standing()
        await self.check_held()

    def settle(self) -> None:
        """Let the rooms be known, and who is in them."""
        at = self.bot.small.clock.now()
        self.waiting += [self.changed(room) for room in ROOMS]
        self.waiting += [MemberJoined(member=self.named(who), channel=None, at=at) for who in PEOPLE]
        self.waiting += [
            MemberJoined(member=self.named(who), channel=self.room(room), at=at)
            for room, inside in BEGIN.items()
            for who in sorted(inside)
        ]

    def named(self, who: str) -> Named:
        return Named(ref=ref(who), name=who, guest=who == GUEST)

    def room(self, name: str) -> Named:
        audience = Audience.EVERYONE if self.world.open[name] else Audience.MEMBERS
        return Named(ref=ref(name), name=name, audience=audience)

    def changed(self, room: str, *, archived: bool = False) -> ChannelChanged:
        at = self.bot.small.clock.now()
        return ChannelChanged(channel=self.room(room), archived=archived, at=at, revision=next(self.revisions))

    async def tell(self) -> None:
        """Tell the bot of what happened since; the engine finds what was there for ever."""
        if self.waiting:
            await self.bot.small.follow(*self.waiting)
            self.waiting.clear()
            await self.index()

    # Deeds

    async def _post(self, who: str, room: str) -> None:
        if not self.world.may_enter(who, room):
            who = min(self.world.audience(room), default="")
        if not who or who in self.world.gone:
            return
        word = self.world.word()
        posted = self.bot.small.posted(f"the bicycle pump {word} is here", by=self.named(who))
        self.waiting.append(replace(posted, channel=self.room(room)))
        self.world.inside[room].add(who)
        if self.world.read[room] and who not in self.world.refuses:
            self.world.texts[self.world.words] = Text(word=word, by=who, room=room)
            self.numbers[self.world.words] = posted.message
        else:
            self.world.spent.add(word)

    async def index(self) -> None:
        """Tell the engine of all that is there; it goes on finding it for ever."""
        async with self.bot.small.database.read() as connection:
            for table in ("message", "note"):
                for row in await connection.execute(text(f"SELECT point, channel_id FROM {table}")):
                    point = UUID(str(row.point))
                    known = Hit(id=point, score=0.9, channel=row.channel_id, author=0, at=self.bot.small.clock.now())
                    self.bot.engine.points[point] = replace(known, note=table == "note")

    def pick(self, which: int) -> int | None:
        """Choose a message that stands."""
        standing = [number for number in self.numbers if number in self.world.texts]
        return standing[which % len(standing)] if standing else None

    async def _edit(self, which: int) -> None:
        if (number := self.pick(which)) is None:
            return
        was, word = self.world.texts[number], self.world.word()
        now = self.bot.small.clock.now()
        author, room = self.named(was.by), self.room(was.room)
        change = MessageEdited(
            message=self.numbers[number],
            channel=room,
            author=author,
            text=f"the bicycle pump {word} was there",
            at=now,
            revision=next(self.revisions),
        )
        self.waiting.append(change)
        self.world.spent.add(was.word)
        if was.by in self.world.refuses or not self.world.read[was.room]:
            del self.world.texts[number]
        else:
            self.world.texts[number] = replace(was, word=word)

    async def _delete(self, which: int) -> None:
        if (number := self.pick(which)) is None:
            return
        was = self.world.texts.pop(number)
        now = self.bot.small.clock.now()
        self.waiting.append(MessageDeleted(message=self.numbers[number], channel=self.room(was.room), at=now))
        self.world.spent.add(was.word)

    async def _join(self, who: str, room: str) -> None:
        if who not in self.world.gone:
            now = self.bot.small.clock.now()
            self.waiting.append(MemberJoined(member=self.named(who), channel=self.room(room), at=now))
            self.world.inside[room].add(who)

    async def _leave(self, who: str, room: str) -> None:
        if who not in self.world.gone:
            now = self.bot.small.clock.now()
            self.waiting.append(MemberLeft(member=self.named(who), channel=self.room(room), at=now))
            self.world.inside[room].discard(who)

    async def _roles(self, who: str, rooms: frozenset[str]) -> None:
        """Let the platform say which closed rooms somebody reads, as Discord does by roles."""
        if who in self.world.gone:
            return
        reads = frozenset(ref(room) for room in rooms if not self.world.open[room])
        named = replace(self.named(who), reads=reads)
        self.waiting.append(MemberJoined(member=named, channel=None, at=self.bot.small.clock.now()))
        for room in ROOMS:
            if not self.world.open[room]:
                (self.world.inside[room].add if room in rooms else self.world.inside[room].discard)(who)

    async def _open(self, room: str, is_open: bool) -> None:
        self.world.open[room] = is_open
        self.waiting.append(self.changed(room))

    async def _archive(self, room: str, archived: bool) -> None:
        self.waiting.append(self.changed(room, archived=archived))

    async def _read(self, room: str, is_read: bool) -> None:
        self.world.read[room] = is_read
        await self.bot.small.tune("read", "yes" if is_read else "no", channel=str(ref(room)))

    async def _consent(self, who: str, may: bool) -> None:
        if who in self.world.gone:
            return
        await self.bot.small.performer.keeper.act(self.bot.small.community, SetConsent(member=ref(who), collected=may))
        for one in self.world.persons[who]:
            (self.world.refuses.discard if may else self.world.refuses.add)(one)

    async def _forget(self, who: str) -> None:
        if who in self.world.gone:
            return
        small = self.bot.small
        async with small.database.read() as connection:
            member = await members.by_ref(connection, small.community, ref(who))
        assert member is not None
        home = Path(small.database.engine.url.database or "").parent
        await erasure.forget(small.database, None, None, small.community, member, home=home, now=small.clock.now())
        for one in self.world.persons[who]:
            self.world.gone.add(one)
            for number in [number for number, was in self.world.texts.items() if was.by == one]:
                self.world.spent.add(self.world.texts.pop(number).word)
            for inside in self.world.inside.values():
                inside.discard(one)

    async def _link(self, one: str, other: str) -> None:
        if one == other or {one, other} & self.world.gone:
            return
        small = self.bot.small

        async def work(connection) -> None:
            found = [await members.by_ref(connection, small.community, ref(who)) for who in (one, other)]
            assert found[0] is not None
            assert found[1] is not None
            await persons.link(connection, found[0], found[1], small.clock.now())

        await small.database.write(work)
        both = self.world.persons[one] | self.world.persons[other]
        self.world.persons |= dict.fromkeys(both, both)
        if both & self.world.refuses:
            self.world.refuses |= both

    async def _entry(self, room: str, which: int) -> None:
        """Let the staff keep an entry that rests on a message, to lie with a room."""
        if (number := self.pick(which)) is None:
            return
        small, source, word = self.bot.small, self.world.texts[number], self.world.word()

        async def work(connection) -> str:
            found = await channels.every(connection, small.community)
            home = next((one for one, channel in found.items() if channel.ref == ref(room)), None)
            if home is None:
                return "archived"
            return await notes.keep(
                connection,
                small.community,
                point=uuid4(),
                channel=home,
                question=QUESTION,
                text=f"the bicycle pump {word} as the staff says",
                owner=None,
                sources=[self.numbers[number]],
                now=small.clock.now(),
            )

        if not await small.database.write(work):
            entry = Text(word=word, by="", room=room, rests_on=((number, source.word),))
            self.world.texts[self.world.words] = entry
            await self.index()

    async def _ask(self, who: str, room: str, alone: bool, abstains: bool) -> None:
        if who in self.world.gone or not self.world.may_enter(who, room):
            return
        self.bot.answerer.abstains, self.bot.asker = abstains, who
        small = self.bot.small
        if alone:
            event = replace(small.command("ask", by=self.named(who), question=QUESTION), channel=self.room(room))
        else:
            posted = small.posted(f"@bot {QUESTION}", by=self.named(who), mentioned=True)
            event = replace(posted, channel=self.room(room))
            self.world.inside[room].add(who)
        await small.happens(event)
        self.watch(standing=True)

    async def _search(self, who: str, room: str) -> None:
        if who in self.world.gone or not self.world.may_enter(who, room):
            return
        asked = self.bot.small.command("search", by=self.named(who), words="bicycle pump")
        await self.bot.small.happens(replace(asked, channel=self.room(room)))
        self.watch()

    async def _why(self, room: str) -> None:
        """Let somebody of the staff ask why, wherever they may read."""
        if "ana" in self.world.gone or not self.world.may_enter("ana", room):
            return
        await self.bot.attend()
        asked = self.bot.small.command("why", by=self.named("ana"), rank=Rank.STAFF)
        await self.bot.small.happens(replace(asked, channel=self.room(room)))
        self.watch()

    # What is seen of it

    def watch(self, *, standing: bool = False) -> None:
        """Look at what the bot did since, as whoever sees it; an answer goes on standing."""
        plaza = self.bot.small.plaza
        for made, action in plaza.deeds[self.seen :]:
            match action:
                case Say(to=where, only=only, text=said):
                    shown = Shown(text=said, room=where.id, only=only.id if only else "")
                    assert self.leaks(shown) == set(), (shown, self.world)
                    if standing:
                        self.shown[made] = shown
                case Edit(message=message, text=said) if message in self.shown:
                    self.shown[message].text = said
                case Delete(message=message):
                    self.shown.pop(message, None)
                case OpenDirect():
                    raise AssertionError("everybody can be told aside here")
                case _:
                    pass
        self.seen = len(plaza.deeds)

    def leaks(self, shown: Shown) -> set[str]:
        if shown.only:
            return self.world.leaks(shown.text, to=shown.only)
        return self.world.leaks_aloud(shown.text, shown.room)

    def check_standing(self) -> None:
        """Nothing that stands is anybody's who may not read what it was made of; who was forgotten sees nothing."""
        for shown in self.shown.values():
            if shown.only not in self.world.gone:
                assert self.leaks(shown) == set(), (shown, self.world)

    async def check_held(self) -> None:
        """No word that was changed or taken away is in what is kept of answers."""
        async with self.bot.small.database.read() as connection:
            held = []
            for statement in HELD:
                held += [str(row[0]) for row in await connection.execute(text(statement))]
        everything = "\n".join(held)
        assert {word for word in self.world.spent if word in everything} == set(), self.world


MEMORY = "/dev/shm" if Path("/dev/shm").exists() else None
"""Where files need no disk, on machines that have such a place."""
TOLD = {"post", "edit", "delete", "join", "leave", "roles", "open", "archive"}
"""What platforms tell, several at once; the rest is done by somebody in between."""
HELD = (
    "SELECT action FROM act WHERE skill IN ('answer', 'standing')",
    "SELECT story FROM trace WHERE id IN (SELECT trace_id FROM act WHERE skill IN ('answer', 'standing'))",
    "SELECT text FROM message",
    "SELECT question FROM answer",
)


class Recorded(Plaza):
    """A platform that also remembers what each deed made."""

    def __init__(self) -> None:
        super().__init__()
        self.deeds: list[tuple[Ref, object]] = []

    async def act(self, action) -> Receipt:
        receipt = await super().act(action)
        self.deeds.append((receipt.made, action))
        return receipt


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
        async with small_bot(
            Path(folder), skills=skills, plaza=Recorded(), answerer=answerer, vectors=vectors
        ) as small:
            made.append(kind(small=small, engine=engine))
            yield made[0]


async def begin_anew(bot: Bot) -> None:
    """Forget everything between two histories."""
    small = bot.small

    async def work(connection):
        await connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        for table in metadata.tables:
            await connection.execute(text(f'DELETE FROM "{table}"'))
        community = await communities.find_or_make(connection, "plaza", small.clock.now())
        await spaces.belong(connection, SPACE, community)
        await policies.put(connection, community, name="speak", value="helpful")
        await policies.put(connection, community, name="mode.answer", value=Mode.ACT)
        return community

    small.community = await small.database.write(work)
    bot.engine.points.clear()
    bot.small.plaza.deeds.clear()
    small.told.clear()
    if isinstance(bot, Cached):
        bot.kept = None


def play_all(kind: type[Bot], histories: int, *, phases: Sequence[Phase]) -> int:
    """Play random histories and return how many answers were looked at. Raises AssertionError for a leak."""
    answers = 0
    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()
        runner.run(asyncio.to_thread(undisguise.ready))
        bot = runner.run(stack.enter_async_context(living(kind)))

        @settings(
            max_examples=histories,
            deadline=None,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        @given(HISTORY)
        def plays(history: Sequence[tuple]) -> None:
            nonlocal answers

            async def one() -> int:
                await begin_anew(bot)
                play = Play(bot=bot)
                await play.run(history)
                return len(play.shown)

            answers += runner.run(one())

        try:
            plays()
        finally:
            runner.run(stack.aclose())
    return answers


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_derived_reaches_anybody_who_may_not_read_its_sources(part: int) -> None:
    answers = play_all(Bot, HISTORIES // PARTS, phases=(Phase.explicit, Phase.generate, Phase.shrink))
    assert answers > HISTORIES // PARTS, f"part {part} looked at too few answers to say anything"


@pytest.mark.slow
@pytest.mark.parametrize("planted", [NoFilter, NoConsent, AskerAlone, Cached, Unattended])
def test_a_leak_that_was_planted_is_found(planted: type[Bot]) -> None:
    with pytest.raises(AssertionError):
        play_all(planted, HISTORIES, phases=(Phase.generate,))
