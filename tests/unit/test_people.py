"""Who is suggested to whom: interests and words first, no company yet, and not the same three to everybody."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from brains.matching.centre import Centre
from brains.matching.corpus import Corpus
from brains.matching.people import WORTH, Crowd, Portrait, Usual, draw, named, ranked, shared
from tests.words import MONDAY

SAILS, BREAD, CHESS, _rest = np.eye(4, dtype=np.float32)
USUAL = Usual(messages=100, terms={"hull": 3, "time": 60}, topical={"hull": 0.8, "time": 0.1})
CENTRE = Centre(usual=np.zeros(4, dtype=np.float32), chinese=np.zeros(4, dtype=np.float32))
NOON = np.eye(24, dtype=np.float32)[12]


def portrait(person: int, *interests, terms: tuple[str, ...] = (), talks: tuple[int, ...] = (), **more) -> Portrait:
    rows = np.array(interests, dtype=np.float32).reshape(len(interests), 4)
    told = {"hours": NOON, "messages": 5, **more}
    return Portrait(
        person=person, interests=rows, raw=rows, terms=dict.fromkeys(terms, 2.0), talks=frozenset(talks), **told
    )


ANNA = portrait(0, SAILS, BREAD, terms=("hull", "mast"), talks=(1, 2, 3, 4))


def order(*others: Portrait, shown: dict[int, float] | None = None, asker: Portrait = ANNA, **present) -> list[int]:
    crowd = Crowd.of([asker, *others], {int(name[1:]): many for name, many in present.items()}, usual=USUAL)
    often = np.array([(shown or {}).get(one.person, 0.0) for one in crowd.portraits], dtype=np.float32)
    found = ranked(crowd.fit(asker), often, allowed=range(1, len(crowd.portraits)))
    return [crowd.portraits[at].person for at in found]


def test_one_of_several_interests_is_enough_and_words_add_to_it() -> None:
    assert order(portrait(1, CHESS), portrait(2, BREAD), portrait(3, SAILS, terms=("hull",))) == [3, 2]
    assert order(portrait(1), portrait(2, CHESS)) == [], "nothing fits"


def test_language_and_hours_tell_two_apart_who_fit_alike() -> None:
    night = np.eye(24, dtype=np.float32)[0]
    assert order(portrait(1, SAILS, hours=night), portrait(2, SAILS)) == [2, 1]
    assert order(portrait(1, SAILS, chinese=1.0), portrait(2, SAILS)) == [2, 1]


def test_who_talks_with_them_already_needs_no_introduction() -> None:
    friend, stranger = portrait(1, SAILS, talks=(1, 2, 3)), portrait(2, SAILS, talks=(9,))
    assert order(friend, stranger, c1=2, c2=2, c3=2) == [2]
    assert order(friend, stranger, c1=40, c2=40, c3=40) == [2, 1], "a crowd is no company"


def test_who_was_shown_often_makes_room_and_comes_again() -> None:
    popular, other = portrait(1, SAILS, terms=("hull",)), portrait(2, SAILS)
    assert order(popular, other) == [1, 2]
    assert order(popular, other, shown={1: 9}) == [2, 1]


@pytest.mark.parametrize("seed", range(3))
def test_many_askers_are_not_all_shown_the_same_three(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = [portrait(number, SAILS + 0.3 * rng.normal(size=4)) for number in range(30)]
    crowd = Crowd.of(people, {}, usual=USUAL)
    shown = np.zeros(30, dtype=np.float32)
    seen: Counter[int] = Counter()
    for asker in people:
        allowed = [at for at in range(30) if at != asker.person]
        for at in ranked(crowd.fit(asker), shown, allowed=allowed)[:3]:
            shown[at] += 1
            seen[at] += 1
    assert max(seen.values()) <= 8, seen
    assert len(seen) >= 24, "newcomers to it get their chance"


def test_interests_that_are_named_take_the_place_of_those_of_messages() -> None:
    asker = named(ANNA, "chess openings", CHESS, centre=CENTRE)
    crowd = Crowd.of([ANNA, portrait(1, SAILS), portrait(2, CHESS)], {}, usual=USUAL)
    found = ranked(crowd.fit(asker), np.zeros(3, dtype=np.float32), allowed=[1, 2])
    assert [crowd.portraits[at].person for at in found] == [2]


def test_somebody_is_drawn_from_what_they_wrote() -> None:
    texts = ["the hull of my dinghy leaks again today", "caulk the hull with oakum before the tide", "ok"]
    own = Corpus(
        ids=np.arange(3),
        texts=texts,
        vectors=np.stack([SAILS, SAILS, CHESS]),
        channels=np.ones(3, dtype=np.int64),
        authors=np.ones(3, dtype=np.int64),
        times=np.full(3, MONDAY.timestamp()),
    )
    drawn = draw(1, own, talks=frozenset({5}), centre=CENTRE, now=MONDAY.timestamp())
    assert (drawn.messages, len(drawn.interests), drawn.chinese) == (3, 1, 0.0)
    assert float(drawn.interests[0] @ SAILS) == pytest.approx(1.0)
    assert max(drawn.terms, key=drawn.terms.get) == "hull"
    assert drawn.hours.sum() == pytest.approx(1.0)


def test_shared_words_are_those_that_tell_most_as_the_other_writes_them() -> None:
    mine, theirs = ["time for new hulls", "the hull leaks"], ["my hulls take time", "hulls and time"]
    assert shared(mine, theirs, USUAL, 1) == ("hulls",)
    assert shared(mine, theirs, USUAL, 4) == ("hulls",), "what is said everywhere tells nothing"
    assert shared(mine, ["chess"], USUAL, 4) == ()
    assert shared(["nothing in nine hulls"], ["nine hulls, and nothing"], None, 4) == ("hulls",), "no subject is shared"
    assert WORTH > 0


def test_a_word_of_one_channel_tells_more_than_one_of_all() -> None:
    texts = ["hull today", "hull again today", "bread today", "rye bread today", "clay today", "clay again today"]
    usual = Usual.of(texts * 20, [1, 1, 2, 2, 3, 3] * 20)
    assert usual.tells("hull") > usual.tells("oakum") > usual.tells("today") == 0.0
    alone = Usual.of(texts * 20, [1] * 120)
    assert alone.tells("rye") > alone.tells("today") > 0, "where there is one channel, what is rare tells"


def test_words_of_any_talk_are_no_subject_unless_they_are_one_here() -> None:
    text = "I bought a new hull last Saturday and found the work easy, my watch is old"
    told = shared([text], [text], None, 9)
    assert "hull" in told
    assert not {"bought", "new", "last", "saturday", "found", "work", "watch", "old"} & set(told)
    horology = replace(USUAL, terms={"watch": 9}, topical={"watch": 0.9})
    assert "watch" in shared([text], [text], horology, 9)


def told(*texts: str, vectors) -> Corpus:
    many = len(texts)
    return Corpus(
        ids=-np.arange(1, many + 1),
        texts=texts,
        vectors=np.array(vectors, dtype=np.float32).reshape(many, 4),
        channels=np.full(many, -1),
        authors=np.ones(many, dtype=np.int64),
        times=np.full(many, MONDAY.timestamp()),
    )


def test_what_somebody_told_is_an_interest_of_theirs_beside_what_they_wrote() -> None:
    now = MONDAY.timestamp()
    nothing = told(vectors=[])
    silent = draw(1, nothing, talks=frozenset(), centre=CENTRE, now=now, told=told("chess openings", vectors=CHESS))
    assert (silent.messages, silent.hours.sum()) == (0, 0.0)
    assert float(silent.interests[0] @ CHESS) == pytest.approx(1.0)
    assert set(silent.terms) == {"chess", "opening"}
    wrote = told("caulk the hull with oakum before the tide", vectors=SAILS)
    both = draw(1, wrote, talks=frozenset(), centre=CENTRE, now=now, told=told("国际象棋 开局", vectors=CHESS))
    assert (both.messages, both.chinese, len(both.interests)) == (1, 0.0, 2)
    crowd = Crowd.of([portrait(0, CHESS), silent, portrait(2, SAILS)], {}, usual=USUAL)
    found = ranked(crowd.fit(crowd.portraits[0]), np.zeros(3, dtype=np.float32), allowed=[1, 2])
    assert found == [1]
