"""What Kinfolk itself keeps: set, set again, set back; and what it does not know is refused in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.actions import (
    Forget,
    KeepFeedback,
    KeepInterest,
    KeepNewcomer,
    KeepNote,
    SetConsent,
    SetPolicy,
    inverse,
)
from bot.core.decisions import Mode, Receipt
from bot.core.errors import Gone
from bot.core.events import MemberLeft
from bot.core.things import Ref
from storage import channels, erasure, feedback, interests, members, newcomers, notes, policies
from storage.exporting import export
from storage.newcomers import Newcomer
from tests.recording import ANA, GENERAL, PLATFORM, SmallBot, small_bot

DONE = Receipt(state="done")
NOBODY = Ref(PLATFORM, "nobody")


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home) as opened:
        await opened.follow(opened.posted("hello"))
        yield opened


async def keep(bot: SmallBot, action) -> Receipt:
    return await bot.performer.keeper.act(bot.community, action)


async def test_a_setting_is_set_twice_alike_and_set_back(bot: SmallBot) -> None:
    change = SetPolicy(name="confidence", value="0.5")
    assert [await keep(bot, change), await keep(bot, change)] == [DONE, DONE]
    async with bot.database.read() as connection:
        assert (await policies.load(connection, bot.community)).policy.confidence == 0.5
    await keep(bot, inverse(change, DONE))
    async with bot.database.read() as connection:
        assert "confidence" not in (await policies.load(connection, bot.community)).policy.model_fields_set


async def test_a_mode_is_of_a_channel_or_of_all_and_each_goes_back_by_itself(bot: SmallBot) -> None:
    everywhere = SetPolicy(name="mode.welcome", value="act", before="ask")
    here = SetPolicy(name="mode.welcome", value="off", channel=GENERAL.ref)
    await keep(bot, everywhere)
    await keep(bot, here)
    await keep(bot, inverse(everywhere, DONE))
    async with bot.database.read() as connection:
        modes = (await policies.load(connection, bot.community)).modes
    assert modes == {("welcome", ""): Mode.ASK, ("welcome", str(GENERAL.ref)): Mode.OFF}
    await keep(bot, inverse(here, DONE))
    async with bot.database.read() as connection:
        assert (await policies.load(connection, bot.community)).modes == {("welcome", ""): Mode.ASK}


async def test_consent_is_kept_and_taken_back(bot: SmallBot) -> None:
    refuse = SetConsent(member=ANA.ref, collected=False)
    assert await keep(bot, refuse) == DONE
    async with bot.database.read() as connection:
        ana = await members.by_ref(connection, bot.community, ANA.ref)
        assert ana is not None
        assert await members.withheld(connection, bot.community) == {ana.id}
    await keep(bot, inverse(refuse, DONE))
    async with bot.database.read() as connection:
        assert await members.withheld(connection, bot.community) == frozenset()


async def test_who_agrees_again_is_refused_no_longer(bot: SmallBot) -> None:
    await bot.database.write(lambda c: bot.refusals.refuse(c, bot.community, ANA.ref))
    await keep(bot, SetConsent(member=ANA.ref, collected=True))
    async with bot.database.read() as connection:
        assert await bot.refusals.refused(connection, bot.community, [ANA.ref]) == set()


async def test_an_opinion_is_kept_changed_and_taken_back(bot: SmallBot) -> None:
    async def opinions() -> dict[int, str]:
        async with bot.database.read() as connection:
            ana = await members.by_ref(connection, bot.community, ANA.ref)
            assert ana is not None
            return await feedback.of(connection, ana.id)

    joined = KeepFeedback(member=ANA.ref, channel=GENERAL.ref, opinion=feedback.JOINED, before=feedback.DECLINED)
    assert await keep(bot, joined) == DONE
    async with bot.database.read() as connection:
        room = await channels.by_ref(connection, bot.community, GENERAL.ref)
    assert room is not None
    assert await opinions() == {room.id: "joined"}
    await keep(bot, inverse(joined, DONE))
    assert await opinions() == {room.id: "declined"}
    await keep(bot, KeepFeedback(member=ANA.ref, channel=GENERAL.ref, opinion=""))
    assert await opinions() == {}


async def told(bot: SmallBot) -> list[tuple[str, str]]:
    async with bot.database.read() as connection:
        ana = await members.by_ref(connection, bot.community, ANA.ref)
        assert ana is not None
        return [(one.text, one.source) for one in await interests.of(connection, ana.id)]


async def test_what_they_like_is_kept_once_newest_first_and_taken_back(bot: SmallBot) -> None:
    kites, tea = (KeepInterest(member=ANA.ref, text=words, source="match") for words in ("kites", "green tea"))
    assert [await keep(bot, one) for one in (kites, kites, tea)] == [DONE] * 3
    assert await told(bot) == [("green tea", "match"), ("kites", "match")]
    await keep(bot, replace(kites, source="welcome"))
    assert await told(bot) == [("kites", "welcome"), ("green tea", "match")]
    await keep(bot, inverse(tea, DONE))
    assert await told(bot) == [("kites", "welcome")]
    await keep(bot, inverse(inverse(tea, DONE), DONE))
    assert await told(bot) == [("green tea", "match"), ("kites", "welcome")]


async def test_of_who_is_not_collected_nothing_is_kept_and_what_was_is_dropped(bot: SmallBot) -> None:
    kites = KeepInterest(member=ANA.ref, text="kites", source="match")
    await keep(bot, kites)
    await keep(bot, SetConsent(member=ANA.ref, collected=False))
    assert await told(bot) == []
    assert (await keep(bot, kites)).error == f"nothing of {ANA.ref} may be kept"
    await keep(bot, SetConsent(member=ANA.ref, collected=None, before=False))
    assert (await keep(bot, kites)) == DONE
    await keep(bot, SetPolicy(name="consent", value="opt_in"))
    assert (await keep(bot, kites)).state == "failed"


async def test_of_many_interests_the_oldest_gives_way(bot: SmallBot) -> None:
    for number in range(interests.MOST + 2):
        await keep(bot, KeepInterest(member=ANA.ref, text=f"kites {number}", source="match"))
    assert len(await told(bot)) == interests.MOST
    assert "kites 1" not in {text for text, _source in await told(bot)}


async def test_a_newcomer_is_welcomed_asked_again_and_both_are_taken_back(bot: SmallBot) -> None:
    async def met() -> str | None:
        async with bot.database.read() as connection:
            ana = await members.by_ref(connection, bot.community, ANA.ref)
            assert ana is not None
            found = await newcomers.of(connection, ana.id)
        return found.met if found else None

    welcomed = KeepNewcomer(member=ANA.ref, met="welcomed")
    followed = KeepNewcomer(member=ANA.ref, met="followed", before="welcomed")
    for action, then in (
        *((welcomed, "welcomed"), (followed, "followed"), (followed, "followed")),
        *((inverse(followed, DONE), "welcomed"), (inverse(welcomed, DONE), None)),
    ):
        assert await keep(bot, action) == DONE
        assert await met() == then


async def test_who_comes_back_after_a_month_is_newly_welcomed_and_waits_for_nothing(bot: SmallBot) -> None:
    async def row() -> Newcomer:
        async with bot.database.read() as connection:
            ana = await members.by_ref(connection, bot.community, ANA.ref)
            assert ana is not None
            found = await newcomers.of(connection, ana.id)
        assert found is not None
        return found

    welcomed = KeepNewcomer(member=ANA.ref, met="welcomed")
    again = replace(welcomed, before="followed")
    await keep(bot, welcomed)
    first = (await row()).welcomed_at
    await bot.follow(MemberLeft(member=ANA, at=bot.clock.now()))
    assert (await row()).met == "followed"
    bot.clock.pass_by(timedelta(days=31).total_seconds())
    await keep(bot, again)
    met = await row()
    assert (met.met, met.welcomed_at - first >= timedelta(days=31)) == ("welcomed", True)
    # Who left before their welcome could be written, and comes back the next day, waits for none any more.
    for action in (replace(welcomed, met=""), replace(welcomed, met="waiting")):
        await keep(bot, action)
    await bot.follow(MemberLeft(member=ANA, at=bot.clock.now()))
    await keep(bot, again)
    assert (await row()).waits is False


ENTRY = KeepNote(note="0" * 32, channel=GENERAL.ref, question="When?", text="At 9.", owner=NOBODY)


async def entries(bot: SmallBot) -> list[tuple[str, str]]:
    async with bot.database.read() as connection:
        scope = await channels.readable(connection, bot.community, None)
        return [(one.heading, one.text) for one in await notes.entries(connection, scope)]


async def test_an_entry_is_kept_bettered_taken_away_and_brought_back(bot: SmallBot) -> None:
    assert [await keep(bot, ENTRY), await keep(bot, ENTRY)] == [DONE, DONE]
    assert await entries(bot) == [("When?", "At 9.")]
    better = replace(ENTRY, text="At 10.", before="At 9.")
    await keep(bot, better)
    assert await entries(bot) == [("When?", "At 10.")]
    await keep(bot, inverse(better, DONE))
    assert await entries(bot) == [("When?", "At 9.")]
    gone = replace(ENTRY, text="", before="At 9.")
    await keep(bot, gone)
    assert await entries(bot) == []
    await keep(bot, inverse(gone, DONE))
    assert await entries(bot) == [("When?", "At 9.")]
    await keep(bot, inverse(ENTRY, DONE))
    assert await entries(bot) == []


async def test_an_entry_made_of_a_members_words_goes_with_them_and_one_that_they_answer_for_stays(
    bot: SmallBot, home: Path
) -> None:
    said = bot.posted("we open at nine, always")
    await bot.follow(said)
    await keep(bot, replace(ENTRY, text="We open at nine, always.", sources=(said.message,)))
    await keep(bot, replace(ENTRY, note="1" * 32, text="At 10.", owner=ANA.ref))
    async with bot.database.read() as connection:
        ana = await members.by_ref(connection, bot.community, ANA.ref)
    assert ana is not None
    told = await export(bot.database, bot.community, ana)
    owned, resting = told["note"]
    assert (owned["heading"], owned["text"], resting["message"]) == ("When?", "At 10.", str(said.message))
    gone = await erasure.forget(bot.database, None, None, bot.community, ana, home=home, now=bot.performer.clock.now())
    assert (gone.erased["note"], gone.erased["owner"], gone.left) == (1, 1, 0)
    assert await entries(bot) == [("When?", "At 10.")]


async def test_an_entry_that_rests_on_what_is_gone_is_refused(bot: SmallBot) -> None:
    missing = Ref(PLATFORM, "gone")
    refused = await keep(bot, replace(ENTRY, sources=(missing,)))
    assert refused == Receipt(state="failed", error=f"{missing} is not there any more, on which the entry would rest")
    assert await entries(bot) == []


@pytest.mark.parametrize(
    ("action", "unknown"),
    [
        (SetConsent(member=NOBODY, collected=False), NOBODY),
        (KeepFeedback(member=NOBODY, channel=GENERAL.ref, opinion="joined"), NOBODY),
        (KeepInterest(member=NOBODY, text="kites", source="match"), NOBODY),
        (KeepNewcomer(member=NOBODY, met="welcomed"), NOBODY),
        (KeepFeedback(member=ANA.ref, channel=Ref(PLATFORM, "x"), opinion="joined"), Ref(PLATFORM, "x")),
        (replace(ENTRY, channel=Ref(PLATFORM, "x")), Ref(PLATFORM, "x")),
    ],
)
async def test_whom_and_what_nobody_knows_fails_by_name(bot: SmallBot, action, unknown: Ref) -> None:
    assert await keep(bot, action) == Receipt(state="failed", error=f"{unknown} is not known here")


async def test_forgetting_somebody_unknown_is_done_already_and_a_store_that_is_away_is_told(bot: SmallBot) -> None:
    assert await keep(bot, Forget(member=NOBODY)) == DONE
    with pytest.raises(Gone):
        await keep(bot, Forget(member=ANA.ref))
