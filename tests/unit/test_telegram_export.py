"""The export of Telegram Desktop: each kind of message, old formats, whole accounts, and hostile ones."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from adapters.history.telegram import TelegramExport, open_exports
from adapters.telegram import names
from bot.bench import exports as made
from bot.core.errors import Mistake
from bot.core.events import File, MessagePosted
from bot.core.things import Audience, Ref

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GROUP = {"name": "Harbour", "type": "public_supergroup", "id": 1234567890}
CHAT = -1001234567890


def said(number: int, text: object = "hello", **more: object) -> dict[str, object]:
    head = {"id": number, "type": "message", "date": "2023-11-14T22:13:20", "date_unixtime": "1700000000"}
    return head | {"from": "Ana", "from_id": "user42", "text": text} | more


def written(folder: Path, *messages: object, **head: object) -> Path:
    path = folder / "result.json"
    path.write_text(json.dumps(GROUP | head | {"messages": messages}, indent=1))
    return path


def opened(path: Path, *chats: str, me: int = 0) -> list[TelegramExport]:
    with open_exports(path, chats=chats, me=me, now=NOW) as found:
        return found


def read(folder: Path, *messages: object, **head: object) -> list[MessagePosted]:
    [export] = opened(written(folder, *messages, **head))
    told = list(export.messages())
    assert len(told) == export.tally.good
    return told


def test_a_message_has_the_references_that_a_bot_gives_it(tmp_path: Path) -> None:
    [told] = read(tmp_path, said(45, reply_to_message_id=44))
    assert told.message == names.message(CHAT, 45) == Ref("telegram", "-1001234567890/45")
    assert (told.channel.ref, told.channel.name) == (names.chat(CHAT), "Harbour")
    assert told.channel.audience is Audience.EVERYONE
    assert (told.author.ref, told.author.name) == (Ref("telegram", "42"), "Ana")
    assert told.at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert told.reply_to == names.message(CHAT, 44)
    assert told.source == "import:telegram"


@pytest.mark.parametrize(
    ("kind", "number", "chat"),
    [
        ("private_group", 77, -77),
        ("private_supergroup", 77, -1000000000077),
        ("public_channel", 77, -1000000000077),
        ("private_channel", -1000000000077, -1000000000077),
        ("private_supergroup", 997852516352, -1997852516352),
    ],
)
def test_chats_are_called_as_by_the_bot_api(tmp_path: Path, kind: str, number: int, chat: int) -> None:
    [told] = read(tmp_path, said(1), type=kind, id=number)
    assert told.channel.ref == names.chat(chat)


@pytest.mark.parametrize("number", [0, 2**60, "x", None, True])
def test_a_chat_without_a_number_is_refused(tmp_path: Path, number: object) -> None:
    with pytest.raises(Mistake, match=r"which none has\. Nothing was imported"):
        opened(written(tmp_path, said(1), id=number if number is not True else 0))


@pytest.mark.parametrize(
    ("author", "ref"),
    [("user42", "42"), ("channel77", "-1000000000077"), ("chat5", "-5"), ((1 << 32) + 42, "42"), (42, "42")],
)
def test_authors_are_members_channels_and_groups(tmp_path: Path, author: object, ref: str) -> None:
    [told] = read(tmp_path, said(1, from_id=author))
    assert told.author.ref == Ref("telegram", ref)


def test_who_is_gone_has_telegrams_name_for_them(tmp_path: Path) -> None:
    [told] = read(tmp_path, said(1, **{"from": None}))
    assert told.author.name == "Deleted Account"


def test_old_exports_number_chats_otherwise_and_tell_no_zone(tmp_path: Path) -> None:
    old = said(1, from_id=(1 << 32) + 42)
    del old["date_unixtime"]
    [told] = read(tmp_path, old, id=(2 << 32) + 77)
    assert (told.channel.ref, told.author.ref) == (names.chat(-1000000000077), Ref("telegram", "42"))
    assert told.at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_post_of_a_channel_without_an_author_is_the_channels_own(tmp_path: Path) -> None:
    post = said(1)
    del post["from_id"]
    [told] = read(tmp_path, post, type="public_channel")
    assert told.author.ref == names.member(CHAT)


TEXTS = [
    ("plain", "plain"),
    (["see ", {"type": "text_link", "text": "this", "href": "https://a.b"}, "!"], "see this (https://a.b)!"),
    (
        [{"type": "mention", "text": "@ana"}, " and ", {"type": "mention_name", "text": "Bo", "user_id": 7}],
        "@ana and @Bo",
    ),
    (
        [{"type": "link", "text": "https://a.b"}, {"type": "bold", "text": "x"}, 5, None, {"type": "bold"}],
        "https://a.bx",
    ),
    (None, ""),
    (7, ""),
    ("a\x00b\ud800", "ab"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_texts_are_put_together(tmp_path: Path, text: object, expected: str) -> None:
    assert [told.text for told in read(tmp_path, said(1, text))] == [expected]


def test_a_text_that_stands_in_its_parts_alone(tmp_path: Path) -> None:
    parts = [{"type": "plain", "text": "only "}, {"type": "bold", "text": "here"}]
    assert read(tmp_path, said(1, "", text_entities=parts))[0].text == "only here"


def test_polls_and_places_are_words_too(tmp_path: Path) -> None:
    poll = {"question": "Tea?", "answers": [{"text": "yes"}, {"text": "no"}, 7], "closed": False}
    told = read(tmp_path, said(1, "", poll=poll), said(2, "", place_name="The mill"))
    assert [one.text for one in told] == ["Tea?\n- yes\n- no", "The mill"]


@pytest.mark.parametrize(
    ("more", "file"),
    [
        ({"photo": "photos/p1.jpg", "photo_file_size": 9}, File(name="p1.jpg", kind="image/jpeg", size=9)),
        (
            {"file": "(File not included. Change data exporting settings to download.)", "file_name": "plan.pdf"},
            File(name="plan.pdf", kind="file", size=0),
        ),
        (
            {"file": "files/a.pdf", "mime_type": "application/pdf", "file_size": 3},
            File(name="a.pdf", kind="application/pdf", size=3),
        ),
        (
            {
                "file": "(File exceeds maximum size. Change data exporting settings to download.)",
                "media_type": "sticker",
            },
            File(name="sticker", kind="sticker", size=0),
        ),
    ],
)
def test_files_keep_their_names_and_kinds(tmp_path: Path, more: dict[str, object], file: File) -> None:
    assert read(tmp_path, said(1, **more))[0].files == (file,)


def test_what_telegram_itself_tells_is_no_message(tmp_path: Path) -> None:
    told = [
        {"id": 1, "type": "service", "date": "2023-11-14T22:13:20", "action": "join_group_by_link", "text": ""},
        {"id": 2, "type": "unsupported"},
        {"id": 3, "type": "service", "date": "2023-11-14T22:13:20", "action": "migrate_from_group", "title": "Old"},
    ]
    assert [one.message for one in read(tmp_path, *told, said(4))] == [names.message(CHAT, 4)]


def test_topics_are_found_by_what_a_message_answers(tmp_path: Path) -> None:
    begun = {"type": "service", "date": "2023-11-14T22:13:20", "action": "topic_created"}
    [export] = opened(
        written(
            tmp_path,
            begun | {"id": 7, "title": "Bread"},
            said(8),
            begun | {"id": 9, "title": "Clay"},
            said(10, reply_to_message_id=7),
            said(11, reply_to_message_id=10),
            said(12, reply_to_message_id=9),
            said(13, reply_to_message_id=8),
            said(14, reply_to_message_id=11),
            said(15, reply_to_message_id=12, reply_to_peer_id="channel5"),
            said(-999_999_990, reply_to_message_id=7),
        )
    )
    told = {names.parts(one.message).id: one for one in export.messages()}
    assert {number: names.place(one.channel.ref).topic for number, one in told.items()} == {
        8: 0,
        10: 7,
        11: 7,
        12: 9,
        13: 0,
        14: 7,
        15: 0,
        -999_999_990: 7,
    }
    assert told[11].channel.name == "Bread"
    # What begins a topic is nothing that is answered; nor is what was said in another chat.
    assert (told[10].reply_to, told[11].reply_to) == (None, names.message(CHAT, 10))
    assert told[15].reply_to is None
    assert {home.told.channel.name for home in export.homes} == {"Harbour", "Bread", "Clay"}


def test_bots_are_known_by_their_buttons_and_our_own_is_left_out(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        said(1, from_id="user7"),
        said(2, from_id="user7", inline_bot_buttons=[[{"type": "callback"}]]),
        said(3, from_id="user8", inline_bot_buttons=[[{"type": "callback"}]], via_bot="@gif"),
        said(4, from_id="user9"),
    )
    [export] = opened(path, me=9)
    told = list(export.messages())
    assert [(one.author.ref.id, one.author.bot) for one in told] == [("7", True), ("7", True), ("8", False)]
    assert export.tally.good == 3


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (said("x"), "its number is none"),  # type: ignore[arg-type]
        (said(2**40), "its number is none"),
        (said(1, from_id=None), "it has no author"),
        (said(1, from_id="user"), "its author is none"),
        (said(1, from_id="user" + "9" * 30), "its author is none"),
        (said(1, from_id=-3), "its author is none"),
        (said(1, date_unixtime="9" * 30), "its time is none"),
        (said(1, date_unixtime="1"), "its time lies in the year 1970"),
        (said(1, date_unixtime="99999999999"), "its time lies in the future"),
        (said(1, date_unixtime=None, date="yesterday"), "its time is none"),
        (said(1, "x" * 100_001), "its text has 100,001 characters"),
        ("not an object", "it is no object, but str"),
        (None, "it is no object"),
    ],
)
def test_what_cannot_be_read_is_counted_and_named(tmp_path: Path, message: object, reason: str) -> None:
    [export] = opened(written(tmp_path, said(10), message, said(11)))
    assert (export.tally.good, export.tally.bad) == (2, 1)
    [bad] = export.tally.named
    assert reason in bad.reason
    assert bad.place.startswith("message 2 (line ")
    assert len(list(export.messages())) == 2


ACCOUNT = {
    "about": "Here is the data you requested.",
    "contacts": {"about": "", "list": [{"first_name": "X"}] * 3},
    "chats": {
        "about": "This page lists all chats.",
        "list": [
            {"name": "Mum", "type": "personal_chat", "id": 5, "messages": [said(1, "private!")]},
            {"type": "saved_messages", "id": 6, "messages": []},
            {"name": "Harbour", "type": "private_supergroup", "id": 77, "messages": [said(1, "one"), said(2, "two")]},
            "nonsense",
            {"name": "Hill", "type": "private_group", "id": 78, "messages": [said(1, "three")]},
            {"name": "Quiet", "type": "private_group", "id": 80, "messages": []},
        ],
    },
    "left_chats": {"list": [{"name": "Old", "type": "public_channel", "id": 79, "messages": [said(1, "four")]}]},
}


def test_of_a_whole_account_the_owner_names_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps(ACCOUNT))
    with pytest.raises(
        Mistake, match=r"several groups and channels: Harbour \(77\), Hill \(78\), Quiet \(80\), Old \(79\).*--chat"
    ):
        opened(tmp_path)
    with pytest.raises(Mistake, match="'Quiet', holds no messages"):
        opened(tmp_path, "Harbour", "Quiet")
    with pytest.raises(Mistake, match="no group or channel 'Mum'"):
        opened(tmp_path, "Mum")
    [harbour, old] = opened(tmp_path, "harbour", "-1000000000079")
    assert [one.text for one in harbour.messages()] == ["one", "two"]
    assert [one.text for one in old.messages()] == ["four"]
    assert (old.space.name, old.space.ref) == ("Old", names.chat(-1000000000079))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is no export in JSON"),
        ("<!DOCTYPE html>", "is no export in JSON. In Telegram Desktop choose the format Machine-readable JSON"),
        ("[]", "is no export in JSON"),
        ("{}", "holds no group and no channel"),
        (json.dumps({"name": "M", "type": "personal_chat", "id": 1, "messages": []}), "conversations of two"),
        (json.dumps(GROUP | {"messages": []}), "holds no messages"),
        (json.dumps(GROUP | {"messages": {}}), "'\\[' is missing"),
        (
            json.dumps(GROUP | {"messages": [said(1), {}, said("x"), said("y"), 5]}),
            "does not look like an export: 3 of",
        ),  # type: ignore[arg-type]
        (json.dumps(GROUP | {"messages": [said(1), said(2)]}, indent=1)[:-40], "ends in the middle"),
    ],
)
def test_what_is_no_export_is_refused_in_one_sentence(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "result.json"
    path.write_text(content)
    with pytest.raises(Mistake, match=complaint):
        opened(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=r"result\.json cannot be read: No such file.*choose the format"):
        opened(tmp_path)


def test_a_chat_may_be_described_after_its_messages(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"messages": [said(1)]} | GROUP))
    [export] = opened(path)
    assert export.space.name == "Harbour"


def test_what_is_made_up_for_measuring_is_read_whole(tmp_path: Path) -> None:
    [export] = opened(made.telegram(tmp_path / "result.json", 500))
    topics = Counter(names.place(one.channel.ref).topic for one in export.messages())
    assert (export.tally.good, export.tally.bad, topics.total()) == (500, 0, 500)
    # Each topic and the general one get about as much.
    assert len(topics) == made.CHANNELS + 1
    assert max(topics.values()) < 60


ODD = (
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text(max_size=8)
    | some.lists(some.text(max_size=3))
)
KEYS = ["id", "type", "date", "date_unixtime", "from", "from_id", "text", "text_entities", "reply_to_message_id"]
KEYS += [
    "poll",
    "photo",
    "file",
    "file_size",
    "media_type",
    "action",
    "title",
    "inline_bot_buttons",
    "reply_to_peer_id",
]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=some.lists(some.dictionaries(some.sampled_from(KEYS), ODD, max_size=4) | ODD, max_size=6),
    kind=some.sampled_from(["message", "service"]),
)
def test_whatever_a_record_holds_it_is_read_or_counted(tmp_path: Path, changes: list[object], kind: str) -> None:
    records = [
        said(10 + n, type=kind, action="topic_created") | one if isinstance(one, dict) else one
        for n, one in enumerate(changes)
    ]
    good = [said(100 + n) for n in range(8)]
    [export] = opened(written(tmp_path, *records, *good))
    told = list(export.messages())
    assert len(told) == export.tally.good
    assert len(told) + export.tally.bad <= len(records) + len(good)
    assert all(
        names.place(one.channel.ref).chat == CHAT and one.at <= datetime.now(UTC).replace(year=9999) for one in told
    )
