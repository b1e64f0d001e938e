"""Digests are sent: many members in several goes, each once whatever crashes, in the channels that want one."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from bot.core.actions import (
    AskStaff,
    Edit,
    KeepAnswer,
    KeepSubscription,
    OpenDirect,
    RunSchedule,
    Say,
    SetConsent,
    SetSchedule,
)
from bot.core.decisions import Mode
from bot.core.events import ChannelChanged, MessageDeleted, Named, TimerFired, key
from bot.core.i18n import translator
from bot.core.policies import Policy
from bot.core.things import Audience, Rank, Ref
from bot.indexing import Index
from bot.jobs import SCHEDULES
from brains.rhythm.digester import Digester
from brains.skills import digest, staff, standing
from brains.skills.digest_letters import AT_ONCE
from brains.skills.digest_posts import since_when
from brains.skills.digest_sources import rest
from brains.skills.standing import TAKEN_BACK
from storage import channels, erasure, members, subscriptions, traces
from storage import standing as kept_standing
from storage.encodings import CachedEncoder
from storage.erasure import Forgotten
from storage.standing import Stale
from storage.tables import ActRow, MessageRow, TraceMemberRow, TraceRow
from storage.vectors import open_folder
from tests.hashing import HashingEncoder
from tests.recording import ANA, EVERYTHING, GENERAL, PLATFORM, STAFF, WEI, Plaza, SmallBot, small_bot
from tests.words import MONDAY

TALK = (
    "the rudder of my larch dinghy needs new pintles before the regatta",
    "which pintles fit the rudder of a larch dinghy, bronze or steel pintles?",
    "bronze pintles hold in salt water, steel pintles rust on the rudder",
)
DEN = Named(ref=Ref(PLATFORM, "den"), name="den", audience=Audience.MEMBERS)
SECRETS = (
    "the treasurer wants to sell the crane to the council before the crane inspection",
    "the council pays four thousand for the crane, and the crane inspection is theirs then",
)


class Writer:
    """Writes nothing that any quote supports, and counts how often it was asked to."""

    name = "writer"
    languages = frozenset({"en"})

    def __init__(self) -> None:
        self.asked = 0

    async def generate(self, turns, *, most=200, schema=None, temperature=0.0):
        self.asked += 1
        yield "The mayor sold nine hundred boats."


WRITER = Writer()


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with opened(home) as made:
        yield made


@contextlib.asynccontextmanager
async def opened(home: Path, *, plaza: Plaza | None = None) -> AsyncIterator[SmallBot]:
    """Open a bot whose members talk of a dinghy in the open and of a crane in a closed channel."""
    inner = HashingEncoder()
    vectors = open_folder(home / "vectors", inner.fingerprint, inner.size, idle=0.5)
    made: list[Digester] = []

    async def digester() -> Digester:
        return made[0]

    async def store():
        return vectors

    skills = (digest.SKILL, staff.SKILL, standing.SKILL)
    found = {"digester": digester, "vectors": store, "generator": WRITER}
    async with small_bot(home, skills=skills, plaza=plaza, **found) as small:
        encoder = CachedEncoder(inner, small.database)
        made.append(Digester(database=small.database, vectors=vectors, encoder=encoder))
        await small.follow(ChannelChanged(channel=DEN, at=small.clock.now(), revision=1))
        for number, words in enumerate(TALK):
            await small.follow(small.posted(words, by=(ANA, WEI)[number % 2]))
        for number, words in enumerate(SECRETS):
            await small.follow(replace(small.posted(words, by=(ANA, WEI)[number % 2]), channel=DEN))
        await Index(database=small.database, encoder=encoder, vectors=vectors).catch_up()
        small.clock.pass_by(60)
        yield small


def timer(bot: SmallBot, schedule: str) -> TimerFired:
    return TimerFired(schedule=schedule, planned=bot.clock.now(), at=bot.clock.now())


async def subscribe(bot: SmallBot, *who: Named) -> None:
    for one in who:
        wish = KeepSubscription(member=one.ref, about="digest", when="daily 8 UTC")
        assert (await bot.performer.keeper.act(bot.community, wish)).state == "done"


async def waiting(bot: SmallBot) -> int:
    async with bot.database.read() as connection:
        return len(await subscriptions.digests(connection, bot.community, bot.clock.now()))


def letters(bot: SmallBot) -> list[OpenDirect]:
    return [one for one in bot.plaza.done if isinstance(one, OpenDirect)]


async def test_many_are_written_to_in_several_goes_each_once(bot: SmallBot) -> None:
    crowd = [Named(ref=Ref(PLATFORM, f"m{n}x"), name=f"M{n}") for n in range(AT_ONCE * 2 + 1)]
    for one in crowd:
        await bot.follow(bot.joined(one))
    await subscribe(bot, *crowd)
    bot.clock.pass_by(timedelta(days=1).total_seconds())
    goes = []
    while await waiting(bot):
        trace = await bot.happens(timer(bot, "digest.personal"))
        assert trace is not None
        goes.append(any(isinstance(one.action, RunSchedule) for one in trace.verdict.rulings))
        bot.clock.pass_by(1)
    assert goes == [True, True, False], "it comes again while somebody waits"
    assert sorted(one.member.id for one in letters(bot)) == sorted(one.ref.id for one in crowd)
    assert all("pintles" in one.text and "crane" not in one.text for one in letters(bot))
    assert await bot.happens(timer(bot, "digest.personal")) is None


async def test_a_crash_after_the_note_sends_nothing_twice_and_nobody_who_refused_gets_one(bot: SmallBot) -> None:
    await subscribe(bot, ANA, WEI)
    await bot.performer.keeper.act(bot.community, SetConsent(member=WEI.ref, collected=False))
    bot.clock.pass_by(timedelta(days=1).total_seconds())
    bot.plaza.watch = _dies
    event = timer(bot, "digest.personal")
    with pytest.raises(asyncio.CancelledError):
        await bot.happens(event)
    bot.plaza.watch = None
    await bot.happens(event, attempts=1)
    story = await bot.story_of(key(event))
    assert [one.state for one in story.receipts] == ["done", "done", "unknown"]
    assert letters(bot) == []
    assert await waiting(bot) == 0


async def _dies(action: object) -> None:
    if isinstance(action, OpenDirect):
        raise asyncio.CancelledError


async def test_where_nothing_is_worth_a_line_nothing_is_sent_and_the_trace_says_so(bot: SmallBot) -> None:
    await subscribe(bot, ANA)
    bot.clock.pass_by(timedelta(days=40).total_seconds())
    trace = await bot.happens(timer(bot, "digest.personal"))
    assert trace is not None
    assert "for 1 nothing was worth a line" in trace.verdict.decisions[0].reason
    assert (letters(bot), await waiting(bot)) == ([], 0)


async def test_off_holds_back_what_members_asked_for_and_watch_does_not(bot: SmallBot) -> None:
    await subscribe(bot, ANA)
    bot.clock.pass_by(timedelta(days=1).total_seconds())
    await bot.mode("digest", Mode.OFF)
    assert await bot.happens(timer(bot, "digest.personal")) is None
    await bot.mode("digest", Mode.WATCH)
    await bot.happens(timer(bot, "digest.personal"))
    assert [one.member for one in letters(bot)] == [ANA.ref]


async def test_a_channel_has_its_own_digest_and_is_left_out_by_off(bot: SmallBot) -> None:
    await bot.mode("digest", Mode.ACT)
    await bot.tune("digest", "weekly", channel=str(DEN.ref))
    await bot.happens(timer(bot, "digest.weekly"))
    [own] = [one for one in bot.plaza.done if isinstance(one, Say)]
    assert (own.to, own.attachments) == (DEN.ref, ())
    assert "crane" in own.text
    assert "pintles" not in own.text
    await bot.tune("digest_channel", str(GENERAL.ref))
    await bot.tune("digest", "off", channel=str(DEN.ref))
    bot.clock.pass_by(1)
    await bot.happens(timer(bot, "digest.weekly"))
    community = [one for one in bot.plaza.done if isinstance(one, Say)][-1]
    assert community.to == GENERAL.ref
    assert community.attachments[0].data.startswith(b"\x89PNG")
    assert "pintles" in community.text
    assert "crane" not in community.text, "what members alone read is told in their channel only"
    await bot.tune("digest", "off", channel=str(GENERAL.ref))
    bot.clock.pass_by(1)
    before = len(bot.plaza.done)
    await bot.happens(timer(bot, "digest.weekly"))
    assert len(bot.plaza.done) == before


async def test_what_is_put_to_the_staff_keeps_no_picture_and_names_nobody_who_asked(bot: SmallBot) -> None:
    await bot.follow(ChannelChanged(channel=STAFF, at=bot.clock.now(), revision=2))
    await bot.tune("staff_channel", str(STAFF.ref))
    await bot.tune("digest_channel", str(GENERAL.ref))
    await bot.mode("digest", Mode.ASK)
    trace = await bot.happens(timer(bot, "digest.weekly"))
    assert trace is not None
    [card] = [one.action for one in await bot.acts(trace)]
    assert isinstance(card, AskStaff)
    [kept, say] = card.proposed
    assert isinstance(kept, KeepAnswer)
    assert kept.member is None
    assert isinstance(say, Say)
    assert say.attachments == ()
    assert kept.sources


async def test_what_the_staff_approves_is_said_whole_and_loses_only_what_is_gone(bot: SmallBot) -> None:
    await bot.follow(ChannelChanged(channel=STAFF, at=bot.clock.now(), revision=2))
    await bot.tune("staff_channel", str(STAFF.ref))
    await bot.tune("digest_channel", str(GENERAL.ref))
    await bot.mode("digest", Mode.ASK)
    asked = bot.posted("who has a spare loom for weaving a narrow woollen belt?", by=WEI)
    await bot.follow(asked)
    bot.clock.pass_by(60)
    trace = await bot.happens(timer(bot, "digest.weekly"))
    assert trace is not None
    [card] = [one.action for one in await bot.acts(trace)]
    assert isinstance(card, AskStaff)
    approve = next(one for one in card.buttons if one.press == "staff.approve")
    await bot.happens(bot.press(approve.token, rank=Rank.STAFF))
    [said] = [one for one in bot.plaza.done if isinstance(one, Say) and one.to == GENERAL.ref]
    assert said.text == card.proposed[1].text
    assert "pintles" in said.text
    assert "loom" in said.text
    await bot.follow(MessageDeleted(message=asked.message, channel=GENERAL, at=bot.clock.now()))
    await bot.happens(timer(bot, "sources"))
    mended = [one for one in bot.plaza.done if isinstance(one, Edit) and one.mends][-1]
    assert "loom" not in mended.text
    assert "pintles" in mended.text


async def test_what_the_staff_approves_late_repeats_nothing_that_is_gone(bot: SmallBot) -> None:
    await bot.follow(ChannelChanged(channel=STAFF, at=bot.clock.now(), revision=2))
    await bot.tune("staff_channel", str(STAFF.ref))
    await bot.tune("digest_channel", str(GENERAL.ref))
    await bot.mode("digest", Mode.ASK)
    asked = bot.posted("who has a spare loom for weaving a narrow woollen belt?", by=WEI)
    await bot.follow(asked)
    bot.clock.pass_by(60)
    for gone in ([asked.message], [Ref(PLATFORM, f"m{number}") for number in range(1, 4)]):
        trace = await bot.happens(timer(bot, "digest.weekly"))
        assert trace is not None
        [card] = [one.action for one in await bot.acts(trace)]
        assert isinstance(card, AskStaff)
        approve = next(one for one in card.buttons if one.press == "staff.approve")
        for message in gone:
            await bot.follow(MessageDeleted(message=message, channel=GENERAL, at=bot.clock.now()))
        bot.clock.pass_by(60)
        await bot.happens(bot.press(approve.token, rank=Rank.STAFF))
    [said] = [one for one in bot.plaza.done if isinstance(one, Say) and one.to == GENERAL.ref]
    assert "pintles" in said.text
    assert "loom" not in said.text
    assert "was changed or taken away" in bot.plaza.done[-1].text


async def standing_due(bot: SmallBot) -> list[Stale]:
    look = functools.partial(kept_standing.due, community=bot.community, since=MONDAY - timedelta(days=9))
    return await bot.database.look(functools.partial(look, now=bot.clock.now()))


async def test_a_digest_is_mended_that_lost_a_line_while_it_was_on_its_way(bot: SmallBot) -> None:
    await bot.mode("digest", Mode.ACT)
    await bot.tune("digest", "weekly", channel=str(GENERAL.ref))
    asked = bot.posted("who has a spare loom for weaving a narrow woollen belt?", by=WEI)
    await bot.follow(asked)
    bot.clock.pass_by(60)
    due: list[list[Stale]] = []

    async def lost(action: object) -> None:
        if isinstance(action, Say):
            await bot.follow(MessageDeleted(message=asked.message, channel=GENERAL, at=bot.clock.now()))
            due.append(await standing_due(bot))
            await bot.happens(timer(bot, "sources"))

    bot.plaza.watch = lost
    await bot.happens(timer(bot, "digest.weekly"))
    assert due == [[]], "there is no message yet that could be mended"
    bot.clock.pass_by(1)
    await bot.happens(timer(bot, "sources"))
    mended = bot.plaza.done[-1]
    assert isinstance(mended, Edit)
    assert "loom" not in mended.text
    assert "pintles" in mended.text


async def forgotten(bot: SmallBot, who: Named, home: Path) -> Forgotten:
    async with bot.database.read() as connection:
        member = await members.by_ref(connection, bot.community, who.ref)
    assert member is not None
    points = await bot.pipeline.faculties.vectors()
    done = await erasure.forget(bot.database, points, None, bot.community, member, home=home, now=bot.clock.now())
    assert done.left == 0
    bot.clock.pass_by(1)
    return done


async def kept(bot: SmallBot) -> str:
    """Return all that is kept of what was decided, done and said."""
    async with bot.database.read() as connection:
        tables = [await connection.execute(select(one)) for one in (TraceRow, ActRow, TraceMemberRow, MessageRow)]
        return "\n".join(str([tuple(row) for row in rows]) for rows in tables)


SAM = Named(ref=Ref(PLATFORM, "sam"), name="Sam Sheridan")
LOOM = "who has a spare loom for weaving a narrow woollen belt?"


async def test_a_digest_loses_the_line_of_who_is_forgotten_and_stays(bot: SmallBot, home: Path) -> None:
    await bot.mode("digest", Mode.ACT)
    await bot.tune("digest", "weekly", channel=str(GENERAL.ref))
    await bot.follow(bot.posted(LOOM, by=SAM))
    bot.clock.pass_by(60)
    await bot.happens(timer(bot, "digest.weekly"))
    assert "loom" in bot.plaza.said[-1]
    done = await forgotten(bot, SAM, home)
    assert (done.quoting, done.erased["digest"]) == ((), 1)
    left = await kept(bot)
    assert not [one for one in ("loom", "plaza:sam", "Sheridan") if one in left]
    assert "pintles" in left
    for gone in ((), ("m1", "m2", "m3")):
        for message in gone:
            await bot.follow(MessageDeleted(message=Ref(PLATFORM, message), channel=GENERAL, at=bot.clock.now()))
        await bot.happens(timer(bot, "sources"))
        mended = bot.plaza.done[-1]
        assert isinstance(mended, Edit)
        assert "loom" not in mended.text
        assert ("pintles" in mended.text) is (not gone)
        bot.clock.pass_by(1)
    assert await standing_due(bot) == []


async def test_a_line_that_went_already_takes_nothing_along_when_the_rest_of_it_is_lost(bot: SmallBot) -> None:
    await bot.mode("digest", Mode.ACT)
    await bot.tune("digest", "weekly", channel=str(GENERAL.ref))
    await bot.follow(bot.posted(LOOM, by=SAM))
    bot.clock.pass_by(60)
    await bot.happens(timer(bot, "digest.weekly"))
    assert "pintles" in bot.plaza.said[-1]
    for message in ("m1", "m2", "m3"):
        await bot.follow(MessageDeleted(message=Ref(PLATFORM, message), channel=GENERAL, at=bot.clock.now()))
        await bot.happens(timer(bot, "sources"))
        bot.clock.pass_by(1)
    mended = bot.plaza.done[-1]
    assert isinstance(mended, Edit)
    assert ("pintles" in mended.text, "loom" in mended.text) == (False, True)


@pytest.mark.parametrize(
    ("often", "when", "planned", "since"),
    [
        ("daily", "", "2026-03-09 08:00", "2026-03-08 08:00"),
        ("daily", "mon-fri 08:00", "2026-03-09 08:00", "2026-03-06 08:00"),
        ("weekly", "mon,thu 08:00", "2026-03-12 08:00", "2026-03-09 08:00"),
        ("weekly", "", "2026-03-11 17:21", "2026-03-04 17:21"),  # out of turn
        ("daily", "", "2026-10-25 08:00", "2026-10-24 08:00"),  # 25 hours
    ],
)
async def test_a_digest_goes_back_to_when_its_schedule_came_last(
    bot: SmallBot, often: str, when: str, planned: str, since: str
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    if when:
        await bot.performer.keeper.act(bot.community, SetSchedule(name=f"digest.{often}", value=when))
    context = SimpleNamespace(
        faculties=replace(bot.pipeline.faculties, schedules=SCHEDULES),
        community=bot.community,
        policy=Policy(time_zone="Europe/Berlin"),
    )
    moment = datetime.fromisoformat(planned).replace(tzinfo=berlin).astimezone(UTC)
    found = await since_when(context, often, moment)
    assert found.astimezone(berlin).replace(tzinfo=None) == datetime.fromisoformat(since)


async def test_letters_lose_the_line_of_who_is_forgotten_and_can_be_ended_still(bot: SmallBot, home: Path) -> None:
    await bot.follow(bot.posted(LOOM, by=SAM))
    await subscribe(bot, ANA, WEI, SAM)
    bot.clock.pass_by(timedelta(days=1).total_seconds())
    trace = await bot.happens(timer(bot, "digest.personal"))
    assert trace is not None
    assert ["loom" in one.text for one in letters(bot)] == [True, True, False], "questions of others are told"
    await forgotten(bot, SAM, home)
    left = await kept(bot)
    assert not [one for one in ("loom", "plaza:sam", "Sheridan") if one in left]
    assert [type(one.action) for one in await bot.acts(trace)] == [KeepSubscription, KeepAnswer, OpenDirect] * 2
    await bot.happens(timer(bot, "sources"))
    mended = [one for one in bot.plaza.done if isinstance(one, Edit)]
    assert {one.channel for one in mended} == {ANA.ref, WEI.ref}
    assert all("loom" not in one.text and "pintles" in one.text for one in mended)
    assert all([one.press for one in some.buttons] == ["digest.stop"] for some in mended)


async def test_a_letter_is_taken_back_whole_where_nobody_knows_any_more_what_it_said(home: Path) -> None:
    async with opened(home, plaza=Plaza(can=EVERYTHING | {standing.STAYS})) as bot:
        await subscribe(bot, WEI)
        bot.clock.pass_by(timedelta(days=1).total_seconds())
        trace = await bot.happens(timer(bot, "digest.personal"))
        assert trace is not None
        await bot.database.write(lambda connection: traces.erase(connection, [trace.id]))
        for message in ("m1", "m2", "m3"):
            await bot.follow(MessageDeleted(message=Ref(PLATFORM, message), channel=GENERAL, at=bot.clock.now()))
        await bot.happens(timer(bot, "sources"))
        mended = bot.plaza.done[-1]
        assert isinstance(mended, Edit)
        assert (mended.channel, mended.only, mended.text) == (WEI.ref, None, translator("zh_CN")(TAKEN_BACK))


async def test_the_staff_approves_the_digest_of_a_closed_channel_without_reading_it(bot: SmallBot) -> None:
    await bot.follow(ChannelChanged(channel=STAFF, at=bot.clock.now(), revision=2))
    await bot.tune("staff_channel", str(STAFF.ref))
    await bot.tune("digest", "weekly", channel=str(DEN.ref))
    await bot.mode("digest", Mode.ASK)
    trace = await bot.happens(timer(bot, "digest.weekly"))
    assert trace is not None
    [card] = [one.action for one in await bot.acts(trace)]
    assert isinstance(card, AskStaff)
    assert "crane" not in card.text
    approve = next(one for one in card.buttons if one.press == "staff.approve")
    await bot.happens(bot.press(approve.token, rank=Rank.STAFF))
    [said] = [one for one in bot.plaza.done if isinstance(one, Say) and one.to == DEN.ref]
    assert "crane" in said.text


async def test_a_letter_that_is_mended_can_be_ended_by_its_button_still(bot: SmallBot) -> None:
    asked = bot.posted("who has a spare loom for weaving a narrow woollen belt?", by=WEI)
    await bot.follow(asked)
    await subscribe(bot, ANA)
    bot.clock.pass_by(timedelta(days=1).total_seconds())
    await bot.happens(timer(bot, "digest.personal"))
    assert "loom" in letters(bot)[0].text
    await bot.follow(MessageDeleted(message=asked.message, channel=GENERAL, at=bot.clock.now()))
    await bot.happens(timer(bot, "sources"))
    [mended] = [one for one in bot.plaza.done if isinstance(one, Edit)]
    assert "loom" not in mended.text
    assert [one.press for one in mended.buttons] == ["digest.stop"]
    await bot.happens(bot.press(mended.buttons[0].token))
    bot.clock.pass_by(timedelta(days=1).total_seconds())
    assert await waiting(bot) == 0


async def test_a_message_that_changed_while_a_digest_was_made_is_not_quoted(bot: SmallBot) -> None:
    await bot.mode("digest", Mode.ACT)
    await bot.tune("digest", "weekly", channel=str(GENERAL.ref))
    made = await bot.pipeline.faculties.digester()
    context = SimpleNamespace(faculties=bot.pipeline.faculties)
    reach = await bot.database.look(functools.partial(channels.reach, community=bot.community, reader=None))
    found = await made.look(bot.community, reach, since=MONDAY - timedelta(days=9), until=bot.clock.now())
    assert (await rest(context, reach.scope, found)).digest.lines
    cited = {one.source: one for line in found.lines for one in line.quotes}
    for source in cited:
        changed = update(MessageRow).where(col(MessageRow.ref) == str(source)).values(text="something else")
        await bot.database.write(lambda connection, changed=changed: connection.execute(changed))
    assert (await rest(context, reach.scope, found)).digest.lines == ()


async def test_the_generator_writes_for_who_asks_alone_where_words_are_wanted(bot: SmallBot) -> None:
    WRITER.asked = 0
    await bot.happens(bot.command("digest", days="7"))
    assert WRITER.asked == 0
    assert not (await bot.pipeline.faculties.digester())._held, "nobody asks for this very moment again"
    await bot.tune("answers", "words")
    await subscribe(bot, ANA)
    bot.clock.pass_by(timedelta(days=1).total_seconds())
    await bot.happens(timer(bot, "digest.personal"))
    assert WRITER.asked == 0
    await bot.happens(bot.command("digest", days="7"))
    assert WRITER.asked > 0
    assert "mayor" not in bot.plaza.said[-1], "nobody said so"
    assert "pintles" in bot.plaza.said[-1]
