"""Channels that could be one, and channels that fell silent; never those that are there to be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.things import Channel, Ref
from brains.matching.conversations import gather
from brains.matching.corpus import DAY
from brains.matching.growth_channels import QUIET, Life, Pair, pairs, quiet
from tests.unit.planted import BREAD, CHAT, GENERAL, LAMPS, NOW, WICK, Line, corpus, spoken

BAKERS, OVENS = 4, 5


def room(number: int, name: str) -> Channel:
    return Channel(id=number, ref=Ref("discord", f"20/{number}"), name=name)


ROOMS = [room(GENERAL, "general"), room(LAMPS, "lamps"), room(BAKERS, "bakers"), room(OVENS, "ovens")]
SOURDOUGH = [f"{line}, sourdough and starter" for line in BREAD]
TOWN = [
    *spoken(CHAT, channel=GENERAL, first=300, people=(1, 4, 7, 8)),
    *spoken(WICK, channel=LAMPS, first=200, people=(1, 2, 3)),
    *spoken(SOURDOUGH[:8], channel=BAKERS, first=400, people=(1, 2, 3)),
    *spoken(SOURDOUGH[4:], channel=OVENS, first=500, people=(1, 2, 9)),
]


def found(lines: list[Line], rooms=ROOMS) -> list[Pair]:
    talk = gather(*corpus(lines))
    return pairs(talk, talk.similarity(), rooms)


def test_two_small_channels_about_the_same_are_a_pair() -> None:
    [pair] = found(TOWN)
    assert {pair.smaller, pair.larger} == {BAKERS, OVENS}
    assert pair.shared == 2


def test_channels_of_other_people_or_other_matters_are_none() -> None:
    assert found(TOWN), "they are one as they stand"
    strangers = [replace(one, author=one.author + 50) if one.channel == OVENS else one for one in TOWN]
    assert found(strangers) == []
    assert found([one for one in TOWN if one.channel != OVENS]) == []


def test_a_channel_for_rules_is_none_whatever_is_said_there() -> None:
    named = [*ROOMS[:3], room(OVENS, "bread-rules")]
    assert found(TOWN), "they are one as they stand"
    assert found(TOWN, named) == []


ONCE = Life(messages=40, people=5, last=NOW - QUIET - DAY)


@pytest.mark.parametrize(
    ("name", "life", "silent"),
    [
        ("kites", ONCE, True),
        ("kites", replace(ONCE, last=NOW - QUIET + DAY), False),
        ("kites", replace(ONCE, messages=19), False),
        ("kites", replace(ONCE, people=2), False),
        ("announcements", ONCE, False),
        ("house_rules", ONCE, False),
        ("公告", ONCE, False),
    ],
)
def test_a_channel_is_silent_that_was_alive_once(name: str, life: Life, silent: bool) -> None:  # noqa: FBT001
    one = room(9, name)
    assert quiet([one], {9: life}, now=NOW) == ([one] if silent else [])
