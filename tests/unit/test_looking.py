"""The pictures of a message are fetched and looked at; what cannot be seen is passed over, and each file seen once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import pytest

from adapters.console import Console
from bot.core.errors import Gone, Mistake
from bot.core.events import File
from bot.core.ports import Picture
from bot.looking import LARGEST, MOST, Looking, is_picture

SECRET = "https://cdn.example/secret"


class Place(Console):
    """A platform whose files are their own addresses; some are gone, and some cannot be had now."""

    platform = "place"
    can = frozenset({"Say", "fetch"})

    def __init__(self) -> None:
        self.fetched: list[str] = []

    async def fetch(self, file: File, *, limit: int) -> bytes:
        assert limit == LARGEST
        self.fetched.append(file.url)
        if "gone" in file.url:
            raise Mistake("That file is not there any more.")
        if "away" in file.url:
            raise Gone("The platform is out of order.")
        return file.url.encode()


class Seeing:
    """Sees how long a file is."""

    def __init__(self) -> None:
        self.looks = 0
        self.open = asyncio.Event()
        self.open.set()

    async def look(self, data: bytes) -> Picture:
        self.looks += 1
        await self.open.wait()
        if b"broken" in data:
            raise Mistake("That picture is broken.")
        return Picture(width=len(data), height=1)


def looking_at(place: Place, seeing: Seeing) -> Looking:
    async def pictures() -> Seeing:
        return seeing

    return Looking({"place": place}, pictures)


def files(*urls: str) -> Sequence[File]:
    return [File(name="a.png", kind="image/png", size=1, url=url) for url in urls]


async def test_each_picture_is_looked_at_and_the_same_file_once() -> None:
    place, seeing = Place(), Seeing()
    looking = looking_at(place, seeing)
    assert [one.width for one in await looking.look("place", files("a", "bb"))] == [1, 2]
    assert [one.width for one in await looking.look("place", files("bb", "ccc"))] == [2, 3]
    assert (seeing.looks, len(place.fetched)) == (3, 4)


async def test_a_wave_of_one_file_is_looked_at_once_even_where_nobody_waited_to_the_end() -> None:
    seeing = Seeing()
    looking = looking_at(Place(), seeing)
    seeing.open.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await looking.look("place", files("gift"))
    wave = [asyncio.create_task(looking.look("place", files("gift"))) for _ in range(5)]
    seeing.open.set()
    assert [len(one) for one in await asyncio.gather(*wave)] == [1] * 5
    assert seeing.looks == 1


async def test_what_cannot_be_seen_is_passed_over_and_no_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = [f"{SECRET}/{what}" for what in ("gone", "away", "broken")]
    assert [one.width for one in await looking_at(Place(), Seeing()).look("place", files(*wrong, "fine"))] == [4]
    assert "not looked at" in caplog.text
    assert "secret" not in caplog.text


async def test_only_pictures_are_fetched_and_only_so_many_of_a_message() -> None:
    place = Place()
    sent = [File(name="a.pdf", kind="application/pdf", size=1, url="pdf"), *files(*"abcdefgh")]
    assert len(await looking_at(place, Seeing()).look("place", sent)) == MOST
    assert "pdf" not in place.fetched


async def test_where_files_cannot_be_fetched_nothing_is_seen() -> None:
    looking = Looking({"console": Console()}, pytest.fail)  # type: ignore[arg-type]
    assert await looking.look("console", files("a")) == await looking.look("elsewhere", files("a")) == ()


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("a.png", "image/png", True),
        ("photo.jpg", "image/jpeg; charset=binary", True),
        ("scan", "jpg", True),  # as Slack calls it where it says no media type
        ("A.WEBP", "", True),
        ("a.png", "application/octet-stream", True),
        ("drawing.svg", "image/svg+xml", False),
        ("a.pdf", "application/pdf", False),
        ("png", "", False),
    ],
)
def test_a_picture_is_known_by_its_kind_or_its_name(name: str, kind: str, expected: bool) -> None:  # noqa: FBT001
    assert is_picture(File(name=name, kind=kind, size=1)) is expected
