"""The command line as its users meet it: the sample community, good input and bad."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.things import Member
from storage import communities, members, wishes
from storage.connection import Connection
from storage.db import Database
from tests.command import Kinfolk
from tests.story.conftest import SAMPLE, copied
from tests.tables import url
from tests.watching import count, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("command line")]

BELONGS = {
    "colm": "bread-and-ferments",
    "zhao.q": "摄影",
    "wang.h": "编程互助",
    "emeka": "electronics",
    "petra": "cycling",
    "ruth": "board-games",
    "victor": "3d-printing",
    "joao": "music-jam",
    "nils": "cycling",
    "chloe": "garden",
    "he.x": "编程互助",
    "dario": "music-jam",
}
"""Where a sensible person would send them; none has written there."""


@pytest.fixture(scope="module")
def harbour(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kinfolk]:
    """Give a copy of the sample's home that all tests of this file share, with its companions."""
    yield from copied(imported, tmp_path_factory.mktemp("harbour") / "home")


def test_a_second_import_adds_nothing(harbour: Kinfolk) -> None:
    again = harbour.json("import", "jsonl", SAMPLE / "messages.jsonl", "--community", "harbour", "--wait", "--json")
    assert {name: again[name] for name in ("messages", "members", "channels", "encoded")} == {
        "messages": 0,
        "members": 0,
        "channels": 0,
        "encoded": 0,
    }


def test_most_members_of_the_sample_are_sent_where_a_person_would_send_them(harbour: Kinfolk) -> None:
    sent = {
        name: [one["channel"] for one in harbour.json("match", "--member", name, "--k", "3", "--json")["suggestions"]]
        for name in BELONGS
    }
    right = [name for name, channels in sent.items() if BELONGS[name] in channels]
    assert len(right) >= 10, {name: channels for name, channels in sent.items() if name not in right}


def test_a_suggestion_has_reasons_and_evidence_and_never_the_private_channel(harbour: Kinfolk) -> None:
    first = harbour.json("match", "--member", "colm", "--json")["suggestions"][0]
    assert first["channel"] == "bread-and-ferments"
    assert 0 < first["score"] <= 1
    assert first["reasons"]
    assert all(set(one) == {"message", "text"} for one in first["evidence"])
    everything = harbour.json("match", "--text", "the money in the tin, staff duties", "--k", "100", "--json")
    assert "staff-room" not in {one["channel"] for one in everything["suggestions"]}


def test_reasons_are_given_in_chinese(harbour: Kinfolk) -> None:
    first = harbour.json("match", "--member", "zhao.q", "--language", "zh_CN", "--json")["suggestions"][0]
    assert any("聊" in reason or "接近" in reason or "成员" in reason for reason in first["reasons"])


def test_texts_are_answered_line_by_line(harbour: Kinfolk, tmp_path: Path) -> None:
    lines = [
        {"text": "my nozzle is clogged and the first layer does not stick"},
        {"text": "ok"},
        {"text": "手机拍月亮怎么锁定曝光，需要三脚架吗"},
    ]
    file = tmp_path / "texts"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    done = harbour.run("match", "--texts", file)
    answers = [[one["channel"] for one in json.loads(line)["suggestions"]] for line in done.stdout.splitlines()]
    assert answers[0][0] == "3d-printing"
    assert answers[1] == []
    assert answers[2][0] == "摄影"


def test_search_finds_by_meaning_across_languages_and_keeps_the_staff_room_shut(harbour: Kinfolk) -> None:
    found = harbour.json("search", "which glue sticks PLA parts together", "--k", "3", "--json")
    assert {"message", "channel", "text", "score", "link"} == set(found[0])
    assert {"s0033", "s0034", "s0394"} & {one["message"] for one in found}
    public = harbour.json("search", "how much money is in the tin", "--k", "20", "--json")
    assert "staff-room" not in {one["channel"] for one in public}


async def say_of(home: Path, work: Callable[[Connection, Member], Awaitable[None]], *names: str) -> None:
    """Write something about some members into the tables, as the bot does when they say it."""
    async with Database.open(url(home), home=home) as database:
        community = await database.look(lambda c: communities.find(c, "harbour"))
        for name in names:
            member = await database.look(lambda c, name=name: members.find(c, community, name))
            await database.write(lambda c, member=member: work(c, member))


async def opts_in(connection: Connection, member: Member) -> None:
    await wishes.keep(connection, member=member.id, wish="people", on=True, now=datetime.now(UTC))


async def refuses(connection: Connection, member: Member) -> None:
    await members.set_consent(connection, member.id, collected=False, now=datetime.now(UTC))


async def agrees(connection: Connection, member: Member) -> None:
    await members.set_consent(connection, member.id, collected=True, now=datetime.now(UTC))


def test_people_who_opted_in_are_suggested_to_each_other_and_nobody_else(harbour: Kinfolk) -> None:
    asyncio.run(say_of(harbour.home, opts_in, "colm", "marta", "priya", "dmitri"))
    bread = ("people", "--member", "colm", "--text", "my sourdough starter is slow, rye flour for the bread dough")
    found = harbour.json(*bread, "--json")["people"]
    assert {"member", "name", "terms", "channels", "example"} == set(found[0])
    assert found[0]["member"] in {"marta", "priya"}
    assert {one["member"] for one in found} <= {"marta", "priya"}, "who solders has nothing to do with it"
    assert "shared words:" in harbour.run(*bread).stdout
    asyncio.run(say_of(harbour.home, refuses, "marta"))
    assert "marta" not in {one["member"] for one in harbour.json(*bread, "--json")["people"]}
    for verb in ("people", "foryou"):
        assert "has not agreed to be collected" in harbour.run(verb, "--member", "marta", expect=2).stderr
    asyncio.run(say_of(harbour.home, agrees, "marta"))


def test_what_a_member_missed_is_told_as_it_was_then(harbour: Kinfolk) -> None:
    told = harbour.json("foryou", "--member", "colm", "--k", "2", "--at", "2026-11-10T12:00:00", "--json")
    assert {"since", "known", "conversations"} == set(told)
    assert told["known"] is True
    assert len(told["conversations"]) == 2
    assert {"title", "channel", "people", "messages", "terms", "first"} == set(told["conversations"][0])
    shown = harbour.run("foryou", "--member", "colm", "--k", "2", "--at", "2026-11-10T12:00:00").stdout
    assert all(one["title"][:20] in shown for one in told["conversations"])


def test_groups_that_could_be_made_are_printed_and_nothing_is_done(harbour: Kinfolk) -> None:
    told = harbour.json("groups", "--k", "3", "--json")
    assert {"topics", "merges", "archives"} == set(told)
    assert len(told["topics"]) <= 3
    done = harbour.run("groups")
    assert ("No topic wants a channel" in done.stderr) is (not any(told.values()))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("match", "--member", "nobody"), "no member 'nobody' in harbour"),
        (("match", "--member", "col"), "Did you mean colm"),
        (("match",), "exactly one of --member, --text and --texts"),
        (("match", "--text", "x", "--community", "hill"), "no community 'hill'. Known: harbour"),
        (("match", "--texts", "none"), "none cannot be read"),
        (("search", "tea", "--as", "nobody"), "no member 'nobody'"),
        (("search", " "), "The search is empty"),
        (("people", "--member", "nobody"), "no member 'nobody' in harbour"),
        (("people", "--member", "emeka"), "Emeka Udo has not opted in to be introduced"),
        (("foryou", "--member", "nobody"), "no member 'nobody' in harbour"),
        (("groups", "--community", "hill"), "no community 'hill'. Known: harbour"),
        (("import", "jsonl", "none", "--community", "x"), "none cannot be read"),
        (("bench", "encoder", "--data", "none"), "none cannot be read"),
    ],
)
def test_bad_input_is_one_clear_line_on_standard_error(
    harbour: Kinfolk, arguments: tuple[str, ...], complaint: str
) -> None:
    done = harbour.run(*arguments, expect=2)
    assert complaint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_the_program_itself_says_the_same(kinfolk: Kinfolk) -> None:
    """The others are forked from a process that has imported everything; this one is what an owner starts."""
    for arguments, code, out, err in (
        (("--version",), 0, "kinfolk ", ""),
        (("match", "--text", "tea"), 2, "", "kinfolk import jsonl"),
    ):
        process = kinfolk.begin(*arguments)
        said = process.communicate(timeout=60)
        assert (process.returncode, out in said[0], err in said[1]) == (code, True, True), said


def test_before_anything_is_imported_it_says_how_to_begin(kinfolk: Kinfolk) -> None:
    assert "kinfolk import jsonl" in kinfolk.run("match", "--text", "tea", expect=2).stderr


def test_odd_texts_are_imported_encoded_and_found(kinfolk_with_models: Kinfolk, tmp_path: Path) -> None:
    texts = ["🎉🎉🎉", "مرحبا بالعالم كيف حالكم", "a\u0000b", "\u202eright to left", "", "x" * 90_000, "٣٤٥", "\u200b"]
    rows = [{"channel": "odd", "user": "u", "text": text, "ts": 1_700_000_000 + n} for n, text in enumerate(texts)]
    rows.append({"channel": "odd", "user": "u", "text": "y" * 5_000_000, "ts": 1_700_000_100})
    file = tmp_path / "odd.gz"
    file.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    done = kinfolk_with_models.run("import", "jsonl", file, "--community", "odd", "--wait", "--json")
    answer = json.loads(done.stdout)
    assert (answer["messages"], answer["skipped"], answer["encoded"]) == (8, 1, 7)
    assert "line 9 was skipped: `text` has 5,000,000 characters" in done.stderr
    found = kinfolk_with_models.json("search", "مرحبا", "--community", "odd", "--k", "1", "--json")
    assert found[0]["text"] == texts[1]


def test_ctrl_c_says_what_is_kept_and_the_same_command_goes_on(kinfolk_with_models: Kinfolk, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (SAMPLE / "messages.jsonl").read_text().splitlines()]
    longer = [row | {"id": f"{row['id']}-{n}", "text": f"{n}. {row['text'][:24]}"} for n in range(4) for row in rows]
    history = tmp_path / "longer.jsonl"
    history.write_text("\n".join(json.dumps(row) for row in longer))
    command = ("import", "jsonl", history, "--community", "harbour", "--wait", "--json")
    stopped = kinfolk_with_models.start(*command)
    until(lambda: count(kinfolk_with_models.home, "message") > 0)
    stopped.send_signal(signal.SIGINT)
    _, err = stopped.communicate(timeout=60)
    assert stopped.returncode == 130
    assert "Stopped. What was stored is kept" in err
    assert "Traceback" not in err
    assert kinfolk_with_models.json(*command)["encoded"] > 0
    assert count(kinfolk_with_models.home, "message") == len(longer)
    assert count(kinfolk_with_models.home, "outbox") == 0


def test_a_home_that_cannot_be_read_is_named(kinfolk: Kinfolk, tmp_path: Path) -> None:
    file = tmp_path / "a-file"
    file.write_text("")
    done = kinfolk.run("match", "--text", "x", expect=2, KINFOLK_HOME=str(file / "home"))
    assert "KINFOLK_HOME" in done.stderr
    if os.getuid():
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o000)
        assert "KINFOLK_HOME" in kinfolk.run("match", "--text", "x", expect=2, KINFOLK_HOME=str(locked)).stderr


def test_a_wrong_setting_is_named(harbour: Kinfolk) -> None:
    assert "KINFOLK_ENCODER" in harbour.run("match", "--text", "x", expect=2, KINFOLK_ENCODER="magic").stderr
    assert "KINFOLK_DATABASE_URL" in harbour.run("search", "x", expect=2, KINFOLK_DATABASE_URL="mysql://x").stderr


def test_where_there_is_no_community_yet_it_is_said_how_one_comes_about(home: Path) -> None:
    listed = Kinfolk(home=home).run("community", "list")
    assert listed.stdout == ""
    assert listed.stderr.startswith("There is no community yet")
    assert Kinfolk(home=home).json("community", "list", "--json") == []
