"""Two communities on two platforms and the bot that serves both: real tables, real policy, real hands."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from bot.core.actions import Action, Button, Edit, OpenDirect, Say
from bot.core.clock import Clock
from bot.core.counts import Counts
from bot.core.events import Arrival, ButtonPressed, CommandGiven, Event, MessagePosted, Named
from bot.core.ports import Delivery, VectorStore
from bot.core.things import Audience, Community, Member, Rank, Ref
from bot.keeping import Keeper
from bot.metrics import Figures
from bot.perform import Performer
from bot.pipeline import Pipeline
from brains.skills import privacy, setup
from brains.skills.skill import Faculties
from storage import erasure, members, refusals, spaces
from storage.db import Database
from storage.following import Followings
from storage.refusals import Refusals
from storage.tables import metadata
from tests.clocks import HastyClock
from tests.hashing import HashingEncoder
from tests.recording import EVERYTHING, Plaza
from tests.tables import open_database

FAR = "square"
HERE = Named(ref=Ref("plaza", "s"), name="Plaza")
THERE = Named(ref=Ref(FAR, "s"), name="Square")
ANA, ANNA = Named(ref=Ref("plaza", "ana"), name="Ana Ferreira"), Named(ref=Ref(FAR, "anna"), name="anna.ferreira")
BEN, MAX = Named(ref=Ref("plaza", "ben"), name="Ben Okafor"), Named(ref=Ref(FAR, "max"), name="Max Mustermann")


class Square(Plaza):
    platform = FAR


def room(of: Named, name: str = "general", audience: Audience = Audience.EVERYONE) -> Named:
    """Name a channel of a space."""
    return Named(ref=Ref(of.ref.platform, f"{of.ref.id}/{name}"), name=name, audience=audience)


@dataclass(frozen=True, kw_only=True)
class Towns:
    """The bot in both."""

    database: Database
    pipeline: Pipeline
    followings: Followings
    refused: Refusals
    clock: Clock
    platforms: dict[str, Plaza]
    numbers: Callable[[], int] = field(default_factory=lambda: functools.partial(next, itertools.count(1)))

    async def command(self, who: Named, line: str, *, rank: Rank = Rank.MEMBER, space: Named | None = None) -> str:
        """Give a command in words and return what is said thereupon to them."""
        return await self._answered(who, self.given(who, line, rank=rank, space=space), space=space)

    def given(self, who: Named, line: str, *, rank: Rank = Rank.MEMBER, space: Named | None = None) -> CommandGiven:
        name, _, rest = line.partition(" ")
        return CommandGiven(
            command=name,
            line=rest,
            member=who,
            rank=rank,
            channel=room(space or space_of(who)),
            at=self.clock.now(),
            invocation=Ref(who.ref.platform, f"i{self.numbers()}"),
        )

    async def press(self, who: Named, label: str, *, rank: Rank = Rank.MEMBER) -> str:
        event = ButtonPressed(
            button=self.button(who, label).token,
            message=Ref(who.ref.platform, "b1"),
            member=who,
            rank=rank,
            channel=room(space_of(who)),
            at=self.clock.now(),
            invocation=Ref(who.ref.platform, f"i{self.numbers()}"),
        )
        return await self._answered(who, event)

    def button(self, who: Named, label: str) -> Button:
        said = reversed(self.platforms[who.ref.platform].done)
        return next(one for action in said for one in getattr(action, "buttons", ()) if one.label == label)

    async def says(self, who: Named, text: str, where: Named | None = None, space: Named | None = None) -> Ref:
        message = Ref(who.ref.platform, f"m{self.numbers()}")
        channel, at = where or room(space_of(who)), self.clock.now()
        posted = MessagePosted(message=message, channel=channel, author=who, text=text, at=at, source=who.ref.platform)
        await self.happens(space or space_of(who), posted)
        return message

    async def _answered(self, who: Named, event: Event, *, space: Named | None = None) -> str:
        done = self.platforms[who.ref.platform].done
        before = len(done)
        await self.happens(space or space_of(who), event)
        return "\n".join(one.text for one in done[before:] if isinstance(one, Say | Edit) and one.only == who.ref)

    def told(self, who: Named) -> list[str]:
        """Return what the bot wrote to somebody directly."""
        done: list[Action] = self.platforms[who.ref.platform].done
        return [one.text for one in done if isinstance(one, OpenDirect) and one.member == who.ref]

    async def happens(self, space: Named, event: Event) -> None:
        await self.handle(await self.arrives(space, event))

    async def arrives(self, space: Named, event: Event) -> Delivery:
        """Store what happened, as it arrives."""
        arrival = Arrival(space=space, event=event)
        store = functools.partial(self.followings.store, arrivals=[arrival])
        [followed] = await self.database.write(store)
        return Delivery(id=self.numbers(), arrival=arrival, received_at=self.clock.now(), followed=followed)

    async def handle(self, delivery: Delivery) -> None:
        nothing = asyncio.get_running_loop().create_future()
        nothing.set_result(None)
        await self.pipeline.handle(delivery, nothing)

    async def code(self, who: Named, line: str = "privacy link", *, rank: Rank = Rank.MEMBER) -> str:
        """Ask for a code and return it."""
        return (await self.command(who, line, rank=rank)).split("**")[1]

    async def link(self, maker: Named, other: Named) -> None:
        """Let two accounts be one human's, as their owner does it."""
        code = await self.code(maker)
        await self.command(other, f"privacy link {code}")
        await self.command(other, f"privacy link {code} yes")
        assert "one person" in await self.command(maker, f"privacy link {code} yes")

    async def community(self, space: Named) -> Community:
        async with self.database.read() as connection:
            found = await spaces.community_of(connection, space.ref)
        assert found is not None
        return found

    async def member(self, who: Named) -> Member | None:
        community = await self.community(space_of(who))
        async with self.database.read() as connection:
            return await members.by_ref(connection, community, who.ref)

    async def rows(self, model, *names: str) -> list[tuple[object, ...]]:
        async with self.database.read() as connection:
            found = await connection.execute(select(*(getattr(model, name) for name in names)))
            return sorted((tuple(row) for row in found), key=repr)

    async def everything(self) -> str:
        """Return every row of every table as text."""
        async with self.database.read() as connection:
            found = [await connection.execute(select(table)) for table in metadata.tables.values()]
            return "\n".join(str([tuple(row) for row in rows]) for rows in found)


def space_of(who: Named) -> Named:
    """Return where somebody is."""
    return THERE if who.ref.platform == FAR else HERE


@contextlib.asynccontextmanager
async def two_towns(
    home: Path, *, vectors: VectorStore | None = None, can: frozenset[str] = EVERYTHING
) -> AsyncIterator[Towns]:
    """Open the bot in both towns, where Ana and Max have said hello."""
    clock, encoder = HastyClock(), HashingEncoder()
    platforms = {"plaza": Plaza(can=can), FAR: Square(can=can)}
    async with open_database(home) as database:
        refused = await refusals.load(home)

        async def erase(community: Community, member: Member) -> None:
            mark = encoder.fingerprint if vectors else None
            await erasure.forget(database, vectors, mark, community, member, home=home, now=clock.now())

        async def give(thing: object) -> object:
            return thing

        performer = Performer(
            database=database,
            adapters=platforms,
            keeper=Keeper(database=database, clock=clock, erase=erase, refusals=refused),
            clock=clock,
            figures=Figures(Counts(clock)),
        )
        faculties = Faculties(
            database=database,
            encoder=functools.partial(give, encoder),
            vectors=functools.partial(give, vectors),
            matchmaker=give,
        )
        pipeline = Pipeline(
            database=database,
            performer=performer,
            skills=(privacy.SKILL, setup.SKILL),
            faculties=faculties,
            clock=clock,
            language="en",
        )
        towns = Towns(
            database=database,
            pipeline=pipeline,
            followings=Followings(clock, refused),
            refused=refused,
            clock=clock,
            platforms=platforms,
        )
        for who in (ANA, BEN, ANNA, MAX):
            await towns.says(who, f"hello, {who.name} is here")
        yield towns
