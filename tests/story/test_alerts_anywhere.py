"""What is unusual, on every platform: told to the staff once, read, muted; and words that they watch."""

from __future__ import annotations

import functools
from datetime import timedelta

import pytest

from bot.core.events import Arrival, MessagePosted, Named, TimerFired
from bot.core.things import Ref
from storage.intake import Intake
from tests.contract.platform import BUTTONS, Seen
from tests.story.any_town import AnyTown, in_mode, needs, wants

pytestmark = pytest.mark.slow

WORDS = ("the wifi on the pier is down", "no wifi on the pier here either", "pier wifi down again", "码头的网络又断了")


async def looks(town: AnyTown) -> None:
    """Let the timer come."""
    now = town.app.clock.now()
    space = Named(ref=town.on.space, name="place")
    await town.living.inbox.put(Arrival(space=space, event=TimerFired(schedule="pulse.watch", planned=now, at=now)))
    await town.settled()


async def were_said(town: AnyTown, *, days_ago: int, count: int, minutes: int) -> None:
    """Let messages of many members be known, as history brings them."""
    community, now = await town.community(), town.app.clock.now() - timedelta(days=days_ago)
    intake = Intake(community, now)
    platform = town.on.space.platform
    said = [
        MessagePosted(
            message=Ref(platform, f"old{days_ago}/{number}"),
            channel=Named(ref=town.on.public, name="pier"),
            author=Named(ref=Ref(platform, f"neighbour{number % 12}"), name=f"Neighbour {number % 12}"),
            text=WORDS[number % 4] if days_ago == 0 else f"boats and ropes {number}",
            at=now - timedelta(minutes=minutes * (count - number) / count),
            source="history",
        )
        for number in range(count)
    ]
    await town.app.database.write(intake.begin)
    await town.app.database.write(functools.partial(intake.store, events=said))


async def told(town: AnyTown) -> list[Seen]:
    return await town.told(town.on.owner, looks(town))


async def test_a_spike_is_told_once_read_and_muted(town: AnyTown) -> None:
    needs(town, BUTTONS)
    on = town.on
    await wants(town, staff_channel=str(on.private))
    await in_mode(town, "alerts", "act")
    for day in (21, 14, 7, 3):
        await were_said(town, days_ago=day, count=3, minutes=30)
    assert await told(town) == [], "a quiet community is not alarmed"
    await were_said(town, days_ago=0, count=30, minutes=20)
    [card] = await told(town)
    assert "messages in" in card.text
    assert "by 12 people" in card.text
    assert "wifi" in card.text
    assert not any(line in card.text for line in WORDS)
    assert await told(town) == [], "what goes on is one alert"
    said = await town.told(on.owner, town.press(on.owner, card.message, "What was said"))
    assert any(line in one.text for one in said for line in WORDS), [one.text for one in said]
    [muted] = await town.told(on.owner, town.press(on.owner, card.message, "Mute for a day"))
    assert muted.message == card.message
    assert "nothing of this until" in muted.text


async def test_words_are_watched_in_the_staffs_language(town: AnyTown) -> None:
    needs(town, BUTTONS)
    on = town.on
    await in_mode(town, "alerts", "act")
    await wants(town, staff_channel=str(on.private), language="zh_CN")
    assert "skyline" in await town.answer(on.owner, on.private, "/pulse watch add Skyline")
    assert "skyline" in await town.answer(on.owner, on.private, "/pulse watch list")
    await town.says(on.member, on.public, "is it true that skyline closes down?")
    [card] = await told(town)
    assert "skyline" in card.text
    await town.answer(on.owner, on.private, "/pulse watch remove skyline")
    assert "skyline" not in await town.answer(on.owner, on.private, "/pulse watch list")
