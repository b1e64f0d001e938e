"""Alerts in a small bot: a spike is told once, muted, read by staff alone; quiet and restarts are silent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.core.actions import AskStaff, Edit, KeepAlert
from bot.core.decisions import Mode, Trace
from bot.core.events import ButtonPressed, MessagePosted, Named, TimerFired
from bot.core.things import Audience, Rank, Ref
from brains.skills import alerts as skill
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
