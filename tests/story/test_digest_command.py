"""`kinfolk digest` over the sample community: what was said, with its messages, and no closed channel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Kinfolk
from tests.story.conftest import SAMPLE, copied

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("digest command")]
SPAN = ("--since", "2026-09-01", "--until", "2026-09-30")


@pytest.fixture(scope="module")
def harbour(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kinfolk]:
    yield from copied(imported, tmp_path_factory.mktemp("harbour") / "home")


def test_a_digest_names_messages_of_open_channels_that_say_so(harbour: Kinfolk) -> None:
    said = {}
    for line in (SAMPLE / "messages.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        said[str(row.get("id"))] = row
    items = harbour.json("digest", *SPAN, "--json")["items"]
    assert len(items) >= 5
    for item in items:
        assert set(item) == {"kind", "title", "summary", "channel", "messages"}
        assert item["messages"]
        assert all(said[one]["channel"] == item["channel"] for one in item["messages"])
    assert {item["channel"] for item in items} & {"摄影", "编程互助"}
    [channel] = {item["channel"] for item in harbour.json("digest", "--channel", "general", *SPAN, "--json")["items"]}
    assert channel == "general"
    assert "messages of" in harbour.run("digest", *SPAN).stdout


def test_nothing_said_is_nothing_told_and_bad_input_is_named(harbour: Kinfolk) -> None:
    assert harbour.json("digest", "--since", "2001-01-01", "--until", "2001-01-07", "--json") == {"items": []}
    assert "Nothing worth saying." in harbour.run("digest", "--since", "2001-01-01", "--until", "2001-01-07").stdout
    late = harbour.run("digest", "--since", "2026-02-01", "--until", "2026-01-01", expect=2)
    assert "after the last" in late.stderr
    assert "no channel" in harbour.run("digest", "--channel", "nowhere", expect=2).stderr
    assert "is no day" in harbour.run("digest", "--since", "yesterday", expect=2).stderr
