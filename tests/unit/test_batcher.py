"""Many callers, one model thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from bot.core.errors import Gone, Overloaded
from brains.engines.batcher import Batcher


class Model:
    """Upper-cases words, one batch when it is let; remembers the batches; fails on `bad`."""

    def __init__(self, *, open_: bool = True) -> None:
        self.batches: list[list[str]] = []
        self.started = threading.Event()
        self.gate = threading.Event()
        if open_:
            self.gate.set()

    def __call__(self, rows: list[str]) -> Sequence[str]:
        self.batches.append(rows)
        self.started.set()
        assert self.gate.wait(10)
        if "bad" in rows:
            raise ValueError("a bad row")
        return [row.upper() for row in rows]


def batcher(model: Model, *, budget: int = 12, limit: int = 1000) -> Batcher[str, str]:
    return Batcher(model, length=len, budget=budget, limit=limit)


async def begun(model: Model) -> None:
    await asyncio.to_thread(model.started.wait, 10)


async def test_results_come_back_in_the_order_of_the_rows():
    async with batcher(Model()) as batches:
        assert await batches.submit(["ccc", "a", "bbbbbbbbb", "dd"]) == ["CCC", "A", "BBBBBBBBB", "DD"]


async def test_no_rows_are_no_batch():
    model = Model()
    async with batcher(model) as batches:
        assert await batches.submit([]) == []
    assert model.batches == []


async def test_callers_that_come_while_a_batch_runs_share_the_next_ones_within_the_budget():
    model = Model(open_=False)
    async with batcher(model, budget=12) as batches, asyncio.TaskGroup() as callers:
        callers.create_task(batches.submit(["first"]))
        await begun(model)
        others = [callers.create_task(batches.submit(["abc"])) for _ in range(8)]
        await asyncio.sleep(0)
        model.gate.set()
    assert [other.result() for other in others] == [["ABC"]] * 8
    assert model.batches == [["first"], ["abc"] * 4, ["abc"] * 4]


async def test_rows_of_like_length_go_together():
    model = Model()
    async with batcher(model, budget=12) as batches:
        await batches.submit(["a", "bbbbbbbbbbbb", "c", "dddddd", "e", "ffffff"])
    assert {tuple(sorted(batch)) for batch in model.batches} == {("a", "c", "e"), ("dddddd", "ffffff"), ("b" * 12,)}


async def test_a_row_longer_than_the_budget_goes_alone():
    async with batcher(Model(), budget=4) as batches:
        assert await batches.submit(["much too long", "x"]) == ["MUCH TOO LONG", "X"]


async def test_a_lone_caller_does_not_wait_for_others():
    model = Model()
    async with batcher(model) as batches:
        assert await asyncio.wait_for(batches.submit(["alone"]), 30) == ["ALONE"]
    assert model.batches == [["alone"]]


async def test_a_question_does_not_stand_behind_an_import():
    model = Model(open_=False)
    async with batcher(model, budget=3) as batches, asyncio.TaskGroup() as callers:
        bulk = callers.create_task(batches.submit(["abc"] * 50))
        await begun(model)
        question = callers.create_task(batches.submit(["why"]))
        await asyncio.sleep(0)
        model.gate.set()
        assert await question == ["WHY"]
        assert not bulk.done()
    assert bulk.result() == ["ABC"] * 50


async def test_a_bad_row_fails_its_caller_alone_and_the_next_batch_runs():
    model = Model(open_=False)
    async with batcher(model) as batches:
        first = asyncio.create_task(batches.submit(["first"]))
        await begun(model)
        good, bad = (asyncio.create_task(batches.submit([word])) for word in ("fine", "bad"))
        await asyncio.sleep(0)
        model.gate.set()
        assert [await first, await good] == [["FIRST"], ["FINE"]]
        with pytest.raises(ValueError, match="a bad row"):
            await bad
        assert await batches.submit(["later"]) == ["LATER"]


async def test_a_wrong_number_of_results_is_an_error_and_not_a_hang():
    nothing: list[str] = []
    async with Batcher[str, str](lambda _: nothing, length=len, budget=12) as batches:
        with pytest.raises(ValueError, match="shorter"):
            await asyncio.wait_for(batches.submit(["x"]), 30)


async def test_a_full_queue_refuses_and_takes_rows_again_when_there_is_room():
    model = Model(open_=False)
    async with batcher(model, limit=2) as batches:
        first = asyncio.create_task(batches.submit(["first"]))
        await begun(model)
        waiting = asyncio.create_task(batches.submit(["a", "b"]))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await batches.submit(["c"])
        model.gate.set()
        assert [await first, await waiting, await batches.submit(["c"])] == [["FIRST"], ["A", "B"], ["C"]]


async def test_a_call_larger_than_the_queue_is_let_into_an_empty_one():
    async with batcher(Model(), limit=2) as batches:
        assert await batches.submit(["a", "b", "c"]) == ["A", "B", "C"]


async def test_a_cancelled_caller_takes_its_waiting_rows_along():
    model = Model(open_=False)
    async with batcher(model) as batches:
        first = asyncio.create_task(batches.submit(["first"]))
        await begun(model)
        leaver, stayer = (asyncio.create_task(batches.submit([word])) for word in ("gone", "here"))
        await asyncio.sleep(0)
        leaver.cancel()
        model.gate.set()
        assert [await first, await stayer] == [["FIRST"], ["HERE"]]
    assert model.batches == [["first"], ["here"]]


async def test_a_caller_cancelled_while_its_batch_runs_harms_nobody():
    model = Model(open_=False)
    async with batcher(model) as batches:
        leaver = asyncio.create_task(batches.submit(["first"]))
        await begun(model)
        leaver.cancel()
        model.gate.set()
        assert await batches.submit(["next"]) == ["NEXT"]
    assert leaver.cancelled()


async def test_callers_hear_of_it_when_the_batcher_is_closed():
    model = Model(open_=False)
    async with batcher(model) as batches:
        running = asyncio.create_task(batches.submit(["first"]))
        await begun(model)
        waiting = asyncio.create_task(batches.submit(["second"]))
        await asyncio.sleep(0)
    model.gate.set()
    for caller in (running, waiting):
        with pytest.raises(Gone):
            await caller
