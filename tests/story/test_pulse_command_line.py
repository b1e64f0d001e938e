"""`kinfolk pulse` over the sample by the real encoder: the document, the sentences, the picture, and bad input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Kinfolk
from tests.story.conftest import copied

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("command line")]

AT = ("--at", "2026-11-16")


@pytest.fixture(scope="module")
def harbour(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kinfolk]:
    """Give a copy of the sample's home that all tests of this file share, with its companions."""
    yield from copied(imported, tmp_path_factory.mktemp("harbour") / "home")


def test_a_pulse_is_told_drawn_and_printed_as_a_document(harbour: Kinfolk, tmp_path: Path) -> None:
    found = harbour.json("pulse", *AT, "--json", "--png", tmp_path / "pulse.png")
    assert (tmp_path / "pulse.png").read_bytes()[:4] == b"\x89PNG"
    assert (found["reads_mood"], found["alerts"]) == (True, [])
    whole, rooms = found["all"], found["channels"]
    assert whole["messages"] == sum(one["messages"] for one in rooms) == sum(one["messages"] for one in whole["days"])
    assert whole["messages"] == sum(whole["hours"])
    assert len(whole["days"]) == 30
    mood = whole["mood"]
    assert -1 <= mood["low"] < mood["mean"] < mood["high"] <= 1
    assert mood["low"] > 0, "the sample is a friendly place"
    assert "staff-room" not in {one["channel"] for one in rooms}, "not everyone reads it"
    assert "staff-room" in {one["channel"] for one in harbour.json("pulse", *AT, "--as", "ana", "--json")["channels"]}
    told = harbour.run("pulse", *AT, "--channel", "摄影", "--days", "60", "--language", "zh_CN").stdout
    assert "60" in told


def test_bad_input_is_refused_by_name_and_leaves_nothing(harbour: Kinfolk, tmp_path: Path) -> None:
    assert "ends in .png" in harbour.run("pulse", *AT, "--png", tmp_path / "a.jpg", expect=2).stderr
    assert "You read no channel" in harbour.run("pulse", *AT, "--channel", "staff-room", expect=2).stderr
    assert "equal to 7" in harbour.run("pulse", "--days", "3", expect=2).stderr
    assert not list(tmp_path.iterdir())
    assert harbour.json("pulse", *AT, "--json")["all"]["messages"] > 0
