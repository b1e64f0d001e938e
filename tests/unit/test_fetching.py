"""Files of messages come from the platform's own hosts, in pieces, and never more of them than was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from yarl import URL

from adapters.fetching import Source, fetch
from bot.core.errors import Gone, Mistake, Overloaded

DATA = b"0123456789"


class Host:
    """A server of files, and what it was told."""

    def __init__(self) -> None:
        self.address = ""
        self.told: list[tuple[str, str]] = []
        self.sent = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.told.append((name, request.headers.get("Authorization", "")))
        if name.startswith("to-"):
            raise web.HTTPFound(request.query.get("to", request.path))
        match name:
            case "file":
                return web.Response(body=DATA)
            case "endless":
                return await self._drip(request)
            case "packed":
                return web.Response(body=b"x" * 10, headers={"Content-Encoding": "gzip"})
            case "busy":
                return web.Response(status=429, headers={"Retry-After": "7"})
            case "ill":
                return web.Response(status=503)
        return web.Response(status=404)

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        """Send without end, and without a word of how much it is."""
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x" * 1000)
            self.sent += 1000


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    made, app = Host(), web.Application()
    app.router.add_get("/{name}", made.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def test_a_file_comes_whole_and_its_host_is_told_the_token(host: Host) -> None:
    source = Source(address=f"{host.address}/api/", headers={"Authorization": "Bearer t"})
    assert await fetch(source, f"{host.address}/file", limit=len(DATA)) == DATA
    assert await fetch(source, f"{host.address}/to-file?to=/file", limit=len(DATA)) == DATA
    assert host.told == [("file", "Bearer t"), ("to-file", "Bearer t"), ("file", "Bearer t")]


async def test_another_host_is_neither_asked_nor_told_the_token(host: Host) -> None:
    ours = Source(hosts=frozenset({"files.example"}), headers={"Authorization": "Bearer t"})
    with pytest.raises(Mistake, match="does not lie"):
        await fetch(ours, f"{host.address}/file", limit=99)
    assert host.told == []

    other = host.address.replace("127.0.0.1", "localhost")
    with pytest.raises(Mistake, match="does not lie"):
        await fetch(Source(address=host.address), f"{host.address}/to-away?to={other}/file", limit=99)
    assert host.told == [("to-away", "")]


@pytest.mark.parametrize(
    "address",
    [
        "http://files.example/a",  # not secret on its way
        "https://files.example.evil.example/a",
        "https://files.example:8443/a",
        "https://files.example@evil.example/a",
        "https://me:pass@files.example/a",
        "file:///etc/passwd",
        "//files.example/a",
        "pier/1#0",
        "",
        "https://xn--/a",  # cannot be made out
    ],
)
def test_only_the_host_itself_is_trusted(address: str) -> None:
    source = Source(hosts=frozenset({"files.example"}))
    assert source.trusts(URL("https://files.example/a?signed=1"))
    assert not source.trusts(URL(address))
    assert not Source(hosts=frozenset({"files.example"}), address="http://127.0.0.1:9/").trusts(URL(address))


async def test_more_than_was_asked_for_is_refused_before_it_is_there(host: Host) -> None:
    source = Source(address=host.address)
    with pytest.raises(Mistake, match="larger"):
        await fetch(source, f"{host.address}/file", limit=len(DATA) - 1)
    with pytest.raises(Mistake, match="larger"):
        await fetch(source, f"{host.address}/endless", limit=100_000)
    assert host.sent < 50_000_000


async def test_what_is_packed_circular_or_gone_is_refused(host: Host) -> None:
    source = Source(address=host.address)
    for name in ("packed", "gone", "to-itself"):
        with pytest.raises(Mistake):
            await fetch(source, f"{host.address}/{name}", limit=99)


async def test_what_may_be_there_later_is_said_to_be(host: Host) -> None:
    source = Source(address=host.address)
    with pytest.raises(Overloaded) as busy:
        await fetch(source, f"{host.address}/busy", limit=99)
    assert busy.value.after == 7.0
    with pytest.raises(Gone, match="503"):
        await fetch(source, f"{host.address}/ill", limit=99)

    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    nowhere = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        with pytest.raises(Gone) as gone:
            await fetch(Source(address=nowhere), f"{nowhere}/secret", limit=99)
    assert "secret" not in str(gone.value)
