"""Measures by hand: every expected number was worked out on paper."""

from __future__ import annotations

import numpy as np
import pytest

from brains.evals.evaluation import report
from brains.evals.metrics import bootstrap, hit, means, ndcg, reciprocal_rank


def test_a_hit_looks_at_the_first_k_places_only():
    assert hit([7, 3, 5], {5}, 3) == 1
    assert hit([7, 3, 5], {5}, 2) == 0
    assert hit([], {5}, 10) == 0


def test_ndcg_discounts_by_the_logarithm_of_the_rank():
    assert ndcg([4, 9], {4}, 10) == 1
    assert ndcg([9, 4], {4}, 10) == pytest.approx(1 / np.log2(3))
    found, best = 1 + 1 / np.log2(4), 1 + 1 / np.log2(3)
    assert ndcg([4, 9, 6], {4, 6}, 10) == pytest.approx(found / best)
    assert ndcg([9, 4], {4}, 1) == 0


def test_ndcg_of_more_relevant_items_than_places_can_be_perfect():
    assert ndcg([1, 2], {1, 2, 3, 4}, 2) == 1


def test_the_reciprocal_rank_is_that_of_the_first_relevant_item():
    assert reciprocal_rank([8, 2, 1], {1, 2}) == 0.5
    assert reciprocal_rank([8], {1}) == 0


def test_an_interval_holds_the_mean_and_is_the_same_every_time():
    values = np.array([0.0, 1.0] * 50)
    interval = bootstrap(values)
    assert interval.low < 0.5 < interval.high
    assert interval == bootstrap(values)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 0.05, abs=0.02)  # the normal approximation


def test_an_interval_of_equal_values_is_that_value_and_of_none_an_error():
    assert (bootstrap(np.ones(9)).low, bootstrap(np.ones(9)).high) == (1, 1)
    with pytest.raises(ValueError, match="at least one"):
        bootstrap(np.zeros(0))


def test_a_report_compares_with_the_best_baseline():
    ours = {"mrr": np.array([1.0, 1.0, 0.5])}
    rivals = {"good": {"mrr": np.array([1.0, 0.5, 0.5])}, "bad": {"mrr": np.zeros(3)}}
    found = report("t", ours=ours, baselines=rivals, metric="mrr", seconds=1.26)
    assert found.n == 3
    assert means(ours) == found.ours
    assert (found.comparison.baseline, found.comparison.difference) == ("good", 0.1667)
    assert found.comparison.interval.low >= 0
    assert set(found.to_json()) >= {"task", "n", "ours", "baselines", "seconds"}
