"""Exports made up for measuring: of any size, the same each time, in the shape in which the platforms write them."""

from __future__ import annotations

import json
import random
import zipfile
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEGAN = 1_650_000_000
BETWEEN = 400
"""Seconds between two messages."""
MEMBERS = 400
GONE, MACHINE, ARCHIVED = 7, 9, 5
"""A member who was deleted, one that is a bot, and a channel that was archived."""
CHANNELS = 24
Told = dict[str, object]
TEXT = (
    "bread dough oven rye seed sourdough glaze kiln clay wheel garden tomato slug compost seedling bike chain puncture "
    "gear hill camera lens aperture tripod night board game dice rules solder iron resistor circuit battery printer "
    "nozzle filament layer bed guitar chord drum tempo rehearsal library shelf novel chapter river walk kettle soup "
    "the a this that my your our when where why how again tomorrow tonight please thanks maybe never always works broke"
)
WORDS = TEXT.split()


class Kind(StrEnum):
    """What history comes in."""

    JSONL = "jsonl"
    TELEGRAM = "telegram"
    SLACK = "slack"


def telegram(path: Path, messages: int) -> Path:
    """Write a forum's export as Telegram Desktop does: topics, replies, edits, files, stickers, polls, joins."""
    chance = random.Random(messages)
    with path.open("w", encoding="utf-8") as file:
        file.write('{\n "name": "Harbour Makers",\n "type": "public_supergroup",\n "id": 1234567890,\n "messages": [')
        for number, told in enumerate(_telegram(chance, messages)):
            file.write(("," if number else "") + "\n  " + json.dumps(told, ensure_ascii=False, indent=1))
        file.write("\n ]\n}")
    return path


def _telegram(chance: random.Random, messages: int) -> Iterator[Told]:
    roots = {10 + number: f"topic {number}" for number in range(CHANNELS)}
    for root, title in roots.items():
        told: Told = {"action": "topic_created", "title": title, "actor": "Member 1", "actor_id": "user1001"}
        yield _telegram_head(root, "service") | told | {"text": "", "text_entities": []}
    latest = dict.fromkeys(roots, 0)
    for number in range(100, 100 + messages):
        member = chance.randrange(MEMBERS)
        head = _telegram_head(number, "message")
        head |= {"from": None if member == GONE else f"Member {member}", "from_id": f"user{1000 + member}"}
        topic = chance.choice([0, *roots])
        if topic:
            head["reply_to_message_id"] = chance.choice([latest[topic] or topic, topic])
            latest[topic] = number
        yield head | _telegram_said(chance, number)


def _telegram_head(number: int, kind: str) -> Told:
    seconds = BEGAN + number * BETWEEN
    written = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return {"id": number, "type": kind, "date": written, "date_unixtime": str(seconds)}


def _telegram_said(chance: random.Random, number: int) -> Told:
    said = sentence(chance)
    match number % 50:
        case 3:
            return {"file": "stickers/sticker.webp", "media_type": "sticker", "sticker_emoji": "🙂", "text": ""}
        case 7:
            answers = [{"text": one, "voters": 3, "chosen": False} for one in ("yes", "no")]
            return {"poll": {"question": said, "closed": False, "total_voters": 6, "answers": answers}, "text": ""}
        case 11:
            photo = "(File not included. Change data exporting settings to download.)"
            return {"photo": photo, "width": 900, "height": 600, "text": said}
        case 13:
            link = {"type": "text_link", "text": "look here", "href": "https://example.org/a"}
            return {"text": [said, link], "text_entities": [{"type": "plain", "text": said}, link]}
        case 17:
            return {"edited_unixtime": str(BEGAN + number * BETWEEN + 60), "text": said, "text_entities": _plain(said)}
        case _:
            return {"text": said, "text_entities": _plain(said)}


def _plain(said: str) -> list[Told]:
    return [{"type": "plain", "text": said}]


def slack(path: Path, messages: int) -> Path:
    """Write a workspace's export as Slack does: an archive with a file for each channel and day."""
    chance = random.Random(messages)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        users = [_slack_user(number) for number in range(MEMBERS)]
        rooms = [_slack_channel(number, users) for number in range(CHANNELS)]
        for name, told in (("users", users), ("channels", rooms[:-2]), ("groups", rooms[-2:]), ("dms", [])):
            archive.writestr(f"{name}.json", json.dumps(told, indent=1))
        for number, room in enumerate(rooms):
            own = range(number, messages, CHANNELS)
            for day, some in groupby((_slack_message(chance, one) for one in own), key=_day):
                archive.writestr(f"{room['name']}/{day}.json", json.dumps(list(some), indent=1))
    return path


def _slack_user(number: int) -> Told:
    profile = {"display_name": f"member {number}" if number % 3 else "", "real_name": f"Member Number {number}"}
    own: Told = {"id": f"U{number:08}", "team_id": "T00000001", "name": f"member{number}"}
    return own | {"deleted": number == GONE, "is_bot": number == MACHINE, "profile": profile}


def _slack_channel(number: int, users: list[Told]) -> Told:
    purpose = {"value": f"What channel {number} is for", "creator": "", "last_set": 0}
    own: Told = {"id": f"C{number:08}", "name": f"channel-{number}", "is_archived": number == ARCHIVED}
    return own | {"members": [one["id"] for one in users[:50]], "purpose": purpose, "topic": {"value": ""}}


def _slack_message(chance: random.Random, number: int) -> Told:
    said = sentence(chance)
    own: Told = {"type": "message", "ts": _ts(number), "user": f"U{chance.randrange(MEMBERS):08}"}
    match number // CHANNELS % 25:
        case 3:
            return own | {"subtype": "channel_join", "text": f"<@{own['user']}> has joined the channel"}
        case 5 | 6 | 7:
            return own | {"text": said, "thread_ts": _ts(number - CHANNELS * 3), "parent_user_id": "U00000001"}
        case 11:
            shared = {"id": "F1", "name": "plan.pdf", "mimetype": "application/pdf", "size": 1000}
            return own | {"subtype": "file_share", "text": said, "files": [shared]}
        case 13:
            return own | {"text": f"<@U00000002> {said} <https://example.org/a|look> &amp; <#C00000001|channel-1>"}
        case 17:
            told: Told = {"text": said, "edited": {"user": own["user"], "ts": _ts(number + 1)}}
            return own | told | {"reactions": [{"name": "wave", "users": ["U00000001"], "count": 1}]}
        case _:
            return own | {"text": said, "team": "T00000001", "blocks": [_slack_block(said)]}


def _slack_block(said: str) -> Told:
    section: Told = {"type": "rich_text_section", "elements": [{"type": "text", "text": said}]}
    return {"type": "rich_text", "block_id": "abc", "elements": [section]}


def _ts(number: int) -> str:
    return f"{BEGAN + number * BETWEEN}.{number % 1_000_000:06}"


def _day(told: Told) -> str:
    return datetime.fromtimestamp(float(str(told["ts"])), UTC).strftime("%Y-%m-%d")


def jsonl(path: Path, messages: int) -> Path:
    """Write history in the interchange format."""
    chance = random.Random(messages)
    with path.open("w", encoding="utf-8") as file:
        for number in range(messages):
            _line(file, chance, number)
    return path


def _line(file: IO[str], chance: random.Random, number: int) -> None:
    told: Told = {"channel": f"channel-{number % CHANNELS}", "user": f"member{chance.randrange(MEMBERS)}", "id": number}
    file.write(json.dumps(told | {"text": sentence(chance), "ts": BEGAN + number * BETWEEN}) + "\n")


def sentence(chance: random.Random) -> str:
    """Make up what somebody may write: five to thirty words."""
    return " ".join(chance.choices(WORDS, k=chance.randint(5, 30)))


WRITERS = {Kind.JSONL: jsonl, Kind.TELEGRAM: telegram, Kind.SLACK: slack}
