"""The ranker learns what a community goes by, no faster than its joins allow, and says how sure it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brains.matching.behaviour import Behaviour, Moments
from brains.matching.chances import Chances, calibration_error, error
from brains.matching.choice import Choice, softmax
from brains.matching.corpus import DAY
from brains.matching.diversity import likeness, spread
from brains.matching.offered import Answers
from brains.matching.past import Past
from brains.matching.profiles import build_profiles
from brains.matching.ranker import Learned, Ranker, quality
from brains.matching.rehearsal import Rehearsals, Stage, rehearse
from brains.matching.signals import NAMES, USUAL
from brains.matching.topics import Material
from tests.unit.small_town import ASTRONOMY, BAKING, CARDS, CYCLING, NOW, corpus, profiles, sentence

NOTHING = Answers(
    features=np.zeros((0, len(NAMES)), dtype=np.float32),
    taken=np.zeros(0, dtype=np.bool_),
    say=np.zeros(0, dtype=np.float32),
)


def apart(channels):
    return np.eye(len(channels), dtype=np.float32)


def planted(count, weights, *, seed=0, taking=1.0):
    """Let members choose among eight channels by these weights, each in one of six windows."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, 8, len(NAMES))).astype(np.float32)
    shares = softmax(features @ weights)
    wanted = np.zeros((count, 8), dtype=np.bool_)
    wanted[np.arange(count), [random.choice(8, p=share) for share in shares]] = True
    wanted &= random.random((count, 1)) < taking
    return Rehearsals(
        features=features,
        closed=np.zeros((count, 8), dtype=np.bool_),
        wanted=wanted,
        window=np.arange(count) % 6,
        stands=np.ones(count, dtype=np.float32),
        activity=np.ones(count, dtype=np.float32),
    )


def test_many_joins_bring_the_weights_that_made_them_and_few_none():
    true = np.linspace(0, 1.8, len(NAMES))
    many = Learned.of(planted(1_200, true), NOTHING, apart).ranker
    assert many.weights == pytest.approx(true, abs=0.25)
    assert many.exam.learned > many.exam.usual
    few = Learned.of(planted(15, true), NOTHING, apart).ranker
    assert few.weights.tolist() == USUAL.tolist()
    none = Learned.of(planted(0, true), NOTHING, apart).ranker
    assert none.weights.tolist() == USUAL.tolist()


def test_weights_never_turn_against_what_they_find():
    learned = Learned.of(planted(600, np.where(np.arange(len(NAMES)) == 0, -2.0, 0.5)), NOTHING, apart)
    assert learned.ranker.weights[0] == 0
    assert learned.ranker.weights[1:].min() > 0


def test_what_serves_is_replaced_only_by_what_does_no_worse():
    true = np.where(np.array(NAMES) == "hours", 3.0, 0.0)
    learned = Learned.of(planted(600, true), NOTHING, apart)
    better, worse = Ranker(weights=true * 5), Ranker(weights=np.where(true > 0, 0.0, 1.0))
    assert learned.better_than(worse)
    assert learned.promoted(worse).weights.tolist() == learned.ranker.weights.tolist()
    held = replace(learned, ranker=replace(learned.ranker, tried=worse.weights))
    assert not held.better_than(better)
    assert held.promoted(better).weights.tolist() == better.weights.tolist()
    assert held.promoted(better).exam.before == quality(learned.held, better.weights)
    assert held.promoted(better).chances == Chances.learn(learned.seen, better.weights) != learned.ranker.chances
    assert learned.promoted(None) is learned.ranker


def test_what_serves_is_judged_by_what_it_knew_before_the_latest_window():
    """What is in use has seen nearly all of the latest window when it is learned anew the day after."""
    true = np.where(np.array(NAMES) == "hours", 3.0, 0.0)
    learned = Learned.of(planted(600, true), NOTHING, apart)
    knowing = Ranker(weights=true * 5, tried=np.where(true > 0, 0.0, 1.0))
    assert learned.better_than(knowing)
    assert not replace(learned, ranker=replace(learned.ranker, tried=USUAL)).better_than(Ranker(weights=true * 5))


def test_offers_that_are_turned_down_teach_what_offers_should_be_like():
    random = np.random.default_rng(0)
    taken = np.arange(60) % 2 == 0
    features = random.normal(size=(60, len(NAMES))).astype(np.float32)
    features[:, NAMES.index("ties")] += np.where(taken, 2, 0)
    features[:, NAMES.index("vector")] += np.where(taken, 0, 2)
    answers = Answers(features=features, taken=taken, say=np.ones(60, dtype=np.float32))
    joins = planted(120, USUAL)
    plain, told = (Learned.of(joins, some, apart).ranker.weights for some in (NOTHING, answers))
    assert told[NAMES.index("ties")] > plain[NAMES.index("ties")]
    assert told[NAMES.index("vector")] < plain[NAMES.index("vector")]


def test_chances_come_true_as_often_as_they_say():
    true = np.full(len(NAMES), 0.5)
    learned = Learned.of(planted(1_500, true, taking=0.2), NOTHING, apart)
    fresh = planted(1_500, true, seed=1, taking=0.2)
    calibrated = error(fresh, learned.ranker.weights, learned.ranker.chances)
    assert calibrated < 0.01 < error(fresh, learned.ranker.weights, None)
    came = np.random.default_rng(0).random(2_000) < 0.2
    assert calibration_error(np.full(2_000, 0.2), came, np.ones(2_000)) < 0.05
    assert calibration_error(np.full(2_000, 0.6), came, np.ones(2_000)) == pytest.approx(0.4, abs=0.05)


def test_somebody_active_is_likelier_to_join_and_all_orders_stay():
    chances = Chances(slope=0.9, activity=0.4, bias=-2.0)
    shares = np.array([0.7, 0.2, 0.1])
    quiet, busy = chances.of(shares, 0.0), chances.of(shares, 3.0)
    assert (busy > quiet).all()
    assert quiet.tolist() == sorted(quiet, reverse=True)


def test_a_list_spreads_over_topics_and_keeps_everything():
    logits = np.array([3.0, 2.9, 2.5, 0.0])
    alike = np.eye(4, dtype=np.float32)
    alike[0, 1] = alike[1, 0] = 0.9
    assert spread(logits, lambda some: alike[np.ix_(some, some)], cost=0).tolist() == [0, 1, 2, 3]
    assert spread(logits, lambda some: alike[np.ix_(some, some)], cost=1.0).tolist() == [0, 2, 1, 3]
    many = spread(np.linspace(9, 0, 60), lambda some: np.ones((len(some), len(some)), dtype=np.float32), cost=2.0)
    assert sorted(many) == [*range(60)]


def test_channels_are_alike_by_what_they_are_about():
    alike = likeness(profiles().topics, np.array([2, 0, 1]))
    assert np.diag(alike) == pytest.approx(1)
    assert alike[~np.eye(3, dtype=np.bool_)].max() < 0.5


def test_a_community_of_joins_learns_from_them():
    """Sixty members come to baking and go on, every second one, to cycling or to astronomy."""
    lines = [
        (channel, member, sentence(channel, member))
        for member in range(60)
        for channel in (BAKING, (CYCLING, ASTRONOMY)[member % 2])
    ]
    whole = corpus(lines)
    times = np.ravel([[5 * DAY * member, 5 * DAY * member + 40 * DAY] for member in range(60)])
    known = build_profiles(replace(whole, times=times), CARDS, encoder="h", now=NOW)
    assert known.ranker.joins > 20
    assert known.ranker.exam.n > 0
    assert not np.array_equal(known.ranker.weights, USUAL)


def test_memberships_teach_like_first_messages():
    said = corpus([(BAKING, member, sentence(BAKING, member)) for member in range(40)])
    joins = Moments(members=np.arange(40), channels=np.full(40, CYCLING), times=np.linspace(100 * DAY, 390 * DAY, 40))
    plain, told = (
        build_profiles(said, CARDS, encoder="h", now=NOW, behaviour=known).ranker
        for known in (Behaviour.none(), Behaviour(joins=joins))
    )
    assert (plain.joins, told.joins > 10) == (0, True)


def test_what_came_of_offers_is_told_apart():
    """Members 0 to 9 were offered cycling: five take it up soon, three refuse it, and two say nothing."""
    said = corpus([(BAKING, member, sentence(BAKING, member)) for member in range(40)])
    fewer = np.arange(10)
    offers = Moments(members=fewer, channels=np.full(10, CYCLING), times=np.full(10, NOW - 60 * DAY))
    joins = Moments(members=fewer[:5], channels=np.full(5, CYCLING), times=np.full(5, NOW - 58 * DAY))
    late = Moments(members=np.array([39]), channels=np.array([ASTRONOMY]), times=np.array([NOW - DAY]))
    refusals = Moments(members=fewer[5:8], channels=np.full(3, CYCLING), times=np.full(3, NOW - 59 * DAY))
    channels = np.array([BAKING, CYCLING, ASTRONOMY])
    joins = replace(joins, **{name: np.append(getattr(joins, name), getattr(late, name)) for name in COLUMNS})
    known = Behaviour(offers=offers, joins=joins, refusals=refusals)
    owners = np.searchsorted(channels, said.channels)
    stage = Stage(
        corpus=said,
        material=Material.prepare(said, owners, CARDS, now=NOW),
        choice=Choice(),
        past=Past.of(said, owners, channels, known),
        behaviour=known,
        channels=channels,
        now=NOW,
    )
    _, answers = rehearse(stage)
    assert answers.taken.tolist() == [True] * 5 + [False] * 5
    assert answers.say.tolist() == [1.0] * 8 + [0.25] * 2


COLUMNS = ("members", "channels", "times")


def test_offers_that_count_for_nothing_change_nothing():
    random = np.random.default_rng(1)
    answers = Answers(
        features=random.normal(size=(100, len(NAMES))).astype(np.float32),
        taken=np.arange(100) % 2 == 0,
        say=np.zeros(100, dtype=np.float32),
    )
    joins = planted(60, np.linspace(0, 1.8, len(NAMES)))
    plain, told = (Learned.of(joins, some, apart).ranker.weights for some in (NOTHING, answers))
    assert told == pytest.approx(plain, abs=1e-3)
    assert plain != pytest.approx(USUAL, abs=0.01)
    few = Learned.of(planted(15, USUAL), replace(answers, say=np.ones(100, dtype=np.float32)), apart).ranker
    assert few.weights.tolist() == USUAL.tolist()  # pairs of offers are no first uses
