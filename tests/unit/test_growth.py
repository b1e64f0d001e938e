"""Topics without a channel: found where they are planted, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brains.matching.conversations import gather, labelled
from brains.matching.corpus import DAY, Card
from brains.matching.growth import Topic, alike, find_topics
from tests.unit.planted import BOATS, BREAD, CHINESE, GENERAL, LAMPS, NOW, Line, corpus, spoken, town

CARDS = (Card(id=GENERAL, name="general"), Card(id=BOATS, name="boats"), Card(id=LAMPS, name="lamps"))
BAKERS = (1, 4, 7, 8, 9)


def found(lines: list[Line], cards=CARDS, **more) -> list[Topic]:
    said, labels = corpus(lines)
    return find_topics(said, labels, cards, now=NOW, **more)


def bread(*, texts=BREAD, **more) -> list[Line]:
    return spoken(texts, **{"channel": GENERAL, "first": 400, "people": BAKERS, **more})


def test_a_planted_topic_is_found_named_and_told() -> None:
    assert found(town()) == []
    [topic] = found(town(*bread()))
    assert topic.name == "sourdough-starter"
    assert topic.terms[:2] == ("sourdough", "starter")
    assert (topic.conversations, topic.messages, set(topic.people)) == (6, 12, set(BAKERS))
    assert topic.channels == {GENERAL: 6}
    said, _labels = corpus(town(*bread()))
    texts = dict(zip(said.ids.tolist(), said.texts, strict=True))
    assert len(topic.examples) >= 3
    assert {texts[one] for one in topic.examples} <= set(BREAD)


def test_a_topic_is_named_in_chinese() -> None:
    lines = town(*spoken(CHINESE, channel=GENERAL, first=400, people=BAKERS))
    [topic] = found(lines)
    assert topic.name == "酸面团"


@pytest.mark.parametrize(
    "wanting",
    [
        {"people": (1, 4, 7)},
        {"days": 60, "spread": 10},
        {"days": 400, "spread": 50},
    ],
    ids=["three people", "one busy week", "long ago"],
)
def test_what_few_or_a_short_while_talked_of_is_no_topic(wanting) -> None:
    assert found(town(*bread())), "it is one without that"
    assert found(town(*bread(**wanting))) == []


def test_what_a_channel_is_about_needs_no_other() -> None:
    spread = [replace(one, channel=(GENERAL, BOATS, LAMPS)[one.conversation % 3]) for one in bread()]
    assert found(town(*bread())), "it has no channel"
    baking = Card(id=4, name="kitchen")
    there = [replace(one, channel=4) for one in bread()]
    assert found(town(*there), (*CARDS, baking)) == []
    called = (*CARDS, Card(id=4, name="bakers", description="a sourdough starter and what to bake"))
    assert found(town(*bread()), called) == []
    [topic] = found(town(*spread))
    assert topic.channels == {GENERAL: 2, BOATS: 2, LAMPS: 2}


def test_one_word_alone_is_no_topic() -> None:
    """The second word is said as much of other things, so that a name made of both would tell nothing."""
    lines = [one.replace("starter", "tomorrow") for one in BREAD]
    whole = [replace(one, text=f"{one.text} tomorrow") for one in town()]
    assert [one.name for one in found([*whole, *bread()])] == ["sourdough-starter"]
    assert found([*whole, *bread(texts=lines)]) == []


def test_nobody_gives_a_topic_its_name() -> None:
    [topic] = found(town(*bread()), unnamed={"sourdough"})
    assert "sourdough" not in topic.name
    assert topic.name.startswith("starter")


def test_a_topic_is_known_again_under_other_terms() -> None:
    [topic] = found(town(*bread()))
    [later] = found(town(*bread()[:10], *spoken(BREAD[::-1], channel=GENERAL, first=500, people=BAKERS, days=90)))
    assert alike(later.terms, later.centre, topic.terms, topic.centre)
    blank = np.zeros(0, dtype=np.float32)
    assert alike(("rudder", "sourdough", "starter"), topic.centre, ("starter", "sourdough"), blank)
    assert not alike(("rudder", "keel"), blank, topic.terms, topic.centre)


def test_conversations_are_told_by_their_label_else_by_pauses() -> None:
    channels = np.array([1, 1, 1, 2, 1])
    times = np.array([0.0, 60, 2 * DAY, 30, 90])
    known = np.array([0, 0, 0, 0, 77])
    labels = labelled(channels, times, known)
    assert labels[4] == 77
    assert labels[0] == labels[1]
    assert len({labels[0], labels[2], labels[3], labels[4]}) == 4


def test_who_says_little_is_in_no_conversation() -> None:
    said, labels = corpus([*bread(), Line(channel=GENERAL, author=1, conversation=999, days=1, text="hello there")])
    talk = gather(said, labels)
    assert len(talk) == 6
    assert talk.owners[-1] == -1
    assert talk.similarity().shape == (6, 6)
