"""What becomes of a message that detectors hold against its author: the case, the card, and what everybody is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.actions import Action, AskStaff, Ban, Delete, Edit, KeepCase, OpenDirect, Say, SetConsent, Timeout, Warn
from bot.core.decisions import Mode, Receipt
from bot.core.events import MessageEdited, Named
from bot.core.things import Community, Rank, Ref
from brains.moderation import rules
from brains.moderation.heads import shipped
from brains.moderation.moderator import Moderator
from brains.moderation.presets import Limit
from brains.moderation.raids import RaidWatch
from brains.moderation.rulebook import Rulebooks
from brains.skills import mod, moderate, staff
from storage import cases, members
from storage.cases import Case
from tests.recording import ANA, EVERYTHING, GENERAL, PLATFORM, STAFF, WEI, Plaza, SmallBot, small_bot
from tests.unit.test_verdicts import SAM, press

RULES = rules.read("words: {remove: [lanterns, tents], flag: [boats]}")
DARK = "I cannot go on any more, I want to kill myself tonight"


@contextlib.asynccontextmanager
async def watched(
    home: Path,
    *,
    mode: Mode = Mode.ACT,
    can: frozenset[str] = EVERYTHING,
    held: int = 0,
    alike: Limit | None = None,
    **tuned: str,
) -> AsyncIterator[SmallBot]:
    """Open a bot that looks at what is said by rules and heads; so many points are held against Ana."""
    moderator = Moderator(
        rules=Rulebooks(rules=RULES),
        heads=await asyncio.to_thread(shipped),
        raids=RaidWatch(joins=Limit(count=3, seconds=60), alike=alike, quiet=300),
    )

    async def one(_community: Community) -> Moderator:
        return moderator

    async with small_bot(
        home, skills=(moderate.SKILL, mod.SKILL, staff.SKILL), plaza=Plaza(can=can), moderator=one
    ) as bot:
        for who in (ANA, WEI, SAM):
            await bot.follow(bot.posted("hello", by=who))
        await bot.follow(replace(bot.posted("hello", by=SAM), channel=STAFF))
        for name, value in {"staff_channel": str(STAFF.ref), "language": "en", **tuned}.items():
            await bot.tune(name, value)
        await bot.mode("moderate", mode)
        if held:
            before = KeepCase(case="HELD22", member=ANA.ref, about="hand", reason="", points=held, standing="settled")
            await bot.performer.keeper.act(bot.community, before)
        yield bot


def edited(bot: SmallBot, message: Ref, text: str, *, by: Named = ANA, revision: str = "1") -> MessageEdited:
    return MessageEdited(message=message, channel=GENERAL, author=by, text=text, at=bot.clock.now(), revision=revision)


def of(bot: SmallBot, *kinds: type[Action]) -> list[Action]:
    return [one for one in bot.plaza.done if isinstance(one, kinds)]


async def about(bot: SmallBot, who: Named = ANA) -> list[Case]:
    async with bot.database.read() as connection:
        member = await members.by_ref(connection, bot.community, who.ref)
        assert member is not None
        return [one for one in await cases.of_member(connection, bot.community, member.id) if one.id != "HELD22"]


def raider(number: int) -> Named:
    return Named(ref=Ref(PLATFORM, f"r{number}"), name=f"R{number}")


async def raided(bot: SmallBot, count: int = 5) -> None:
    """Let many come in within one second, which is all that some platforms tell of when."""
    at = bot.clock.now()
    for number in range(count):
        await bot.happens(replace(bot.joined(raider(number)), at=at))


async def test_a_raid_is_told_once_and_its_buttons_touch_nobody_who_is_held_for_something_else(home: Path) -> None:
    async with watched(home, held=5) as bot:
        await raided(bot)
        assert len(of(bot, AskStaff)) == 1
        assert sorted(one.member.id for one in of(bot, Timeout)) == [f"r{number}" for number in range(5)]
        await bot.happens(bot.posted("buy lanterns"))
        assert of(bot, Timeout)[-1].member == ANA.ref
        done = await press(bot, "Ban them all")
        assert sorted(one.member.id for one in done if isinstance(one, Ban)) == [f"r{number}" for number in range(5)]


async def test_where_staff_wants_to_be_asked_they_can_hold_ban_and_let_go_whoever_takes_part(home: Path) -> None:
    async with watched(home, mode=Mode.ASK) as bot:
        await raided(bot)
        assert not of(bot, Timeout)
        held = [one.member.id for one in await press(bot, "Hold them") if isinstance(one, Timeout)]
        assert sorted(held) == [f"r{number}" for number in range(5)]
        done = await press(bot, "End it, let them write")
        assert sorted((one.member.id, one.minutes) for one in done if isinstance(one, Timeout)) == [
            (f"r{number}", 0) for number in range(5)
        ]


async def test_what_a_card_of_an_old_raid_does_leaves_the_next_one_alone(home: Path) -> None:
    async with watched(home) as bot:
        await raided(bot, 3)
        old = of(bot, AskStaff)[0]
        later = bot.clock.now() + timedelta(hours=1)
        for number in range(10, 13):
            await bot.happens(replace(bot.joined(raider(number)), at=later))
        assert len(of(bot, AskStaff)) == 2
        [ban] = [one for one in old.buttons if one.label == "Ban them all"]
        await bot.happens(bot.press(ban.token, by=SAM, rank=Rank.STAFF))
        assert sorted(one.member.id for one in of(bot, Ban)) == ["r0", "r1", "r2"]


async def test_what_is_written_in_a_raid_is_one_case_each_which_ends_with_it_unless_more_speaks_for_it(
    home: Path,
) -> None:
    async with watched(home, ask_first="nothing") as bot:
        await raided(bot)
        for words in ("is this the right room", "it is, I think"):
            await bot.happens(bot.posted(words, by=raider(1)))
        spam = bot.posted("buy lanterns", by=raider(2))
        await bot.happens(spam)
        [talk], [sale] = await about(bot, raider(1)), await about(bot, raider(2))
        assert (len(talk.exhibits), talk.detectors, sale.detectors) == (2, ("raid",), ("raid", "words"))
        assert [one.message for one in of(bot, Delete)] == [spam.message]
        done = await press(bot, "End it, let them write")
        assert "Done for 5 members." in done[-2].text
        assert [one.standing for one in [*await about(bot, raider(1)), *await about(bot, raider(2))]] == [
            "withdrawn",
            "open",
        ]


async def test_in_a_raid_nothing_is_deleted_of_which_the_staff_wants_to_be_asked(home: Path) -> None:
    async with watched(home) as bot:
        await raided(bot)
        await bot.happens(bot.posted("buy lanterns", by=raider(2)))
        assert not of(bot, Delete)
        await bot.happens(bot.command("mod", by=SAM, rank=Rank.STAFF, action="queue"))
        assert len([one for one in await press(bot, "Spam") if isinstance(one, Delete)]) == 1


async def test_the_message_that_begins_a_raid_is_kept_and_goes_too(home: Path) -> None:
    async with watched(home, ask_first="nothing", alike=Limit(count=3, seconds=60)) as bot:
        for number in range(3):
            await bot.follow(bot.joined(raider(number)))
            await bot.happens(bot.posted("the finest lanterns of the whole harbour", by=raider(number)))
        assert sum("A raid" in one.text for one in of(bot, AskStaff)) == 1
        assert len(of(bot, Delete)) == 3
        assert [one.kind for one in await about(bot, raider(2))] == ["raid"]


async def test_after_a_raid_the_spam_of_who_took_part_is_a_case_of_its_own_of_which_the_staff_is_asked(
    home: Path,
) -> None:
    async with watched(home) as bot:
        await raided(bot)
        await bot.happens(bot.posted("is this the right room", by=raider(1)))
        later = bot.clock.now() + timedelta(minutes=20)
        await bot.happens(replace(bot.posted("buy lanterns", by=raider(1)), at=later))
        assert sorted(one.kind for one in await about(bot, raider(1))) == ["raid", "rule"]
        [_raid, card] = of(bot, AskStaff)
        assert "buy lanterns" in card.text
        assert not of(bot, Delete), "it waits for the staff"
        assert [one.channel for one in await press(bot, "Spam") if isinstance(one, Delete)] == [GENERAL.ref]


async def test_where_the_card_of_a_case_could_not_be_posted_the_next_message_brings_one_of_all_of_it(
    home: Path,
) -> None:
    async with watched(home) as bot:
        bot.plaza.script.append(Receipt(state="failed", error="the staff's room is shut"))
        for words in ("buy lanterns", "and tents", "and more tents"):
            await bot.happens(bot.posted(words))
        [card] = of(bot, AskStaff)
        assert all(part in card.text for part in ("buy lanterns", "and tents"))
        assert "and more tents" in of(bot, Edit)[-1].text
        assert len([one for one in await press(bot, "Spam") if isinstance(one, Delete)]) == 3


async def test_what_is_said_while_a_card_is_being_posted_brings_no_second_one(home: Path) -> None:
    async with watched(home) as bot:

        async def meanwhile(action: Action) -> None:
            if isinstance(action, AskStaff):
                bot.plaza.watch = None
                await bot.happens(bot.posted("and tents"))

        bot.plaza.watch = meanwhile
        await bot.happens(bot.posted("buy lanterns"))
        assert len(of(bot, AskStaff)) == 1
        assert [len(one.exhibits) for one in await about(bot)] == [2]


async def test_who_may_harm_themselves_is_offered_help_whatever_was_said_to_them_before(home: Path) -> None:
    async with watched(home) as bot:
        await bot.happens(bot.posted("buy lanterns"))
        assert any("lanterns" in one.text for one in of(bot, OpenDirect)), "they were told of a case"
        await bot.happens(bot.posted(DARK))
        await bot.happens(bot.posted(DARK))
        assert sum("findahelpline" in one.text for one in of(bot, OpenDirect)) == 1
        assert sum("Please look" in one.text for one in of(bot, AskStaff)) == 1


async def test_hard_words_of_somebody_in_need_are_no_case_against_them(home: Path) -> None:
    async with watched(home) as bot:
        await bot.happens(bot.posted(f"damn these lanterns. {DARK}"))
        assert any("findahelpline" in one.text for one in of(bot, OpenDirect))
        assert (await about(bot), of(bot, Delete, Warn)) == ([], [])
        await bot.happens(bot.posted("damn these lanterns"))
        assert len(await about(bot)) == 1


async def test_staff_hears_of_who_may_harm_themselves_and_that_they_could_not_be_written_to(home: Path) -> None:
    async with watched(home) as bot:
        bot.plaza.script.extend([None, Receipt(state="failed", error="their door is shut")])
        await bot.happens(bot.posted(DARK))
        assert [type(one).__name__ for one in bot.plaza.done] == ["AskStaff", "Say"]
        assert ("could not write to" in bot.plaza.said[-1], "door is shut" in bot.plaza.said[-1]) == (True, True)


async def test_where_the_bot_asks_first_staff_offers_help_by_a_button(home: Path) -> None:
    async with watched(home, mode=Mode.ASK) as bot:
        await bot.happens(bot.posted(DARK))
        assert not of(bot, OpenDirect)
        assert "I wrote nothing to them" in of(bot, AskStaff)[0].text
        done = await press(bot, "Offer help")
        assert any("findahelpline" in one.text for one in done if isinstance(one, OpenDirect))


async def test_what_a_platform_does_not_let_a_bot_do_is_neither_told_as_done_nor_held_to_be(home: Path) -> None:
    little = EVERYTHING - {"Delete", "Timeout"}
    async with watched(home, can=little, held=5, ask_first="nothing") as bot:
        await bot.happens(bot.posted("buy lanterns"))
        assert "Done already" not in of(bot, AskStaff)[0].text
        assert not of(bot, OpenDirect), "nothing happened to them that they could be told"
        assert [(one.step, one.points) for one in await about(bot)] == [("", 0)]
        done = await press(bot, "Spam")
        [edit] = [one for one in done if isinstance(one, Edit)]
        assert ("let me delete" in edit.text, "let me time" in edit.text) == (True, True)


async def test_a_card_says_of_a_channel_that_asks_first_that_nothing_is_done(home: Path) -> None:
    async with watched(home, held=5, ask_first="nothing") as bot:
        await bot.tune("mode.moderate", Mode.ASK, str(GENERAL.ref))
        await bot.happens(bot.posted("buy lanterns"))
        assert "Done already" not in of(bot, AskStaff)[0].text
        assert not of(bot, Delete, Timeout)


async def test_what_was_judged_is_not_judged_again_unless_it_reads_otherwise(home: Path) -> None:
    async with watched(home) as bot:
        said = bot.posted("some boats")
        await bot.happens(said)
        await press(bot, "Fine")
        await bot.happens(edited(bot, said.message, "some boats"))
        assert len(await about(bot)) == 1
        await bot.happens(edited(bot, said.message, "buy lanterns", revision="2"))
        assert [one.exhibits[0].text for one in await about(bot) if one.is_open] == ["buy lanterns"]


async def test_the_same_words_edited_again_and_again_climb_no_ladder(home: Path) -> None:
    async with watched(home, held=4) as bot:
        said = bot.posted("buy lanterns")
        await bot.happens(said)
        for revision in ("1", "2", "3"):
            await bot.happens(edited(bot, said.message, said.text, revision=revision))
        assert [one.points for one in await about(bot)] == [1]
        assert len(of(bot, Timeout)) == 1


@pytest.mark.parametrize("mode", [Mode.ASK, Mode.ACT])
async def test_what_joins_a_case_is_written_into_its_card_and_asked_by_no_other(home: Path, mode: Mode) -> None:
    async with watched(home, mode=mode) as bot:
        await bot.happens(bot.posted("buy lanterns"))
        await bot.happens(bot.posted("and tents"))
        assert len(of(bot, AskStaff)) == 1
        assert all(part in of(bot, Edit)[-1].text for part in ("buy lanterns", "and tents"))
        assert [len(one.exhibits) for one in await about(bot)] == [2]
        assert len([one for one in await press(bot, "Spam") if isinstance(one, Delete)]) == 2


async def test_staff_judge_no_case_about_themselves_but_the_owner_may(home: Path) -> None:
    async with watched(home) as bot:
        await bot.happens(bot.posted("buy lanterns"))
        [said] = await press(bot, "Fine", by=ANA)
        assert "about you" in said.text
        assert [one.is_open for one in await about(bot)] == [True]
        await press(bot, "Fine", by=ANA, rank=Rank.OWNER)
        assert [one.verdict for one in await about(bot)] == ["fine"]


async def test_who_was_told_of_a_time_out_is_told_of_no_second_one_by_the_verdict(home: Path) -> None:
    async with watched(home, held=5) as bot:
        await bot.happens(bot.posted("buy lanterns"))
        done = await press(bot, "Spam")
        [letter] = [one.text for one in done if isinstance(one, OpenDirect)]
        assert ("besides what I told you before" in letter, "cannot write" in letter) == (True, False)


async def test_whose_account_was_taken_rests_a_day_and_loses_the_points_of_the_detector(home: Path) -> None:
    async with watched(home, held=5) as bot:
        await bot.happens(bot.posted("buy lanterns"))
        assert [one.points for one in await about(bot)] == [1]
        done = await press(bot, "Hacked account")
        assert [one.minutes for one in done if isinstance(one, Timeout)] == [24 * 60]
        assert [one.points for one in await about(bot)] == [0]


async def test_of_whom_nothing_is_collected_no_word_is_kept_in_the_reason_either(home: Path) -> None:
    async with watched(home) as bot:
        await bot.performer.keeper.act(bot.community, SetConsent(member=ANA.ref, collected=False))
        trace = await bot.happens(bot.posted("buy lanterns"))
        assert trace is not None
        [case] = await about(bot)
        told = [case.reason, of(bot, AskStaff)[0].text, *(one.text for one in of(bot, OpenDirect))]
        told += [one.reason for one in trace.verdict.decisions]
        assert not [one for one in told if "lanterns" in one], told
        assert "rule of this community" in case.reason


async def test_a_card_says_that_its_member_was_warned_and_they_hear_that_a_bot_thinks_so(home: Path) -> None:
    async with watched(home, held=2) as bot:
        await bot.happens(bot.posted("buy lanterns"))
        assert "Done already: warn" in of(bot, AskStaff)[0].text
        assert "/appeal" not in of(bot, AskStaff)[0].text, "the letter is not repeated to the staff"
        [warned] = of(bot, Warn)
        assert "I take what you wrote to be against the rules here" in warned.text


async def test_an_appeal_is_decided_from_the_case_too(home: Path) -> None:
    async with watched(home) as bot:
        await bot.happens(bot.posted("buy lanterns"))
        [case] = await about(bot)
        await bot.happens(bot.command("appeal", text="they are pretty"))
        await bot.happens(bot.command("mod", by=SAM, rank=Rank.STAFF, action="case", case=case.id))
        [shown] = [one for one in of(bot, Say) if "Grant: take it back" in [each.label for each in one.buttons]]
        assert "they are pretty" in shown.text
        await press(bot, "Grant: take it back")
        assert [one.verdict for one in await about(bot)] == ["fine"]


@pytest.mark.parametrize(
    ("can", "promised"),
    [
        (EVERYTHING, "write to somebody of the staff, and name case {case}."),
        (EVERYTHING | {"outsiders"}, "`/appeal {case}` and why."),
    ],
)
async def test_who_the_bot_itself_sends_out_is_told_before_how_to_appeal(
    home: Path, can: frozenset[str], promised: str
) -> None:
    async with watched(home, can=can, held=9, strictness="strict", ask_first="nothing") as bot:
        await bot.happens(bot.posted("buy lanterns"))
        assert [type(one) for one in of(bot, Delete, OpenDirect, Ban)] == [Delete, OpenDirect, Ban]
        [letter], [case] = of(bot, OpenDirect), await about(bot)
        assert promised.format(case=case.id) in letter.text
        assert ("/appeal" in letter.text) == ("/appeal" in promised)
