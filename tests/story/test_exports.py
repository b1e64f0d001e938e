"""Exports on the command line as an owner meets it: Telegram Desktop's, Slack's, and what is no export at all."""

from __future__ import annotations

import json
import os
import signal
import zipfile
from pathlib import Path

import pytest

from bot.bench import exports as made
from tests.command import Kinfolk
from tests.unit import test_slack_export as slacks
from tests.unit import test_telegram_export as telegrams
from tests.unit.test_telegram_export import said
from tests.watching import count, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("command line")]

BREAD = ["The rye starter smells of apples today", "Knead the dough until it no longer sticks to the bowl"]
BIKES = ["My rear wheel has a broken spoke again", "Which chain oil do you use in the winter?"]


def forum(folder: Path) -> Path:
    begun = {"type": "service", "date": "2023-11-14T22:13:20", "action": "topic_created"}
    told = [begun | {"id": 7, "title": "Bread"}, begun | {"id": 8, "title": "Bikes"}]
    told += [said(10 + n, text, reply_to_message_id=7) for n, text in enumerate(BREAD)]
    told += [said(20 + n, text, reply_to_message_id=8, from_id="user43") for n, text in enumerate(BIKES)]
    return telegrams.written(folder, *told, said(30, from_id="nobody"))


def test_a_forum_is_imported_encoded_and_found(kinfolk_with_models: Kinfolk, tmp_path: Path) -> None:
    done = kinfolk_with_models.run("import", "telegram", forum(tmp_path), "--wait", "--json")
    answer = json.loads(done.stdout)
    assert {name: answer[name] for name in ("messages", "members", "channels", "skipped", "encoded")} == {
        "messages": 4,
        "members": 2,
        "channels": 3,
        "skipped": 1,
        "encoded": 4,
    }
    assert "message 7 (line" in done.stderr
    assert "was skipped: its author is none: 'nobody'" in done.stderr
    # Without --community the one that is called like the group.
    found = kinfolk_with_models.json(
        "search", "the smell of my rye starter", "--community", "Harbour", "--k", "1", "--json"
    )
    assert (found[0]["channel"], found[0]["message"]) == ("Bread", "telegram:-1001234567890/10")
    again = kinfolk_with_models.json("import", "telegram", tmp_path, "--wait", "--json")
    assert (again["messages"], again["encoded"]) == (0, 0)


def test_a_workspace_is_imported_and_its_closed_channel_not_found(kinfolk_with_models: Kinfolk, tmp_path: Path) -> None:
    days = {
        "general/2023-11-14": [slacks.said(text=BREAD[0])],
        "staff/2023-11-14": [slacks.said("1700000001.000100", BREAD[1])],
    }
    groups = [slacks.GROUPS[0] | {"is_archived": False}]
    path = slacks.written(tmp_path / "Harbour Slack export Jan 1 - Dec 1.zip", days, groups=groups)
    answer = kinfolk_with_models.json("import", "slack", path, "--wait", "--json")
    assert (answer["messages"], answer["members"], answer["channels"], answer["encoded"]) == (2, 2, 2, 2)
    search = ("search", "baking bread", "--community", "Harbour", "--k", "5", "--json")
    assert [one["text"] for one in kinfolk_with_models.json(*search)] == [BREAD[0]]
    assert {one["text"] for one in kinfolk_with_models.json(*search, "--as", "Bo Lind")} == set(BREAD)


@pytest.mark.parametrize(("kind", "write"), [("telegram", made.telegram), ("slack", made.slack)])
def test_killed_at_any_moment_the_same_command_goes_on(kinfolk: Kinfolk, tmp_path: Path, kind: str, write) -> None:
    command = ("import", kind, write(tmp_path / "made", 12_000), "--json")
    stopped = kinfolk.start(*command)
    until(lambda: count(kinfolk.home, "message") > 0)
    stopped.send_signal(signal.SIGKILL)
    stopped.communicate(timeout=60)
    before = count(kinfolk.home, "message")
    assert 0 < before < 11_000
    assert kinfolk.json(*command)["messages"] == count(kinfolk.home, "message") - before
    assert kinfolk.json(*command)["messages"] == 0
    assert count(kinfolk.home, "message") > 11_000


def not_an_export(folder: Path) -> dict[str, Path]:
    """Give what owners hand over by mistake, and what somebody may hand them on purpose."""
    pdf, cut, evil, bare = folder / "a.pdf", folder / "cut.json", folder / "evil.zip", folder / "bare.zip"
    pdf.write_bytes(b"%PDF-1.7\n" + os.urandom(5000))
    cut.write_bytes(made.telegram(folder / "whole.json", 50).read_bytes()[:-100])
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr("channels.json", "[]")
        archive.writestr("../../evil.json", "[]")
    with zipfile.ZipFile(bare, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return {"pdf": pdf, "cut": cut, "evil": evil, "bare": bare, "none": folder / "none"}


@pytest.mark.parametrize(
    ("kind", "what", "complaint"),
    [
        ("telegram", "pdf", "is no export in JSON"),
        ("telegram", "cut", "it ends in the middle"),
        ("telegram", "none", "cannot be read"),
        ("slack", "pdf", "it is no ZIP archive"),
        ("slack", "evil", "'../../evil.json' leads out of the archive"),
        ("slack", "bare", "is no export of Slack"),
        ("slack", "none", "cannot be read"),
    ],
)
def test_what_is_no_export_is_one_clear_line(
    kinfolk: Kinfolk, tmp_path: Path, kind: str, what: str, complaint: str
) -> None:
    done = kinfolk.run("import", kind, not_an_export(tmp_path)[what], expect=2)
    assert complaint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
    assert count(kinfolk.home, "community") == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("slack",), "KINFOLK_SLACK_BOT_TOKEN is not set"),
        (("slack", "--strict"), "are for an export: name its file"),
        (("slack", "export.zip", "--again"), "are for reading by the token: leave the file out"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_line(kinfolk: Kinfolk, arguments: tuple[str, ...], complaint: str) -> None:
    done = kinfolk.run("import", *arguments, expect=2)
    assert complaint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
