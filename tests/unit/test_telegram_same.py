"""The same message of Telegram as the Bot API tells it and as Telegram Desktop exports it: it becomes the same row."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from telegram import Message

from adapters.history.telegram import TelegramExport, open_exports
from adapters.telegram import names
from adapters.telegram.chats import Chats, Topic
from adapters.telegram.client import Client
from adapters.telegram.incoming import Incoming, topic_of
from bot.core.clock import SystemClock
from bot.core.events import MessagePosted
from tests.platforms.telegram.methods import poll

CHAT, NEWS, TOPIC, FIRST = -1001234567890, -1000000000077, 7, 1_700_000_000
GROUP = {"id": CHAT, "type": "supergroup", "title": "Harbour", "is_forum": True}
CHANNEL = {"id": NEWS, "type": "channel", "title": "News"}
SMALL = {"id": -5, "type": "group", "title": "Crew"}
ANA = {"id": 42, "is_bot": False, "first_name": "Ana", "last_name": "Ruiz"}
UNNAMED = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 9}
LOOK = "look at 🛶 this and Bo"
LINK = {"type": "text_link", "offset": 11, "length": 4, "url": "https://a.b/c"}
BO = {"type": "text_mention", "offset": 20, "length": 2, "user": {"id": 7, "is_bot": False, "first_name": "Bo"}}
MARKED = ["look at 🛶 ", {"type": "text_link", "text": "this", "href": "https://a.b/c"}, " and "]
PARTS = [*MARKED, {"type": "mention_name", "text": "Bo", "user_id": 7}]
ROOT = {
    "message_id": TOPIC,
    "date": 1,
    "chat": GROUP,
    "from": ANA,
    "forum_topic_created": {"name": "p", "icon_color": 1},
}
IN_TOPIC = {"message_thread_id": TOPIC, "is_topic_message": True}
BEGUN = {"id": TOPIC, "type": "service", "date_unixtime": "1699999999", "action": "topic_created", "title": "pier"}
PLACE = {"latitude": 1.0, "longitude": 2.0}
STICKER = FILE | {"type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False, "emoji": "🙂"}


def answered(number: int, **more: object) -> dict[str, object]:
    return {"reply_to_message": {"message_id": number, "date": 1, "chat": GROUP, "from": ANA, "text": "x"} | more}


SAME: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "words": ({"text": "hello"}, {"text": "hello"}),
    "a link and a name": ({"text": LOOK, "entities": [LINK, BO]}, {"text": PARTS}),
    "a username": (
        {"text": "hi @bo", "entities": [{"type": "mention", "offset": 3, "length": 3}]},
        {"text": ["hi ", {"type": "mention", "text": "@bo"}]},
    ),
    "a poll": (
        {"poll": poll("Tea?", ["yes", "no"])},
        {"text": "", "poll": {"question": "Tea?", "answers": [{"text": "yes", "voters": 0}, {"text": "no"}]}},
    ),
    "a sticker": (
        {"sticker": STICKER},
        {"text": "", "file": "stickers/s.webp", "media_type": "sticker", "sticker_emoji": "🙂"},
    ),
    "a photo with a link below it": (
        {"photo": [FILE | {"width": 1, "height": 1}], "caption": LOOK, "caption_entities": [LINK, BO]},
        {"photo": "photos/photo_1.jpg", "width": 1, "height": 1, "text": PARTS},
    ),
    "a place": (
        {"venue": {"location": PLACE, "title": "The mill", "address": "x"}, "location": PLACE},
        {"text": "", "place_name": "The mill", "address": "x", "location_information": PLACE},
    ),
    "a point": ({"location": PLACE}, {"text": "", "location_information": PLACE}),
    "an answer": ({"text": "yes", **answered(40)}, {"text": "yes", "reply_to_message_id": 40}),
    "an answer to another chat": (
        {"text": "yes", "external_reply": {"origin": {"type": "channel", "date": 1, "chat": CHANNEL, "message_id": 3}}},
        {"text": "yes", "reply_to_message_id": 3, "reply_to_peer_id": "channel77"},
    ),
    "into a topic": (
        {"text": "new", "reply_to_message": ROOT, **IN_TOPIC},
        {"text": "new", "reply_to_message_id": TOPIC},
    ),
    "an answer in a topic": (
        {"text": "yes", **answered(41, **IN_TOPIC), **IN_TOPIC},
        {"text": "yes", "reply_to_message_id": 41},
    ),
    "under the group's name": (
        {"text": "x", "from": UNNAMED, "sender_chat": GROUP},
        {"text": "x", "from": "Harbour", "from_id": "channel1234567890"},
    ),
    "under a channel's name": (
        {"text": "x", "from": UNNAMED, "sender_chat": CHANNEL},
        {"text": "x", "from": "News", "from_id": "channel77"},
    ),
    "forwarded by somebody": (
        {"text": "x", "forward_origin": {"type": "channel", "date": 1, "chat": CHANNEL, "message_id": 3}},
        {"text": "x", "forwarded_from": "News"},
    ),
    "a post": (
        {"text": "x", "chat": CHANNEL, "from": None, "sender_chat": CHANNEL},
        {"text": "x", "from": "News", "from_id": "channel77"},
    ),
    "in a small group": ({"text": "x", "chat": SMALL}, {"text": "x"}),
    "by somebody with an endless name": (
        {"text": "x", "from": {"id": 42, "is_bot": False, "first_name": "A" * 64, "last_name": "B" * 64}},
        {"text": "x", "from": "A" * 64 + " " + "B" * 64},
    ),
}
HEADS = {
    CHAT: {"name": "Harbour", "type": "public_supergroup", "id": 1234567890},
    NEWS: {"name": "News", "type": "public_channel", "id": 77},
    -5: {"name": "Crew", "type": "private_group", "id": 5},
}


def heard(told: dict[str, object]) -> MessagePosted | None:
    """Hear a message in a forum of which one topic has a name."""
    head = {"message_id": 45, "date": FIRST, "chat": GROUP, "from": ANA}
    message = Message.de_json(head | told, None)
    client, clock = Client("42:x", "http://127.0.0.1:9"), SystemClock()
    chats = Chats(client=client, clock=clock, known=lambda _space: _nothing())
    chats.topics[names.Place(CHAT, TOPIC)] = Topic(name="pier")
    channel = chats.channel(message.chat, topic_of(message))
    return Incoming(me=1, username="kinfolk_bot", commands=set()).posted(message, channel)


async def _nothing() -> None:
    return None


def exported(folder: Path, chat: int, *told: dict[str, object]) -> tuple[TelegramExport, list[MessagePosted]]:
    head = {"type": "message", "date_unixtime": str(FIRST), "from": "Ana Ruiz", "from_id": "user42"}
    in_topic = head | {"id": 41, "text": "x", "reply_to_message_id": TOPIC}
    messages = [BEGUN, in_topic, *(head | {"id": 45 + number} | one for number, one in enumerate(told))]
    path = folder / "result.json"
    path.write_text(json.dumps(HEADS[chat] | {"messages": messages}))
    with open_exports(path, chats=(), me=0, now=datetime.now(UTC)) as [export]:
        return export, list(export.messages())[1:]


def row(event: MessagePosted) -> tuple[object, ...]:
    where = event.channel.ref, event.channel.name, event.channel.audience
    return event.message, where, event.author.ref, event.author.name, event.text, event.at, event.reply_to, event.thread


@pytest.mark.parametrize("what", SAME)
def test_the_same_message_heard_and_exported_is_the_same_row(tmp_path: Path, what: str) -> None:
    told, written = SAME[what]
    event = heard(told)
    assert event
    _export, [found] = exported(tmp_path, names.place(event.channel.ref).chat, written)
    assert row(found) == row(event)


def test_what_telegram_forwards_by_itself_is_left_to_the_channels_export(tmp_path: Path) -> None:
    post = {"text": "news", "from": "News", "from_id": "channel77", "forwarded_from": "News", "saved_from": "News"}
    comment = {"text": "fine", "reply_to_message_id": 45}
    export, [found] = exported(tmp_path, CHAT, post, comment)
    # The group's export does not tell the number that the channel's post has, by which it is heard.
    assert (found.text, found.reply_to, export.tally.elsewhere) == ("fine", None, 1)
    origin = {"type": "channel", "date": 1, "chat": CHANNEL, "message_id": 45}
    live = {"text": "news", "sender_chat": CHANNEL, "is_automatic_forward": True, "forward_origin": origin}
    event = heard(live)
    assert event
    own, [of_channel] = exported(tmp_path, NEWS, {"text": "news", "from": "News", "from_id": "channel77"})
    assert (of_channel.message, of_channel.text) == (event.message, event.text)
    assert own.tally.elsewhere == 0
