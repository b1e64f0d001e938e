"""Suggestions once a week, and all that nobody asked for: at their hour, never at night, never too often, and ended."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from adapters.playground.space import Post
from bot.core.events import Arrival, TimerFired
from bot.harbour import HARBOUR
from storage import newcomers, suggested, traces
from storage.tables import ActRow, Instant, SuggestedRow
from tests.story.test_people import BAKER, BREAD, FRIEND
from tests.story.town import OWNER, Town

pytestmark = pytest.mark.slow

WORDS = (
    "my sourdough starter doubles in four hours with rye flour and a warm proof",
    "rye sourdough crumb, hydration and oven steam: the loaf is better than ever",
)
NOTED = {
    "en": "Noted: every Monday at 9:00 (Europe/Berlin) I write to you",
    "zh_CN": "记住了：每周一 9:00（Europe/Berlin）",
}
HEAD = {"en": "that may fit you:", "zh_CN": "可能适合你的频道："}
STOP = {"en": "Stop", "zh_CN": "停止"}
ENDED = {"en": "Noted: I send you no suggestions.", "zh_CN": "记住了：我不再给你发推荐。"}
NOT_FOR_ME = {"en": "Not for me", "zh_CN": "不感兴趣"}
NIGHT = "It is one of their quiet hours (/setup quiet_hours)."
OFTEN = "This week they heard enough of me that they did not ask for (/setup most_a_week)."
in_both = pytest.mark.parametrize("language", ["en", "zh_CN"])


async def fires(town: Town, schedule: str) -> None:
    """Let a timer come."""
    now = town.app.clock.now()
    await town.living.inbox.put(Arrival(space=HARBOUR, event=TimerFired(schedule=schedule, planned=now, at=now)))
    await town.settled()


async def week_passes(town: Town) -> None:
    """Let the hour of everybody who wants something have come, and what was written have been written a week before."""
    week, now = timedelta(days=7), town.app.clock.now()
    then = str(Instant().process_bind_param(now, None))

    async def work(connection) -> None:
        await connection.execute(text("UPDATE subscription SET next_at = :at WHERE wanted"), {"at": then})
        for row in (await connection.execute(select(ActRow.id, ActRow.intended_at))).all():
            moved = update(ActRow).where(ActRow.id == row.id).values(intended_at=row.intended_at - week)
            await connection.execute(moved)
        for row in (await connection.execute(SuggestedRow.__table__.select())).all():
            mine = (SuggestedRow.member_id == row.member_id) & (SuggestedRow.channel_id == row.channel_id)
            await connection.execute(update(SuggestedRow).where(mine).values(at=row.at - week))

    await town.app.database.write(work)


def new(town: Town, who: str, before: set[str]) -> list[Post]:
    return [one for one in town._posts(who) if one.id not in before and one.text]


def seen(town: Town, who: str) -> set[str]:
    return {one.id for one in town._posts(who)}


def offered(answer: str) -> list[str]:
    return re.findall(r"^\*\*\[#(.+)\]\(kinfolk:channel:\S+\)\*\*$", answer, re.MULTILINE)


async def whys(town: Town, kind: str = "TimerFired") -> list[str]:
    """Return why what was proposed last by such an event was declined; empty for what was done."""
    async with town.app.database.read() as connection:
        found = await traces.latest(connection, await town.community(), limit=20)
    latest = next(one for one in found if one.kind == kind and one.verdict.rulings)
    return [ruling.why for ruling in latest.verdict.rulings]


async def baker(town: Town, language: str = "en") -> str:
    """Let somebody arrive who writes of bread where it does not belong."""
    who = await town.arrives("Mo", language)
    await town.joins(who, "general")
    for words in WORDS:
        await town.says(who, "general", words)
    await town.indexed()
    return who


@in_both
async def test_who_wants_it_is_written_to_once_a_week_with_what_is_new_until_they_stop(
    harbour: Town, language: str
) -> None:
    who = await baker(harbour, language)
    for wrong in ("/match weekly mon 9 Europe/Berlim", "/match weekly mon 25"):
        assert NOTED[language] not in await harbour.command(who, "general", wrong)
    assert NOTED[language] in await harbour.command(who, "general", "/match weekly mon 9 Europe/Berlin")
    before = seen(harbour, who)
    await fires(harbour, "suggestions.personal")
    assert new(harbour, who, before) == [], "their hour has not come"
    await week_passes(harbour)
    await fires(harbour, "suggestions.personal")
    [letter] = new(harbour, who, before)
    assert HEAD[language] in letter.text
    first = offered(letter.text)
    assert "bread-and-ferments" in first
    assert "staff-room" not in first
    await fires(harbour, "suggestions.personal")
    assert len(new(harbour, who, before)) == 1, "nobody is written to twice"
    await harbour.press(who, NOT_FOR_ME[language])
    before = seen(harbour, who)
    await week_passes(harbour)
    await fires(harbour, "suggestions.personal")
    assert not {name for one in new(harbour, who, before) for name in offered(one.text)} & set(first)
    assert ENDED[language] in await harbour.press(who, STOP[language])
    before = seen(harbour, who)
    for _week in range(6):
        await week_passes(harbour)
    await fires(harbour, "suggestions.personal")
    assert new(harbour, who, before) == []


async def test_a_channel_that_was_passed_over_twice_is_not_suggested_a_third_time(harbour: Town) -> None:
    who = await baker(harbour)
    await harbour.command(who, "general", "/match weekly mon 9")
    told: list[set[str]] = []
    for _month in range(4):
        before = seen(harbour, who)
        await fires(harbour, "suggestions.personal")
        told.append({name for one in new(harbour, who, before) for name in offered(one.text)})
        for _week in range(5):
            await week_passes(harbour)
    assert [("bread-and-ferments" in names) for names in told] == [False, True, True, False]
    member = await harbour.member(who)
    async with harbour.app.database.read() as connection:
        assert max(one.times for one in (await suggested.of(connection, member.id)).values()) == suggested.ENOUGH


async def test_a_button_asks_once_and_interests_that_begin_so_are_interests(harbour: Town) -> None:
    who = await baker(harbour)
    assert "may belong here" in await harbour.command(who, "general", "/match weekly sourdough rye bread meetings")
    assert "Weekly" in harbour.labels(who, "general")
    assert "I write to you which channels may fit you" in await harbour.press(who, "Weekly")
    await harbour.command(who, "general", "/match sourdough")
    assert "Weekly" not in harbour.labels(who, "general"), "who said so is not asked again"
    assert "There is no hour" in await harbour.command(who, "general", "/match weekly mon 25")
    await harbour.command(OWNER, "staff-room", "/setup quiet_hours 22-8")
    assert "From 22:00 to 8:00 I write to nobody" in await harbour.command(who, "general", "/match weekly mon 23")
    await harbour.command(who, "general", "/privacy off")
    assert "I collect nothing of yours" in await harbour.command(who, "general", "/match weekly mon 9")


def all_day_but(hour: int) -> str:
    """Return hours that are quiet for a whole day but one hour, which is half a day away from another hour."""
    return f"{(hour + 13) % 24}-{(hour + 12) % 24}"


async def test_at_night_suggestions_wait_and_what_is_too_much_in_a_week_is_left_out(harbour: Town) -> None:
    who = await baker(harbour)
    await harbour.command(who, "general", "/match weekly mon 9")
    before = seen(harbour, who)
    await week_passes(harbour)
    await harbour.command(OWNER, "staff-room", f"/setup quiet_hours {all_day_but(harbour.app.clock.now().hour)}")
    await fires(harbour, "suggestions.personal")
    assert new(harbour, who, before) == []
    await harbour.command(OWNER, "staff-room", "/setup quiet_hours none")
    await fires(harbour, "suggestions.personal")
    assert len(new(harbour, who, before)) == 1
    for _week in range(6):
        await week_passes(harbour)
    await harbour.command(OWNER, "staff-room", "/setup most_a_week 0")
    await fires(harbour, "suggestions.personal")
    assert len(new(harbour, who, before)) == 1
    assert OFTEN in await whys(harbour)
    await harbour.command(OWNER, "staff-room", "/setup most_a_week 1")
    await fires(harbour, "suggestions.personal")
    assert len(new(harbour, who, before)) == 1, "that week is over"
    await week_passes(harbour)
    await fires(harbour, "suggestions.personal")
    assert len(new(harbour, who, before)) == 2


def letters(town: Town, who: str) -> list[str]:
    """Return what the bot wrote to somebody in private."""
    space = town.page._space
    room = space.direct(space.account(who))
    return [one.text for one in town._posts(who) if one.room == room.id and one.author == "kinfolk"]


async def test_who_comes_at_night_is_welcomed_in_the_morning_once(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", "/setup welcome private")
    await harbour.command(OWNER, "staff-room", f"/setup quiet_hours {all_day_but(harbour.app.clock.now().hour)}")
    newcomer = await harbour.arrives("Mo")
    assert letters(harbour, newcomer) == []
    assert await whys(harbour, "MemberJoined") == ["", NIGHT, NIGHT]
    await fires(harbour, "welcome.waiting")
    assert letters(harbour, newcomer) == [], "it is night still"
    await harbour.command(OWNER, "staff-room", "/setup quiet_hours none")
    for _each in range(2):
        await fires(harbour, "welcome.waiting")
        [welcome] = letters(harbour, newcomer)
        assert welcome.startswith("Welcome, **Mo**!")
    member = await harbour.member(newcomer)
    async with harbour.app.database.read() as connection:
        met = await newcomers.of(connection, member.id)
    assert met is not None
    assert met.met == "welcomed"


async def test_a_request_to_meet_waits_for_the_morning_and_is_made_once(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", f"/setup quiet_hours {all_day_but(harbour.app.clock.now().hour)}")
    for who in (BAKER, FRIEND):
        for words in BREAD:
            await harbour.says(who, "bread-and-ferments", words)
    await harbour.indexed()
    for who in (BAKER, FRIEND):
        await harbour.command(who, "general", "/people on")
    await harbour.command(BAKER, "general", "/people")
    label = f"Introduce us: {(await harbour.member(FRIEND)).name}"
    assert "I ask" in await harbour.press(BAKER, label), "who asks hears nothing of the hour"
    await fires(harbour, "people.waiting")
    assert letters(harbour, FRIEND) == []
    await harbour.command(OWNER, "staff-room", "/setup quiet_hours none")
    for _each in range(2):
        await fires(harbour, "people.waiting")
        [asked] = letters(harbour, FRIEND)
        assert "would like to meet you" in asked
    assert "You are introduced" in await harbour.press(FRIEND, "Yes, introduce us")
