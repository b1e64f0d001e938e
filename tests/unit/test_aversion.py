"""What sinks goes down, and what is offered beside it stays as it was spread over topics."""

from __future__ import annotations

from brains.matching.aversion import sunk
from brains.matching.corpus import Card
from brains.matching.profiles import ChannelProfiles, build_profiles
from brains.matching.suggestion import Parts, Suggestion
from tests.unit.small_town import ASTRONOMY, BAKING, CARDS, CYCLING, NOW, corpus, sentence

TWIN = 40
"""Another channel of baking."""


def suggested(channel: int, share: float) -> Suggestion:
    return Suggestion(channel=channel, score=share, share=share, newcomers=0.0, parts=Parts(vector=0.0, terms=0.0))


SPREAD = [suggested(BAKING, 0.4), suggested(CYCLING, 0.25), suggested(TWIN, 0.3), suggested(ASTRONOMY, 0.05)]
"""The twin is likelier than what stands before it, and much like what stands first."""


def town() -> ChannelProfiles:
    lines = [
        (channel, member, sentence(BAKING if channel == TWIN else channel, member))
        for member in range(8)
        for channel in (BAKING, CYCLING, ASTRONOMY, TWIN)
    ]
    return build_profiles(corpus(lines), [*CARDS, Card(id=TWIN, name="bread")], encoder="h", now=NOW)


def order(faded: dict[int, float], *, cost: float = 0.0, refused: frozenset[int] = frozenset()) -> list[int]:
    return [one.channel for one in sunk(town(), SPREAD, refused, faded=faded, cost=cost)]


def test_what_was_offered_in_vain_sinks_and_the_rest_stays_spread() -> None:
    spread = [one.channel for one in SPREAD]
    assert order({}, cost=2.0) == spread
    assert order({ASTRONOMY: 0.5}, cost=2.0) == spread
    assert order({ASTRONOMY: 0.5}) == [BAKING, TWIN, CYCLING, ASTRONOMY], "where likeness costs nothing"
    assert order({BAKING: 0.01}, cost=2.0) == [TWIN, CYCLING, ASTRONOMY, BAKING]


def test_what_is_like_a_refused_channel_sinks_below_what_is_not() -> None:
    assert order({}, cost=2.0, refused=frozenset({BAKING}))[:2] == [CYCLING, ASTRONOMY]
