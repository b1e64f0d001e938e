"""`/v1/chat/completions`: streamed or whole, and ended as soon as the client goes away."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, TypeVar

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from brains.engines.chat_api import Telling, event, read_chat
from brains.engines.door import as_refusal, check_key, in_json, read_body
from brains.engines.generator_engine import Finish

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Sequence

    from fastapi import FastAPI

    from brains.engines.generator_service import Slots, Word

Result = TypeVar("Result")


class Left(Exception):
    """The client went away, so that nobody reads the answer."""


def add_chat(app: FastAPI, slots: Slots, keys: Sequence[str]) -> None:
    """Serve conversations."""

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        check_key(request, keys)
        status = 200
        try:
            return await _answer(request, slots)
        except Left:
            status = 499
            return Response(status_code=status)
        except Exception as error:
            status = as_refusal(error).status
            raise
        finally:
            slots.figures.requests.labels(status).inc()


async def _answer(request: Request, slots: Slots) -> Response:
    asked = read_chat(await read_body(request))
    telling = Telling(slots.name)
    words = slots.answer(asked.prompt)
    if not asked.stream:
        text, finish = await _unless_gone(request, _whole(words))
        return in_json(telling.whole(text, finish))
    # The first word is awaited here, so that what goes wrong before it still has a status of its own.
    first = await _unless_gone(request, anext(words))
    return StreamingResponse(_events(telling, first, words), media_type="text/event-stream")


async def _whole(words: AsyncGenerator[Word, None]) -> tuple[str, Finish]:
    pieces: list[str] = []
    async with contextlib.aclosing(words):
        async for word in words:
            if isinstance(word, Finish):
                return "".join(pieces), word
            pieces.append(word)
    raise AssertionError("an answer ends with how it ended")


async def _events(telling: Telling, first: Word, words: AsyncGenerator[Word, None]) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(words):
        try:
            yield _event(telling, first)
            async for word in words:
                yield _event(telling, word)
        except Exception as error:  # noqa: BLE001 - the status is long sent, so that an event must say it
            yield event(as_refusal(error).body())


def _event(telling: Telling, word: Word) -> bytes:
    return telling.end(word) if isinstance(word, Finish) else telling.piece(word)


async def _unless_gone(request: Request, work: Coroutine[None, None, Result]) -> Result:
    """Do something for a client, and drop it when they leave; raises Left."""
    doing, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((doing, leaving), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise Left
    finally:
        for task in (doing, leaving):
            task.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
