"""Whether a text belongs in a community, where the community says little or nothing about that."""

from __future__ import annotations

import numpy as np

from brains.matching.gate import UNKNOWN, Gate, Range


def test_where_all_messages_lie_at_nothing_nothing_is_known() -> None:
    silent = Range.of(np.zeros(3))
    assert silent.place(0.7, least=0.0) == UNKNOWN
    assert 0 < Gate(told=silent).opens(0.7, 0.8) < 1


def test_a_community_of_one_voice_still_hears_another() -> None:
    one_voice = Range.of(np.full(50, 0.5))
    assert one_voice.place(0.1, least=0.1) < one_voice.place(0.5, least=0.1)
