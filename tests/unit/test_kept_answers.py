"""Answers as they are kept: what they cite, how they stand, what members think of them; faded and forgotten."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from bot.core.actions import Cited, KeepAnswer, KeepNote, KeepOpinion, inverse
from bot.core.decisions import Receipt
from bot.core.events import Arrival, MessageDeleted, MessageEdited
from bot.core.things import Ref
from storage import answers, erasure, members
from storage.digests import digest
from storage.following import Followings
from storage.inbox import Inbox
from storage.tables import AnswerRow
from tests.recording import ANA, GENERAL, PLATFORM, SPACE, WEI, SmallBot, small_bot

DONE = Receipt(state="done")
SOURCE = Cited(source=Ref(PLATFORM, "m1"), channel=1, digest=digest("hello").hex())
GIVEN = KeepAnswer(
    answer="a1", member=ANA.ref, channel=GENERAL.ref, question="who has the key?", sources=(SOURCE,), confidence=0.9
)


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home) as opened:
        await opened.follow(opened.posted("hello"))
        yield opened


async def keep(bot: SmallBot, action: KeepAnswer | KeepOpinion) -> Receipt:
    return await bot.performer.keeper.act(bot.community, action, trace="t1")


async def kept(bot: SmallBot) -> answers.Kept | None:
    async with bot.database.read() as connection:
        return await answers.by_id(connection, bot.community, "a1")


async def test_an_answer_is_kept_once_and_taken_back_and_given_again(bot: SmallBot) -> None:
    assert [await keep(bot, GIVEN), await keep(bot, GIVEN)] == [DONE, DONE]
    found = await kept(bot)
    assert found is not None
    assert (found.question, found.trace, found.standing) == (GIVEN.question, "t1", "given")
    back = inverse(GIVEN, DONE)
    assert isinstance(back, KeepAnswer)
    await keep(bot, back)
    assert (await kept(bot)).standing == "withdrawn"
    await keep(bot, inverse(back, DONE))
    assert (await kept(bot)).standing == "given"
    async with bot.database.read() as connection:
        assert await answers.sources(connection, "a1") == [SOURCE.source]


async def test_an_opinion_changes_and_counts_for_what_the_answer_cites(bot: SmallBot) -> None:
    said = KeepOpinion(answer="a1", member=ANA.ref, opinion="helpful")
    assert (await keep(bot, said)).state == "failed"
    await keep(bot, GIVEN)
    assert await keep(bot, said) == DONE
    async with bot.database.read() as connection:
        assert await answers.opinions(connection, [SOURCE.source]) == {SOURCE.source: (1, 0)}
    await keep(bot, replace(said, opinion="not_this", before="helpful"))
    async with bot.database.read() as connection:
        ana = await members.by_ref(connection, bot.community, ANA.ref)
        assert ana is not None
        assert await answers.opinion(connection, "a1", ana.id) == "not_this"
        assert await answers.opinions(connection, [SOURCE.source]) == {SOURCE.source: (0, 1)}


async def test_questions_fade_and_go_with_whoever_asked(bot: SmallBot, home: Path) -> None:
    await keep(bot, GIVEN)
    await keep(bot, replace(GIVEN, answer="a2", alone=True))
    await keep(bot, KeepOpinion(answer="a2", member=ANA.ref, opinion="helpful"))
    soon = bot.clock.now() + timedelta(days=1)
    assert await bot.database.write(lambda connection: answers.fade(connection, bot.community, soon)) == 2
    found = await kept(bot)
    assert found is not None
    assert found.question == ""
    async with bot.database.read() as connection:
        ana = await members.by_ref(connection, bot.community, ANA.ref)
    assert ana is not None
    forget = functools.partial(erasure.forget, bot.database, None, None, bot.community, ana)
    assert (await forget(home=home, now=bot.clock.now())).left == 0
    async with bot.database.read() as connection:
        assert await answers.sources(connection, "a1") == [SOURCE.source], "it goes on following what it quotes"
        assert await answers.sources(connection, "a2") == []


async def test_a_question_goes_with_the_message_that_asked_it_whoever_waits_for_the_answer(
    bot: SmallBot, home: Path
) -> None:
    questions = [bot.posted(f"who has the key? {number}") for number in range(3)]
    await bot.follow(*questions, bot.posted("hi", by=WEI))
    for one, question in zip("abc", questions, strict=True):
        mine = replace(GIVEN, answer=one, asked=question.message)
        await keep(bot, mine)
        await keep(bot, replace(mine, answer=f"{one}2", member=WEI.ref, alone=True))
    edited = MessageEdited(
        message=questions[0].message, channel=GENERAL, author=ANA, text="oops", at=bot.clock.now(), revision=1
    )
    await bot.follow(edited, MessageDeleted(message=questions[1].message, channel=GENERAL, at=bot.clock.now()))
    assert await questions_of(bot) == {"a": "", "a2": "", "b": "", "b2": "", "c": GIVEN.question, "c2": GIVEN.question}
    async with bot.database.read() as connection:
        ana = await members.by_ref(connection, bot.community, ANA.ref)
    forget = functools.partial(erasure.forget, bot.database, None, None, bot.community, ana)
    assert (await forget(home=home, now=bot.clock.now())).left == 0
    assert set((await questions_of(bot)).values()) == {""}


async def test_a_question_that_is_taken_back_while_it_is_answered_is_not_kept(bot: SmallBot) -> None:
    asked = bot.posted(GIVEN.question)
    inbox = Inbox(bot.database, clock=bot.clock, holder="test", followings=Followings(bot.clock, bot.refusals))
    for event in (asked, MessageDeleted(message=asked.message, channel=GENERAL, at=bot.clock.now())):
        await inbox.put(Arrival(space=SPACE, event=event))
    await keep(bot, replace(GIVEN, asked=asked.message))
    assert await questions_of(bot) == {"a1": ""}


async def test_a_question_that_is_an_entry_stays_as_long_as_that_does(bot: SmallBot) -> None:
    await keep(bot, GIVEN)
    entry = KeepNote(note="0" * 32, channel=GENERAL.ref, question=GIVEN.question, text="Mara has it.")
    assert await bot.performer.keeper.act(bot.community, entry, trace="t2") == DONE
    soon = bot.clock.now() + timedelta(days=1)
    assert await bot.database.write(lambda connection: answers.fade(connection, bot.community, soon)) == 0
    await bot.performer.keeper.act(bot.community, inverse(entry, DONE), trace="t3")
    assert await bot.database.write(lambda connection: answers.fade(connection, bot.community, soon)) == 1


async def questions_of(bot: SmallBot) -> dict[str, str]:
    async with bot.database.read() as connection:
        rows = await connection.execute(select(col(AnswerRow.id), col(AnswerRow.question)))
        return {row.id: row.question for row in rows}
