"""What the Bot API tells, as events: a table of its objects, and what is made of each."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from telegram import Chat, ChatMemberUpdated, Message, MessageReactionUpdated

from adapters.telegram.asking import Asked
from adapters.telegram.incoming import Incoming, author, changed, ref_of, revision, topic_of
from bot.core.commands import COMMANDS
from bot.core.events import CommandGiven, File, MemberJoined, MemberLeft, Named, key
from bot.core.things import Audience, Rank, Ref
from tests.platforms.telegram.shapes import ANONYMOUS, CHANNEL_BOT, FORWARDER, entities_in, member
from tests.platforms.telegram.town import Membership, User

ME, BEN = 1001, 42
GROUP = {"id": -1001, "type": "supergroup", "title": "Harbour", "is_forum": True}
NEWS = {"id": -1009, "type": "channel", "title": "News"}
PRIVATE = {"id": BEN, "type": "private", "first_name": "Ben"}
PERSON = {"id": BEN, "is_bot": False, "first_name": "Ben", "username": "ben_boats", "language_code": "zh-hans"}
BOT = {"id": ME, "is_bot": True, "first_name": "Kinfolk", "username": "kinfolk_bot"}
PIER = Named(ref=Ref("telegram", "-1001/t7"), name="pier", audience=Audience.EVERYONE)
ROOT = {"message_id": 7, "date": 1, "chat": GROUP, "from": BOT, "forum_topic_created": {"name": "p", "icon_color": 1}}
IN = Incoming(me=ME, username="kinfolk_bot", commands={"match", "why"})
FORWARDED = {"type": "hidden_user", "date": 1, "sender_user_name": "Somebody"}
FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 9}


def message(**more: object) -> Message:
    told = {"message_id": 45, "date": 1_700_000_000, "chat": GROUP, "from": PERSON, **more}
    if "text" in told:
        told.setdefault("entities", entities_in(told["text"]))
    return Message.de_json(told, None)


def answering(who: dict, **more: object) -> dict:
    return {"reply_to_message": {"message_id": 40, "date": 1, "chat": GROUP, "from": who, "text": "x", **more}}


def test_a_message_says_who_where_when_and_what() -> None:
    event = IN.posted(message(text="Hello", **answering(PERSON)), PIER)
    assert event
    assert (event.message, event.channel, event.text) == (Ref("telegram", "-1001/45"), PIER, "Hello")
    assert event.author == Named(ref=Ref("telegram", "42"), name="Ben", language="zh_CN")
    assert (event.at, event.reply_to) == (datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), Ref("telegram", "-1001/40"))
    assert not event.mentioned


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"text": "hello"}, False),
        ({"text": "hello @kinfolk_bot"}, True),
        ({"text": "hello @KINFOLK_BOT!"}, True),
        ({"text": "hello @kinfolk_bottle"}, False),
        ({"text": "mail me@kinfolk_bot"}, False),
        ({"text": "/match boats"}, True),
        ({"text": "/match@kinfolk_bot"}, True),
        ({"text": "/match@other_bot"}, False),
        ({"text": "/roll 3"}, False),
        ({"text": "/roll@kinfolk_bot"}, True),
        ({"text": "yes", **answering(BOT)}, True),
        ({"text": "yes", **answering(PERSON)}, False),
        ({"text": "new", "reply_to_message": ROOT, "message_thread_id": 7, "is_topic_message": True}, False),
        ({"text": "/match boats", "forward_origin": FORWARDED}, False),
        ({"text": "hello @kinfolk_bot", "forward_origin": FORWARDED}, False),
        ({"text": "hello", "chat": PRIVATE}, True),
        ({"text": "hello", "chat": PRIVATE, "from": BOT}, False),
        ({"caption": "@kinfolk_bot", "caption_entities": entities_in("@kinfolk_bot"), "document": FILE}, True),
        (
            {"text": "hi Kin", "entities": [{"type": "text_mention", "offset": 3, "length": 3, "user": BOT}]},
            True,
        ),
    ],
)
def test_the_bot_is_spoken_to_by_name_by_answer_by_command_or_alone(more: dict, expected: bool) -> None:  # noqa: FBT001
    assert IN.is_spoken_to(message(**more)) is expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"document": {**FILE, "file_name": "a.pdf", "mime_type": "application/pdf"}}, ("a.pdf", "application/pdf")),
        ({"photo": [{**FILE, "width": 1, "height": 1}]}, ("photo.jpg", "image/jpeg")),
        ({"voice": {**FILE, "duration": 1}}, ("voice.ogg", "audio/ogg")),
        ({"video": {**FILE, "duration": 1, "width": 1, "height": 1}}, ("video.mp4", "video/mp4")),
    ],
)
def test_a_file_comes_with_its_name_and_its_kind(more: dict, expected: tuple[str, str]) -> None:
    event = IN.posted(message(caption="Look", **more), PIER)
    assert event
    assert (event.text, event.files) == (
        "Look",
        (File(name=expected[0], kind=expected[1], size=9, url=FILE["file_id"]),),
    )


@pytest.mark.parametrize(
    "more",
    [
        {"new_chat_title": "Other"},
        {"forum_topic_created": {"name": "x", "icon_color": 1}},
        {"left_chat_member": PERSON},
        {"delete_chat_photo": True},
        {"message_auto_delete_timer_changed": {"message_auto_delete_time": 5}},
    ],
)
def test_what_telegram_itself_tells_nobody_said(more: dict) -> None:
    assert IN.posted(message(**more), PIER) is None
    assert IN.posted(message(text="x"), PIER) is not None


def test_who_writes_under_another_name_is_called_by_it() -> None:
    unnamed = message(text="x", sender_chat=GROUP, **{"from": ANONYMOUS})
    channel = message(text="x", sender_chat=NEWS, **{"from": CHANNEL_BOT})
    post = message(text="x", sender_chat=NEWS, chat=NEWS, **{"from": None})
    named = [(one.ref.id, one.name, one.bot) for one in map(author, (unnamed, channel, post))]
    assert named == [("-1001", "Harbour", False), ("-1009", "News", False), ("-1009", "News", False)]


def test_a_post_that_telegram_forwards_is_the_post_itself() -> None:
    origin = {"type": "channel", "date": 1, "chat": NEWS, "message_id": 5}
    copy = {"sender_chat": NEWS, "is_automatic_forward": True, "forward_origin": origin, "from": FORWARDER}
    assert ref_of(message(text="x", **copy)) == Ref("telegram", "-1009/5")
    comment = IN.posted(message(text="y", **answering(FORWARDER, **copy)), PIER)
    assert comment
    assert comment.reply_to == Ref("telegram", "-1009/5")
    by_hand = message(text="x", forward_origin=origin)
    assert ref_of(by_hand) == Ref("telegram", "-1001/45")


def test_a_thread_of_answers_is_no_topic() -> None:
    assert topic_of(message(text="x", message_thread_id=40)) == 0
    assert topic_of(message(text="x", message_thread_id=7, is_topic_message=True)) == 7


def test_changes_within_one_second_are_told_apart_and_grow() -> None:
    edited = message(text="x", edit_date=1_700_000_100)
    first, second = (IN.edited(edited, PIER, number) for number in (5_000_001, 5_000_002))
    assert first
    assert second
    assert first.revision < second.revision < revision(datetime.fromtimestamp(1_700_000_101, UTC), 0)
    assert IN.edited(message(text="x"), PIER, 1) is None
    one, again = (changed(PIER, edited.edit_date, 9) for _ in range(2))
    assert key(one) == key(again)


def reaction(old: list, new: list, **more: object) -> MessageReactionUpdated:
    told = {"chat": GROUP, "message_id": 45, "date": 1, "old_reaction": old, "new_reaction": new, **more}
    return MessageReactionUpdated.de_json(told, None)


def test_reactions_are_what_changed_and_nobodys_are_left_out() -> None:
    up, heart = {"type": "emoji", "emoji": "👍"}, {"type": "emoji", "emoji": "❤"}
    own, paid = {"type": "custom_emoji", "custom_emoji_id": "77"}, {"type": "paid"}
    told = [
        (type(one).__name__, one.emoji, one.member.ref.id, one.sequence)
        for one in IN.reactions(reaction([up], [heart, own, paid], user=PERSON), PIER, 9)
    ]
    assert told == [
        ("ReactionRemoved", "👍", "42", 9),
        ("ReactionAdded", ":77:", "42", 9),
        ("ReactionAdded", "❤", "42", 9),
    ]
    assert [one.member.ref.id for one in IN.reactions(reaction([], [up], actor_chat=GROUP), PIER, 9)] == ["-1001"]
    assert list(IN.reactions(reaction([], [up]), PIER, 9)) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("left", "member", MemberJoined),
        ("member", "left", MemberLeft),
        ("member", "kicked", MemberLeft),
        ("kicked", "left", None),
        ("left", "kicked", None),
        ("member", "restricted", None),
        ("restricted", "kicked", MemberLeft),
        ("member", "administrator", None),
        ("left", "creator", MemberJoined),
    ],
)
def test_coming_and_going_is_told_by_who_was_inside(before: str, after: str, expected: type | None) -> None:
    who = User(id=BEN, name="Ben")
    told = {
        "chat": GROUP,
        "from": PERSON,
        "date": 1,
        "old_chat_member": member(Membership(status=before), who),
        "new_chat_member": member(Membership(status=after), who),
    }
    event = IN.moved(ChatMemberUpdated.de_json(told, None))
    assert (type(event) if event else None) is expected
    mine = told | {
        name: member(Membership(status=told[name]["status"]), User(id=ME, name="K", is_bot=True))
        for name in ("old_chat_member", "new_chat_member")
    }
    assert IN.moved(ChatMemberUpdated.de_json(mine, None)) is None


# What a command is about


def given(command: str, line: str = "") -> CommandGiven:
    return CommandGiven(
        command=command,
        line=line,
        member=Named(ref=Ref("telegram", "7"), name="Mo"),
        rank=Rank.STAFF,
        channel=PIER,
        at=datetime.now(UTC),
        invocation=Ref("telegram", "-1001/45"),
    )


def test_a_command_that_answers_a_message_is_about_it_or_whoever_wrote_it() -> None:
    asked = Asked(username="kinfolk_bot", commands=COMMANDS)
    answer = message(text="x", **answering(PERSON))
    lines = {
        ("why", ""): "message:telegram:-1001/40",
        ("report", "it is spam"): "message:telegram:-1001/40 it is spam",
        ("mod", "warn be kind"): "member:telegram:42 warn be kind",
        ("mod", "warn telegram:9 be kind"): "warn telegram:9 be kind",
        ("mod", "warn @mo be kind"): "warn @mo be kind",
        ("why", "telegram:-1001/3"): "telegram:-1001/3",
        ("help", ""): "",
    }
    assert {one: asked.about(given(*one), answer).line for one in lines} == lines
    pointed = asked.about(given("why"), answer).pointed
    assert pointed
    assert (pointed.message, pointed.author.ref) == (Ref("telegram", "-1001/40"), Ref("telegram", "42"))
    assert asked.about(given("why"), message(text="x")).line == ""


def test_usernames_and_links_become_references_where_they_are_known() -> None:
    asked = Asked(username="kinfolk_bot", commands=COMMANDS)
    words = "@kinfolk_bot mod warn @Ben_Boats https://t.me/c/1234/7/45 a@ben_boats @unknown_one"
    before = asked.words(message(text=words))
    asked.note(message(text="x").from_user)
    assert before == "mod warn @Ben_Boats telegram:-1000000001234/45 a@ben_boats @unknown_one"
    assert asked.words(message(text=words)) == before.replace("@Ben_Boats", "telegram:42", 1)


def test_links_into_a_public_group_become_references_once_it_is_known() -> None:
    asked = Asked(username="kinfolk_bot", commands=COMMANDS)
    words = "why https://t.me/Harbour_Talk/45 http://t.me/harbour_talk/7/46?single https://t.me/unknown_talk/4"
    assert asked.words(message(text=words)) == words
    asked.note_chat(Chat.de_json({**GROUP, "username": "harbour_talk"}, None))
    shown = "why telegram:-1001/45 telegram:-1001/46?single https://t.me/unknown_talk/4"
    assert asked.words(message(text=words)) == shown
