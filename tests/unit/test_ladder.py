"""The ladder: every strictness climbs from a word to a ban, and nothing that adds nothing punishes."""

from __future__ import annotations

import pytest

from bot.core.actions import Rung
from brains.moderation import ladder
from brains.moderation.ladder import BY_HAND, LADDERS, POINTS, Strictness, adds, step

RUNGS: tuple[Rung, ...] = ("", "note", "warn", "timeout", "kick", "ban")
strictnesses = pytest.mark.parametrize("strictness", LADDERS)


@strictnesses
def test_more_points_never_mean_less(strictness: Strictness) -> None:
    taken = [step(strictness, held, 1) for held in range(30)]
    harshness = [(RUNGS.index(one.rung), one.minutes) for one in taken]
    assert harshness == sorted(harshness)
    assert taken[-1].rung == "ban"
    assert taken[0].rung in {"note", "warn"}, "nobody is timed out for a trifle"


def test_what_is_stricter_is_never_milder() -> None:
    for held in range(25):
        steps = [step(strictness, held, 2) for strictness in ("gentle", "standard", "strict")]
        harshness = [(RUNGS.index(one.rung), one.minutes) for one in steps]
        assert harshness == sorted(harshness), held


@strictnesses
def test_timeouts_grow(strictness: Strictness) -> None:
    minutes = [one.minutes for one in LADDERS[strictness] if one.rung == "timeout"]
    assert minutes == sorted(set(minutes))
    assert len(minutes) > 1
    assert all(not one.minutes for one in LADDERS[strictness] if one.rung != "timeout")


@strictnesses
@pytest.mark.parametrize("kind", ["self_harm", "off_topic", "compromised"])
def test_who_is_in_need_or_was_robbed_is_told_and_no_more(strictness: Strictness, kind: str) -> None:
    assert step(strictness, 100, POINTS[kind]).rung == "note"


def test_a_verdict_adds_what_the_case_was_for_only_where_it_bears_that_out() -> None:
    assert adds("scam", "spam") == POINTS["scam"]
    assert adds("hate", "rude") == POINTS["hate"]
    assert adds("hate", "spam") == POINTS["spam"]
    assert adds("reported", "rude") == POINTS["rude"]
    assert adds("spam", "off_topic") == adds("scam", "fine") == adds("spam", "compromised") == 0
    assert adds("self_harm", "fine") == 0


def test_by_hand_the_harder_step_adds_more_and_a_ban_is_about_five_warnings() -> None:
    assert list(BY_HAND.values()) == sorted(BY_HAND.values())
    assert BY_HAND["ban"] == 5 * BY_HAND["warn"]
    assert step("standard", 4 * BY_HAND["warn"], BY_HAND["warn"]).rung == "ban"
    assert ladder.step("standard", 0, BY_HAND["warn"]).rung == "warn"
