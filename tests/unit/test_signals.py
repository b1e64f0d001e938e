"""Each signal speaks for the right channel, and what it says can be explained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brains.matching.behaviour import Behaviour, Moments, Stated, Ties
from brains.matching.corpus import DAY, Card
from brains.matching.matching import match_member
from brains.matching.past import TRIED, Past
from brains.matching.profiles import build_profiles
from brains.matching.reasons import Kind, explain, say
from brains.matching.scripts import SCRIPTS, shares
from brains.matching.signals import NAMES, Asker, measure
from brains.matching.suggestion import Parts, Suggestion
from tests.unit.small_town import ASTRONOMY, BAKING, CARDS, CYCLING, NOW, corpus, sentence, town, vectors

ME = 99
HOUR = 3_600.0


def known(whole, **more):
    return build_profiles(whole, CARDS, encoder="h", now=NOW, behaviour=Behaviour(**more))


def moments(*rows):
    members, channels, times = (np.array(column) for column in zip(*rows, strict=True))
    return Moments(members=members, channels=channels, times=times.astype(np.float64))


def ties(*rows):
    members, others, times = (np.array(column) for column in zip(*rows, strict=True))
    return Ties(members=members, others=others, channels=np.full(len(rows), BAKING), times=times.astype(np.float64))


def asked(*texts):
    return Stated(
        members=np.full(len(texts), ME), texts=texts, vectors=vectors(list(texts)), times=np.full(len(texts), NOW - DAY)
    )


def favourite(profiles, own, signal, *, inside=(), stated=None):
    """Return the channel for which a signal speaks most."""
    where = np.isin(profiles.channels, list(inside))
    asker = Asker.of(profiles.scene, own, member=ME, inside=where, stated=stated or Stated(), now=NOW)
    return int(profiles.channels[measure(profiles.scene, asker)[:, NAMES.index(signal)].argmax()])


@pytest.mark.parametrize("channel", [BAKING, CYCLING, ASTRONOMY])
@pytest.mark.parametrize("signal", ["vector", "breadth", "terms"])
def test_own_words_speak_for_where_people_talk_like_that(signal, channel):
    own = corpus([(77, ME, sentence(channel, 800 + n)) for n in range(5)])
    assert favourite(KNOWN, own, signal) == channel


def test_breadth_follows_the_larger_interest():
    lines = [(77, ME, sentence(BAKING if n % 4 else ASTRONOMY, 800 + n)) for n in range(16)]
    assert favourite(KNOWN, corpus(lines), "breadth") == BAKING


def test_what_was_searched_speaks_for_where_it_is_talked_of_and_old_searches_less():
    assert favourite(KNOWN, corpus([]), "stated", stated=asked("a new eyepiece for my telescope")) == ASTRONOMY
    both = asked("a new eyepiece for my telescope", "new spoke for the wheel of my bicycle")
    stale = replace(both, times=np.array([NOW - 900 * DAY, NOW - DAY]))
    assert favourite(KNOWN, corpus([]), "stated", stated=stale) == CYCLING


def test_what_was_named_speaks_for_no_channel_where_it_does_not_belong():
    def speaking(text):
        found = match_member(
            KNOWN, corpus([]), joined=set(), now=NOW, member=ME, stated=asked(text), habits=False, floor=0
        )
        return {one.channel for one in found if any(reason.kind is Kind.STATED for reason in explain(one))}

    assert speaking("a new eyepiece for my telescope") == {ASTRONOMY}
    assert speaking("a question about trains") == set(), "one channel is a little less unlikely than the others"


def test_people_somebody_talks_with_speak_for_where_they_are():
    """The members 3 and 6 of the town keep to astronomy; one was answered, the other reacted to."""
    own = corpus([(77, ME, "ok")], first_id=900, start=NOW - 5 * DAY)
    profiles = known(joined(town(), own), replies=ties((ME, 3, NOW - DAY)), reactions=ties((ME, 6, NOW - DAY)))
    profiles_of = known(joined(town(), replace(own, channels=np.array([BAKING]))), replies=ties((ME, 3, NOW - DAY)))
    assert favourite(profiles_of, own, "ties") == ASTRONOMY
    assert not profiles.scene.presence.warmth(None).any()


def test_people_are_named_by_their_ids_closest_first_and_put_into_words():
    own = corpus([(BAKING, ME, "ok")], first_id=900, start=NOW - 5 * DAY)
    turns = ties(*[(ME, 3, NOW - DAY)] * 5, (ME, 6, NOW - DAY))
    profiles = known(joined(town(), own), replies=turns)
    found = match_member(profiles, own, joined={BAKING}, now=NOW, member=ME, habits=False)[0]
    assert (found.channel, found.people) == (ASTRONOMY, (3, 6))
    reason = next(one for one in explain(found) if one.kind is Kind.TIES)
    assert reason.people == (3, 6)
    assert say(reason, str) == "People you already talk with write there."
    assert say(replace(reason, names=("Ann", "Bo", "Cy")), str) == "You already talk with Ann and Bo, who write there."


def test_hours_speak_for_where_people_are_awake():
    early = corpus([(BAKING, n % 3, "hello") for n in range(30)])
    late = corpus([(CYCLING, 3 + n % 3, "hello") for n in range(30)], first_id=50)
    days = 7 * DAY * np.arange(30)
    whole = joined(replace(early, times=days + 3 * HOUR), replace(late, times=days + 15 * HOUR))
    profiles = build_profiles(whole, CARDS[:2], encoder="h", now=NOW)
    for hour, channel in ((3, BAKING), (16, CYCLING)):
        own = replace(corpus([(77, ME, "hello")] * 4), times=7 * DAY * np.arange(4) + hour * HOUR)
        assert favourite(profiles, own, "hours") == channel


def test_the_script_of_somebody_speaks_for_where_it_is_written():
    lines = [(CYCLING, 1, "今天骑车去郊外"), (BAKING, 2, "fresh bread today"), (ASTRONOMY, 3, "звезды сегодня видны")]
    profiles = build_profiles(corpus(lines * 4), CARDS, encoder="h", now=NOW)
    for text, channel in (("大家好", CYCLING), ("good morning", BAKING), ("доброе утро", ASTRONOMY)):
        assert favourite(profiles, corpus([(77, ME, text)]), "language") == channel


def test_scripts_are_shares_of_letters_and_none_where_no_letter_is():
    found = shares(["abc", "123 !", "", "日本のab"])
    assert found[0, SCRIPTS.index("latin")] == 1
    assert not found[1:3].any()
    assert found[3, SCRIPTS.index("han")] > found[3, SCRIPTS.index("kana")] > found[3, SCRIPTS.index("latin")]
    assert shares([]).shape == (0, len(SCRIPTS))
    many = shares(["abc", "日本のab", ""] * 1_001)
    np.testing.assert_array_equal(many, np.tile(found[[0, 3, 2]], (1_001, 1)))


def test_newcomers_speak_for_what_is_found_lately_and_to_the_unknown_for_what_is_found_first():
    regulars = [(ASTRONOMY, n, "hello") for n in range(20)]
    old = corpus(regulars, start=0.0)
    later = corpus([(CYCLING, n, "hello") for n in range(20)], first_id=50, start=NOW - 60 * DAY)
    fresh = corpus([(BAKING, 200 + n, "hello") for n in range(8)], first_id=90, start=NOW - 20 * DAY)
    profiles = known(joined(joined(old, later), fresh))
    known_one = corpus([(ASTRONOMY, ME, "ok")])
    assert favourite(profiles, known_one, "newcomers", inside={ASTRONOMY}) == CYCLING
    assert favourite(profiles, corpus([]), "newcomers") == BAKING


def test_alive_speaks_for_where_many_write_lately():
    loud = corpus([(CYCLING, 1, "hello")] * 40, start=NOW - 80 * DAY)
    many = corpus([(BAKING, n, "hello") for n in range(9)], first_id=60, start=NOW - 18 * DAY)
    assert favourite(known(joined(loud, many)), corpus([]), "alive") == BAKING


def test_company_speaks_for_what_members_of_the_same_channels_use():
    pairs = [(channel, n, "hi") for n in range(60) for channel in ((BAKING, CYCLING) if n % 2 else (ASTRONOMY,))]
    assert favourite(known(corpus(pairs)), corpus([]), "company", inside={BAKING}) == CYCLING


def test_who_joined_without_a_word_counts_and_who_left_at_once_does_not():
    stayed, left = moments((1, BAKING, 5.0), (2, BAKING, 5.0)), moments((2, BAKING, 5.0 + TRIED / 2))
    past = Past.of(corpus([]), np.zeros(0, dtype=np.int64), np.array([BAKING]), Behaviour(joins=stayed, leaves=left))
    assert past.ids[past.visits.members].tolist() == [1]
    kept = Past.of(corpus([]), np.zeros(0, dtype=np.int64), np.array([BAKING]), Behaviour(joins=stayed))
    assert kept.ids[kept.visits.members].tolist() == [1, 2]


def test_a_conversation_ties_those_who_take_turns_and_a_late_word_does_not():
    said = replace(corpus([(BAKING, 1, "a"), (BAKING, 2, "b"), (BAKING, 3, "c")]), times=np.array([0.0, 60.0, 9e6]))
    past = Past.of(said, np.zeros(3, dtype=np.int64), np.array([BAKING]), Behaviour.none())
    turns = set(zip(past.ids[past.turns.members].tolist(), past.ids[past.turns.others].tolist(), strict=True))
    assert turns == {(1, 2), (2, 1)}


def test_a_refused_channel_never_comes_back_and_is_no_company():
    own = corpus([(77, ME, sentence(BAKING, 800 + n)) for n in range(5)])
    plain, after = (
        match_member(KNOWN, own, joined=set(), refused=refused, now=NOW, floor=0) for refused in (set(), {BAKING})
    )
    assert plain[0].channel == BAKING
    assert {one.channel for one in after} == {CYCLING, ASTRONOMY}
    assert all(
        match_member(KNOWN, own, joined=set(), refused={BAKING}, now=NOW, floor=0, habits=h) for h in (True, False)
    )


def test_a_new_channel_with_a_description_alone_is_offered_to_whom_it_fits():
    cards = [*CARDS, Card(id=40, name="pottery", description="clay, kiln and glaze")]
    cards = [replace(card, vector=vectors([card.text])[0]) for card in cards]
    profiles = build_profiles(town(), cards, encoder="h", now=NOW)
    own = corpus(
        [(77, ME, "my glaze cracked in the kiln"), (77, ME, "the clay was too wet for the kiln and the glaze")]
    )
    assert match_member(profiles, own, joined=set(), now=NOW, habits=False)[0].channel == 40


def joined(one, other):
    columns = {
        name: np.concatenate([getattr(one, name), getattr(other, name)])
        for name in ("ids", "vectors", "channels", "authors", "times")
    }
    return replace(one, texts=[*one.texts, *other.texts], **columns)


KNOWN = known(town())


@pytest.mark.parametrize(("came", "kind"), [(1.4, Kind.LITTLE), (3.2, Kind.NEWCOMERS)])
def test_one_who_found_the_way_is_not_many(came: float, kind: Kind) -> None:
    found = Suggestion(
        channel=1, score=0.2, share=0.2, newcomers=came, parts=Parts(vector=0.0, terms=0.0, newcomers=1.0)
    )
    assert [reason.kind for reason in explain(found)] == [kind]
