"""The worker over HTTP, with an engine of hashed words, and its process on a socket."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest

from bot.core.errors import Gone, Misconfigured, Mistake, Overloaded, Unavailable
from brains.engines import embeddings_api
from brains.engines.encoder_client import CHUNK, WorkerEncoder, identify
from brains.engines.encoder_engine import Tokens, Vectors
from brains.engines.encoder_service import Desk
from brains.engines.encoders import Model
from brains.engines.line import Line
from brains.engines.service import build_app
from brains.engines.worker import Server, listen_tcp, listen_unix, main

MODEL = Model(name="toy-e5", source=Path("nowhere"), digest="00000000", size=4)


class Toy:
    """Encodes a text by its length and its letters; a text that says `bad` breaks the batch."""

    name = "toy"
    size = MODEL.size
    budget = 64

    def __init__(self) -> None:
        self.seen: list[str] = []

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        self.seen += texts
        return [[ord(letter) for letter in text] or [0] for text in texts]

    def infer(self, rows: Sequence[Tokens]) -> Vectors:
        if any("bad" in "".join(map(chr, row)) for row in rows):
            raise RuntimeError("this text breaks the model")
        vectors = np.array([[len(row), sum(row), row[0] + 1, row[-1] + 1] for row in rows], np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def desk_of(engine: Toy) -> Desk:
    async def opening(progress: Callable[[str], None]) -> Toy:
        progress("1/1 here")
        return engine

    return Desk(MODEL, opening)


@contextlib.asynccontextmanager
async def serving(desk: Desk, *, key: str = "", given: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_app(desk, key=key), raise_app_exceptions=False)
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {given}"} if given else {})
    async with (
        desk.open(),
        httpx.AsyncClient(transport=transport, base_url="http://worker/v1", headers=headers) as http,
    ):
        yield http


async def encoder_over(http: httpx.AsyncClient) -> WorkerEncoder:
    line = Line(http)
    return WorkerEncoder(line, await identify(line))


async def test_embeddings_come_as_floats_and_as_base64_and_are_the_same():
    async with serving(desk_of(Toy())) as http:
        floats = (await http.post("embeddings", json={"input": ["a", "bcd"], "model": "any"})).json()
        packed = (await http.post("embeddings", json={"input": ["a", "bcd"], "encoding_format": "base64"})).json()
    assert [each["index"] for each in floats["data"]] == [0, 1]
    assert (floats["object"], floats["model"], floats["usage"]) == (
        "list",
        "toy-e5",
        {"prompt_tokens": 4, "total_tokens": 4},
    )
    for each, other in zip(floats["data"], packed["data"], strict=True):
        raw = np.frombuffer(base64.b64decode(other["embedding"]), "<f4")
        assert raw.tolist() == pytest.approx(each["embedding"])


async def test_one_string_is_one_text_and_the_answer_names_the_weights():
    async with serving(desk_of(Toy())) as http:
        response = await http.post("embeddings", json={"input": "one"})
    assert len(response.json()["data"]) == 1
    assert response.headers[embeddings_api.FINGERPRINT] == MODEL.fingerprint


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"{}", 400, "input"),
        (b"not json", 400, None),
        (b'{"input": []}', 400, "input"),
        (b'{"input": [1, 2]}', 400, "input"),
        (b'{"input": "x", "encoding_format": "hex"}', 400, "encoding_format"),
        (b'{"input": "x", "dimensions": 7}', 400, "dimensions"),
        (b'{"input": [' + b'"x",' * 2048 + b'"x"]}', 400, "input"),
        (b'{"input": "' + b"x" * embeddings_api.MOST_BYTES + b'"}', 413, None),
    ],
)
async def test_a_bad_request_is_refused_as_openai_does_and_the_next_one_is_served(
    body: bytes, status: int, param: str | None
):
    async with serving(desk_of(Toy())) as http:
        refused = await http.post("embeddings", content=body)
        served = await http.post("embeddings", json={"input": "x"})
    error = refused.json()["error"]
    assert (refused.status_code, error["param"], error["type"]) == (status, param, "invalid_request_error")
    assert error["message"]
    assert served.status_code == 200


async def test_an_unknown_address_is_a_404_in_openais_words():
    async with serving(desk_of(Toy())) as http:
        response = await http.get("nothing")
    assert (response.status_code, response.json()["error"]["type"]) == (404, "invalid_request_error")


async def test_a_text_that_breaks_the_model_fails_its_own_request_alone():
    async with serving(desk_of(Toy())) as http:
        bad, good = await asyncio.gather(*(http.post("embeddings", json={"input": text}) for text in ("bad", "fine")))
    assert (bad.status_code, bad.json()["error"]["type"]) == (500, "server_error")
    assert good.status_code == 200


async def test_models_health_and_metrics_tell_what_is_served():
    async with serving(desk_of(Toy())) as http:
        await http.post("embeddings", json={"input": ["ab", "c"]})
        models = (await http.get("models")).json()
        health = (await http.get("../health")).json()
        metrics = (await http.get("../metrics")).text
    assert [model["id"] for model in models["data"]] == ["toy-e5"]
    assert health == {
        "status": "ready",
        "step": "ready",
        "model": "toy-e5",
        "fingerprint": MODEL.fingerprint,
        "size": 4,
        "engine": "toy",
        "queue": 0,
    }
    for line in ("kinfolk_texts_total 2.0", "kinfolk_tokens_total 3.0", 'kinfolk_requests_total{status="200"} 1.0'):
        assert line in metrics
    assert "kinfolk_batch_texts_bucket" in metrics


async def test_a_key_is_asked_for_where_there_is_one():
    async with serving(desk_of(Toy()), key="secret", given="wrong") as http:
        assert (await http.post("embeddings", json={"input": "x"})).status_code == 401
        assert (await http.get("../health")).status_code == 200
        with pytest.raises(Misconfigured, match="KINFOLK_ENCODER_KEY"):
            await (await encoder_over(http)).encode(["x"])
    async with serving(desk_of(Toy()), key="secret", given="secret") as http:
        assert (await http.post("embeddings", json={"input": "x"})).status_code == 200


async def test_callers_wait_while_the_engine_is_being_prepared():
    begun, prepared = asyncio.Event(), asyncio.Event()

    async def opening(progress: Callable[[str], None]) -> Toy:
        progress("2/4 writing")
        begun.set()
        await prepared.wait()
        return Toy()

    async with serving(Desk(MODEL, opening)) as http:
        asked = asyncio.create_task(http.post("embeddings", json={"input": "x"}))
        await begun.wait()
        health = (await http.get("../health")).json()
        prepared.set()
        assert (health["status"], health["step"]) == ("preparing", "2/4 writing")
        assert (await asked).status_code == 200


async def test_an_engine_that_cannot_be_loaded_is_misconfigured_for_every_caller():
    async def opening(_: Callable[[str], None]) -> Toy:
        raise Misconfigured("KINFOLK_HOME: the disk is full.")

    async with serving(Desk(MODEL, opening)) as http:
        encoder = await encoder_over(http)
        with pytest.raises(Misconfigured, match="the disk is full"):
            await encoder.encode(["x"])
        health = await http.get("../health")
    assert (health.status_code, health.json()["status"]) == (503, "failed")


async def test_the_client_adds_prefixes_keeps_order_and_sends_chunks():
    toy = Toy()
    texts = [f"{number} {'x' * (number % 7)}" for number in range(2 * CHUNK + 5)]
    async with serving(desk_of(toy)) as http:
        encoder = await encoder_over(http)
        together = await encoder.encode(texts)
        alone = np.concatenate([await encoder.encode([text]) for text in texts[:20]])
        await encoder.encode(["what"], kind="query")
        assert (await encoder.encode([])).shape == (0, 4)
    assert together.shape == (len(texts), 4)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together[:20], alone, rtol=1e-6)
    assert toy.seen[0].startswith("passage: ")
    assert toy.seen[-1] == "query: what"


def answering(*responses: httpx.Response) -> tuple[Line, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return responses[min(len(seen), len(responses)) - 1]

    http = httpx.AsyncClient(transport=httpx.MockTransport(handler), base_url="http://server/v1")
    return Line(http, pauses=(0.0, 0.0)), seen


def vectors(*rows: list[float]) -> httpx.Response:
    return httpx.Response(200, json={"data": [{"index": index, "embedding": row} for index, row in enumerate(rows)]})


async def test_a_busy_server_is_asked_again_and_then_overloaded():
    line, seen = answering(httpx.Response(429), vectors([3.0, 4.0]))
    answer = await line.embed(["x"], model="m")
    assert answer.vectors.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)]]
    busy, seen = answering(httpx.Response(429, json={"error": {"message": "full"}}))
    with pytest.raises(Overloaded, match="full"):
        await busy.embed(["x"], model="m")
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, Misconfigured, "KINFOLK_ENCODER_KEY"),
        (403, Misconfigured, "KINFOLK_ENCODER_KEY"),
        (404, Misconfigured, "KINFOLK_ENCODER"),
        (500, Gone, "failed"),
        (502, Gone, "failed"),
    ],
)
async def test_a_servers_refusal_says_what_to_do(status: int, error: type[Exception], words: str):
    line, _ = answering(httpx.Response(status, text="no"))
    with pytest.raises(error, match=words):
        await line.embed(["x"], model="m")


async def test_a_server_that_wants_smaller_requests_or_floats_gets_them():
    line, seen = answering(httpx.Response(422), httpx.Response(422), vectors([1.0, 0.0]), vectors([0.0, 1.0]))
    answer = await line.embed(["x", "y"], model="m")
    assert answer.vectors.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert b'"float"' in seen[-1].content


async def test_a_server_that_answers_with_something_else_is_gone():
    for response in (httpx.Response(200, text="<html>"), httpx.Response(200, json={"data": [{}]}), vectors()):
        line, _ = answering(response)
        with pytest.raises(Gone):
            await line.embed(["x"], model="m")


async def test_a_foreign_server_is_known_by_its_models_name_and_size():
    line, _ = answering(httpx.Response(404), vectors([1.0, 2.0, 2.0]))
    found = await identify(line, "BAAI/bge-small")
    assert (found.fingerprint, found.size) == ("baai-bge-small-3", 3)


async def test_other_weights_behind_the_same_socket_are_noticed():
    async with serving(desk_of(Toy())) as http:
        line = Line(http)
        encoder = WorkerEncoder(line, await identify(line))
        http.event_hooks = {"response": [other_weights]}
        with pytest.raises(Gone, match="others"):
            await encoder.encode(["x"])


async def other_weights(response: httpx.Response) -> None:
    response.headers[embeddings_api.FINGERPRINT] = "others"


@pytest.mark.slow
def test_a_worker_ends_by_itself_when_nobody_asks_and_takes_its_socket_along(tmp_path: Path):
    path, desk = tmp_path / "w.sock", desk_of(Toy())

    async def use(server: Server, listener: socket.socket) -> int:
        running = asyncio.create_task(server.serve([listener]))
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        async with httpx.AsyncClient(transport=transport, base_url="http://worker/v1") as http:
            response = await http.post("embeddings", json={"input": "x"})
        await asyncio.wait_for(running, 20)
        return response.status_code

    with listen_unix(path) as listener:
        listener.listen()
        assert asyncio.run(use(Server(build_app(desk), desk, idle=2), listener)) == 200
    assert not path.exists()


def test_a_second_worker_on_a_socket_is_refused_and_the_first_one_keeps_it(tmp_path: Path):
    path = tmp_path / "w.sock"
    with listen_unix(path) as first:
        first.listen()
        with pytest.raises(Unavailable, match="Another worker"), listen_unix(path):
            pass
        assert path.exists()
    with listen_unix(path):
        assert path.exists()


def test_a_dead_workers_socket_is_replaced_by_one_that_its_owner_alone_may_open(tmp_path: Path):
    path = tmp_path / "w.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with listen_unix(path) as listener:
        assert listener.getsockname() == str(path)
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_in_a_sockets_place_is_left_alone(tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(Mistake, match="is no socket"), listen_unix(path):
        pass
    assert path.read_text() == "mine"


def test_a_taken_port_is_refused_by_name():
    with listen_tcp("127.0.0.1", 0) as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(Unavailable, match=str(port)), listen_tcp("127.0.0.1", port):
            pass


def test_a_wrong_setting_ends_the_process_with_2_and_a_line_that_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    code = main(["--encoder=path:/nowhere", f"--home={tmp_path}", f"--socket={tmp_path / 'w.sock'}"])
    assert (code, capsys.readouterr().err.startswith("KINFOLK_ENCODER: there is nothing")) == (2, True)
