"""One budget for each chat and route: limits hold whatever is asked, the urgent goes first, everybody's turn comes."""

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

        self.held: dict[str, dict[str, float]] = {}

    def send(self, what: str, chat: str = "a", urgency: Urgency = REPLY, *, route: str = "") -> asyncio.Task[None]:
        task = asyncio.create_task(self._send(what, chat, urgency, route))
        self.tasks.append(task)
        return task

    async def _send(self, what: str, chat: str, urgency: Urgency, route: str) -> None:
        self.held[what] = dict(await self.budget.take(chat, urgency, route=route))
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
    assert times[2:] == [1, 1, 10]


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
    sender.budget.pause(7, chat="a")
    sender.send("patient")
    sender.send("elsewhere", "b")
    await sender.clock.let_pass(6.9)
    assert sender.order == ["elsewhere"]
    assert not sender.budget.take_spare("a")
    await sender.clock.let_pass(1)
    assert sender.order == ["elsewhere", "patient"]


async def test_a_short_wait_does_not_end_a_long_one() -> None:
    sender = Sender(SLOW)
    sender.budget.pause(7, chat="a")
    sender.budget.pause(1, chat="a")
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


async def test_a_route_waits_by_itself_and_the_rest_of_the_chat_goes_on() -> None:
    sender = Sender(Limits(chat=((10, 1.0),), overall=(30, 1.0), routes={"Edit": ((2, 5.0),)}))
    for number in range(3):
        sender.send(f"edit {number}", route="Edit")
    sender.send("say", route="Say")
    sender.send("edit elsewhere", "b", route="Edit")
    assert sender.budget.take_spare("c", route="Edit")
    assert not sender.budget.take_spare("c", route="Edit")
    await sender.clock.let_pass(4.9)
    assert sender.order == ["edit 0", "edit 1", "say", "edit elsewhere"]
    await sender.clock.let_pass(1)
    assert sender.sent[-1] == ("edit 2", "a", 5)
    assert sender.held["edit 2"] == {"route": 5}


async def test_who_waits_for_a_route_is_first_in_the_chat_once_the_route_is_free() -> None:
    sender = Sender(Limits(chat=((1, 1.0),), overall=(30, 1.0), routes={"Edit": ((1, 3.5),)}))
    sender.send("edit", route="Edit")
    await sender.clock.let_pass(1)
    sender.send("waiting edit", route="Edit")
    for number in range(10):
        sender.send(f"say {number}", route="Say")
    await sender.clock.let_pass(3.5)
    assert sender.order == ["edit", "say 0", "say 1", "say 2", "waiting edit"]
    await sender.give_up()


async def test_the_limit_of_all_goes_to_the_most_urgent_of_every_chat() -> None:
    sender = Sender(Limits(chat=((5, 1.0),), overall=(1, 1.0)))
    for what, chat, urgency in (("first", "a", REPLY), ("digest", "a", DIGEST), ("reply", "b", REPLY)):
        sender.send(what, chat, urgency)
    sender.send("ban", "c", MODERATION)
    await sender.clock.let_pass(5)
    assert sender.order == ["first", "ban", "reply", "digest"]
    assert sender.held["ban"] == {"all": 1}


async def test_moderation_that_its_own_chat_holds_up_holds_up_no_other() -> None:
    sender = Sender(Limits(chat=((1, 10.0),), overall=(2, 1.0)))
    sender.send("first", "a")
    sender.send("ban", "a", MODERATION)
    sender.send("elsewhere", "b", DIGEST)
    await sender.clock.let_pass(1)
    assert sender.order == ["first", "elsewhere"]
    await sender.clock.let_pass(10)
    assert sender.order[2:] == ["ban"]


async def test_a_platform_that_puts_off_one_route_or_everything_is_taken_at_its_word() -> None:
    sender = Sender(SLOW)
    sender.budget.pause(3, chat="a", route="Say", scope="route")
    sender.budget.pause(1, chat="b", route="Say", scope="all")
    for what, chat, route in (("say", "a", "Say"), ("ban", "a", "Ban"), ("other say", "b", "Say")):
        sender.send(what, chat, route=route)
    assert not sender.budget.take_spare("c", route="Say")
    await sender.clock.let_pass(10)
    assert sender.sent == [("ban", "a", 1), ("other say", "b", 1), ("say", "a", 3)]
    assert sender.held["say"] == {"paused": 3}
    assert sender.budget.take_spare("c", route="Say")


async def test_what_held_somebody_up_is_told_apart() -> None:
    sender = Sender(Limits(chat=((1, 2.0),), overall=(30, 1.0)))
    sender.send("first")
    sender.send("held up")
    await sender.clock.let_pass(1)
    sender.budget.pause(4, chat="a")
    await sender.clock.let_pass(10)
    assert sender.held == {"first": {}, "held up": {"chat": 1, "paused": 4}}


class CountingClock(PatientClock):
    """Counts how often somebody lies down to sleep."""

    naps = 0

    async def sleep(self, seconds: float) -> None:
        self.naps += 1
        await super().sleep(seconds)


async def test_a_hundred_who_wait_sleep_once_a_turn() -> None:
    sender = Sender(Limits(chat=((1, 1.0),), overall=(30, 1.0)))
    sender.clock = sender.budget._clock = CountingClock()
    for number in range(100):
        sender.send(str(number))
    await sender.clock.let_pass(100)
    assert len(sender.sent) == 100
    assert sender.clock.naps == 99


async def test_chats_that_fell_silent_are_forgotten_and_those_in_use_are_not() -> None:
    sender = Sender(Limits(chat=((1, 1.0),), overall=(10_000, 1.0), routes={"Say": ((1, 2.0),)}))
    sender.budget.pause(10_000, chat="paused")
    sender.send("patient", "paused")
    for number in range(2_000):
        await sender.budget.take(f"chat {number}", REPLY, route="Say")
        await sender.clock.let_pass(0.1)
    assert len(sender.budget._gates) < 200
    sender.send("behind", "paused")
    await sender.clock.let_pass(9_000)
    assert sender.order == []
    await sender.clock.let_pass(1_000)
    assert sender.order == ["patient", "behind"]


LIMITS = st.tuples(st.integers(1, 5), st.sampled_from([0.5, 1.0, 3.0]))
WISHES = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(["Say", "Edit"]),
        st.sampled_from(Urgency),
        st.booleans(),
        st.sampled_from([0.0, 0.1, 0.6, 2.0]),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(chat=st.lists(LIMITS, min_size=1, max_size=2), overall=LIMITS, edits=st.lists(LIMITS, max_size=1), wishes=WISHES)
def test_no_window_ever_holds_more_than_its_limit_and_all_is_sent(chat, overall, edits, wishes) -> None:
    """Send at random, wait long enough for everything, then count what was sent in every window."""
    limits = Limits(chat=tuple(chat), overall=overall, routes={"Edit": tuple(edits)})
    sent = asyncio.run(_send_all(limits, wishes))
    assert len([what for what, *_ in sent if what == "asked"]) == len([one for one in wishes if not one[3]])
    for name in "ab":
        for count, seconds in chat:
            assert _most([at for _, where, _, at in sent if where == name], seconds) <= count
        for count, seconds in edits:
            told = [at for _, where, route, at in sent if (where, route) == (name, "Edit")]
            assert _most(told, seconds) <= count
    assert _most([at for *_, at in sent], overall[1]) <= overall[0]


async def _send_all(limits: Limits, wishes) -> list[tuple[str, str, str, datetime]]:
    clock = PatientClock()
    budget = Budget(limits, clock)
    sent: list[tuple[str, str, str, datetime]] = []

    async def send(chat: str, route: str, urgency: Urgency) -> None:
        await budget.take(chat, urgency, route=route)
        sent.append(("asked", chat, route, clock.now()))

    tasks = []
    for chat, route, urgency, spare, pause in wishes:
        if not spare:
            tasks.append(asyncio.create_task(send(chat, route, urgency)))
        elif budget.take_spare(chat, route=route):
            sent.append(("spare", chat, route, clock.now()))
        await clock.let_pass(pause)
    await clock.let_pass(300)
    assert all(task.done() for task in tasks)
    return sent


def _most(times: list[datetime], seconds: float) -> int:
    """Count the most that lie within any window, whose end is no part of it."""
    length = timedelta(seconds=seconds)
    return max((sum(start <= at < start + length for at in times) for start in times), default=0)
