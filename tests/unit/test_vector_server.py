"""A Qdrant server that is away, refuses the key, or fails; and the choice of a store by settings."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from bot.core.errors import Gone, KinfolkError, Misconfigured, Unavailable
from bot.core.ports import Scope
from bot.core.settings import Settings
from storage.vectors import open_vectors
from storage.vectors.layout import slug

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytest.importorskip("qdrant_client")


@asynccontextmanager
async def answering(status: str) -> AsyncIterator[str]:
    """Serve one HTTP answer to every request."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def refusal(url: str) -> KinfolkError:
    store = open_vectors(Settings(vectors=url, vectors_key=SecretStr("wrong")), fingerprint="e5", size=4)
    with pytest.raises(KinfolkError) as caught:
        await store.count(Scope(community=1))
    await store.close()
    return caught.value


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection:UserWarning")
@pytest.mark.parametrize(
    ("status", "kind", "named"),
    [
        ("401 Unauthorized", Misconfigured, "KINFOLK_VECTORS_KEY"),
        ("403 Forbidden", Misconfigured, "KINFOLK_VECTORS_KEY"),
        ("500 Internal Server Error", Unavailable, "KINFOLK_VECTORS"),
    ],
)
async def test_a_refusing_server_is_named(status: str, kind: type[KinfolkError], named: str) -> None:
    async with answering(status) as url:
        error = await refusal(url)
    assert type(error) is kind
    assert named in str(error)


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection:UserWarning")
async def test_a_server_that_is_away_is_named() -> None:
    async with answering("200 OK") as url:
        pass
    error = await refusal(url)
    assert type(error) is Gone
    assert "KINFOLK_VECTORS " in str(error)


async def test_each_fingerprint_has_a_folder_of_its_own(home: Path) -> None:
    settings = Settings(home=home)
    stores = [open_vectors(settings, fingerprint=name, size=4) for name in ("../a/b", "../a b", "模型")]
    assert [await store.count(Scope(community=1)) for store in stores] == [0, 0, 0]
    assert await asyncio.to_thread(os.listdir, home) == ["vectors"]
    assert len(await asyncio.to_thread(list, (home / "vectors").glob("*/shard"))) == 3
    for store in stores:
        await store.close()


def test_names_are_safe_and_differ() -> None:
    names = [slug(one) for one in ("../../etc", "a/b", "a b", "", "模型", "x" * 300, ".", "-rf", "e5:q4/384")]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 50 and name[0].isalnum() and "/" not in name for name in names)
