"""What looks at pictures in the worker: a process that a picture may break, and nothing else with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.core.errors import Gone, Mistake, Overloaded
from bot.core.ports import Line, Picture
from brains.engines.pictures import MOST_BYTES
from brains.engines.pictures.client import WorkerPictures
from brains.engines.pictures.service import Eyes
from brains.engines.service import build_app

PROCESS = """
import json, os, struct, sys
def read(): return sys.stdin.buffer.read(struct.unpack(">I", sys.stdin.buffer.read(4))[0])
def write(told):
    body = json.dumps(told).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
    sys.stdout.buffer.flush()
write({})
while True:
    match (asked := read().decode()):
        case "none": write({"refused": "That is no PNG."}); continue
        case "dies": os.abort()
        case "hangs": sys.stdin.buffer.read(); continue
    write({"width": 3, "height": 4, "hashes": [f"{os.getpid():016x}"]})
    match asked:
        case "dies reading": os.abort()
        case "hangs reading": sys.stdin.buffer.read()
        case "secrets": write({"lines": [[" ".join(os.environ), 1]]})
        case "unread": write({})
        case _: write({"lines": [[asked, 0.5]]})
"""
"""A process that speaks as the real one does, and does to itself what pictures may do to that."""


@contextlib.asynccontextmanager
async def looking(**more: float) -> AsyncIterator[tuple[WorkerPictures, Eyes]]:
    eyes = Eyes(command=(sys.executable, "-S", "-c", PROCESS), **more)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(build_app(None, None, eyes, key="k"), raise_app_exceptions=False)
    headers = {"authorization": "Bearer k"}
    async with (
        eyes.open(),
        httpx.AsyncClient(transport=transport, base_url="http://worker/v1", headers=headers) as http,
    ):
        yield WorkerPictures(http), eyes


async def test_what_is_seen_arrives() -> None:
    async with looking() as (pictures, eyes):
        seen = await pictures.look(b"hello")
        assert seen == Picture(
            width=3, height=4, hashes=seen.hashes, lines=(Line(text="hello", confidence=0.5),), read=True
        )
        assert (await pictures.look(b"unread")).read is False
        assert (await pictures.look(b"again")).hashes == seen.hashes  # by the same process
        assert eyes.health()["status"] == "ready"


async def test_what_is_no_picture_is_refused_and_the_next_is_looked_at() -> None:
    async with looking() as (pictures, _eyes):
        with pytest.raises(Mistake, match="no PNG"):
            await pictures.look(b"none")
        assert (await pictures.look(b"fine")).text == "fine"


async def test_a_picture_that_breaks_the_process_costs_its_own_answer_alone() -> None:
    async with looking() as (pictures, _eyes):
        before = await pictures.look(b"fine")
        broken, after = await asyncio.gather(pictures.look(b"dies"), pictures.look(b"fine"), return_exceptions=True)
        assert isinstance(broken, Mistake)
        assert isinstance(after, Picture)
        assert (after.text, after.hashes == before.hashes) == ("fine", False)


async def test_a_picture_made_to_break_the_reader_is_recognised_all_the_same() -> None:
    async with looking() as (pictures, eyes):
        dead = await pictures.look(b"dies reading")
        await pictures.look(b"fine")
        eyes._patience = 0.1
        slow = await pictures.look(b"hangs reading")
        assert [(len(one.hashes), one.read) for one in (dead, slow)] == [(1, False), (1, False)]


async def test_a_picture_that_takes_too_long_is_given_up_and_its_process_is_gone() -> None:
    async with looking() as (pictures, eyes):
        process = int((await pictures.look(b"fine")).hashes[0], 16)
        eyes._patience = 0.1
        with pytest.raises(Mistake, match="longer"):
            await pictures.look(b"hangs")
        eyes._patience = 30.0
        assert int((await pictures.look(b"fine")).hashes[0], 16) != process
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


async def test_more_than_may_wait_are_refused_at_once() -> None:
    async with looking(limit=2) as (pictures, _eyes):
        found = await asyncio.gather(*(pictures.look(b"fine") for _ in range(6)), return_exceptions=True)
        assert [type(one) for one in found].count(Overloaded) == 3


async def test_after_a_while_without_pictures_nothing_is_held_any_more() -> None:
    async with looking(idle=0.01) as (pictures, eyes):
        process = int((await pictures.look(b"fine")).hashes[0], 16)
        assert eyes._process
        async with asyncio.timeout(30):
            await eyes._process.wait()
        assert eyes.health()["status"] == "resting"
        assert int((await pictures.look(b"fine")).hashes[0], 16) != process


async def test_the_process_is_told_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINFOLK_SLACK_BOT_TOKEN", "xoxb")
    async with looking() as (pictures, _eyes):
        told = (await pictures.look(b"secrets")).text
    assert "PATH" in told
    assert "KINFOLK" not in told


async def test_what_is_too_large_or_has_no_key_is_refused() -> None:
    async with looking() as (pictures, eyes):
        with pytest.raises(Mistake, match="larger"):
            await pictures.look(bytes(MOST_BYTES + 1))
        http = pictures._http
        assert (await http.post("pictures", content=bytes(MOST_BYTES + 1))).status_code == 413
        assert (await http.post("pictures", content=b"x", headers={"authorization": "Bearer no"})).status_code == 401
        assert eyes.health()["status"] == "resting"


async def test_a_worker_that_is_away_or_says_something_else_is_gone() -> None:
    def odd(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"width": "wide"})

    def away(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")

    for answer in (odd, away):
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://worker/v1") as http:
            with pytest.raises(Gone):
                await WorkerPictures(http).look(b"x")
