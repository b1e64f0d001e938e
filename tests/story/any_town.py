"""The living bot on any platform: people do something there, and their clients show what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlmodel import col

import bot.belonging  # noqa: F401 - what it imports reads from the disk, which no test may do in its loop
from bot.app import App, open_app
from bot.core import codec
from bot.core.actions import Button
from bot.core.clock import Clock
from bot.core.outreach import NO_HOURS
from bot.core.settings import Settings
from bot.core.things import Community, Member, Ref
from bot.living import Living
from storage import channels, conversations, inbox, members, outbox, policies, spaces
from storage.encodings import CachedEncoder
from storage.tables import ActRow, InboxRow
from tests.contract.platform import BUTTONS, COMMANDS, JOINING, Platform, Refused, Seen
from tests.hashing import HashingEncoder
from tests.story.discord_town import PATIENCE, TALK
from tests.story.stages import Stage


@dataclass(frozen=True, kw_only=True)
class AnyTown:
    """The bot and a platform while they live: Anna owns the place, Ben is a member."""

    app: App
    living: Living
    stage: Stage
    on: Platform
    loud: list[int] = field(default_factory=list)

    # What people do

    async def says(self, who: Ref, channel: Ref, words: str, *, reply_to: Ref | None = None) -> Ref:
        """Write something, and wait until the bot is done with it."""
        made = await self.on.post(who, channel, words, reply_to)
        await self.settled()
        return made

    async def asks(self, who: Ref, channel: Ref, words: str) -> Ref:
        """Write something to the bot, for everybody to read."""
        return await self.says(who, channel, self.on.to_bot(words))

    async def commands(self, who: Ref, channel: Ref, line: str) -> None:
        """Use a command: as the platform has it, and else in words."""
        if COMMANDS in self.on.lacks:
            await self.on.post(who, channel, self.on.to_bot(line.removeprefix("/")))
        else:
            await self.on.command(who, channel, line)
        await self.settled()

    async def press(self, who: Ref, message: Ref, label: str) -> None:
        """Press the button of a message that is called so."""
        await self.on.press(who, message, await self._button(message, label))
        await self.settled()

    async def talks(self) -> None:
        """Have the open channels be talked in, by others in the lanterns, and all of it be learned."""
        others = [await self.comes_in(name) for name in ("Olu", "Zoe")]
        places = (
            (self.on.public, TALK["pier"], (self.on.owner, self.on.member)),
            (self.stage.lanterns, TALK["lanterns"], others),
        )
        for channel, lines, people in places:
            for number, line in enumerate(lines):
                await self.on.post(people[number % 2], channel, line)
        await self.indexed()

    async def comes_in(self, name: str) -> Ref:
        """Have somebody arrive, who goes into the lanterns too where channels are joined."""
        came = await self.on.arrive(name, "en")
        if JOINING not in self.on.lacks:
            await self.on.join(came, self.stage.lanterns)
        return came

    # What people see

    async def sees(self, who: Ref) -> dict[Ref, Seen]:
        """Return all that somebody's client shows, in every channel."""
        shown: dict[Ref, Seen] = {}
        for channel in await self.on.channels(who):
            with contextlib.suppress(Refused):
                shown |= {one.message: one for one in await self.on.sees(who, channel) if not one.deleted}
        return shown

    async def told(self, who: Ref, doing: Awaitable[object]) -> list[Seen]:
        """Let something be done; return what the bot said thereupon, or changed, where this member sees it."""
        before = await self.sees(who)
        await doing
        await self.settled()
        after = await self.sees(who)
        return [one for one in after.values() if one.author == self.on.bot and before.get(one.message) != one]

    async def answer(self, who: Ref, channel: Ref, line: str) -> str:
        """Use a command and return all that was answered."""
        return "\n".join(one.text for one in await self.told(who, self.commands(who, channel, line)))

    # What is behind it

    async def settled(self) -> None:
        """Wait until nothing moves: all that happened is handed over, every event handled, its echo too."""
        async with asyncio.timeout(PATIENCE):
            before = -1
            while before != (now := await self._count(_arrived)):
                before = now
                await self.on.settle()
                while await self._count(inbox.waiting):
                    await self.living.lanes._empty.wait()
                    await asyncio.sleep(0)
        await self._at_any_hour()

    async def _at_any_hour(self) -> None:
        """Let no hour be quiet as soon as the community is known: stories are told at any."""
        async with self.app.database.read() as connection:
            known = None if self.loud else await spaces.community_of(connection, self.on.space)
        if known is not None:
            put = functools.partial(policies.put, community=known, name="quiet_hours", value=NO_HOURS)
            await self.app.database.write(put)
            self.loud.append(known.id)

    async def indexed(self) -> None:
        """Wait until everything that waits is in the vectors and in its conversation: the bot looks every so often."""
        await self.settled()
        async with asyncio.timeout(PATIENCE):
            while await self._count(outbox.count) or await self._count(_untold):  # noqa: ASYNC110 - nothing tells when
                await asyncio.sleep(0.02)

    async def community(self) -> Community:
        async with self.app.database.read() as connection:
            found = await spaces.community_of(connection, self.on.space)
        assert found is not None
        return found

    async def member(self, who: Ref) -> Member:
        async with self.app.database.read() as connection:
            return await members.find(connection, await self.community(), str(who))

    async def reads(self, who: Ref) -> set[str]:
        """Return the references of the channels that the bot takes a member to read."""
        member, community = await self.member(who), await self.community()
        async with self.app.database.read() as connection:
            scope = await channels.readable(connection, community, member)
            every = await channels.every(connection, community)
        return {str(every[number].ref) for number in scope.channels or ()}

    async def stored(self) -> dict[str, str]:
        """Return the texts of all messages that are held, by their references."""
        async with self.app.database.read() as connection:
            rows = await connection.execute(text("SELECT ref, text FROM message ORDER BY id"))
            return {row.ref: row.text for row in rows}

    async def _button(self, message: Ref, label: str) -> Button:
        """Return a button as it was sent, with the token that travels with it."""
        async with self.app.database.read() as connection:
            rows = await connection.execute(
                select(col(ActRow.action)).where(col(ActRow.made) == str(message)).order_by(col(ActRow.id).desc())
            )
            found = [codec.load_action(row.action) for row in rows]
        return next(one for action in found for one in getattr(action, "buttons", ()) if one.label == label)

    async def _count(self, count: Callable) -> int:
        async with self.app.database.read() as connection:
            return await count(connection)


async def _untold(connection) -> int:
    return len(await conversations.untold(connection, 1))


async def _arrived(connection) -> int:
    """Return how far the inbox has come."""
    return (await connection.execute(select(func.max(col(InboxRow.id))))).scalar() or 0


@contextlib.asynccontextmanager
async def living(stage: Stage, home: Path, *, clock: Clock | None = None, **more: str) -> AsyncIterator[AnyTown]:
    """Let the bot live on a stage until the story is told; what it left in its home is there at the next time."""
    async with living_on([stage], home, clock=clock, **more) as [town]:
        yield town


@contextlib.asynccontextmanager
async def living_on(
    stages: Sequence[Stage], home: Path, *, clock: Clock | None = None, **more: str
) -> AsyncIterator[list[AnyTown]]:
    """Let one bot live on several stages at once, by its machine's time or another."""
    told = {name.removeprefix("KINFOLK_").lower(): value for one in stages for name, value in one.settings.items()}
    settings = Settings(_env_file=None, **{"home": home, "generator": "none", "playground": "off", **told, **more})
    async with open_app(settings) as app:
        app.clock = clock or app.clock
        app._encoder = CachedEncoder(HashingEncoder(), app.database)
        adapters = [one.open(app) for one in stages]
        life_of = await app.living(adapters)
        life = asyncio.create_task(life_of.run())
        try:
            async with contextlib.AsyncExitStack() as stack:
                towns = []
                for stage, adapter in zip(stages, adapters, strict=True):
                    async with asyncio.timeout(PATIENCE):
                        people = await stack.enter_async_context(stage.people(app, adapter, life))
                    towns.append(AnyTown(app=app, living=life_of, stage=stage, on=people))
                for town in towns:
                    await town.settled()
                yield towns
        finally:
            life_of.stop()
            await life
            for stage in stages:
                stage.ended()


def needs(town: AnyTown, *wanted: str) -> None:
    """Leave a story out where a platform has not got what it is about."""
    for one in wanted:
        if one in town.on.lacks:
            pytest.skip(town.on.lacks[one])
        if one[0].isupper() and one not in town.on.adapter.can:
            pytest.skip(f"{one} cannot be done there")
    if BUTTONS in wanted and "buttons" not in town.on.adapter.can:
        pytest.skip("there are no buttons there")


async def wants(town: AnyTown, **settings: str) -> None:
    """Have the owner set things up."""
    for setting, value in settings.items():
        told = await town.answer(town.on.owner, town.on.private, f"/setup {setting} {value}")
        assert "Done:" in told, told


async def in_mode(town: AnyTown, skill: str, mode: str) -> None:
    """Have the owner give a skill its mode."""
    told = await town.answer(town.on.owner, town.on.private, f"/mode {skill} {mode}")
    assert "Done:" in told, told
