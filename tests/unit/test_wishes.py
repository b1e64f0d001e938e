"""What members opted in for, whom they were shown and what they missed: kept, set back, and each side's alone."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.event import listen, remove

from bot.core.actions import KeepMeeting, KeepTaste, SetWish, inverse
from bot.core.decisions import Receipt
from bot.core.events import MemberLeft
from bot.core.things import Ref
from storage import meetings, members, retention, tastes, wishes
from storage.exporting import export
from storage.meetings import Attention
from storage.tables import MessageRow
from tests.recording import ANA, GENERAL, WEI, SmallBot, small_bot
from tests.words import MONDAY as MOMENT

DONE = Receipt(state="done")
ON = SetWish(member=ANA.ref, wish="people", on=True)
SHOWN = KeepMeeting(meeting="a" * 32, member=ANA.ref, other=WEI.ref, said="shown")
ASKED = KeepMeeting(meeting="a" * 32, member=ANA.ref, said="asked", before="shown")
NO = KeepMeeting(meeting="a" * 32, member=WEI.ref, said="no")


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home) as opened:
        await opened.follow(opened.posted("hello"))
        await opened.follow(opened.posted("good morning", by=WEI))
        yield opened


async def keep(bot: SmallBot, *actions) -> list[Receipt]:
    return [await bot.performer.keeper.act(bot.community, action) for action in actions]


async def number(bot: SmallBot, who) -> int:
    async with bot.database.read() as connection:
        found = await members.by_ref(connection, bot.community, who.ref)
    assert found is not None
    return found.id


async def word(bot: SmallBot) -> bool | None:
    ana = await number(bot, ANA)
    async with bot.database.read() as connection:
        return await wishes.word(connection, "people", ana)


async def wishing(bot: SmallBot) -> set[int]:
    async with bot.database.read() as connection:
        return set(await wishes.wishing(connection, bot.community, "people"))


async def test_a_wish_is_kept_changed_and_taken_back(bot: SmallBot) -> None:
    ana = await number(bot, ANA)
    assert (await word(bot), await wishing(bot)) == (None, set())
    assert await keep(bot, ON, ON) == [DONE, DONE]
    assert (await word(bot), await wishing(bot)) == (True, {ana})
    off = replace(ON, on=False, before=True)
    await keep(bot, off)
    assert (await word(bot), await wishing(bot)) == (False, set())
    await keep(bot, inverse(off, DONE))
    assert await word(bot) is True
    await keep(bot, inverse(ON, DONE))
    assert await word(bot) is None


async def test_the_last_word_of_one_human_counts_and_the_stricter_when_two_rows_become_one(bot: SmallBot) -> None:
    ana, wei = await number(bot, ANA), await number(bot, WEI)
    now = bot.performer.clock.now()

    async def say(connection) -> None:
        await wishes.keep(connection, member=ana, wish="people", on=True, now=now)
        await wishes.keep(connection, member=wei, wish="people", on=False, now=now - timedelta(days=1))

    await bot.database.write(say)
    async with bot.database.read() as connection:
        assert await wishes.of(connection, ana, wei) == {"people"}
        assert await wishes.of(connection, wei) == frozenset()
    await bot.database.write(lambda connection: wishes.move(connection, wei, into=ana))
    assert await word(bot) is False


async def test_who_leaves_is_offered_to_nobody_any_more(bot: SmallBot) -> None:
    await keep(bot, ON, replace(ON, member=WEI.ref))
    ana, wei = await number(bot, ANA), await number(bot, WEI)
    assert await wishing(bot) == {ana, wei}
    now = bot.performer.clock.now()
    await bot.follow(MemberLeft(member=WEI, channel=GENERAL, at=now))
    assert await wishing(bot) == {ana, wei}, "a channel is not the space"
    await bot.follow(MemberLeft(member=WEI, at=now + timedelta(seconds=1)))
    assert await wishing(bot) == {ana}


async def test_what_the_other_said_is_theirs_and_a_request_is_answered_once(bot: SmallBot) -> None:
    early = await keep(bot, SHOWN, NO)
    assert early == [DONE, Receipt(state="failed", error="this request is not open any more")]
    assert await keep(bot, ASKED, NO, NO) == [DONE] * 3
    again = replace(NO, said="yes")
    assert [one.state for one in await keep(bot, again)] == ["failed"]
    ana, wei = [await _exported(bot, who) for who in (ANA, WEI)]
    assert [(one["said"], one["met"]) for one in ana] == [("asked", False)]
    assert [one["answer"] for one in wei] == ["no"]
    assert "answer" not in str(ana)


async def test_who_was_only_shown_does_not_learn_to_whom(bot: SmallBot) -> None:
    await keep(bot, SHOWN)
    assert await _exported(bot, WEI) == []
    assert len(await _exported(bot, ANA)) == 1


async def test_a_request_is_taken_back_and_what_is_taken_back_cannot_be_answered(bot: SmallBot) -> None:
    await keep(bot, SHOWN, ASKED, KeepMeeting(meeting="a" * 32, member=ANA.ref, said="withdrawn", before="asked"))
    assert [one.state for one in await keep(bot, replace(NO, said="yes"))] == ["failed"]
    await keep(bot, replace(SHOWN, said="", before="shown"))
    assert await _exported(bot, ANA) == []


@pytest.mark.parametrize(
    ("said", "answer", "days", "barred"),
    [
        ("shown", "", 0, False),
        ("asked", "", 89, True),
        ("asked", "", 91, False),
        ("asked", "no", 89, True),
        ("asked", "no", 91, False),
        ("not_now", "", 89, True),
        ("never", "", 9999, True),
        ("asked", "never", 9999, True),
        ("asked", "yes", 9999, True),
    ],
)
def test_silence_and_a_no_keep_two_apart_for_as_long(said: str, answer: str, days: int, *, barred: bool) -> None:
    met = meetings.Meeting(id="1", first=1, other=2, said=said, answer=answer, shown_at=MOMENT, said_at=MOMENT)
    assert met.bars(MOMENT + timedelta(days=days)) is barred


async def test_what_was_missed_is_noted_and_an_opinion_outlives_being_shown_again(bot: SmallBot) -> None:
    await bot.database.write(lambda c: c.execute(MessageRow.__table__.update().values(conversation=7)))
    shown = KeepTaste(member=ANA.ref, conversations=(7, 8), taste="shown")
    less = KeepTaste(member=ANA.ref, conversations=(7,), taste="less", before="shown")
    assert await keep(bot, shown) == [DONE]
    assert await _tastes(bot) == {7: "shown"}, "of 8 nothing is there any more"
    await keep(bot, less, shown)
    assert await _tastes(bot) == {7: "less"}
    await keep(bot, inverse(shown, DONE))
    assert await _tastes(bot) == {7: "less"}
    await keep(bot, inverse(less, DONE))
    assert await _tastes(bot) == {7: "shown"}
    await keep(bot, inverse(shown, DONE))
    assert await _tastes(bot) == {}


async def test_that_something_was_shown_is_kept_for_a_while_and_an_opinion_for_as_long_as_its_member(
    bot: SmallBot,
) -> None:
    async with bot.database.read() as connection:
        said = list(await connection.scalars(select(MessageRow.id)))
    now = bot.performer.clock.now()
    shown = KeepTaste(member=ANA.ref, conversations=tuple(said), taste="shown")
    await keep(bot, shown, KeepTaste(member=ANA.ref, conversations=(said[0],), taste="more", before="shown"))
    for days, left in ((89, len(said)), (91, 1)):
        purge = functools.partial(retention.purge, community=bot.community, now=now + timedelta(days=days))
        await bot.database.write(purge)
        assert len(await _tastes(bot)) == left
    assert await _tastes(bot) == {said[0]: "more"}


async def _tastes(bot: SmallBot) -> dict[int, str]:
    ana = await number(bot, ANA)
    async with bot.database.read() as connection:
        return {one.conversation: one.taste for one in (await tastes.of(connection, ana)).values()}


async def _exported(bot: SmallBot, who) -> list[dict[str, object]]:
    async with bot.database.read() as connection:
        member = await members.by_ref(connection, bot.community, who.ref)
    assert member is not None
    return (await export(bot.database, bot.community, member))["meeting"]


async def test_a_request_of_who_may_not_be_introduced_any_more_waits_no_longer(bot: SmallBot) -> None:
    ana, wei = await number(bot, ANA), await number(bot, WEI)
    now = bot.performer.clock.now()
    assert await keep(bot, ON, SHOWN, ASKED) == [DONE, DONE, DONE]

    async def waits() -> list[str]:
        async with bot.database.read() as connection:
            return [one.id for one in await meetings.waiting(connection, bot.community, [wei], now)]

    async def consents(*, collected: bool | None) -> None:
        await bot.database.write(lambda c: members.set_consent(c, ana, collected=collected, now=now))

    assert await waits() == [ASKED.meeting]
    await consents(collected=False)
    assert await waits() == [], "they withheld consent: nobody hears of them"
    await consents(collected=None)
    assert await waits() == [ASKED.meeting]
    await keep(bot, replace(ON, on=False))
    assert await waits() == []


async def test_of_requests_that_wait_the_last_made_is_the_first(bot: SmallBot) -> None:
    third = replace(ANA, ref=Ref(ANA.ref.platform, "third"), name="Third")
    await bot.follow(bot.posted("hello all", by=third))
    wei = await number(bot, WEI)
    for who, meeting in ((ANA, "a" * 32), (third, "b" * 32)):
        await keep(bot, replace(ON, member=who.ref), replace(SHOWN, member=who.ref, meeting=meeting))
        bot.clock.pass_by(60)
    for who, meeting in ((third, "b" * 32), (ANA, "a" * 32)):
        await keep(bot, replace(ASKED, member=who.ref, meeting=meeting))
        bot.clock.pass_by(60)
    look = functools.partial(meetings.waiting, community=bot.community, accounts=[wei], now=bot.clock.now())
    assert [one.id for one in await bot.database.look(look)] == ["a" * 32, "b" * 32]


async def test_who_had_attention_of_late_is_looked_up_one_by_one(bot: SmallBot) -> None:
    await keep(bot, SHOWN, ASKED)
    ana, wei = await number(bot, ANA), await number(bot, WEI)
    since = bot.performer.clock.now() - timedelta(days=1)
    look = functools.partial(meetings.attention, community=bot.community, since=since)
    assert await bot.database.look(functools.partial(look, among={ana, wei})) == {wei: Attention(shown=1, asked=1)}
    assert await bot.database.look(functools.partial(look, among={ana})) == {}
    later = functools.partial(look, since=since + timedelta(days=2), among={wei})
    assert await bot.database.look(later) == {}
    if bot.database.engine.dialect.name != "sqlite":
        return  # its planner looks through small tables whatever indices there are
    asked: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement: str, parameters: object, *_rest: object) -> None:
        asked.append((statement, parameters))

    listen(bot.database.engine, "before_cursor_execute", note)
    await bot.database.look(functools.partial(look, among={ana, wei}))
    remove(bot.database.engine, "before_cursor_execute", note)

    def plans_of(connection) -> list[str]:
        return [
            step[3]
            for statement, parameters in asked
            if statement.startswith("SELECT")
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]

    [plan, *_rest] = await bot.database.look(lambda connection: connection.run_sync(plans_of))
    assert "ix_meeting_other (other_id=? AND shown_at>?)" in plan
