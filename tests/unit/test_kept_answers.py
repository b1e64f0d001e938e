"""Answers as they are kept: what they cite, how they stand, what members think of them; faded and forgotten."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.actions import Cited, KeepAnswer, KeepOpinion, inverse
from bot.core.decisions import Receipt
from bot.core.things import Ref
from storage import answers, erasure, members
from storage.digests import digest
from tests.recording import ANA, GENERAL, PLATFORM, SmallBot, small_bot

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
