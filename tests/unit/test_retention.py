"""What is kept for a time only goes when its time is up, and nothing else does; a portion at a time."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.core.actions import Button, Cited, KeepAnswer, KeepOpinion, Say
from bot.core.decisions import Decision, Mode
from bot.core.events import Arrival, MessagePosted
from bot.core.things import Ref
from brains.skills.skill import Context, Skill
from storage import retention
from storage.digests import digest
from storage.inbox import Inbox
from storage.tables import (
    ActRow,
    AnswerRow,
    AnswerSourceRow,
    ButtonRow,
    InboxRow,
    MessageRow,
    OutboxRow,
    TraceMemberRow,
    TraceRow,
)
from tests.recording import ANA, GENERAL, PLATFORM, SPACE, SmallBot, small_bot

DAY = 86_400.0


async def _answer(context: Context) -> Decision:
    more = Button(label="More", press="echo.more")
    say = Say(to=GENERAL.ref, text="hi", only=ANA.ref, buttons=(more,))
    return Decision(skill="echo", actions=(say,), reason="asked", about=(ANA.ref,))


ECHO = Skill(name="echo", purpose="echoes", propose=_answer, hears=(MessagePosted,))
STORY = (TraceRow, TraceMemberRow, ActRow, ButtonRow)


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home, skills=(ECHO,)) as opened:
        await opened.mode("echo", Mode.ACT)
        yield opened


async def count(bot: SmallBot, *models) -> list[int]:
    async with bot.database.read() as connection:
        return [(await connection.execute(select(func.count()).select_from(model))).scalar_one() for model in models]


async def purge(bot: SmallBot) -> int:
    work = functools.partial(retention.purge, community=bot.community, now=bot.clock.now())
    return await bot.database.write(work)


async def purge_events(bot: SmallBot) -> int:
    return await bot.database.write(functools.partial(retention.purge_events, now=bot.clock.now()))


async def test_stories_go_after_the_days_that_staff_set_with_their_acts_and_buttons(bot: SmallBot) -> None:
    await bot.happens(bot.posted("old"))
    bot.clock.pass_by(29 * DAY)
    await bot.happens(bot.posted("young"))
    assert await purge(bot) == 0
    assert await count(bot, *STORY) == [2, 2, 2, 2]
    bot.clock.pass_by(2 * DAY)
    assert await purge(bot) == 1
    assert await count(bot, *STORY) == [1, 1, 1, 1]
    await bot.tune("trace_days", "1")
    bot.clock.pass_by(DAY)
    assert await purge(bot) == 1
    assert await count(bot, *STORY) == [0, 0, 0, 0]
    assert await purge(bot) == 0


async def test_messages_stay_unless_the_community_wants_otherwise_and_their_points_go_with_them(bot: SmallBot) -> None:
    await bot.follow(bot.posted("old"))
    bot.clock.pass_by(100 * DAY)
    await bot.follow(bot.posted("young"))
    assert await purge(bot) == 0
    await bot.tune("retention_days", "90")
    assert await purge(bot) == 1
    async with bot.database.read() as connection:
        assert list(await connection.scalars(select(MessageRow.text))) == ["young"]
        waiting = list(await connection.scalars(select(OutboxRow.message_id)))
    assert (len(waiting), waiting.count(None)) == (2, 1), "a point without a message is to be deleted"


async def test_much_goes_in_portions(bot: SmallBot) -> None:
    await bot.follow(*(bot.posted(str(number)) for number in range(retention.PORTION + 20)))
    await bot.tune("retention_days", "1")
    bot.clock.pass_by(2 * DAY)
    assert [await purge(bot) for _ in range(3)] == [retention.PORTION, 20, 0]
    assert await count(bot, MessageRow) == [0]


async def test_answers_go_with_what_they_cite_unless_somebody_said_what_they_think_or_the_staff_owes_one(
    bot: SmallBot,
) -> None:
    await bot.follow(bot.posted("hello"))
    keep = functools.partial(bot.performer.keeper.act, bot.community)
    cited = Cited(source=Ref(PLATFORM, "m1"), channel=1, digest=digest("hello").hex())
    for number in range(retention.PORTION + 20):
        await keep(KeepAnswer(answer=f"d{number}", member=None, channel=GENERAL.ref, question="", sources=(cited,)))
    asked = KeepAnswer(answer="liked", member=ANA.ref, channel=GENERAL.ref, question="who?", sources=(cited,))
    await keep(asked)
    await keep(KeepOpinion(answer="liked", member=ANA.ref, opinion="helpful"))
    await keep(replace(asked, answer="owed", standing="asked_staff"))
    bot.clock.pass_by(31 * DAY)
    await keep(replace(asked, answer="young"))
    assert [await purge(bot) for _ in range(3)] == [retention.PORTION + 2, 20, 0], "two questions fade"
    async with bot.database.read() as connection:
        for column in (AnswerRow.id, AnswerSourceRow.answer_id):
            assert sorted(await connection.scalars(select(column))) == ["liked", "owed", "young"]


async def test_handled_events_are_remembered_for_a_month_and_unhandled_ones_for_good(bot: SmallBot) -> None:
    stream = Inbox(bot.database, clock=bot.clock, holder="test")
    for text in ("handled", "waiting"):
        await stream.put(Arrival(space=SPACE, event=bot.posted(text)))
    first, *_ = await stream.claim(1)
    await stream.done(first)
    bot.clock.pass_by(29 * DAY)
    assert await purge_events(bot) == 0
    bot.clock.pass_by(2 * DAY)
    assert await purge_events(bot) == 1
    assert await purge_events(bot) == 0
    assert await count(bot, InboxRow) == [1]
    assert timedelta(days=30) == retention.EVENTS
