"""The brake: a platform that refuses much is left alone before it blocks the bot, and sent to again after that."""

from __future__ import annotations

import logging

import pytest

from bot.core.circuit_breaker import CircuitBreaker
from bot.core.counts import Counts
from tests.clocks import HastyClock


@pytest.fixture
def clock() -> HastyClock:
    return HastyClock()


def noted(brake: CircuitBreaker, times: int, clock: HastyClock, *, pause: float = 0.0) -> None:
    for _ in range(times):
        brake.note()
        clock.pass_by(pause)


def test_a_tenth_of_what_a_platform_bears_closes_it_for_the_rest_of_the_window(clock: HastyClock) -> None:
    brake = CircuitBreaker(platform="discord", clock=clock)
    noted(brake, 999, clock)
    assert (brake.holds, brake.free_after()) == (False, 0)
    brake.note()
    assert (brake.holds, brake.free_after()) == (True, 600)
    clock.pass_by(599)
    assert (brake.holds, brake.free_after()) == (True, 1)
    clock.pass_by(1)
    assert (brake.holds, brake.free_after(), brake.total) == (False, 0, 1000)


def test_refusals_that_are_far_apart_never_close_it(clock: HastyClock) -> None:
    brake = CircuitBreaker(platform="discord", clock=clock, most=100, seconds=10)
    noted(brake, 500, clock, pause=1.2)
    assert brake.free_after() == 0
    noted(brake, 10, clock, pause=0.5)
    assert brake.free_after() > 0


def test_it_opens_when_half_have_passed_and_closes_again_only_for_as_many_more(clock: HastyClock) -> None:
    brake = CircuitBreaker(platform="discord", clock=clock, most=100, seconds=10)
    noted(brake, 10, clock, pause=0.5)
    clock.pass_by(brake.free_after())
    assert brake.free_after() == 0
    noted(brake, 3, clock)
    assert brake.free_after() == 0
    noted(brake, 7, clock)
    assert brake.free_after() == 10


def test_no_window_ever_holds_more_than_its_share_by_more_than_what_was_under_way(clock: HastyClock) -> None:
    brake = CircuitBreaker(platform="discord", clock=clock, most=100, seconds=10)
    times: list[float] = []
    for tenth in range(3_000):
        if not brake.free_after():
            brake.note()
            times.append(tenth / 10)
        clock.pass_by(0.1)
    assert max(sum(start <= at < start + 10 for at in times) for start in times) == 10
    assert len(times) > 100


def test_closing_and_opening_are_told_once_each(clock: HastyClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    brake = CircuitBreaker(platform="discord", clock=clock, most=100, seconds=60)
    noted(brake, 13, clock)
    for _ in range(3):
        brake.free_after()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "discord refused 10 requests within 60 s; nothing is sent there for 60 s" in caplog.text
    clock.pass_by(60)
    for _ in range(3):
        brake.free_after()
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_each_platform_has_a_brake_of_its_own(clock: HastyClock) -> None:
    counts = Counts(clock)
    for _ in range(1000):
        counts.invalid("discord")
    counts.invalid("slack")
    assert counts.brake("discord").holds
    assert not counts.brake("slack").holds
    assert {name: brake.total for name, brake in counts.brakes.items()} == {"discord": 1000, "slack": 1}


def test_a_connection_is_counted_when_it_comes_to_be(clock: HastyClock) -> None:
    counts = Counts(clock)
    for now in (True, True, False, True, False):
        counts.connected("discord", now)
    assert (counts.connections["discord"], counts.links) == (2, {"discord": False})
