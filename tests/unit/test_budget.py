"""One budget for each chat: limits hold whatever is asked, the urgent goes first, and everybody's turn comes."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.budget import Budget, Urgency
from bot.core.ports import Limits
from tests.clocks import PatientClock

MODERATION, REPLY, DIGEST = Urgency.MODERATION, Urgency.REPLY, Urgency.DIGEST
SLOW = Limits(chat=((2, 1.0), (4, 10.0)), overall=(30, 1.0))


class Sender:
    """Somebody who sends within a budget; `sent` holds what, where and when, in order."""

    def __init__(self, limits: Limits) -> None:
        self.clock = PatientClock()
        self.budget = Budget(limits, self.clock)
        self.start = self.clock.now()
        self.sent: list[tuple[str, str, float]] = []
        self.tasks: list[asyncio.Task[None]] = []

    def send(self, what: str, chat: str = "a", urgency: Urgency = REPLY) -> asyncio.Task[None]:
        task = asyncio.create_task(self._send(what, chat, urgency))
        self.tasks.append(task)
        return task

    async def _send(self, what: str, chat: str, urgency: Urgency) -> None:
        await self.budget.take(chat, urgency)
        self.sent.append((what, chat, (self.clock.now() - self.start).total_seconds()))

    @property
    def order(self) -> list[str]:
        return [what for what, _, _ in self.sent]

    async def give_up(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_every_limit_of_a_chat_holds_and_what_waits_goes_out_as_soon_as_it_may() -> None:
    sender = Sender(SLOW)
    for number in range(5):
        sender.send(str(number))
    await sender.clock.let_pass(20)
    assert sender.order == ["0", "1", "2", "3", "4"]
    times = [at for _, _, at in sender.sent]
    assert times[:2] == [0, 0]
    assert [round(at) for at in times[2:]] == [1, 1, 10]


async def test_chats_do_not_wait_for_each_other_until_the_limit_of_all() -> None:
    sender = Sender(Limits(chat=((1, 1.0),), overall=(3, 5.0)))
    for chat in "abcd":
        sender.send(f"to {chat}", chat)
    await sender.clock.let_pass(0.5)
    assert sender.order == ["to a", "to b", "to c"]
    await sender.clock.let_pass(5)
    assert sender.order[3:] == ["to d"]


async def test_moderation_goes_before_replies_and_replies_before_digests() -> None:
    sender = Sender(Limits(chat=((1, 1.0),), overall=(30, 1.0)))
    for what, urgency in (("first", DIGEST), ("digest", DIGEST), ("reply", REPLY), ("ban", MODERATION)):
        sender.send(what, urgency=urgency)
    await sender.clock.let_pass(5)
    assert sender.order == ["first", "ban", "reply", "digest"]


async def test_who_waits_gets_a_turn_however_many_come_after() -> None:
    sender = Sender(Limits(chat=((1, 1.0),), overall=(30, 1.0)))
    sender.send("early")
    sender.send("patient")
    for number in range(20):
        sender.send(f"later {number}")
        await sender.clock.let_pass(0.2)
    assert sender.order[:2] == ["early", "patient"]
    await sender.give_up()


async def test_who_gives_up_holds_up_nobody() -> None:
    sender = Sender(Limits(chat=((1, 1.0),), overall=(30, 1.0)))
    sender.send("first")
    gone = sender.send("gone", urgency=MODERATION)
    sender.send("last")
    await sender.clock.let_pass(0.5)
    gone.cancel()
    await sender.clock.let_pass(2)
    assert sender.order == ["first", "last"]


async def test_nothing_goes_out_while_a_platform_said_to_wait() -> None:
    sender = Sender(SLOW)
    sender.budget.pause("a", 7)
    sender.send("patient")
    sender.send("elsewhere", "b")
    await sender.clock.let_pass(6.9)
    assert sender.order == ["elsewhere"]
    assert not sender.budget.take_spare("a")
    await sender.clock.let_pass(1)
    assert sender.order == ["elsewhere", "patient"]


async def test_a_short_wait_does_not_end_a_long_one() -> None:
    sender = Sender(SLOW)
    sender.budget.pause("a", 7)
    sender.budget.pause("a", 1)
    sender.send("patient")
    await sender.clock.let_pass(6)
    assert sender.order == []
    await sender.clock.let_pass(2)
    assert sender.order == ["patient"]


async def test_what_may_be_left_out_uses_less_than_half_and_never_goes_before_who_waits() -> None:
    sender = Sender(Limits(chat=((4, 10.0),), overall=(30, 1.0)))
    assert [sender.budget.take_spare("a") for _ in range(3)] == [True, True, False]
    for what in ("one", "two", "three"):
        sender.send(what)
    await sender.clock.let_pass(1)
    assert sender.order == ["one", "two"]
    assert not sender.budget.take_spare("a")
    await sender.clock.let_pass(10)
    assert sender.order == ["one", "two", "three"]
    assert sender.budget.take_spare("a")


async def test_what_may_be_left_out_minds_the_limit_of_all() -> None:
    sender = Sender(Limits(chat=((100, 1.0),), overall=(2, 10.0)))
    assert sender.budget.take_spare("a")
    assert not sender.budget.take_spare("b")


LIMITS = st.tuples(st.integers(1, 5), st.sampled_from([0.5, 1.0, 3.0]))
WISHES = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(Urgency), st.booleans(), st.sampled_from([0.0, 0.1, 0.6, 2.0])),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(chat=st.lists(LIMITS, min_size=1, max_size=2), overall=LIMITS, wishes=WISHES)
def test_no_window_ever_holds_more_than_its_limit_and_all_is_sent(chat, overall, wishes) -> None:
    """Send at random, wait long enough for everything, then count what was sent in every window."""
    sent = asyncio.run(_send_all(Limits(chat=tuple(chat), overall=overall), wishes))
    assert len([what for what, _, _ in sent if what == "asked"]) == len([one for one in wishes if not one[2]])
    for count, seconds in chat:
        for name in "ab":
            assert _most([at for _, where, at in sent if where == name], seconds) <= count
    assert _most([at for _, _, at in sent], overall[1]) <= overall[0]


async def _send_all(limits: Limits, wishes) -> list[tuple[str, str, datetime]]:
    clock = PatientClock()
    budget = Budget(limits, clock)
    sent: list[tuple[str, str, datetime]] = []

    async def send(chat: str, urgency: Urgency) -> None:
        await budget.take(chat, urgency)
        sent.append(("asked", chat, clock.now()))

    tasks = []
    for chat, urgency, spare, pause in wishes:
        if not spare:
            tasks.append(asyncio.create_task(send(chat, urgency)))
        elif budget.take_spare(chat):
            sent.append(("spare", chat, clock.now()))
        await clock.let_pass(pause)
    await clock.let_pass(300)
    assert all(task.done() for task in tasks)
    return sent


def _most(times: list[datetime], seconds: float) -> int:
    """Count the most that lie within any window, whose end is no part of it."""
    length = timedelta(seconds=seconds)
    return max((sum(start <= at < start + length for at in times) for start in times), default=0)
