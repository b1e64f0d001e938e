"""The living bot in a town of our own: the sample community on the playground, and what its members do and see.

Everything is real: the inbox, the lanes, the index, the skills, the platform with its rules. The encoder counts words
unless a story asks for the model.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import update
from sqlmodel import col

from adapters.playground import Playground
from adapters.playground.asked import Arrive, Asked, Join, Press, Speak, Use, Write
from adapters.playground.space import Post, Room, sees, sees_post
from bot import harbour
from bot.app import App, open_app
from bot.core.decisions import Trace
from bot.core.errors import Mistake
from bot.core.ports import Adapter
from bot.core.settings import Settings
from bot.core.things import Community, Member
from bot.living import Living
from bot.platforms import playground
from storage import channels, feedback, inbox, members, traces
from storage.encodings import CachedEncoder
from storage.tables import MemberRow
from tests.command import Kinfolk
from tests.hashing import HashingEncoder

PATIENCE = 60.0
"""Seconds after which a story that stands still has failed."""
LEFT_BEHIND = shutil.ignore_patterns("*.sock", "*.lock", "*.pid")
"""What belongs to the processes of the home that is copied."""
Beside = Callable[[App], Sequence[Adapter]]
OWNER, STAFF, MEMBER = "ana", "sam.o", "marta"
"""Who is what in the sample: the first of the staff's room owns the place."""
ROOMS = {
    OWNER: {"general", "introductions", "repair-cafe", "staff-room"},
    STAFF: {"3d-printing", "board-games", "film-club", "general", "introductions", "jobs-and-gigs", "staff-room"},
    MEMBER: {"bread-and-ferments", "introductions"},
}
"""Who is in which channels when a story begins: those where they wrote. Elsewhere they join before they write."""


@dataclass(frozen=True, kw_only=True)
class Town:
    """The bot and its platform while they live."""

    app: App
    living: Living
    page: Playground

    # What members do

    async def says(self, who: str, channel: str, text: str, *, reply_to: Post | None = None) -> str:
        answered = reply_to.id if reply_to else ""
        room = self.room(channel).id
        return await self.does(Write(deed="write", by=who, room=room, text=text, reply_to=answered))

    async def command(self, who: str, channel: str, line: str) -> str:
        """Give a command and return the answer to it."""
        return await self._answer(who, Use(deed="use", by=who, room=self.room(channel).id, line=line))

    async def press(self, who: str, label: str) -> str:
        """Press the newest button that is called so and return the answer, empty where there is none."""
        post = next(one for one in reversed(self._posts(who)) if any(b.label == label for b in one.buttons))
        return await self._answer(who, self.pressing(who, post, label))

    def pressing(self, who: str, post: Post, label: str) -> Press:
        token = next(button.token for button in post.buttons if button.label == label)
        return Press(deed="press", by=who, message=post.id, token=token)

    async def arrives(self, name: str, language: str = "en") -> str:
        return await self.does(Arrive(deed="arrive", name=name, language=language))

    async def joins(self, who: str, channel: str) -> None:
        await self.does(Join(deed="join", by=who, room=self.room(channel).id))

    async def speaks(self, who: str, language: str) -> None:
        """Set a member's language on the platform."""
        await self.does(Speak(deed="speak", by=who, language=language))

    async def does(self, asked: Asked) -> str:
        """Do something and wait until the bot is done with it and with all that followed."""
        made = await self.page._do(asked)
        await self.settled()
        return made

    async def _answer(self, who: str, asked: Asked) -> str:
        before = {post.id for post in self._posts(who)}
        await self.does(asked)
        return "\n".join(post.text for post in self._posts(who) if post.id not in before)

    # What members see

    def sees(self, who: str, channel: str) -> list[Post]:
        """Return what a member sees in a channel, oldest first."""
        room = self.room(channel)
        return [post for post in self._posts(who) if post.room == room.id]

    def last(self, who: str, channel: str) -> Post:
        return self.sees(who, channel)[-1]

    def labels(self, who: str, channel: str) -> list[str]:
        """Return what the buttons of the newest message say."""
        return [button.label for button in self.last(who, channel).buttons]

    def is_in(self, who: str, channel: str) -> bool:
        return who in self.room(channel).members

    def room(self, name: str) -> Room:
        return next(room for room in self.page._space.rooms.values() if room.named.name == name)

    def _posts(self, who: str) -> list[Post]:
        space = self.page._space
        account = space.account(who)
        rooms = [room for room in space.rooms_of(who) if sees(account, room)]
        posts = [space.posts[name] for room in rooms for name in space.rows(room.id)]
        shown = [post for post in posts if sees_post(account, space.room(post.room), post) and not post.deleted_by]
        return sorted(shown, key=lambda post: (post.at, post.id))

    # What is behind it

    async def settled(self) -> None:
        """Wait until nothing waits: every event is handled."""
        async with asyncio.timeout(PATIENCE):
            while await self._count(inbox.waiting):
                await self.living.lanes._empty.wait()
                await asyncio.sleep(0)

    async def indexed(self) -> None:
        """Write every message that waits to the vectors."""
        await (await self.app.index()).catch_up()

    async def community(self) -> Community:
        async with self.app.database.read() as connection:
            return await harbour.found(connection)

    async def member(self, who: str) -> Member:
        async with self.app.database.read() as connection:
            return await members.find(connection, await self.community(), f"playground:{who}")

    async def is_guest(self, who: str) -> None:
        """Let a member be a guest, who reads only the channels that they are in."""
        theirs = update(MemberRow).where(col(MemberRow.ref) == f"playground:{who}").values(guest=True)
        await self.app.database.write(lambda connection: connection.execute(theirs))

    async def opinions(self, who: str) -> dict[str, str]:
        """Return what a member thinks of the channels that were suggested, by name."""
        member = await self.member(who)
        async with self.app.database.read() as connection:
            rooms = await channels.every(connection, await self.community())
            return {rooms[number].name: said for number, said in (await feedback.of(connection, member.id)).items()}

    async def latest(self, channel: str) -> Trace:
        """Return the latest trace of a channel."""
        async with self.app.database.read() as connection:
            found = await traces.latest(connection, await self.community(), channel=self.room(channel).named.ref)
        return found[0]

    async def _count(self, count: Callable) -> int:
        async with self.app.database.read() as connection:
            return await count(connection)


def _settings(home: Path, **more: str) -> Settings:
    return Settings(_env_file=None, **{"home": home, "generator": "none", **more})


async def found(home: Path) -> None:
    """Found the town: load the sample, write its vectors, learn where people belong; once for all stories of a run."""
    async with open_app(_settings(home)) as app:
        _count_words(app)
        await harbour.prepare(app.database, app.clock, home)
        await (await app.index()).catch_up()
        async with app.database.read() as connection:
            community = await harbour.found(connection)
        async for _offers in (await app.matchmaker("en")).for_texts(community, ["a kettle"], k=1):
            pass


def _count_words(app: App) -> None:
    app._encoder = CachedEncoder(HashingEncoder(), app.database)


@contextlib.asynccontextmanager
async def town(
    founded: Path, home: Path, *, model: bool = False, beside: Beside = lambda _app: (), **settings: str
) -> AsyncIterator[Town]:
    """Let the bot live in a copy of the town, until the story is told. With `model` the real encoder is asked.

    `beside` gives the adapters of other platforms on which it lives too.
    """
    await asyncio.to_thread(shutil.copytree, founded, home, symlinks=True, ignore=LEFT_BEHIND, dirs_exist_ok=True)
    try:
        async with open_app(_settings(home, **settings)) as app:
            if not model:
                _count_words(app)
            page = playground(app)
            page._port = 0
            living = await app.living([page, *beside(app)])
            life = asyncio.create_task(living.run())
            try:
                async with asyncio.timeout(PATIENCE):
                    await page.open.wait()
                yield Town(app=app, living=living, page=page)
            finally:
                living.stop()
                await life
    finally:
        await asyncio.to_thread(Kinfolk(home=home).end_companions)


__all__ = ["MEMBER", "OWNER", "ROOMS", "STAFF", "Mistake", "Town", "found", "town"]
