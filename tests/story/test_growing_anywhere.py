"""Channels that grow, on every platform: proposed, approved, made, told of and undone; or refused for good."""

from __future__ import annotations

import pytest

from bot.core.things import Ref
from tests.contract.platform import BUTTONS, JOINING, Seen
from tests.story.any_town import AnyTown, needs, wants
from tests.story.growing_talk import long_ago
from tests.unit.planted import BREAD, CHAT, CHINESE, WICK

pytestmark = pytest.mark.slow


async def bakes(town: AnyTown, lines: tuple[str, ...] = BREAD) -> None:
    """Have five people talk of bread over weeks, where everybody talks of everything, and others of lanterns."""
    on = town.on
    others = [await town.comes_in(name) for name in ("Olu", "Zoe", "Kim")]
    if JOINING not in on.lacks:
        for one in others:
            await on.join(one, on.public)
    people = (on.owner, on.member, *others)
    for number, line in enumerate((*CHAT, *lines)):
        await on.post(people[number % len(people)], on.public, line)
    for number, line in enumerate(WICK):
        await on.post(others[number % len(others)], town.stage.lanterns, line)
    await town.indexed()
    await long_ago(town.app)
    await wants(town, staff_channel=str(on.private))


async def proposed(town: AnyTown) -> list[Seen]:
    """Ask for what there is to propose, and return the cards that the staff sees."""
    on = town.on
    told = await town.told(on.owner, town.commands(on.owner, on.private, "/draft groups"))
    return [one for one in told if {"Never", "永远不要"} & set(one.buttons)]


async def rooms(town: AnyTown, who: Ref) -> dict[str, Ref]:
    """Return the channels that somebody's client shows and that are not archived, by name."""
    return {one.name: ref for ref, one in (await town.on.channels(who)).items() if not one.archived}


async def test_a_group_is_proposed_approved_made_told_of_and_undone(town: AnyTown) -> None:
    needs(town, BUTTONS, "CreateChannel")
    await bakes(town)
    on = town.on
    [card] = await proposed(town)
    assert "sourdough-starter" in card.text
    assert not any(line in card.text for line in BREAD), "it quotes nobody"
    told = await town.told(on.member, town.press(on.owner, card.message, "Create"))
    made = (await rooms(town, on.owner))["sourdough-starter"]
    [invitation] = [one for one in told if "This has a channel of its own now" in one.text]
    assert invitation.message in {one.message for one in await on.sees(on.member, on.public)}
    first = await on.sees(on.owner, made)
    assert any("which many of you talk about" in one.text for one in first)
    answer = await town.told(on.member, town.press(on.member, invitation.message, "Join"))
    inside = ("You are in", "你已经加入") if "enters" in on.adapter.can else ("is open to you", "对你开放")
    assert any(words in one.text for one in answer for words in inside), [one.text for one in answer]
    if "ArchiveChannel" not in on.adapter.can:
        return  # what was made there is put away by hand
    back = await town.answer(on.owner, on.private, "/undo")
    assert "Taken back:" in back, back
    assert "sourdough-starter" not in await rooms(town, on.owner)


async def test_a_refused_group_is_never_proposed_again(town: AnyTown) -> None:
    needs(town, BUTTONS)
    await bakes(town, CHINESE)
    on = town.on
    await wants(town, language="zh_CN")
    [card] = await proposed(town)
    assert "酸面团" in card.text
    assert "提议" in card.text
    await town.press(on.owner, card.message, "暂时不要")
    [again] = await proposed(town)
    await town.press(on.owner, again.message, "永远不要")
    assert await proposed(town) == []
