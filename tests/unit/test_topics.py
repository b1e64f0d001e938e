"""Topics that rise and fall are those that many speak of on several days; what one says often is none."""

from __future__ import annotations

import numpy as np
import pytest

from brains.matching.terms import words
from brains.rhythm.topics import Spoken, changes, log_odds

DAYS, WEEK = 35, 7
SMALL_TALK = ("the weather is fine today", "who comes to the meeting", "lunch was good again", "see you tomorrow then")


def spoken(said: list[tuple[int, int, str]]) -> Spoken:
    """Put messages side by side: the day, 0 being the oldest of 35, the author, and the text."""
    said = sorted(said)
    days = np.array([day for day, _author, _text in said])
    return Spoken(
        rows=np.arange(len(said)),
        documents=[words(text) for _day, _author, text in said],
        texts=[text for _day, _author, text in said],
        authors=np.array([author for _day, author, _text in said]),
        days=days,
        now=days >= DAYS - WEEK,
    )


def ordinary() -> list[tuple[int, int, str]]:
    return [(day, author, SMALL_TALK[(day + author) % 4]) for day in range(DAYS) for author in range(8)]


def found(said: list[tuple[int, int, str]], **more: object):
    return changes(spoken(said), days=WEEK, before=DAYS - WEEK, **more)


def test_what_many_speak_of_now_rises_and_what_they_left_off_falls():
    said = ordinary()
    said += [(day, author, "the kiln needs a new thermocouple") for day in range(29, 35) for author in range(5)]
    said += [(day, author, "regatta boats and sails") for day in range(0, 28, 2) for author in range(5)]
    change = found(said)
    [kiln], [regatta] = change.rising, change.falling
    assert {"kiln", "thermocouple"} <= set(kiln.terms)
    assert (kiln.now, kiln.before) == (30, 0)
    assert kiln.times > 10
    assert all(said_row in range(len(said)) for said_row in kiln.rows)
    assert {"regatta", "boat"} <= set(regatta.terms)
    assert regatta.times < 0.5


def test_what_one_says_forty_times_is_no_topic_and_what_five_say_is():
    loud = [(30, 3, "buy my wonderful umbrella") for _again in range(40)]
    assert found(ordinary() + loud).rising == ()
    several = [(day, author, "buy my wonderful umbrella") for day in range(29, 34) for author in range(5)]
    assert "umbrella" in found(ordinary() + several).rising[0].terms


def test_members_are_no_topics():
    named = [(day, author, "Rosalind") for day in range(29, 34) for author in range(6)]
    assert "rosalind" in found(ordinary() + named).rising[0].terms
    assert found(ordinary() + named, unnamed={"rosalind"}).rising == ()


def test_pairs_of_chinese_characters_grow_to_the_word():
    named = [(day, author, "下周的龙舟赛谁报名") for day in range(29, 34) for author in range(6)]
    [topic] = found(ordinary() + named).rising
    assert "龙舟赛" in topic.name


def by_chance(seed: int) -> list[tuple[int, int, str]]:
    random = np.random.default_rng(seed)
    vocabulary = [f"word{letter}{other}" for letter in "abcdefghij" for other in "klmnopqrst"]
    shares = 1 / np.arange(1, len(vocabulary) + 1)
    picked = random.choice(vocabulary, (800, 6), p=shares / shares.sum())
    return [(int(random.integers(DAYS)), int(random.integers(40)), " ".join(some)) for some in picked]


def test_chance_alone_brings_forth_few_topics():
    # What rises and what falls err in one of ten each, where there is nothing to be found.
    talks = [by_chance(seed) for seed in range(12)]
    assert sum(found(talk).all != () for talk in talks) <= 4
    there = [(day, author, "the kiln is hot") for day in range(29, 34) for author in range(6)]
    assert all("kiln" in found(talk + there).rising[0].terms for talk in talks)


def test_log_odds_are_those_of_the_paper_for_two_terms():
    now, before = np.array([30.0, 70.0]), np.array([10.0, 90.0])
    prior = 500 * np.array([40, 160]) / 200
    odds = [np.log((side[0] + prior[0]) / (side[1] + prior[1])) for side in (now, before)]
    expected = (odds[0] - odds[1]) / np.sqrt(1 / (30 + prior[0]) + 1 / (10 + prior[0]))
    assert log_odds(now, before)[0] == pytest.approx(expected)
    assert log_odds(now, before)[1] < 0
