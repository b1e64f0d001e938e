"""Of who is not collected no word is kept as evidence, neither of now nor of before they said so."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import select

from bot.core.actions import SetConsent
from bot.core.decisions import Mode
from brains.moderation import undisguise
from brains.moderation.moderator import Moderator
from brains.moderation.moderators import Moderators
from brains.skills import moderate
from storage.tables import EvidenceRow
from tests.recording import ANA, WEI, SmallBot, small_bot

TEXT = "cheap lanterns for everybody who writes to me today, only this evening"


async def evidence(bot: SmallBot) -> dict[str, str]:
    async with bot.database.read() as connection:
        rows = await connection.execute(select(EvidenceRow.__table__))
        return {row.message: row.text for row in rows}


async def test_what_was_said_before_is_no_evidence_in_words_of_who_is_not_collected(home: Path) -> None:
    made: list[Moderators] = []

    async def moderator(community) -> Moderator:
        return await made[0].of(community)

    await asyncio.to_thread(undisguise.ready)
    async with small_bot(home, skills=[moderate.SKILL], moderator=moderator) as bot:
        made.append(Moderators(bot.database, bot.clock, heads=lambda: None, encoder=lambda: ""))
        await bot.mode("moderate", Mode.ACT)
        await bot.tune("strictness", "strict")
        first = bot.posted(TEXT)
        await bot.happens(first)
        consent = SetConsent(member=ANA.ref, collected=False)
        assert (await bot.performer.keeper.act(bot.community, consent)).state == "done"
        again = bot.posted(TEXT)
        await bot.happens(again)
        assert await evidence(bot) == {str(first.message): "", str(again.message): ""}


async def test_of_who_is_not_collected_nobody_thinks_that_they_never_wrote_unless_they_have_just_come(
    home: Path,
) -> None:
    made: list[Moderators] = []

    async def moderator(community) -> Moderator:
        return await made[0].of(community)

    await asyncio.to_thread(undisguise.ready)
    async with small_bot(home, skills=[moderate.SKILL], moderator=moderator) as bot:
        made.append(Moderators(bot.database, bot.clock, heads=lambda: None, encoder=lambda: ""))
        await bot.mode("moderate", Mode.ACT)
        await bot.tune("strictness", "strict")
        await bot.follow(bot.posted("hello"))
        bot.clock.pass_by(2 * 86_400)
        await bot.follow(bot.posted("hello", by=WEI))
        for who in (ANA, WEI):
            consent = SetConsent(member=who.ref, collected=False)
            assert (await bot.performer.keeper.act(bot.community, consent)).state == "done"
        await bot.happens(bot.posted("the recipe: https://cakes.example.org/lemon"))
        assert await evidence(bot) == {}
        held = bot.posted("the recipe: https://cakes.example.org/lime", by=WEI)
        await bot.happens(held)
        assert await evidence(bot) == {str(held.message): ""}
