"""What the bot's answers rest on was changed or taken away: they are taken back, whatever way and whatever mode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.attending import QUESTIONS, SHARE, Attending, pause
from bot.core.actions import Cited, Edit, SetConsent, TakeBack
from bot.core.decisions import Mode, Receipt
from bot.core.errors import Gone
from bot.core.events import Arrival, MessageDeleted, MessageEdited, MessagePosted
from bot.core.things import Audience, Ref
from brains.skills import staff, standing
from storage import channels, erasure, members, retention
from storage.digests import digest
from tests.recording import ANA, GENERAL, STAFF, WEI, SmallBot, small_bot
from tests.unit.answered import QUOTES, WORDS, given, turned

SECRET = "the key lies under the blue flowerpot"
TAKEN_BACK = "What this rested on was changed or taken away, so I take it back."


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home, skills=(QUOTES, staff.SKILL, standing.SKILL)) as opened:
        await opened.follow(replace(opened.posted("hello", by=WEI), channel=STAFF))
        yield opened


async def attend(bot: SmallBot) -> list[Arrival]:
    """Let the bot look after its answers once, and handle what it finds; returns what that was."""
    found: list[Arrival] = []
    bot.clock.pass_by(1)  # two events of one instant would be one

    async def put(arrival: Arrival) -> bool:
        found.append(arrival)
        return True

    await Attending(database=bot.database, clock=bot.clock, put=put).look()
    for one in found:
        await bot.happens(one.event)
    return [one for one in found if one.event.schedule == standing.SCHEDULE]


async def answered(bot: SmallBot, *, alone: bool = False, where=GENERAL) -> tuple[MessagePosted, str]:
    """Let Wei say where the key is, and the bot tell Ana; returns what Wei said and the answer's id."""
    source = replace(bot.posted(SECRET, by=WEI), channel=where)
    await bot.follow(source)
    WORDS["where is it?"] = f"Wei said: {SECRET}"
    posted = bot.posted("where is it?", mentioned=True)
    event = replace(bot.command("help", by=ANA), line="where is it?") if alone else posted
    return source, await given(bot, event, [str(source.message)], alone=alone)


async def held(bot: SmallBot) -> str:
    """Return all that is held of what the bot did and said."""
    kept = {"act": "action", "trace": "story", "button": "data", "message": "text", "answer": "standing"}
    async with bot.database.read() as connection:
        return "\n".join(
            [
                str(row[0])
                for table, column in kept.items()
                for row in await connection.execute(text(f"SELECT {column} FROM {table}"))
            ]
        )


def edited(source: MessagePosted, words: str) -> MessageEdited:
    return MessageEdited(
        message=source.message, channel=source.channel, author=source.author, text=words, at=source.at, revision=2
    )


async def edit(bot: SmallBot, source: MessagePosted) -> None:
    await bot.follow(edited(source, "the key is with Sam"))


async def delete(bot: SmallBot, source: MessagePosted) -> None:
    await bot.follow(MessageDeleted(message=source.message, channel=source.channel, at=source.at))


async def refuse(bot: SmallBot, _source: MessagePosted) -> None:
    await bot.performer.keeper.act(bot.community, SetConsent(member=WEI.ref, collected=False))


async def unread(bot: SmallBot, source: MessagePosted) -> None:
    await bot.tune("read", "no", channel=str(source.channel.ref))


async def purge(bot: SmallBot, _source: MessagePosted) -> None:
    await bot.tune("retention_days", "1")
    bot.clock.pass_by(2 * 86_400)
    while await bot.database.write(lambda c: retention.purge(c, bot.community, bot.clock.now())):
        pass


@pytest.mark.parametrize("lost", [edit, delete, refuse, unread, purge])
async def test_an_answer_whose_source_is_lost_is_taken_back_and_its_words_are_held_no_more(bot: SmallBot, lost) -> None:
    source, number = await answered(bot)
    assert await attend(bot) == []
    await lost(bot, source)
    assert len(await attend(bot)) == 1
    change = bot.plaza.done[-1]
    assert isinstance(change, Edit)
    assert (change.text, change.before, change.buttons) == (TAKEN_BACK, "", ())
    if lost is not purge:
        assert SECRET not in (await held(bot)).replace(source.text if lost in {refuse, unread} else "\0", "", 1)
    assert await attend(bot) == []
    told = await bot.happens(bot.command("why", rank=3, message=number))
    assert told is not None
    assert TAKEN_BACK[:40] in bot.plaza.said[-1]
    assert SECRET not in bot.plaza.said[-1]


async def test_a_channel_that_is_closed_takes_back_what_was_said_of_it_elsewhere_and_not_what_was_said_in_it(
    bot: SmallBot,
) -> None:
    await answered(bot)
    _there, elsewhere = await answered(bot, where=STAFF)
    await turned(bot, STAFF.ref, Audience.MEMBERS)
    await attend(bot)
    [change] = [one for one in bot.plaza.done if isinstance(one, Edit)]
    [said] = [act.receipt.made for act in await bot.acts(elsewhere)]
    assert change.message == said
    await turned(bot, GENERAL.ref, Audience.MEMBERS)
    assert await attend(bot) == []


async def test_what_one_member_was_told_alone_goes_when_they_may_not_read_it_any_more(bot: SmallBot) -> None:
    source, number = await answered(bot, alone=True, where=STAFF)
    await turned(bot, STAFF.ref, Audience.MEMBERS)
    assert len(await attend(bot)) == 1
    [act] = await bot.acts(number)
    change = bot.plaza.done[-1]
    assert isinstance(change, Edit)
    assert (change.only, change.invocation) == (ANA.ref, act.action.invocation)
    assert SECRET not in (await held(bot)).replace(source.text, "", 1)


async def test_no_mode_and_no_confidence_keeps_a_promise_from_being_kept(bot: SmallBot) -> None:
    await bot.tune("confidence", "1")
    await bot.tune("speak", "silent")
    for mode in (Mode.OFF, Mode.WATCH, Mode.ASK):
        await bot.mode("standing", mode)
        await bot.tune("speak", "helpful")
        source, _number = await answered(bot)
        await bot.tune("speak", "silent")
        await delete(bot, source)
        await attend(bot)
        assert bot.plaza.done[-1].text == TAKEN_BACK


async def test_what_could_not_be_changed_is_tried_again_ever_later_and_given_up_in_the_end(bot: SmallBot) -> None:
    source, _number = await answered(bot)
    await delete(bot, source)
    bot.plaza.script.extend([Receipt(state="failed", error="locked")] * 10)
    for failed in range(9):
        assert len(await attend(bot)) == 1
        if failed < 3:
            bot.clock.pass_by(10 * 2**failed - 3)
            assert await attend(bot) == []
        bot.clock.pass_by(10 * 2**failed)
    assert len(await attend(bot)) == 1
    bot.clock.pass_by(86_400)
    assert await attend(bot) == []
    assert SECRET not in await held(bot)
    assert not any(isinstance(one, Edit) for one in bot.plaza.done)


async def test_an_edit_that_mends_is_repeated_where_the_platform_went_away(bot: SmallBot) -> None:
    source, _number = await answered(bot)
    await delete(bot, source)
    bot.plaza.script.append(Gone("the line broke"))
    await attend(bot)
    assert isinstance(bot.plaza.done[-1], Edit)


async def test_a_promise_may_not_reach_further_than_the_bots_own_words(home: Path) -> None:
    greedy = replace(QUOTES, owed=True, spoken_to=(), hears=(MessagePosted,), commands=())
    async with small_bot(home, skills=(greedy,)) as bot:
        WORDS["hello"] = "hello"
        trace = await bot.happens(bot.posted("hello", mentioned=True))
        assert trace is not None
        assert [one.kept for one in trace.verdict.rulings] == [False]
        assert bot.plaza.done == []


def test_what_is_taken_back_cannot_be_brought_back() -> None:
    from bot.core.actions import inverse

    done = Receipt(state="done", made=Ref("plaza", "b1"))
    mended = Edit(message=Ref("plaza", "b1"), channel=GENERAL.ref, text="gone", mends=True)
    assert inverse(mended, done) is None
    assert inverse(TakeBack(answer="a", message=None, text="gone"), done) is None


async def forgotten(bot: SmallBot, who, home: Path) -> None:
    async with bot.database.read() as connection:
        member = await members.by_ref(connection, bot.community, who.ref)
    assert member is not None
    done = await erasure.forget(bot.database, None, None, bot.community, member, home=home, now=bot.clock.now())
    assert done.left == 0


async def test_whose_words_were_quoted_is_forgotten_and_the_answer_is_taken_back(bot: SmallBot, home: Path) -> None:
    await answered(bot)
    made = Ref("plaza", "b1")
    await forgotten(bot, WEI, home)
    assert len(await attend(bot)) == 1
    change = bot.plaza.done[-1]
    assert isinstance(change, Edit)
    assert (change.message, change.text) == (made, TAKEN_BACK)
    assert SECRET not in await held(bot)


async def test_an_answer_follows_its_sources_after_who_asked_was_forgotten(bot: SmallBot, home: Path) -> None:
    source, _number = await answered(bot)
    await answered(bot, alone=True)
    await forgotten(bot, ANA, home)
    assert await attend(bot) == []
    await edit(bot, source)
    assert len(await attend(bot)) == 1
    assert [one.message for one in bot.plaza.done if isinstance(one, Edit)] == [Ref("plaza", "b1")]


def test_a_look_that_takes_long_comes_less_often_and_one_that_does_not_soon_enough() -> None:
    assert [pause(took, took) for took in (0.0, 0.05, 0.2, 60)] == [1.0, 1.0, 4.0, 20.0]
    assert all(took / pause(took, took) <= SHARE + 1e-9 for took in (0.01, 0.2, 1))
    assert pause(3, 0.01) == pause(0.01, 3) == 1.0, "once is nothing"


async def test_a_question_that_waits_is_told_of_once_where_help_is_wanted(bot: SmallBot) -> None:
    async def looked(seconds: int) -> list[str]:
        found: list[str] = []

        async def put(arrival: Arrival) -> bool:
            found.append(arrival.event.schedule)
            return True

        bot.clock.pass_by(seconds)
        await replace(attending, put=put).look()
        return found

    attending = Attending(database=bot.database, clock=bot.clock, put=None)  # type: ignore[arg-type]
    await bot.follow(bot.posted("how do I true a bicycle wheel?"), replace(bot.posted("hello there"), channel=STAFF))
    assert await looked(60) == []
    assert await looked(9 * 60 + 1) == [QUESTIONS]
    assert await looked(30) == []
    await bot.follow(bot.posted("which spoke key fits?"))
    assert await looked(10 * 60 + 5) == [QUESTIONS]
    await bot.follow(bot.posted("and what does it cost?"))
    await bot.tune("speak", "mentioned")
    assert await looked(10 * 60 + 5) == []


async def test_an_answer_that_was_corrected_goes_on_following_what_it_cites_now(bot: SmallBot) -> None:
    source, number = await answered(bot)
    other = replace(bot.posted("the key hangs on a nail", by=WEI), channel=GENERAL)
    await bot.follow(other)
    async with bot.database.read() as connection:
        room = await channels.by_ref(connection, bot.community, GENERAL.ref)
    assert room is not None
    cites = (Cited(source=other.message, channel=room.id, digest=digest(other.text).hex()),)
    back = TakeBack(answer=number, message=Ref("plaza", "b1"), text=TAKEN_BACK, sources=cites)
    await bot.performer.keeper.act(bot.community, back, trace="t1")
    await edit(bot, source)
    assert await attend(bot) == [], "it rests on that no more"
    await edit(bot, other)
    assert len(await attend(bot)) == 1
