"""Patience in storing: nothing that a platform told is lost or overtaken while nothing can be stored."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from adapters.hearing import FIRST_PAUSE, LONGEST_PAUSE, Handover, meant, plea
from bot.core.commands import COMMANDS
from bot.core.errors import Unavailable
from bot.core.events import Arrival, MemberLeft, Named
from bot.core.ports import Appealable
from bot.core.things import Ref

AT = datetime(2026, 1, 2, tzinfo=UTC)


class Naps:
    """A clock that notes how long it is slept, and then goes on."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return AT

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


def left(who: str, space: str = "harbour") -> Arrival:
    event = MemberLeft(member=Named(ref=Ref("wire", who), name=who), at=AT)
    return Arrival(space=Named(ref=Ref("wire", space), name=space), event=event)


async def test_what_comes_later_waits_behind_what_cannot_be_stored_yet() -> None:
    refusals, stored, clock = 7, [], Naps()

    async def put(arrival: Arrival) -> bool:
        nonlocal refusals
        if arrival.space.name == "harbour" and refusals:
            refusals -= 1
            raise Unavailable("The disk is full.")
        stored.append(arrival)
        return True

    handover, arrivals = Handover(put, clock=clock), [left("ben"), left("anna"), left("cleo", "elsewhere")]
    first = asyncio.create_task(handover.give(arrivals[0]))
    await asyncio.sleep(0)
    others = [asyncio.create_task(handover.give(one)) for one in arrivals[1:]]
    await asyncio.gather(first, *others)

    assert stored == [arrivals[2], arrivals[0], arrivals[1]], "another space waits for nothing"
    assert clock.slept == [min(FIRST_PAUSE * 2**number, LONGEST_PAUSE) for number in range(7)]


async def test_what_must_be_looked_up_is_tried_again_with_the_same_pauses() -> None:
    refusals, clock = 7, Naps()

    async def find() -> str:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise Unavailable("The disk is full.")
        return "found"

    async def put(_arrival: Arrival) -> bool:
        return True

    assert await Handover(put, clock=clock).look_up(find) == "found"
    assert clock.slept == [min(FIRST_PAUSE * 2**number, LONGEST_PAUSE) for number in range(7)]


async def test_what_must_be_known_first_is_awaited_in_turn() -> None:
    order: list[str] = []

    async def before(arrival: Arrival) -> None:
        order.append(f"before {arrival.event.member.name}")
        await asyncio.sleep(0)

    async def put(arrival: Arrival) -> bool:
        order.append(arrival.event.member.name)
        return True

    handover = Handover(put, clock=Naps(), before=before)
    await asyncio.gather(handover.give(left("ben")), handover.give(left("anna")))
    assert [one for one in order if not one.startswith("before")] == ["ben", "anna"]
    assert order.index("before ben") < order.index("before anna")


def appealable(case: str, space: str) -> Appealable:
    return Appealable(case=case, account=Ref("wire", "ben"), space=Named(ref=Ref("wire", space), name=space))


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("", "NEWEST"),
        ("I did not spam the market", "NEWEST"),
        ("oldest, it was a joke", "OLDEST"),
        ("K7QX3M it was a joke", "NEWEST"),
    ],
)
def test_an_appeal_is_about_the_case_it_names_else_the_newest(words: str, wanted: str) -> None:
    case = meant([appealable("NEWEST", "boats"), appealable("OLDEST", "harbour")], words)
    assert ((case.case if case else None), meant([], words)) == (wanted, None)


def test_an_appeal_in_words_is_told_from_what_only_says_something() -> None:
    said = ("/appeal K7QX3M why", "appeal K7QX3M why", "/appeal", "I appeal to you", "/help appeal", "")
    assert [plea(one, COMMANDS) for one in said] == ["K7QX3M why", "K7QX3M why", "", None, None, None]
