"""What Kinfolk itself keeps: set, set again, set back; and what it does not know is refused in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.actions import Forget, KeepFeedback, SetConsent, SetPolicy, inverse
from bot.core.decisions import Mode, Receipt
from bot.core.errors import Gone
from bot.core.things import Ref
from storage import channels, feedback, members, policies
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


@pytest.mark.parametrize(
    ("action", "unknown"),
    [
        (SetConsent(member=NOBODY, collected=False), NOBODY),
        (KeepFeedback(member=NOBODY, channel=GENERAL.ref, opinion="joined"), NOBODY),
        (KeepFeedback(member=ANA.ref, channel=Ref(PLATFORM, "x"), opinion="joined"), Ref(PLATFORM, "x")),
    ],
)
async def test_whom_and_what_nobody_knows_fails_by_name(bot: SmallBot, action, unknown: Ref) -> None:
    assert await keep(bot, action) == Receipt(state="failed", error=f"{unknown} is not known here")


async def test_forgetting_somebody_unknown_is_done_already_and_a_store_that_is_away_is_told(bot: SmallBot) -> None:
    assert await keep(bot, Forget(member=NOBODY)) == DONE
    with pytest.raises(Gone):
        await keep(bot, Forget(member=ANA.ref))
