"""Slack's export: each kind of message, members and channels, and hostile ones."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from adapters.history.slack import SlackExport, open_exports
from adapters.slack import names, reading
from bot.bench import exports as made
from bot.core.errors import Mistake
from bot.core.events import File, MessagePosted, Named
from bot.core.things import Audience, Ref

NOW = datetime(2026, 1, 1, tzinfo=UTC)
USERS = [
    {"id": "U1", "team_id": "T1", "name": "ana", "profile": {"display_name": "Ana", "real_name": "Ana Ruiz"}},
    {
        "id": "U2",
        "team_id": "T1",
        "name": "bo",
        "profile": {"display_name": "", "real_name": "Bo Lind"},
        "deleted": True,
    },
    {"id": "U3", "team_id": "T2", "name": "stranger"},
    {"id": "U4", "team_id": "T1", "name": "robot", "is_bot": True, "profile": None},
]
CHANNELS = [
    {"id": "C1", "name": "general", "purpose": {"value": "All of us."}, "topic": {"value": "today"}, "members": []}
]
GROUPS = [{"id": "G1", "name": "staff", "is_archived": True, "members": ["U1", "U2", "U9", 7]}]
MPIMS = [{"id": "G2", "name": "mpdm-ana--bo-1", "members": ["U1", "U2"]}]


def said(ts: str = "1700000000.000100", text: object = "hello", **more: object) -> dict[str, object]:
    return {"type": "message", "user": "U1", "text": text, "ts": ts} | more


def written(path: Path, days: dict[str, object] | None = None, **lists: object) -> Path:
    lists = {"users": USERS, "channels": CHANNELS, "groups": GROUPS, "mpims": MPIMS, "dms": []} | lists
    with zipfile.ZipFile(path, "w") as archive:
        for name, told in lists.items():
            if told is not None:
                archive.writestr(f"{name}.json", told if isinstance(told, str) else json.dumps(told))
        for name, told in (days or {"general/2023-11-14": [said()]}).items():
            archive.writestr(f"{name}.json", told if isinstance(told, str) else json.dumps(told))
    return path


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[MessagePosted]]:
    """Read messages of the channel `general`."""

    def given(*messages: object) -> list[MessagePosted]:
        path = written(tmp_path / "f.zip", {"general/2023-11-14": list(messages)})
        with open_exports(path, group_messages=False, now=NOW) as [export]:
            told = list(export.messages())
            assert len(told) == export.tally.good
            return told

    return given


def test_a_message_has_the_references_that_a_bot_gives_it(read) -> None:
    [told] = read(said(edited={"user": "U1", "ts": "1700000001.000000"}))
    assert told.message == names.message("C1", "1700000000.000100") == Ref("slack", "C1/1700000000.000100")
    assert told.channel == Named(ref=names.ref("C1"), name="general", audience=Audience.EVERYONE)
    assert told.author == Named(ref=names.ref("U1"), name="Ana")
    assert (told.text, told.source, told.thread) == ("hello", "import:slack", None)
    assert told.at == datetime(2023, 11, 14, 22, 13, 20, 100, tzinfo=UTC)


def test_threads_are_named_by_their_first_message(read) -> None:
    first, answer = read(
        said(thread_ts="1700000000.000100", reply_count=1),
        said("1700000005.000100", thread_ts="1700000000.000100", subtype="thread_broadcast"),
    )
    assert first.thread is None
    assert answer.thread == Named(ref=first.message, name="")


@pytest.mark.parametrize(
    "quiet",
    [
        {"subtype": "channel_join"},
        {"subtype": "channel_topic", "topic": "x"},
        {"subtype": "tombstone", "user": "USLACKBOT"},
        {"hidden": True},
        {"type": "event"},
        {"subtype": "bot_message", "user": None, "username": "of old"},
    ],
)
def test_what_slack_itself_tells_is_no_message(read, quiet: dict[str, object]) -> None:
    assert [one.text for one in read(said(text="quiet", **quiet), said("1700000009.000100", "loud"))] == ["loud"]


@pytest.mark.parametrize(
    ("more", "author"),
    [
        ({"user": "U2"}, Named(ref=names.ref("U2"), name="Bo Lind")),
        ({"user": "U4"}, Named(ref=names.ref("U4"), name="robot", bot=True)),
        ({"user": "U9", "user_profile": {"display_name": "Nine"}}, Named(ref=names.ref("U9"), name="Nine")),
        ({"user": "U9"}, Named(ref=names.ref("U9"), name="U9")),
        (
            {"user": None, "bot_id": "B1", "username": "build", "subtype": "bot_message"},
            Named(ref=names.ref("B1"), name="build", bot=True),
        ),
        ({"bot_id": "B1"}, Named(ref=names.ref("U1"), name="Ana")),
        ({"user": "U9", "bot_id": "B1"}, Named(ref=names.ref("U9"), name="U9", bot=True)),
        ({"user": "USLACKBOT"}, Named(ref=names.ref("USLACKBOT"), name="USLACKBOT", bot=True)),
    ],
)
def test_authors_are_called_as_the_members_list_says(read, more: dict[str, object], author: Named) -> None:
    assert read(said(**more))[0].author == author


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<@U1> and <@U1|old> and <@U99>", "@Ana and @Ana and @…"),
        ("<@U98|gone>", "@gone"),
        ("<#C1|general> <#G1|staff> <#C1>", "#general #… #general"),
        ("<!here> <!channel|x> <!everyone> <!subteam^S1|@bakers> <!date^1^{date}|Monday> <!foo>", None),
        (
            "<https://a.b/c|here> <https://a.b> <a.b|a.b> <http://a.b|a.b>",
            "here (https://a.b/c) https://a.b a.b http://a.b",
        ),
        ("<mailto:a@b.c|a@b.c>", "a@b.c"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt; <", "&lt; <"),
    ],
)
def test_marks_are_made_readable(text: str, expected: str | None) -> None:
    known = {"U1": "Ana", "C1": "general"}
    assert reading.readable(text, person=known.get, room=known.get) == (
        expected or "@here @channel @everyone @bakers Monday @…"
    )


def test_a_closed_channels_name_is_not_told_in_an_open_one(read) -> None:
    assert read(said(text="see <#G1|staff> and <#C1|general>"))[0].text == "see #… and #general"


def test_files_are_told_without_the_secret_in_their_address(read) -> None:
    url = "https://files.slack.com/T1-F1/plan.pdf?t=xoxe-1-secret"
    gone = {"id": "F2", "mode": "tombstone"}
    shared = {"id": "F1", "name": "plan.pdf", "mimetype": "application/pdf", "size": 5, "url_private": url}
    [told] = read(said(text="", subtype="file_share", files=[shared, gone, None]))
    assert told.files == (
        File(name="plan.pdf", kind="application/pdf", size=5, url="https://files.slack.com/T1-F1/plan.pdf"),
    )


def test_what_a_machine_attaches_are_its_words(read) -> None:
    attached = [{"fallback": "Build 7 failed"}, {"text": "on <@U1>'s branch", "fallback": "x"}]
    assert read(said(text="", bot_id="B1", attachments=attached))[0].text == "Build 7 failed\non @Ana's branch"


def opened(path: Path, *, group_messages: bool = False):
    return open_exports(path, group_messages=group_messages, now=NOW)


DAYS: dict[str, object] = {
    "general/2023-11-15": [said("1700090000.000100", "later")],
    "general/2023-11-14": [said()],
    "staff/2023-11-14": [said("1700000001.000100", "our duties")],
    "mpdm-ana--bo-1/2023-11-14": [said("1700000002.000100", "between us")],
    "D1/2023-11-14": [said("1700000003.000100", "between two")],
}


def test_closed_channels_are_closed_and_direct_messages_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "Harbour Slack export Jan 1 2023 - Dec 1 2023.zip", DAYS)
    with opened(path) as [export]:
        told = {one.text: one for one in export.messages()}
        homes = {home.told.channel.name: home for home in export.homes}
    assert list(told) == ["our duties", "hello", "later"]
    assert (export.space.ref, export.space.name) == (names.ref("T1"), "Harbour")
    assert homes["general"].told.description == "All of us.\ntoday"
    assert (homes["general"].told.channel.audience, homes["general"].readers) == (Audience.EVERYONE, ())
    assert homes["staff"].told.channel.audience is Audience.MEMBERS
    assert (homes["staff"].told.archived, homes["staff"].told.unconfirmed) == (True, True)
    assert [one.name for one in homes["staff"].readers] == ["Ana", "Bo Lind"]
    # Having written in a closed channel proves nothing for now.
    assert (told["our duties"].author.reads, told["hello"].author.reads) == (frozenset(), None)


def test_a_folder_that_two_channels_may_mean_is_the_closed_ones(tmp_path: Path) -> None:
    alike = [*CHANNELS, {"id": "C2", "name": "staff"}, {"id": "G1", "name": "staff"}]
    with opened(written(tmp_path / "f.zip", DAYS, channels=alike)) as [export]:
        told = {one.text: one.channel for one in export.messages()}
    assert (told["our duties"].ref, told["our duties"].audience) == (names.ref("G1"), Audience.MEMBERS)
    assert len(told) == 3


def test_a_channel_that_says_it_is_private_is_closed_wherever_it_stands(tmp_path: Path) -> None:
    told = [CHANNELS[0] | {"is_private": True, "members": ["U1"]}]
    with opened(written(tmp_path / "f.zip", channels=told, groups=[])) as [export]:
        [message] = export.messages()
        [home] = export.homes
    assert message.channel.audience is home.told.channel.audience is Audience.MEMBERS
    assert [one.name for one in home.readers] == ["Ana"]


def test_direct_messages_between_several_come_when_they_are_asked_for(tmp_path: Path) -> None:
    with opened(written(tmp_path / "f.zip", DAYS), group_messages=True) as [export]:
        told = {one.text: one.channel.audience for one in export.messages()}
    assert told["between us"] is Audience.MEMBERS
    assert "between two" not in told


def test_an_export_may_lie_in_a_folder_of_its_archive(tmp_path: Path) -> None:
    days = {
        "Harbour export/channels": CHANNELS,
        "Harbour export/users": USERS,
        "Harbour export/general/2023-11-14": [said()],
    }
    path = written(tmp_path / "f.zip", days, users=None, channels=None, groups=None, mpims=None, dms=None)
    with opened(path) as [export]:
        assert export.tally.good == 1
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "unpacked")
    with opened(tmp_path / "unpacked") as [export]:
        assert [one.text for one in export.messages()] == ["hello"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (said(ts="now"), "its timestamp is none"),
        (said(ts=5), "its timestamp is none: 5"),  # type: ignore[arg-type]
        (said(ts="1.000100"), "its time lies in the year 1970"),
        (said(ts="99999999999.000100"), "its time lies in the future"),
        (said(ts="999999999999.000100"), "its timestamp is none"),
        (said(user=None), "it has no author"),
        (said(user="../U1"), "it has no author"),
        (said(text="x" * 100_001), "its text has 100,001 characters"),
        (said(thread_ts="x"), "its timestamp is none"),
        ([], "it is no object, but list"),
    ],
)
def test_what_cannot_be_read_is_counted_and_named(tmp_path: Path, message: object, reason: str) -> None:
    path = written(tmp_path / "f.zip", {"general/2023-11-14": [said(), message, said("1700000009.000100")]})
    with opened(path) as [export]:
        assert (export.tally.good, export.tally.bad) == (2, 1)
        [bad] = export.tally.named
        assert bad.place == "general/2023-11-14.json, message 2"
        assert reason in bad.reason
        assert len(list(export.messages())) == 2


@pytest.mark.parametrize(
    ("lists", "days", "complaint"),
    [
        ({"channels": None, "groups": None}, None, r"no export of Slack: it has no channels\.json"),
        ({"users": None}, None, "does not say which workspace"),
        ({"channels": [], "groups": []}, None, "has no channels"),
        ({"channels": [{"name": "x"}]}, None, r"channels\.json, line 1: entry 1 has no id of Slack's"),
        ({"users": '[{"id": "U1"'}, None, r"users\.json, line 1: .*cut off"),
        ({"users": "{}"}, None, r"users\.json, line 1: '\[' is missing"),
        ({}, {"general/2023-11-14": "[1, 2"}, r"general/2023-11-14\.json, line 1: it ends in the middle"),
        ({}, {"general/2023-11-14": []}, "holds no messages"),
        ({}, {"general/2023-11-14": [1, 2, said()]}, "does not look like an export: 2 of 3 messages"),
    ],
)
def test_what_is_no_export_is_refused_in_one_sentence(
    tmp_path: Path, lists: dict[str, object], days: dict[str, object] | None, complaint: str
) -> None:
    path = written(tmp_path / "f.zip", days, **lists)
    with pytest.raises(Mistake, match=complaint), opened(path):
        pass


def test_what_is_made_up_for_measuring_is_read_whole(tmp_path: Path) -> None:
    with opened(made.slack(tmp_path / "s.zip", 1000)) as [export]:
        told = list(export.messages())
    assert (len(told), export.tally.bad) == (export.tally.good, 0)
    assert 900 < len(told) < 1000
    assert sum(one.thread is not None for one in told) > 100
    assert all("<" not in one.text and "&amp;" not in one.text for one in told)


ODD = (
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text(max_size=8)
    | some.lists(some.text(max_size=3))
)
KEYS = ["type", "subtype", "user", "text", "ts", "thread_ts", "bot_id", "username", "files", "attachments", "hidden"]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=some.lists(some.dictionaries(some.sampled_from(KEYS), ODD, max_size=4) | ODD, max_size=6))
def test_whatever_a_record_holds_it_is_read_or_counted(tmp_path: Path, changes: list[object]) -> None:
    records = [said() | one if isinstance(one, dict) else one for one in changes]
    good = [said(f"170000010{n}.000100") for n in range(8)]
    path = written(tmp_path / "f.zip", {"general/2023-11-14": [*records, *good]})
    with opened(path) as [export]:
        assert isinstance(export, SlackExport)
        told = list(export.messages())
    assert len(told) == export.tally.good
    assert len(told) + export.tally.bad <= len(records) + len(good)
