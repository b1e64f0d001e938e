"""What members did, side by side in time."""

from __future__ import annotations

import numpy as np
import pytest

from brains.matching.behaviour import Behaviour, Moments, Stated, Ties


def test_only_what_had_happened_is_known_at_a_moment():
    joins = Moments(members=np.array([1, 2]), channels=np.array([10, 20]), times=np.array([5.0, 9.0]))
    replies = Ties(
        members=np.array([1, 2]), others=np.array([2, 1]), channels=np.array([10, 10]), times=np.array([6.0, 7.0])
    )
    stated = Stated(
        members=np.array([3, 3]),
        texts=["bread", "bikes"],
        vectors=np.eye(2, dtype=np.float32),
        times=np.array([1, 8.0]),
    )
    known = Behaviour(joins=joins, replies=replies, stated=stated).before(7.0)
    assert known.joins.channels.tolist() == [10]
    assert known.replies.others.tolist() == [2]
    assert list(known.stated.texts) == ["bread"]
    assert known.stated.vectors.tolist() == [[1.0, 0.0]]
    assert len(known.refusals) == len(known.offers) == 0


def test_columns_are_of_one_length():
    with pytest.raises(ValueError, match="as many of each"):
        Moments(members=np.array([1, 2]), channels=np.array([10]), times=np.array([5.0, 9.0]))
    assert len(Behaviour.none().joins) == 0
