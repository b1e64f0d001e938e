"""The interchange format, good and bad."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.history.jsonl import BadLine, imported_id, read, survey
from bot.core.errors import Mistake
from bot.core.events import MessagePosted, Named
from bot.core.things import Ref

GOOD = {"channel": "#general", "user": "ana", "text": "hello", "ts": 1700000000}


def write(path: Path, *rows: object) -> Path:
    path.write_bytes(b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows))
    return path


def only(path: Path) -> MessagePosted:
    [item] = read(path)
    assert isinstance(item, MessagePosted), item
    return item


def test_every_column_is_read(tmp_path: Path) -> None:
    row = GOOD | {"id": 7, "topic": "tea", "reply_to": "5", "name": "Ana", "bot": True}
    event = only(write(tmp_path / "f", row))
    assert event.channel.name == "general"
    assert (event.author.name, event.author.bot) == ("Ana", True)
    assert event.thread == Named(ref=Ref("import", "general/tea"), name="tea")
    assert imported_id(event.message) == "7"
    assert event.reply_to == Ref("import", "general/5")


@pytest.mark.parametrize(
    "ts",
    [1700000000, 1700000000.0, "2023-11-14T22:13:20Z", "2023-11-14T22:13:20", "2023-11-14T23:13:20+01:00"],
)
def test_times_are_seconds_or_iso(tmp_path: Path, ts: object) -> None:
    assert only(write(tmp_path / "f", GOOD | {"ts": ts})).at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_gzip_is_known_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "history.txt"
    path.write_bytes(gzip.compress(json.dumps(GOOD).encode()))
    assert only(path).text == "hello"


def test_a_row_without_id_is_named_by_its_content_and_occurrence(tmp_path: Path) -> None:
    path = write(tmp_path / "f", GOOD, GOOD, GOOD | {"text": "bye"})
    first = [item.message for item in read(path) if isinstance(item, MessagePosted)]
    again = [item.message for item in read(path) if isinstance(item, MessagePosted)]
    assert first == again
    assert len(set(first)) == 3


def test_the_same_id_in_two_channels_is_two_messages(tmp_path: Path) -> None:
    path = write(tmp_path / "f", GOOD | {"id": 1}, GOOD | {"id": 1, "channel": "tea"})
    refs = [item.message for item in read(path) if isinstance(item, MessagePosted)]
    assert len(set(refs)) == 2
    assert [imported_id(ref) for ref in refs] == ["1", "1"]


@pytest.mark.parametrize("name", ["a/b", "100%", "喷头", "%2F", "a b"])
def test_an_id_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    event = only(write(tmp_path / "f", GOOD | {"id": name, "channel": "x/y"}))
    assert imported_id(event.message) == name
    assert imported_id(Ref("discord", "20/900")) == "discord:20/900"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not a JSON object; each line holds one"),
        ({"channel": "a", "user": "b", "ts": 1}, "no `text`"),
        ({"text": "x"}, "no `channel`, `user`, `ts`"),
        (GOOD | {"ts": "yesterday"}, "neither seconds nor ISO 8601: 'yesterday'"),
        (GOOD | {"ts": 1700000000000}, "milliseconds? divide by 1000"),
        (GOOD | {"ts": "2093-01-01"}, "`ts` lies in the future: 2093-01-01"),
        (GOOD | {"ts": True}, "`ts` lies in the year 1970"),
        (GOOD | {"ts": "0001-01-01T00:00:00"}, "`ts` lies in the year 1"),
        (GOOD | {"text": 5}, "`text` must be text"),
        (GOOD | {"text": "x" * 5_000_000}, "5,000,000 characters"),
        (GOOD | {"channel": " "}, "`channel` is empty"),
        (GOOD | {"id": "x" * 600}, "`id` has 600 characters"),
        (GOOD | {"user": {"id": 1}}, "`user` must be text"),
    ],
)
def test_a_bad_line_is_named_with_its_reason(tmp_path: Path, line: object, reason: str) -> None:
    good, bad = read(write(tmp_path / "f", GOOD, line))
    assert isinstance(good, MessagePosted)
    assert isinstance(bad, BadLine)
    assert bad.number == 2
    assert reason in bad.reason


@pytest.mark.parametrize("text", ["🎉🎉🎉", "مرحبا بالعالم", "你好", "", "a\u200bb", "line\nline"])
def test_every_text_of_the_world_is_read_as_it_is(tmp_path: Path, text: str) -> None:
    assert only(write(tmp_path / "f", GOOD | {"text": text})).text == text


def test_what_no_database_can_hold_is_left_out_of_a_text(tmp_path: Path) -> None:
    assert only(write(tmp_path / "f", b'{"channel":"c","user":"u","ts":1700000000,"text":"a\\u0000b"}')).text == "ab"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (bytes(range(256)) * 50, "does not look like history"),
        (b"channel,user,text,ts\na,b,c,1\n", "line 1: not JSON"),
        (b'{"a": 1}\n' * 3, "no `channel`"),
        (gzip.compress(json.dumps(GOOD).encode() * 999)[:-20], "damaged gzip"),
        (b"x" * (17 * 2**20), "line 1: longer than 16 MiB"),
    ],
)
def test_a_file_that_is_not_history_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    with pytest.raises(Mistake, match=complaint):
        survey(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="cannot be read: No such file"):
        survey(tmp_path / "none")
    with pytest.raises(Mistake, match="cannot be read: Is a directory"):
        survey(tmp_path)


def test_a_few_bad_lines_do_not_spoil_a_file(tmp_path: Path) -> None:
    found = survey(write(tmp_path / "f", GOOD, b"oops", GOOD))
    assert (found.good, [line.number for line in found.bad]) == (2, [2])
