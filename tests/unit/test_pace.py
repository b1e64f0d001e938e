"""What may be done once in a while is done once in a while, in each place, whatever the clock does."""

from __future__ import annotations

from datetime import timedelta

from bot.core.things import Ref
from brains.skills.pace import Pace
from tests.words import MONDAY

HERE, THERE = Ref("plaza", "here"), Ref("plaza", "there")
MINUTE = timedelta(minutes=1)


def test_once_a_minute_in_each_place() -> None:
    pace = Pace()

    def may(where: Ref, seconds: float, what: str = "look") -> bool:
        return pace.may(what, where, now=MONDAY + timedelta(seconds=seconds), every=MINUTE)

    assert [may(HERE, 0), may(HERE, 1), may(THERE, 1), may(HERE, 1, "speak")] == [True, False, True, True]
    assert [may(HERE, 59), may(HERE, 60), may(HERE, 61)] == [False, True, False]
    assert may(HERE, -3600), "a clock that was set back holds nothing up"
    assert len(pace._last) == 2, "it forgets where that is over"
