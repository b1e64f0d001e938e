"""Old messages from Telegram Desktop's export in JSON, with the references that a bot gives them which hears them."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from adapters.history import exports, telegram_file
from adapters.history.exports import Home, Tally
from adapters.history.forum import Topics
from adapters.history.telegram_file import CHANNELS, FILE, GROUPS, OLD_CHATS, OLD_USERS, Head
from adapters.telegram import names, reading
from bot.core.events import ChannelChanged, File, MessagePosted, Named
from bot.core.things import Audience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bot.core.things import Ref

LARGEST_MESSAGE = 2**31 - 1
AUTHOR = re.compile(r"(user|channel|chat)(\d{1,15})", re.ASCII)
DELETED = "Deleted Account"
"""What Telegram itself calls who is gone."""
MOST_BOTS = 10_000
MOST_POSTS = 200_000
"""Posts of a channel whose copies in the group are remembered, so that who comments on them answers nothing else."""
NOT_INCLUDED = re.compile(r"\((?:File|Photo)[^()]*\)$")
"""What stands in a path's place for a file that was not exported."""


@dataclass(slots=True, kw_only=True)
class TelegramExport:
    """One chat of an export. `me` is the bot's own number, whose messages are left out; 0 where it is not known."""

    path: Path
    head: Head
    me: int
    now: datetime
    tally: Tally = field(default_factory=Tally)
    topics: dict[int, str] = field(default_factory=dict)
    bots: set[int] = field(default_factory=set)
    posts: set[int] = field(default_factory=set)
    """What Telegram itself forwarded from the channel that the group discusses."""
    old: bool = False
    chat: int = 0

    @property
    def space(self) -> Named:
        """Name the group or channel, which is a space of its own."""
        return Named(ref=names.chat(self.chat), name=self._channel(names.GENERAL).name)

    @property
    def homes(self) -> tuple[Home, ...]:
        """Return the group, or the channel, and the topics of a forum."""
        return tuple(
            Home(told=ChannelChanged(channel=self._channel(topic), at=self.now, revision=0))
            for topic in (names.GENERAL, *self.topics)
        )

    def survey(self) -> None:
        """Read all messages once: what holds for all of them, how many there are, and what cannot be read."""
        self.chat = self.head.chat(old=False)
        for place, found in telegram_file.messages(self.path, self.head):
            try:
                told = exports.row(found)
                self._learn(told)
                self.tally.good += self._read(told) is not None
            except ValueError as error:
                self.tally.miss(place, str(error))
        self.tally.check(self.path, self.head.name if self.head.number else "")
        self.chat = self.head.chat(old=self.old)

    def messages(self) -> Iterator[MessagePosted]:
        """Read the messages again, each with the topic that it belongs to."""
        with Topics.open(self.topics) as topics:
            for _place, found in telegram_file.messages(self.path, self.head):
                with contextlib.suppress(ValueError):
                    told = exports.row(found)
                    topic = topics.place(_id(told), _answered(told)) if self.topics else 0
                    if posted := self._read(told, topic=topic):
                        yield posted

    def _learn(self, told: Mapping[str, object]) -> None:
        """Learn what the topics are called, who is a bot, and how old the format is."""
        if told.get("type") == "service":
            if told.get("action") == "topic_created" and _id(told) > 0 and len(self.topics) < Topics.MOST:
                self.topics[_id(told)] = exports.name(told.get("title"), f"topic {told.get('id')}")
            return
        self.old = self.old or _is_number(told.get("from_id"))
        if self._is_post(told):
            number = _id(told)
            self.tally.elsewhere += 1
            if len(self.posts) < MOST_POSTS:
                self.posts.add(number)
        # Members send what has buttons by way of a bot only.
        if "inline_bot_buttons" in told and "via_bot" not in told and len(self.bots) < MOST_BOTS:
            self.bots.add(self._author(told))

    def _read(self, told: Mapping[str, object], *, topic: int = 0) -> MessagePosted | None:
        """Tell of a message; None for what Telegram itself tells and for what the bot said. Raises ValueError.

        What Telegram forwards by itself is the channel's own post. It is in the channel's export, by the number that a
        bot hears it by, which the group's does not tell.
        """
        if told.get("type") != "message" or self._is_post(told):
            return None
        number, author = _id(told), self._author(told)
        if author == self.me:
            return None
        return MessagePosted(
            message=names.message(self.chat, number),
            channel=self._channel(topic or names.GENERAL),
            author=Named(
                ref=names.member(author),
                name=exports.name(told.get("from"), DELETED),
                bot=author in self.bots,
            ),
            text=exports.text(_said(told)),
            at=_at(told),
            reply_to=self._reply_to(_answered(told)),
            source="import:telegram",
            files=tuple(_files(told)),
        )

    def _channel(self, topic: int) -> Named:
        name = self.topics.get(topic) or exports.name(self.head.name, str(self.head.id))
        return Named(ref=names.chat(self.chat, topic), name=name, audience=Audience.EVERYONE)

    def _reply_to(self, answered: int) -> Ref | None:
        """Name the message that is answered; whoever writes into a topic answers the message that it began with."""
        if answered == 0 or answered in self.topics or answered in self.posts:
            return None
        return names.message(self.chat, answered)

    def _is_post(self, told: Mapping[str, object]) -> bool:
        """Say whether Telegram itself put it there: in a group only that is a channel's and has been kept from one."""
        author = told.get("from_id")
        is_channels = isinstance(author, str) and author.startswith("channel")
        return self.head.kind in GROUPS and is_channels and "saved_from" in told

    def _author(self, told: Mapping[str, object]) -> int:
        found = told.get("from_id")
        if found is None and self.head.kind in CHANNELS:
            return self.chat
        if isinstance(found, str) and (match := AUTHOR.fullmatch(found)) and int(match[2]):
            return _number(match[1], int(match[2]))
        if isinstance(found, int) and 0 < found < OLD_CHATS + OLD_USERS and found % OLD_USERS:
            return _number("channel" if found >= OLD_CHATS else "user", found % OLD_USERS)
        raise ValueError("it has no author" if found is None else f"its author is none: {str(found)[:40]!r}")


@contextlib.contextmanager
def open_exports(path: Path, *, chats: Sequence[str], me: int, now: datetime) -> Iterator[list[TelegramExport]]:
    """Read through a group's or channel's export, or those that are named of an account's. Raises Mistake."""
    path = path / FILE if path.is_dir() else path
    found = [TelegramExport(path=path, head=head, me=me, now=now) for head in telegram_file.choose(path, chats)]
    for one in found:
        one.survey()
    yield found


def _number(kind: str, bare: int) -> int:
    match kind:
        case "channel":
            return names.supergroup(bare)
        case "chat":
            return -bare
        case _:
            return bare


def _is_number(found: object) -> bool:
    return isinstance(found, int) and not isinstance(found, bool)


def _id(told: Mapping[str, object]) -> int:
    """Return a message's number; what was said before a group became a supergroup has negative ones."""
    number = told.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < abs(number) <= LARGEST_MESSAGE:
        raise ValueError(f"its number is none: {str(number)[:40]}")
    return number


def _answered(told: Mapping[str, object]) -> int:
    """Return the number of the message that is answered, 0 where there is none in this chat."""
    number = told.get("reply_to_message_id")
    if not isinstance(number, int) or "reply_to_peer_id" in told or abs(number) > LARGEST_MESSAGE:
        return 0
    return number


def _at(told: Mapping[str, object]) -> datetime:
    """Return when it was said. Old exports tell the time of the exporting computer's zone, which they do not name."""
    seconds, written = told.get("date_unixtime"), told.get("date")
    if isinstance(seconds, str | int) and str(seconds).isascii() and str(seconds).isdecimal():
        return exports.instant(float(seconds))
    try:
        at = datetime.fromisoformat(str(written))
    except ValueError:
        raise ValueError(f"its time is none: {str(written)[:40]!r}") from None
    return exports.possible(at if at.tzinfo else at.replace(tzinfo=UTC))


def _said(told: Mapping[str, object]) -> str:
    """Return what a message says: its text, or what a poll asks, the name of a place, the emoji of a sticker."""
    said = reading.readable(told.get("text")) or reading.readable(told.get("text_entities"))
    asked, more = told.get("poll"), told.get("place_name") or told.get("sticker_emoji")
    more = reading.poll(asked) if isinstance(asked, dict) else more if isinstance(more, str) else ""
    return "\n".join(one for one in (said, more) if one)


def _files(told: Mapping[str, object]) -> Iterator[File]:
    """Tell of a message's picture or file: what it is called, also where it was not exported."""
    for key, kind in (("photo", "image/jpeg"), ("file", "")):
        path = told.get(key)
        if not isinstance(path, str):
            continue
        size = told.get(f"{key}_file_size", told.get("file_size"))
        exported = "" if NOT_INCLUDED.search(path) else PurePosixPath(path).name
        media = exports.name(told.get("media_type"), key)
        yield File(
            name=exports.name(told.get("file_name"), exported, media),
            kind=exports.name(told.get("mime_type"), kind, media),
            size=size if isinstance(size, int) and size > 0 else 0,
        )
