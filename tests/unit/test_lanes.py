"""The flow: each lane in order, lanes side by side, nothing lost or repeated while something is away."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import col, select

from bot.ahead import Ahead
from bot.core.actions import Say, SetConsent
from bot.core.decisions import Decision, Mode, Receipt
from bot.core.errors import Gone, Unavailable
from bot.core.events import Arrival, MessageDeleted, MessageEdited, MessagePosted, ReactionAdded
from bot.core.ports import Delivery
from bot.core.things import Audience, Ref
from bot.lanes import Lanes
from brains.skills.skill import Context, Skill
from storage.following import Followings
from storage.inbox import Inbox, _free_all, waiting
from storage.refusals import Refusals
from storage.tables import InboxRow, MessageRow
from tests.hashing import HashingEncoder
from tests.recording import ANA, GENERAL, PLATFORM, SPACE, STAFF, WEI, SmallBot, small_bot

MARMALADE = "my marmalade never sets"
handled: list[str] = []
gates: dict[str, asyncio.Event] = {}
begun: dict[str, asyncio.Event] = defaultdict(asyncio.Event)


async def _note(context: Context) -> Decision:
    event = context.event
    assert isinstance(event, MessagePosted)
    begun[event.text].set()
    if gate := gates.get(event.text):
        await gate.wait()
    vector = await context.vector()
    handled.append(event.text)
    say = Say(to=event.channel.ref, text=f"{event.text} {vector is not None}")
    return Decision(skill="note", actions=(say,), reason="noted")


NOTE = Skill(name="note", purpose="notes", propose=_note, hears=(MessagePosted,), patience=30)


class Flow:
    """Lanes that run, and the stream that feeds them."""

    def __init__(self, bot: SmallBot) -> None:
        self.bot = bot
        self.encoder = HashingEncoder()
        self.followings = Followings(bot.clock, bot.refusals)
        self.inbox = Inbox(bot.database, clock=bot.clock, holder="test", followings=self.followings)
        self.ahead = Ahead(self._open)
        self.lanes = Lanes(
            database=bot.database,
            stream=self.inbox,
            pipeline=bot.pipeline,
            ahead=self.ahead,
            clock=bot.clock,
            followings=self.followings,
        )

    async def _open(self) -> HashingEncoder:
        return self.encoder

    async def put(self, text: str, **more) -> None:
        event = self.bot.posted(text)
        await self.inbox.put(Arrival(space=SPACE, event=replace(event, **more)))

    async def until_done(self) -> None:
        """Wait until every lane is empty and nothing waits in the stream."""
        async with asyncio.timeout(20):
            while await self._waiting():
                await self.lanes._empty.wait()
                await asyncio.sleep(0)

    async def _waiting(self) -> int:
        async with self.bot.database.read() as connection:
            return await waiting(connection)


@pytest.fixture
async def flow(home: Path) -> AsyncIterator[Flow]:
    handled.clear()
    gates.clear()
    begun.clear()
    async with small_bot(home, skills=(NOTE,)) as bot:
        await bot.mode("note", Mode.ACT)
        flow = Flow(bot)
        running = [asyncio.create_task(part) for part in (flow.lanes.run(), flow.ahead.run())]
        yield flow
        for task in running:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*running)


async def test_a_channel_keeps_its_order_and_does_not_wait_for_another(flow: Flow) -> None:
    gates["first"] = asyncio.Event()
    await flow.put("first")
    await flow.put("second")
    await flow.put("elsewhere", channel=STAFF)
    await begun["elsewhere"].wait()
    await begun["first"].wait()
    assert not begun["second"].is_set()
    gates["first"].set()
    await flow.until_done()
    assert [text for text in handled if text != "elsewhere"] == ["first", "second"]


async def test_what_humans_say_in_the_open_is_encoded_ahead_and_nothing_else(flow: Flow) -> None:
    secret = replace(GENERAL, ref=Ref(PLATFORM, "dm"), audience=Audience.DIRECT)
    await flow.put("out loud")
    await flow.put("between us", channel=secret)
    await flow.put("beep", author=replace(flow.bot.posted("").author, ref=Ref(PLATFORM, "r"), bot=True))
    await flow.until_done()
    assert sorted(flow.bot.plaza.said) == ["between us False", "out loud True"]
    assert flow.encoder.asked == ["out loud"]
    async with flow.bot.database.read() as connection:
        rows = await connection.execute(MessageRow.__table__.select())
        assert sorted(row.text for row in rows) == ["beep", "out loud"], "of a direct conversation nothing is kept"


async def test_a_full_disk_between_act_and_receipt_repeats_no_speech(flow: Flow) -> None:
    full = [True]
    write = flow.bot.database.write

    async def refuses(work, **more):
        if full and flow.bot.plaza.done:
            full.pop()
            raise Unavailable("The disk is full.")
        return await write(work, **more)

    flow.bot.database.write = refuses
    await flow.put("once")
    await flow.until_done()
    assert flow.bot.plaza.said == ["once True"]
    assert handled == ["once"]
    trace = await flow.bot.trace_of(f"posted {PLATFORM}:m1")
    assert trace is not None
    assert [act.state for act in await flow.bot.acts(trace)] == ["unknown"]


async def test_what_is_posted_and_deleted_while_the_disk_is_full_does_not_come_back_after_a_start(flow: Flow) -> None:
    """If only the message came again, its deletion would be undone."""
    full = [True]
    done = flow.inbox.done

    async def refuses(delivery: Delivery) -> None:
        if full:
            full.pop()
            raise Unavailable("The disk is full.")
        await done(delivery)

    flow.inbox.done = refuses
    await flow.put("regretted")
    posted = flow.bot.posted("")
    gone = MessageDeleted(message=Ref(PLATFORM, "m1"), channel=GENERAL, at=posted.at)
    await flow.inbox.put(Arrival(space=SPACE, event=gone))
    await flow.put("after it")
    await begun["after it"].wait()
    await flow.lanes.drain()
    await flow.bot.database.write(_free_all)
    again = Inbox(flow.bot.database, clock=flow.bot.clock, holder="next")
    await again._look(10)
    assert [one.arrival.event for one in again._fresh] == []


async def test_one_event_that_breaks_the_pipeline_ends_no_lane(flow: Flow, caplog: pytest.LogCaptureFixture) -> None:
    def breaks(_trace) -> None:
        if flow.bot.plaza.said[-1].startswith(MARMALADE):
            raise ValueError(MARMALADE)

    flow.bot.pipeline.watchers.append(breaks)
    await flow.put(MARMALADE)
    await flow.put("after it")
    await flow.until_done()
    assert handled == [MARMALADE, "after it"]
    assert "is passed over" in caplog.text
    assert "marmalade" not in caplog.text


class Cursed(Refusals):
    """Refusals that cannot be read when a member of this name comes by."""

    async def refused(self, connection, community, members):
        if any("cursed" in str(member) for member in members):
            raise KeyError(MARMALADE)
        return await super().refused(connection, community, members)


async def test_an_event_that_cannot_be_stored_is_passed_over_alone(
    flow: Flow, caplog: pytest.LogCaptureFixture
) -> None:
    flow.followings._refusals = Cursed(flow.bot.refusals._secret)
    await flow.put("before")
    await flow.put(MARMALADE, author=replace(ANA, ref=Ref(PLATFORM, "cursed")))
    await flow.put("after")
    await flow.until_done()
    assert handled == ["before", "after"]
    assert "cannot be stored and is passed over: KeyError" in caplog.text
    assert "marmalade" not in caplog.text


async def test_a_platform_that_is_away_costs_its_act_and_not_its_lane(flow: Flow) -> None:
    flow.bot.plaza.script += [Gone("away"), Receipt(state="failed", error="no")]
    for text in ("one", "two", "three"):
        await flow.put(text)
    await flow.until_done()
    assert handled == ["one", "two", "three"]
    assert flow.bot.plaza.said == ["three True"]


async def test_draining_finishes_what_was_begun_and_leaves_the_rest_in_the_stream(flow: Flow) -> None:
    gates["begun"] = asyncio.Event()
    await flow.put("begun")
    await begun["begun"].wait()
    draining = asyncio.create_task(flow.lanes.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    gates["begun"].set()
    await draining
    assert handled == ["begun"]


async def test_what_nobody_may_keep_is_not_encoded_ahead(flow: Flow) -> None:
    await flow.put("collected")
    await flow.until_done()
    off = SetConsent(member=ANA.ref, collected=False)
    assert (await flow.bot.performer.keeper.act(flow.bot.community, off)).state == "done"
    await flow.put("kept from you")
    await flow.until_done()
    assert flow.bot.plaza.said == ["collected True", "kept from you False"]
    assert flow.encoder.asked == ["collected"]


async def test_an_edit_of_who_is_not_collected_is_not_encoded_ahead(flow: Flow) -> None:
    await flow.put("collected")
    await flow.until_done()
    off = SetConsent(member=ANA.ref, collected=False)
    assert (await flow.bot.performer.keeper.act(flow.bot.community, off)).state == "done"
    at = flow.bot.posted("").at
    for revision, (message, author) in enumerate((("m1", ANA), ("m1", WEI), ("m9", ANA)), start=1):
        words = {"message": Ref(PLATFORM, message), "author": author, "text": f"{author.name} edits"}
        edit = MessageEdited(**words, channel=GENERAL, at=at, revision=revision)
        await flow.inbox.put(Arrival(space=SPACE, event=edit))
    await flow.until_done()
    assert flow.encoder.asked == ["collected", "李伟 edits"]


async def test_a_deletion_that_overtook_its_message_takes_it_away_all_the_same(home: Path) -> None:
    """What waited in the table is claimed before it is followed; what comes meanwhile is followed at once."""
    async with small_bot(home, skills=()) as bot:
        followings = Followings(bot.clock, bot.refusals)
        inbox = Inbox(bot.database, clock=bot.clock, holder="test", followings=followings)
        gone, kept = bot.posted("gone already"), bot.posted("still there")
        for event in (gone, kept):
            await inbox.put(Arrival(space=SPACE, event=event))
        late = await inbox.claim(5)
        assert [one.followed for one in late] == [None, None]
        deleted = MessageDeleted(message=gone.message, channel=gone.channel, at=gone.at)
        await inbox.put(Arrival(space=SPACE, event=deleted))
        arrivals = [one.arrival for one in late]
        followed = await bot.database.write(lambda connection: followings.store_late(connection, arrivals))
        assert [one.collected for one in followed] == [False, True]
        async with bot.database.read() as connection:
            assert list(await connection.scalars(select(col(MessageRow.text)))) == ["still there"]


async def test_what_is_read_up_later_is_not_stored_where_it_was_deleted_meanwhile(home: Path) -> None:
    async with small_bot(home, skills=()) as bot:
        inbox = Inbox(bot.database, clock=bot.clock, holder="test", followings=Followings(bot.clock, bot.refusals))
        await inbox.put(Arrival(space=SPACE, event=bot.posted("the first goes by the table")))
        await inbox.claim(5)
        gone, kept = bot.posted("gone already"), bot.posted("still there")
        await inbox.put(
            Arrival(space=SPACE, event=MessageDeleted(message=gone.message, channel=gone.channel, at=gone.at))
        )
        for event in (gone, kept):
            await inbox.put(Arrival(space=SPACE, event=event, live=False))
        async with bot.database.read() as connection:
            assert list(await connection.scalars(select(col(MessageRow.text)))) == ["still there"]


async def test_of_whom_nothing_may_be_held_the_inbox_tells_nothing_either(flow: Flow) -> None:
    bot = flow.bot
    await flow.put("hello")
    await flow.until_done()
    await bot.database.write(lambda c: bot.refusals.refuse(c, bot.community, WEI.ref))
    said, mine = bot.posted("words", by=WEI), bot.posted("mine")
    liked = ReactionAdded(message=said.message, channel=GENERAL, member=WEI, emoji="x", at=said.at, sequence=1)
    for event in (said, liked, mine):
        await flow.inbox.put(Arrival(space=SPACE, event=event))
    await flow.until_done()
    async with bot.database.read() as connection:
        rows = (await connection.execute(select(col(InboxRow.key), col(InboxRow.actor), col(InboxRow.event)))).all()
    assert [row for row in rows if "wei" in f"{row.key} {row.actor} {row.event}"] == []
    assert [row.actor for row in rows if row.key == f"posted {said.message}"] == [""]
    assert [row.actor for row in rows if row.key == f"posted {mine.message}"] == [str(ANA.ref)]
