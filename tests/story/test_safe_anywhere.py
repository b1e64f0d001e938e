"""Moderation on every platform: what spammers, members and staff do, and what each of them sees of it."""

from __future__ import annotations

import re

import pytest

from bot.core.things import Ref
from bot.core.wording import unmarked
from brains.engines.pictures.service import Eyes
from tests.contract.platform import BUTTONS, SENDING, Refused, Seen
from tests.drawing import page, saved
from tests.story.any_town import AnyTown, in_mode, needs, wants

pytestmark = pytest.mark.slow

SPAM = "Earn 500 dollars a day from home, no skills needed, write to me now: https://quick-profit.example/join"
ALIKE = "Earn 500 doIIars a day from home, no ski11s needed!! Write me now https://quick-profit.example/join"


async def watched_over(town: AnyTown, mode: str = "act") -> None:
    """Have the owner set moderation up."""
    await wants(town, staff_channel=str(town.on.private), language="en", strictness="standard")
    await in_mode(town, "moderate", mode)


async def cards(town: AnyTown) -> list[Seen]:
    """Return the cards that wait for a verdict."""
    return [one for one in (await town.sees(town.on.owner)).values() if "Fine" in one.buttons]


def case_of(card: Seen) -> str:
    found = re.search(r"Case (\w{6})", unmarked(card.text))
    assert found, card.text
    return found[1]


async def flood(town: AnyTown, who: Ref, words: str, times: int = 5) -> list[Ref]:
    """Write the same again and again, as far as the platform lets them."""
    made: list[Ref] = []
    for _each in range(times):
        try:
            made.append(await town.on.post(who, town.on.public, words))
        except Refused:
            break
    await town.settled()
    return made


async def test_a_spam_wave_is_one_card_and_one_verdict_takes_it_away(town: AnyTown) -> None:
    needs(town, BUTTONS, "AskStaff")
    await watched_over(town)
    on = town.on
    spammer = await on.arrive("Sid", "en")
    made = await flood(town, spammer, SPAM)
    [card] = await cards(town)
    assert "quick-profit" in card.text
    told = await town.told(on.owner, town.press(on.owner, card.message, "Spam"))
    left = [one for one in made if one in await town.sees(on.owner)]
    if "Delete" in on.adapter.can:
        assert left == []
    else:
        assert any("delete" in one.text.lower() for one in told), [one.text for one in told]
    assert await cards(town) == []
    assert "No case waits" in await town.answer(on.owner, on.private, "/mod queue")


async def test_what_staff_called_spam_is_known_again_until_they_take_it_back(town: AnyTown) -> None:
    needs(town, BUTTONS, "AskStaff")
    await watched_over(town)
    on = town.on
    first = await town.says(await on.arrive("Sid", "en"), on.public, SPAM)
    if not await cards(town):
        await town.answer(on.member, on.public, f"/report {first} spam")
    [card] = await cards(town)
    await town.press(on.owner, card.message, "Spam")
    await town.says(await on.arrive("Sue", "en"), on.public, ALIKE)
    [again] = await cards(town)
    assert "memory" in again.text or "resembles" in again.text, again.text
    await town.press(on.owner, again.message, "Fine")
    assert "Taken back:" in await town.answer(on.owner, on.private, f"/undo {card.message}")


async def test_a_wrong_verdict_is_appealed_and_everything_is_taken_back(town: AnyTown) -> None:
    needs(town, BUTTONS, "AskStaff")
    await watched_over(town)
    on = town.on
    joke = await town.says(on.member, on.public, "you complete and utter muppet, I love you")
    await town.answer(on.owner, on.public, f"/report {joke} rude?")
    [card] = await cards(town)
    case = case_of(card)
    await town.press(on.owner, card.message, "Rude")
    told = await town.answer(on.member, on.public, f"/appeal {case} married")
    assert case in unmarked(told), told
    seen = await town.sees(on.owner)
    [appeal] = [one for one in seen.values() if "Grant: take it back" in one.buttons]
    assert "married" in unmarked(appeal.text)
    await town.press(on.owner, appeal.message, "Grant: take it back")
    told = await town.answer(on.owner, on.private, f"/mod action:case case:{case}")
    assert "0 points" in unmarked(told) or "fine" in unmarked(told).lower() or "granted" in told, told


async def test_the_first_verdict_wins_and_a_moderator_cannot_ban_an_admin(town: AnyTown) -> None:
    needs(town, BUTTONS, "AskStaff", "Ban")
    await watched_over(town)
    on = town.on
    told = await town.told(on.owner, town.asks(on.owner, on.private, "mod ban Anna for fun"))
    assert any("Nobody acts on themselves" in one.text for one in told), [one.text for one in told]
    assert (await on.who_is(on.owner)).here


async def test_somebody_in_need_is_offered_help_and_nobody_is_punished(town: AnyTown) -> None:
    needs(town, "AskStaff")
    await watched_over(town)
    on = town.on
    made = await town.says(on.member, on.public, "I cannot go on any more, I want to kill myself tonight")
    assert made in await town.sees(on.owner)
    seen = [one.text for one in (await town.sees(on.owner)).values() if one.author == on.bot]
    assert any("Please look" in one for one in seen), seen
    assert await cards(town) == []


async def test_a_picture_that_staff_called_a_scam_is_known_again_however_it_was_saved(town: AnyTown) -> None:
    needs(town, BUTTONS, "AskStaff", SENDING)
    await watched_over(town)
    on, eyes = town.on, Eyes()
    town.app._pictures = eyes  # its own process, without a worker around it
    scam = page("FREE NITRO FOR 3 MONTHS", "Log in at gift-dlscord.com/claim")
    async with eyes.open():
        await eyes.look(saved(scam))  # its process takes seconds to begin
        first = await on.send(await on.arrive("Sid", "en"), on.public, "prize.png", saved(scam))
        await town.settled()
        if not await cards(town):
            await town.answer(on.owner, on.public, f"/report {first} scam")
        [card] = await cards(town)
        await town.press(on.owner, card.message, "Spam")
        small = scam.resize((480, 88))
        await on.send(await on.arrive("Sue", "en"), on.public, "winner.jpg", saved(small, "JPEG", quality=60))
        await town.settled()
        [again] = await cards(town)
        assert "staff confirmed this picture" in unmarked(again.text), again.text


async def test_a_raid_is_told_once_who_takes_part_is_held_and_staff_ends_it(town: AnyTown) -> None:
    needs(town, BUTTONS, "AskStaff")
    await watched_over(town)
    await wants(town, strictness="strict")
    on = town.on
    came = [await on.arrive(f"Raider {number}", "en") for number in range(8)]
    await town.settled()
    seen = (await town.sees(on.owner)).values()
    [card] = [one for one in seen if "End it, let them write" in one.buttons]
    assert "came in within" in card.text
    held = "Timeout" in on.adapter.can
    assert [(await on.who_is(one)).quiet for one in came] == [held] * len(came)
    if town.stage.name == "telegram":
        return  # eight more calls would wait for the group's next minute; the playground tells how it ends
    await town.press(on.owner, card.message, "End it, let them write")
    assert not any([(await on.who_is(one)).quiet for one in came])
