"""Alerts in a small bot: a spike is told once, muted, read by staff alone; quiet and restarts are silent."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.core.actions import AskStaff, Delete, Edit, KeepAlert, KeepWatchword, Say, Subject
from bot.core.decisions import Mode, Trace
from bot.core.events import ButtonPressed, MessageDeleted, MessagePosted, Named, TimerFired
from bot.core.things import Audience, Rank, Ref
from brains.rhythm.lookout import SAMPLE
from brains.skills import alerts as skill
from brains.skills import pulse, staff
from storage import alerts, members, watchlists
from tests.recording import ANA, GENERAL, PLATFORM, STAFF, WEI, SmallBot, small_bot

CLOSED = Named(ref=STAFF.ref, name="staff", audience=Audience.MEMBERS)
TALK = "has anybody seen the ferry timetable for this week"
OUTAGE = ("the wifi on the pier is down", "no wifi on the pier here either", "pier wifi down again", "码头的网络又断了")
PERIOD = timedelta(minutes=5)


def member(number: int) -> Named:
    return Named(ref=Ref(PLATFORM, f"u{number}"), name=f"User {number}")


def said(at: datetime, text: str, by: Named, key: str, channel: Named = GENERAL) -> MessagePosted:
    ref = Ref(PLATFORM, f"{channel.ref.id}-{key}")
    return MessagePosted(message=ref, channel=channel, author=by, text=text, at=at, source=PLATFORM)


def history(now: datetime, *, days: int = 40, channel: Named = GENERAL) -> list[MessagePosted]:
    """Two messages a day by four members, until yesterday."""
    hours = [now - timedelta(days=day, hours=hour) for day in range(days, 0, -1) for hour in (5, 1)]
    return [said(at, f"{TALK} {n}", member(n % 4), f"h{n}", channel) for n, at in enumerate(hours)]


def burst(
    now: datetime, *, count: int = 30, people: int = 12, texts: Sequence[str] = OUTAGE, channel: Named = GENERAL
) -> list[MessagePosted]:
    """So many messages within the last 20 minutes."""
    step = timedelta(minutes=20) / count
    return [
        said(now - step * (count - n), texts[n % len(texts)], member(n % people), f"b{now.timestamp()}-{n}", channel)
        for n in range(count)
    ]


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home, skills=(skill.SKILL,)) as opened:
        await opened.follow(said(opened.clock.now(), "hello", ANA, "staff", CLOSED))
        await opened.tune("staff_channel", str(STAFF.ref))
        await opened.mode("alerts", Mode.ACT)
        await opened.follow(*history(opened.clock.now()))
        yield opened


async def looks(bot: SmallBot, after: timedelta = PERIOD) -> Trace | None:
    """Let some time pass and the timer come."""
    bot.clock.pass_by(after.total_seconds())
    now = bot.clock.now()
    return await bot.happens(TimerFired(schedule="pulse.watch", planned=now, at=now))


def cards(bot: SmallBot) -> list[AskStaff]:
    return [one for one in bot.plaza.done if isinstance(one, AskStaff)]


async def press(bot: SmallBot, label: str, *, rank: Rank = Rank.STAFF, by: Named = WEI) -> Trace | None:
    shown = [one for one in bot.plaza.done if isinstance(one, AskStaff | Edit) and one.buttons]
    token = next(button.token for button in shown[-1].buttons if button.label == label)
    number = f"p{len(bot.told)}{label}{rank}"
    return await bot.happens(
        ButtonPressed(
            button=token,
            message=Ref(PLATFORM, "b1"),
            member=by,
            rank=rank,
            channel=CLOSED,
            at=bot.clock.now(),
            invocation=Ref(PLATFORM, number),
        )
    )


async def test_a_spike_by_many_is_told_once_with_its_cause_and_is_over_once(bot: SmallBot) -> None:
    assert await looks(bot) is None, "a quiet community is not alarmed"
    await bot.follow(*burst(bot.clock.now()))
    trace = await looks(bot)
    [card] = cards(bot)
    assert card.to == STAFF.ref
    assert "30 messages in [#general]" in card.text
    assert "by 12 people" in card.text
    assert "**wifi**" in card.text
    assert "kinfolk:message:" in card.text
    assert not any(text in card.text for text in OUTAGE), "it quotes nobody"
    assert trace is not None
    assert any(isinstance(ruling.action, KeepAlert) for ruling in trace.verdict.rulings)
    for _again in range(3):
        assert await looks(bot) is None, "what goes on is one alert"
    await looks(bot, timedelta(hours=2))
    [over] = [one for one in bot.plaza.done if isinstance(one, Edit)]
    assert "Over since" in over.text
    await bot.follow(*burst(bot.clock.now()))
    assert await looks(bot) is None, "what flares up again is the same excitement"
    assert len(cards(bot)) == 1
    await bot.follow(*burst(bot.clock.now() + timedelta(hours=30)))
    await looks(bot, timedelta(hours=30))
    assert len(cards(bot)) == 2


async def test_old_messages_that_are_read_in_meanwhile_neither_silence_it_nor_say_what_is_usual(bot: SmallBot) -> None:
    now = bot.clock.now()
    await bot.follow(*burst(now))
    years_ago = now - timedelta(days=900)
    old = [said(years_ago + timedelta(hours=n), f"pier wifi {n}", member(n % 4), f"old{n}") for n in range(SAMPLE)]
    await bot.follow(*old)
    assert await bot.database.look(lambda c: alerts.due(c, bot.community, now))
    await looks(bot)
    assert "**wifi**" in cards(bot)[0].text, "nobody talked of it for years"


async def test_what_is_muted_is_silent_until_it_is_wanted_again(bot: SmallBot) -> None:
    await bot.follow(*burst(bot.clock.now()))
    await looks(bot)
    refused = await press(bot, "Mute for a week", rank=Rank.MEMBER)
    assert refused is not None
    assert not [one for one in bot.plaza.done if isinstance(one, Edit)], "a member mutes nothing"
    muted = await press(bot, "Mute for a week")
    assert muted is not None
    [edit] = [one for one in bot.plaza.done if isinstance(one, Edit)]
    assert "nothing of this until" in edit.text
    await looks(bot, timedelta(hours=2))
    await bot.follow(*burst(bot.clock.now() + timedelta(days=2)))
    await looks(bot, timedelta(days=2))
    assert len(cards(bot)) == 1
    await press(bot, "Tell me again")
    await bot.follow(*burst(bot.clock.now() + timedelta(days=2)))
    await looks(bot, timedelta(days=2))
    assert len(cards(bot)) == 2


async def test_what_was_said_is_shown_to_staff_alone_and_as_it_is_now(bot: SmallBot) -> None:
    happened = burst(bot.clock.now())
    await bot.follow(*happened)
    trace = await looks(bot)
    assert trace is not None
    shown = trace.verdict.decisions[0].evidence
    assert len(shown) == 4
    await press(bot, "What was said", rank=Rank.MEMBER)
    assert "提醒只供管理员使用" in bot.plaza.said[-1]
    await press(bot, "What was said")
    told = bot.plaza.done[-1]
    assert isinstance(told, Say)
    assert told.only == WEI.ref
    assert any(text in told.text for text in OUTAGE)
    for ref in shown:
        await bot.follow(MessageDeleted(message=ref, channel=GENERAL, at=bot.clock.now()))
    await press(bot, "What was said", by=ANA)
    assert "Nothing of it is there any more" in bot.plaza.said[-1]


async def test_who_opted_out_is_neither_counted_nor_shown(bot: SmallBot) -> None:
    happened = burst(bot.clock.now(), people=2)
    await bot.follow(*happened)
    async with bot.database.read() as connection:
        one = await members.by_ref(connection, bot.community, member(1).ref)
    assert one is not None
    out = functools.partial(members.set_consent, member=one.id, collected=False, now=bot.clock.now())
    await bot.database.write(out)
    assert await looks(bot) is None, "fifteen are left"
    back = functools.partial(members.set_consent, member=one.id, collected=True, now=bot.clock.now())
    await bot.database.write(back)
    assert await looks(bot) is not None


async def test_closed_channels_and_a_channel_full_of_guests_are_not_told_of(bot: SmallBot) -> None:
    hidden = Named(ref=Ref(PLATFORM, "hidden"), name="hidden", audience=Audience.MEMBERS)
    await bot.follow(*history(bot.clock.now(), channel=hidden), *burst(bot.clock.now(), channel=hidden))
    assert await looks(bot) is None
    await bot.follow(*burst(bot.clock.now()))
    await looks(bot)
    [card] = cards(bot)
    assert "hidden" not in card.text


async def test_in_watch_it_is_traced_once_and_told_to_nobody(bot: SmallBot) -> None:
    await bot.mode("alerts", Mode.WATCH)
    await bot.follow(*burst(bot.clock.now(), count=24))
    traces = [await looks(bot, PERIOD * (time > 0)) for time in range(4)]
    assert [one is not None for one in traces] == [True, False, False, False]
    assert bot.plaza.done == []


async def test_a_new_channel_is_not_unusual_and_a_word_that_two_repeat_in_a_busy_one_is_not(bot: SmallBot) -> None:
    new = Named(ref=Ref(PLATFORM, "new"), name="new")
    await bot.follow(*burst(bot.clock.now(), channel=new, texts=("hello there", "so this is the new channel")))
    assert await looks(bot) is None
    busy = Named(ref=Ref(PLATFORM, "busy"), name="busy")
    for week in range(1, 7):
        then = bot.clock.now() - timedelta(days=7 * week)
        await bot.follow(*burst(then, people=6, count=40, channel=busy, texts=[f"{TALK} {n}" for n in range(40)]))
    now = bot.clock.now()
    await bot.follow(*burst(now, people=2, count=30, channel=busy, texts=[f"{TALK} {n}" for n in range(30)]))
    assert await looks(bot) is None, "it is often so there"
    await bot.follow(
        *burst(bot.clock.now(), people=15, count=32, channel=busy, texts=[f"{TALK} {n}" for n in range(9)])
    )
    assert await looks(bot) is not None, "but never of so many"


async def test_a_watched_word_is_told_after_a_quiet_time_whatever_its_disguise(bot: SmallBot) -> None:
    keep = bot.performer.keeper.act
    await keep(bot.community, KeepWatchword(word="skyline", by=ANA.ref))
    await keep(bot.community, KeepWatchword(word="天际线", by=ANA.ref))
    assert await looks(bot) is None
    await bot.follow(said(bot.clock.now(), "skylines are nice", member(5), "w0"))
    assert await looks(bot) is None, "whole words alone"
    await bot.follow(said(bot.clock.now(), "have you heard of s.k.y.l.i.n.e?", member(5), "w1"))
    await looks(bot)
    assert "**Watched word**: **skyline** was said in [#general]" in cards(bot)[-1].text
    await bot.follow(said(bot.clock.now(), "skyline again", member(6), "w2"))
    assert await looks(bot) is None
    await bot.follow(said(bot.clock.now(), "听说天际线要倒闭了", member(5), "w3"))
    await looks(bot)
    assert "天际线" in cards(bot)[-1].text
    assert len(cards(bot)) == 2
    await bot.follow(said(bot.clock.now() + timedelta(days=9), "skyline, after all", member(5), "w4"))
    await looks(bot, timedelta(days=9))
    assert len(cards(bot)) == 3


async def test_after_a_restart_nothing_is_told_twice(home: Path) -> None:
    for told in (1, 0):
        async with small_bot(home, skills=(skill.SKILL,)) as bot:
            await bot.follow(said(bot.clock.now(), "hello", ANA, "staff", CLOSED))
            await bot.tune("staff_channel", str(STAFF.ref))
            await bot.mode("alerts", Mode.ACT)
            await bot.follow(*history(bot.clock.now()), *burst(bot.clock.now()))
            await looks(bot, PERIOD * (2 - told))
            assert len(cards(bot)) == told


async def test_a_watched_word_is_told_in_a_channel_that_was_told_of_or_is_muted(bot: SmallBot) -> None:
    await bot.performer.keeper.act(bot.community, KeepWatchword(word="skyline", by=ANA.ref))
    await bot.follow(*burst(bot.clock.now()))
    await looks(bot)
    await press(bot, "Mute for a week")
    await bot.follow(said(bot.clock.now(), "is it true of skyline?", member(5), "w1"))
    await looks(bot)
    assert [("messages in" in one.text, "skyline" in one.text) for one in cards(bot)] == [(True, False), (False, True)]
    assert await looks(bot) is None


async def test_in_watch_a_watched_word_is_traced_once(bot: SmallBot) -> None:
    await bot.mode("alerts", Mode.WATCH)
    await bot.performer.keeper.act(bot.community, KeepWatchword(word="skyline", by=ANA.ref))
    await bot.follow(said(bot.clock.now(), "is it true of skyline?", member(5), "w1"))
    assert [await looks(bot, PERIOD * (time > 0)) is not None for time in range(4)] == [True, False, False, False]


async def test_times_are_those_of_the_community(bot: SmallBot) -> None:
    await bot.tune("time_zone", "Asia/Kathmandu")
    happened = burst(bot.clock.now())
    await bot.follow(*happened)
    await looks(bot)
    [card] = cards(bot)
    here = ZoneInfo("Asia/Kathmandu")
    assert f"[{happened[0].at.astimezone(here):%H:%M}](kinfolk:message:" in card.text
    assert "(Asia/Kathmandu)" in card.text
    await press(bot, "What was said")
    assert f"[{happened[0].at.astimezone(here):%H:%M}](kinfolk:message:" in bot.plaza.said[-1]
    await press(bot, "Mute for a week")
    await looks(bot, timedelta(hours=2))
    muted, over = (one.text for one in bot.plaza.done if isinstance(one, Edit))
    assert "(Asia/Kathmandu)" in muted.removeprefix(card.text)
    assert "(Asia/Kathmandu)" in over.removeprefix(muted)
    assert "UTC" not in over


async def muted_now(bot: SmallBot) -> dict[Subject, datetime]:
    async with bot.database.read() as connection:
        return await alerts.muted(connection, bot.community, bot.clock.now())


async def watched(bot: SmallBot) -> list[str]:
    async with bot.database.read() as connection:
        return [one.word for one in await watchlists.every(connection, bot.community)]


async def test_an_alert_a_mute_and_a_watched_word_are_taken_back(home: Path) -> None:
    async with small_bot(home, skills=(skill.SKILL, staff.SKILL, pulse.SKILL)) as bot:
        await bot.follow(said(bot.clock.now(), "hello", ANA, "staff", CLOSED))
        await bot.tune("staff_channel", str(STAFF.ref))
        await bot.mode("alerts", Mode.ACT)
        await bot.follow(*history(bot.clock.now()), *burst(bot.clock.now()))

        async def undo(trace: Trace | None) -> None:
            assert trace is not None
            await bot.happens(bot.command("undo", rank=Rank.STAFF, message=trace.id))

        told = await looks(bot)
        [card] = cards(bot)
        muted = await press(bot, "Mute for a week")
        assert await muted_now(bot) != {}
        await undo(muted)
        assert await muted_now(bot) == {}
        [shown] = [one for one in bot.plaza.done if isinstance(one, Edit)][1:]
        assert shown.text == card.text
        assert {one.label for one in shown.buttons} >= {"Mute for a day", "Mute for a week", "Mute for good"}
        await undo(told)
        assert isinstance(next(one for one in reversed(bot.plaza.done) if not isinstance(one, Say)), Delete)
        async with bot.database.read() as connection:
            [known] = await alerts.since(connection, bot.community, bot.clock.now() - timedelta(days=1))
        assert known.standing == "withdrawn"
        assert await looks(bot) is None, "what was taken back is not told again at once"
        added = await bot.happens(bot.command("pulse", rank=Rank.STAFF, action="watch", change="add", word="skyline"))
        assert await watched(bot) == ["skyline"]
        await undo(added)
        assert await watched(bot) == []
