"""Traces in words: what held an act up, and what it did without, in the reader's language."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from bot.core.actions import OpenDirect, Say
from bot.core.decisions import Decision, Obstacle, Receipt, Trace, Verdict
from bot.core.events import Event
from bot.core.i18n import translator
from bot.core.things import Ref
from brains.skills.telling import KINDS, WAITS, tell
from storage.acts import Act
from tests.words import MONDAY

TRACE = Trace(id="t1", event="e", kind="CommandGiven", at=MONDAY)
DONE = Receipt(state="done")


def told(receipt: Receipt, *, language: str = "en", undone_by: int | None = None) -> str:
    """Return the last line of a trace with one act."""
    action = Say(to=Ref("plaza", "general"), text="hello")
    act = Act(
        id=1,
        trace="t1",
        skill="test",
        action=action,
        state=receipt.state,
        receipt=receipt,
        intended_at=MONDAY,
        undone_by=undone_by,
    )
    return tell(TRACE, [act], translator(language)).splitlines()[-1]


def test_what_went_at_once_says_nothing_of_waiting() -> None:
    assert told(DONE).startswith("- done: ")
    assert "(" not in told(DONE)


def test_a_wait_and_what_was_left_out_stand_between_the_act_and_its_fate() -> None:
    late = Receipt(state="failed", error="slow down", waited=14, waited_for="paused", dropped=3)
    line = told(late, undone_by=7)
    way = "(waited 14 s, since the platform said to wait, 3 edits on the way were left out)"
    assert line.endswith(f"{way} (taken back by act 7): slow down")
    assert "等了 0.7 秒：平台要求等待" in told(replace(late, waited=0.7), language="zh_CN")


def test_to_whom_else_something_was_written_directly_is_told_to_them_alone() -> None:
    ana, other = Ref("plaza", "ana"), Ref("square", "anna")
    trace, english = replace(TRACE, member=ana), translator("en")
    acts = [
        Act(id=number, trace="t1", skill="privacy", action=action, state="done", receipt=DONE, intended_at=MONDAY)
        for number, action in enumerate(OpenDirect(member=one, text="a code") for one in (ana, other))
    ]
    lines = tell(trace, acts, english, reader=Ref("plaza", "staff")).splitlines()[1:]
    assert ("ana" in lines[0], "anna" in lines[1], "a code" in "".join(lines)) == (True, False, False)
    assert "anna" in tell(trace, acts, english, reader=other).splitlines()[2]


@pytest.mark.parametrize("obstacle", get_args(Obstacle))
def test_everything_that_may_hold_an_act_up_has_words(obstacle: Obstacle) -> None:
    assert "(waited 3 s" in told(replace(DONE, waited=3.0, waited_for=obstacle))
    assert set(WAITS) == set(get_args(Obstacle))


def test_what_happened_is_told_in_words_and_what_a_decision_stands_on_is_one_bullet() -> None:
    one, some = (tuple(Ref("plaza", str(number)) for number in range(count)) for count in (1, 3))
    guess = Decision(skill="match", actions=(), reason="?", confidence=0.28, evidence=some)
    approved = Decision(skill="guard", actions=(), reason="?", evidence=one, approved=Ref("plaza", "ana"))
    asked = Decision(skill="help", actions=(), reason="?")
    lines = tell(replace(TRACE, verdict=Verdict(decisions=(guess, approved, asked))), [], translator("en")).splitlines()
    assert lines[0].startswith("**Command given** at ")
    assert lines[1:] == [
        "- **match**: 28% sure, resting on 3 messages",
        "- **guard**: resting on one message, approved by [@ana](kinfolk:member:plaza:ana)",
    ]
    assert {one.__name__ for one in get_args(Event)} == set(KINDS)
