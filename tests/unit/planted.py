"""Communities made for tests of how channels grow: who says what, where, on which day. Every line is a message."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brains.matching.corpus import DAY, Corpus
from tests.hashing import HashingEncoder

NOW = 1_700_000_000.0
GENERAL, BOATS, LAMPS = 1, 2, 3
BREAD = (
    "my sourdough starter smells of acetone this morning",
    "feed the sourdough twice a day and the starter calms down",
    "rye flour wakes a sleepy sourdough starter",
    "the crumb of my sourdough is dense, was the starter too cold",
    "the sourdough starter wants a hot oven and steam",
    "can a sourdough starter rest in the fridge for a week",
    "my starter doubled overnight, sourdough tomorrow",
    "whole rye flour for the sourdough starter, half the water",
    "which flour does your sourdough starter like best",
    "the starter sank, sourdough again next weekend",
    "fold the sourdough from that starter four times",
    "discard from the starter makes fine sourdough crackers",
)
CHINESE = (
    "酸面团 和 面粉 今天很酸",
    "酸面团 要每天喂 面粉",
    "黑麦 面粉 叫醒 酸面团",
    "酸面团 的 面粉 太多了",
    "酸面团 和 面粉 要热的烤箱",
    "酸面团 一周喂一次 面粉",
    "换了 面粉 的 酸面团 长大了",
    "酸面团 要多少水和 面粉",
    "你们的 酸面团 用什么 面粉",
    "酸面团 塌了, 换 面粉 再试",
    "酸面团 加 面粉 折叠四次",
    "酸面团 加 面粉 可以做饼干",
)
HULL = (
    "a keel of larch and new pintles for the rudder",
    "caulk the hull before the tide comes in",
    "the dinghy leaks at the transom again",
    "varnish the mast when the hull is dry",
    "the rudder wants a longer tiller, says the rigger",
    "who lends me a trailer for the dinghy",
    "tar and oakum still caulk a hull best",
    "the keel band came off on the slipway",
)
WICK = (
    "bamboo and paper for the lantern frames",
    "the wick of cotton burns brighter",
    "wax drips on the lantern paper",
    "soak the bamboo before bending a frame",
    "trim the wick and the lantern smokes less",
    "glue the paper while the bamboo is dry",
    "a lantern of tin wants a bigger wick",
    "beeswax smells better in a lantern",
)
CHAT = (
    "does anybody know when the ferry leaves on sunday",
    "the market moved to the church square",
    "thanks to all who swept the hall yesterday",
    "my neighbour found a grey cat near the bakery",
    "who has a ladder to lend until friday",
    "the library opens late this month",
    "there is a parcel for somebody in the hall",
    "the bus stop is closed because of the roadworks",
    "the choir sings at the town hall in may",
    "somebody left an umbrella at the concert",
    "the swimming pool is heated again",
    "my bicycle has a flat tyre, who has a pump",
    "the school wants old newspapers for the children",
    "a storm comes tonight, close the windows",
    "the dentist moved next to the post office",
    "tomorrow the water is turned off until noon",
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One message: where, by whom, in which conversation, how many days ago."""

    channel: int
    author: int
    conversation: int
    days: float
    text: str


def spoken(
    texts: Sequence[str], *, channel: int, first: int, people: Sequence[int], days: float = 60, spread: float = 50
) -> list[Line]:
    """Let texts be said two by two, each pair a conversation of two people, spread over days."""
    pairs = len(texts) // 2
    return [
        Line(
            channel=channel,
            author=people[number % len(people)],
            conversation=first + number // 2,
            days=days - spread * (number // 2) / max(1, pairs - 1),
            text=text,
        )
        for number, text in enumerate(texts)
    ]


def corpus(lines: Sequence[Line]) -> tuple[Corpus, np.ndarray]:
    """Return lines as a corpus, and the label of each one's conversation."""
    texts = [one.text for one in lines]
    vectors = asyncio.run(HashingEncoder().encode(texts))
    made = Corpus(
        ids=np.arange(1, len(lines) + 1),
        texts=texts,
        vectors=vectors,
        channels=np.array([one.channel for one in lines], dtype=np.int64),
        authors=np.array([one.author for one in lines], dtype=np.int64),
        times=np.array([NOW - one.days * DAY for one in lines]),
    )
    return made, np.array([one.conversation for one in lines], dtype=np.int64)


def town(*more: Line) -> list[Line]:
    """Return what is said in general, of boats and of lamps, with more."""
    return [
        *spoken(HULL, channel=BOATS, first=100, people=(1, 2, 3)),
        *spoken(WICK, channel=LAMPS, first=200, people=(4, 5, 6)),
        *spoken(CHAT, channel=GENERAL, first=300, people=(1, 4, 7, 8)),
        *more,
    ]
