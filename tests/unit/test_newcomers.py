"""What newcomers meet, in small: greetings, the day's hour, offers from several sources, what sinks after a refusal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.events import Named
from bot.core.policies import Policy
from bot.core.things import Audience, Channel, Ref
from brains.matching.aversion import sunk
from brains.matching.matchmaker import Offer
from brains.matching.suggestion import Parts, Suggestion
from brains.skills.match import GREETING, how_sure
from brains.skills.offers import block, in_turn
from brains.skills.welcome import _where
from tests.hashing import HashingEncoder
from tests.unit.small_town import ASTRONOMY, BAKING, CYCLING, profiles
from tests.unit.test_closed import talking
from tests.unit.test_offers import context_of
from tests.words import said


@pytest.mark.parametrize(
    "words",
    [
        "hello",
        "Hi!",
        "hey there",
        "Good morning everyone",
        "HELLO again :)",
        "你好",
        "您好！",
        "大家好呀",
        "嗨",
        "早上好",
    ],
)
def test_a_mere_greeting_is_one(words: str) -> None:
    assert GREETING.fullmatch(words)


@pytest.mark.parametrize(
    "words",
    ["", "hello, who bakes sourdough here?", "high tide", "hiking", "你好，谁会烤面包？", "好吃的面包", "bread"],
)
def test_whoever_wants_something_is_not_merely_greeting(words: str) -> None:
    assert not GREETING.fullmatch(words)


def offer(number: int, *reasons: str) -> Offer:
    channel = Channel(
        id=number, ref=Ref("wire", f"#{number}"), name=f"c{number}", description="", audience=Audience.EVERYONE
    )
    return Offer(channel=channel, score=0.5, reasons=reasons or ("because",), evidence=())


def test_what_was_told_and_what_was_written_take_turns_and_each_channel_stands_once() -> None:
    told, wrote, older = [offer(1), offer(2)], [offer(2), offer(3)], [offer(4)]
    assert [one.channel.id for one in in_turn([told, wrote, older], 9)] == [1, 2, 4, 3]
    assert [one.channel.id for one in in_turn([told, wrote], 2)] == [1, 2]
    assert in_turn([], 3) == []


def test_the_two_best_reasons_are_shown_and_the_others_only_to_who_asks_why() -> None:
    shown = block(offer(1, "The best one.", "Another one.", "A third one.")).splitlines()[1]
    assert shown == "The best one. Another one."


def test_why_says_what_is_likely_and_a_small_chance_of_joining_reads_as_what_it_is() -> None:
    assert how_sure(str, {"score": "0.8200"}) == ["I am about 82% sure that it belongs there."]
    told = "Of a hundred members like you, about {} find their way there within three months."
    assert [how_sure(str, {"chance": one}) for one in ("0.0240", "0.0010")] == [[told.format(2)], [told.format(1)]]
    assert how_sure(str, {"score": "0.0000"}) == how_sure(str, {}) == []


def suggested(channel: int, score: float) -> Suggestion:
    return Suggestion(channel=channel, score=score, share=score, newcomers=0.0, parts=Parts(vector=0.0, terms=0.0))


def test_what_is_like_a_refused_channel_sinks_and_nothing_else_does() -> None:
    town = profiles()
    found = [suggested(BAKING, 0.5), suggested(CYCLING, 0.3), suggested(ASTRONOMY, 0.2)]
    same = sunk(town, found, frozenset())
    assert [(one.channel, one.score) for one in same] == [(BAKING, 0.5), (CYCLING, 0.3), (ASTRONOMY, 0.2)]
    after = sunk(town, found, frozenset({BAKING}))
    assert after[-1].channel == BAKING, "as like as can be"
    assert [one.channel for one in after[:2]] == [CYCLING, ASTRONOMY]


FIRST, SECOND, BARE = (Named(ref=Ref("import", one), name=one) for one in ("first", "second", "bare"))


def room(space: Named, name: str) -> Named:
    return Named(ref=Ref("import", f"{space.ref.id}/{name}"), name=name, audience=Audience.EVERYONE)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", ["first/introductions", "second/tools", "first/introductions"]),
        ("import:first/attic", ["first/attic", "second/tools", "first/attic"]),
        ("import:second/tools", ["first/introductions", "second/tools", "second/tools"]),
    ],
)
async def test_newcomers_are_met_in_the_group_into_which_they_came(
    home: Path, wanted: str, expected: list[str]
) -> None:
    async with talking(home, HashingEncoder()) as town:
        rooms = (room(FIRST, "attic"), room(FIRST, "introductions"), room(SECOND, "tools"))
        await town.happens(*(replace(said("hello", minute=90 + at), channel=one) for at, one in enumerate(rooms)))
        met = []
        for space in (FIRST, SECOND, BARE):
            context = await context_of(town, _nothing)
            context = replace(context, space=space.ref, policy=Policy(welcome_channel=wanted))
            where = await _where(context)
            met.append(where.ref.id if where else "")
        assert met == expected


async def _nothing() -> None:
    """Stand for a vector that nobody needs."""
