"""`/privacy` from a member's side: what it says, what it does, and that it proves what it says."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pytest

from bot.core.actions import Action, Attachment, Button, Delete, Edit, OpenDirect, Say
from bot.core.clock import SystemClock
from bot.core.counts import Counts
from bot.core.decisions import Receipt
from bot.core.events import Arrival, ButtonPressed, CommandGiven, Named
from bot.core.ports import Delivery, Followed, Limits
from bot.core.things import Rank, Ref
from bot.keeping import Keeper
from bot.metrics import Figures
from bot.perform import Performer
from bot.pipeline import Pipeline
from brains.knowledge.retrieval import Retrieval
from brains.skills import privacy
from brains.skills.skill import Faculties
from storage import erasure, members, policies, refusals
from storage.following import Following
from storage.tables import TraceRow
from tests.finding import find
from tests.tables import open_database
from tests.unit.remembering import ANA, COLM, DIRECT, GENERAL, RIVETS, SECRETS, SPACE, Harbour, harbour, posted

pytestmark = pytest.mark.slow

CLOCK = SystemClock()
WIDE = Limits(chat=((1000, 1.0),), overall=(1000, 1.0))


@dataclass
class Room:
    """A platform of which only the walls stand: it keeps what was said and done there."""

    platform: str = "discord"
    can: frozenset[str] = frozenset({"Say", "Edit", "Delete", "OpenDirect", "only", "buttons", "files"})
    limits: Limits = WIDE
    done: list[Action] = field(default_factory=list)
    broken: tuple[type[Action], ...] = ()

    async def act(self, action: Action) -> Receipt:
        if isinstance(action, self.broken):
            return Receipt(state="failed", error="the platform says no")
        self.done.append(action)
        return Receipt(state="done", made=Ref("discord", f"h/said{len(self.done)}"))

    def said(self) -> str:
        """Return what was said last, as it stands after edits."""
        return next(one.text for one in reversed(self.done) if isinstance(one, Say | Edit | OpenDirect))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A member's conversation with the bot."""

    town: Harbour
    room: Room
    pipeline: Pipeline
    refused: refusals.Refusals

    async def command(self, choice: str = "", *, by: Named = COLM, where: Named = GENERAL, language: str = "") -> str:
        event = CommandGiven(
            command="privacy",
            arguments={"choice": choice} if choice else {},
            member=replace(by, language=language),
            rank=Rank.MEMBER,
            channel=where,
            at=CLOCK.now(),
            invocation=Ref("discord", uuid4().hex),
        )
        await self.happens(event)
        return self.room.said()

    async def press(self, label: str, *, by: Named = COLM, where: Named = GENERAL) -> str:
        event = ButtonPressed(
            button=self.button(label).token,
            message=Ref("discord", "h/said1"),
            member=by,
            rank=Rank.MEMBER,
            channel=where,
            at=CLOCK.now(),
            invocation=Ref("discord", uuid4().hex),
        )
        await self.happens(event)
        return self.room.said()

    def button(self, label: str) -> Button:
        shown = [button for one in self.room.done if isinstance(one, Say) for button in one.buttons]
        return next(button for button in reversed(shown) if button.label == label)

    async def happens(self, event: CommandGiven | ButtonPressed) -> None:
        following = Following(self.town.community, CLOCK.now(), self.refused)

        async def follow(connection) -> list[Followed]:
            await following.begin(connection)
            return await following.follow(connection, [event])

        [followed] = await self.town.database.write(follow)
        nothing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        nothing.set_result(None)
        delivery = Delivery(id=1, arrival=Arrival(space=SPACE, event=event), received_at=CLOCK.now(), followed=followed)
        await self.pipeline.handle(delivery, nothing)

    async def search(self, query: str) -> list[str]:
        retrieval = Retrieval(
            database=self.town.database, vectors=self.town.index.vectors, encoder=self.town.index.encoder
        )
        return [one.message.text for one in await find(retrieval, self.town.community, query, limit=3)]

    async def hears(self, text: str, key: str) -> None:
        following = Following(self.town.community, CLOCK.now(), self.refused)

        async def follow(connection) -> None:
            await following.begin(connection)
            await following.follow(connection, [posted(key, COLM, text, 99)])

        await self.town.database.write(follow)


@pytest.fixture
async def chat(home: Path) -> AsyncIterator[Chat]:
    async with open_database(home) as database:
        town = await harbour(database, home)
        refused, room = await refusals.load(home), Room()

        async def give(thing: object) -> object:
            return thing

        async def erase(community, member) -> None:
            vectors, fingerprint = town.index.vectors, town.index.encoder.fingerprint
            await erasure.forget(database, vectors, fingerprint, community, member, home=home, now=CLOCK.now())

        performer = Performer(
            database=database,
            adapters={"discord": room},
            keeper=Keeper(database=database, clock=CLOCK, erase=erase, refusals=refused),
            clock=CLOCK,
            figures=Figures(Counts(CLOCK)),
        )
        faculties = Faculties(
            database=database,
            encoder=functools.partial(give, town.index.encoder),
            vectors=functools.partial(give, town.index.vectors),
            matchmaker=give,
        )
        pipeline = Pipeline(
            database=database,
            performer=performer,
            skills=(privacy.SKILL,),
            faculties=faculties,
            clock=CLOCK,
            language="en",
        )
        yield Chat(town=town, room=room, pipeline=pipeline, refused=refused)
        await town.index.vectors.close()


async def test_how_things_stand(chat: Chat) -> None:
    told = await chat.command()
    assert "I collect what you write" in told
    assert "I hold 3 messages of yours." in told
    assert chat.room.done[-1].only == COLM.ref, "nobody else sees it"
    assert [button.label for button in chat.room.done[-1].buttons] == [
        "Collect nothing",
        "Send me everything",
        "Erase everything …",
    ]
    assert "我保存了你的 3 条消息。" in await chat.command(language="zh-CN")


async def test_off_holds_from_this_moment_and_on_takes_it_back(chat: Chat) -> None:
    assert RIVETS in await chat.search(RIVETS)
    assert "From this moment" in await chat.command("off")
    assert RIVETS not in await chat.search(RIVETS)
    await chat.hears("a new plank", "m8")
    assert "a new plank" not in await chat.town.everything()
    assert "I collect nothing you write" in await chat.command()
    await chat.press("Collect again")
    assert RIVETS in await chat.search(RIVETS)
    await chat.hears("a new plank", "m8")
    assert "a new plank" in await chat.town.everything()


async def test_export_is_a_file_for_them_alone(chat: Chat) -> None:
    await chat.command("export")
    said = chat.room.done[-1]
    [file] = said.attachments
    assert (said.only, file.name) == (COLM.ref, "kinfolk-export.json")
    assert RIVETS in [one["text"] for one in json.loads(file.data)["message"]]
    assert Attachment(name=file.name, data=file.data, instead=file.instead) == file
    await chat.command("export", where=DIRECT)
    assert chat.room.done[-1].only is None, "a direct conversation needs no whispering, and files come along"
    assert chat.room.done[-1].attachments


async def test_forgetting_is_asked_once_and_then_proved(chat: Chat) -> None:
    asked = await chat.command("forget")
    assert "3 messages" in asked
    assert await chat.press("Keep it") == "Nothing was erased."
    assert RIVETS in await chat.town.everything()
    await chat.command("forget")
    proof = await chat.press("Erase everything")
    assert "messages: 4" in proof
    assert proof.splitlines()[-1] == "I looked again, everywhere: 0 left."
    everything = await chat.town.everything()
    assert [one for one in SECRETS if one in everything] == []
    assert Delete(message=Ref("discord", "h/b1"), channel=GENERAL.ref) in chat.room.done
    assert await chat.town.count(TraceRow) == 1, "the trace of the forget itself is gone too"


async def test_who_was_forgotten_is_answered_and_collected_only_when_they_say_so(chat: Chat) -> None:
    await chat.command("forget")
    await chat.press("Erase everything")
    await chat.hears("a new plank", "m8")
    assert await chat.town.member(COLM) is None
    assert "I hold 0 messages of yours." in await chat.command()
    await chat.hears("a new plank", "m8")
    assert "a new plank" not in await chat.town.everything()
    await chat.command("on")
    await chat.hears("a new plank", "m8")
    assert "a new plank" in await chat.town.everything()


async def test_only_who_asked_may_press(chat: Chat) -> None:
    await chat.command("forget")
    assert "somebody else's" in await chat.press("Erase everything", by=ANA)
    assert await chat.town.member(COLM) is not None
    assert "0 left" in await chat.press("Erase everything")


async def test_what_a_platform_does_not_take_back_leaves_nothing_here(chat: Chat) -> None:
    chat.room.broken = (Delete,)
    await chat.command("forget")
    assert "the platform says no" in await chat.press("Erase everything")
    assert "0 left" in chat.room.done[-2].text
    everything = await chat.town.everything()
    assert [one for one in SECRETS if one in everything] == []


async def test_consent_that_is_needed_first_is_told(chat: Chat) -> None:
    await chat.town.database.write(lambda c: policies.put(c, chat.town.community, name="consent", value="opt_in"))
    assert "who does not say yes" in await chat.command(by=ANA)
    ana = await chat.town.member(ANA)
    await chat.town.database.write(lambda c: members.set_consent(c, ana.id, collected=None, now=CLOCK.now()))
    assert "I collect nothing you write" in await chat.command(by=ANA)
