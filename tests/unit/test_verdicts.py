"""What a verdict sets off on a platform that can everything, and on one that lets a bot do little."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.actions import AskStaff, Ban, Delete, Edit, Exhibit, OpenDirect, Say, SettleCase, Timeout, Unban, Warn
from bot.core.decisions import Decision, Receipt
from bot.core.events import Named
from bot.core.things import Rank, Ref
from brains.moderation.ladder import Step
from brains.skills import cards, casework, letters, moderate
from brains.skills.skill import Context, Skill
from storage import cases, members
from storage.cases import Case
from tests.recording import ANA, EVERYTHING, GENERAL, PLATFORM, STAFF, WEI, Plaza, SmallBot, small_bot
from tests.words import MONDAY

SAM = Named(ref=Ref(PLATFORM, "sam"), name="Sam")


def exhibit(number: int) -> Exhibit:
    return Exhibit(message=Ref(PLATFORM, f"x{number}"), channel=GENERAL.ref, text=f"buy {number} lanterns", at=MONDAY)


def opening(count: int, step: Step | None, points: int) -> Skill:
    """Return a skill that opens a case about Ana as a detector would, with so many messages, by a command."""

    async def propose(context: Context) -> Decision:
        kept = casework.opened(
            context,
            member=ANA.ref,
            about="spam",
            reason="looks like spam",
            exhibits=[exhibit(number) for number in range(count)],
            detectors=("memory",),
            score=0.9,
            step=step,
            points=points,
        )
        act = casework.sanction(kept, step, "spam") if step else None
        done = [act] if act else []
        card = await cards.card(context, kept, done=done)
        async with context.faculties.database.read() as connection:
            ana = await members.by_ref(connection, context.community, ANA.ref)
        assert card is not None
        assert ana is not None
        told = [await letters.notice(context, ana, kept)] if step else []
        return Decision(skill="open", actions=(kept, *done, card, *told, context.answer("opened")), reason="spam")

    return Skill(name="open", purpose="opens cases", propose=propose, commands=("help",))


@contextlib.asynccontextmanager
async def opened(
    home: Path,
    *,
    count: int = 1,
    step: Step | None = None,
    points: int = 0,
    can: frozenset[str] = EVERYTHING,
    skill: Skill = moderate.SKILL,
) -> AsyncIterator[SmallBot]:
    """Open a bot whose staff finds a case about Ana."""
    skills = (skill, opening(count, step, points))
    async with small_bot(home, skills=skills, plaza=Plaza(can=can)) as bot:
        for who in (ANA, WEI, SAM):
            await bot.follow(bot.posted("hello", by=who))
        await bot.follow(replace(bot.posted("hello", by=SAM), channel=STAFF))
        await bot.tune("staff_channel", str(STAFF.ref))
        await bot.tune("language", "en")
        await bot.happens(bot.command("help", by=SAM, rank=Rank.STAFF))
        yield bot


def card_of(bot: SmallBot) -> AskStaff:
    return next(one for one in bot.plaza.done if isinstance(one, AskStaff))


async def press(bot: SmallBot, label: str, *, by: Named = SAM, rank: Rank = Rank.STAFF) -> list:
    """Press the newest button called so, and return what was done thereupon."""
    offers = [one for done in bot.plaza.done for one in getattr(done, "buttons", ()) if one.label == label]
    before = len(bot.plaza.done)
    await bot.happens(bot.press(offers[-1].token, by=by, rank=rank))
    return bot.plaza.done[before:]


async def the_case(bot: SmallBot) -> Case:
    async with bot.database.read() as connection:
        ana = await members.by_ref(connection, bot.community, ANA.ref)
        assert ana is not None
        return (await cases.of_member(connection, bot.community, ana.id))[0]


async def test_a_card_tells_what_staff_should_know_and_members_press_nothing(home: Path) -> None:
    async with opened(home) as bot:
        text = card_of(bot).text
        for part in ("looks like spam", "memory; 90% sure", "buy 0 lanterns", "No case before", "Spam: delete, warn"):
            assert part in text, text
        done = await press(bot, "Spam", by=WEI, rank=Rank.MEMBER)
        assert [type(one) for one in done] == [Say]
        assert (await the_case(bot)).is_open
        await press(bot, "Spam")
        assert (await the_case(bot)).verdict == "spam"


async def test_many_messages_go_by_several_presses_and_it_says_how_many_stay(home: Path) -> None:
    async with opened(home, count=20) as bot:
        done = await press(bot, "Spam")
        gone = [one for one in done if isinstance(one, Delete)]
        assert 10 <= len(gone) <= 15
        said = next(one for one in done if isinstance(one, Say))
        assert f"still there: {20 - len(gone)}." in said.text
        more = [one for one in await press(bot, "Delete the others too") if isinstance(one, Delete)]
        assert len({one.message for one in (*gone, *more)}) == 20


async def test_where_a_bot_may_neither_delete_nor_time_out_a_verdict_holds_and_says_what_to_do(home: Path) -> None:
    able = EVERYTHING - {"Delete", "Timeout"}
    async with opened(home, can=able) as bot:
        done = await press(bot, "Hacked account")
        assert not any(isinstance(one, Delete | Timeout) for one in done)
        [edit] = [one for one in done if isinstance(one, Edit)]
        for words in (edit.text, next(one.text for one in done if isinstance(one, Say))):
            assert ("let me delete: please do it by hand" in words, "let me time" in words) == (True, True), words
        assert any(isinstance(one, OpenDirect) and one.member == ANA.ref for one in done), "they are told all the same"
        assert ((await the_case(bot)).verdict, (await the_case(bot)).step) == ("compromised", "note")


async def test_fine_takes_back_what_was_done_already_and_says_so(home: Path) -> None:
    timeout = Step(points=3, rung="timeout", minutes=60)
    async with opened(home, step=timeout, points=3) as bot:
        assert any(isinstance(one, Timeout) for one in bot.plaza.done)
        assert "Done already: time" in card_of(bot).text
        done = await press(bot, "Fine")
        assert [one.minutes for one in done if isinstance(one, Timeout)] == [0]
        [letter] = [one for one in done if isinstance(one, OpenDirect)]
        assert (letter.member, "taken back" in letter.text) == (ANA.ref, True)
        assert not any(isinstance(one, Delete) for one in done)
        async with bot.database.read() as connection:
            assert await cases.points(connection, (await the_case(bot)).member.id, bot.clock.now()) == 0


async def test_a_verdict_after_the_bot_acted_adds_no_second_sanction(home: Path) -> None:
    timeout = Step(points=3, rung="timeout", minutes=60)
    async with opened(home, step=timeout, points=3) as bot:
        done = await press(bot, "Spam")
        assert not any(isinstance(one, Timeout | Warn | Ban) for one in done)
        assert (await the_case(bot)).points == 3


async def test_who_was_sent_out_for_good_comes_back_by_fine(home: Path) -> None:
    async with opened(home, step=Step(points=10, rung="ban"), points=10) as bot:
        done = await press(bot, "Fine")
        assert [one.member for one in done if isinstance(one, Unban)] == [ANA.ref]


async def test_a_verdict_that_comes_second_is_refused_with_all_that_it_would_do(home: Path) -> None:
    """Both read an open case; the table alone knows which was first."""
    bots: list[SmallBot] = []

    async def beaten(context: Context) -> Decision | None:
        decision = await moderate.propose(context)
        if context.press:
            first = SettleCase(case=context.press.data["case"], verdict="fine", by=WEI.ref)
            await bots[0].performer.keeper.act(context.community, first)
        return decision

    async with opened(home, skill=replace(moderate.SKILL, propose=beaten)) as bot:
        bots.append(bot)
        done = await press(bot, "Hacked account")
        assert [type(one) for one in done] == [Say], "no time-out and no deletion either"
        assert "settled already by 李伟" in done[0].text
        assert ((await the_case(bot)).verdict, (await the_case(bot)).verdict_by) == ("fine", WEI.ref)


async def test_who_cannot_be_written_to_is_dealt_with_all_the_same_and_staff_hear_it(home: Path) -> None:
    async with opened(home) as bot:
        held = replace(casework.kept(await the_case(bot)), points=12, case="HELD22", exhibits=(), standing="settled")
        await bot.performer.keeper.act(bot.community, held)
        bot.plaza.script.extend([None, Receipt(state="failed", error="they take no letters")])
        done = await press(bot, "Spam")
        assert [type(one).__name__ for one in done] == ["Edit", "Ban", "Delete", "Say", "Say"]
        assert "I could not write to" in done[-1].text
        async with bot.database.read() as connection:
            settled = await cases.of_message(connection, bot.community, exhibit(0).message)
        assert [one.step for one in settled] == ["ban"]


def test_ids_are_easy_to_read_aloud_and_a_word_is_none() -> None:
    made = {casework.case_id() for _each in range(200)}
    assert len(made) == 200
    assert all(casework.is_case_id(one) and not set(one) & set("01ILO") for one in made)
    assert casework.is_case_id("k7qx3m")
    assert not casework.is_case_id("please!")


@pytest.mark.parametrize(
    ("minutes", "told"), [(10, "10 min"), (60, "1 h"), (90, "90 min"), (1440, "1 d"), (43200, "30 d"), (0, "0 min")]
)
def test_how_long_is_said_in_the_largest_unit(minutes: int, told: str) -> None:
    assert casework.lasting(minutes, str) == told
