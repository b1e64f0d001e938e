"""The bot's own figures: what `/metrics` shows of acts, waits, refusals and connections, and how it is served."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bot.core.actions import Delete, Say, SetPolicy
from bot.core.counts import Counts
from bot.core.decisions import Decision, Receipt
from bot.core.errors import Misconfigured, Overloaded
from bot.core.events import Arrival
from bot.core.ports import Delivery
from bot.core.things import Ref
from bot.metrics import Figures, show
from bot.perform import Case
from brains.skills.skill import Context, Skill
from storage import ledger
from tests.clocks import HastyClock
from tests.recording import GENERAL, PLATFORM, SPACE, Plaza, SmallBot, small_bot
from tests.unit.test_perform import pieces, trace_of


def value(figures: Figures, name: str, **labels: str) -> float | None:
    return figures.registry.get_sample_value(name, labels)


async def carry_out(bot: SmallBot, *actions, number: str = "t1") -> None:
    await bot.performer.carry_out(Case(community=bot.community, trace=trace_of(actions, number=number)))


async def test_acts_are_counted_by_what_came_of_them(home: Path) -> None:
    delete = Delete(message=Ref(PLATFORM, "m"), channel=GENERAL.ref)
    async with small_bot(home) as bot:
        bot.plaza.script += [None, Receipt(state="failed", error="no")]
        await carry_out(bot, delete, delete, SetPolicy(name="confidence", value="0.5"))
        await carry_out(bot, SetPolicy(name="confidence", value="0.6"), number="t2")
    figures = bot.performer.figures
    for state, times in (("done", 1), ("failed", 1), ("unknown", None)):
        assert value(figures, "kinfolk_acts_total", platform=PLATFORM, kind="Delete", state=state) == times
    assert value(figures, "kinfolk_acts_total", platform="kinfolk", kind="SetPolicy", state="done") == 1


async def test_waits_are_told_by_what_held_an_act_up_and_edits_that_were_left_out_are_counted(home: Path) -> None:
    plaza = Plaza()
    plaza.limits = replace(plaza.limits, chat=((4, 60.0),))
    plaza.script.append(Overloaded("slow down", after=7))
    async with small_bot(home, plaza=plaza) as bot:
        await carry_out(bot, Say(to=GENERAL.ref, text="?", stream=bot.performer.stream("t1", pieces(*"abcdefgh"))))
    figures = bot.performer.figures
    assert value(figures, "kinfolk_wait_seconds_sum", platform=PLATFORM, reason="paused") == 7
    assert value(figures, "kinfolk_wait_seconds_count", platform=PLATFORM, reason="chat") is None
    assert value(figures, "kinfolk_edits_dropped_total", platform=PLATFORM) == 6


async def test_the_time_to_the_verdict_is_measured_from_the_arrival(home: Path) -> None:
    async def propose(_context: Context) -> Decision | None:
        return None

    listener = Skill(name="listener", purpose="Listens", propose=propose, commands=("match",))
    async with small_bot(home, skills=[listener]) as bot:
        nothing = asyncio.get_running_loop().create_future()
        nothing.set_result(None)
        arrival = Arrival(space=SPACE, event=bot.command("match"))
        [followed] = await bot.follow(arrival.event)
        delivery = Delivery(id=1, arrival=arrival, received_at=bot.clock.now(), followed=followed)
        bot.clock.pass_by(3)
        await bot.pipeline.handle(delivery, nothing)
    assert value(bot.performer.figures, "kinfolk_verdict_seconds_sum", platform=PLATFORM) == 3


async def test_what_adapters_report_is_read_whenever_somebody_asks() -> None:
    counts = Counts(HastyClock())
    figures = Figures(counts)
    assert value(figures, "kinfolk_connected", platform="discord") is None
    counts.connected("discord", now=True)
    counts.limited("discord", "Say")
    counts.limited("discord", "Say")
    for _ in range(1000):
        counts.invalid("discord")
    assert value(figures, "kinfolk_connected", platform="discord") == 1
    assert value(figures, "kinfolk_rate_limited_total", platform="discord", route="Say") == 2
    assert value(figures, "kinfolk_invalid_requests_total", platform="discord") == 1000
    assert value(figures, "kinfolk_circuit_open", platform="discord") == 1
    counts.connected("discord", now=False)
    counts.connected("discord", now=True)
    assert value(figures, "kinfolk_connections_total", platform="discord") == 2


async def test_events_are_counted_once_each(home: Path) -> None:
    figures, answers = Figures(Counts(HastyClock())), iter([True, False])

    async def put(_arrival: Arrival) -> bool:
        return next(answers)

    async with small_bot(home) as bot:
        arrival = Arrival(space=SPACE, event=bot.posted("hello"))
    count = figures.counting(put)
    assert [await count(arrival), await count(arrival)] == [True, False]
    assert value(figures, "kinfolk_events_total", platform=PLATFORM, kind="MessagePosted") == 1


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.asynccontextmanager
async def shown(bot: SmallBot, port: int) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the figures of a bot until left, with a clock that stands still after the first look."""
    looked = asyncio.Event()

    class Once(HastyClock):
        async def sleep(self, seconds: float) -> None:
            looked.set()
            await asyncio.Event().wait()

    serving = asyncio.create_task(show(bot.performer.figures, port=port, database=bot.database, clock=Once()))
    waiting = asyncio.create_task(looked.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        waiting.cancel()
        serving.cancel()
        await asyncio.gather(serving, waiting, return_exceptions=True)
        if serving.done() and not serving.cancelled() and (error := serving.exception()):
            raise error


async def test_the_page_is_there_while_it_is_served_and_the_port_is_free_after_that(home: Path, port: int) -> None:
    async with small_bot(home) as bot:
        for _ in range(2):
            async with shown(bot, port) as client:
                page = (await client.get("/metrics")).text
                assert "kinfolk_inbox_waiting 0.0" in page
                assert "# TYPE kinfolk_verdict_seconds histogram" in page
            with pytest.raises(httpx.ConnectError):
                async with httpx.AsyncClient() as client:
                    await client.get(f"http://127.0.0.1:{port}/metrics")


async def test_a_port_that_is_taken_names_the_variable_and_what_to_do(home: Path, port: int) -> None:
    async with small_bot(home) as bot:
        with socket.socket() as other:
            other.bind(("127.0.0.1", port))
            other.listen()
            with pytest.raises(Misconfigured, match=rf"KINFOLK_METRICS_PORT: .*:{port} .*name another port"):
                await show(bot.performer.figures, port=port, database=bot.database, clock=bot.clock)
        async with shown(bot, port) as client:
            assert (await client.get("/metrics")).status_code == 200


async def test_the_page_tells_when_it_was_learned_where_members_belong_how_long_it_took_and_what_serves(
    home: Path, port: int
) -> None:
    async with small_bot(home) as bot:
        number = bot.community.id

        async def learned(details: dict[str, object]) -> None:
            note = functools.partial(
                ledger.note, community=number, at=bot.clock.now(), actor="", act="learn", details=details
            )
            await bot.database.write(note)

        await learned({"seconds": 90.5, "promoted": True})
        await learned({"seconds": 12.5, "promoted": False})
        await bot.database.write(
            functools.partial(ledger.note, community=number, at=bot.clock.now(), actor="", act="other", details={})
        )
        async with shown(bot, port) as client:
            await client.get("/metrics")
        figures = bot.performer.figures
    told = {"community": str(number)}
    assert value(figures, "kinfolk_learned_timestamp_seconds", **told) == bot.clock.now().timestamp()
    assert value(figures, "kinfolk_learned_in_seconds", **told) == 12.5
    assert value(figures, "kinfolk_learned_promoted", **told) == 0
    assert value(figures, "kinfolk_learned_promoted", community="7") is None
