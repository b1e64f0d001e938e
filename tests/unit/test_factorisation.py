"""Factors and the graph on two planted blocks: who uses some of a half of the channels is led to the rest of it."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from brains.matching.factorisation import als, bpr
from brains.matching.graph import Topics, lightgcn, rows_of

MEMBERS, CHANNELS = 40, 12
HALVES = (range(6), range(6, 12))

every = pytest.mark.parametrize("fit", [als, bpr, pytest.param(lightgcn, marks=pytest.mark.slow)])


def blocks(members: int = MEMBERS) -> csr_array:
    random = np.random.default_rng(5)
    used = np.zeros((members, CHANNELS), dtype=np.float32)
    for member in range(members):
        for channel in random.choice(HALVES[member % 2], 3, replace=False):
            used[member, channel] = random.uniform(0.3, 2)
    return csr_array(used)


def led_home(scores: np.ndarray, used: csr_array) -> float:
    """The share of members whose best unused channel is of their own half."""
    best = np.where(used.toarray() > 0, -np.inf, scores).argmax(axis=1)
    return float(np.mean([channel in HALVES[member % 2] for member, channel in enumerate(best)]))


@every
def test_members_are_led_to_the_rest_of_their_block(fit):
    used = blocks()
    scores = fit(used).scores
    assert led_home(scores, used) == 1
    assert led_home(-scores, used) < 0.3


@every
def test_a_stranger_is_scored_by_their_own_row(fit):
    model, strangers = fit(blocks()), blocks(46)[[*range(40, 46)]]
    assert led_home(model.fold_in(strangers), strangers) == 1


@every
def test_the_same_seed_gives_the_same_model(fit):
    used = blocks()
    assert np.array_equal(fit(used, seed=7).scores, fit(used, seed=7).scores)
    assert not np.array_equal(fit(used, seed=7).scores, fit(used, seed=8).scores)


@every
def test_little_data_is_scored_too(fit):
    for shape in [(10, 3), (1, 1), (4, 0), (0, 4)]:
        full, empty = csr_array(np.ones(shape, dtype=np.float32)), csr_array(shape, dtype=np.float32)
        for used in (full, empty):
            model = fit(used)
            assert model.scores.shape == model.fold_in(used).shape == shape
            assert np.isfinite(model.scores).all()
            assert np.isfinite(model.fold_in(empty)).all()


def test_als_folds_its_own_members_in_where_they_are():
    used = blocks()
    model = als(used, rounds=60)
    assert model.fold_in(used) == pytest.approx(model.scores, abs=0.02)
    assert als(used, confidence=40).scores[used.nonzero()].mean() > model.scores[used.nonzero()].mean()


@pytest.mark.slow
@pytest.mark.long
def test_topics_lead_somebody_who_has_used_nothing_yet():
    used = blocks()
    halves = np.eye(2, dtype=np.float32)
    topics = Topics(
        members=csr_array(halves[[member % 2 for member in range(MEMBERS)]]),
        channels=csr_array(halves[[0] * 6 + [1] * 6]),
    )
    model = lightgcn(used, topics=topics)
    assert led_home(model.scores, used) == 1
    assert model.fold_in(rows_of(used, topics)).shape == used.shape
    silent = csr_array((2, CHANNELS), dtype=np.float32)
    told = rows_of(silent, Topics(members=csr_array(halves), channels=topics.channels))
    assert led_home(model.fold_in(told), silent) == 1
