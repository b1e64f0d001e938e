"""Channels that grow, on every platform: proposed, approved, made, told of and undone; or refused for good."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col

from bot.core.things import Ref
from storage import channels, wishes
from storage.tables import MessageRow
from tests.clocks import Ago
from tests.contract.platform import BUTTONS, JOINING, Seen
from tests.story.any_town import AnyTown, in_mode, living, needs, wants
from tests.story.growing_talk import long_ago
from tests.story.stages import Stage
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


SOURDOUGH = tuple(f"{line}, sourdough and starter" for line in BREAD)


async def bakers(town: AnyTown) -> None:
    """Have the same people talk of bread in two channels: a little in one, more in the other."""
    on = town.on
    people = [on.owner, on.member, *[await town.comes_in(name) for name in ("Olu", "Zoe")]]
    if JOINING not in on.lacks:
        for one in people[:2]:
            await on.join(one, town.stage.lanterns)
        for one in people[2:]:
            await on.join(one, on.public)
    for number, line in enumerate(SOURDOUGH[:8]):
        await on.post(people[number % 4], on.public, line)
    for number, line in enumerate((*SOURDOUGH, *(f"{line}, again" for line in SOURDOUGH[:8]))):
        await on.post(people[number % 4], town.stage.lanterns, line)
    await town.indexed()
    await long_ago(town.app)
    await wants(town, staff_channel=str(on.private))


async def silent(town: AnyTown, channel: Ref) -> None:
    """Let nothing have been said in a channel for long."""
    async with town.app.database.read() as connection:
        room = await channels.find(connection, await town.community(), str(channel))
    moved = update(MessageRow).where(col(MessageRow.channel_id) == room.id)
    then = town.app.clock.now() - timedelta(days=200)
    await town.app.database.write(lambda connection: connection.execute(moved.values(sent_at=then)))


async def settled_and_taken_back(town: AnyTown, label: str, done: str, notice: str) -> None:
    """Have the staff settle the card with this button; where the bot can, it is done at once and comes back."""
    on = town.on
    before = await rooms(town, on.owner)
    if "ArchiveChannel" not in on.adapter.can:
        card = next(one for one in await proposed(town) if done in one.text)
        assert "I cannot do it here" in card.text
        await town.press(on.owner, card.message, "Done")
        assert not [one for one in await proposed(town) if done in one.text]
        assert await rooms(town, on.owner) == before
        return
    card = next(one for one in await proposed(town) if label in one.buttons)
    assert done in card.text
    assert not any(line in card.text for line in SOURDOUGH), "it quotes nobody"
    told = await town.told(on.owner, town.press(on.owner, card.message, label))
    assert any(notice in one.text for one in told), [one.text for one in told]
    [gone] = before.keys() - (await rooms(town, on.owner)).keys()
    assert gone in {"pier", "lanterns"}
    back = await town.answer(on.owner, on.private, "/undo")
    assert "Taken back:" in back, back
    assert await rooms(town, on.owner) == before


async def test_two_channels_become_one_and_a_silent_one_is_put_away_and_both_come_back(town: AnyTown) -> None:
    needs(town, BUTTONS)
    await bakers(town)
    await settled_and_taken_back(town, "Merge", "could become part of", "We go on in")
    await silent(town, town.stage.lanterns)
    await settled_and_taken_back(town, "Archive", "archive", "Nothing was said here for long")


BOATS = "keel larch rudder pintle caulk hull tide mast dinghy transom varnish tiller slipway oakum trailer rigger"
LIGHTS = "paper bamboo lantern frame wax wick cotton glow trim soak bend glue tin beeswax drip smoke"
HINT = ("may find more answers in", "可能会得到更多回答")
"""Whoever chose a language on their platform is told in it, and else in the community's."""


def line(words: str, seed: int, many: int = 8) -> str:
    """Say something with words of a subject."""
    return " ".join(random.Random(seed).sample(words.split(), many))


async def talks_long(town: AnyTown) -> None:
    """Have so much been said on the pier and in the lanterns that a few words more change nothing of what they are."""
    on = town.on
    others = [await town.comes_in(name) for name in ("Olu", "Zoe")]
    for number in range(40):
        await on.post((on.owner, on.member)[number % 2], on.public, line(BOATS, number))
        await on.post(others[number % 2], town.stage.lanterns, line(LIGHTS, number))
    await town.indexed()
    await (await town.app.matching()).learn(await town.community())


async def test_a_hint_is_given_to_its_author_alone_and_once_a_week(stage: Stage, home: Path, ending: None) -> None:
    clock = Ago()
    async with living(stage, home, clock=clock) as town:
        on = town.on
        await talks_long(town)
        await in_mode(town, "elsewhere", "act")

        async def hinted(author: Ref, seed: int) -> list[Seen]:
            clock.by -= timedelta(seconds=90)  # no channel is looked at more than once a minute
            stage.turn_back(clock.by.total_seconds())
            told = await town.told(author, town.says(author, on.public, line(LIGHTS, seed, many=14)))
            return [one for one in told if any(words in one.text for words in HINT)]

        [hint] = await hinted(on.owner, 101)
        assert town.stage.marks in hint.text
        assert not [one for one in (await town.sees(on.member)).values() if HINT[0] in one.text], "nobody else sees it"
        assert await hinted(on.owner, 102) == [], "once a week"
        third = await town.comes_in("Kim")
        if JOINING not in on.lacks:  # who comes in goes into the lanterns, and knows that there is such a thing
            await on.join(third, on.public)
            assert await hinted(third, 103) == []
        await wants(town, language="zh_CN")
        await wants_reminders(town, on.member, on=False)
        assert await hinted(on.member, 104) == [], "they want to hear nothing unasked"
        await wants_reminders(town, on.member, on=None)
        assert len(await hinted(on.member, 105)) == 1


async def wants_reminders(town: AnyTown, who: Ref, *, on: bool | None) -> None:
    member, now = await town.member(who), town.app.clock.now()
    await town.app.database.write(lambda c: wishes.keep(c, member=member.id, wish="reminders", on=on, now=now))
